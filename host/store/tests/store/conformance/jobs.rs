use clockbox_core::model::{Pause, Source, Write};
use clockbox_store::JobStore;

use super::over_every_store;
use crate::support::{at, commit, fire, job, job_id, numbers, put, update, waiting};

over_every_store! {
    a_job_is_read_as_it_was_put,
    jobs_come_by_name,
    putting_a_job_again_replaces_it_but_keeps_its_history,
    putting_a_job_does_not_move_its_last_success_back,
    a_removed_job_keeps_its_history,
    removing_a_job_that_is_not_there_is_no_error,
    a_policy_survives_to_the_last_digit,
    the_pause_of_the_scheduler_is_kept_until_it_ends,
}

fn the_pause_of_the_scheduler_is_kept_until_it_ends(store: &dyn JobStore) {
    let paused = || store.load().unwrap().paused;
    assert_eq!(paused(), None);
    let first = Pause { at: at("11:30:00"), by: Some("ada".to_owned()), note: Some("audit".to_owned()) };
    let second = Pause { at: at("12:30:00"), by: None, note: None };
    for pause in [first, second] {
        commit(store, &[Write::Pause(Some(pause.clone()))]);
        assert_eq!(paused(), Some(pause));
    }
    commit(store, &[Write::Pause(None)]);
    assert_eq!(paused(), None);
}

fn a_job_is_read_as_it_was_put(store: &dyn JobStore) {
    let mut record = job("report");
    record.next_fire = Some(at("12:00:00"));
    record.last_fire = Some(at("11:00:00"));
    record.last_success = Some(at("10:00:00"));
    record.paused = Some(Box::new(Pause {
        at: at("11:30:00"),
        by: Some("ops".to_owned()),
        note: Some("holidays".to_owned()),
    }));
    record.declared = Some(std::sync::Arc::clone(&record.job));
    std::sync::Arc::make_mut(&mut record.job).source = Source::Job(Box::new(clockbox_core::model::Adder {
        job: job_id("planner"),
        plugin: record.job.plugin.clone(),
    }));
    let bare = job("bare");
    commit(store, &[put(&record), put(&bare)]);
    assert_eq!(store.jobs().unwrap(), [bare.clone(), record.clone()]);
    assert_eq!(store.load().unwrap().jobs, [bare, record]);
}

fn jobs_come_by_name(store: &dyn JobStore) {
    commit(store, &["b", "a", "é", "B", "a.1"].map(|name| put(&job(name))));
    let names: Vec<String> = store.jobs().unwrap().iter().map(|record| record.job.id.to_string()).collect();
    assert_eq!(names, ["B", "a", "a.1", "b", "é"]);
}

fn putting_a_job_again_replaces_it_but_keeps_its_history(store: &dyn JobStore) {
    let mut record = job("report");
    record.paused = Some(Box::new(Pause { at: at("11:30:00"), by: None, note: None }));
    commit(store, &[put(&record), fire(&waiting(1, "report", at("10:00:00")))]);
    let mut changed = job("report");
    std::sync::Arc::make_mut(&mut changed.job).args = "null".into();
    changed.next_fire = Some(at("13:00:00"));
    commit(store, &[put(&changed)]);
    assert_eq!(store.jobs().unwrap(), [changed]);
    assert_eq!(store.load().unwrap().unfinished.len(), 1);
}

fn putting_a_job_does_not_move_its_last_success_back(store: &dyn JobStore) {
    let with = |last_success| {
        let mut record = job("report");
        record.last_success = last_success;
        put(&record)
    };
    let last_success = || store.jobs().unwrap()[0].last_success;
    commit(store, &[with(None), with(Some(at("11:00:00")))]);
    assert_eq!(last_success(), Some(at("11:00:00")));
    commit(store, &[with(None), with(Some(at("10:00:00")))]);
    assert_eq!(last_success(), Some(at("11:00:00")));
    commit(store, &[with(Some(at("12:00:00")))]);
    assert_eq!(last_success(), Some(at("12:00:00")));
    commit(store, &[Write::RemoveJob(job_id("report")), with(None)]);
    assert_eq!(last_success(), None);
}

fn a_removed_job_keeps_its_history(store: &dyn JobStore) {
    let run = waiting(1, "report", at("10:00:00"));
    commit(store, &[put(&job("report")), fire(&run), Write::RemoveJob(job_id("report"))]);
    assert_eq!(store.jobs().unwrap(), []);
    assert_eq!(store.runs(&Default::default()).unwrap(), std::slice::from_ref(&run));
    // What is still under way can end.
    commit(store, &[update(&crate::support::finished(&run, clockbox_core::model::Outcome::Succeeded))]);
    // A job of that name has the history, and the promise of one record for each scheduled time, again.
    commit(store, &[put(&job("report"))]);
    assert_eq!(numbers(&store.runs(&Default::default()).unwrap()), [1]);
    assert_eq!(store.jobs().unwrap()[0].last_success, None);
}

fn removing_a_job_that_is_not_there_is_no_error(store: &dyn JobStore) {
    commit(store, &[Write::RemoveJob(job_id("nobody"))]);
    assert_eq!(store.jobs().unwrap(), []);
}

fn a_policy_survives_to_the_last_digit(store: &dyn JobStore) {
    // Numbers that a reader of JSON who takes the quick way gets wrong by one digit.
    for factor in [0.1 + 0.2, 1.0 / 3.0, 51.248_171_109_652_1, f64::MIN_POSITIVE, f64::MAX] {
        let mut record = job("report");
        let job = std::sync::Arc::make_mut(&mut record.job);
        std::sync::Arc::make_mut(&mut job.policy).retry.factor = factor;
        commit(store, &[put(&record)]);
        assert_eq!(store.jobs().unwrap(), [record]);
    }
}
