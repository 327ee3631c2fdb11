/* Greets somebody. */
#include "clockbox.h"

cb_result clockbox_run(cb_json args) {
    cb_text name;
    int64_t times = 1;
    const cb_field fields[] = {{"name", CB_STRING, &name, CB_REQUIRED}, {"times", CB_INTEGER, &times, CB_OPTIONAL}};
    cb_result refused;
    if (!cb_read_args(args, fields, 2, &refused)) return refused;
    if (times < 1 || times > 100) return cb_invalid_args("args.times: expected 1 to 100, found %lld", (long long)times);

    cb_log(CB_INFO, "greeting %.*s", CB_SHOW(name));
    cb_text greeting = cb_format("hello %.*s", CB_SHOW(name));
    cb_text all = greeting;
    for (int64_t i = 1; i < times; i++) all = cb_format("%.*s, %.*s", CB_SHOW(all), CB_SHOW(greeting));
    cb_writer out = {0};
    cb_write_string(&out, all);
    return cb_output(&out);
}
