//! From how a run ended to what is reported. Pure: what was seen goes in, the report comes out.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use clockbox_core::model::{Limits, Outcome, Report, RetryHint, Rights, format_duration, format_size};
use wasmtime::{
    FrameInfo, PoolConcurrencyLimitError, Trap, WasmBacktrace, WasmCoreDump, WasmtimeBug,
    component::ResourceTableError,
};
use wasmtime_wasi::I32Exit;

use crate::{
    backtrace::render,
    bindings::clockbox::job::types::{Failure, JobError},
    error::LARGEST_TABLE,
    folders,
    log::{Redactor, clean_lines},
    run::Answer,
    said::Said,
    trap,
};

/// The longest reason of a guest's, in characters.
const LONGEST_REASON: usize = 4_000;
/// How much of a failure's code and of its message is looked at, in bytes.
const LOOKED_AT: usize = 64 << 10;

/// How a run ended.
pub(crate) enum End {
    Answered(Answer),
    /// The guest, or a call of the host, came to no answer.
    Broken(Arc<wasmtime::Error>),
    TimedOut,
    /// Stopped at once.
    Killed,
    /// Asked to stop, and stopped when it had not done so in time.
    Outstayed,
}

impl End {
    /// The error of a guest that trapped or ran out of memory: not of one that ended by itself.
    pub(crate) fn of_trap(&self, denied: bool) -> Option<&Arc<wasmtime::Error>> {
        match self {
            Self::Broken(e) => match e.downcast_ref::<I32Exit>() {
                Some(I32Exit(code)) => (denied && *code != 0).then_some(e),
                None => Some(e),
            },
            _ => None,
        }
    }
}

/// What the run left behind.
pub(crate) struct Traces<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) rights: &'a Rights,
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
    /// What was said on stderr before a trap, and before an exit.
    pub(crate) last_words: (Vec<String>, Vec<String>),
    /// What the host said last of what the guest tried: mostly a right or limit that was in its way.
    pub(crate) remark: Option<String>,
    /// What a command said last on stdout, where that is its output.
    pub(crate) said: Said,
}

/// Judges a run.
pub(crate) fn verdict(end: End, traces: &Traces<'_>) -> Report {
    let mut report = judge(end, traces);
    if matches!(report.outcome, Outcome::Failed | Outcome::Trapped)
        && traces.refusal.is_none()
        && let Some(reason) = &mut report.reason
        && let Some(hint) = folders::hint(reason, traces.rights)
    {
        let _ = write!(reason, "; {hint}");
    }
    report
}

fn judge(end: End, traces: &Traces<'_>) -> Report {
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
        End::Answered(Answer::Job(Ok(output))) => returned(output, traces),
        End::Answered(Answer::Job(Err(e))) => job_error(e, traces),
        End::Answered(Answer::Command(Ok(()))) => said(traces),
        End::Answered(Answer::Command(Err(()))) => exit(1, traces),
        End::Broken(e) => match e.downcast_ref::<I32Exit>() {
            Some(I32Exit(0)) => said(traces),
            Some(I32Exit(code)) => exit(*code, traces),
            None => broken(&e, traces),
        },
    }
}

/// A job component that succeeded.
fn returned(output: Option<String>, traces: &Traces<'_>) -> Report {
    match &output {
        Some(text) if text.len() as u64 > traces.limits.output => {
            too_large("the output", text.len() as u64, "return", traces)
        }
        _ => Report { output, ..Report::new(Outcome::Succeeded) },
    }
}

/// A command that succeeded.
fn said(traces: &Traces<'_>) -> Report {
    match &traces.said {
        Said::Json(text) => Report { output: Some(text.clone()), ..Report::new(Outcome::Succeeded) },
        Said::TooLong(length) => too_large("the last line on stdout, its output,", *length, "write", traces),
        Said::Nothing | Said::Other(_) => Report::new(Outcome::Succeeded),
    }
}

fn too_large(what: &str, size: u64, verb: &str, traces: &Traces<'_>) -> Report {
    Report::new(Outcome::Failed).because(format!(
        "{what} has {} and the limit is {}; {verb} less or raise limits.output",
        format_size(size),
        format_size(traces.limits.output)
    ))
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

/// Where the guest was. With core dumps switched on, the frames come with the dump instead of a backtrace.
pub(crate) fn frames(e: &wasmtime::Error) -> Option<&[FrameInfo]> {
    let dumped = || e.downcast_ref::<WasmCoreDump>().map(WasmCoreDump::frames);
    e.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames).or_else(dumped)
}

/// A command that ended with an exit code other than 0.
fn exit(code: i32, traces: &Traces<'_>) -> Report {
    let said = join(&traces.last_words.1).map(|words| format!(": {words}")).unwrap_or_default();
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
    // The guest may have passed on what it was told.
    let is_told = |refusal: &String| {
        refusal.split_once("refused: ").is_some_and(|(_, why)| !why.is_empty() && reason.contains(why))
    };
    if let Some(refusal) = traces.refusal.as_ref().filter(|refusal| !is_told(refusal)) {
        // Writing to a String cannot fail.
        let _ = write!(reason, "; during the run: {refusal}");
    }
}

/// A run that did not come to its end.
fn broken(e: &wasmtime::Error, traces: &Traces<'_>) -> Report {
    let backtrace = frames(e).and_then(render);
    let trap = e.downcast_ref::<Trap>().copied();
    let (outcome, mut reason) = judged(e, trap, backtrace.is_some(), traces);
    if outcome == Outcome::Trapped {
        if let Some(wanted) = traces.denied {
            let _ = write!(reason, "; before that it {}", out_of_memory(wanted, traces));
        }
        match (&traces.refusal, &traces.remark) {
            (Some(_), _) => mention_refusal(&mut reason, traces),
            (None, Some(remark)) => _ = write!(reason, "; before that the host said: {remark}"),
            (None, None) => {}
        }
    }
    match join(&traces.last_words.0) {
        Some(said) => {
            let _ = write!(reason, "; stderr: {said}");
        }
        None if trap == Some(Trap::UnreachableCodeReached) && outcome == Outcome::Trapped => {
            reason.push_str("; it wrote nothing to stderr, where a panic leaves its message");
        }
        None => {}
    }
    Report { backtrace, ..Report::new(outcome).because(reason) }
}

/// What stopped a guest, in words. What says for itself why goes first: a guest that was refused memory and lived with it
/// may trap for another reason.
fn judged(e: &wasmtime::Error, trap: Option<Trap>, in_guest: bool, traces: &Traces<'_>) -> (Outcome, String) {
    let limits = traces.limits;
    match trap {
        Some(trap) if !may_be_for_lack_of_memory(trap) => {
            return (Outcome::Trapped, trap::words(trap, limits).into_owned());
        }
        _ => {}
    }
    if matches!(e.downcast_ref(), Some(ResourceTableError::Full)) {
        let held = format!(
            "it held {} files, streams and other resources at one time, which is the limit (raise limits.handles)",
            limits.handles
        );
        return (Outcome::Trapped, held);
    }
    if e.is::<PoolConcurrencyLimitError>() {
        let used = "all instances that memory is reserved for are in use; raise the sandbox's max_instances";
        return (Outcome::HostError, used.to_owned());
    }
    if e.is::<WasmtimeBug>() {
        let failed = format!("the WebAssembly engine itself failed, please report it: {}", e.root_cause());
        return (Outcome::HostError, failed);
    }
    if let Some(limit) = trap::limit(e, limits) {
        return (Outcome::Trapped, limit);
    }
    if let Some(wanted) = traces.denied {
        return (Outcome::OutOfMemory, out_of_memory(wanted, traces));
    }
    if let Some(wanted) = traces.table {
        let needed = format!("needed a table of {wanted} elements, and a table has {LARGEST_TABLE} at most");
        return (Outcome::OutOfMemory, needed);
    }
    if let Some(trap) = trap {
        return (Outcome::Trapped, trap::words(trap, limits).into_owned());
    }
    if let Some(misfit) = trap::misfit(e) {
        return (Outcome::Trapped, misfit);
    }
    let root = e.root_cause();
    match traces.instantiated || in_guest {
        true if in_guest => {
            (Outcome::Trapped, format!("the guest was stopped in a call of the host: {root}"))
        }
        true => (Outcome::Trapped, format!("the guest's answer does not fit its interface: {root}")),
        false => (Outcome::HostError, format!("the instance cannot be made: {e:#}")),
    }
}

/// Whether this is how a guest ends that was refused memory: most give up, some use what they did not get.
fn may_be_for_lack_of_memory(trap: Trap) -> bool {
    matches!(trap, Trap::UnreachableCodeReached | Trap::MemoryOutOfBounds | Trap::UncaughtException)
}

fn out_of_memory(wanted: u64, traces: &Traces<'_>) -> String {
    format!(
        "needed {} of memory and the limit is {} (raise limits.memory)",
        format_size(wanted),
        format_size(traces.limits.memory)
    )
}

fn join(words: &[String]) -> Option<String> {
    (!words.is_empty()).then(|| words.join(" | "))
}

fn never(report: Report) -> Report {
    Report { retry: RetryHint::Never, ..report }
}
