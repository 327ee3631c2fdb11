//! Jobs that are added, modified, removed and paused by hand, and those that are done.

use clockbox_core::{
    model::{
        Event, JobId, JobPatch, JobRecord, Outcome, Pause, Policy, PolicyPatch, RunState::*, Source, WhenDone,
    },
    timetable::{Conflict, Input, Rejection, Remembered, Running, Unfinished},
};

use crate::support::{EVERY_10_S, Table, at, job, pool, with};

fn id(name: &str) -> JobId {
    JobId::new(name).unwrap()
}

fn modify(name: &str, patch: JobPatch) -> Input {
    Input::ModifyJob { job: id(name), patch: Box::new(patch) }
}

fn once(name: &str) -> clockbox_core::model::Job {
    with(job(name, r#"{ "date": "2030-01-01T00:00:10Z" }"#), |policy| policy.when_done = None)
}

/// What a host finds after a crash of the one that `table` belongs to.
fn restored(table: &Table, now: i64) -> Table {
    let mut jobs: Vec<JobRecord> = table.timetable.jobs().cloned().collect();
    jobs.sort_by(|a, b| a.job.id.cmp(&b.job.id));
    let unfinished = table.runs().into_iter().filter(|run| !run.state.is_final());
    let unfinished = unfinished.map(|run| Unfinished { run, attempt_started_at: None }).collect();
    let remembered =
        Remembered { jobs, unfinished, paused: table.timetable.paused().cloned(), ..Remembered::default() };
    let mut timetable = clockbox_core::timetable::Timetable::new();
    let actions = timetable.restore(at(now), remembered);
    Table { timetable, actions }
}

#[test]
fn a_name_that_is_taken_is_a_matter_of_policy() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    let other = || vec![job("b", EVERY_10_S).into(), job("a", r#"{ "interval": "1h" }"#).into()];
    let before = table.actions.len();
    let error = table.tell(1, Input::AddJobs { jobs: other(), conflict: Conflict::Error }).unwrap_err();
    assert_eq!(error, Rejection::JobExists(id("a")));
    assert!(error.to_string().starts_with("there is a job \"a\" already: choose another name, or "));
    assert_eq!(table.actions.len(), before, "all of them, or none");
    table.tell(2, Input::AddJobs { jobs: other(), conflict: Conflict::Ignore }).unwrap();
    assert_eq!((table.record("a").next_fire, table.record("b").next_fire), (Some(at(10)), Some(at(10))));
    table.tell(3, Input::AddJobs { jobs: other(), conflict: Conflict::Replace }).unwrap();
    assert_eq!(table.record("a").next_fire, Some(at(3603)));
    let twice = vec![job("c", EVERY_10_S).into(), job("c", EVERY_10_S).into()];
    let error = table.tell(4, Input::AddJobs { jobs: twice, conflict: Conflict::Error });
    assert_eq!(error, Err(Rejection::JobExists(id("c"))));
}

#[test]
fn a_job_replaces_only_what_it_added_itself() {
    let of = |name: &str, source: Source| {
        let mut job = with(job(name, EVERY_10_S), |policy| policy.priority = 7);
        job.source = source;
        job.into()
    };
    let mut table = Table::new([job("a", EVERY_10_S)]);
    let adder = clockbox_core::model::Adder { job: id("planner"), plugin: "hello".parse().unwrap() };
    let planner = Source::Job(Box::new(adder));
    let replace = |jobs| Input::AddJobs { jobs, conflict: Conflict::Replace };
    let error = table.tell(1, replace(vec![of("a", planner.clone())])).unwrap_err();
    assert_eq!(error.to_string(), "the job \"a\" comes from the API: choose another name");
    table.tell(1, replace(vec![of("b", planner.clone())])).unwrap();
    table.tell(1, replace(vec![of("b", planner)])).unwrap();
    table.tell(1, replace(vec![of("b", Source::Api)])).unwrap();
    assert_eq!(table.record("b").job.source, Source::Api);
    let error = table.tell(1, replace(vec![of("c", Source::Folder)])).unwrap_err();
    assert_eq!(error, Rejection::WrongSource(id("c")));
}

#[test]
fn each_property_can_be_modified_and_the_others_stay() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    let policy = PolicyPatch { max_instances: Some(2), ..PolicyPatch::default() };
    table.tell(1, modify("a", JobPatch { policy, args: Some("[1]".into()), ..JobPatch::default() })).unwrap();
    let record = table.record("a");
    assert_eq!((record.job.args.as_ref(), record.next_fire), ("[1]", Some(at(10))));
    let expected = Policy { max_instances: 2, ..(*job("a", EVERY_10_S).policy).clone() };
    assert_eq!((&*record.job.policy, &record.declared), (&expected, &None));
    let before = table.actions.len();
    table.tell(2, modify("a", JobPatch::default())).unwrap();
    assert_eq!(table.actions.len(), before, "nothing changed, so nothing is written or told");
    let error = table.tell(3, modify("nobody", JobPatch::default()));
    assert_eq!(error, Err(Rejection::NoSuchJob(id("nobody"))));
}

#[test]
fn a_job_is_rescheduled_at_once_and_keeps_its_history() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.wake(10);
    let trigger = job("a", r#"{ "interval": "1h" }"#).trigger;
    table.tell(15, modify("a", JobPatch { trigger: Some(trigger), ..JobPatch::default() })).unwrap();
    assert_eq!(table.timetable.next_wake(), Some(at(3615)));
    let record = table.record("a");
    assert_eq!((record.last_fire, record.next_fire), (Some(at(10)), Some(at(3615))));
    assert!(matches!(table.events().last(), Some(Event::JobModified { .. })));
}

#[test]
fn a_removed_jobs_runs_end_in_peace_or_are_cancelled() {
    for (running, cancels) in [(Running::Finish, 0), (Running::Cancel, 1)] {
        let mut table = Table::with_pools(
            [pool("default", 1, 9)],
            [with(job("a", EVERY_10_S), |p| {
                p.max_instances = 2;
            })],
        );
        table.wake(10);
        table.wake(20);
        table.remove(21, "a", running);
        assert_eq!(table.cancels().len(), cancels);
        assert_eq!(table.states()[1], (20, Skipped, 0), "what waits is skipped in either case");
        let run = table.launches()[0];
        let outcome = if cancels == 1 { Outcome::Cancelled } else { Outcome::Failed };
        table.finish(22, run, outcome);
        assert_eq!(table.run(run).outcome, Some(outcome));
        assert_eq!(table.timetable.running(), 0);
    }
    let mut table = Table::new([]);
    let removal = Input::RemoveJob { job: id("a"), running: Running::Finish };
    assert_eq!(table.tell(1, removal), Err(Rejection::NoSuchJob(id("a"))));
}

#[test]
fn who_paused_everything_and_why_is_told_and_outlives_a_restart() {
    let mut table = Table::new([job("a", EVERY_10_S)]);
    let (by, note) = (Some("ada".to_owned()), Some("audit".to_owned()));
    table.tell(5, Input::Pause { by: by.clone(), note: note.clone() }).unwrap();
    let pause = Pause { at: at(5), by: by.clone(), note: note.clone() };
    assert_eq!(table.timetable.paused(), Some(&pause));
    assert_eq!(table.events().last(), Some(&Event::SchedulerPaused { by, note }));
    let mut table = restored(&table, 30);
    table.wake(30);
    assert_eq!(table.timetable.paused(), Some(&pause));
    assert_eq!((table.states(), table.timetable.next_wake()), (vec![], None));
    table.tell(31, Input::Resume).unwrap();
    assert_eq!(table.states(), [(30, Running, 2)]);
}

#[test]
fn a_run_on_demand_waits_while_everything_is_paused_and_runs_while_its_job_is() {
    let run_now = || Input::RunNow { job: id("a"), args: None };
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.tell(1, Input::PauseJob { job: id("a"), by: None, note: None }).unwrap();
    table.tell(2, run_now()).unwrap();
    assert_eq!(table.launches().len(), 1);
    let mut table = Table::new([job("a", EVERY_10_S)]);
    table.tell(1, Input::Pause { by: None, note: None }).unwrap();
    table.tell(2, run_now()).unwrap();
    assert_eq!((table.launches().len(), table.runs()[0].state), (0, Waiting));
    table.tell(3, Input::Resume).unwrap();
    assert_eq!(table.launches().len(), 1);
}

#[test]
fn a_job_that_was_added_is_removed_once_its_last_run_has_ended() {
    let mut table = Table::new([once("a"), with(once("kept"), |p| p.when_done = Some(WhenDone::Keep))]);
    table.wake(10);
    assert!(table.timetable.job(&id("a")).is_some(), "it runs");
    table.launches().into_iter().for_each(|run| table.finish(12, run, Outcome::Succeeded));
    let left: Vec<_> = table.timetable.jobs().map(|record| record.job.id.clone()).collect();
    assert_eq!(left, [id("kept")]);
    assert!(table.events().contains(&Event::JobRemoved { job: id("a") }));
}

#[test]
fn a_job_whose_last_fire_was_missed_or_whose_run_was_interrupted_is_done_too() {
    let mut late = Table::new([once("a")]);
    late.wake(100);
    assert_eq!((late.states(), late.timetable.jobs().count()), (vec![(10, Missed, 0)], 0));
    let mut table = Table::new([once("a")]);
    table.wake(10);
    let mut table = restored(&table, 20);
    table.wake(20);
    assert_eq!((table.runs()[0].outcome, table.timetable.jobs().count()), (Some(Outcome::Interrupted), 0));
}

#[test]
fn a_job_that_has_not_fired_yet_or_fires_at_each_start_is_not_done() {
    let never = job("never", r#"{ "interval": "1h", "end": "2030-01-01T00:30:00Z" }"#);
    let reboot = job("reboot", r#"{ "cron": "@reboot" }"#);
    let jobs = [never, reboot].map(|job| with(job, |p| p.when_done = Some(WhenDone::Remove)));
    let mut table = Table::new(jobs);
    table.tell(0, Input::RunNow { job: id("never"), args: None }).unwrap();
    table.launches().into_iter().for_each(|run| table.finish(1, run, Outcome::Succeeded));
    assert_eq!((table.launches().len(), table.timetable.jobs().count()), (2, 2));
}

#[test]
fn a_new_trigger_that_fires_now_steps_aside_for_a_run_on_demand() {
    let mut table = Table::new([with(job("a", EVERY_10_S), |p| p.max_instances = 2)]);
    table.tell(5, Input::RunNow { job: id("a"), args: None }).unwrap();
    let trigger = Some(job("a", "{}").trigger);
    table.tell(5, modify("a", JobPatch { trigger, ..JobPatch::default() })).unwrap();
    table.wake(6);
    let times: std::collections::BTreeSet<_> = table.runs().iter().map(|run| run.scheduled_at).collect();
    assert_eq!((table.launches().len(), times.len()), (2, 2));
}

#[test]
fn what_waits_waits_by_the_grace_and_the_priority_of_now() {
    let long = job("long", "{}");
    let jobs = [long, job("a", EVERY_10_S), job("b", EVERY_10_S)];
    let mut table = Table::with_pools([pool("default", 1, 9)], jobs);
    table.wake(0);
    table.wake(10);
    let policy = PolicyPatch {
        misfire_grace: Some(clockbox_core::model::Grace::Within(std::time::Duration::from_secs(300))),
        priority: Some(9),
        ..PolicyPatch::default()
    };
    table.tell(11, modify("b", JobPatch { policy, ..JobPatch::default() })).unwrap();
    table.wake(100);
    let state = |table: &Table, name: &str| {
        table
            .runs()
            .into_iter()
            .find(|run| run.job.as_str() == name && run.scheduled_at == at(10))
            .unwrap()
            .state
    };
    assert_eq!((state(&table, "a"), state(&table, "b")), (Missed, Waiting));
    let long = table.launches()[0];
    table.finish(101, long, Outcome::Succeeded);
    assert_eq!(state(&table, "b"), Running);
}
