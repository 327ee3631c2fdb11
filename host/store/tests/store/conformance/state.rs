//! What jobs remember.

use std::sync::Arc;

use clockbox_core::model::{Refusal, StateChanges, Write};
use clockbox_store::JobStore;

use super::over_every_store;
use crate::support::{at, commit, commit_one, entry, job, job_id, put, state};

over_every_store! {
    a_state_is_read_as_it_was_put,
    each_job_has_a_state_of_its_own,
    an_entry_that_expired_is_gone_and_leaves_room,
    what_expired_is_deleted_some_at_a_time_and_the_rest_stays,
    what_was_compared_must_be_so,
    a_state_that_would_be_too_large_is_refused_as_a_whole,
    a_state_over_a_lowered_limit_may_only_shrink,
    a_removed_job_takes_its_state_along,
    putting_a_job_again_keeps_its_state,
    a_job_that_is_not_stored_has_no_state,
}

fn changes<const N: usize>(put: [(String, Option<clockbox_core::model::StateEntry>); N]) -> StateChanges {
    StateChanges { put: put.into(), limit: 1000, ..StateChanges::default() }
}

fn expecting(key: &str, expected: Option<&str>, put: &str) -> StateChanges {
    let expected = [(key.to_owned(), expected.map(|text| Arc::from(text.as_bytes())))].into();
    StateChanges { expected, ..changes([entry(key, put, None)]) }
}

#[track_caller]
fn holds(store: &dyn JobStore, job: &str, entries: &[(&str, &str)]) {
    let state = store.state(&job_id(job), at("12:00:00")).unwrap();
    let found: Vec<(&str, &str)> =
        state.0.iter().map(|(key, entry)| (key.as_str(), str::from_utf8(&entry.value).unwrap())).collect();
    assert_eq!(found, entries);
}

fn a_state_is_read_as_it_was_put(store: &dyn JobStore) {
    commit(store, &[put(&job("report"))]);
    let expires_at = Some("2030-01-01T13:00:00.123456789Z".parse().unwrap());
    commit(store, &[state("report", changes([entry("é", "\0\u{1}", expires_at), entry("b", "", None)]))]);
    let read = store.state(&job_id("report"), at("12:00:00")).unwrap();
    assert_eq!(read.0.keys().collect::<Vec<_>>(), ["b", "é"]);
    assert_eq!((&read.0["b"].value[..], read.0["b"].expires_at), (&[][..], None));
    // Kept to the microsecond.
    assert_eq!(read.0["é"].expires_at, Some("2030-01-01T13:00:00.123456Z".parse().unwrap()));
    assert_eq!(read.0["é"].value[..], [0, 1]);
    commit(store, &[state("report", changes([("b".to_owned(), None), ("nothing".to_owned(), None)]))]);
    holds(store, "report", &[("é", "\0\u{1}")]);
}

fn each_job_has_a_state_of_its_own(store: &dyn JobStore) {
    commit(store, &[put(&job("a")), put(&job("b"))]);
    commit(store, &[state("a", changes([entry("k", "of a", None)]))]);
    commit(store, &[state("b", changes([entry("k", "of b", None)]))]);
    holds(store, "a", &[("k", "of a")]);
    holds(store, "b", &[("k", "of b")]);
}

fn an_entry_that_expired_is_gone_and_leaves_room(store: &dyn JobStore) {
    commit(store, &[put(&job("report"))]);
    let long = "x".repeat(800);
    let at_eleven = Write::State {
        job: job_id("report"),
        changes: Box::new(changes([entry("k", &long, Some(at("12:00:00")))])),
        at: at("11:00:00"),
    };
    commit(store, &[at_eleven]);
    assert_eq!(store.state(&job_id("report"), at("11:59:59")).unwrap().0.len(), 1);
    holds(store, "report", &[]);
    commit(store, &[state("report", expecting("k", None, &long))]);
    holds(store, "report", &[("k", &long)]);
    // What is put and has expired by then was never there.
    commit(store, &[state("report", changes([entry("k", "1", Some(at("11:00:00")))]))]);
    holds(store, "report", &[]);
}

fn what_expired_is_deleted_some_at_a_time_and_the_rest_stays(store: &dyn JobStore) {
    commit(store, &[put(&job("a")), put(&job("b")), put(&job("c"))]);
    let put_at_ten = |job: &str, entries| Write::State {
        job: job_id(job),
        changes: Box::new(StateChanges { put: entries, limit: 1000, ..StateChanges::default() }),
        at: at("10:00:00"),
    };
    let expiring = |key, time| entry(key, "1", Some(at(time)));
    commit(
        store,
        &[
            put_at_ten(
                "a",
                [expiring("1", "11:00:00"), expiring("2", "12:00:00"), entry("3", "1", None)].into(),
            ),
            put_at_ten("b", [expiring("1", "11:30:00"), expiring("2", "11:00:00")].into()),
            put_at_ten("c", [expiring("1", "11:00:00"), expiring("2", "13:00:00")].into()),
        ],
    );
    // What is still stored, expired or not.
    let stored = |job: &str| store.state(&job_id(job), at("10:00:00")).unwrap().0.len();
    let all = || stored("a") + stored("b") + stored("c");
    assert_eq!(all(), 7);
    assert_eq!(store.prune_state(at("10:59:59"), 100).unwrap(), 0);
    assert_eq!(store.prune_state(at("11:30:00"), 0).unwrap(), 0);
    assert_eq!((store.prune_state(at("11:30:00"), 2).unwrap(), all()), (2, 5));
    // One that was put again meanwhile lasts.
    commit(store, &[put_at_ten("c", [entry("1", "again", None)].into())]);
    assert!(store.prune_state(at("11:30:00"), 100).unwrap() > 0);
    assert_eq!(store.prune_state(at("11:30:00"), 100).unwrap(), 0);
    assert_eq!((stored("a"), stored("b"), stored("c")), (2, 0, 2));
    holds(store, "c", &[("1", "again"), ("2", "1")]);
    // A job that goes takes along what would have expired.
    commit(store, &[Write::RemoveJob(job_id("a")), put(&job("a"))]);
    assert_eq!(store.prune_state(at("23:00:00"), 100).unwrap(), 1);
    holds(store, "c", &[("1", "again")]);
}

fn what_was_compared_must_be_so(store: &dyn JobStore) {
    commit(store, &[put(&job("report"))]);
    let conflict = || Err(Refusal::StateConflict { key: "k".to_owned() });
    assert_eq!(commit_one(store, state("report", expecting("k", Some("1"), "2"))), conflict());
    assert_eq!(commit_one(store, state("report", expecting("k", None, "1"))), Ok(()));
    assert_eq!(commit_one(store, state("report", expecting("k", None, "2"))), conflict());
    assert_eq!(commit_one(store, state("report", expecting("k", Some(""), "2"))), conflict());
    holds(store, "report", &[("k", "1")]);
    assert_eq!(commit_one(store, state("report", expecting("k", Some("1"), "2"))), Ok(()));
    holds(store, "report", &[("k", "2")]);
}

fn a_state_that_would_be_too_large_is_refused_as_a_whole(store: &dyn JobStore) {
    commit(store, &[put(&job("report"))]);
    // Two bytes of key, one of value, and 64.
    let limited = |limit| StateChanges { limit, ..changes([entry("é", "1", None)]) };
    let refused = commit_one(store, state("report", limited(66)));
    assert_eq!(refused, Err(Refusal::StateFull { size: 67, limit: 66 }));
    commit(store, &[state("report", limited(67))]);
    let two = [entry("a", "", None), entry("é", "", None)];
    let two = StateChanges { limit: 130, ..changes(two) };
    let refused = commit_one(store, state("report", two));
    assert_eq!(refused, Err(Refusal::StateFull { size: 131, limit: 130 }));
    holds(store, "report", &[("é", "1")]);
}

fn a_state_over_a_lowered_limit_may_only_shrink(store: &dyn JobStore) {
    commit(store, &[put(&job("report")), state("report", changes([entry("k", "12345", None)]))]);
    let lowered = |value| StateChanges { limit: 10, ..changes([entry("k", value, None)]) };
    assert!(commit_one(store, state("report", lowered("54321"))).is_err());
    commit(store, &[state("report", lowered("1"))]);
    holds(store, "report", &[("k", "1")]);
}

fn a_removed_job_takes_its_state_along(store: &dyn JobStore) {
    commit(store, &[put(&job("report")), state("report", changes([entry("k", "1", None)]))]);
    commit(store, &[Write::RemoveJob(job_id("report")), put(&job("report"))]);
    holds(store, "report", &[]);
}

fn putting_a_job_again_keeps_its_state(store: &dyn JobStore) {
    commit(store, &[put(&job("report")), state("report", changes([entry("k", "1", None)]))]);
    let mut changed = job("report");
    Arc::make_mut(&mut changed.job).args = "null".into();
    commit(store, &[put(&changed)]);
    holds(store, "report", &[("k", "1")]);
}

fn a_job_that_is_not_stored_has_no_state(store: &dyn JobStore) {
    let answer = commit_one(store, state("nobody", changes([entry("k", "1", None)])));
    assert_eq!(answer, Err(Refusal::NoSuchJob));
    holds(store, "nobody", &[]);
}
