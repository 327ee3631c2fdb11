/* The host inside the sandbox: the canonical ABI of the world `clockbox:job/job`, by hand. A job that does not call a function does
 * not import it. */
#ifdef __wasm__
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define IMPORT(from, name) __attribute__((import_module(from), import_name(name)))
#define CONTEXT(name) IMPORT("clockbox:job/context@0.1.0", name)
#define STORE(name) IMPORT("clockbox:state/store@0.1.0", name)
#define CONTROL(name) IMPORT("clockbox:jobs/control@0.1.0", name)

/* Layouts in memory. */
typedef struct {
    uint8_t is_some;
    cb_text value;
} option_text;
typedef struct {
    uint8_t is_err;
    union {
        struct {
            uint8_t reason;
            cb_text message;
        } err;
        option_text option;
        struct {
            cb_text *ptr;
            size_t len;
        } list;
        uint8_t flag;
    };
} answer;

CONTEXT("job-id") void abi_job_id(cb_text *);
CONTEXT("run-id") void abi_run_id(cb_text *);
CONTEXT("attempt") int32_t abi_attempt(void);
CONTEXT("scheduled-at") void abi_scheduled_at(cb_text *);
CONTEXT("previous-success") void abi_previous_success(option_text *);
CONTEXT("cause") int32_t abi_cause(void);
CONTEXT("idempotency-key") void abi_idempotency_key(cb_text *);
CONTEXT("deadline-ms") int64_t abi_deadline_ms(void);
CONTEXT("is-cancelled") int32_t abi_is_cancelled(void);
CONTEXT("config") void abi_config(const char *, size_t, option_text *);
IMPORT("clockbox:job/log@0.1.0", "write") void abi_write(int32_t, const char *, size_t, const cb_pair *, size_t);
IMPORT("clockbox:job/progress@0.1.0", "report") void abi_report(int64_t, int32_t, int64_t, int32_t, const char *, size_t);
STORE("get") void abi_get(const char *, size_t, answer *);
STORE("set") void abi_set(const char *, size_t, const char *, size_t, int32_t, int64_t, answer *);
STORE("delete") void abi_delete(const char *, size_t, answer *);
STORE("keys") void abi_keys(const char *, size_t, answer *);
STORE("compare-and-swap")
void abi_swap(const char *, size_t, int32_t, const char *, size_t, int32_t, const char *, size_t, int32_t, int64_t, answer *);
CONTROL("add") void abi_add(const char *, size_t, const char *, size_t, int32_t, answer *);
CONTROL("modify") void abi_modify(const char *, size_t, const char *, size_t, answer *);
CONTROL("pause") void abi_pause(const char *, size_t, int32_t, const char *, size_t, answer *);
CONTROL("resume") void abi_resume(const char *, size_t, answer *);
CONTROL("remove") void abi_remove(const char *, size_t, answer *);
CONTROL("run") void abi_run_job(const char *, size_t, int32_t, const char *, size_t, answer *);
CONTROL("list") void abi_list(answer *);
CONTROL("get") void abi_get_job(const char *, size_t, answer *);

/* result<response, error> */
typedef struct {
    uint8_t is_err;
    union {
        struct {
            uint8_t reason;
            cb_text message;
        } err;
        struct {
            uint16_t status;
            struct {
                cb_header *ptr;
                size_t len;
            } headers;
            cb_text body;
        } ok;
    };
} http_answer;
IMPORT("clockbox:http/client@0.1.0", "send")
void abi_send(const char *, size_t, const char *, size_t, const cb_header *, size_t, const char *, size_t, int32_t, int64_t, int32_t, int64_t,
              http_answer *);

#define TEXT(function)        \
    cb_text text;             \
    abi_##function(&text);    \
    return text

cb_text cb_job_id(void) { TEXT(job_id); }
cb_text cb_run_id(void) { TEXT(run_id); }
cb_text cb_scheduled_at(void) { TEXT(scheduled_at); }
cb_text cb_idempotency_key(void) { TEXT(idempotency_key); }
uint32_t cb_attempt(void) { return (uint32_t)abi_attempt(); }
const char *cb_cause(void) { return abi_cause() == 0 ? "trigger" : "manual"; }
uint64_t cb_deadline_ms(void) { return (uint64_t)abi_deadline_ms(); }
bool cb_is_cancelled(void) { return abi_is_cancelled(); }

static cb_text some(option_text option) { return option.is_some ? option.value : (cb_text){NULL, 0}; }

cb_text cb_previous_success(void) {
    option_text time;
    abi_previous_success(&time);
    return some(time);
}

cb_text cb_config(const char *key) {
    option_text value;
    abi_config(key, strlen(key), &value);
    return some(value);
}

void cb_host_log(cb_level level, cb_text message, const cb_pair *fields, size_t count) {
    abi_write(level, message.ptr, message.len, fields, count);
}

void cb_host_progress(uint64_t done, uint64_t total, cb_text note) {
    abi_report((int64_t)done, total != 0, (int64_t)total, note.ptr != NULL, note.ptr, note.len);
}

static bool told(cb_interface interface, const answer *a) {
    return a->is_err ? cb_refuse(interface, a->err.reason, a->err.message) : true;
}

#define ASK(interface, text, function, ...)                  \
    answer a;                                                \
    if (!cb_is_sound(interface, cb_str(text))) return false; \
    abi_##function(__VA_ARGS__, &a);                         \
    if (!told(interface, &a)) return false
#define KEY key, strlen(key)
#define NAME name, strlen(name)
#define OPTION(text) (text).ptr != NULL, (text).ptr, (text).len
#define TTL ttl_ms != 0, (int64_t)ttl_ms

bool cb_state_get(const char *key, cb_text *value) {
    ASK(CB_OF_STATE, key, get, KEY);
    *value = some(a.option);
    return true;
}
bool cb_state_set(const char *key, cb_text value, uint64_t ttl_ms) {
    ASK(CB_OF_STATE, key, set, KEY, value.ptr, value.len, TTL);
    return true;
}
bool cb_state_delete(const char *key, bool *had) {
    ASK(CB_OF_STATE, key, delete, KEY);
    if (had) *had = a.flag;
    return true;
}
bool cb_state_keys(const char *prefix, cb_text **keys, size_t *count) {
    ASK(CB_OF_STATE, prefix, keys, prefix, strlen(prefix));
    *keys = a.list.ptr;
    *count = a.list.len;
    return true;
}
bool cb_state_swap(const char *key, cb_text expected, cb_text value, uint64_t ttl_ms, bool *swapped) {
    ASK(CB_OF_STATE, key, swap, KEY, OPTION(expected), OPTION(value), TTL);
    *swapped = a.flag;
    return true;
}
bool cb_jobs_add(const char *name, cb_text job, cb_conflict on_conflict) {
    if (!cb_is_sound(CB_OF_JOBS, job)) return false;
    ASK(CB_OF_JOBS, name, add, NAME, job.ptr, job.len, on_conflict);
    return true;
}
bool cb_jobs_modify(const char *name, cb_text changes) {
    if (!cb_is_sound(CB_OF_JOBS, changes)) return false;
    ASK(CB_OF_JOBS, name, modify, NAME, changes.ptr, changes.len);
    return true;
}
bool cb_jobs_pause(const char *name, const char *note) {
    ASK(CB_OF_JOBS, name, pause, NAME, OPTION(cb_clean(cb_str(note))));
    return true;
}
bool cb_jobs_resume(const char *name) {
    ASK(CB_OF_JOBS, name, resume, NAME);
    return true;
}
bool cb_jobs_remove(const char *name) {
    ASK(CB_OF_JOBS, name, remove, NAME);
    return true;
}
bool cb_jobs_run(const char *name, cb_text args) {
    if (!cb_is_sound(CB_OF_JOBS, args)) return false;
    ASK(CB_OF_JOBS, name, run_job, NAME, OPTION(args));
    return true;
}
bool cb_jobs_list(cb_text **names, size_t *count) {
    answer a;
    abi_list(&a);
    if (!told(CB_OF_JOBS, &a)) return false;
    *names = a.list.ptr;
    *count = a.list.len;
    return true;
}
bool cb_jobs_get(const char *name, cb_text *job) {
    ASK(CB_OF_JOBS, name, get_job, NAME);
    *job = some(a.option);
    return true;
}

bool cb_http_send(const cb_http_request *request, cb_http_response *response) {
    const char *method = request->method ? request->method : "GET";
    if (!cb_is_request(request)) return false;
    http_answer a;
    abi_send(method, strlen(method), request->url.ptr, request->url.len, request->headers, request->header_count, request->body.ptr,
             request->body.len, request->timeout_ms != 0, (int64_t)request->timeout_ms, request->max_body != 0, (int64_t)request->max_body,
             &a);
    if (a.is_err) return cb_refuse(CB_OF_HTTP, a.err.reason, a.err.message);
    *response = (cb_http_response){a.ok.status, a.ok.headers.ptr, a.ok.headers.len, a.ok.body};
    return true;
}

/* Where the host puts what it hands over. */
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    (void)old_size;
    (void)align; /* malloc's is that of the largest type */
    if (size == 0) return (void *)align;
    void *room = realloc(old, size);
    if (!room) abort();
    return room;
}

/* result<option<string>, job-error> */
typedef struct {
    uint8_t is_err;
    union {
        option_text output;
        struct {
            uint8_t reason;
            struct {
                cb_text code, message;
                uint64_t delay_ms;
            } failure;
        } err;
        uint64_t aligned;
    };
} run_answer;
_Static_assert(sizeof(answer) == 16 && sizeof(http_answer) == 24 && sizeof(run_answer) == 40, "the layouts of the canonical ABI");

__attribute__((export_name("clockbox:job/runner@0.1.0#run"))) run_answer *abi_run(const char *args, size_t len) {
    static run_answer answered;
    cb_result result = cb_call((cb_text){args, len});
    answered = (run_answer){.is_err = result.outcome != CB_DONE};
    if (result.outcome == CB_DONE) {
        answered.output = (option_text){result.output.ptr != NULL, result.output};
    } else {
        answered.err.reason = (uint8_t)(result.outcome - CB_INVALID_ARGS);
        answered.err.failure.code = result.code;
        answered.err.failure.message = result.message;
        answered.err.failure.delay_ms = result.delay_ms;
    }
    return &answered;
}
#endif
