use clockbox_core::model::{Outcome, Run, RunState};
use clockbox_store::{JobStore, RunFilter};

use super::over_every_store;
use crate::support::{
    NONE, at, commit, finished, fire, job, job_id, line, log, missed, numbers, put, run_id, second, update,
    waiting,
};

over_every_store! {
    old_runs_go_and_new_ones_stay,
    a_run_recorded_late_stays_until_its_record_is_old,
    each_job_keeps_its_newest,
    unfinished_runs_stay_however_old,
    at_most_the_limit_goes_oldest_first,
    attempts_and_logs_go_with_their_run,
    ids_are_not_given_again_after_their_run_is_deleted,
    a_deleted_time_can_be_recorded_again,
    pruning_an_empty_store_deletes_nothing,
    runs_of_removed_jobs_go_too,
}

/// Runs 1 to n, one a second, all succeeded.
fn history(store: &dyn JobStore, job: &str, n: u32) {
    let runs = (1..=n).map(|n| fire(&finished(&waiting(i64::from(n), job, second(n)), Outcome::Succeeded)));
    commit(store, &runs.collect::<Vec<_>>());
}

fn left(store: &dyn JobStore) -> Vec<i64> {
    numbers(&store.runs(&RunFilter::default()).unwrap())
}

fn old_runs_go_and_new_ones_stay(store: &dyn JobStore) {
    history(store, "report", 5);
    assert_eq!(store.prune(second(3), 100, 100).unwrap(), 2);
    assert_eq!(left(store), [5, 4, 3]);
    assert_eq!(store.prune(second(3), 100, 100).unwrap(), 0);
}

fn a_run_recorded_late_stays_until_its_record_is_old(store: &dyn JobStore) {
    let late = Run { recorded_at: second(50), ..missed(&waiting(1, "report", second(1))) };
    commit(store, &[fire(&late)]);
    assert_eq!(store.prune(second(50), 100, 100).unwrap(), 0);
    assert_eq!(store.prune(second(51), 100, 100).unwrap(), 1);
}

fn each_job_keeps_its_newest(store: &dyn JobStore) {
    history(store, "many", 5);
    commit(store, &[fire(&missed(&waiting(10, "few", second(1))))]);
    commit(store, &[fire(&missed(&waiting(11, "few", second(2))))]);
    assert_eq!(store.prune(second(0), 2, 100).unwrap(), 3);
    assert_eq!(left(store), [5, 4, 11, 10]);
    assert_eq!(store.prune(second(0), 0, 100).unwrap(), 4);
}

fn unfinished_runs_stay_however_old(store: &dyn JobStore) {
    let states = [RunState::Waiting, RunState::Running, RunState::Retrying];
    for (n, state) in (1..).zip(states) {
        let run = Run { state, ..waiting(n, "report", second(u32::try_from(n).unwrap())) };
        commit(store, &[fire(&run)]);
    }
    commit(store, &[fire(&missed(&waiting(4, "report", second(4))))]);
    assert_eq!(store.prune(at("23:00:00"), 0, 100).unwrap(), 1);
    assert_eq!(left(store), [3, 2, 1]);
    commit(store, &[update(&finished(&waiting(2, "report", second(2)), Outcome::Failed))]);
    assert_eq!(store.prune(second(0), 0, 100).unwrap(), 1);
    assert_eq!(left(store), [3, 1]);
}

fn at_most_the_limit_goes_oldest_first(store: &dyn JobStore) {
    history(store, "report", 9);
    assert_eq!(store.prune(second(6), 100, 0).unwrap(), 0);
    assert_eq!(store.prune(second(6), 100, 3).unwrap(), 3);
    assert_eq!(left(store), [9, 8, 7, 6, 5, 4]);
    // Two by age, then one beyond the newest two.
    assert_eq!(store.prune(second(6), 2, 3).unwrap(), 3);
    assert_eq!(left(store), [9, 8, 7]);
    assert_eq!(store.prune(second(6), 2, 3).unwrap(), 1);
    assert_eq!(left(store), [9, 8]);
}

fn attempts_and_logs_go_with_their_run(store: &dyn JobStore) {
    history(store, "report", 2);
    commit(store, &[log(1, 1, &[line("old")]), log(2, 1, &[line("new")])]);
    assert_eq!(store.prune(second(2), 100, 100).unwrap(), 1);
    assert_eq!(store.run(run_id(1)).unwrap(), None);
    assert_eq!(store.logs(run_id(1), None).unwrap(), []);
    assert_eq!(store.logs(run_id(2), None).unwrap(), [(1, line("new"))]);
    // A run of that number recorded anew does not inherit them.
    commit(store, &[fire(&waiting(1, "report", second(1)))]);
    assert_eq!(store.logs(run_id(1), None).unwrap(), []);
}

fn ids_are_not_given_again_after_their_run_is_deleted(store: &dyn JobStore) {
    history(store, "report", 5);
    assert_eq!(store.prune(at("23:00:00"), 0, 100).unwrap(), 5);
    assert_eq!(left(store), NONE);
    assert_eq!(store.load().unwrap().last_run, Some(run_id(5)));
    commit(store, &[fire(&missed(&waiting(3, "report", second(3))))]);
    assert_eq!(store.prune(at("23:00:00"), 0, 100).unwrap(), 1);
    assert_eq!(store.load().unwrap().last_run, Some(run_id(5)));
}

fn a_deleted_time_can_be_recorded_again(store: &dyn JobStore) {
    history(store, "report", 1);
    assert_eq!(store.prune(at("23:00:00"), 0, 100).unwrap(), 1);
    commit(store, &[fire(&waiting(2, "report", second(1)))]);
    assert_eq!(left(store), [2]);
}

fn pruning_an_empty_store_deletes_nothing(store: &dyn JobStore) {
    assert_eq!(store.prune(at("23:00:00"), 0, u32::MAX).unwrap(), 0);
    assert_eq!(store.load().unwrap().last_run, None);
}

fn runs_of_removed_jobs_go_too(store: &dyn JobStore) {
    commit(store, &[put(&job("report"))]);
    history(store, "report", 4);
    commit(store, &[clockbox_core::model::Write::RemoveJob(job_id("report"))]);
    assert_eq!(store.prune(second(0), 1, 100).unwrap(), 3);
    assert_eq!(left(store), [4]);
}
