//! A host with a seeded will of its own.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use chrono::TimeDelta;
use clockbox_core::{
    model::*,
    timetable::{Action, Change, Input, Timetable},
    trigger::{Trigger, TriggerSpec},
};
use fastrand::Rng;

use crate::store::ModelStore;

pub(crate) struct World {
    rng: Rng,
    now: Timestamp,
    timetable: Timetable,
    store: ModelStore,
    /// Answers of the timetable whose writes are not durable yet.
    pipeline: VecDeque<Vec<Action>>,
    running: BTreeMap<RunId, (JobId, PoolName, u32)>,
    launched: HashSet<(RunId, u32)>,
    /// Runs that were running when the host crashed, of jobs that promise at most one delivery.
    must_not_run: HashSet<RunId>,
    pools: BTreeMap<PoolName, Pool>,
    jobs: BTreeMap<JobId, Arc<Job>>,
    /// Jobs that kept their trigger since they were added: when, so that their fires can be counted.
    unchanged: BTreeMap<JobId, Timestamp>,
    /// Jobs of which another node recorded a fire.
    shared: HashSet<JobId>,
    added: u32,
    cancelled: HashSet<RunId>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut world = Self {
            rng: Rng::with_seed(seed),
            now: "2030-01-01T00:00:00Z".parse().unwrap(),
            timetable: Timetable::new(),
            store: ModelStore::default(),
            pipeline: VecDeque::new(),
            running: BTreeMap::new(),
            launched: HashSet::new(),
            must_not_run: HashSet::new(),
            pools: BTreeMap::new(),
            jobs: BTreeMap::new(),
            unchanged: BTreeMap::new(),
            shared: HashSet::new(),
            added: 0,
            cancelled: HashSet::new(),
        };
        let pools = (0..world.rng.u32(1..4)).map(|n| world.random_pool(&format!("pool-{n}"))).collect();
        let put = (0..world.rng.u32(1..6)).map(|_| world.random_job(None)).collect();
        world.apply(Change { pools, put, remove: Vec::new() });
        world
    }

    pub(crate) fn step(&mut self) {
        match self.rng.u32(0..100) {
            0..35 => self.advance(),
            35..60 => self.commit(),
            60..80 => self.finish_one(),
            80..83 => self.jump(),
            83..86 => self.run_now(),
            86..88 => self.cancel(),
            88..90 => self.pause_or_resume_job(),
            90..92 => self.pause_or_resume(),
            92..96 => self.reload(),
            96..98 => self.crash(),
            98 => self.take_fire_elsewhere(),
            _ => self.drain_and_restart(),
        }
    }

    /// Lets everything come to an end, and audits the history.
    pub(crate) fn settle(&mut self) {
        self.tell(Input::Resume);
        let remove: Vec<JobId> = self.jobs.keys().cloned().collect();
        // No more fires; what has fired comes to its end.
        for job in &remove {
            self.tell(Input::PauseJob { job: job.clone(), note: None });
        }
        let mut steps_left = 100_000_u32;
        loop {
            steps_left -= 1;
            assert!(steps_left > 0, "it never comes to rest: {:?}", self.timetable);
            if self.timetable.next_wake().is_some_and(|wake| wake <= self.now) {
                self.tell(Input::Wake);
            } else if !self.pipeline.is_empty() {
                self.commit();
            } else if !self.running.is_empty() {
                self.finish_one();
            } else if self.timetable.active_runs().next().is_some() {
                let wake = self.timetable.next_wake();
                self.now = wake.unwrap_or_else(|| panic!("stuck: {:?}", self.timetable));
            } else {
                break;
            }
        }
        self.audit_fires();
        self.apply(Change { remove, ..Change::default() });
        while !self.pipeline.is_empty() || !self.running.is_empty() {
            self.commit();
            self.finish_one();
        }
        for run in self.store.runs.values() {
            assert!(run.state.is_final(), "left behind: {run:?}");
            assert_eq!(run.outcome.is_some(), run.state == RunState::Finished, "{run:?}");
            assert!(run.state == RunState::Finished || run.reason.is_some(), "no reason: {run:?}");
        }
        assert_eq!(self.timetable.running(), 0);
    }

    pub(crate) fn history(&self) -> Vec<Run> {
        self.store.runs.values().cloned().collect()
    }

    /// No fire is lost: each that the trigger names is on record, or is counted on one that is.
    fn audit_fires(&self) {
        for (id, added_at) in &self.unchanged {
            let Some(record) = self.timetable.job(id).filter(|_| !self.shared.contains(id)) else { continue };
            let trigger = &record.job.trigger;
            let (mut fires, mut at) = (0_u32, trigger.next_after(None, *added_at));
            while at.is_some() && at != record.next_fire {
                fires += 1;
                at = trigger.next_after(at, at.unwrap());
            }
            let rows = self.store.runs.values().filter(|run| run.job == *id && run.cause == Cause::Trigger);
            let recorded: u32 = rows.map(|run| 1 + run.coalesced).sum();
            assert_eq!(fires, recorded, "fires of {id} named by its trigger against those on record");
        }
    }

    fn tell(&mut self, input: Input) {
        if let Ok(actions) = self.timetable.handle(self.now, input)
            && !actions.is_empty()
        {
            self.take(actions);
        }
    }

    fn take(&mut self, actions: Vec<Action>) {
        for action in &actions {
            if let Action::Cancel(run) = action {
                self.cancelled.insert(*run);
            }
        }
        self.pipeline.push_back(actions);
    }

    fn apply(&mut self, change: Change) {
        for pool in &change.pools {
            self.pools.insert(pool.name.clone(), pool.clone());
        }
        for job in &change.put {
            let known = self.jobs.insert(job.id.clone(), job.clone());
            if known.is_none() {
                self.unchanged.insert(job.id.clone(), self.now);
            } else if known.is_some_and(|known| known.trigger != job.trigger) {
                self.unchanged.remove(&job.id);
            }
        }
        for id in &change.remove {
            self.jobs.remove(id);
            self.unchanged.remove(id);
        }
        self.tell(Input::Apply(change));
    }

    /// To the next wake, or a little beside it.
    fn advance(&mut self) {
        let next = self.timetable.next_wake().unwrap_or(self.now + TimeDelta::seconds(5));
        self.now = self.now.max(next) + TimeDelta::milliseconds(self.rng.i64(0..200));
        self.tell(Input::Wake);
    }

    /// A laptop that slept, or a clock that was set.
    fn jump(&mut self) {
        let seconds = if self.rng.bool() { self.rng.i64(0..600) } else { -self.rng.i64(0..60) };
        self.now += TimeDelta::seconds(seconds);
        self.tell(Input::Wake);
    }

    /// The oldest batch becomes durable; what depends on it goes ahead.
    fn commit(&mut self) {
        let Some(actions) = self.pipeline.pop_front() else { return };
        let mut refused = HashSet::new();
        for action in &actions {
            if let Action::Write(write) = action
                && !self.store.write(write)
                && let Write::Fire { run, .. } | Write::Update { run, .. } = write
            {
                refused.insert(run.id);
            }
        }
        for action in actions {
            if let Action::Launch(launch) = action
                && !refused.contains(&launch.run.id)
            {
                self.launch(&launch.run, &launch.job);
            }
        }
        let mut refused: Vec<_> = refused.into_iter().collect();
        refused.sort();
        refused.into_iter().for_each(|run| self.tell(Input::Refused(run)));
    }

    fn launch(&mut self, run: &Run, job: &Job) {
        let stored = &self.store.runs[&run.id];
        assert_eq!(
            (stored.state, stored.attempt),
            (RunState::Running, run.attempt),
            "launched before its record"
        );
        assert!(
            self.launched.insert((run.id, run.attempt)),
            "{} attempt {} launched twice",
            run.id,
            run.attempt
        );
        assert!(!self.must_not_run.contains(&run.id), "{} of at-most-once job {} ran again", run.id, run.job);
        let known = self.running.insert(run.id, (run.job.clone(), run.pool.clone(), run.attempt));
        assert!(known.is_none(), "{} runs twice at once", run.id);
        let of_job = self.running.values().filter(|(job, ..)| *job == run.job).count();
        assert!(of_job <= job.policy.max_instances as usize, "{of_job} instances of {}", run.job);
        let of_pool = self.running.values().filter(|(_, pool, _)| *pool == run.pool).count();
        // A pool that shrank lets what runs run on, but starts nothing beyond its new cap; the launch may have been
        // decided before, so the larger cap of the two counts.
        assert!(of_pool <= self.largest_cap(&run.pool), "{of_pool} instances in {}", run.pool);
    }

    fn largest_cap(&self, pool: &PoolName) -> usize {
        self.pools.get(pool).map_or(20, |pool| pool.max_instances) as usize
    }

    fn finish_one(&mut self) {
        let Some(run) = self.rng.choice(self.running.keys().copied().collect::<Vec<_>>()) else { return };
        let (_, _, attempt) = self.running.remove(&run).unwrap();
        let outcome = if self.cancelled.remove(&run) {
            Outcome::Cancelled
        } else {
            let ends = [
                Outcome::Succeeded,
                Outcome::Succeeded,
                Outcome::Failed,
                Outcome::Trapped,
                Outcome::TimedOut,
            ];
            self.rng.choice(ends).unwrap()
        };
        let mut report = Report::new(outcome);
        if outcome == Outcome::Failed && self.rng.bool() {
            report.retry = RetryHint::Never;
        }
        self.tell(Input::Finished { run, attempt, report: Box::new(report) });
    }

    fn run_now(&mut self) {
        if let Some(job) = self.random_known() {
            self.tell(Input::RunNow { job, args: None });
        }
    }

    fn cancel(&mut self) {
        let mut active: Vec<RunId> = self.timetable.active_runs().map(|run| run.id).collect();
        active.sort();
        if let Some(run) = self.rng.choice(active) {
            self.tell(Input::CancelRun { run, why: "on demand".to_owned() });
        }
    }

    fn pause_or_resume_job(&mut self) {
        if let Some(job) = self.random_known() {
            let input =
                if self.rng.bool() { Input::PauseJob { job, note: None } } else { Input::ResumeJob(job) };
            self.tell(input);
        }
    }

    fn pause_or_resume(&mut self) {
        let input = if self.rng.u32(0..3) == 0 { Input::Pause } else { Input::Resume };
        self.tell(input);
    }

    fn reload(&mut self) {
        let known = self.random_known();
        let change = match (self.rng.u32(0..4), known) {
            (0, Some(job)) => Change { remove: vec![job], ..Change::default() },
            (1, Some(job)) => Change { put: vec![self.random_job(Some(job))], ..Change::default() },
            (2, Some(job)) => {
                let mut same = (*self.jobs[&job]).clone();
                same.policy.priority += 1;
                Change { put: vec![Arc::new(same)], ..Change::default() }
            }
            _ => Change { put: vec![self.random_job(None)], ..Change::default() },
        };
        self.apply(change);
    }

    /// kill -9: what was not committed never was; what ran is gone.
    fn crash(&mut self) {
        for _ in 0..self.rng.usize(0..=self.pipeline.len()) {
            self.commit();
        }
        self.pipeline.clear();
        self.restart();
    }

    fn drain_and_restart(&mut self) {
        self.tell(Input::Drain);
        while !self.running.is_empty() || !self.pipeline.is_empty() {
            self.commit();
            self.finish_one();
        }
        assert_eq!(self.timetable.running(), 0, "drained");
        self.restart();
    }

    fn restart(&mut self) {
        for unfinished in self.store.unfinished() {
            let run = unfinished.run;
            let at_most_once = self
                .store
                .jobs
                .get(&run.job)
                .is_none_or(|job| job.job.policy.delivery == Delivery::AtMostOnce);
            if run.state == RunState::Running && at_most_once {
                self.must_not_run.insert(run.id);
            }
        }
        self.running.clear();
        self.cancelled.clear();
        self.now += TimeDelta::seconds(self.rng.i64(0..120));
        self.timetable = Timetable::new();
        let pools = self.pools.values().cloned().collect();
        self.tell(Input::Apply(Change { pools, ..Change::default() }));
        let jobs: Vec<JobRecord> = self.store.jobs.values().cloned().collect();
        // What was asked for but not committed is asked for again by its owner.
        let stored: BTreeMap<_, _> =
            jobs.iter().map(|record| (record.job.id.clone(), record.job.clone())).collect();
        let last = self.store.runs.keys().next_back().copied();
        let actions = self.timetable.restore(self.now, jobs, self.store.unfinished(), last);
        self.take(actions);
        let gone = stored.keys().filter(|id| !self.jobs.contains_key(*id)).cloned().collect();
        let mine: Vec<_> = self.jobs.values().cloned().collect();
        for job in &mine {
            if stored.get(&job.id).is_none_or(|known| known.trigger != job.trigger) {
                self.unchanged.remove(&job.id);
            }
            if !stored.contains_key(&job.id) {
                self.unchanged.insert(job.id.clone(), self.now);
            }
        }
        self.tell(Input::Apply(Change { put: mine, remove: gone, ..Change::default() }));
        self.tell(Input::Wake);
    }

    /// Another node records a fire before we do.
    fn take_fire_elsewhere(&mut self) {
        let Some(job) = self.random_known() else { return };
        let Some(fire) = self.timetable.job(&job).and_then(|record| record.next_fire) else { return };
        if self.store.fires.contains_key(&(job.clone(), fire)) {
            return;
        }
        let Some(template) = self.store.runs.values().next().cloned() else { return };
        let id = RunId::from_i64(i64::from(self.rng.u32(..))).unwrap();
        let state = RunState::Skipped;
        let reason = Some("taken by another node".to_owned());
        let run = Run {
            id,
            job: job.clone(),
            scheduled_at: fire,
            cause: Cause::Trigger,
            state,
            reason,
            outcome: None,
            coalesced: 0,
            ..template
        };
        // What that other node coalesced is not known here, so the job's fires can no longer be counted.
        self.shared.insert(job.clone());
        self.store.write(&Write::Fire { run: Box::new(run), next_fire: None });
    }

    fn random_known(&mut self) -> Option<JobId> {
        let known: Vec<JobId> = self.jobs.keys().cloned().collect();
        self.rng.choice(known)
    }

    fn random_pool(&mut self, name: &str) -> Pool {
        Pool {
            name: PoolName::new(name).unwrap(),
            max_instances: self.rng.u32(1..5),
            queue: self.rng.u32(0..8),
        }
    }

    fn random_job(&mut self, id: Option<JobId>) -> Arc<Job> {
        let rng = &mut self.rng;
        let interval = format!("{}ms", rng.u32(1..40) * 500);
        let spec: TriggerSpec = match rng.u32(0..10) {
            0 => {
                let date = self.now + TimeDelta::seconds(rng.i64(-60..300));
                serde_json::from_value(serde_json::json!({ "date": date.to_rfc3339() })).unwrap()
            }
            _ => serde_json::from_value(serde_json::json!({ "interval": interval })).unwrap(),
        };
        let policy = Policy {
            misfire_grace: rng
                .choice([
                    Grace::Forever,
                    Grace::Within(Duration::from_secs(5)),
                    Grace::Within(Duration::from_secs(90)),
                ])
                .unwrap(),
            coalesce: rng.choice([Coalesce::Latest, Coalesce::Earliest, Coalesce::All]).unwrap(),
            max_instances: rng.u32(1..4),
            overlap: rng.choice([Overlap::Skip, Overlap::Wait, Overlap::Replace]).unwrap(),
            priority: rng.i32(-2..3),
            delivery: rng.choice([Delivery::AtMostOnce, Delivery::AtLeastOnce]).unwrap(),
            retry: Retry { attempts: rng.u32(1..4), backoff: Duration::from_secs(2), ..Retry::default() },
        };
        let pool = format!("pool-{}", rng.u32(0..3));
        self.added += 1;
        Arc::new(Job {
            id: id.unwrap_or_else(|| JobId::new(format!("job-{}", self.added)).unwrap()),
            plugin: PluginName::new("hello").unwrap(),
            pool: PoolName::new(pool).unwrap(),
            trigger: Trigger::new(spec, chrono_tz::UTC).unwrap(),
            args: "null".into(),
            policy,
            source: Source::Api,
        })
    }
}
