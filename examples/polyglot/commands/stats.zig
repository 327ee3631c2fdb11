//! An ordinary command: least, mean and greatest of numbers. Its arguments are JSON on standard input.
const std = @import("std");

pub fn main(init: std.process.Init) !void {
    const arena = init.arena.allocator();
    var buffer: [1024]u8 = undefined;
    var stdin = std.Io.File.stdin().readerStreaming(init.io, &buffer);
    const text = try stdin.interface.allocRemaining(arena, .unlimited);
    const numbers = std.json.parseFromSliceLeaky([]const f64, arena, text, .{}) catch &.{};
    if (numbers.len == 0) {
        std.debug.print("args: expected a list of numbers\n", .{});
        std.process.exit(2);
    }
    var sum: f64 = 0;
    for (numbers) |number| sum += number;
    var said: std.ArrayList(u8) = .empty;
    try said.print(arena, "{{\"least\":{d},\"mean\":{d},\"greatest\":{d}}}\n", .{
        std.mem.min(f64, numbers), sum / @as(f64, @floatFromInt(numbers.len)), std.mem.max(f64, numbers),
    });
    try std.Io.File.stdout().writeStreamingAll(init.io, said.items);
}
