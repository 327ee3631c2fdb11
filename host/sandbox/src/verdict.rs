//! From how a run ended to what is reported. Pure: what was seen goes in, the report comes out.

use std::{fmt::Write as _, time::Duration};

use clockbox_core::model::{Limits, Outcome, Report, RetryHint, format_duration, format_size};
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace, component::ResourceTableError};
use wasmtime_wasi::I32Exit;

use crate::{
    backtrace::render,
    bindings::clockbox::job::types::{Failure, JobError},
    error::LARGEST_TABLE,
    log::{Redactor, clean_lines},
    run::Answer,
    wasi::MOST_RANDOM,
};

/// The call stack of a guest whose limits say nothing of it: the engine's own default.
const USUAL_STACK: u64 = 512 << 10;
/// The longest reason of a guest's, in characters.
const LONGEST_REASON: usize = 4_000;
/// How much of a failure's code and of its message is looked at, in bytes.
const LOOKED_AT: usize = 64 << 10;

/// What the engine says of a call that hands over too much; its type for that is private, as are those of the next two.
const HOST_CALL: &str = "fuel allocated for hostcalls";
/// What it says when components hold too many handles.
const COMPONENT_HANDLES: &str = "store handle limit exceeded";
/// What its WASI says of a call for too many random bytes, between "requested len N" and the limit.
const RANDOM: &str = "exceeds limit";

/// How many handles components may have between them for each one of `limits.handles`: what one lends to another counts again,
/// and so do resources of their own making, which take nothing of the host's.
const HANDLES_EACH: usize = 10;

/// The most handles that the components of one run may hold at one time.
pub(crate) fn component_handles(limits: &Limits) -> usize {
    (limits.handles as usize).saturating_mul(HANDLES_EACH)
}

/// How a run ended.
pub(crate) enum End {
    Answered(wasmtime::Result<Answer>),
    TimedOut,
    /// Stopped at once.
    Killed,
    /// Asked to stop, and stopped when it had not done so in time.
    Outstayed,
}

/// What the run left behind.
pub(crate) struct Traces<'a> {
    pub(crate) limits: &'a Limits,
    /// Hides the plugin's secrets.
    pub(crate) redactor: &'a Redactor,
    /// Whether the instance was made before it ended.
    pub(crate) instantiated: bool,
    /// What the run would have held with the latest refused request for memory.
    pub(crate) denied: Option<u64>,
    /// The elements of a table that was refused for its size.
    pub(crate) table: Option<usize>,
    /// The first thing that the run was refused, and what would grant it.
    pub(crate) refusal: Option<String>,
    /// The last lines of stderr, oldest first.
    pub(crate) stderr: Vec<String>,
}

/// Judges a run.
pub(crate) fn verdict(end: End, traces: &Traces<'_>) -> Report {
    match end {
        End::Killed => never(Report::new(Outcome::Cancelled).because("it was stopped at once")),
        End::Outstayed => never(Report::new(Outcome::Cancelled).because(format!(
            "it did not end within {} of being asked to, and was stopped (limits.cancel_grace)",
            format_duration(traces.limits.cancel_grace)
        ))),
        End::TimedOut => Report::new(Outcome::TimedOut).because(format!(
            "did not end within its timeout of {} (limits.timeout)",
            format_duration(traces.limits.timeout)
        )),
        End::Answered(Ok(Answer::Job(Ok(output)))) => succeeded(output, traces),
        End::Answered(Ok(Answer::Job(Err(e)))) => job_error(e, traces),
        End::Answered(Ok(Answer::Command(Ok(())))) => Report::new(Outcome::Succeeded),
        End::Answered(Ok(Answer::Command(Err(())))) => exit(1, traces),
        End::Answered(Err(e)) => match e.downcast_ref::<I32Exit>() {
            Some(I32Exit(0)) => Report::new(Outcome::Succeeded),
            Some(I32Exit(code)) => exit(*code, traces),
            None => broken(&e, traces),
        },
    }
}

fn succeeded(output: Option<String>, traces: &Traces<'_>) -> Report {
    match &output {
        Some(text) if text.len() as u64 > traces.limits.output => {
            Report::new(Outcome::Failed).because(format!(
                "the output has {} and the limit is {}; return less or raise limits.output",
                format_size(text.len() as u64),
                format_size(traces.limits.output)
            ))
        }
        _ => Report { output, ..Report::new(Outcome::Succeeded) },
    }
}

fn job_error(e: JobError, traces: &Traces<'_>) -> Report {
    let report = |outcome, failure: Failure| {
        let start = |text: &str| text[..text.floor_char_boundary(LOOKED_AT)].to_owned();
        let reason = clean_lines(&format!("{}: {}", start(&failure.code), start(&failure.message)));
        // Hidden before it is cut, so that no part of a secret is left at the end.
        let mut reason: String = traces.redactor.hide(&reason).chars().take(LONGEST_REASON).collect();
        if outcome == Outcome::Failed {
            match traces.denied {
                Some(wanted) => _ = write!(reason, "; during the run it {}", out_of_memory(wanted, traces)),
                None => mention_refusal(&mut reason, traces),
            }
        }
        Report::new(outcome).because(reason)
    };
    match e {
        JobError::InvalidArgs(failure) | JobError::Fatal(failure) => never(report(Outcome::Failed, failure)),
        JobError::Retry(failure) => report(Outcome::Failed, failure),
        JobError::RetryAfter(after) => Report {
            retry: RetryHint::After(Duration::from_millis(after.delay_ms)),
            ..report(Outcome::Failed, after.failure)
        },
        JobError::Cancelled(failure) => never(report(Outcome::Cancelled, failure)),
    }
}

/// A command that ended with an exit code other than 0.
fn exit(code: i32, traces: &Traces<'_>) -> Report {
    let said = traces.stderr.last().map(|line| format!(": {line}")).unwrap_or_default();
    match traces.denied {
        Some(wanted) => {
            let reason = format!("{} and ended with exit code {code}{said}", out_of_memory(wanted, traces));
            Report::new(Outcome::OutOfMemory).because(reason)
        }
        None => {
            let mut reason = format!("exit code {code}{said}");
            mention_refusal(&mut reason, traces);
            Report::new(Outcome::Failed).because(reason)
        }
    }
}

/// Adds what the run was refused: a guest that handles a refusal may give no hint of it in the end.
fn mention_refusal(reason: &mut String, traces: &Traces<'_>) {
    if let Some(refusal) = &traces.refusal {
        // Writing to a String cannot fail.
        let _ = write!(reason, "; during the run: {refusal}");
    }
}

/// A run that did not come to its end.
fn broken(e: &wasmtime::Error, traces: &Traces<'_>) -> Report {
    let backtrace = e.downcast_ref::<WasmBacktrace>().and_then(render);
    let trap = e.downcast_ref::<Trap>();
    let mut reason = String::new();
    // Whether the reason says all that there is to say about rights and limits.
    let mut is_known = true;
    let said_by_engine = e.root_cause().to_string();
    let outcome = if let Some(wanted) = traces.denied {
        reason = out_of_memory(wanted, traces);
        Outcome::OutOfMemory
    } else if let Some(wanted) = traces.table {
        let _ =
            write!(reason, "needed a table of {wanted} elements, and a table has {LARGEST_TABLE} at most");
        Outcome::OutOfMemory
    } else if let Some(trap) = trap {
        is_known = !matches!(trap, Trap::UnreachableCodeReached);
        reason.push_str(&words(*trap, traces));
        Outcome::Trapped
    } else if matches!(e.downcast_ref(), Some(ResourceTableError::Full)) {
        let _ = write!(
            reason,
            "it held {} files, streams and other resources at one time, which is the limit (raise limits.handles)",
            traces.limits.handles
        );
        Outcome::Trapped
    } else if e.is::<PoolConcurrencyLimitError>() {
        reason.push_str(
            "all instances that memory is reserved for are in use; raise the sandbox's max_instances",
        );
        Outcome::HostError
    } else if said_by_engine.contains(COMPONENT_HANDLES) {
        let _ = write!(
            reason,
            "its components held {} handles at one time, {HANDLES_EACH} for each one of limits.handles (raise limits.handles)",
            component_handles(traces.limits)
        );
        Outcome::Trapped
    } else if said_by_engine.starts_with("requested len") && said_by_engine.contains(RANDOM) {
        let _ = write!(
            reason,
            "it asked for more than {} of random bytes in one call, which no key raises; ask for less at a time",
            format_size(MOST_RANDOM)
        );
        Outcome::Trapped
    } else if said_by_engine.contains(HOST_CALL) {
        let _ = write!(
            reason,
            "it handed more than {} over in one call of the host (raise limits.host_call)",
            format_size(traces.limits.host_call.min(traces.limits.memory))
        );
        Outcome::Trapped
    } else if traces.instantiated || backtrace.is_some() {
        is_known = false;
        let _ = write!(reason, "the guest was stopped in a call of the host: {said_by_engine}");
        Outcome::Trapped
    } else {
        let _ = write!(reason, "the instance cannot be made: {e:#}");
        Outcome::HostError
    };
    if let Some(said) = last_words(&traces.stderr) {
        let _ = write!(reason, "; stderr: {said}");
    }
    if !is_known {
        mention_refusal(&mut reason, traces);
    }
    Report { backtrace, ..Report::new(outcome).because(reason) }
}

fn out_of_memory(wanted: u64, traces: &Traces<'_>) -> String {
    format!(
        "needed {} of memory and the limit is {} (raise limits.memory)",
        format_size(wanted),
        format_size(traces.limits.memory)
    )
}

fn words(trap: Trap, traces: &Traces<'_>) -> String {
    let text = match trap {
        Trap::UnreachableCodeReached => {
            "the guest gave up: it panicked, aborted or reached an `unreachable` instruction"
        }
        Trap::StackOverflow => {
            let stack = format_size(traces.limits.stack.unwrap_or(USUAL_STACK));
            return format!("the guest's call stack overflowed: it has {stack} (raise limits.stack)");
        }
        Trap::MemoryOutOfBounds => {
            "the guest accessed memory out of bounds (a bad pointer, or a stack overflow)"
        }
        Trap::TableOutOfBounds => "the guest called through a table out of bounds",
        Trap::IndirectCallToNull => "the guest called a null function pointer",
        Trap::BadSignature => "the guest called a function pointer of another type",
        Trap::IntegerOverflow => "integer overflow",
        Trap::IntegerDivisionByZero => "integer division by zero",
        Trap::BadConversionToInteger => "a number that is out of range was converted to an integer",
        Trap::NullReference => "the guest used a null reference",
        Trap::CastFailure => "the guest cast a reference to a type that it does not have",
        Trap::OutOfFuel => {
            let fuel = traces.limits.fuel.unwrap_or_default();
            return format!("the guest used up its fuel of {fuel} (raise limits.fuel)");
        }
        trap => return format!("the guest trapped: {trap}"),
    };
    text.to_owned()
}

/// The end of stderr, without the hint that Rust's panics end with.
fn last_words(stderr: &[String]) -> Option<String> {
    let said: Vec<&str> = stderr
        .iter()
        .map(|line| line.trim())
        .filter(|line| !line.starts_with("note: run with `RUST_BACKTRACE"))
        .collect();
    let from = said.len().saturating_sub(3);
    (!said.is_empty()).then(|| said[from..].join(" | "))
}

fn never(report: Report) -> Report {
    Report { retry: RetryHint::Never, ..report }
}
