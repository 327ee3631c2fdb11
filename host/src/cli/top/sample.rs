//! A host as the tests of `top` see it.

use clockbox_core::model::Timestamp;
use serde_json::{Value, json};

use super::{ended::Ended, model::Snapshot};
use crate::control::view::{JobView, RunView};

pub(super) fn at(time: &str) -> Timestamp {
    format!("2030-01-01T{time}Z").parse().unwrap()
}

fn run(id: &str, job: &str, state: &str, more: Value) -> RunView {
    let mut run = json!({
        "id": id, "job": job, "plugin": "p", "pool": "default", "cause": "trigger", "scheduled_at": at("11:59:00"),
        "recorded_at": at("11:59:00"), "state": state, "attempt": 1, "started_at": at("11:59:00"),
        "finished_at": null, "retry_at": null, "outcome": null, "reason": null, "output": null, "coalesced": 0,
        "args": null,
    });
    run.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(run).unwrap()
}

fn job(name: &str, schedule: &str, more: Value) -> JobView {
    let mut job = json!({
        "name": name, "plugin": "p", "schedule": schedule, "timezone": "UTC", "source": "manifest",
        "modified": false, "paused": null, "next_fire": null, "last_fire": null, "last_success": null, "etag": "\"1\"",
    });
    job.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(job).unwrap()
}

pub(super) fn snapshot() -> Snapshot {
    let status = json!({
        "version": "0.1.0", "pid": 7, "started_at": at("09:57:00"), "now": at("12:00:00"),
        "timezone": "Asia/Tokyo", "jobs": 4, "paused_jobs": 1, "running": 2, "waiting": 1,
        "next_wake": at("12:00:05"), "paused": null, "draining": false, "store": "sqlite:clockbox.db",
        "pools": [
            { "name": "default", "max_instances": 4, "queue": 1000, "running": 1, "waiting": 1 },
            { "name": "heavy", "max_instances": 1, "queue": 10, "running": 1, "waiting": 0 },
        ],
    });
    let ended = [
        run(
            "01n4m2h3k4v5a",
            "poll",
            "finished",
            json!({
                "outcome": "succeeded", "finished_at": at("11:59:00.012"),
            }),
        ),
        run(
            "01n4m2h3k4v5b",
            "prune",
            "finished",
            json!({
                "outcome": "trapped", "finished_at": at("11:59:03"), "reason": "unreachable\nat clean",
            }),
        ),
        run("01n4m2h3k4v5c", "late", "missed", json!({ "reason": "3 h late", "started_at": null })),
    ];
    Snapshot {
        status: serde_json::from_value(status).unwrap(),
        active: vec![
            run("01n4m2h3k4v5w", "report", "running", json!({ "attempt": 2 })),
            run("01n4m2h3k4v5x", "backup", "running", json!({ "started_at": at("11:59:58") })),
            run("01n4m2h3k4v5y", "fetch\u{1b}[2J", "waiting", json!({ "attempt": 0, "started_at": null })),
        ],
        next: vec![
            job("poll", "every 5 seconds", json!({ "next_fire": at("12:00:05") })),
            job("report", "at 05:30 on weekdays", json!({ "next_fire": at("20:30:00") })),
        ],
        paused: vec![job(
            "asleep",
            "every 2 hours",
            json!({
                "paused": { "at": at("10:00:00"), "by": "ada", "note": "until the move" },
            }),
        )],
        ended: ended.into_iter().filter_map(Ended::of_record).collect(),
    }
}
