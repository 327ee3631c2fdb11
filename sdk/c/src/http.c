/* What a response says. */
#include "internal.h"

#include <strings.h>

cb_text cb_http_header(const cb_http_response *response, const char *name) {
    for (size_t i = 0; i < response->header_count; i++) {
        cb_text key = response->headers[i].name;
        if (strncasecmp(key.ptr, name, key.len) == 0 && !name[key.len]) return response->headers[i].value;
    }
    return (cb_text){NULL, 0};
}

bool cb_http_ok(const cb_http_response *response) { return response->status >= 200 && response->status < 300; }

bool cb_is_request(const cb_http_request *request) {
    if (!cb_is_sound(CB_OF_HTTP, cb_str(request->method)) || !cb_is_sound(CB_OF_HTTP, request->url)) return false;
    for (size_t i = 0; i < request->header_count; i++)
        if (!cb_is_sound(CB_OF_HTTP, request->headers[i].name) || !cb_is_sound(CB_OF_HTTP, request->headers[i].value)) return false;
    return true;
}
