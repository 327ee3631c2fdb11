/* The host's part in tests on your own machine: there the job talks to this. Nothing here is part of a plugin. */
#ifndef CLOCKBOX_TESTING_H
#define CLOCKBOX_TESTING_H

#include "clockbox.h"

enum { CB_TEST_MOST = 64 }; /* lines, entries of the state, jobs */

typedef struct {
    cb_text key, value;
} cb_entry;

typedef struct {
    cb_level level;
    cb_text text; /* the message, and ` key=value` of each field */
} cb_line;

typedef struct {
    /* What the job is told; set what the test is about. */
    const char *job_id, *run_id, *scheduled_at, *previous_success, *cause, *idempotency_key;
    uint32_t attempt;
    uint64_t deadline_ms;
    uint32_t cancelled_after; /* so many times `cb_is_cancelled` says no; 0: always */
    cb_entry config[CB_TEST_MOST];
    /* Answers its requests, with a status of 200 and an empty body unless it says otherwise, and gives true, or
     * `cb_test_refuse_http(…)`; without it they are denied. */
    bool (*http)(const cb_http_request *request, cb_http_response *response);
    /* What it did. */
    cb_line lines[CB_TEST_MOST];
    size_t line_count;
    uint64_t done, total;
    cb_text note;
    cb_entry state[CB_TEST_MOST]; /* an entry without a key is free */
    cb_entry jobs[CB_TEST_MOST];  /* the value is the JSON that it was added or last changed with */
    cb_entry runs[CB_TEST_MOST];
    size_t run_count;
} cb_test_host;

extern cb_test_host cb_host;

/* A new host. */
void cb_test_reset(void);
/* Calls `clockbox_run` as the host does. What a failed run changed is undone. */
cb_result cb_test_call(const char *args);

/* What an answer gives where there is none; the code is one of `cb_http_send`'s. */
bool cb_test_refuse_http(const char *code, const char *message);

#endif
