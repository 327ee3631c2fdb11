//! The key `limits` of a plugin: what one run may use up.

use std::time::Duration;

use clockbox_core::model::{Limits, format_duration, format_size};

use super::reader::Field;

/// One page of WebAssembly memory: less is of no use to any plugin.
const LEAST_MEMORY: u64 = 64 << 10;
/// The standard streams and folders are handles too, before a guest does anything.
const LEAST_HANDLES: u32 = 16;

/// Nothing at all: to see what a table itself says.
pub(super) const NONE: Limits = Limits {
    timeout: Duration::ZERO,
    cancel_grace: Duration::ZERO,
    memory: 0,
    fuel: None,
    stack: None,
    log: 0,
    output: 0,
    state: 0,
    response: 0,
    handles: 0,
    host_call: 0,
};

/// What the engine gives where nothing is said.
const USUAL_STACK: u64 = 512 << 10;
/// The least and the most that the engine can give: a run's own stack of native code has to hold it.
const STACKS: std::ops::RangeInclusive<u64> = 64 << 10..=8 << 20;

/// Reads `limits` over `base`.
pub(super) fn read(field: &Field<'_>, base: &Limits) -> Limits {
    let mut limits = base.clone();
    let Some(table) = field.table("{ timeout = \"30s\", memory = \"64MiB\" }") else { return limits };
    if let Some(timeout) = table.field("timeout").and_then(|field| field.duration("30s")) {
        limits.timeout = timeout;
    }
    if let Some(grace) = table.field("cancel_grace").and_then(|field| field.duration_or_zero("5s")) {
        limits.cancel_grace = grace;
    }
    if let Some(field) = table.field("memory")
        && let Some(memory) = field.size("64MiB")
    {
        if memory < LEAST_MEMORY {
            let hint = "write a unit as in \"64MiB\"; a plain number is bytes";
            field.error(
                format!("{} is too little memory for any plugin", format_size(memory)),
                Some(hint.to_owned()),
            );
        } else {
            limits.memory = memory;
        }
    }
    if let Some(fuel) = table.field("fuel").and_then(|field| field.whole(1..=i64::MAX)) {
        limits.fuel = u64::try_from(fuel).ok();
    }
    if let Some(field) = table.field("stack")
        && let Some(stack) = field.size("1MiB")
    {
        if STACKS.contains(&stack) {
            limits.stack = Some(stack);
        } else {
            let hint = "write for instance \"1MiB\"; without the key it is 512 KiB";
            field.error("a stack has from 64 KiB to 8 MiB", Some(hint.to_owned()));
        }
    }
    for (key, example, limit) in [
        ("log", "256KiB", &mut limits.log),
        ("output", "64KiB", &mut limits.output),
        ("state", "1MiB", &mut limits.state),
        ("response", "64MiB", &mut limits.response),
        ("host_call", "128MiB", &mut limits.host_call),
    ] {
        if let Some(size) = table.field(key).and_then(|field| field.size(example)) {
            *limit = size;
        }
    }
    if let Some(handles) = table.field("handles").and_then(|field| field.count(LEAST_HANDLES)) {
        limits.handles = handles;
    }
    table.finish(&[
        ("cpu", "a budget of computation is called fuel"),
        ("mem", "the key is memory"),
        ("stdout", "stdout and stderr count as log"),
        ("max_instances", "that is the job's or the pool's"),
        ("open_files", "files, streams and sockets count as handles"),
        ("resources", "files, streams and sockets count as handles"),
        ("http", "the size of a response is response; times stand in the plugin's http table"),
    ]);
    limits
}

/// The lower of both in every part: a plugin's own description can lower its limits, never raise them.
pub(super) fn lower(wanted: &Limits, given: &Limits) -> Limits {
    Limits {
        timeout: wanted.timeout.min(given.timeout),
        cancel_grace: wanted.cancel_grace.min(given.cancel_grace),
        memory: wanted.memory.min(given.memory),
        fuel: wanted.fuel.into_iter().chain(given.fuel).min(),
        stack: wanted.stack.into_iter().chain(given.stack).min(),
        log: wanted.log.min(given.log),
        output: wanted.output.min(given.output),
        state: wanted.state.min(given.state),
        response: wanted.response.min(given.response),
        handles: wanted.handles.min(given.handles),
        host_call: wanted.host_call.min(given.host_call),
    }
}

/// Where `wanted` goes beyond `given`, in words such as `memory 1.0 GiB (128.0 MiB given)`.
pub(super) fn beyond(wanted: &Limits, given: &Limits) -> Vec<String> {
    let mut missing = Vec::new();
    for (name, wanted, given) in [
        ("timeout", wanted.timeout, given.timeout),
        ("cancel_grace", wanted.cancel_grace, given.cancel_grace),
    ] {
        if wanted > given {
            missing.push(format!("{name} {} ({} given)", format_duration(wanted), format_duration(given)));
        }
    }
    for (name, wanted, given) in [
        ("memory", wanted.memory, given.memory),
        ("log", wanted.log, given.log),
        ("output", wanted.output, given.output),
        ("state", wanted.state, given.state),
        ("response", wanted.response, given.response),
        ("host_call", wanted.host_call, given.host_call),
        ("stack", wanted.stack.unwrap_or_default(), given.stack.unwrap_or(USUAL_STACK)),
    ] {
        if wanted > given {
            missing.push(format!("{name} {} ({} given)", format_size(wanted), format_size(given)));
        }
    }
    if wanted.handles > given.handles {
        missing.push(format!("handles {} ({} given)", wanted.handles, given.handles));
    }
    missing
}
