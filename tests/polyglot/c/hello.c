#include "clockbox.h"

cb_result clockbox_run(cb_json args) {
    cb_text name;
    const cb_field fields[] = {{"name", CB_STRING, &name, CB_REQUIRED}};
    cb_result refused;
    if (!cb_read_args(args, fields, 1, &refused)) return refused;
    cb_writer out = {0};
    cb_write_string(&out, cb_format("hello %.*s", CB_SHOW(name)));
    return cb_output(&out);
}
