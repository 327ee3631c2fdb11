/* What the files of this folder share. */
#ifndef CLOCKBOX_INTERNAL_H
#define CLOCKBOX_INTERNAL_H

#include "clockbox.h"

void *cb_room(size_t size); /* or the run ends */

/* Names and values of a log line. */
typedef struct {
    cb_text key, value;
} cb_pair;
void cb_host_progress(uint64_t done, uint64_t total, cb_text note);
void cb_host_log(cb_level level, cb_text message, const cb_pair *fields, size_t count);

/* Keeps what a call was refused with, by the case of its interface's error; gives false. */
typedef enum { CB_OF_STATE, CB_OF_JOBS, CB_OF_HTTP } cb_interface;
bool cb_refuse(cb_interface interface, uint8_t reason, cb_text message);

bool cb_is_utf8(cb_text text);
cb_text cb_clean(cb_text text);                          /* with U+FFFD for what is not UTF-8 */
bool cb_is_sound(cb_interface interface, cb_text text); /* UTF-8; else the call is refused */

bool cb_is_request(const cb_http_request *request); /* all of it is UTF-8; else the call is refused */

/* Text in, function, result. */
cb_result cb_call(cb_text args);

#endif
