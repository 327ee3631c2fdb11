//! What happens to a simulated host: a list of steps that a seed names, and jobs and pools to go with them.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use clockbox_core::{
    model::*,
    trigger::{Trigger, TriggerSpec},
};
use fastrand::Rng;

/// Something that happens. It fits whatever state it meets, so that steps can be left out of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Time passes, to the next wake or a little beside it.
    Advance,
    /// The clock is set, forwards or back, or the machine slept.
    Jump,
    /// The store commits some of what was submitted, in one transaction.
    Commit,
    /// A commit fails for a passing reason.
    FailCommit,
    /// An attempt ends.
    Finish,
    /// A report comes twice, or of another attempt.
    StaleReport,
    RunNow,
    CancelRun,
    PauseJob,
    ResumeJob,
    Pause,
    Resume,
    /// The manifest changes.
    Reload,
    /// A pool is resized.
    Resize,
    AddJobs,
    ModifyJob,
    RemoveJob,
    /// Another node records a fire before we do.
    FireElsewhere,
    /// kill -9, and a start.
    Crash,
    /// A shutdown in order, and a start.
    Drain,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) what: What,
    /// Where the details are drawn from.
    pub(crate) dice: u64,
}

/// Everything about one simulated life of a host.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) steps: Vec<Step>,
    /// On a real database, instead of in memory.
    pub(crate) on_disk: bool,
    /// Its runs write state and ask for jobs. Few seeds do, as all that follows from it is followed.
    pub(crate) brings_about: bool,
}

impl Plan {
    /// Few seeds are long, some are on a real database.
    pub(crate) fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let on_disk = seed % 250 == 17;
        let most = if on_disk || !seed.is_multiple_of(8) { 90 } else { 400 };
        let length = rng.usize(20..most);
        let first = [What::Reload, What::AddJobs, What::Reload];
        let mut steps: Vec<Step> = first.map(|what| Step { what, dice: rng.u64(..) }).into();
        steps.extend((0..length).map(|_| Step { what: draw(&mut rng), dice: rng.u64(..) }));
        Self { seed, steps, on_disk, brings_about: seed % 25 == 17 }
    }
}

fn draw(rng: &mut Rng) -> What {
    match rng.u32(0..100) {
        0..33 => What::Advance,
        33..53 => What::Commit,
        53..55 => What::FailCommit,
        55..71 => What::Finish,
        71 => What::StaleReport,
        72..75 => What::Jump,
        75..77 => What::RunNow,
        77..79 => What::CancelRun,
        79 => What::PauseJob,
        80..82 => What::ResumeJob,
        82 => What::Pause,
        83..85 => What::Resume,
        85..88 => What::Reload,
        88..90 => What::Resize,
        90..92 => What::AddJobs,
        92..94 => What::ModifyJob,
        94 => What::RemoveJob,
        95 => What::FireElsewhere,
        96..99 => What::Crash,
        _ => What::Drain,
    }
}

pub(crate) fn pool_name(n: u32) -> PoolName {
    PoolName::new(format!("pool-{n}")).unwrap()
}

pub(crate) fn pool(rng: &mut Rng, n: u32) -> Pool {
    Pool { name: pool_name(n), max_instances: rng.u32(1..5), queue: rng.u32(0..8) }
}

pub(crate) fn trigger(rng: &mut Rng, now: Timestamp) -> Trigger {
    let interval = format!("{}ms", rng.u32(1..40) * 500);
    let near = |rng: &mut Rng| (now + TimeDelta::seconds(rng.i64(-60..300))).to_rfc3339();
    let json = match rng.u32(0..16) {
        0..3 => serde_json::json!({ "date": near(rng) }),
        3 => serde_json::json!({ "interval": interval, "start": near(rng), "end": near(rng) }),
        4 => serde_json::json!({ "cron": format!("*/{} * * * * *", rng.u32(1..20)) }),
        5 => serde_json::json!({}),
        6 => serde_json::json!({ "cron": "@reboot" }),
        7 => serde_json::json!({ "interval": interval, "jitter": "3s" }),
        _ => serde_json::json!({ "interval": interval }),
    };
    let read =
        |json| serde_json::from_value::<TriggerSpec>(json).map(|spec| Trigger::new(spec, chrono_tz::UTC));
    match read(json) {
        Ok(Ok(trigger)) => trigger,
        // An end before the start.
        _ => Trigger::new(TriggerSpec::interval(&interval), chrono_tz::UTC).unwrap(),
    }
}

pub(crate) fn policy(rng: &mut Rng) -> Policy {
    let within = |seconds| Grace::Within(Duration::from_secs(seconds));
    Policy {
        misfire_grace: rng.choice([Grace::Forever, within(5), within(90)]).unwrap(),
        coalesce: rng.choice([Coalesce::Latest, Coalesce::Earliest, Coalesce::All]).unwrap(),
        max_instances: rng.u32(1..4),
        overlap: rng.choice([Overlap::Skip, Overlap::Wait, Overlap::Replace]).unwrap(),
        priority: rng.i32(-2..3),
        delivery: rng.choice([Delivery::AtMostOnce, Delivery::AtLeastOnce]).unwrap(),
        retry: Retry { attempts: rng.u32(1..4), backoff: Duration::from_secs(2), ..Retry::default() },
        when_done: rng.choice([None, None, Some(WhenDone::Keep), Some(WhenDone::Remove)]).unwrap(),
        allow: None,
    }
}

/// The source of what a run of the job `planner` added.
pub(crate) fn added() -> Source {
    let (job, plugin) = (JobId::new("planner").unwrap(), PluginName::new("hello").unwrap());
    Source::Job(Box::new(Adder { job, plugin }))
}

pub(crate) fn job(rng: &mut Rng, id: JobId, source: Source, now: Timestamp) -> Arc<Job> {
    Arc::new(Job {
        id,
        plugin: PluginName::new("hello").unwrap(),
        pool: pool_name(rng.u32(0..3)),
        trigger: trigger(rng, now),
        args: "null".into(),
        policy: policy(rng).into(),
        source,
    })
}

/// A job that a run adds: it does not fire, and stays until somebody removes it.
pub(crate) fn child(id: JobId) -> Job {
    let far = TriggerSpec::date("2099-01-01T00:00:00Z");
    Job {
        id,
        plugin: PluginName::new("hello").unwrap(),
        pool: pool_name(0),
        trigger: Trigger::new(far, chrono_tz::UTC).unwrap(),
        args: "null".into(),
        policy: Policy::default().into(),
        source: added(),
    }
}

pub(crate) fn patch(rng: &mut Rng, now: Timestamp) -> JobPatch {
    let drawn = policy(rng);
    JobPatch {
        plugin: None,
        pool: rng.bool().then(|| pool_name(rng.u32(0..3))),
        trigger: (rng.u32(0..3) == 0).then(|| trigger(rng, now)),
        args: rng.bool().then(|| format!("[{}]", rng.u32(0..3)).into()),
        policy: PolicyPatch {
            misfire_grace: rng.bool().then_some(drawn.misfire_grace),
            coalesce: rng.bool().then_some(drawn.coalesce),
            max_instances: (rng.u32(0..4) == 0).then_some(drawn.max_instances),
            overlap: rng.bool().then_some(drawn.overlap),
            priority: rng.bool().then_some(drawn.priority),
            delivery: rng.bool().then_some(drawn.delivery),
            retry: rng.bool().then_some(drawn.retry),
            when_done: drawn.when_done,
        },
    }
}
