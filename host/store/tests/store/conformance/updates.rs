use std::sync::Arc;

use clockbox_core::model::{Attempt, JobId, Outcome, PluginName, Refusal, Run, RunState, Write};
use clockbox_store::JobStore;

use super::over_every_store;
use crate::support::{
    at, attempt, commit, commit_one, finished, fire, job, job_id, put, run_id, update, waiting,
};

over_every_store! {
    an_update_replaces_what_changes_and_keeps_what_identifies,
    an_update_of_a_run_that_is_not_on_record_is_refused,
    attempts_are_inserted_and_replaced_by_number,
    a_success_moves_the_last_success_forward,
    other_outcomes_do_not_move_the_last_success,
    a_run_leaves_and_enters_the_unfinished_by_its_state,
    that_a_run_is_to_stop_is_kept_until_it_has,
}

fn that_a_run_is_to_stop_is_kept_until_it_has(store: &dyn JobStore) {
    let cancelling = || store.load().unwrap().cancelling.into_iter().collect::<Vec<_>>();
    let set =
        |run: i64, why: Option<&str>| Write::Cancelling { run: run_id(run), why: why.map(str::to_owned) };
    commit(store, &[fire(&waiting(1, "report", at("10:00:00"))), set(1, Some("ada")), set(2, Some("grace"))]);
    assert_eq!(cancelling(), [(run_id(1), "ada".to_owned()), (run_id(2), "grace".to_owned())]);
    commit(store, &[set(1, Some("eve")), set(2, None), set(3, None)]);
    assert_eq!(cancelling(), [(run_id(1), "eve".to_owned())]);
    commit(store, &[set(1, None)]);
    assert_eq!(cancelling(), []);
}

fn an_update_replaces_what_changes_and_keeps_what_identifies(store: &dyn JobStore) {
    let recorded = Run { args: Some("[1]".to_owned()), ..waiting(1, "report", at("10:00:00")) };
    commit(store, &[fire(&recorded)]);
    let changed = Run {
        state: RunState::Retrying,
        attempt: 2,
        started_at: Some(at("10:00:01")),
        finished_at: Some(at("10:00:02")),
        retry_at: Some(at("10:00:03")),
        outcome: Some(Outcome::Trapped),
        reason: Some("unreachable".to_owned()),
        output: Some("null".to_owned()),
        coalesced: 7,
        ..recorded.clone()
    };
    let posing = Run {
        job: JobId::new("other").unwrap(),
        plugin: PluginName::new("other").unwrap(),
        scheduled_at: at("20:00:00"),
        recorded_at: at("20:00:00"),
        args: None,
        ..changed.clone()
    };
    commit(store, &[update(&posing)]);
    assert_eq!(store.run(run_id(1)).unwrap().unwrap().run, changed);
    commit(store, &[update(&recorded)]);
    assert_eq!(store.run(run_id(1)).unwrap().unwrap().run, recorded);
}

fn an_update_of_a_run_that_is_not_on_record_is_refused(store: &dyn JobStore) {
    let run = finished(&waiting(1, "report", at("10:00:00")), Outcome::Succeeded);
    let write = Write::Update { run: Arc::new(run), attempt: Some(Box::new(attempt(1))) };
    commit(store, &[put(&job("report"))]);
    assert_eq!(commit_one(store, write), Err(Refusal::NoSuchRun));
    assert_eq!(store.run(run_id(1)).unwrap(), None);
    assert_eq!(store.jobs().unwrap()[0].last_success, None);
    assert_eq!(store.load().unwrap().last_run, None);
}

fn attempts_are_inserted_and_replaced_by_number(store: &dyn JobStore) {
    let run = waiting(1, "report", at("10:00:00"));
    let with = |attempt: &Attempt| Write::Update {
        run: Arc::new(run.clone()),
        attempt: Some(Box::new(attempt.clone())),
    };
    let ended = Attempt {
        finished_at: Some(at("10:00:09")),
        outcome: Some(Outcome::OutOfMemory),
        reason: Some("needed 65 MiB of 64 MiB".to_owned()),
        backtrace: Some("0: main\n1: _start".to_owned()),
        peak_memory: Some(64 << 20),
        ..attempt(1)
    };
    commit(store, &[fire(&run), with(&attempt(2)), with(&attempt(1)), with(&ended)]);
    assert_eq!(store.run(run.id).unwrap().unwrap().attempts, [ended, attempt(2)]);
}

fn a_success_moves_the_last_success_forward(store: &dyn JobStore) {
    let early = waiting(1, "report", at("09:00:00"));
    let late = waiting(2, "report", at("10:00:00"));
    commit(store, &[put(&job("report")), put(&job("other")), fire(&early), fire(&late)]);
    commit(store, &[update(&finished(&late, Outcome::Succeeded))]);
    commit(store, &[update(&finished(&early, Outcome::Succeeded))]);
    let jobs = store.jobs().unwrap();
    assert_eq!(jobs[1].job.id, job_id("report"));
    assert_eq!((jobs[0].last_success, jobs[1].last_success), (None, Some(at("10:00:00"))));
}

fn other_outcomes_do_not_move_the_last_success(store: &dyn JobStore) {
    let run = waiting(1, "report", at("09:00:00"));
    commit(store, &[put(&job("report")), fire(&run)]);
    for outcome in Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Succeeded) {
        commit(store, &[update(&finished(&run, outcome))]);
    }
    let retrying = Run { state: RunState::Retrying, ..finished(&run, Outcome::Succeeded) };
    commit(store, &[update(&retrying)]);
    assert_eq!(store.jobs().unwrap()[0].last_success, None);
}

fn a_run_leaves_and_enters_the_unfinished_by_its_state(store: &dyn JobStore) {
    let run = waiting(1, "report", at("09:00:00"));
    let unfinished = || store.load().unwrap().unfinished;
    commit(store, &[fire(&run)]);
    for state in [RunState::Running, RunState::Retrying, RunState::Running] {
        let run = Run { state, ..run.clone() };
        commit(store, &[update(&run)]);
        assert_eq!(unfinished(), [run]);
    }
    commit(store, &[update(&finished(&run, Outcome::Interrupted))]);
    assert_eq!(unfinished(), []);
    // Delivered at least once: it runs again under its id.
    commit(store, &[update(&run)]);
    assert_eq!(unfinished(), [run]);
}
