//! What a webhook is sent.

use bytes::Bytes;
use clockbox_core::model::{Event, Run, Timestamp};
use serde_json::{Value, json};

use crate::{manifest::Occasion, scheduler::Happening};

/// One message: the same over all its tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id, by which a receiver knows it again.
    pub id: String,
    /// What it is about, for people: `run-finished of report`.
    pub about: String,
    /// Its body: JSON.
    pub body: Bytes,
}

impl Message {
    /// A message about something that happened on a host. `start` tells its numbers from those of another start of the
    /// host; `run` is the record that the event speaks of.
    pub(super) fn new(
        occasion: Occasion,
        happening: &Happening,
        run: Option<&Run>,
        host: &str,
        start: &str,
    ) -> Self {
        let event = &happening.event;
        let job = event.job();
        let of = job.map(|job| format!(" of {job}")).unwrap_or_default();
        let reason = reason(event).map(ToOwned::to_owned).or_else(|| run.and_then(|run| run.reason.clone()));
        let body = json!({
            "type": occasion.as_str(),
            "timestamp": happening.at,
            "text": line(occasion, event, run, reason.as_deref(), host),
            "host": host,
            "job": job,
            "run": run.map(facts),
            "reason": reason,
            "data": happening,
        });
        Self {
            id: format!("{start}-{}", happening.seq),
            about: format!("{}{of}", event.name()),
            body: body.to_string().into(),
        }
    }

    /// A message about nothing, which shows whether a webhook works.
    pub(super) fn test(host: &str, at: Timestamp) -> Self {
        let body = json!({
            "type": "test",
            "timestamp": at,
            "text": format!("a test from clockbox on {host}"),
            "host": host,
            "job": null,
            "run": null,
            "reason": null,
            "data": { "seq": 0, "at": at, "event": "test" },
        });
        Self {
            id: format!("test-{:x}", at.timestamp_micros()),
            about: "a test".to_owned(),
            body: body.to_string().into(),
        }
    }
}

/// The record of a run, as the API shows it; without what a guest was given and answered, which may be private and large.
fn facts(run: &Run) -> Value {
    json!({
        "id": run.id,
        "plugin": run.plugin,
        "pool": run.pool,
        "cause": run.cause,
        "scheduled_at": run.scheduled_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "state": run.state,
        "attempt": run.attempt,
        "outcome": run.outcome,
        "coalesced": run.coalesced,
    })
}

fn reason(event: &Event) -> Option<&str> {
    match event {
        Event::RunFinished { reason, .. } | Event::RunRetrying { reason, .. } => reason.as_deref(),
        Event::Missed { reason, .. } | Event::Skipped { reason, .. } => Some(reason),
        Event::JobPaused { note, .. } | Event::SchedulerPaused { note, .. } => note.as_deref(),
        _ => None,
    }
}

/// The whole in a line, for people.
fn line(occasion: Occasion, event: &Event, run: Option<&Run>, reason: Option<&str>, host: &str) -> String {
    let job = event.job().map(|job| format!("{job}: ")).unwrap_or_default();
    let what = match (occasion, event) {
        (Occasion::Recovery, _) => "works again".to_owned(),
        (_, Event::RunFinished { outcome, .. }) => outcome.to_string(),
        (_, Event::Missed { scheduled_at, .. }) => {
            format!("missed its fire at {}", scheduled_at.format("%Y-%m-%d %H:%M:%S UTC"))
        }
        _ => event.name().to_owned(),
    };
    let why = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let run = run.map(|run| format!("run {}, ", run.id)).unwrap_or_default();
    format!("{job}{what}{why} ({run}on {host})")
}

#[cfg(test)]
mod tests {
    use clockbox_core::model::{Cause, JobId, Outcome, RunId};

    use super::*;

    fn at() -> Timestamp {
        "2030-01-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_event_stands_in_it_as_listeners_hear_it() {
        let event = Event::RunFinished {
            job: JobId::new("report").unwrap(),
            run: RunId::next(None, at()),
            attempt: 2,
            cause: Cause::Trigger,
            outcome: Outcome::TimedOut,
            reason: Some("no answer within 30 s".into()),
            elapsed_ms: Some(30_000),
        };
        let happening = Happening { seq: 7, at: at(), event };
        let message = Message::new(Occasion::Failure, &happening, None, "box", "1f.2");
        assert_eq!((message.id.as_str(), message.about.as_str()), ("1f.2-7", "run-finished of report"));
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        assert_eq!(body["data"], serde_json::to_value(&happening).unwrap());
        assert_eq!(
            (&body["type"], &body["job"], &body["host"]),
            (&json!("failure"), &json!("report"), &json!("box"))
        );
        assert_eq!(body["reason"], "no answer within 30 s");
        assert_eq!(body["text"], "report: timed-out: no answer within 30 s (on box)");
        assert_eq!(body["timestamp"], "2030-01-01T00:00:00Z");
    }

    #[test]
    fn one_about_no_job_says_so() {
        let happening = Happening { seq: 1, at: at(), event: Event::SchedulerDraining };
        let message = Message::new(Occasion::Event("scheduler-draining"), &happening, None, "box", "s");
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        assert_eq!((&body["job"], &body["run"], &body["reason"]), (&Value::Null, &Value::Null, &Value::Null));
        assert_eq!(body["text"], "scheduler-draining (on box)");
    }
}
