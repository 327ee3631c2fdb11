//! Inputs and actions in few words.

use clockbox_core::{model::*, timetable::*};

pub(crate) fn input(input: &Input) -> String {
    match input {
        Input::Apply(Change { pools, put, remove }) => {
            let put: Vec<String> = put.iter().map(|job| self::job(job)).collect();
            format!("Apply pools {pools:?} put {put:?} remove {remove:?}")
        }
        Input::AddJobs { jobs, conflict } => {
            let jobs: Vec<String> = jobs.iter().map(|job| self::job(job)).collect();
            format!("AddJobs {conflict:?} {jobs:?}")
        }
        Input::Finished { run, attempt, report } => {
            format!("Finished {run} attempt {attempt}: {} {:?}", report.outcome, report.retry)
        }
        other => format!("{other:?}"),
    }
}

fn job(job: &Job) -> String {
    format!("{} {:?} in {} {:?} of {}", job.id, job.trigger.spec().when(), job.pool, job.policy, job.source)
}

pub(crate) fn action(action: &Action) -> String {
    let run = |run: &Run| {
        let outcome = run.outcome.map(|outcome| format!(" {outcome}")).unwrap_or_default();
        let reason = run.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!(
            "{} of {} at {}: {}{outcome} attempt {} coalesced {}{reason}",
            run.id,
            run.job,
            run.scheduled_at.format("%T%.3f"),
            run.state,
            run.attempt,
            run.coalesced
        )
    };
    match action {
        Action::Write(Write::Fire { run: fire, next_fire }) => {
            let next = next_fire.flatten().map(|next| next.format("%T%.3f").to_string());
            format!("write fire {}, next {next:?}", run(fire))
        }
        Action::Write(Write::Update { run: updated, attempt }) => {
            let attempt = attempt.as_ref().map(|attempt| attempt.number);
            format!("write {}, attempt {attempt:?}", run(updated))
        }
        Action::Write(Write::PutJob(record)) => {
            format!("write job {} next {:?} paused {:?}", record.job.id, record.next_fire, record.paused)
        }
        Action::Write(write) => format!("write {write:?}"),
        Action::Launch(launch) => format!("launch {} attempt {}", launch.run.id, launch.run.attempt),
        Action::Cancel(run) => format!("cancel {run}"),
        Action::Publish(event) => format!("tell {event:?}"),
    }
}
