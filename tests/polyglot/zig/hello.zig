//! The smallest job, over the SDK of C.
const cb = @import("clockbox.zig"); // made of clockbox.h, by zig translate-c

export fn clockbox_run(args: cb.cb_json) cb.cb_result {
    var name: cb.cb_text = undefined;
    const fields = [_]cb.cb_field{.{ .name = "name", .kind = cb.CB_STRING, .into = &name, .need = cb.CB_REQUIRED }};
    var refused: cb.cb_result = undefined;
    if (!cb.cb_read_args(args, &fields, fields.len, &refused)) return refused;
    var out = cb.cb_writer{ .ptr = null, .len = 0, .room = 0, .comma = false };
    cb.cb_write_string(&out, cb.cb_format("hello %.*s", @as(c_int, @intCast(name.len)), name.ptr));
    return cb.cb_output(&out);
}
