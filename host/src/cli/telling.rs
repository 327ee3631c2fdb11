//! What happens, for the operator.

use std::time::Duration;

use clockbox_core::model::{Event, Outcome};

use super::text;

/// One event, for the operator.
pub(super) fn tell(event: &Event, zone: chrono_tz::Tz) {
    match event {
        Event::RunFinished { job, run, attempt, outcome, reason, elapsed_ms, .. } => {
            let span = elapsed_ms.map(|ms| text::span(Duration::from_millis(ms)));
            // The pauses between attempts, and a host that was down, are no time that the run took.
            let took = match span {
                Some(span) if *attempt > 1 => {
                    format!(" at attempt {attempt}, {span} after the first one began")
                }
                Some(span) => format!(" in {span}"),
                None if *attempt > 1 => format!(" at attempt {attempt}"),
                None => String::new(),
            };
            let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            match outcome {
                Outcome::Succeeded => tracing::info!(job = job.as_str(), %run, "succeeded{took}"),
                // Somebody, or the job's own policy, wanted it so.
                Outcome::Cancelled => {
                    tracing::warn!(job = job.as_str(), %run, "cancelled{took}{why} (run {run})")
                }
                _ => tracing::error!(job = job.as_str(), %run, "{outcome}{took}{why} (run {run})"),
            }
        }
        Event::RunStarted { job, run, attempt, .. } => {
            tracing::debug!(job = job.as_str(), %run, attempt, "started");
        }
        Event::RunRetrying { job, run, attempt, outcome, reason, retry_at } => {
            let why = reason.as_deref().unwrap_or("no reason given");
            tracing::warn!(job = job.as_str(), %run, "attempt {attempt} {outcome}: {why}; next attempt at {}", text::local(*retry_at, zone));
        }
        Event::Missed { job, run, reason, scheduled_at, .. } => {
            tracing::warn!(job = job.as_str(), %run, "missed its fire at {}: {reason}", text::local(*scheduled_at, zone));
        }
        Event::Skipped { job, run, reason, scheduled_at, .. } => {
            tracing::warn!(job = job.as_str(), %run, "skipped its fire at {}: {reason}", text::local(*scheduled_at, zone));
        }
        Event::RunWaiting { job, run, .. } => tracing::debug!(job = job.as_str(), %run, "waits for a place"),
        Event::RunProgressed { job, run, done, total, note } => {
            let total = total.map(|total| format!(" of {total}")).unwrap_or_default();
            let note = note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
            tracing::info!(job = job.as_str(), %run, "progress {done}{total}{note}");
        }
        Event::JobPaused { job, by, note } => {
            tracing::info!(job = job.as_str(), "paused{}", why(by.as_deref(), note.as_deref()));
        }
        Event::JobResumed { job } => tracing::info!(job = job.as_str(), "resumed"),
        Event::JobAdded { job } => tracing::debug!(job = job.as_str(), "added"),
        Event::JobModified { job } => tracing::debug!(job = job.as_str(), "changed"),
        Event::JobRemoved { job } => tracing::debug!(job = job.as_str(), "removed"),
        Event::Reloaded { added, changed, removed, .. } => {
            tracing::info!("reloaded: jobs +{added} ~{changed} -{removed}");
        }
        Event::ReloadRejected { problems } => {
            for problem in problems {
                tracing::error!("{problem}");
            }
            tracing::error!(
                "what was refused is not taken over; what was loaded before stays in force, with the rights of now"
            );
        }
        Event::SchedulerPaused { by, note } => {
            tracing::info!(
                "paused{}: nothing starts until it is resumed",
                why(by.as_deref(), note.as_deref())
            );
        }
        Event::SchedulerResumed => tracing::info!("resumed"),
        _ => {}
    }
}

/// Who did something, and why, as far as they said.
fn why(by: Option<&str>, note: Option<&str>) -> String {
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    let note = note.map(|note| format!(" ({note})")).unwrap_or_default();
    by + &note
}
