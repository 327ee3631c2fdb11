//! What a trap means, in words for whoever finds it in the record of a run.

use std::borrow::Cow;

use clockbox_core::model::{Limits, format_size};
use wasmtime::{ThrownException, Trap};

use crate::wasi::MOST_RANDOM;

/// The call stack of a guest whose limits name none, in bytes.
const USUAL_STACK: u64 = 512 << 10;

/// What the engine says of a call that hands over too much; its type for that is private.
const HOST_CALL: &str = "fuel allocated for hostcalls";
/// What it says when components hold too many handles.
const HANDLES: &str = "store handle limit exceeded";

/// What its WASI says of a call for too many random bytes, between "requested len N" and the limit.
const RANDOM: &str = "exceeds limit";

/// How many handles components may have between them for each one of `limits.handles`: what one lends to another counts again,
/// and so do resources of their own making, which take nothing of the host's.
const HANDLES_EACH: usize = 10;

/// The most handles that the components of one run may hold at one time.
pub(crate) fn component_handles(limits: &Limits) -> usize {
    (limits.handles as usize).saturating_mul(HANDLES_EACH)
}

/// What a trap means. Where a limit has to do with it, its value and its name are told.
pub(crate) fn words(trap: Trap, limits: &Limits) -> Cow<'static, str> {
    let text = match trap {
        Trap::UnreachableCodeReached => {
            "the guest gave up: it panicked, aborted or reached an `unreachable` instruction"
        }
        Trap::StackOverflow => {
            return format!(
                "the guest's call stack overflowed its limit of {}: it calls itself without end, or needs more (raise limits.stack)",
                format_size(limits.stack.unwrap_or(USUAL_STACK))
            )
            .into();
        }
        Trap::OutOfFuel => {
            let fuel = limits.fuel.unwrap_or_default();
            return format!("the guest used up its fuel of {fuel} (raise limits.fuel)").into();
        }
        Trap::Interrupt => "the guest was interrupted by its host",
        Trap::MemoryOutOfBounds => {
            "the guest accessed memory out of bounds: a bad pointer or index, or an overflow of the stack that it keeps in its own memory"
        }
        Trap::HeapMisaligned => "the guest used an atomic operation on an address that is not aligned",
        Trap::AtomicWaitNonSharedMemory => {
            "the guest waited for a change of memory that no other thread shares, and would have waited for ever"
        }
        Trap::TableOutOfBounds => {
            "the guest used a function pointer or table index beyond the end of its table"
        }
        Trap::IndirectCallToNull => "the guest called a null function pointer",
        Trap::BadSignature => {
            "the guest called a function pointer as if it had another type: parameters or result do not fit"
        }
        Trap::IntegerOverflow => {
            "an integer overflowed in the guest: a quotient, or a number that was converted, does not fit its type"
        }
        Trap::IntegerDivisionByZero => "the guest divided an integer by zero",
        Trap::BadConversionToInteger => "the guest converted NaN, which is no number, to an integer",
        Trap::NullReference => "the guest used a null reference",
        Trap::CastFailure => "the guest cast a reference to a type that it does not have",
        Trap::ArrayOutOfBounds => "the guest used an index beyond the end of an array",
        Trap::AllocationTooLarge => {
            "the guest asked for an object that is larger than any can be, whatever its limits: a bad length"
        }
        Trap::UncaughtException => "the guest threw an exception that nothing in it caught",
        Trap::UnhandledTag => "the guest suspended itself for a handler that does not exist",
        Trap::ContinuationAlreadyConsumed => "the guest resumed a continuation for a second time",
        Trap::DisabledOpcode => "the guest reached an instruction that the engine does not have",
        Trap::CannotEnterComponent => {
            "a component of the guest was called while it was not to be: by the one that it is part of, from a call that it is still in, or after it trapped"
        }
        Trap::CannotLeaveComponent => {
            "the guest called out while it was not to: from its allocator or its clean-up after an answer"
        }
        Trap::InvalidChar => "a component of the guest handed over a character that Unicode does not have",
        Trap::InvalidDiscriminant => {
            "a component of the guest handed over a case of a variant that does not exist"
        }
        Trap::StringOutOfBounds => {
            "a component of the guest handed over a text that lies beyond the end of its memory"
        }
        Trap::ListOutOfBounds => {
            "a component of the guest handed over a list that lies beyond the end of its memory"
        }
        Trap::UnalignedPointer => "a component of the guest handed over a pointer that is not aligned",
        Trap::DebugAssertStringEncodingFinished
        | Trap::DebugAssertEqualCodeUnits
        | Trap::DebugAssertPointerAligned
        | Trap::DebugAssertUpperBitsUnset => {
            return format!("the engine's own check of what components hand over failed: {}", bare(trap))
                .into();
        }
        Trap::NoAsyncResult
        | Trap::AsyncDeadlock
        | Trap::CannotBlockSyncTask
        | Trap::TaskCancelNotCancelled
        | Trap::TaskCancelOrReturnTwice
        | Trap::SubtaskCancelAfterTerminal
        | Trap::TaskReturnInvalid
        | Trap::WaitableSetDropHasWaiters
        | Trap::SubtaskDropNotResolved
        | Trap::ThreadNewIndirectInvalidType
        | Trap::ThreadNewIndirectUninitialized
        | Trap::BackpressureOverflow
        | Trap::UnsupportedCallbackCode
        | Trap::CannotResumeThread
        | Trap::ConcurrentFutureStreamOp
        | Trap::ReferenceCountOverflow
        | Trap::StreamOpTooBig
        | Trap::WaitableSyncAndAsync => {
            return format!("the guest broke a rule of asynchronous calls: {}", bare(trap)).into();
        }
        // The engine may have more kinds some day; a test tells when it does.
        trap => return format!("{UNKNOWN}: {}", bare(trap)).into(),
    };
    text.into()
}

/// How the words for a trap begin that has none of its own.
const UNKNOWN: &str = "the guest trapped";

/// The engine's own words.
fn bare(trap: Trap) -> String {
    let text = trap.to_string();
    text.strip_prefix("wasm trap: ").unwrap_or(&text).to_owned()
}

/// The limit that a call of the host ran into, where it did.
pub(crate) fn limit(e: &wasmtime::Error, limits: &Limits) -> Option<String> {
    let said = e.root_cause().to_string();
    if said.contains(HOST_CALL) {
        return Some(format!(
            "it handed more than {} over in one call of the host (raise limits.host_call, which is never more than limits.memory)",
            format_size(limits.host_call.min(limits.memory))
        ));
    }
    if said.contains(HANDLES) {
        return Some(format!(
            "its components held {} handles at one time, {HANDLES_EACH} for each one of limits.handles (raise limits.handles)",
            component_handles(limits)
        ));
    }
    if said.starts_with("requested len") && said.contains(RANDOM) {
        return Some(format!(
            "it asked for more than {} of random bytes in one call, which no key raises; ask for less at a time",
            format_size(MOST_RANDOM)
        ));
    }
    None
}

/// What an error of the guest's means that is not a trap of its instructions: an exception, or something that it handed to
/// the host and that does not have the form that was agreed.
pub(crate) fn misfit(e: &wasmtime::Error) -> Option<String> {
    if e.is::<ThrownException>() {
        return Some("the guest threw an exception that nothing in it caught".to_owned());
    }
    let root = e.root_cause();
    let said = root.to_string();
    let what = if root.is::<std::str::Utf8Error>() {
        "a text that is not UTF-8"
    } else if root.is::<std::char::CharTryFromError>() {
        "a character that Unicode does not have"
    } else {
        MISFITS.iter().find(|(part, _)| said.contains(part))?.1
    };
    Some(format!("the guest handed over {what}: {said}"))
}

/// Parts of what the engine says of what is handed over, for which it has no types.
const MISFITS: [(&str, &str); 12] = [
    ("discriminant", "a case of a variant that does not exist"),
    ("string pointer/length out of bounds", "a text that lies beyond the end of its memory"),
    ("list pointer/length out of bounds", "a list that lies beyond the end of its memory"),
    ("beyond end of memory", "memory for what it was to receive that lies beyond its end"),
    ("pointer out of bounds", "a pointer beyond the end of its memory"),
    ("not aligned", "a pointer that is not aligned"),
    ("unknown handle index", "a handle that it does not hold"),
    ("is not a resource", "a handle that stands for something else"),
    ("is not an own resource", "a handle that it was only lent"),
    ("resource type", "a handle of another kind"),
    ("already consumed", "a handle that it has given away"),
    ("while borrowed", "a handle that is still in use"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_trap_has_words_of_its_own() {
        let limits = Limits { fuel: Some(7), ..Limits::default() };
        let mut seen = HashMap::new();
        let all: Vec<_> = (0..=u8::MAX).filter_map(Trap::from_u8).collect();
        assert!(all.len() > 40, "the engine tells {} kinds apart", all.len());
        for trap in all {
            let words = words(trap, &limits).into_owned();
            assert!(!words.starts_with(UNKNOWN), "{trap:?} is new to this table");
            assert!(!words.contains("wasm trap"), "{words}");
            if let Some(other) = seen.insert(words, trap) {
                panic!("{trap:?} and {other:?} have the same words");
            }
        }
    }

    #[test]
    fn limits_are_named_with_their_value() {
        let limits = Limits { fuel: Some(7), stack: Some(2 << 20), ..Limits::default() };
        let text = words(Trap::StackOverflow, &limits);
        assert!(text.contains("2.0 MiB") && text.contains("limits.stack"), "{text}");
        let text = words(Trap::StackOverflow, &Limits::default());
        assert!(text.contains("512.0 KiB"), "{text}");
        let text = words(Trap::OutOfFuel, &limits);
        assert!(text.contains("of 7 ") && text.contains("limits.fuel"), "{text}");
    }
}
