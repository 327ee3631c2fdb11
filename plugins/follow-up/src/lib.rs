//! Does to other jobs what its arguments say: adds, pauses, resumes, runs and removes them.

use std::collections::BTreeMap;

use clockbox_sdk::{JobError, context, job, jobs, log};
use serde_json::Value;

#[derive(serde::Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Args {
    /// Jobs to remove.
    remove: Vec<String>,
    /// Jobs to add by name, with the keys of a job in the manifest.
    add: BTreeMap<String, Value>,
    /// What becomes of names that are taken.
    on_conflict: OnConflict,
    /// Jobs to add, so many of each, with a number behind their names.
    copies: Option<u32>,
    /// Keys to change of jobs.
    modify: BTreeMap<String, Value>,
    /// Jobs to pause.
    pause: Vec<String>,
    /// Jobs to resume.
    resume: Vec<String>,
    /// Jobs to run once.
    run: Vec<String>,
}

#[derive(serde::Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum OnConflict {
    #[default]
    Error,
    Replace,
    Ignore,
}

impl From<OnConflict> for jobs::Conflict {
    fn from(on_conflict: OnConflict) -> Self {
        match on_conflict {
            OnConflict::Error => Self::Error,
            OnConflict::Replace => Self::Replace,
            OnConflict::Ignore => Self::Ignore,
        }
    }
}

fn run(args: Args) -> Result<Vec<String>, JobError> {
    for name in &args.remove {
        jobs::remove(name)?;
    }
    for (name, job) in &args.add {
        match args.copies {
            None => jobs::add(name, job, args.on_conflict.into())?,
            Some(copies) => {
                for n in 1..=copies {
                    jobs::add(&format!("{name}-{n}"), job, args.on_conflict.into())?;
                }
            }
        }
    }
    for (name, changes) in &args.modify {
        jobs::modify(name, changes)?;
    }
    for name in &args.pause {
        jobs::pause(name, context::job_id().as_str())?;
    }
    for name in &args.resume {
        jobs::resume(name)?;
    }
    for name in &args.run {
        jobs::run(name)?;
    }
    let names = jobs::list()?;
    log::info!("{} jobs to be seen", names.len());
    Ok(names)
}

job!(run, description = include_str!("../job.toml"));

#[cfg(test)]
mod tests {
    use clockbox_sdk::testing;
    use serde_json::json;

    use super::run;

    #[test]
    fn it_does_what_its_arguments_say() {
        let args = r#"{ "add": { "a": { "args": 1 } }, "pause": ["a"], "run": ["a"] }"#;
        assert_eq!(testing::call(run, args), Ok(Some(json!(["a"]))));
        assert_eq!(testing::jobs()["a"], json!({ "args": 1, "paused": { "note": "test-job" } }));
        assert_eq!(testing::job_runs().len(), 1);
        let args =
            r#"{ "remove": ["a"], "add": { "b": {} }, "copies": 3, "modify": { "b-2": { "args": 7 } } }"#;
        assert_eq!(testing::call(run, args), Ok(Some(json!(["b-1", "b-2", "b-3"]))));
        assert_eq!(testing::jobs()["b-2"]["args"], 7);
    }

    #[test]
    fn a_refusal_fails_it_and_undoes_what_it_asked_for() {
        let args = r#"{ "add": { "a": {} }, "resume": ["nobody"] }"#;
        assert_eq!(testing::call(run, args).unwrap_err().failure().code, "no-such-job");
        assert!(testing::jobs().is_empty());
    }
}
