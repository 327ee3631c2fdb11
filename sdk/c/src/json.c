/* JSON as pieces of text: nothing is copied until somebody asks what a string says. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 128 };

typedef struct {
    const char *at, *end;
} cursor;

static bool value_at(cursor *c, cb_json *value, int depth);

static void blank(cursor *c) {
    while (c->at < c->end && strchr(" \t\r\n", *c->at) && *c->at) c->at++;
}

static bool take(cursor *c, char wanted) {
    blank(c);
    if (c->at == c->end || *c->at != wanted) return false;
    c->at++;
    return true;
}

static bool word(cursor *c, const char *text) {
    size_t len = strlen(text);
    if ((size_t)(c->end - c->at) < len || memcmp(c->at, text, len) != 0) return false;
    c->at += len;
    return true;
}

static int hex(const char *at, const char *end) {
    int code = 0;
    if (end - at < 4) return -1;
    for (int i = 0; i < 4; i++) {
        char h = at[i];
        int digit = h >= '0' && h <= '9' ? h - '0' : h >= 'a' && h <= 'f' ? h - 'a' + 10 : h >= 'A' && h <= 'F' ? h - 'A' + 10 : -1;
        if (digit < 0) return -1;
        code = code * 16 + digit;
    }
    return code;
}

static bool string_at(cursor *c) {
    if (!take(c, '"')) return false;
    while (c->at < c->end) {
        unsigned char next = (unsigned char)*c->at++;
        if (next == '"') return true;
        if (next < 0x20) return false;
        if (next != '\\') continue;
        if (c->at == c->end || !*c->at) return false;
        char escaped = *c->at++;
        if (escaped == 'u') {
            if (hex(c->at, c->end) < 0) return false;
            c->at += 4;
        } else if (!strchr("\"\\/bfnrt", escaped)) {
            return false;
        }
    }
    return false;
}

static bool digits(cursor *c) {
    const char *start = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') c->at++;
    return c->at > start;
}

static bool number_at(cursor *c) {
    if (*c->at == '-') c->at++;
    const char *first = c->at;
    if (!digits(c) || (*first == '0' && c->at > first + 1)) return false;
    if (c->at < c->end && *c->at == '.') {
        c->at++;
        if (!digits(c)) return false;
    }
    if (c->at < c->end && (*c->at == 'e' || *c->at == 'E')) {
        c->at++;
        if (c->at < c->end && (*c->at == '+' || *c->at == '-')) c->at++;
        if (!digits(c)) return false;
    }
    return true;
}

static bool container_at(cursor *c, char close, int depth) {
    cb_json item;
    c->at++;
    if (take(c, close)) return true;
    do {
        blank(c);
        if (close == '}' && !(string_at(c) && take(c, ':'))) return false;
        if (!value_at(c, &item, depth + 1)) return false;
    } while (take(c, ','));
    return take(c, close);
}

static bool value_at(cursor *c, cb_json *value, int depth) {
    blank(c);
    if (c->at == c->end || depth > DEEPEST) return false;
    const char *start = c->at;
    bool fits;
    switch (*start) {
        case '{': value->kind = CB_OBJECT; fits = container_at(c, '}', depth); break;
        case '[': value->kind = CB_LIST; fits = container_at(c, ']', depth); break;
        case '"': value->kind = CB_STRING; fits = string_at(c); break;
        case 'n': value->kind = CB_NULL; fits = word(c, "null"); break;
        case 't': value->kind = CB_BOOL; fits = word(c, "true"); break;
        case 'f': value->kind = CB_BOOL; fits = word(c, "false"); break;
        default: value->kind = CB_NUMBER; fits = number_at(c);
    }
    value->text = (cb_text){start, (size_t)(c->at - start)};
    return fits;
}

bool cb_json_parse(cb_text text, cb_json *value) {
    cursor c = {text.ptr, text.ptr + text.len};
    if (!value_at(&c, value, 0)) return false;
    blank(&c);
    return c.at == c.end;
}

bool cb_json_next(cb_json container, size_t *at, cb_text *key, cb_json *value) {
    bool is_object = container.kind == CB_OBJECT;
    if (!is_object && container.kind != CB_LIST) return false;
    cursor c = {container.text.ptr + (*at ? *at : 1), container.text.ptr + container.text.len};
    if (*at) take(&c, ',');
    blank(&c);
    if (c.at + 1 >= c.end) return false;
    if (is_object) {
        const char *start = c.at;
        if (!string_at(&c)) return false;
        if (key) *key = cb_json_string((cb_json){CB_STRING, {start, (size_t)(c.at - start)}});
        take(&c, ':');
    }
    if (!value_at(&c, value, 0)) return false;
    *at = (size_t)(c.at - container.text.ptr);
    return true;
}

bool cb_json_get(cb_json object, const char *name, cb_json *value) {
    cb_text key;
    for (size_t at = 0; object.kind == CB_OBJECT && cb_json_next(object, &at, &key, value);)
        if (cb_same(key, name)) return true;
    return false;
}

static char *utf8(char *out, unsigned code) {
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xC0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *out++ = (char)(0xE0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3F));
        *out++ = (char)(0x80 | (code & 0x3F));
    } else {
        *out++ = (char)(0xF0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3F));
        *out++ = (char)(0x80 | (code >> 6 & 0x3F));
        *out++ = (char)(0x80 | (code & 0x3F));
    }
    return out;
}

static char *unescape(char *out, const char **at, const char *end) {
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    char escaped = *(*at)++;
    if (escaped != 'u') {
        const char *letter = strchr(letters, escaped);
        *out++ = letter ? meanings[letter - letters] : escaped;
        return out;
    }
    unsigned code = (unsigned)hex(*at, end);
    *at += 4;
    if (code >= 0xD800 && code < 0xE000) {
        /* Half of a pair: with its other half it is one character, alone it is none. */
        int low = code < 0xDC00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u' ? hex(*at + 2, end) : -1;
        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + ((unsigned)low - 0xDC00);
            *at += 6;
        } else {
            code = 0xFFFD;
        }
    }
    return utf8(out, code);
}

cb_text cb_json_string(cb_json value) {
    if (value.kind != CB_STRING) return (cb_text){NULL, 0};
    /* What it says is never longer than how it is written. */
    char *said = cb_room(value.text.len), *out = said;
    const char *at = value.text.ptr + 1, *end = value.text.ptr + value.text.len - 1;
    while (at < end) {
        if (*at == '\\') {
            at++;
            out = unescape(out, &at, end);
        } else {
            *out++ = *at++;
        }
    }
    return (cb_text){said, (size_t)(out - said)};
}

double cb_json_number(cb_json value) { return value.kind == CB_NUMBER ? strtod(cb_format("%.*s", CB_SHOW(value.text)).ptr, NULL) : 0; }

bool cb_json_integer(cb_json value, int64_t *integer) {
    if (value.kind != CB_NUMBER) return false;
    bool negative = value.text.ptr[0] == '-';
    uint64_t sum = 0;
    for (size_t i = negative; i < value.text.len; i++) {
        unsigned digit = (unsigned)value.text.ptr[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit, &sum)) return false;
    }
    if (sum > (uint64_t)INT64_MAX + negative) return false;
    *integer = negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return true;
}
