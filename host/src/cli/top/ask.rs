//! What a key asks of the host.

use http::Method;
use serde_json::{Value, json};

use crate::cli::{
    ask::{Host, part},
    exit::Failure,
};

/// A request to the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    Pause { job: String },
    Resume { job: String },
    Run { job: String },
    Cancel { run: String, job: String },
}

impl Ask {
    /// The question back.
    pub(super) fn question(&self) -> String {
        match self {
            Self::Pause { job } => format!("pause {job}?"),
            Self::Resume { job } => format!("resume {job}?"),
            Self::Run { job } => format!("run {job} now?"),
            Self::Cancel { run, job } => format!("stop run {run} of {job}?"),
        }
    }

    /// What is said when it is done.
    fn done(&self) -> String {
        match self {
            Self::Pause { job } => format!("{job} is paused, over restarts too"),
            Self::Resume { job } => format!("{job} fires again"),
            Self::Run { job } => format!("a run of {job} is on record"),
            Self::Cancel { run, job } => format!("run {run} of {job} was asked to stop"),
        }
    }

    fn request(&self, by: &Value) -> (String, Value) {
        let of_job = |job: &str, what: &str| format!("/v1/jobs/{}/{what}", part(job));
        match self {
            Self::Pause { job } => (of_job(job, "pause"), by.clone()),
            Self::Resume { job } => (of_job(job, "resume"), json!({})),
            Self::Run { job } => (of_job(job, "run"), json!({})),
            Self::Cancel { run, .. } => (format!("/v1/runs/{}/cancel", part(run)), json!({})),
        }
    }

    /// Asks it, and says what came of it. `by` is what the host is told of who pauses.
    pub(super) fn put(&self, host: &mut Host, by: &Value) -> Result<String, Failure> {
        let (path, body) = self.request(by);
        host.send(Method::POST, &path, Some(&body))?;
        Ok(self.done())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parts_of_a_path() {
        let run = Ask::Run { job: "a/b".to_owned() };
        assert_eq!(run.request(&json!({})).0, "/v1/jobs/a%2Fb/run");
        let pause = Ask::Pause { job: "a".to_owned() };
        assert_eq!(
            pause.request(&json!({ "by": "ada" })),
            ("/v1/jobs/a/pause".to_owned(), json!({ "by": "ada" }))
        );
        let cancel = Ask::Cancel { run: "01n4m2h3k4v5w".to_owned(), job: "a".to_owned() };
        assert_eq!(cancel.request(&json!({})).0, "/v1/runs/01n4m2h3k4v5w/cancel");
    }
}
