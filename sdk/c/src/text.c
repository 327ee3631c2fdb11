/* Text for the host, which takes nothing but UTF-8: what is not would end the run. */
#include "internal.h"

#include <string.h>

/* The length of the character that text begins with; 0 where it is none. */
static size_t character(const unsigned char *at, size_t left) {
    if (at[0] < 0x80) return 1;
    size_t len = at[0] < 0xC2 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : at[0] < 0xF5 ? 4 : 0;
    if (len == 0 || len > left) return 0;
    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    /* What would fit a shorter form, halves of pairs, and what is beyond the last character. */
    bool out = (at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] >= 0xA0) || (at[0] == 0xF0 && at[1] < 0x90) ||
               (at[0] == 0xF4 && at[1] >= 0x90);
    return out ? 0 : len;
}

bool cb_is_utf8(cb_text text) {
    for (size_t i = 0, len; i < text.len; i += len)
        if (!(len = character((const unsigned char *)text.ptr + i, text.len - i))) return false;
    return true;
}

cb_text cb_clean(cb_text text) {
    if (cb_is_utf8(text)) return text;
    char *clean = cb_room(text.len * 3), *out = clean;
    for (size_t i = 0; i < text.len;) {
        size_t len = character((const unsigned char *)text.ptr + i, text.len - i);
        memcpy(out, len ? text.ptr + i : "\xEF\xBF\xBD", len ? len : 3);
        out += len ? len : 3;
        i += len ? len : 1;
    }
    return (cb_text){clean, (size_t)(out - clean)};
}

bool cb_is_sound(cb_interface interface, cb_text text) {
    /* Of state a key, of jobs a name or JSON, of HTTP a part of the request. */
    static const uint8_t INVALID[] = {[CB_OF_STATE] = 1, [CB_OF_JOBS] = 3, [CB_OF_HTTP] = 0};
    if (cb_is_utf8(text)) return true;
    return cb_refuse(interface, INVALID[interface], cb_format("\"%.*s\" is not UTF-8", CB_SHOW(cb_clean(text))));
}
