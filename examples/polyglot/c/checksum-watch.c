/* Watches the files of a folder by their SHA-256: its output is what was added, changed and removed since the last run. */
#include "clockbox.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    uint32_t hash[8];
    uint8_t block[64];
    uint64_t bytes;
} sha256;

static const uint32_t ROUNDS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turned(uint32_t value, int by) { return value >> by | value << (32 - by); }

static void mix(sha256 *sum) {
    uint32_t w[64], h[8];
    for (int i = 0; i < 16; i++) {
        const uint8_t *p = sum->block + 4 * i;
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t a = turned(w[i - 15], 7) ^ turned(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t b = turned(w[i - 2], 17) ^ turned(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    memcpy(h, sum->hash, sizeof h);
    for (int i = 0; i < 64; i++) {
        uint32_t a = h[7] + (turned(h[4], 6) ^ turned(h[4], 11) ^ turned(h[4], 25)) + ((h[4] & h[5]) ^ (~h[4] & h[6])) + ROUNDS[i] + w[i];
        uint32_t b = (turned(h[0], 2) ^ turned(h[0], 13) ^ turned(h[0], 22)) + ((h[0] & h[1]) ^ (h[0] & h[2]) ^ (h[1] & h[2]));
        memmove(h + 1, h, 7 * sizeof *h);
        h[4] += a;
        h[0] = a + b;
    }
    for (int i = 0; i < 8; i++) sum->hash[i] += h[i];
}

static void add(sha256 *sum, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        sum->block[sum->bytes++ % 64] = bytes[i];
        if (sum->bytes % 64 == 0) mix(sum);
    }
}

static cb_text end(sha256 *sum) {
    uint64_t bits = sum->bytes * 8;
    add(sum, (const uint8_t[]){0x80}, 1);
    while (sum->bytes % 64 != 56) add(sum, (const uint8_t[]){0}, 1);
    for (int shift = 56; shift >= 0; shift -= 8) add(sum, (const uint8_t[]){(uint8_t)(bits >> shift)}, 1);
    cb_text hex = cb_str("");
    for (int i = 0; i < 8; i++) hex = cb_format("%.*s%08x", CB_SHOW(hex), (unsigned)sum->hash[i]);
    return hex;
}

/* False, with errno, where the file cannot be read. */
static bool checksum(const char *path, cb_text *hex) {
    sha256 sum = {.hash = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
    static uint8_t buffer[65536];
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    for (size_t count; (count = fread(buffer, 1, sizeof buffer, file)) > 0;) add(&sum, buffer, count);
    bool read = !ferror(file);
    fclose(file);
    if (read) *hex = end(&sum);
    return read;
}

typedef struct {
    cb_writer added, changed;
    cb_text *seen;
    size_t files;
} look;

/* Each file's sum is kept under its path. False ends the run; `failed` is what to return then. */
static bool watch(const char *folder, look *found, cb_result *failed) {
    DIR *dir = opendir(folder);
    if (!dir) return *failed = cb_retry("unreadable", "%s: %s", folder, strerror(errno)), false;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        cb_text path = cb_format("%s/%s", folder, entry->d_name);
        char *name = strndup(path.ptr, path.len);
        struct stat about;
        cb_text now, before;
        if (cb_is_cancelled()) return *failed = cb_cancelled("after %zu files", found->files), false;
        if (lstat(name, &about)) return *failed = cb_retry("unreadable", "%s: %s", name, strerror(errno)), false;
        if (S_ISDIR(about.st_mode) && !watch(name, found, failed)) return false;
        if (!S_ISREG(about.st_mode)) continue;
        if (!checksum(name, &now)) return *failed = cb_retry("unreadable", "%s: %s", name, strerror(errno)), false;
        if (!cb_state_get(name, &before)) return *failed = cb_refused(), false;
        found->seen = realloc(found->seen, (found->files + 1) * sizeof *found->seen);
        found->seen[found->files++] = path;
        if (before.ptr && before.len == now.len && !memcmp(before.ptr, now.ptr, now.len)) continue;
        cb_log_with(before.ptr ? CB_WARN : CB_INFO, before.ptr ? "changed" : "added", "file", name, NULL);
        cb_write_string(before.ptr ? &found->changed : &found->added, path);
        if (!cb_state_set(name, now, 0)) return *failed = cb_refused(), false;
    }
    closedir(dir);
    return true;
}

static void write_list(cb_writer *out, const char *key, cb_writer *list) {
    cb_json value;
    cb_write_close(list, ']');
    cb_write_key(out, key);
    if (cb_json_parse((cb_text){list->ptr, list->len}, &value)) cb_write_json(out, value);
}

cb_result clockbox_run(cb_json args) {
    cb_text folder, *keys;
    const cb_field fields[] = {{"folder", CB_STRING, &folder, CB_REQUIRED}};
    cb_result failed;
    look found = {0};
    cb_writer removed = {0}, out = {0};
    size_t count;
    if (!cb_read_args(args, fields, 1, &failed)) return failed;
    cb_write_open(&found.added, '[');
    cb_write_open(&found.changed, '[');
    cb_write_open(&removed, '[');
    if (!watch(strndup(folder.ptr, folder.len), &found, &failed)) return failed;

    if (!cb_state_keys("", &keys, &count)) return cb_refused();
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < found.files && (found.seen[at].len != keys[i].len || memcmp(found.seen[at].ptr, keys[i].ptr, keys[i].len))) at++;
        if (at < found.files) continue;
        char *name = strndup(keys[i].ptr, keys[i].len);
        bool had;
        cb_log_with(CB_WARN, "removed", "file", name, NULL);
        cb_write_string(&removed, keys[i]);
        if (!cb_state_delete(name, &had)) return cb_refused();
    }

    cb_write_open(&out, '{');
    cb_write_key(&out, "files");
    cb_write_integer(&out, (int64_t)found.files);
    write_list(&out, "added", &found.added);
    write_list(&out, "changed", &found.changed);
    write_list(&out, "removed", &removed);
    cb_write_close(&out, '}');
    return cb_output(&out);
}
