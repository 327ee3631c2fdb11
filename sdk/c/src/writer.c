/* Writing JSON. */
#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void put(cb_writer *out, const char *ptr, size_t len) {
    if (out->len + len > out->room) {
        out->room = (out->len + len) * 2 + 64;
        out->ptr = realloc(out->ptr, out->room);
        if (!out->ptr) abort();
    }
    memcpy(out->ptr + out->len, ptr, len);
    out->len += len;
}

static void begin(cb_writer *out) {
    if (out->comma) put(out, ",", 1);
    out->comma = true;
}

static void plain(cb_writer *out, cb_text text) {
    begin(out);
    put(out, text.ptr, text.len);
}

void cb_write_null(cb_writer *out) { plain(out, cb_str("null")); }
void cb_write_bool(cb_writer *out, bool value) { plain(out, cb_str(value ? "true" : "false")); }
void cb_write_integer(cb_writer *out, int64_t value) { plain(out, cb_format("%lld", (long long)value)); }
void cb_write_json(cb_writer *out, cb_json value) { plain(out, value.text); }

/* JSON has no infinity and nothing that is not a number: those are null. */
void cb_write_number(cb_writer *out, double value) { isfinite(value) ? plain(out, cb_format("%.17g", value)) : cb_write_null(out); }

static void quoted(cb_writer *out, cb_text value) {
    put(out, "\"", 1);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char byte = (unsigned char)value.ptr[i];
        if (byte == '"' || byte == '\\') put(out, "\\", 1);
        if (byte >= 0x20) {
            put(out, &value.ptr[i], 1);
        } else {
            cb_text escaped = cb_format("\\u%04x", byte);
            put(out, escaped.ptr, escaped.len);
        }
    }
    put(out, "\"", 1);
}

void cb_write_string(cb_writer *out, cb_text value) {
    begin(out);
    quoted(out, cb_clean(value));
}

void cb_write_key(cb_writer *out, const char *key) {
    cb_write_string(out, cb_str(key));
    put(out, ":", 1);
    out->comma = false;
}

void cb_write_open(cb_writer *out, char bracket) {
    begin(out);
    put(out, &bracket, 1);
    out->comma = false;
}

void cb_write_close(cb_writer *out, char bracket) {
    put(out, &bracket, 1);
    out->comma = true;
}
