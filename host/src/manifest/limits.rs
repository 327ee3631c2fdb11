//! The key `limits` of a plugin: what one run may use up.

use std::time::Duration;

use clockbox_core::model::{Limits, format_duration, format_size};

use super::reader::Field;

/// One page of WebAssembly memory: less is of no use to any plugin.
const LEAST_MEMORY: u64 = 64 << 10;

/// Nothing at all: to see what a table itself says.
pub(super) const NONE: Limits = Limits {
    timeout: Duration::ZERO,
    cancel_grace: Duration::ZERO,
    memory: 0,
    fuel: None,
    log: 0,
    output: 0,
};

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
            field.error(format!("{memory} bytes are too little for any plugin"), Some(hint.to_owned()));
        } else {
            limits.memory = memory;
        }
    }
    if let Some(fuel) = table.field("fuel").and_then(|field| field.whole(1..=i64::MAX)) {
        limits.fuel = u64::try_from(fuel).ok();
    }
    if let Some(log) = table.field("log").and_then(|field| field.size("256KiB")) {
        limits.log = log;
    }
    if let Some(output) = table.field("output").and_then(|field| field.size("64KiB")) {
        limits.output = output;
    }
    table.finish(&[
        ("cpu", "a budget of computation is called fuel"),
        ("mem", "the key is memory"),
        ("stdout", "stdout and stderr count as log"),
        ("max_instances", "that is the job's or the pool's"),
        ("state", "there is no limit of state yet"),
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
        log: wanted.log.min(given.log),
        output: wanted.output.min(given.output),
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
    ] {
        if wanted > given {
            missing.push(format!("{name} {} ({} given)", format_size(wanted), format_size(given)));
        }
    }
    missing
}
