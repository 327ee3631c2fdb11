use std::sync::Arc;

use clockbox_core::model::{Cause, Refusal, Run, RunState, Timestamp, Write};
use clockbox_store::{JobStore, RunFilter};

use super::over_every_store;
use crate::support::{
    at, commit, commit_one, fire, job, job_id, missed, numbers, put, run_id, second, waiting,
};

over_every_store! {
    a_fire_is_read_as_it_was_recorded,
    a_fire_moves_the_jobs_next_and_last_fire,
    the_last_fire_does_not_move_back,
    a_run_on_demand_leaves_the_schedule_alone,
    a_second_record_of_a_job_and_time_is_refused_and_the_rest_of_the_batch_stands,
    a_refused_fire_still_moves_the_next_fire,
    a_second_record_with_an_id_is_refused,
    the_same_time_in_two_jobs_is_no_duplicate,
    a_job_that_was_removed_can_still_have_a_fire_recorded,
    unfinished_runs_are_loaded_by_id,
    an_empty_batch_is_no_error,
    a_large_batch_is_applied_in_order,
}

fn moving(run: Run, next_fire: Option<Timestamp>) -> Write {
    Write::Fire { run: Arc::new(run), next_fire: Some(next_fire) }
}

fn times(store: &dyn JobStore) -> (Option<Timestamp>, Option<Timestamp>) {
    let jobs = store.jobs().unwrap();
    (jobs[0].next_fire, jobs[0].last_fire)
}

fn a_fire_is_read_as_it_was_recorded(store: &dyn JobStore) {
    let run = Run {
        state: RunState::Running,
        cause: Cause::Manual,
        attempt: 1,
        recorded_at: at("10:00:01"),
        started_at: Some(at("10:00:02")),
        finished_at: Some(at("10:00:03")),
        retry_at: Some(at("10:00:04")),
        outcome: Some(clockbox_core::model::Outcome::TimedOut),
        reason: Some("reason".to_owned()),
        output: Some("{}".to_owned()),
        coalesced: u32::MAX,
        args: Some("[1]".to_owned()),
        ..waiting(i64::MAX, "report", at("10:00:00"))
    };
    commit(store, &[fire(&run)]);
    assert_eq!(store.run(run.id).unwrap().unwrap().run, run);
    assert_eq!(store.run(run_id(1)).unwrap(), None);
}

fn a_fire_moves_the_jobs_next_and_last_fire(store: &dyn JobStore) {
    commit(store, &[put(&job("report")), moving(waiting(1, "report", at("10:00:00")), Some(at("11:00:00")))]);
    assert_eq!(times(store), (Some(at("11:00:00")), Some(at("10:00:00"))));
    commit(store, &[moving(missed(&waiting(2, "report", at("11:00:00"))), None)]);
    assert_eq!(times(store), (None, Some(at("11:00:00"))));
}

fn the_last_fire_does_not_move_back(store: &dyn JobStore) {
    commit(store, &[put(&job("report")), moving(waiting(1, "report", at("10:00:00")), Some(at("11:00:00")))]);
    commit(store, &[moving(waiting(2, "report", at("09:00:00")), Some(at("10:30:00")))]);
    assert_eq!(times(store), (Some(at("10:30:00")), Some(at("10:00:00"))));
}

fn a_run_on_demand_leaves_the_schedule_alone(store: &dyn JobStore) {
    let mut record = job("report");
    record.next_fire = Some(at("11:00:00"));
    record.last_fire = Some(at("09:00:00"));
    let run = Run { cause: Cause::Manual, ..waiting(1, "report", at("10:00:00")) };
    commit(store, &[put(&record), fire(&run)]);
    assert_eq!(times(store), (Some(at("11:00:00")), Some(at("09:00:00"))));
    let due = waiting(2, "report", at("10:30:00"));
    commit(store, &[fire(&due)]);
    assert_eq!(times(store), (Some(at("11:00:00")), Some(at("10:30:00"))));
}

fn a_second_record_of_a_job_and_time_is_refused_and_the_rest_of_the_batch_stands(store: &dyn JobStore) {
    let first = waiting(1, "report", at("10:00:00"));
    commit(store, &[fire(&first)]);
    let answers = store
        .commit(&[
            fire(&waiting(2, "report", at("11:00:00"))),
            fire(&missed(&waiting(3, "report", at("10:00:00")))),
            fire(&waiting(4, "report", at("12:00:00"))),
            fire(&waiting(5, "report", at("12:00:00"))),
        ])
        .unwrap();
    assert_eq!(answers, [Ok(()), Err(Refusal::AlreadyRecorded), Ok(()), Err(Refusal::AlreadyRecorded)]);
    assert_eq!(numbers(&store.runs(&RunFilter::default()).unwrap()), [4, 2, 1]);
    assert_eq!(store.run(first.id).unwrap().unwrap().run, first);
    assert_eq!(store.load().unwrap().last_run, Some(run_id(4)));
}

fn a_refused_fire_still_moves_the_next_fire(store: &dyn JobStore) {
    let run = waiting(1, "report", at("10:00:00"));
    commit(store, &[put(&job("report")), fire(&run)]);
    let again = waiting(2, "report", at("10:00:00"));
    assert_eq!(commit_one(store, moving(again, Some(at("11:00:00")))), Err(Refusal::AlreadyRecorded));
    assert_eq!(times(store), (Some(at("11:00:00")), Some(at("10:00:00"))));
}

fn a_second_record_with_an_id_is_refused(store: &dyn JobStore) {
    commit(store, &[fire(&waiting(1, "report", at("10:00:00")))]);
    assert_eq!(commit_one(store, fire(&waiting(1, "other", at("11:00:00")))), Err(Refusal::AlreadyRecorded));
    let runs = store.runs(&RunFilter { job: Some(job_id("other")), ..RunFilter::default() }).unwrap();
    assert_eq!(runs, []);
    commit(store, &[fire(&waiting(2, "other", at("11:00:00")))]);
}

fn the_same_time_in_two_jobs_is_no_duplicate(store: &dyn JobStore) {
    commit(store, &[fire(&waiting(1, "a", at("10:00:00"))), fire(&waiting(2, "b", at("10:00:00")))]);
    // Times that differ by the least that is kept are two.
    commit(store, &[fire(&waiting(3, "a", at("10:00:00.000001")))]);
}

fn a_job_that_was_removed_can_still_have_a_fire_recorded(store: &dyn JobStore) {
    commit(store, &[moving(waiting(1, "gone", at("10:00:00")), Some(at("11:00:00")))]);
    assert_eq!(store.jobs().unwrap(), []);
    assert_eq!(store.load().unwrap().unfinished.len(), 1);
}

fn unfinished_runs_are_loaded_by_id(store: &dyn JobStore) {
    assert_eq!(store.load().unwrap().last_run, None);
    let states = [
        RunState::Skipped,
        RunState::Retrying,
        RunState::Finished,
        RunState::Waiting,
        RunState::Missed,
        RunState::Running,
    ];
    for (n, state) in (1..).zip(states) {
        let run = Run { state, ..waiting(n, "report", second(100 - u32::try_from(n).unwrap())) };
        commit(store, &[fire(&run)]);
    }
    let snapshot = store.load().unwrap();
    assert_eq!(numbers(&snapshot.unfinished), [2, 4, 6]);
    assert_eq!(snapshot.unfinished[0].state, RunState::Retrying);
    assert_eq!(snapshot.last_run, Some(run_id(6)));
}

fn an_empty_batch_is_no_error(store: &dyn JobStore) {
    assert_eq!(store.commit(&[]).unwrap(), []);
}

fn a_large_batch_is_applied_in_order(store: &dyn JobStore) {
    let mut writes = vec![put(&job("report"))];
    for n in 1..=3000 {
        writes.push(moving(
            waiting(n, "report", second(u32::try_from(n).unwrap())),
            Some(second(u32::try_from(n).unwrap() + 1)),
        ));
    }
    commit(store, &writes);
    assert_eq!(times(store), (Some(second(3001)), Some(second(3000))));
    let newest = store.runs(&RunFilter { limit: Some(2), ..RunFilter::default() }).unwrap();
    assert_eq!(numbers(&newest), [3000, 2999]);
}
