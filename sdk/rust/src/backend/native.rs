//! Outside a sandbox: answers from `testing`, and log lines on stderr too.

use crate::{
    context::Cause,
    log::Level,
    testing::{Line, Progress, host},
};

pub(crate) fn job_id() -> String {
    host(|host| host.facts.job_id.clone())
}

pub(crate) fn run_id() -> String {
    host(|host| host.facts.run_id.clone())
}

pub(crate) fn attempt() -> u32 {
    host(|host| host.facts.attempt)
}

pub(crate) fn scheduled_at() -> String {
    host(|host| host.facts.scheduled_at.clone())
}

pub(crate) fn previous_success() -> Option<String> {
    host(|host| host.facts.previous_success.clone())
}

pub(crate) fn cause() -> Cause {
    host(|host| host.facts.cause)
}

pub(crate) fn idempotency_key() -> String {
    host(|host| host.facts.idempotency_key.clone())
}

pub(crate) fn deadline_ms() -> u64 {
    host(|host| u64::try_from(host.facts.deadline.as_millis()).unwrap_or(u64::MAX))
}

pub(crate) fn is_cancelled() -> bool {
    host(|host| host.facts.cancelled)
}

pub(crate) fn config(key: &str) -> Option<String> {
    host(|host| host.facts.config.get(key).cloned())
}

pub(crate) fn log(level: Level, message: &str, fields: &[(&str, String)]) {
    let fields = fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let line = Line { level, message: message.to_owned(), fields };
    eprintln!("{line}");
    host(|host| host.lines.push(line));
}

pub(crate) fn progress(done: u64, total: Option<u64>, note: Option<&str>) {
    host(|host| host.progress = Some(Progress { done, total, note: note.map(str::to_owned) }));
}

#[cfg(feature = "http")]
pub(crate) fn send(request: &crate::http::Request) -> Result<crate::http::Response, crate::http::Error> {
    use crate::http::{Error, ErrorKind};
    match host(|host| host.answer.clone()) {
        Some(answer) => answer(request),
        None => Err(Error::new(ErrorKind::Denied, "no `testing::answer_http` was set")),
    }
}
