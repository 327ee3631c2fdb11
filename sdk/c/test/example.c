/* The examples of the README: what it shows is what is compiled and run here. */
#include "testing.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fetch(cb_text url, cb_result *failed) {
    cb_http_response response;
    if (!cb_http_send(&(cb_http_request){.url = url, .timeout_ms = 5000}, &response)) {
        *failed = cb_refused();
        return false;
    }
    if (response.status == 429) *failed = cb_retry_after(60000, "busy", "%.*s asks to wait", CB_SHOW(url));
    else if (response.status == 404) *failed = cb_fatal("gone", "%.*s is not there any more", CB_SHOW(url));
    else if (!cb_http_ok(&response)) *failed = cb_retry("status", "%.*s answers with %d", CB_SHOW(url), response.status);
    return cb_http_ok(&response);
}

static bool fetch_all(cb_json urls, cb_result *failed) {
    cb_json url;
    uint64_t done = 0;
    for (size_t at = 0; cb_json_next(urls, &at, NULL, &url); done++) {
        if (cb_is_cancelled()) {
            *failed = cb_cancelled("stopped after %llu", (unsigned long long)done);
            return false;
        }
        cb_progress(done, 0, cb_format("%.*s", CB_SHOW(cb_json_string(url))).ptr);
        if (!fetch(cb_json_string(url), failed)) return false;
    }
    cb_log_with(CB_INFO, "fetched", "feeds", cb_format("%llu", (unsigned long long)done).ptr, NULL);
    return true;
}

static bool count(int64_t *runs) {
    cb_text before;
    cb_json number;
    *runs = 0;
    if (!cb_state_get("runs", &before)) return false;
    if (before.ptr && cb_json_parse(before, &number)) cb_json_integer(number, runs);
    ++*runs;
    return cb_state_set("runs", cb_format("%lld", (long long)*runs), 0);
}

static bool remind(cb_text text) {
    cb_writer job = {0};
    cb_write_open(&job, '{');
    cb_write_key(&job, "trigger");
    cb_write_json(&job, (cb_json){CB_OBJECT, cb_str("{\"interval\": \"1h\"}")});
    cb_write_key(&job, "args");
    cb_write_open(&job, '{');
    cb_write_key(&job, "text");
    cb_write_string(&job, text);
    cb_write_close(&job, '}');
    cb_write_close(&job, '}');
    return cb_jobs_add("reminder", (cb_text){job.ptr, job.len}, CB_REPLACE);
}

cb_result clockbox_run(cb_json args) {
    cb_json urls;
    cb_text label = {0};
    const cb_field fields[] = {{"urls", CB_LIST, &urls, CB_REQUIRED}, {"label", CB_STRING, &label, CB_OPTIONAL}};
    cb_result failed;
    if (!cb_read_args(args, fields, 2, &failed)) return failed;
    if (!fetch_all(urls, &failed)) return failed;
    if (label.ptr && !remind(label)) return cb_refused();
    int64_t runs;
    if (!count(&runs)) return cb_refused();
    cb_writer out = {0};
    cb_write_integer(&out, runs);
    return cb_output(&out);
}

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "not so: %s\n", what);
    exit(1);
}
#define CHECK(holds) check(holds, #holds)

static int status = 200;
static bool answer(const cb_http_request *request, cb_http_response *response) {
    if (cb_same(request->url, "https://late.example")) return cb_test_refuse_http("timeout", "no answer");
    response->status = status;
    return true;
}

static void it_counts_its_runs(void) {
    cb_test_reset();
    cb_host.http = answer;
    cb_host.state[0] = (cb_entry){cb_str("runs"), cb_str("41")};
    cb_result result = cb_test_call("{\"urls\": [\"https://a.example\"], \"label\": \"read it\"}");
    CHECK(result.outcome == CB_DONE && cb_same(result.output, "42"));
    CHECK(cb_same(cb_host.note, "https://a.example") && cb_same(cb_host.jobs[0].key, "reminder"));
    result = cb_test_call("{\"urls\": [\"https://late.example\"]}");
    CHECK(result.outcome == CB_RETRY && cb_same(result.code, "timeout"));

    cb_host.cancelled_after = 1;
    result = cb_test_call("{\"urls\": [\"https://a.example\", \"https://b.example\"]}");
    CHECK(result.outcome == CB_CANCELLED && cb_same(result.message, "stopped after 1"));
    CHECK(cb_same(cb_host.state[0].value, "42"));
}

static void it_asks_for_a_retry_where_that_can_help(void) {
    cb_test_reset();
    cb_host.http = answer;
    const struct {
        int status;
        cb_outcome outcome;
    } each[] = {{429, CB_RETRY_AFTER}, {404, CB_FATAL}, {500, CB_RETRY}};
    for (size_t i = 0; i < 3; i++) {
        status = each[i].status;
        CHECK(cb_test_call("{\"urls\": [\"https://a.example\"]}").outcome == each[i].outcome);
    }
}

/* A file without its white space. */
static char *squeezed(const char *name) {
    static char text[1 << 16];
    FILE *file = fopen(name, "r");
    check(file != NULL, name);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    char *all = malloc(sizeof text), *out = all;
    for (char *at = text; *at; at++)
        if (!isspace((unsigned char)*at)) *out++ = *at;
    *out = 0;
    return all;
}

static void the_readme_shows_these_examples(void) {
    char *sources[] = {squeezed("test/example.c"), squeezed("../../host/templates/c/job.c"), squeezed("../../tests/polyglot/zig/hello.zig")};
    char *readme = squeezed("src/README.md"), *block = strtok(readme, "`");
    size_t shown = 0;
    for (; block; block = strtok(NULL, "`")) {
        size_t start = !strncmp(block, "c/*", 3) || !strncmp(block, "cstatic", 7) ? 1 : !strncmp(block, "zig//!", 6) ? 3 : 0;
        if (!start) continue;
        bool found = false;
        for (size_t i = 0; i < 3; i++) found = found || strstr(sources[i], block + start);
        check(found, block);
        shown++;
    }
    CHECK(shown == 7);
}

int main(void) {
    it_counts_its_runs();
    it_asks_for_a_retry_where_that_can_help();
    the_readme_shows_these_examples();
    puts("3 examples hold");
    return 0;
}
