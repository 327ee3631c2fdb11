/*
 * A clockbox job in C: define `clockbox_run`, and link it with the other files of this folder.
 *
 *     #include "clockbox.h"
 *
 *     cb_result clockbox_run(cb_json args) {
 *         cb_text name = cb_str("world");
 *         const cb_field fields[] = {{"name", CB_STRING, &name, CB_OPTIONAL}};
 *         cb_result refused;
 *         if (!cb_read_args(args, fields, 1, &refused)) return refused;
 *         cb_writer out = {0};
 *         cb_write_string(&out, cb_format("hello %.*s", CB_SHOW(name)));
 *         return cb_output(&out);
 *     }
 *
 * Each run has an instance of its own, which is gone with it: what these functions hand out lives as long as the run, and nothing
 * needs to be freed. When there is no more memory the run ends in a trap.
 */
#ifndef CLOCKBOX_H
#define CLOCKBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CB_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* Text, or bytes; not ended by a zero. */
typedef struct {
    const char *ptr; /* NULL: none */
    size_t len;
} cb_text;

cb_text cb_str(const char *text);
cb_text cb_format(const char *format, ...) CB_PRINTF(1, 2);
bool cb_same(cb_text text, const char *other);
/* For printf's `%.*s`. */
#define CB_SHOW(text) (int)(text).len, (text).ptr

/* JSON: reading. A value is the piece of text that it is written as. */
typedef enum { CB_NULL, CB_BOOL, CB_NUMBER, CB_STRING, CB_LIST, CB_OBJECT, CB_INTEGER, CB_ANY } cb_kind;
typedef struct {
    cb_kind kind; /* one of the first six */
    cb_text text;
} cb_json;

/* False where the text is not JSON, or nested deeper than 128. */
bool cb_json_parse(cb_text text, cb_json *value);
cb_text cb_json_string(cb_json value);  /* of a string: what it says */
double cb_json_number(cb_json value);   /* of a number */
bool cb_json_integer(cb_json value, int64_t *integer); /* false where it is none, or is beyond 64 bits */
bool cb_json_get(cb_json object, const char *key, cb_json *value); /* false where the object lacks it */
/* The items of a list, or the values of an object with their keys, one after another: `size_t at = 0; while (cb_json_next(…))`.
 * `key` may be NULL. */
bool cb_json_next(cb_json container, size_t *at, cb_text *key, cb_json *value);

/* JSON: writing. Begin with `cb_writer out = {0}`; commas are set as needed. */
typedef struct {
    char *ptr;
    size_t len, room;
    bool comma;
} cb_writer;

void cb_write_null(cb_writer *out);
void cb_write_bool(cb_writer *out, bool value);
void cb_write_integer(cb_writer *out, int64_t value);
void cb_write_number(cb_writer *out, double value);
void cb_write_string(cb_writer *out, cb_text value);
void cb_write_json(cb_writer *out, cb_json value);
void cb_write_key(cb_writer *out, const char *key);
void cb_write_open(cb_writer *out, char bracket);  /* '{' or '[' */
void cb_write_close(cb_writer *out, char bracket); /* '}' or ']' */

/* What a run comes to. */
typedef enum { CB_DONE, CB_INVALID_ARGS, CB_RETRY, CB_RETRY_AFTER, CB_FATAL, CB_CANCELLED } cb_outcome;
typedef struct {
    cb_outcome outcome;
    cb_text output; /* JSON text, or none */
    cb_text code, message;
    uint64_t delay_ms;
} cb_result;

cb_result cb_done(void);                         /* success, without output */
cb_result cb_output(const cb_writer *output);    /* success; what is not JSON fails as "bad-output", null is no output */
cb_result cb_output_json(cb_json output);        /* success; null is no output */
cb_result cb_invalid_args(const char *format, ...) CB_PRINTF(1, 2);
cb_result cb_retry(const char *code, const char *format, ...) CB_PRINTF(2, 3);
cb_result cb_retry_after(uint64_t delay_ms, const char *code, const char *format, ...) CB_PRINTF(3, 4);
cb_result cb_fatal(const char *code, const char *format, ...) CB_PRINTF(2, 3);
cb_result cb_cancelled(const char *format, ...) CB_PRINTF(1, 2);

/* Arguments: each field is read into a variable of its kind. What is left out stays as it is. */
typedef enum { CB_REQUIRED, CB_OPTIONAL } cb_need;
typedef struct {
    const char *name;
    cb_kind kind; /* CB_BOOL: bool, CB_INTEGER: int64_t, CB_NUMBER: double, CB_STRING: cb_text, any other: cb_json */
    void *into;
    cb_need need;
} cb_field;

/* False where they do not fit; `refused` is what to return then. No arguments are an empty object. */
bool cb_read_args(cb_json args, const cb_field *fields, size_t count, cb_result *refused);

/* The facts of the run. */
cb_text cb_job_id(void);
cb_text cb_run_id(void);
uint32_t cb_attempt(void);
cb_text cb_scheduled_at(void);     /* RFC 3339 */
cb_text cb_previous_success(void); /* RFC 3339, or none */
const char *cb_cause(void);        /* "trigger" or "manual" */
cb_text cb_idempotency_key(void);
uint64_t cb_deadline_ms(void);
bool cb_is_cancelled(void);
cb_text cb_config(const char *key); /* a value of the plugin's `config` table, or none */

/* The run's log. Fields are pairs of name and value, ended by NULL: cb_log_with(CB_INFO, "sent", "to", address, NULL). */
typedef enum { CB_TRACE, CB_DEBUG, CB_INFO, CB_WARN, CB_ERROR } cb_level;
void cb_log(cb_level level, const char *format, ...) CB_PRINTF(2, 3);
void cb_log_with(cb_level level, const char *message, ...) __attribute__((sentinel));

/* How far the run has come; a total of 0 is not known, and the note may be NULL. */
void cb_progress(uint64_t done, uint64_t total, const char *note);

/* Calls that can be refused give false then; `return cb_refused();` ends the run with what it was, asking for a retry only where
 * that can help. */
typedef struct {
    const char *code; /* such as "state-denied", "no-such-job", "connect" */
    cb_text message;
    bool may_pass;
} cb_error;
const cb_error *cb_last_error(void);
cb_result cb_refused(void);

/* What the job remembers from run to run; needs `allow.state`. A time to live of 0 is for ever. */
bool cb_state_get(const char *key, cb_text *value); /* none where there is none */
bool cb_state_set(const char *key, cb_text value, uint64_t ttl_ms);
bool cb_state_delete(const char *key, bool *had);
bool cb_state_keys(const char *prefix, cb_text **keys, size_t *count);
/* Sets the value (none deletes it) where the present one is as expected (none: where there is none). */
bool cb_state_swap(const char *key, cb_text expected, cb_text value, uint64_t ttl_ms, bool *swapped);

/* Other jobs; needs `allow.jobs`. `job` and `changes` are JSON objects with the keys of a section `[jobs.NAME]`. */
typedef enum { CB_REFUSE, CB_REPLACE, CB_IGNORE } cb_conflict;
bool cb_jobs_add(const char *name, cb_text job, cb_conflict on_conflict);
bool cb_jobs_modify(const char *name, cb_text changes);
bool cb_jobs_pause(const char *name, const char *note);
bool cb_jobs_resume(const char *name);
bool cb_jobs_remove(const char *name);
bool cb_jobs_run(const char *name, cb_text args); /* none: its own */
bool cb_jobs_list(cb_text **names, size_t *count);
bool cb_jobs_get(const char *name, cb_text *job); /* JSON; none where there is none */

/* Asking the web; needs `allow.http`. Redirects are not followed: their target may be another origin. */
typedef struct {
    cb_text name, value;
} cb_header;
typedef struct {
    const char *method; /* NULL: GET */
    cb_text url;
    const cb_header *headers;
    size_t header_count;
    cb_text body;
    uint64_t timeout_ms; /* the longest that the whole exchange may take; 0: what the manifest says */
    uint64_t max_body;   /* the most bytes of the response's body; 0: `limits.response` of the plugin */
} cb_http_request;
typedef struct {
    int status;
    cb_header *headers; /* names in lower case */
    size_t header_count;
    cb_text body;
} cb_http_response;
/* True for any status: cb_http_send(&(cb_http_request){.url = url}, &response). A code is "http-denied", "dns", "connect", "timeout",
 * "tls", "too-large", "protocol" or "invalid-request". */
bool cb_http_send(const cb_http_request *request, cb_http_response *response);
cb_text cb_http_header(const cb_http_response *response, const char *name); /* the first of this name, in any case; or none */
bool cb_http_ok(const cb_http_response *response);                          /* a status of 200 to 299 */

/* Yours: does the work of one run. */
cb_result clockbox_run(cb_json args);

#endif
