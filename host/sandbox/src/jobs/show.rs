//! A job as a guest reads it.

use clockbox_core::model::{JobRecord, Timestamp};
use serde_json::{Value, json};

/// The job as JSON text.
pub(super) fn show(record: &JobRecord) -> String {
    let job = &record.job;
    let time = |time: Option<Timestamp>| time.map(|time| time.to_rfc3339());
    let args = serde_json::from_str(&job.args).unwrap_or_else(|_| Value::from(&*job.args));
    let paused = record
        .paused
        .as_ref()
        .map(|pause| json!({ "at": pause.at.to_rfc3339(), "by": pause.by, "note": pause.note }));
    json!({
        "name": job.id.as_str(),
        "plugin": job.plugin.as_str(),
        "pool": job.pool.as_str(),
        "trigger": job.trigger.spec(),
        "args": args,
        "source": job.source.to_string(),
        "paused": paused,
        "next_fire": time(record.next_fire),
        "last_fire": time(record.last_fire),
        "last_success": time(record.last_success),
    })
    .to_string()
}
