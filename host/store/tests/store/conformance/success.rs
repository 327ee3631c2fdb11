//! A success and what it brings about: all of it or nothing.

use std::sync::Arc;

use clockbox_core::model::{Outcome, Refusal, Run, RunState, StateChanges, Write};
use clockbox_store::JobStore;

use super::over_every_store;
use crate::support::{
    at, attempt, commit, commit_one, entry, finished, fire, job, job_id, put, run_id, second, state, waiting,
};

over_every_store! {
    a_success_and_what_it_brings_about_are_there_together,
    where_any_part_is_refused_nothing_is_done,
    the_others_of_a_batch_stand,
    a_success_of_a_job_that_is_gone_leaves_no_state,
    a_job_that_removes_itself_is_gone,
}

fn changes(key: &str, value: &str) -> StateChanges {
    StateChanges { put: [entry(key, value, None)].into(), limit: 1000, ..StateChanges::default() }
}

fn running(store: &dyn JobStore) -> Run {
    let run = waiting(1, "report", at("10:00:00"));
    commit(store, &[put(&job("report")), fire(&run)]);
    run
}

fn success(run: &Run, state: Option<StateChanges>, jobs: Vec<Write>) -> Write {
    let run = Arc::new(finished(run, Outcome::Succeeded));
    Write::Success { run, attempt: Box::new(attempt(1)), state: state.map(Box::new), jobs }
}

fn state_of(store: &dyn JobStore, job: &str) -> Vec<String> {
    store.state(&job_id(job), at("12:00:00")).unwrap().0.into_keys().collect()
}

fn a_success_and_what_it_brings_about_are_there_together(store: &dyn JobStore) {
    let run = running(store);
    let asked = waiting(2, "next", second(1));
    let jobs = vec![put(&job("next")), fire(&asked)];
    commit(store, &[success(&run, Some(changes("k", "1")), jobs)]);
    let detail = store.run(run.id).unwrap().unwrap();
    assert_eq!((detail.run.outcome, detail.attempts.len()), (Some(Outcome::Succeeded), 1));
    assert_eq!(state_of(store, "report"), ["k"]);
    let snapshot = store.load().unwrap();
    let names: Vec<_> = snapshot.jobs.iter().map(|record| record.job.id.as_str()).collect();
    assert_eq!((names, snapshot.unfinished), (vec!["next", "report"], vec![asked]));
    assert_eq!(snapshot.jobs[1].last_success, Some(at("10:00:00")));
}

fn where_any_part_is_refused_nothing_is_done(store: &dyn JobStore) {
    let run = running(store);
    let next = || vec![put(&job("next")), fire(&waiting(2, "next", second(1)))];
    let conflict =
        StateChanges { expected: [("other".to_owned(), Some(Arc::from(*b"1")))].into(), ..changes("k", "1") };
    let full = StateChanges { limit: 10, ..changes("k", "1") };
    // Of a job that has this time already.
    let mut taken = next();
    taken.push(fire(&waiting(3, "report", at("10:00:00"))));
    let nobody = waiting(9, "report", at("11:00:00"));
    for (write, refusal) in [
        (success(&run, Some(conflict), next()), Refusal::StateConflict { key: "other".to_owned() }),
        (success(&run, Some(full), next()), Refusal::StateFull { size: 66, limit: 10 }),
        (success(&run, Some(changes("k", "1")), taken), Refusal::AlreadyRecorded),
        (success(&nobody, Some(changes("k", "1")), next()), Refusal::NoSuchRun),
    ] {
        assert_eq!(commit_one(store, write), Err(refusal));
        let snapshot = store.load().unwrap();
        assert_eq!((snapshot.jobs.len(), snapshot.unfinished.len()), (1, 1));
        assert_eq!(snapshot.jobs[0].last_success, None);
        let detail = store.run(run.id).unwrap().unwrap();
        assert_eq!((detail.run.state, detail.attempts.len()), (RunState::Waiting, 0));
        assert_eq!(state_of(store, "report"), [""; 0]);
    }
}

fn the_others_of_a_batch_stand(store: &dyn JobStore) {
    let run = running(store);
    let full = StateChanges { limit: 10, ..changes("k", "1") };
    let batch = [
        state("report", changes("before", "")),
        success(&run, Some(full), vec![put(&job("next"))]),
        state("report", changes("after", "")),
        fire(&waiting(4, "report", second(4))),
    ];
    let answers = store.commit(&batch).unwrap();
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, true]);
    assert_eq!(state_of(store, "report"), ["after", "before"]);
    assert_eq!(store.jobs().unwrap().len(), 1);
    assert!(store.run(run_id(4)).unwrap().is_some());
}

fn a_success_of_a_job_that_is_gone_leaves_no_state(store: &dyn JobStore) {
    let run = running(store);
    commit(store, &[Write::RemoveJob(job_id("report"))]);
    commit(store, &[success(&run, Some(changes("k", "1")), vec![put(&job("next"))])]);
    assert_eq!(state_of(store, "report"), [""; 0]);
    assert_eq!(store.jobs().unwrap().len(), 1);
}

fn a_job_that_removes_itself_is_gone(store: &dyn JobStore) {
    let run = running(store);
    let jobs = vec![Write::RemoveJob(job_id("report"))];
    commit(store, &[success(&run, Some(changes("k", "1")), jobs)]);
    assert_eq!((store.jobs().unwrap().len(), state_of(store, "report").len()), (0, 0));
    assert_eq!(store.runs(&Default::default()).unwrap().len(), 1);
}
