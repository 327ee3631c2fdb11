#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "not so: %s\n", what);
    exit(1);
}
#define CHECK(holds) check(holds, #holds)

int main(void) {
    cb_test_reset();
    cb_result result = cb_test_call("{\"name\": \"Ada\", \"times\": 2}");
    CHECK(result.outcome == CB_DONE && cb_same(result.output, "\"hello Ada, hello Ada\""));
    CHECK(cb_host.line_count == 1 && cb_same(cb_host.lines[0].text, "greeting Ada"));

    result = cb_test_call("null");
    CHECK(result.outcome == CB_INVALID_ARGS && cb_same(result.message, "args.name: missing"));
    puts("2 passed, 0 failed");
    return 0;
}
