//! `clockbox status`: how a running host stands.

use chrono_tz::Tz;
use clap::Args;

use super::{
    Output,
    ask::HostArgs,
    exit::{Failure, print, print_json},
    pools, text,
};
use crate::control::view::StatusView;

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    host: HostArgs,
    #[command(flatten)]
    output: Output,
}

pub(super) fn status(args: &StatusArgs) -> Result<(), Failure> {
    // Whether a host runs is the question here: that none does is an answer.
    let mut host = args.host.try_connect()?.map_err(|nobody| match nobody.is_mixed_up() {
        true => nobody.failure(),
        false => Failure::no(nobody.to_string())
            .hint("`clockbox runs` and `clockbox jobs list` show what the last one left"),
    })?;
    let status: StatusView = host.get("/v1/status")?;
    if args.output.json {
        return print_json(&status);
    }
    print(&shown(&status))
}

/// How a host stands, for people.
pub(super) fn shown(status: &StatusView) -> String {
    let zone: Tz = status.timezone.parse().unwrap_or(Tz::UTC);
    let at = |at| format!("{} ({})", text::local(at, zone), text::distance(at, status.now));
    let mut out = String::new();
    let mut line = |key: &str, value: String| out.push_str(&format!("{key:<9} {}\n", text::plain(&value)));
    let state = match (&status.paused, status.draining) {
        (_, true) => "stopping: nothing starts any more".to_owned(),
        (Some(pause), false) => {
            let by = pause.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            let note = pause.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
            format!("paused since {}{by}{note}", at(pause.at))
        }
        (None, false) => "running".to_owned(),
    };
    line("state", state);
    line("version", format!("{}, process {}", status.version, status.pid));
    line("started", at(status.started_at));
    line("timezone", status.timezone.clone());
    let paused =
        if status.paused_jobs > 0 { format!(", {} paused", status.paused_jobs) } else { String::new() };
    line("jobs", format!("{}{paused}", status.jobs));
    line("runs", format!("{} running, {} waiting", status.running, status.waiting));
    line("next", status.next_wake.map_or_else(|| "nothing".to_owned(), at));
    out.push('\n');
    out.push_str(&pools::table(&status.pools));
    out
}
