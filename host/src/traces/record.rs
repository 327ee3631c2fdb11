//! A run as spans.

use std::time::SystemTime;

use clockbox_core::model::{Attempt, LogLine, Outcome, Run, Timestamp};
use opentelemetry::{
    Context, KeyValue, Value,
    trace::{Event, Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _},
};
use opentelemetry_sdk::trace::SdkTracer;

/// Lines of an attempt's log that become events: its latest ones.
pub(super) const LINES: usize = 100;

/// Records a run that ended, with its attempts and what they logged.
pub(super) fn record(tracer: &SdkTracer, run: &Run, attempts: &[Attempt], log: &[(u32, LogLine)]) {
    let end = run.finished_at.unwrap_or(run.recorded_at).max(run.recorded_at);
    let mut span = tracer
        .span_builder(format!("run {}", run.job))
        .with_kind(SpanKind::Internal)
        .with_start_time(run.recorded_at)
        .with_attributes(facts(run))
        .start_with_context(tracer, &Context::new());
    if span.is_recording() {
        let inside = Context::new().with_remote_span_context(span.span_context().clone());
        for attempt in attempts {
            record_attempt(tracer, &inside, attempt, end, log);
        }
    }
    span.set_status(status(run.outcome, run.reason.as_deref()));
    span.end_with_timestamp(end.into());
}

fn record_attempt(
    tracer: &SdkTracer,
    run: &Context,
    attempt: &Attempt,
    end: Timestamp,
    log: &[(u32, LogLine)],
) {
    let end = attempt.finished_at.unwrap_or(end).max(attempt.started_at);
    let lines: Vec<&LogLine> =
        log.iter().filter(|(of, _)| *of == attempt.number).map(|(_, line)| line).collect();
    let left_out = lines.len().saturating_sub(LINES);
    let mut attributes = vec![KeyValue::new("clockbox.attempt", i64::from(attempt.number))];
    attributes.extend(attempt.outcome.map(|outcome| KeyValue::new("clockbox.outcome", outcome.as_str())));
    put(&mut attributes, "clockbox.reason", attempt.reason.clone());
    put(&mut attributes, "clockbox.peak_memory", attempt.peak_memory.map(whole));
    put(&mut attributes, "clockbox.log.left_out", (left_out > 0).then(|| whole(left_out as u64)));
    let mut span = tracer
        .span_builder(format!("attempt {}", attempt.number))
        .with_kind(SpanKind::Internal)
        .with_start_time(attempt.started_at)
        .with_attributes(attributes)
        .with_events(lines.into_iter().skip(left_out).map(event).collect())
        .start_with_context(tracer, run);
    span.set_status(status(attempt.outcome, attempt.reason.as_deref()));
    span.end_with_timestamp(end.into());
}

fn facts(run: &Run) -> Vec<KeyValue> {
    let mut facts = vec![
        KeyValue::new("clockbox.job", run.job.to_string()),
        KeyValue::new("clockbox.run", run.id.to_string()),
        KeyValue::new("clockbox.plugin", run.plugin.to_string()),
        KeyValue::new("clockbox.pool", run.pool.to_string()),
        KeyValue::new("clockbox.cause", run.cause.as_str()),
        KeyValue::new("clockbox.scheduled_at", run.scheduled_at.to_rfc3339()),
        KeyValue::new("clockbox.attempts", i64::from(run.attempt)),
        KeyValue::new("clockbox.coalesced", i64::from(run.coalesced)),
    ];
    let lateness = run.started_at.map(|started| (started - run.scheduled_at).num_milliseconds());
    put(&mut facts, "clockbox.started_at", run.started_at.map(|at| at.to_rfc3339()));
    put(&mut facts, "clockbox.finished_at", run.finished_at.map(|at| at.to_rfc3339()));
    put(&mut facts, "clockbox.lateness_ms", lateness);
    put(&mut facts, "clockbox.outcome", run.outcome.map(Outcome::as_str));
    put(&mut facts, "clockbox.reason", run.reason.clone());
    facts
}

fn put(attributes: &mut Vec<KeyValue>, key: &'static str, value: Option<impl Into<Value>>) {
    attributes.extend(value.map(|value| KeyValue::new(key, value)));
}

/// Numbers are signed with OpenTelemetry.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// One that was cancelled is neither well nor broken.
fn status(outcome: Option<Outcome>, reason: Option<&str>) -> Status {
    match outcome {
        Some(Outcome::Succeeded) => Status::Ok,
        Some(Outcome::Cancelled) | None => Status::Unset,
        Some(outcome) => Status::error(reason.unwrap_or(outcome.as_str()).to_owned()),
    }
}

fn event(line: &LogLine) -> Event {
    let mut attributes = vec![
        KeyValue::new("log.severity", line.level.as_str()),
        KeyValue::new("log.iostream", line.stream.as_str()),
        KeyValue::new("log.message", line.message.clone()),
    ];
    let fields =
        line.fields.iter().map(|(key, value)| KeyValue::new(format!("log.field.{key}"), value.clone()));
    attributes.extend(fields);
    Event::new("log", SystemTime::from(line.at), attributes, 0)
}
