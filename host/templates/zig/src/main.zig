//! Greets somebody: a WASI command. Its arguments are JSON on standard input; what it prints is in the run's log.
const std = @import("std");

const Args = struct {
    name: []const u8,
    times: u8 = 1,
};

pub fn main(init: std.process.Init) !void {
    const arena = init.arena.allocator();
    var buffer: [1024]u8 = undefined;
    var stdin = std.Io.File.stdin().readerStreaming(init.io, &buffer);
    const text = try stdin.interface.allocRemaining(arena, .unlimited);
    const args = parse(arena, text) catch |err| {
        std.debug.print("args: {t}: expected {{ \"name\": \"…\", \"times\": 1 }}\n", .{err});
        std.process.exit(2);
    };
    try std.Io.File.stdout().writeStreamingAll(init.io, try greet(arena, args));
}

fn parse(arena: std.mem.Allocator, text: []const u8) !Args {
    return std.json.parseFromSliceLeaky(Args, arena, text, .{});
}

fn greet(arena: std.mem.Allocator, args: Args) ![]const u8 {
    var all: std.ArrayList(u8) = .empty;
    for (0..args.times) |_| try all.print(arena, "hello {s}\n", .{args.name});
    return all.items;
}

test "it greets" {
    var arena = std.heap.ArenaAllocator.init(std.testing.allocator);
    defer arena.deinit();
    const args = try parse(arena.allocator(), "{ \"name\": \"Ada\", \"times\": 2 }");
    try std.testing.expectEqualStrings("hello Ada\nhello Ada\n", try greet(arena.allocator(), args));
}

test "it is not run without a name" {
    var arena = std.heap.ArenaAllocator.init(std.testing.allocator);
    defer arena.deinit();
    try std.testing.expectError(error.MissingField, parse(arena.allocator(), "{}"));
}
