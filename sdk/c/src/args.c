/* Arguments into variables. */
#include "internal.h"

#include <string.h>

static const char *const EXPECTED[] = {
    [CB_NULL] = "null",      [CB_BOOL] = "true or false", [CB_NUMBER] = "a number",    [CB_STRING] = "a string",
    [CB_LIST] = "a list",    [CB_OBJECT] = "an object",   [CB_INTEGER] = "an integer", [CB_ANY] = "anything",
};

static cb_result wrong(const char *where, cb_kind expected, cb_json found) {
    if (found.text.len > 60) return cb_invalid_args("%s: expected %s, found %s", where, EXPECTED[expected], EXPECTED[found.kind]);
    return cb_invalid_args("%s: expected %s, found %.*s", where, EXPECTED[expected], CB_SHOW(found.text));
}

static bool read(const cb_field *field, cb_json value) {
    if (field->kind == CB_ANY) {
        *(cb_json *)field->into = value;
        return true;
    }
    if (field->kind == CB_INTEGER) return value.kind == CB_NUMBER && cb_json_integer(value, field->into);
    if (field->kind != value.kind) return false;
    switch (value.kind) {
        case CB_BOOL: *(bool *)field->into = cb_same(value.text, "true"); break;
        case CB_NUMBER: *(double *)field->into = cb_json_number(value); break;
        case CB_STRING: *(cb_text *)field->into = cb_json_string(value); break;
        default: *(cb_json *)field->into = value;
    }
    return true;
}

static cb_result unknown(cb_text key, const cb_field *fields, size_t count) {
    cb_text known = cb_str(count ? "" : "there are none");
    for (size_t i = 0; i < count; i++) known = cb_format("%.*s%s%s", CB_SHOW(known), i ? ", " : "", fields[i].name);
    return cb_invalid_args("args.%.*s: unknown; known are: %.*s", CB_SHOW(key), CB_SHOW(known));
}

bool cb_read_args(cb_json args, const cb_field *fields, size_t count, cb_result *refused) {
    if (args.kind == CB_NULL) cb_json_parse(cb_str("{}"), &args);
    if (args.kind != CB_OBJECT) {
        *refused = wrong("args", CB_OBJECT, args);
        return false;
    }
    cb_text key;
    cb_json value;
    for (size_t at = 0; cb_json_next(args, &at, &key, &value);) {
        size_t i = 0;
        while (i < count && !cb_same(key, fields[i].name)) i++;
        if (i == count) {
            *refused = unknown(key, fields, count);
            return false;
        }
        if (!read(&fields[i], value)) {
            *refused = wrong(cb_format("args.%s", fields[i].name).ptr, fields[i].kind, value);
            return false;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].need == CB_REQUIRED && !cb_json_get(args, fields[i].name, &value)) {
            *refused = cb_invalid_args("args.%s: missing", fields[i].name);
            return false;
        }
    }
    return true;
}
