use clockbox_core::model::{Cause, Outcome, Pause, Run, RunState};
use clockbox_store::{JobFilter, JobStore, RunFilter};

use super::over_every_store;
use crate::support::{NONE, at, commit, finished, fire, job, job_id, missed, numbers, put, run_id, waiting};

over_every_store! {
    runs_come_by_scheduled_time_then_id_newest_first,
    runs_are_filtered_by_job,
    runs_are_filtered_by_state,
    runs_are_filtered_by_outcome,
    runs_are_filtered_by_time_from_inclusive_to_exclusive,
    runs_are_filtered_by_a_range_of_ids,
    runs_are_limited_to_the_newest,
    runs_are_filtered_by_cause,
    runs_come_page_by_page,
    jobs_come_page_by_page_and_filtered,
    all_filters_apply_at_once,
}

fn runs_are_filtered_by_cause(store: &dyn JobStore) {
    let manual = Run { cause: Cause::Manual, ..waiting(2, "b", at("10:00:00")) };
    commit(store, &[fire(&waiting(1, "a", at("10:00:00"))), fire(&manual)]);
    let by = |causes: &[Cause]| RunFilter { causes: causes.to_vec(), ..RunFilter::default() };
    assert_eq!(found(store, by(&[Cause::Manual])), [2]);
    assert_eq!(found(store, by(&[Cause::Manual, Cause::Trigger])), [2, 1]);
}

fn runs_come_page_by_page(store: &dyn JobStore) {
    history(store);
    let page = |after| RunFilter { after, limit: Some(2), ..RunFilter::default() };
    assert_eq!(found(store, page(None)), [4, 2]);
    assert_eq!(found(store, page(Some((at("10:00:00"), run_id(2))))), [1, 5]);
    assert_eq!(found(store, page(Some((at("09:00:00"), run_id(5))))), [3]);
    assert_eq!(found(store, page(Some((at("08:00:00"), run_id(3))))), NONE);
}

fn jobs_come_page_by_page_and_filtered(store: &dyn JobStore) {
    let names = ["c", "a", "b1", "ä", "b2", "b"];
    commit(store, &names.map(|name| put(&job(name))));
    let mut paused = job("a");
    paused.paused = Some(Box::new(Pause { at: at("11:30:00"), by: None, note: None }));
    commit(store, &[put(&paused)]);
    let found = |filter: JobFilter| -> Vec<String> {
        store.jobs_matching(&filter).unwrap().iter().map(|record| record.job.id.to_string()).collect()
    };
    let all = || JobFilter::default();
    assert_eq!(found(all()), ["a", "b", "b1", "b2", "c", "ä"]);
    let page = |after: &str| JobFilter { after: Some(job_id(after)), limit: Some(2), ..all() };
    assert_eq!(found(JobFilter { limit: Some(2), ..all() }), ["a", "b"]);
    assert_eq!(found(page("b")), ["b1", "b2"]);
    assert_eq!(found(page("b2")), ["c", "ä"]);
    assert!(found(page("ä")).is_empty());
    assert_eq!(found(JobFilter { prefix: Some("b".to_owned()), ..page("b") }), ["b1", "b2"]);
    assert_eq!(found(JobFilter { prefix: Some("b".to_owned()), ..all() }), ["b", "b1", "b2"]);
    assert_eq!(found(JobFilter { paused: Some(true), ..all() }), ["a"]);
    assert!(found(JobFilter { source: Some("folder"), ..all() }).is_empty());
    assert!(found(JobFilter { plugin: Some("nobody".parse().unwrap()), ..all() }).is_empty());
    assert!(found(JobFilter { limit: Some(0), ..all() }).is_empty());
    assert_eq!(store.jobs_matching(&page("a")).unwrap()[0], job("b"));
}

/// Five runs of two jobs, ids not in the order of their times.
fn history(store: &dyn JobStore) {
    let runs = [
        finished(&waiting(1, "a", at("10:00:00")), Outcome::Succeeded),
        finished(&waiting(2, "b", at("10:00:00")), Outcome::Failed),
        missed(&waiting(3, "a", at("08:00:00"))),
        Run { state: RunState::Running, ..waiting(4, "a", at("11:00:00")) },
        finished(&waiting(5, "b", at("09:00:00")), Outcome::TimedOut),
    ];
    commit(store, &runs.map(|run| fire(&run)));
}

fn found(store: &dyn JobStore, filter: RunFilter) -> Vec<i64> {
    numbers(&store.runs(&filter).unwrap())
}

fn runs_come_by_scheduled_time_then_id_newest_first(store: &dyn JobStore) {
    history(store);
    assert_eq!(found(store, RunFilter::default()), [4, 2, 1, 5, 3]);
}

fn runs_are_filtered_by_job(store: &dyn JobStore) {
    history(store);
    let of = |job| RunFilter { job: Some(job_id(job)), ..RunFilter::default() };
    assert_eq!(found(store, of("a")), [4, 1, 3]);
    assert_eq!(found(store, of("nobody")), NONE);
}

fn runs_are_filtered_by_state(store: &dyn JobStore) {
    history(store);
    let in_states = |states: &[RunState]| RunFilter { states: states.to_vec(), ..RunFilter::default() };
    assert_eq!(found(store, in_states(&[RunState::Missed, RunState::Running])), [4, 3]);
    assert_eq!(found(store, in_states(&[RunState::Waiting])), NONE);
    assert_eq!(found(store, in_states(&RunState::ALL)), [4, 2, 1, 5, 3]);
}

fn runs_are_filtered_by_outcome(store: &dyn JobStore) {
    history(store);
    let with = |outcomes: &[Outcome]| RunFilter { outcomes: outcomes.to_vec(), ..RunFilter::default() };
    assert_eq!(found(store, with(&[Outcome::Failed, Outcome::TimedOut])), [2, 5]);
    assert_eq!(found(store, with(&[Outcome::Trapped])), NONE);
    // A run that has not ended has no outcome.
    assert_eq!(found(store, with(&Outcome::ALL)), [2, 1, 5]);
}

fn runs_are_filtered_by_time_from_inclusive_to_exclusive(store: &dyn JobStore) {
    history(store);
    let between = |since: Option<&str>, until: Option<&str>| RunFilter {
        since: since.map(at),
        until: until.map(at),
        ..RunFilter::default()
    };
    assert_eq!(found(store, between(Some("10:00:00"), None)), [4, 2, 1]);
    assert_eq!(found(store, between(None, Some("10:00:00"))), [5, 3]);
    assert_eq!(found(store, between(Some("08:00:00.000001"), Some("10:00:00.000001"))), [2, 1, 5]);
    assert_eq!(found(store, between(Some("10:00:00"), Some("10:00:00"))), NONE);
    assert_eq!(found(store, between(Some("11:00:00"), Some("09:00:00"))), NONE);
    // What is finer than a microsecond is cut, as it is of the runs.
    assert_eq!(found(store, between(Some("11:00:00.0000009"), None)), [4]);
    let one_job = RunFilter { job: Some(job_id("a")), ..between(Some("10:00:00"), None) };
    assert_eq!(found(store, one_job), [4, 1]);
}

fn runs_are_filtered_by_a_range_of_ids(store: &dyn JobStore) {
    history(store);
    let ids = |low, high| RunFilter { ids: Some((run_id(low), run_id(high))), ..RunFilter::default() };
    assert_eq!(found(store, ids(2, 4)), [4, 2, 3]);
    assert_eq!(found(store, ids(5, 5)), [5]);
    assert_eq!(found(store, ids(4, 2)), NONE);
    assert_eq!(found(store, ids(0, i64::MAX)), [4, 2, 1, 5, 3]);
}

fn runs_are_limited_to_the_newest(store: &dyn JobStore) {
    history(store);
    let limit = |limit| RunFilter { limit: Some(limit), ..RunFilter::default() };
    assert_eq!(found(store, limit(2)), [4, 2]);
    assert_eq!(found(store, limit(0)), NONE);
    assert_eq!(found(store, limit(u32::MAX)).len(), 5);
}

fn all_filters_apply_at_once(store: &dyn JobStore) {
    history(store);
    let filter = RunFilter {
        job: Some(job_id("b")),
        states: vec![RunState::Finished],
        outcomes: vec![Outcome::TimedOut, Outcome::Failed],
        since: Some(at("09:00:00")),
        until: Some(at("10:00:01")),
        ids: Some((run_id(1), run_id(5))),
        causes: Vec::new(),
        after: None,
        limit: Some(1),
    };
    assert_eq!(found(store, filter), [2]);
}
