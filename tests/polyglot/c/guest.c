/* The table's cases in C: see ../README.md. */
#include "clockbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    cb_text deed, name;
    int64_t times;
    cb_json value;
} request;

static cb_result greet(const request *r) {
    cb_writer out = {0};
    cb_write_open(&out, '{');
    cb_write_key(&out, "greeting");
    cb_write_string(&out, cb_format("hello %.*s", CB_SHOW(r->name)));
    cb_write_key(&out, "times");
    cb_write_integer(&out, r->times);
    cb_write_close(&out, '}');
    return cb_output(&out);
}

static cb_result nothing(const request *r) {
    (void)r;
    return cb_done();
}

static cb_result echo(const request *r) { return cb_output_json(r->value); }

static cb_result second_attempt(void) {
    cb_writer out = {0};
    cb_write_open(&out, '{');
    cb_write_key(&out, "attempt");
    cb_write_integer(&out, cb_attempt());
    cb_write_close(&out, '}');
    return cb_output(&out);
}

static cb_result retry(const request *r) {
    (void)r;
    return cb_attempt() > 1 ? second_attempt() : cb_retry("busy", "try again");
}

static cb_result retry_after(const request *r) {
    (void)r;
    return cb_attempt() > 1 ? second_attempt() : cb_retry_after(20, "busy", "try again soon");
}

static cb_result fatal(const request *r) {
    (void)r;
    return cb_fatal("broken", "no use – ever");
}

static cb_result refuse(const request *r) {
    (void)r;
    return cb_invalid_args("not these");
}

static cb_result log_lines(const request *r) {
    cb_log(CB_TRACE, "one");
    cb_log(CB_DEBUG, "two");
    char times[32];
    snprintf(times, sizeof times, "%lld", (long long)r->times);
    cb_log_with(CB_INFO, "three", "name", cb_format("%.*s", CB_SHOW(r->name)).ptr, "times", times, NULL);
    cb_log(CB_WARN, "four");
    cb_log(CB_ERROR, "f%sf", "ün");
    return cb_done();
}

static cb_result progress(const request *r) {
    (void)r;
    cb_progress(1, 4, "a quarter");
    return cb_done();
}

static cb_result facts(const request *r) {
    (void)r;
    cb_writer out = {0};
    cb_text none = cb_config("none");
    cb_write_open(&out, '{');
    cb_write_key(&out, "job");
    cb_write_string(&out, cb_job_id());
    cb_write_key(&out, "cause");
    cb_write_string(&out, cb_str(cb_cause()));
    cb_write_key(&out, "attempt");
    cb_write_integer(&out, cb_attempt());
    cb_write_key(&out, "config");
    cb_write_open(&out, '[');
    cb_write_string(&out, cb_config("colour"));
    none.ptr ? cb_write_string(&out, none) : cb_write_null(&out);
    cb_write_close(&out, ']');
    cb_write_key(&out, "ids");
    cb_write_bool(&out, cb_run_id().len > 0 && cb_idempotency_key().len > 0);
    cb_write_key(&out, "time");
    cb_write_bool(&out, cb_deadline_ms() > 0 && strncmp(cb_scheduled_at().ptr, "20", 2) == 0);
    cb_write_key(&out, "cancelled");
    cb_write_bool(&out, cb_is_cancelled());
    cb_write_close(&out, '}');
    return cb_output(&out);
}

static bool count_up(int64_t *count) {
    cb_text before;
    cb_json json;
    *count = 0;
    if (!cb_state_get("count", &before)) return false;
    if (before.ptr && cb_json_parse(before, &json)) cb_json_integer(json, count);
    *count += 1;
    return cb_state_set("count", cb_format("%lld", (long long)*count), 0);
}

static cb_result count(const request *r) {
    (void)r;
    int64_t now;
    cb_writer out = {0};
    if (!count_up(&now)) return cb_refused();
    cb_write_integer(&out, now);
    return cb_output(&out);
}

static cb_result count_and_fail(const request *r) {
    (void)r;
    int64_t now;
    return count_up(&now) ? cb_fatal("told", "to fail") : cb_refused();
}

static cb_result swap(const request *r) {
    (void)r;
    const cb_text none = {NULL, 0};
    bool done[5];
    cb_text *keys, last;
    size_t len;
    if (!cb_state_swap("swap", none, cb_str("1"), 0, &done[0]) || !cb_state_swap("swap", cb_str("0"), cb_str("2"), 0, &done[1]) ||
        !cb_state_swap("swap", cb_str("1"), cb_str("2"), 0, &done[2]) || !cb_state_set("swept", cb_str("x"), 0) ||
        !cb_state_keys("sw", &keys, &len) || !cb_state_delete("swept", &done[3]) || !cb_state_delete("swept", &done[4]) ||
        !cb_state_get("swap", &last))
        return cb_refused();
    cb_writer out = {0};
    cb_write_open(&out, '[');
    for (int i = 0; i < 3; i++) cb_write_bool(&out, done[i]);
    cb_write_open(&out, '[');
    for (size_t i = 0; i < len; i++) cb_write_string(&out, keys[i]);
    cb_write_close(&out, ']');
    for (int i = 3; i < 5; i++) cb_write_bool(&out, done[i]);
    cb_write_string(&out, last);
    cb_write_close(&out, ']');
    return cb_output(&out);
}

static cb_result bytes(const request *r) {
    (void)r;
    char all[256];
    for (int i = 0; i < 256; i++) all[i] = (char)i;
    cb_text kept;
    int64_t sum = 0;
    if (!cb_state_set("bytes", (cb_text){all, 256}, 3600000) || !cb_state_get("bytes", &kept)) return cb_refused();
    for (size_t i = 0; i < kept.len; i++) sum += (unsigned char)kept.ptr[i];
    cb_writer out = {0};
    cb_write_integer(&out, sum);
    return cb_output(&out);
}

/* Makes garbage between calls of the host, and in them: what there is room for. */
static cb_result churn(const request *r) {
    (void)r;
    int64_t same = 0;
    char text[4 * 500 + 1];
    for (int i = 0; i < 2000; i++) {
        size_t len = 0;
        for (int n = 0; n < 500; n++) len += (size_t)snprintf(text + len, sizeof text - len, "%d", i);
        cb_text kept;
        if (!cb_state_set("churn", (cb_text){text, len}, 0) || !cb_state_get("churn", &kept)) return cb_refused();
        same += kept.len == len && memcmp(kept.ptr, text, len) == 0;
        free((char *)kept.ptr);
    }
    cb_writer out = {0};
    cb_write_integer(&out, same);
    return cb_output(&out);
}

static cb_result bad_key(const request *r) {
    (void)r;
    return cb_state_set("", cb_str(""), 0) ? cb_done() : cb_refused();
}

static cb_result add_job(const request *r) {
    const char *name = cb_format("%.*s", CB_SHOW(r->name)).ptr;
    cb_text *names, job, nobody;
    cb_json shown, args;
    size_t len;
    bool listed = false;
    if (!cb_jobs_add(name, cb_str("{\"trigger\":{\"date\":\"2099-01-01\"},\"args\":{\"do\":\"nothing\"}}"), CB_REFUSE) ||
        !cb_jobs_add(name, cb_str("{}"), CB_IGNORE) ||
        !cb_jobs_modify(name, cb_str("{\"args\":{\"do\":\"greet\",\"name\":\"you\"}}")) || !cb_jobs_pause(name, "not yet") ||
        !cb_jobs_resume(name) || !cb_jobs_list(&names, &len) || !cb_jobs_get(name, &job) || !cb_jobs_get("nobody", &nobody))
        return cb_refused();
    for (size_t i = 0; i < len; i++) listed |= cb_same(names[i], name);
    if (!cb_json_parse(job, &shown) || !cb_json_get(shown, "args", &args)) return cb_fatal("no-args", "%.*s", CB_SHOW(job));
    cb_writer out = {0};
    cb_write_open(&out, '{');
    cb_write_key(&out, "listed");
    cb_write_bool(&out, listed);
    cb_write_key(&out, "args");
    cb_write_json(&out, args);
    cb_write_key(&out, "none");
    nobody.ptr ? cb_write_string(&out, nobody) : cb_write_null(&out);
    cb_write_close(&out, '}');
    return cb_output(&out);
}

static const char *named(const request *r) { return cb_format("%.*s", CB_SHOW(r->name)).ptr; }

static cb_result replace_job(const request *r) {
    const cb_text job = cb_format("{\"trigger\":{\"date\":\"2099-01-01\"},\"args\":%.*s}", CB_SHOW(r->value.text));
    return cb_jobs_add(named(r), job, CB_REPLACE) ? cb_done() : cb_refused();
}

static cb_result run_job(const request *r) { return cb_jobs_run(named(r), r->value.text) ? cb_done() : cb_refused(); }

static cb_result pause_job(const request *r) { return cb_jobs_pause(named(r), "für heute") ? cb_done() : cb_refused(); }

static cb_result resume_job(const request *r) { return cb_jobs_resume(named(r)) ? cb_done() : cb_refused(); }

static cb_result remove_job(const request *r) {
    cb_text job;
    cb_json left;
    if (!cb_jobs_remove(named(r)) || !cb_jobs_get(named(r), &job)) return cb_refused();
    return job.ptr && cb_json_parse(job, &left) ? cb_output_json(left) : cb_done();
}

static cb_result remove_and_fail(const request *r) {
    return cb_jobs_remove(named(r)) ? cb_fatal("told", "to fail") : cb_refused();
}

static cb_result no_such_job(const request *r) {
    (void)r;
    return cb_jobs_pause("nobody", "for ever") ? cb_done() : cb_refused();
}

static cb_result get(const request *r) {
    const cb_header headers[] = {{cb_str("x-asked"), cb_str("yes")}};
    const cb_http_request request = {.url = r->name, .headers = headers, .header_count = 1};
    cb_http_response response;
    cb_json body;
    if (!cb_http_send(&request, &response)) return cb_refused();
    cb_text kind = cb_http_header(&response, "X-Kind");
    cb_writer out = {0};
    cb_write_open(&out, '{');
    cb_write_key(&out, "status");
    cb_write_integer(&out, response.status);
    cb_write_key(&out, "ok");
    cb_write_bool(&out, cb_http_ok(&response));
    cb_write_key(&out, "kind");
    kind.ptr ? cb_write_string(&out, kind) : cb_write_null(&out);
    cb_write_key(&out, "body");
    if (!cb_http_ok(&response)) cb_write_string(&out, response.body);
    else if (cb_json_parse(response.body, &body)) cb_write_json(&out, body);
    else return cb_retry("protocol", "not JSON: %.*s", CB_SHOW(response.body));
    cb_write_close(&out, '}');
    return cb_output(&out);
}

static cb_result post(const request *r) {
    const cb_header headers[] = {{cb_str("content-type"), cb_str("application/json")}};
    const cb_http_request request = {.method = "POST", .url = r->name, .headers = headers, .header_count = 1, .body = r->value.text};
    cb_http_response response;
    cb_json echoed;
    if (!cb_http_send(&request, &response)) return cb_refused();
    if (!cb_json_parse(response.body, &echoed)) return cb_retry("protocol", "not JSON: %.*s", CB_SHOW(response.body));
    return cb_output_json(echoed);
}

static cb_result large(const request *r) {
    cb_http_response response;
    cb_writer out = {0};
    if (!cb_http_send(&(cb_http_request){.url = r->name, .max_body = 1000}, &response)) return cb_refused();
    cb_write_integer(&out, (int64_t)response.body.len);
    return cb_output(&out);
}

static cb_result late(const request *r) {
    cb_http_response response;
    cb_writer out = {0};
    if (!cb_http_send(&(cb_http_request){.url = r->name, .timeout_ms = 100}, &response)) return cb_refused();
    cb_write_integer(&out, response.status);
    return cb_output(&out);
}

static cb_result wait_for_the_end(const request *r) {
    (void)r;
    cb_log(CB_INFO, "waiting");
    while (!cb_is_cancelled()) continue;
    return cb_cancelled("stopped when asked");
}

static const struct {
    const char *name;
    cb_result (*run)(const request *);
} DEEDS[] = {
    {"greet", greet},     {"nothing", nothing},   {"echo", echo},   {"retry", retry},       {"retry-after", retry_after},
    {"fatal", fatal},     {"refuse", refuse},     {"log", log_lines}, {"progress", progress}, {"facts", facts},
    {"count", count},     {"count-and-fail", count_and_fail}, {"swap", swap}, {"bytes", bytes}, {"churn", churn},     {"bad-key", bad_key},
    {"add-job", add_job}, {"no-such-job", no_such_job}, {"replace-job", replace_job}, {"run-job", run_job},
    {"pause-job", pause_job}, {"resume-job", resume_job}, {"remove-job", remove_job}, {"remove-and-fail", remove_and_fail},
    {"get", get},         {"post", post},         {"large", large}, {"late", late},         {"wait", wait_for_the_end},
};

cb_result clockbox_run(cb_json args) {
    request r = {.name = cb_str(""), .times = 1};
    const cb_field fields[] = {
        {"do", CB_STRING, &r.deed, CB_REQUIRED},
        {"name", CB_STRING, &r.name, CB_OPTIONAL},
        {"times", CB_INTEGER, &r.times, CB_OPTIONAL},
        {"value", CB_ANY, &r.value, CB_OPTIONAL},
    };
    cb_result refused;
    if (!cb_read_args(args, fields, 4, &refused)) return refused;
    for (size_t i = 0; i < sizeof DEEDS / sizeof *DEEDS; i++)
        if (cb_same(r.deed, DEEDS[i].name)) return DEEDS[i].run(&r);
    return cb_invalid_args("args.do: nobody does %.*s", CB_SHOW(r.deed));
}
