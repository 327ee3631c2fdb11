use clockbox_core::{
    model::{Adder, Policy, PoolName},
    trigger::{Trigger, TriggerSpec},
};

use super::*;

fn id(name: &str) -> JobId {
    name.parse().unwrap()
}

fn adder() -> Adder {
    Adder { job: id("parent"), plugin: "hello".parse().unwrap() }
}

fn reach() -> JobsReach {
    JobsReach { by: adder(), plugins: ["hello".parse().unwrap()].into(), max_jobs: 2 }
}

fn job(name: &str, source: Source) -> Job {
    Job {
        id: id(name),
        plugin: "hello".parse().unwrap(),
        pool: PoolName::default_pool(),
        trigger: Trigger::new(TriggerSpec::interval("1h"), chrono_tz::UTC).unwrap(),
        args: "null".into(),
        policy: Policy::default().into(),
        source,
    }
}

fn added(name: &str) -> Job {
    job(name, Source::Job(Box::new(adder())))
}

fn view(record: Option<Job>, added: usize) -> JobView {
    let record = record.map(|job| JobRecord {
        job: job.into(),
        declared: None,
        next_fire: None,
        last_fire: None,
        last_success: None,
        paused: None,
    });
    JobView { record, added, pools: Vec::new() }
}

/// Jobs of which the host knows these, `added` of them by runs of the plugin.
fn jobs(known: impl IntoIterator<Item = Job>, added: usize) -> Jobs {
    let mut jobs = Jobs::default();
    for name in ["a", "b", "c", "d"] {
        jobs.looked_at.insert(id(name), view(None, added));
    }
    for job in known {
        jobs.looked_at.insert(job.id.clone(), view(Some(job), added));
    }
    jobs
}

#[test]
fn no_more_are_added_than_the_right_allows_and_what_is_replaced_counts_once() {
    let mut jobs = jobs([added("a")], 1);
    assert!(matches!(jobs.add(added("a"), Conflict::Replace, &reach()), Ok(())));
    assert!(matches!(jobs.add(added("b"), Conflict::Error, &reach()), Ok(())));
    let refused = jobs.add(added("c"), Conflict::Error, &reach());
    assert!(
        matches!(&refused, Err(Error::TooMany(why)) if why.ends_with("(allow.jobs.max_jobs)")),
        "{refused:?}"
    );
    assert_eq!(jobs.list.len(), 2);
    assert_eq!(jobs.names(&reach()), ["a", "b"]);
}

#[test]
fn a_name_that_is_taken_is_handled_as_the_guest_wishes() {
    let mut jobs = jobs([job("a", Source::Api)], 0);
    assert!(matches!(jobs.add(added("a"), Conflict::Error, &reach()), Err(Error::JobExists(_))));
    assert!(matches!(jobs.add(added("a"), Conflict::Replace, &reach()), Err(Error::Denied(_))));
    assert!(matches!(jobs.add(added("a"), Conflict::Ignore, &reach()), Ok(())));
    assert!(jobs.list.is_empty());
    // What the run itself added counts as well.
    assert!(matches!(jobs.add(added("b"), Conflict::Error, &reach()), Ok(())));
    assert!(matches!(jobs.add(added("b"), Conflict::Error, &reach()), Err(Error::JobExists(_))));
}

#[test]
fn jobs_of_other_plugins_are_as_good_as_not_there() {
    let mut foreign = added("a");
    foreign.plugin = "other".parse().unwrap();
    let jobs = jobs([foreign], 0);
    assert!(matches!(jobs.seen(&id("a"), &reach()), Err(Error::NoSuchJob(_))));
    assert!(matches!(jobs.own(&id("a"), &reach()), Err(Error::NoSuchJob(_))));
}
