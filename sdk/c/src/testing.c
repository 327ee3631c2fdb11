/* The host outside a sandbox. */
#ifndef __wasm__
#include "testing.h"

#include "internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

cb_test_host cb_host;
static uint32_t times_asked;

void cb_test_reset(void) {
    times_asked = 0;
    cb_host = (cb_test_host){
        .job_id = "test-job",
        .run_id = "test-run",
        .scheduled_at = "2030-01-01T00:00:00+00:00",
        .cause = "trigger",
        .idempotency_key = "test-key",
        .attempt = 1,
        .deadline_ms = 60000,
    };
}

cb_result cb_test_call(const char *args) {
    cb_test_host before = cb_host;
    cb_result result = cb_call(cb_str(args));
    if (result.outcome != CB_DONE) {
        memcpy(cb_host.state, before.state, sizeof before.state);
        memcpy(cb_host.jobs, before.jobs, sizeof before.jobs);
        memcpy(cb_host.runs, before.runs, sizeof before.runs);
        cb_host.run_count = before.run_count;
    }
    return result;
}

cb_text cb_job_id(void) { return cb_str(cb_host.job_id); }
cb_text cb_run_id(void) { return cb_str(cb_host.run_id); }
uint32_t cb_attempt(void) { return cb_host.attempt; }
cb_text cb_scheduled_at(void) { return cb_str(cb_host.scheduled_at); }
cb_text cb_previous_success(void) { return cb_str(cb_host.previous_success); }
const char *cb_cause(void) { return cb_host.cause; }
cb_text cb_idempotency_key(void) { return cb_str(cb_host.idempotency_key); }
uint64_t cb_deadline_ms(void) { return cb_host.deadline_ms; }
bool cb_is_cancelled(void) { return cb_host.cancelled_after != 0 && ++times_asked > cb_host.cancelled_after; }

static cb_text copy(cb_text text) {
    char *room = cb_room(text.len);
    if (text.len) memcpy(room, text.ptr, text.len);
    return (cb_text){room, text.len};
}

static cb_entry *find(cb_entry *entries, const char *key) {
    for (size_t i = 0; i < CB_TEST_MOST; i++)
        if (cb_same(entries[i].key, key)) return &entries[i];
    return NULL;
}

static void put(cb_entry *entries, const char *key, cb_text value) {
    cb_entry *entry = find(entries, key);
    for (size_t i = 0; !entry && i < CB_TEST_MOST; i++)
        if (!entries[i].key.ptr) entry = &entries[i];
    if (!entry) abort();
    *entry = (cb_entry){copy(cb_str(key)), copy(value)};
}

static int by_bytes(const void *a, const void *b) {
    const cb_text *left = a, *right = b;
    size_t shorter = left->len < right->len ? left->len : right->len;
    int order = memcmp(left->ptr, right->ptr, shorter);
    return order ? order : (left->len > right->len) - (left->len < right->len);
}

static void list(const cb_entry *entries, const char *prefix, cb_text **keys, size_t *count) {
    *keys = cb_room(sizeof(cb_text) * CB_TEST_MOST);
    *count = 0;
    for (size_t i = 0; i < CB_TEST_MOST; i++) {
        cb_text key = entries[i].key;
        if (key.ptr && key.len >= strlen(prefix) && memcmp(key.ptr, prefix, strlen(prefix)) == 0) (*keys)[(*count)++] = key;
    }
    qsort(*keys, *count, sizeof(cb_text), by_bytes);
}

cb_text cb_config(const char *key) {
    cb_entry *entry = find(cb_host.config, key);
    return entry ? entry->value : (cb_text){NULL, 0};
}

void cb_host_log(cb_level level, cb_text message, const cb_pair *fields, size_t count) {
    cb_text text = copy(message);
    for (size_t i = 0; i < count; i++)
        text = cb_format("%.*s %.*s=%.*s", CB_SHOW(text), CB_SHOW(fields[i].key), CB_SHOW(fields[i].value));
    if (cb_host.line_count == CB_TEST_MOST) abort();
    cb_host.lines[cb_host.line_count++] = (cb_line){level, text};
}

void cb_host_progress(uint64_t done, uint64_t total, cb_text note) {
    cb_host.done = done;
    cb_host.total = total;
    cb_host.note = note.ptr ? copy(note) : note;
}

static bool is_key(const char *key) {
    if (!cb_is_sound(CB_OF_STATE, cb_str(key))) return false;
    if (!*key || strlen(key) > 512) return cb_refuse(CB_OF_STATE, 1, cb_str("a key has 1 to 512 bytes and no control characters"));
    for (; *key; key++)
        if ((unsigned char)*key < 0x20 || *key == 0x7F) return cb_refuse(CB_OF_STATE, 1, cb_str("a key has no control characters"));
    return true;
}

bool cb_state_get(const char *key, cb_text *value) {
    if (!is_key(key)) return false;
    cb_entry *entry = find(cb_host.state, key);
    *value = entry ? entry->value : (cb_text){NULL, 0};
    return true;
}
bool cb_state_set(const char *key, cb_text value, uint64_t ttl_ms) {
    (void)ttl_ms; /* nothing expires in a test */
    if (!is_key(key)) return false;
    put(cb_host.state, key, value);
    return true;
}
bool cb_state_delete(const char *key, bool *had) {
    if (!is_key(key)) return false;
    cb_entry *entry = find(cb_host.state, key);
    if (had) *had = entry != NULL;
    if (entry) *entry = (cb_entry){0};
    return true;
}
bool cb_state_keys(const char *prefix, cb_text **keys, size_t *count) {
    if (!cb_is_sound(CB_OF_STATE, cb_str(prefix))) return false;
    list(cb_host.state, prefix, keys, count);
    return true;
}
bool cb_state_swap(const char *key, cb_text expected, cb_text value, uint64_t ttl_ms, bool *swapped) {
    cb_text now;
    if (!cb_state_get(key, &now)) return false;
    *swapped = expected.ptr ? now.ptr && by_bytes(&now, &expected) == 0 : !now.ptr;
    if (!*swapped) return true;
    return value.ptr ? cb_state_set(key, value, ttl_ms) : cb_state_delete(key, NULL);
}

static bool is_name(const char *name) {
    if (!cb_is_sound(CB_OF_JOBS, cb_str(name))) return false;
    if (!*name) return cb_refuse(CB_OF_JOBS, 3, cb_str("a job name must not be empty"));
    if (strlen(name) > 128) return cb_refuse(CB_OF_JOBS, 3, cb_format("the job name is %zu bytes long; at most 128 are allowed", strlen(name)));
    for (; *name; name++)
        /* Of letters beyond ASCII only the real host knows which are none. */
        if ((unsigned char)*name < 0x80 && !isalnum((unsigned char)*name) && !strchr("._-:@", *name))
            return cb_refuse(CB_OF_JOBS, 3, cb_format("'%c' is not allowed in a job name; use letters, digits, '.', '_', '-', ':' and '@'", *name));
    return true;
}

static const char *const KEYS[] = {"args",    "plugin", "trigger", "pool",  "misfire_grace", "coalesce", "max_instances",
                                   "overlap", "priority", "delivery", "retry", "when_done",     "allow",    "enabled"};
enum { TO_ADD = sizeof KEYS / sizeof *KEYS, TO_CHANGE = TO_ADD - 2 };

/* A job or changes of one: a JSON object with the first so many of these keys. What they hold, the real host looks at. */
static bool is_job(cb_text text, size_t known) {
    cb_json object, value;
    cb_text key, wrong = cb_str("");
    if (!cb_is_sound(CB_OF_JOBS, text)) return false;
    if (!cb_json_parse(text, &object) || object.kind != CB_OBJECT)
        return cb_refuse(CB_OF_JOBS, 3, cb_format("not a JSON object: %.*s", CB_SHOW(text)));
    for (size_t at = 0; cb_json_next(object, &at, &key, &value);) {
        size_t i = 0;
        while (i < known && !cb_same(key, KEYS[i])) i++;
        if (i == known) wrong = cb_format("%.*s%s%.*s: unknown key", CB_SHOW(wrong), wrong.len ? "\n" : "", CB_SHOW(key));
    }
    return wrong.len ? cb_refuse(CB_OF_JOBS, 3, wrong) : true;
}

static cb_entry *job(const char *name) {
    if (!is_name(name)) return NULL;
    cb_entry *entry = find(cb_host.jobs, name);
    if (!entry) cb_refuse(CB_OF_JOBS, 1, cb_format("there is no job \"%s\"", name));
    return entry;
}

bool cb_jobs_add(const char *name, cb_text text, cb_conflict on_conflict) {
    if (!is_name(name) || !is_job(text, TO_ADD)) return false;
    if (find(cb_host.jobs, name)) {
        if (on_conflict == CB_REFUSE) return cb_refuse(CB_OF_JOBS, 2, cb_format("there is a job \"%s\" already", name));
        if (on_conflict == CB_IGNORE) return true;
    }
    put(cb_host.jobs, name, text);
    return true;
}
bool cb_jobs_modify(const char *name, cb_text changes) {
    if (!job(name) || !is_job(changes, TO_CHANGE)) return false;
    put(cb_host.jobs, name, changes);
    return true;
}
bool cb_jobs_pause(const char *name, const char *note) {
    (void)note;
    return job(name) != NULL;
}
bool cb_jobs_resume(const char *name) { return job(name) != NULL; }
bool cb_jobs_remove(const char *name) {
    cb_entry *entry = job(name);
    if (entry) *entry = (cb_entry){0};
    return entry != NULL;
}
bool cb_jobs_run(const char *name, cb_text args) {
    cb_json value;
    if (!job(name)) return false;
    if (args.ptr && !(cb_is_sound(CB_OF_JOBS, args) && cb_json_parse(args, &value)))
        return cb_refuse(CB_OF_JOBS, 3, cb_format("the arguments are not JSON: %.*s", CB_SHOW(cb_clean(args))));
    if (cb_host.run_count == CB_TEST_MOST) abort();
    cb_host.runs[cb_host.run_count++] = (cb_entry){copy(cb_str(name)), args.ptr ? copy(args) : args};
    return true;
}
bool cb_jobs_list(cb_text **names, size_t *count) {
    list(cb_host.jobs, "", names, count);
    return true;
}
bool cb_jobs_get(const char *name, cb_text *text) {
    cb_entry *entry = find(cb_host.jobs, name);
    *text = entry ? entry->value : (cb_text){NULL, 0};
    return true;
}

bool cb_test_refuse_http(const char *code, const char *message) {
    for (uint8_t reason = 0; reason < 8; reason++) {
        cb_refuse(CB_OF_HTTP, reason, cb_str(message));
        if (!strcmp(cb_last_error()->code, code)) return false;
    }
    abort(); /* a mistake of the test */
}

bool cb_http_send(const cb_http_request *request, cb_http_response *response) {
    const char *method = request->method ? request->method : "GET";
    if (!cb_is_request(request)) return false;
    if (!cb_host.http)
        return cb_refuse(CB_OF_HTTP, 1, cb_format("%s %.*s: the test has no cb_host.http", method, CB_SHOW(request->url)));
    cb_http_request asked = *request;
    asked.method = method;
    *response = (cb_http_response){.status = 200, .body = cb_str("")};
    if (!cb_host.http(&asked, response)) return false;
    if (request->max_body && response->body.len > request->max_body) return cb_test_refuse_http("too-large", "more than was asked for");
    return true;
}
#endif
