/* The SDK on your own machine: JSON, arguments, results, and the host of tests. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed;
static void check(bool holds, const char *what, int line) {
    if (!holds) {
        fprintf(stderr, "test.c:%d: not so: %s\n", line, what);
        exit(1);
    }
    passed++;
}
#define CHECK(holds) check(holds, #holds, __LINE__)
#define SAYS(text, expected) check(cb_same(text, expected), cb_format("%.*s is %s", CB_SHOW(text), expected).ptr, __LINE__)

static cb_result (*the_job)(cb_json);
cb_result clockbox_run(cb_json args) { return the_job(args); }

static bool is_json(const char *text) {
    cb_json value;
    return cb_json_parse(cb_str(text), &value);
}

static void json_is_read(void) {
    const char *good[] = {"null", " true ", "-0", "0.5e-3", "\"\\u00e9\"", "[]", "{}", "[1,[2,{\"a\":null}]]", "{\"a\":{},\"b\":[]}"};
    const char *bad[] = {"", "nul", "01", "1.", "-", "+1", "\"", "\"\\x\"", "\"\\u12\"", "\"\n\"", "[1", "[1,]", "{\"a\"}", "{a:1}", "1 2", "[}", "\"\\"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) check(is_json(good[i]), good[i], __LINE__);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) check(!is_json(bad[i]), bad[i], __LINE__);
    char deep[400];
    memset(deep, '[', 200);
    memset(deep + 200, ']', 199);
    deep[399] = 0;
    CHECK(!is_json(deep));

    cb_json object, value;
    cb_text key;
    CHECK(cb_json_parse(cb_str(" { \"a\" : [1, 2] , \"\\u0062\":\"x\\n\\ud83c\\udf89\\ud800\"} "), &object));
    CHECK(cb_json_get(object, "b", &value));
    SAYS(cb_json_string(value), "x\n🎉\xEF\xBF\xBD");
    CHECK(!cb_json_get(object, "c", &value));
    CHECK(cb_json_get(object, "a", &value) && value.kind == CB_LIST);
    cb_json item;
    int64_t sum = 0, one;
    for (size_t at = 0; cb_json_next(value, &at, NULL, &item);) sum += cb_json_integer(item, &one) ? one : 100;
    CHECK(sum == 3);
    size_t at = 0;
    CHECK(cb_json_next(object, &at, &key, &value) && cb_same(key, "a"));
    CHECK(cb_json_next(object, &at, &key, &value) && cb_same(key, "b"));
    CHECK(!cb_json_next(object, &at, &key, &value));
    CHECK(cb_json_parse(cb_str("-9223372036854775808"), &value) && cb_json_integer(value, &one) && one == INT64_MIN);
    CHECK(cb_json_parse(cb_str("9223372036854775808"), &value) && !cb_json_integer(value, &one));
    CHECK(cb_json_parse(cb_str("1.5"), &value) && !cb_json_integer(value, &one) && cb_json_number(value) == 1.5);
}

static void json_is_written(void) {
    cb_writer out = {0};
    cb_write_open(&out, '{');
    cb_write_key(&out, "a");
    cb_write_open(&out, '[');
    cb_write_integer(&out, -1);
    cb_write_number(&out, 0.5);
    cb_write_number(&out, 1.0 / (out.len - out.len));
    cb_write_bool(&out, true);
    cb_write_close(&out, ']');
    cb_write_key(&out, "b\"");
    cb_write_string(&out, cb_str("\x01\\ü"));
    cb_write_close(&out, '}');
    SAYS(((cb_text){out.ptr, out.len}), "{\"a\":[-1,0.5,null,true],\"b\\\"\":\"\\u0001\\\\ü\"}");
}

static cb_result greet(cb_json args) {
    cb_text name;
    int64_t times = 1;
    bool loud = false;
    const cb_field fields[] = {
        {"name", CB_STRING, &name, CB_REQUIRED}, {"times", CB_INTEGER, &times, CB_OPTIONAL}, {"loud", CB_BOOL, &loud, CB_OPTIONAL}};
    cb_result refused;
    if (!cb_read_args(args, fields, 3, &refused)) return refused;
    cb_writer out = {0};
    cb_write_string(&out, cb_format("%s %.*s %lld", loud ? "HELLO" : "hello", CB_SHOW(name), (long long)times));
    return cb_output(&out);
}

static void arguments_are_checked(void) {
    the_job = greet;
    SAYS(cb_test_call("{\"name\":\"Ada\",\"loud\":true}").output, "\"HELLO Ada 1\"");
    SAYS(cb_test_call("null").message, "args.name: missing");
    SAYS(cb_test_call("[1]").message, "args: expected an object, found [1]");
    SAYS(cb_test_call("{\"name\":5}").message, "args.name: expected a string, found 5");
    SAYS(cb_test_call("{\"name\":\"a\",\"times\":1.5}").message, "args.times: expected an integer, found 1.5");
    SAYS(cb_test_call("{\"nam\":1}").message, "args.nam: unknown; known are: name, times, loud");
    SAYS(cb_test_call("{").message, "args: not JSON");
    CHECK(cb_test_call("{").outcome == CB_INVALID_ARGS);
}

static cb_result keeper(cb_json args) {
    cb_text before;
    bool swapped, had;
    if (args.kind == CB_NULL) cb_log_with(CB_WARN, "at", "attempt", "3", NULL);
    if (!cb_state_get("n", &before) || !cb_state_swap("n", before, cb_format("%d", before.ptr ? 2 : 1), 0, &swapped)) return cb_refused();
    cb_progress(1, 2, "half");
    if (!cb_state_delete("none", &had) || had || !swapped) return cb_fatal("odd", "it had one");
    if (!cb_jobs_add("j", cb_str("{}"), CB_IGNORE) || !cb_jobs_run("j", cb_str("1"))) return cb_refused();
    return args.kind == CB_BOOL ? cb_retry_after(5, "told", "to %s", "fail") : cb_done();
}

static cb_result refused_key(cb_json args) {
    (void)args;
    return cb_state_set("", cb_str(""), 0) ? cb_done() : cb_refused();
}

static cb_result refused_job(cb_json args) {
    (void)args;
    return cb_jobs_remove("nobody") ? cb_done() : cb_refused();
}

static void changes_go_with_a_failure(void) {
    cb_test_reset();
    the_job = keeper;
    cb_result failed = cb_test_call("true");
    CHECK(failed.outcome == CB_RETRY_AFTER && failed.delay_ms == 5 && cb_same(failed.message, "to fail"));
    CHECK(!cb_host.state[0].key.ptr && !cb_host.jobs[0].key.ptr && cb_host.run_count == 0);
    CHECK(cb_test_call("null").outcome == CB_DONE && cb_test_call("null").outcome == CB_DONE);
    SAYS(cb_host.state[0].value, "2");
    SAYS(cb_host.lines[0].text, "at attempt=3");
    SAYS(cb_host.note, "half");
    CHECK(cb_host.run_count == 2 && cb_host.done == 1 && cb_host.total == 2);

    the_job = refused_key;
    cb_result refused = cb_test_call("null");
    CHECK(refused.outcome == CB_FATAL && cb_same(refused.code, "invalid-key"));
    the_job = refused_job;
    SAYS(cb_test_call("null").code, "no-such-job");
}

static const char *written;
static cb_result writes(cb_json args) {
    (void)args;
    cb_writer out = {0};
    cb_write_json(&out, (cb_json){CB_ANY, cb_str(written)});
    return cb_output(&out);
}
static cb_result empty(cb_json args) {
    (void)args;
    cb_writer out = {0};
    return cb_output(&out);
}
static cb_result none_refused(cb_json args) {
    (void)args;
    return cb_refused();
}
static cb_result odd(cb_json args) {
    (void)args;
    cb_log(CB_INFO, "a\xff");
    cb_log_with(CB_INFO, "", "k\xC0\x80", "v\xED\xA0\x80", "none", NULL, "empty", "", "c", "3", "d", "4", "e", "5", "f", "6", "g", "7", "h", "8", "i", "9",
                "j", "10", "k", "11", "l", "12", "m", "13", "n", "14", "o", "15", "p", "16", "q", "17", NULL);
    cb_progress(5, 0, "\xF4\x90\x80\x80");
    return cb_fatal("", "f\xE2\x82");
}
static cb_result says(cb_json args) {
    cb_writer out = {0};
    cb_write_string(&out, cb_format("%.*s\xff", CB_SHOW(cb_json_string(args))));
    return cb_output(&out);
}

static void odd_values_are_text_and_json(void) {
    cb_test_reset();
    the_job = none_refused; /* before any other refusal */
    SAYS(cb_test_call("null").message, "no call was refused");
    the_job = odd;
    cb_result failed = cb_test_call("null");
    SAYS(cb_format("%.*s: %.*s", CB_SHOW(failed.code), CB_SHOW(failed.message)), "error: f\xEF\xBF\xBD\xEF\xBF\xBD");
    SAYS(cb_host.lines[0].text, "a\xEF\xBF\xBD");
    SAYS(cb_host.lines[1].text, " k\xEF\xBF\xBD\xEF\xBF\xBD=v\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD none= empty= c=3 d=4 e=5 f=6 g=7 h=8 i=9 j=10 k=11 l=12 m=13 n=14 o=15 p=16 q=17");
    SAYS(cb_host.note, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    cb_progress(1, 2, "");
    CHECK(!cb_host.note.ptr);
    the_job = says;
    SAYS(cb_test_call("\"ü – 🎉\"").output, "\"ü – 🎉\xEF\xBF\xBD\"");

    the_job = writes;
    const char *bad[] = {"[", "{\"a\"}", "nan", "\"\xff\"", "1 2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        written = bad[i];
        cb_result result = cb_test_call("null");
        check(result.outcome == CB_FATAL && cb_same(result.code, "bad-output"), bad[i], __LINE__);
    }
    written = "null";
    CHECK(cb_test_call("null").outcome == CB_DONE && !cb_test_call("null").output.ptr);
    the_job = empty;
    CHECK(cb_test_call("null").outcome == CB_DONE && !cb_test_call("null").output.ptr);
}

static bool refusal_is(bool allowed, const char *code, const char *message) {
    SAYS(cb_last_error()->message, message);
    return !allowed && !strcmp(cb_last_error()->code, code);
}

static void the_host_of_tests_refuses_what_a_real_one_does(void) {
    cb_test_reset();
    char longest[130];
    memset(longest, 'x', 129);
    longest[129] = 0;
    cb_text none = {NULL, 0};
    size_t count;
    cb_text *keys;
    CHECK(refusal_is(cb_jobs_add("bad name!", cb_str("{}"), CB_REFUSE), "invalid-job", "' ' is not allowed in a job name; use letters, digits, '.', '_', '-', ':' and '@'"));
    CHECK(refusal_is(cb_jobs_pause("a!", "why"), "invalid-job", "'!' is not allowed in a job name; use letters, digits, '.', '_', '-', ':' and '@'"));
    CHECK(refusal_is(cb_jobs_run("", none), "invalid-job", "a job name must not be empty"));
    CHECK(refusal_is(cb_jobs_remove(longest), "invalid-job", "the job name is 129 bytes long; at most 128 are allowed"));
    CHECK(refusal_is(cb_jobs_add("a\xff", cb_str("{}"), CB_REFUSE), "invalid-job", "\"a\xEF\xBF\xBD\" is not UTF-8"));
    CHECK(refusal_is(cb_jobs_add("a", cb_str("{\"triger\": 1, \"args\": 2, \"x\": 3}"), CB_REFUSE), "invalid-job", "triger: unknown key\nx: unknown key"));
    CHECK(refusal_is(cb_jobs_add("a", cb_str("[1]"), CB_REFUSE), "invalid-job", "not a JSON object: [1]"));
    CHECK(cb_jobs_add("ä.b_c-d:e@f", cb_str("{\"enabled\": true, \"allow\": {}, \"args\": 1}"), CB_REFUSE));
    CHECK(refusal_is(cb_jobs_modify("ä.b_c-d:e@f", cb_str("{\"enabled\": false}")), "invalid-job", "enabled: unknown key"));
    CHECK(cb_jobs_modify("ä.b_c-d:e@f", cb_str("{\"args\": 2}")) && cb_jobs_run("ä.b_c-d:e@f", none));
    CHECK(refusal_is(cb_jobs_run("ä.b_c-d:e@f", cb_str("x")), "invalid-job", "the arguments are not JSON: x"));
    CHECK(refusal_is(cb_state_set("\xff", cb_str("x"), 0), "invalid-key", "\"\xEF\xBF\xBD\" is not UTF-8"));
    CHECK(refusal_is(cb_state_keys("\xff", &keys, &count), "invalid-key", "\"\xEF\xBF\xBD\" is not UTF-8"));
    cb_http_response response;
    CHECK(refusal_is(cb_http_send(&(cb_http_request){.url = cb_str("\xff")}, &response), "invalid-request", "\"\xEF\xBF\xBD\" is not UTF-8"));
}

/* A key that the manifest learns is one that the host of tests must take. */
static void the_host_of_tests_knows_the_keys_of_the_manifest(void) {
    static char source[4096];
    FILE *file = fopen("../../host/src/manifest/jobs.rs", "r");
    check(file && fread(source, 1, sizeof source - 1, file) > 0, "jobs.rs can be read", __LINE__);
    fclose(file);
    char *key = strstr(source, "const KEYS: &[&str] = &[");
    CHECK(key);
    *strstr(key, "];") = 0;
    size_t count = 0;
    for (key = strtok(strchr(key, '='), "\""); key; key = strtok(NULL, "\"")) {
        if (key[0] < 'a' || key[0] > 'z') continue;
        bool taken = cb_jobs_add("j", cb_format("{\"%s\": null}", key), CB_REPLACE);
        /* It is not kept of a job that is added while the host runs. */
        check(taken == (strcmp(key, "description") != 0), key, __LINE__);
        count++;
    }
    CHECK(count > 10);
}

static cb_result loop(cb_json args) {
    (void)args;
    for (int i = 0; i < 10; i++)
        if (cb_is_cancelled()) return cb_cancelled("at %d", i);
    return cb_done();
}

static void cancellation_is_seen(void) {
    cb_test_reset();
    the_job = loop;
    CHECK(cb_test_call("null").outcome == CB_DONE);
    cb_host.cancelled_after = 3;
    cb_result cancelled = cb_test_call("null");
    CHECK(cancelled.outcome == CB_CANCELLED);
    SAYS(cancelled.message, "at 3");
}

static cb_http_request asked;

static bool answer(const cb_http_request *request, cb_http_response *response) {
    static cb_header headers[2];
    asked = *request;
    headers[0] = (cb_header){cb_str("x-kin"), cb_str("no")};
    headers[1] = (cb_header){cb_str("x-kind"), cb_str("Answer")};
    if (cb_same(request->url, "late:")) return cb_test_refuse_http("timeout", "no answer");
    if (cb_same(request->url, "wrong:")) return cb_test_refuse_http("invalid-request", "no address");
    *response = (cb_http_response){404, headers, 2, cb_str("not here")};
    return true;
}

static cb_result ask(cb_json args) {
    const cb_header headers[] = {{cb_str("accept"), cb_str("text/plain")}};
    cb_http_request request = {
        .url = cb_json_string(args), .headers = headers, .header_count = 1, .timeout_ms = 10, .max_body = cb_same(cb_json_string(args), "large:") ? 7 : 8};
    cb_http_response response;
    if (!cb_http_send(&request, &response)) return cb_refused();
    cb_writer out = {0};
    cb_write_string(&out, cb_format("%d %d %.*s", response.status, cb_http_ok(&response), CB_SHOW(response.body)));
    CHECK(cb_same(cb_http_header(&response, "X-KIND"), "Answer") && !cb_http_header(&response, "x-kinds").ptr);
    return cb_output(&out);
}

static void the_web_is_asked(void) {
    cb_test_reset();
    the_job = ask;
    SAYS(cb_test_call("\"https://x.example\"").message, "GET https://x.example: the test has no cb_host.http");
    cb_host.http = answer;
    SAYS(cb_test_call("\"https://x.example\"").output, "\"404 0 not here\"");
    SAYS(cb_str(asked.method), "GET");
    CHECK(asked.timeout_ms == 10 && asked.header_count == 1);
    cb_result late = cb_test_call("\"late:\""), large = cb_test_call("\"large:\""), wrong = cb_test_call("\"wrong:\"");
    CHECK(late.outcome == CB_RETRY && large.outcome == CB_FATAL && wrong.outcome == CB_INVALID_ARGS);
    SAYS(late.code, "timeout");
    SAYS(large.code, "too-large");
    SAYS(cb_format("%.*s: %.*s", CB_SHOW(wrong.code), CB_SHOW(wrong.message)), "invalid-request: no address");

    const struct {
        const char *code;
        cb_outcome outcome;
    } kinds[] = {{"invalid-request", CB_INVALID_ARGS}, {"http-denied", CB_FATAL}, {"dns", CB_RETRY}, {"connect", CB_RETRY},
                 {"timeout", CB_RETRY}, {"tls", CB_RETRY}, {"too-large", CB_FATAL}, {"protocol", CB_RETRY}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        cb_test_refuse_http(kinds[i].code, "because");
        cb_result refused = cb_refused();
        check(refused.outcome == kinds[i].outcome && cb_same(refused.code, kinds[i].code), kinds[i].code, __LINE__);
    }
}

int main(void) {
    cb_test_reset();
    odd_values_are_text_and_json();
    the_host_of_tests_refuses_what_a_real_one_does();
    the_host_of_tests_knows_the_keys_of_the_manifest();
    json_is_read();
    json_is_written();
    arguments_are_checked();
    changes_go_with_a_failure();
    cancellation_is_seen();
    the_web_is_asked();
    printf("%d passed, 0 failed\n", passed);
    return 0;
}
