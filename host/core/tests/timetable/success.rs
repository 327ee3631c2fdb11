//! What a run brings about with its success: done when the store has taken it, and not at all otherwise.

use clockbox_core::{
    model::*,
    timetable::{Change, Conflict, Input, Rejection},
};

use crate::support::{EVERY_10_S, Table, at, job, pool, with};

const NEVER: &str = r#"{ "date": "2099-01-01T00:00:00Z" }"#;
const NOW: &str = "{}";

fn id(name: &str) -> JobId {
    name.parse().unwrap()
}

fn adder() -> Adder {
    Adder { job: id("parent"), plugin: "hello".parse().unwrap() }
}

/// A job as a run of `parent` adds it.
fn added(name: &str, trigger: &str) -> Job {
    let mut job = with(job(name, trigger), |policy| policy.when_done = None);
    job.source = Source::Job(Box::new(adder()));
    job
}

fn adding(name: &str, trigger: &str, conflict: Conflict) -> JobChange {
    JobChange::Add { job: added(name, trigger).into(), conflict }
}

fn effects(list: impl Into<Vec<JobChange>>) -> Effects {
    let plugins = ["hello".parse().unwrap()].into();
    let reach = JobsReach { by: adder(), plugins, max_jobs: 3 };
    Effects { state: None, jobs: Some(JobChanges { reach, list: list.into() }) }
}

/// A table whose job `parent` runs since second 10.
fn running(jobs: impl IntoIterator<Item = Job>) -> (Table, RunId) {
    let mut table = Table::with_pools([pool("default", 9, 9)], [job("parent", EVERY_10_S)]);
    table.add(0, jobs);
    table.wake(10);
    let run = table.launches()[0];
    (table, run)
}

fn succeed(table: &mut Table, now: i64, run: RunId, effects: Effects) {
    let report = Report { effects: Some(Box::new(effects)), ..Report::new(Outcome::Succeeded) };
    table.finish_with(now, run, report);
}

fn settle(table: &mut Table, now: i64, run: RunId, answer: Result<(), Refusal>) {
    table.tell(now, Input::Settled { run, answer }).unwrap();
}

/// The latest success that was submitted.
fn submitted(table: &Table) -> (Run, Vec<Write>) {
    let success = |action: &clockbox_core::timetable::Action| match action {
        clockbox_core::timetable::Action::Write(Write::Success { run, jobs, .. }) => {
            Some(((**run).clone(), jobs.clone()))
        }
        _ => None,
    };
    table.actions.iter().filter_map(success).next_back().unwrap()
}

#[track_caller]
fn fails(table: &mut Table, now: i64, run: RunId, effects: Effects, why: &str) {
    succeed(table, now, run, effects);
    let run = table.run(run);
    assert_eq!((run.outcome, run.reason.as_deref()), (Some(Outcome::Failed), Some(why)));
}

#[test]
fn a_job_that_a_run_adds_is_there_when_the_store_has_taken_the_success() {
    let (mut table, run) = running([]);
    succeed(&mut table, 11, run, effects([adding("next", NOW, Conflict::Error)]));
    let (record, writes) = submitted(&table);
    assert_eq!((record.state, record.outcome), (RunState::Finished, Some(Outcome::Succeeded)));
    assert!(matches!(&writes[..], [Write::PutJob(record)] if record.next_fire == Some(at(11))), "{writes:?}");
    // Its place in the pool is free, the job's own is not, and nothing is told yet.
    assert_eq!((table.timetable.running(), table.timetable.jobs().count()), (0, 1));
    assert_eq!(table.timetable.active_runs().count(), 1);
    assert!(!table.events().iter().any(|event| matches!(event, Event::RunFinished { .. })));

    settle(&mut table, 12, run, Ok(()));
    assert!(
        table
            .events()
            .iter()
            .any(|event| matches!(event, Event::RunFinished { outcome: Outcome::Succeeded, .. }))
    );
    assert!(
        table.events().iter().any(|event| matches!(event, Event::JobAdded { job } if *job == id("next")))
    );
    assert_eq!(table.record("parent").last_success, Some(at(10)));
    // It fires at once, knows where it comes from, and goes when it is done.
    let follow_up = table.launches()[1];
    assert_eq!(table.run(follow_up).job, id("next"));
    assert_eq!(table.record("next").job.source, Source::Job(Box::new(adder())));
    assert_eq!(table.timetable.added_by(&adder().plugin), 1);
    table.finish(13, follow_up, Outcome::Succeeded);
    assert!(table.timetable.job(&id("next")).is_none());
    assert_eq!(table.timetable.added_by(&adder().plugin), 0);
}

#[test]
fn a_refused_success_is_a_failure_that_may_be_tried_again_and_leaves_nothing() {
    let retried = with(job("parent", EVERY_10_S), |policy| policy.retry.attempts = 2);
    let (mut table, run) = running([retried]);
    let state = StateChanges { limit: 9, ..StateChanges::default() };
    let effects = Effects { state: Some(state), ..effects([adding("next", NOW, Conflict::Error)]) };
    succeed(&mut table, 11, run, effects.clone());
    settle(&mut table, 11, run, Err(Refusal::StateConflict { key: "k".to_owned() }));
    let failed = table.run(run);
    assert_eq!(failed.state, RunState::Retrying);
    assert!(failed.reason.unwrap().starts_with("state conflict: the key \"k\" was changed"));
    assert_eq!(table.attempts().last().unwrap().outcome, Some(Outcome::Failed));
    assert_eq!(table.timetable.jobs().count(), 1);

    table.wake(60);
    succeed(&mut table, 61, run, effects);
    settle(&mut table, 61, run, Err(Refusal::StateFull { size: 2048, limit: 1024 }));
    let failed = table.run(run);
    assert_eq!(
        (failed.state, failed.outcome, failed.output),
        (RunState::Finished, Some(Outcome::Failed), None)
    );
    assert_eq!(
        failed.reason.unwrap(),
        "the state of the job would take 2.0 KiB and the limit is 1.0 KiB (raise limits.state)"
    );
    assert!(
        !table.events().iter().any(|event| matches!(event, Event::JobAdded { job } if *job == id("next")))
    );
}

#[test]
fn a_run_that_was_asked_to_stop_is_not_tried_again_when_its_success_is_refused() {
    let retried = with(job("parent", EVERY_10_S), |policy| policy.retry.attempts = 2);
    for is_known_at_once in [true, false] {
        let (mut table, run) = running([retried.clone()]);
        table.tell(10, Input::CancelRun { run, why: "enough".to_owned() }).unwrap();
        if is_known_at_once {
            succeed(&mut table, 11, run, effects([JobChange::Remove(id("nobody"))]));
        } else {
            succeed(&mut table, 11, run, effects([adding("next", NEVER, Conflict::Error)]));
            settle(&mut table, 11, run, Err(Refusal::AlreadyRecorded));
        }
        assert_eq!(
            (table.run(run).state, table.run(run).outcome),
            (RunState::Finished, Some(Outcome::Failed))
        );
    }
}

#[test]
fn a_run_that_is_cancelled_while_its_success_is_settled_is_not_tried_again_when_that_is_refused() {
    for answer in [Ok(()), Err(Refusal::AlreadyRecorded)] {
        let retried = with(job("parent", EVERY_10_S), |policy| policy.retry.attempts = 2);
        let (mut table, run) = running([retried]);
        succeed(&mut table, 11, run, effects([adding("next", NEVER, Conflict::Error)]));
        table.tell(12, Input::CancelRun { run, why: "late".to_owned() }).unwrap();
        assert_eq!(table.cancelling(), [Some("late".to_owned())]);
        settle(&mut table, 13, run, answer.clone());
        assert_eq!(table.cancelling(), [Some("late".to_owned()), None]);
        assert!(table.timetable.active_runs().len() == 0, "after {answer:?}");
    }
}

#[test]
fn what_ends_in_any_other_way_brings_nothing_about() {
    for outcome in Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Succeeded) {
        let (mut table, run) = running([]);
        let effects = Some(Box::new(effects([adding("next", NOW, Conflict::Error)])));
        table.finish_with(11, run, Report { effects, ..Report::new(outcome) });
        assert_eq!(table.run(run).outcome, Some(outcome));
        assert_eq!(table.timetable.jobs().count(), 1, "{outcome}");
    }
}

#[test]
fn a_guest_changes_what_guests_added_and_pauses_and_runs_what_others_did() {
    let other = |mut job: Job| {
        job.plugin = "other".parse().unwrap();
        job
    };
    let jobs = [job("ours", NEVER), added("child", NEVER), other(added("foreign", NEVER))];
    let patch = || Box::new(JobPatch { args: Some("[1]".into()), ..JobPatch::default() });
    let note = || Some("enough".to_owned());
    for (change, why) in [
        (adding("ours", NEVER, Conflict::Error), "there is a job \"ours\" by now"),
        (
            adding("ours", NEVER, Conflict::Replace),
            "the job \"ours\" was not added by a run, or is of another plugin by now",
        ),
        (
            JobChange::Modify { job: id("ours"), patch: patch() },
            "the job \"ours\" was not added by a run, or is of another plugin by now",
        ),
        (
            JobChange::Remove(id("ours")),
            "the job \"ours\" was not added by a run, or is of another plugin by now",
        ),
        (JobChange::Pause { job: id("foreign"), note: note() }, "there is no job \"foreign\" any more"),
        (JobChange::Run { job: id("gone"), args: None }, "there is no job \"gone\" any more"),
    ] {
        let (mut table, run) = running(jobs.clone());
        // What comes before it is not done either.
        let list = [adding("next", NOW, Conflict::Error), change];
        fails(&mut table, 11, run, effects(list), &format!("jobs conflict: {why}"));
        assert_eq!(table.timetable.jobs().count(), 4);
    }
    let (mut table, run) = running(jobs);
    let list = [
        JobChange::Pause { job: id("ours"), note: note() },
        JobChange::Run { job: id("ours"), args: Some("7".to_owned()) },
        JobChange::Modify { job: id("child"), patch: patch() },
        adding("ours", NEVER, Conflict::Ignore),
        adding("next", NEVER, Conflict::Error),
        adding("next", EVERY_10_S, Conflict::Replace),
        JobChange::Remove(id("next")),
        adding("next", NEVER, Conflict::Error),
        JobChange::Run { job: id("next"), args: None },
    ];
    succeed(&mut table, 11, run, effects(list));
    settle(&mut table, 11, run, Ok(()));
    let ours = table.record("ours");
    assert_eq!(ours.paused.as_ref().unwrap().by.as_deref(), Some("the job parent"));
    assert_eq!((ours.job.args.as_ref(), table.record("child").job.args.as_ref()), ("null", "[1]"));
    assert_eq!(table.record("next").next_fire, Some("2099-01-01T00:00:00Z".parse().unwrap()));
    let runs: Vec<Run> = table.runs().into_iter().filter(|run| run.cause == Cause::Manual).collect();
    assert_eq!(runs.iter().map(|run| run.job.as_str()).collect::<Vec<_>>(), ["ours", "next"]);
    assert_eq!(runs[0].args.as_deref(), Some("7"));
    assert!(runs.iter().all(|run| run.state == RunState::Running));
}

#[test]
fn jobs_of_the_manifest_can_be_paused_and_not_removed() {
    let (mut table, run) = running([]);
    let mut declared = job("declared", NEVER);
    declared.source = Source::Manifest;
    table.apply(10, Change { put: vec![declared.into()], ..Change::default() });
    let pause = JobChange::Pause { job: id("declared"), note: None };
    let list = [pause, JobChange::Remove(id("declared"))];
    fails(
        &mut table,
        11,
        run,
        effects(list),
        "jobs conflict: the job \"declared\" was not added by a run, or is of another plugin by now",
    );
    assert!(table.record("declared").paused.is_none());
}

#[test]
fn runs_of_a_plugin_have_so_many_jobs_at_one_time_and_no_more() {
    let (mut table, run) = running([]);
    let names = ["a", "b", "c", "d"];
    let many = |names: &[&str]| {
        effects(names.iter().map(|name| adding(name, NEVER, Conflict::Error)).collect::<Vec<_>>())
    };
    let limit = "jobs conflict: runs of plugin \"hello\" would have added 4 jobs and the limit is 3 \
                 (allow.jobs.max_jobs)";
    fails(&mut table, 11, run, many(&names), limit);
    table.wake(20);
    let run = table.launches()[1];
    succeed(&mut table, 21, run, many(&names[..3]));
    settle(&mut table, 21, run, Ok(()));
    table.wake(30);
    let run = table.launches()[2];
    let mut swap = many(&["d"]);
    swap.jobs.as_mut().unwrap().list.insert(0, JobChange::Remove(id("a")));
    succeed(&mut table, 31, run, swap);
    settle(&mut table, 31, run, Ok(()));
    table.wake(40);
    let run = table.launches()[3];
    fails(&mut table, 41, run, many(&["e"]), limit);
    // Counted again after a restart.
    let jobs = table.timetable.jobs().cloned().collect();
    let restored = Table::restored(50, jobs, Vec::new());
    assert_eq!(restored.timetable.added_by(&adder().plugin), 3);
}

#[test]
fn a_pool_that_nobody_declared_is_not_made() {
    let (mut table, run) = running([]);
    let mut job = added("next", NOW);
    job.pool = "new".parse().unwrap();
    let change = JobChange::Add { job: job.into(), conflict: Conflict::Error };
    fails(&mut table, 11, run, effects([change]), "jobs conflict: there is no pool \"new\"");
}

#[test]
fn what_is_about_a_job_that_is_being_changed_waits_and_the_rest_goes_on() {
    let (mut table, run) = running([job("other", NEVER)]);
    succeed(&mut table, 11, run, effects([adding("next", NEVER, Conflict::Error)]));
    let report = |name: &str| {
        let effects = Some(Box::new(effects([adding(name, NOW, Conflict::Ignore)])));
        Box::new(Report { effects, ..Report::new(Outcome::Succeeded) })
    };
    let inputs = |name: &str| {
        [
            Input::Apply(Change { put: vec![job(name, NEVER).into()], ..Change::default() }),
            Input::Apply(Change { remove: vec![id(name)], ..Change::default() }),
            Input::AddJobs { jobs: vec![job(name, NEVER).into()], conflict: Conflict::Error },
            Input::ModifyJob { job: id(name), patch: Box::default() },
            Input::RemoveJob { job: id(name), running: Default::default() },
            Input::RunNow { job: id(name), args: None },
            Input::PauseJob { job: id(name), by: None, note: None },
            Input::ResumeJob(id(name)),
            Input::Finished { run, attempt: 1, report: report(name) },
        ]
    };
    assert!(table.timetable.is_settling());
    assert!(inputs("next").iter().all(|input| table.timetable.must_wait(input)));
    assert!(!inputs("other").iter().any(|input| table.timetable.must_wait(input)));
    assert!(!table.timetable.must_wait(&Input::Wake));
    settle(&mut table, 11, run, Ok(()));
    assert!(!inputs("next").iter().any(|input| table.timetable.must_wait(input)));
}

#[test]
fn a_job_holds_its_place_until_its_success_is_settled() {
    let waits = with(job("parent", EVERY_10_S), |policy| policy.overlap = Overlap::Wait);
    let (mut table, run) = running([waits]);
    succeed(&mut table, 11, run, effects([adding("next", NEVER, Conflict::Error)]));
    table.wake(20);
    assert_eq!(table.launches().len(), 1);
    // It has ended: there is nothing to cancel.
    table.tell(21, Input::CancelRun { run, why: "late".to_owned() }).unwrap();
    assert!(table.cancels().is_empty());
    settle(&mut table, 22, run, Ok(()));
    assert_eq!(table.launches().len(), 2);
    assert_eq!(
        table.tell(23, Input::CancelRun { run, why: "later".to_owned() }),
        Err(Rejection::NoSuchRun(run))
    );
}

#[test]
fn a_run_whose_job_was_removed_leaves_no_state_but_its_follow_up_jobs() {
    let (mut table, run) = running([]);
    table.remove(11, "parent", Default::default());
    let state = Some(StateChanges { limit: 9, ..StateChanges::default() });
    succeed(&mut table, 12, run, Effects { state, ..effects([adding("next", NEVER, Conflict::Error)]) });
    let success = table.actions.iter().rev().find_map(|action| match action {
        clockbox_core::timetable::Action::Write(Write::Success { state, .. }) => Some(state.is_some()),
        _ => None,
    });
    assert_eq!(success, Some(false));
    settle(&mut table, 12, run, Ok(()));
    assert_eq!(table.timetable.jobs().map(|record| record.job.id.as_str()).collect::<Vec<_>>(), ["next"]);
}

#[test]
fn a_job_that_went_by_itself_meanwhile_stays_gone() {
    // Its one fire is over before the success that changes it is settled.
    let (mut table, run) = running([added("child", r#"{ "date": "2030-01-01T00:00:12Z" }"#)]);
    let patch = Box::new(JobPatch { args: Some("[1]".into()), ..JobPatch::default() });
    let list =
        [JobChange::Modify { job: id("child"), patch }, JobChange::Run { job: id("child"), args: None }];
    succeed(&mut table, 11, run, effects(list));
    table.wake(12);
    let child = *table.launches().last().unwrap();
    table.finish(13, child, Outcome::Succeeded);
    assert!(table.timetable.job(&id("child")).is_none());
    settle(&mut table, 14, run, Ok(()));
    assert!(table.timetable.job(&id("child")).is_none());
    let skipped = table.runs().into_iter().find(|run| run.state == RunState::Skipped).unwrap();
    assert_eq!((skipped.job, skipped.reason.as_deref()), (id("child"), Some("the job was removed")));
}
