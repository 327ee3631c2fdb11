/* The parts of a job that are the same inside a sandbox and outside. */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *cb_room(size_t size) {
    void *room = malloc(size ? size : 1);
    if (!room) abort();
    return room;
}

cb_text cb_str(const char *text) { return (cb_text){text, text ? strlen(text) : 0}; }

bool cb_same(cb_text text, const char *other) {
    return text.ptr && text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

static cb_text format(const char *text, va_list args) {
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, text, args);
    if (len < 0) abort();
    char *ptr = cb_room((size_t)len + 1);
    vsnprintf(ptr, (size_t)len + 1, text, again);
    va_end(again);
    return (cb_text){ptr, (size_t)len};
}

#define FORMATTED(into)          \
    cb_text into;                \
    do {                         \
        va_list list;            \
        va_start(list, text);    \
        into = format(text, list); \
        va_end(list);            \
    } while (0)

cb_text cb_format(const char *text, ...) {
    FORMATTED(formatted);
    return formatted;
}

cb_result cb_done(void) { return (cb_result){.outcome = CB_DONE}; }

cb_result cb_output(const cb_writer *output) {
    return (cb_result){.outcome = CB_DONE, .output = {output->ptr, output->len}};
}

cb_result cb_output_json(cb_json output) {
    return output.kind == CB_NULL ? cb_done() : (cb_result){.outcome = CB_DONE, .output = output.text};
}

cb_result cb_invalid_args(const char *text, ...) {
    FORMATTED(message);
    return (cb_result){.outcome = CB_INVALID_ARGS, .code = cb_str("invalid-args"), .message = message};
}

cb_result cb_retry(const char *code, const char *text, ...) {
    FORMATTED(message);
    return (cb_result){.outcome = CB_RETRY, .code = cb_str(code), .message = message};
}

cb_result cb_retry_after(uint64_t delay_ms, const char *code, const char *text, ...) {
    FORMATTED(message);
    return (cb_result){.outcome = CB_RETRY_AFTER, .code = cb_str(code), .message = message, .delay_ms = delay_ms};
}

cb_result cb_fatal(const char *code, const char *text, ...) {
    FORMATTED(message);
    return (cb_result){.outcome = CB_FATAL, .code = cb_str(code), .message = message};
}

cb_result cb_cancelled(const char *text, ...) {
    FORMATTED(message);
    return (cb_result){.outcome = CB_CANCELLED, .code = cb_str("cancelled"), .message = message};
}

void cb_log(cb_level level, const char *text, ...) {
    FORMATTED(message);
    cb_host_log(level, cb_clean(message), NULL, 0);
}

void cb_log_with(cb_level level, const char *message, ...) {
    size_t count = 0;
    va_list list;
    va_start(list, message);
    for (; va_arg(list, const char *); count++) (void)va_arg(list, const char *);
    va_end(list);
    cb_pair *fields = cb_room(count * sizeof *fields);
    va_start(list, message);
    for (size_t i = 0; i < count; i++) {
        fields[i].key = cb_clean(cb_str(va_arg(list, const char *)));
        fields[i].value = cb_clean(cb_str(va_arg(list, const char *)));
    }
    va_end(list);
    cb_host_log(level, cb_clean(cb_str(message)), fields, count);
}

void cb_progress(uint64_t done, uint64_t total, const char *note) {
    cb_host_progress(done, total, note && *note ? cb_clean(cb_str(note)) : (cb_text){NULL, 0});
}

/* Of each interface's error, in the order of its cases. */
static const char *const CODES[3][9] = {
    {"state-denied", "invalid-key", "state-full", "state-unavailable", "state"},
    {"jobs-denied", "no-such-job", "job-exists", "invalid-job", "too-many-jobs", "jobs-unavailable", "jobs"},
    {"invalid-request", "http-denied", "dns", "connect", "timeout", "tls", "too-large", "protocol", "protocol"},
};
/* Of each interface, a bit for each case that may pass. */
static const uint16_t MAY_PASS[3] = {1 << 3, 1 << 4 | 1 << 5, 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8};
static cb_error last_error = {"error", {"no call was refused", 19}, false};

bool cb_refuse(cb_interface interface, uint8_t reason, cb_text message) {
    last_error = (cb_error){CODES[interface][reason], message, MAY_PASS[interface] >> reason & 1};
    return false;
}

const cb_error *cb_last_error(void) { return &last_error; }

cb_result cb_refused(void) {
    if (last_error.code == CODES[CB_OF_HTTP][0]) {
        /* What is wrong with a request is mostly wrong with the arguments that it was made of. */
        return (cb_result){.outcome = CB_INVALID_ARGS, .code = cb_str(last_error.code), .message = last_error.message};
    }
    return last_error.may_pass ? cb_retry(last_error.code, "%.*s", CB_SHOW(last_error.message))
                               : cb_fatal(last_error.code, "%.*s", CB_SHOW(last_error.message));
}

/* A host hands an output on as it is. */
static cb_result checked(cb_result done) {
    cb_json output;
    if (!done.output.ptr) return done;
    if (cb_is_utf8(done.output) && cb_json_parse(done.output, &output)) return cb_output_json(output);
    size_t shown = done.output.len < 60 ? done.output.len : 60;
    cb_text begin = cb_clean((cb_text){done.output.ptr, shown});
    return cb_fatal("bad-output", "the output is not JSON, or nested deeper than 128: %.*s", CB_SHOW(begin));
}

cb_result cb_call(cb_text text) {
    cb_json args;
    if (!cb_json_parse(text.len ? text : cb_str("null"), &args)) return cb_invalid_args("args: not JSON");
    cb_result result = clockbox_run(args);
    if (result.outcome == CB_DONE) return checked(result);
    result.code = result.code.len ? cb_clean(result.code) : cb_str("error");
    result.message = cb_clean(result.message);
    return result;
}
