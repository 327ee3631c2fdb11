//! `clockbox events`: what happens on a running host, as it happens.

use std::ops::ControlFlow;

use chrono_tz::Tz;
use clap::Args;
use clockbox_core::{model::Timestamp, trigger::local_time};
use http::HeaderName;
use serde_json::Value;

use super::{
    Output,
    ask::{HostArgs, query},
    exit::{Failure, print},
    jobs::zone_of,
    text,
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

#[derive(Debug, Args)]
pub(super) struct EventsArgs {
    #[command(flatten)]
    host: HostArgs,
    /// Go on until the host ends; that is what happens unless -n says otherwise.
    #[arg(short, long, conflicts_with = "count")]
    follow: bool,
    /// End after so many events.
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Only events of this job; may be given more than once.
    #[arg(long)]
    job: Vec<String>,
    /// Only events of this kind (run-finished, missed, …); may be given more than once.
    #[arg(long, value_name = "KIND")]
    event: Vec<String>,
    /// Only what happened after the event of this id, as far as the host remembers.
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    #[command(flatten)]
    output: Output,
}

pub(super) fn events(args: &EventsArgs) -> Result<(), Failure> {
    let several = |said: &[String]| (!said.is_empty()).then(|| said.join(","));
    let (jobs, kinds) = (several(&args.job), several(&args.event));
    let path = format!("/v1/events{}", query(&[("job", jobs.as_deref()), ("event", kinds.as_deref())]));
    let headers: Vec<(HeaderName, &str)> =
        args.after.as_deref().map(|id| (LAST_EVENT_ID, id)).into_iter().collect();
    let mut host = args.host.connect()?;
    let zone = zone_of(&mut host)?;
    // A host that has just ended says no more; that it has is no failure of whoever listens.
    let mut left = args.count.filter(|_| !args.follow);
    let mut done = Ok(());
    host.follow_lines(&path, &headers, |line| {
        // Whatever belongs to an event is in its data, but for its id.
        let Some(data) = line.strip_prefix("data:") else { return ControlFlow::Continue(()) };
        done = tell(data.trim_start(), zone, args.output);
        left = left.map(|left| left.saturating_sub(1));
        if done.is_err() || left == Some(0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    done
}

fn tell(data: &str, zone: Tz, output: Output) -> Result<(), Failure> {
    if output.json {
        return print(&format!("{data}\n"));
    }
    let event: Value = serde_json::from_str(data)
        .map_err(|error| Failure::new(format!("the host's answer is not understood: {error}")))?;
    print(&format!("{}\n", shown(&event, zone)))
}

/// An event on one line: its time, its job, what happened, and what belongs to it.
fn shown(event: &Value, zone: Tz) -> String {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let at = event["at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    let time = at.map(|at| local_time(at, zone).format("%H:%M:%S%.3f").to_string()).unwrap_or_default();
    let job = event["job"].as_str().unwrap_or_default();
    let kind = match &event["event"] {
        Value::Null if event.get("lost").is_some() => "lost".to_owned(),
        kind => word(kind),
    };
    let rest = event.as_object().into_iter().flatten();
    let rest = rest
        .filter(|(key, value)| !matches!(key.as_str(), "at" | "seq" | "job" | "event") && !value.is_null());
    let rest: String = rest.map(|(key, value)| format!(" {key}={}", word(value))).collect();
    text::plain(&format!("{time:<12} {job:<12} {kind}{rest}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let event = json!({
            "seq": 3, "at": "2030-01-01T00:00:00.5Z", "event": "run-finished", "job": "a", "outcome": "failed",
            "reason": "no\nsuch", "elapsed_ms": null,
        });
        let line = shown(&event, chrono_tz::Asia::Tokyo);
        assert_eq!(line, "09:00:00.500 a            run-finished outcome=failed reason=no\u{fffd}such");
        assert!(shown(&json!({ "lost": 3 }), Tz::UTC).ends_with("lost lost=3"));
    }
}
