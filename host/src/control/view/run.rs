//! Runs. What the command line prints as JSON is the same.

use chrono::{DateTime, Utc};
use clockbox_core::model::{Attempt, LogLine, Outcome, Run};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The record of one fire: the output and the arguments as JSON instead of text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct RunView {
    /// Its id, and the guest's idempotency key.
    #[schema(example = "01n4m2h3k4v5w")]
    pub(crate) id: String,
    /// The job.
    pub(crate) job: String,
    /// The plugin as it was when the fire was recorded.
    pub(crate) plugin: String,
    /// The pool likewise.
    pub(crate) pool: String,
    /// Why it exists: `trigger`, `manual`.
    pub(crate) cause: String,
    /// The nominal time of the fire.
    pub(crate) scheduled_at: DateTime<Utc>,
    /// When the record was made.
    pub(crate) recorded_at: DateTime<Utc>,
    /// Where it stands: `waiting`, `running`, `retrying`, `finished`, `missed`, `skipped`.
    pub(crate) state: String,
    /// The latest attempt, from 1; 0 before the first.
    pub(crate) attempt: u32,
    /// When the first attempt was released to start.
    pub(crate) started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub(crate) finished_at: Option<DateTime<Utc>>,
    /// When the next attempt is due, in state `retrying`.
    pub(crate) retry_at: Option<DateTime<Utc>>,
    /// How it ended, in state `finished`: `succeeded`, `failed`, `trapped`, `timed-out`, `out-of-memory`, `cancelled`,
    /// `interrupted`, `host-error`.
    pub(crate) outcome: Option<String>,
    /// Why, in words: of a failure, of a miss, of a skip.
    pub(crate) reason: Option<String>,
    /// What the guest answered with: JSON where it is that, else its text.
    #[schema(value_type = Value)]
    pub(crate) output: Value,
    /// How many other due fires this one stands for.
    pub(crate) coalesced: u32,
    /// Arguments in place of the job's, of a run on demand.
    #[schema(value_type = Value)]
    pub(crate) args: Value,
}

impl RunView {
    pub(crate) fn new(run: &Run) -> Self {
        Self {
            id: run.id.to_string(),
            job: run.job.to_string(),
            plugin: run.plugin.to_string(),
            pool: run.pool.to_string(),
            cause: run.cause.to_string(),
            scheduled_at: run.scheduled_at,
            recorded_at: run.recorded_at,
            state: run.state.to_string(),
            attempt: run.attempt,
            started_at: run.started_at,
            finished_at: run.finished_at,
            retry_at: run.retry_at,
            outcome: run.outcome.map(|outcome| outcome.to_string()),
            reason: run.reason.clone(),
            output: opened(run.output.as_deref()),
            coalesced: run.coalesced,
            args: opened(run.args.as_deref()),
        }
    }
}

/// Text that is JSON becomes what it says; other text stays text.
fn opened(text: Option<&str>) -> Value {
    text.map(|text| serde_json::from_str(text).unwrap_or_else(|_| text.into())).unwrap_or_default()
}

/// A run with its attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct RunDetailView {
    /// The run.
    #[serde(flatten)]
    pub(crate) run: RunView,
    /// Its attempts on record, first one first.
    pub(crate) attempts: Vec<AttemptView>,
}

impl RunDetailView {
    pub(crate) fn new(run: &Run, attempts: &[Attempt]) -> Self {
        Self { run: RunView::new(run), attempts: attempts.iter().map(AttemptView::new).collect() }
    }
}

/// One try of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct AttemptView {
    /// Its number, from 1.
    pub(crate) number: u32,
    /// When it was released to start.
    pub(crate) started_at: DateTime<Utc>,
    /// When it ended.
    pub(crate) finished_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub(crate) outcome: Option<String>,
    /// Why, in words.
    pub(crate) reason: Option<String>,
    /// The WebAssembly backtrace of a trap.
    pub(crate) backtrace: Option<String>,
    /// The most memory that the guest held, in bytes.
    pub(crate) peak_memory: Option<u64>,
}

impl AttemptView {
    fn new(attempt: &Attempt) -> Self {
        let Attempt { number, started_at, finished_at, outcome, reason, backtrace, peak_memory } = attempt;
        Self {
            number: *number,
            started_at: *started_at,
            finished_at: *finished_at,
            outcome: outcome.as_ref().map(Outcome::to_string),
            reason: reason.clone(),
            backtrace: backtrace.clone(),
            peak_memory: *peak_memory,
        }
    }
}

/// A line of a run's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct LogView {
    /// The attempt that said it.
    pub(crate) attempt: u32,
    /// When.
    pub(crate) at: DateTime<Utc>,
    /// Where: `log`, `stdout`, `stderr`, `host`.
    pub(crate) stream: String,
    /// How grave it is: `trace`, `debug`, `info`, `warn`, `error`.
    pub(crate) level: String,
    /// The text.
    pub(crate) message: String,
    /// Key-value fields, in the guest's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Vec<String>>)]
    pub(crate) fields: Vec<(String, String)>,
}

impl LogView {
    pub(crate) fn new((attempt, line): &(u32, LogLine)) -> Self {
        Self {
            attempt: *attempt,
            at: line.at,
            stream: line.stream.to_string(),
            level: line.level.to_string(),
            message: line.message.clone(),
            fields: line.fields.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clockbox_core::model::{Cause, PoolName, RunId, RunState};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_shows_every_key_of_its_record() {
        let at = "2030-01-01T00:00:00.5Z".parse().unwrap();
        let run = Run {
            id: RunId::next(None, at),
            job: "a".parse().unwrap(),
            plugin: "p".parse().unwrap(),
            pool: PoolName::default_pool(),
            cause: Cause::Manual,
            scheduled_at: at,
            recorded_at: at,
            state: RunState::Finished,
            attempt: 1,
            started_at: Some(at),
            finished_at: None,
            retry_at: None,
            outcome: Some(Outcome::TimedOut),
            reason: None,
            output: Some("7".to_owned()),
            coalesced: 0,
            args: Some("not json".to_owned()),
        };
        let mut record = json!(run);
        record["output"] = json!(7);
        assert_eq!(json!(RunView::new(&run)), record);
        let attempt = Attempt {
            number: 1,
            started_at: at,
            finished_at: Some(at),
            outcome: Some(Outcome::Failed),
            reason: None,
            backtrace: None,
            peak_memory: Some(3),
        };
        assert_eq!(json!(AttemptView::new(&attempt)), json!(attempt));
    }
}
