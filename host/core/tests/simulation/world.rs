//! A host: the real timetable, pipeline and store, with instances and a driver that a plan moves.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use chrono::TimeDelta;
use clockbox_core::{model::*, timetable::*, trigger::seed_of};
use fastrand::Rng;

use crate::{
    disk::{Disk, View},
    effects::Asked,
    ledger::Ledger,
    listener::Listener,
    owners::Owners,
    plan::{self, Plan, Step, What},
};

/// Fires that one answer may decide; more than the timetable's own bound, as a change of jobs decides some too.
const DECIDED_AT_MOST: usize = 600;

pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) timetable: Timetable,
    pub(crate) disk: Disk,
    pipeline: Pipeline<u32>,
    replies: (u32, u32),
    /// Instances: the pool, the attempt, and whether it was asked to stop.
    running: BTreeMap<RunId, (PoolName, u32)>,
    /// Runs that were given their places and have not ended: running, or waiting for a commit to be launched.
    placed: BTreeMap<RunId, (JobId, PoolName)>,
    asked_to_stop: HashSet<RunId>,
    launched: HashSet<(RunId, u32)>,
    /// The attempts that a run may have, by the policies that its job ever had.
    attempts: HashMap<JobId, u32>,
    /// Runs that were running when the host crashed, of jobs that promise at most one delivery; and those that somebody
    /// cancelled and was told so.
    must_not_run: HashSet<RunId>,
    /// Runs that somebody cancels, by the number of the answer that he waits for.
    to_be_cancelled: HashMap<u32, RunId>,
    pools: BTreeMap<PoolName, Pool>,
    manifest: BTreeMap<JobId, Arc<Job>>,
    owners: Owners,
    ledger: Ledger,
    listener: Listener,
    /// Jobs of which another node recorded a fire.
    shared: HashSet<JobId>,
    /// How often each job was added: one that comes back may have fires that were decided in an earlier life.
    added: HashMap<JobId, u32>,
    was_set_back: bool,
    repeats: HashSet<JobId>,
    names: u32,
    asked: Asked,
    brings_about: bool,
    /// Jobs that went, or were about to when the host crashed.
    gone: HashSet<JobId>,
    is_draining: bool,
    pub(crate) trace: Option<Vec<String>>,
}

impl World {
    pub(crate) fn new(plan: &Plan, traced: bool) -> Self {
        let now = "2030-01-01T00:00:00Z".parse().unwrap();
        let mut world = Self {
            now,
            timetable: Timetable::new(),
            disk: Disk::new(plan.on_disk, now),
            pipeline: Pipeline::new(),
            replies: (0, 0),
            running: BTreeMap::new(),
            placed: BTreeMap::new(),
            asked_to_stop: HashSet::new(),
            launched: HashSet::new(),
            attempts: HashMap::new(),
            must_not_run: HashSet::new(),
            to_be_cancelled: HashMap::new(),
            pools: BTreeMap::new(),
            manifest: BTreeMap::new(),
            owners: Owners::default(),
            ledger: Ledger::default(),
            listener: Listener::default(),
            shared: HashSet::new(),
            added: HashMap::new(),
            was_set_back: false,
            repeats: HashSet::new(),
            names: 0,
            asked: Asked::default(),
            brings_about: plan.brings_about,
            gone: HashSet::new(),
            is_draining: false,
            trace: traced.then(Vec::new),
        };
        let mut rng = Rng::with_seed(plan.seed);
        let pools: Vec<Pool> = (0..3).map(|n| plan::pool(&mut rng, n)).collect();
        world.apply(Change { pools, ..Change::default() });
        world
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let text = format!("{} {}", self.now.format("%T%.3f"), what());
            trace.push(text);
        }
    }

    pub(crate) fn step(&mut self, step: Step) {
        self.note(|| format!("-- {:?}", step.what));
        let rng = &mut Rng::with_seed(step.dice);
        match step.what {
            What::Advance => self.advance(rng),
            What::Jump => self.jump(rng),
            What::Commit => self.commit(rng.usize(1..4)),
            // The writer keeps what it was given, in its order, and tries again.
            What::FailCommit => {}
            What::Finish => self.finish(rng),
            What::StaleReport => self.stale_report(rng),
            What::RunNow => {
                if self.was_set_back {
                    // A run on demand may meet a time that is on record from before.
                    self.repeats.extend(self.owners.jobs.keys().cloned());
                }
                self.tell_of_job(rng, |job| Input::RunNow { job, args: None });
            }
            What::CancelRun => self.cancel(rng),
            What::PauseJob => {
                self.tell_of_job(rng, |job| Input::PauseJob { job, by: Some("ada".into()), note: None });
            }
            What::ResumeJob => self.tell_of_job(rng, Input::ResumeJob),
            What::Pause => self.tell(Input::Pause { by: Some("ada".into()), note: Some("audit".into()) }),
            What::Resume => self.tell(Input::Resume),
            What::Reload => self.reload(rng),
            What::Resize => {
                let n = rng.u32(0..3);
                let pools = vec![plan::pool(rng, n)];
                self.apply(Change { pools, ..Change::default() });
            }
            What::AddJobs => self.add_jobs(rng),
            What::ModifyJob => {
                let patch = Box::new(plan::patch(rng, self.now));
                self.tell_of_job(rng, |job| Input::ModifyJob { job, patch });
            }
            What::RemoveJob => {
                let running = if rng.bool() { Running::Finish } else { Running::Cancel };
                self.tell_of_job(rng, |job| Input::RemoveJob { job, running });
            }
            What::FireElsewhere => self.fire_elsewhere(rng),
            What::Crash => self.crash(rng),
            What::Drain => self.drain_and_restart(rng),
        }
    }

    /// Lets everything come to an end, and audits the history.
    pub(crate) fn settle(&mut self) {
        self.note(|| "-- settle".to_owned());
        let mut rng = Rng::with_seed(0);
        self.tell(Input::Resume);
        self.check_progress(&mut rng);
        // No more fires; what has fired comes to its end.
        let jobs: Vec<JobId> = self.owners.jobs.keys().cloned().collect();
        for job in jobs {
            // One that is paused already is no trouble, one that is done by now neither.
            self.tell(Input::PauseJob { job, by: None, note: None });
        }
        let mut steps_left = 100_000_u32;
        loop {
            steps_left -= 1;
            assert!(steps_left > 0, "it never comes to rest: {:?}", self.timetable);
            if self.timetable.next_wake().is_some_and(|wake| wake <= self.now) {
                self.tell(Input::Wake);
            } else if self.disk.waiting() > 0 {
                self.commit(usize::MAX);
            } else if !self.running.is_empty() {
                self.finish(&mut rng);
            } else if self.timetable.active_runs().next().is_some() {
                let wake = self.timetable.next_wake();
                self.now = wake.unwrap_or_else(|| panic!("stuck: {:?}", self.timetable));
            } else {
                break;
            }
        }
        assert_eq!(self.timetable.running(), 0, "places: some are taken by nobody");
        assert!(self.pipeline.is_empty() && self.replies.0 == self.replies.1, "an answer was never given");
        self.ledger.audit(&self.disk, &self.timetable, &self.shared);
        crate::audit::audit(&self.disk);
        let lives_on = |job: &JobId| self.timetable.job(job).is_some() && !self.gone.contains(job);
        self.asked.audit(&self.disk, self.now, lives_on, &self.gone);
    }

    /// Tells the timetable what happened, and holds its answer against the promises.
    fn tell(&mut self, input: Input) {
        if self.timetable.must_wait(&input) {
            self.commit(usize::MAX);
        }
        self.note(|| format!("   {}", crate::trace::input(&input)));
        let wake = self.timetable.next_wake();
        let kept = input.clone();
        let actions = match self.timetable.handle(self.now, input) {
            Ok(actions) => actions,
            Err(rejection) => {
                self.note(|| format!("      rejected: {rejection}"));
                assert_eq!(self.timetable.next_wake(), wake, "a rejected input changed something");
                return self.owners.check(&self.timetable);
            }
        };
        self.owners.apply(&kept);
        if let Input::Settled { run, answer } = &kept {
            self.disk.heard(*run);
            if answer.is_ok() {
                self.asked.changes(*run).iter().for_each(|change| self.owners.change(change));
            }
        }
        // Also what is over by the end of the answer.
        self.ledger.note(self.now, &self.owners);
        if matches!(kept, Input::Drain) {
            self.is_draining = true;
        }
        if let Input::CancelRun { run, .. } = &kept {
            self.to_be_cancelled.insert(self.replies.0, *run);
        }
        self.take(actions);
    }

    fn take(&mut self, actions: Vec<Action>) {
        if let Some(trace) = &mut self.trace {
            trace.extend(actions.iter().map(|action| format!("      {}", crate::trace::action(action))));
        }
        let fires = actions.iter().filter(|action| matches!(action, Action::Write(Write::Fire { .. })));
        assert!(fires.count() <= DECIDED_AT_MOST, "pace: too many fires in one answer");
        for action in &actions {
            match action {
                Action::Launch(launch) => self.place(launch),
                Action::Write(Write::Fire { run, .. } | Write::Update { run, .. }) => self.check_grace(run),
                Action::Publish(Event::JobAdded { job }) => {
                    let times = self.added.entry(job.clone()).or_default();
                    *times += 1;
                    if *times > 1 {
                        self.ledger.lose(job);
                    }
                }
                Action::Publish(Event::JobRemoved { job }) => {
                    self.gone.insert(job.clone());
                    self.cleaned_up(job);
                }
                _ => {}
            }
        }
        self.owners.check(&self.timetable);
        for owned in self.owners.jobs.values() {
            let policy = &owned.job.policy;
            let least = if policy.delivery == Delivery::AtLeastOnce { 2 } else { 1 };
            let most = self.attempts.entry(owned.job.id.clone()).or_default();
            *most = (*most).max(policy.retry.attempts).max(least);
        }
        self.ledger.note(self.now, &self.owners);
        let taken = self.pipeline.take(actions, Some(self.replies.0));
        self.replies.0 += 1;
        self.asked_to_stop.extend(taken.cancels);
        match (taken.completed, taken.writes) {
            (Some(completed), None) => self.complete(completed),
            (None, Some(writes)) => self.disk.submit(writes, View::of(&self.timetable)),
            (completed, writes) => panic!("commit: both or neither of {completed:?} and {writes:?}"),
        }
    }

    /// A fire is missed when it is later than its job's grace, and only then.
    fn check_grace(&self, run: &Run) {
        let Some(owned) = self.owners.jobs.get(&run.job).filter(|_| run.cause == Cause::Trigger) else {
            return;
        };
        // Not asked of the core, which may be wrong about it.
        let is_fresh = match owned.job.policy.misfire_grace {
            Grace::Forever => true,
            Grace::Within(grace) => {
                // What the jitter puts off is not late.
                let put_off = owned.job.trigger.delay(seed_of(run.job.as_str()), run.scheduled_at);
                self.now - run.scheduled_at <= TimeDelta::from_std(grace + put_off).unwrap()
            }
        };
        match run.state {
            RunState::Missed => assert!(!is_fresh, "misfire: {run:?} at {}", self.now),
            RunState::Running if run.attempt == 1 => assert!(is_fresh, "misfire: {run:?} at {}", self.now),
            _ => {}
        }
    }

    /// With nothing in its way, whatever is due is decided.
    fn check_progress(&mut self, rng: &mut Rng) {
        for _ in 0..300 {
            if self.timetable.next_wake().is_some_and(|wake| wake <= self.now) {
                self.tell(Input::Wake);
            } else if self.disk.waiting() > 0 {
                self.commit(usize::MAX);
            } else if !self.running.is_empty() {
                self.finish(rng);
            } else {
                break;
            }
        }
        let is_busy = self.disk.waiting() > 0 || !self.running.is_empty();
        if is_busy || self.timetable.next_wake().is_some_and(|wake| wake <= self.now) {
            // A long backlog, which goes on.
            return;
        }
        // No jitter is longer.
        let overdue = self.now - TimeDelta::seconds(3);
        for record in self.timetable.jobs().filter(|record| record.paused.is_none()) {
            let job = &record.job.id;
            let waits = self.timetable.active_runs().any(|run| run.job == *job);
            let is_stuck = !waits && record.next_fire.is_some_and(|fire| fire < overdue);
            assert!(!is_stuck, "progress: {:?} of {job} at {}", record.next_fire, self.now);
        }
    }

    /// A job that was removed without being told to must have been done.
    fn cleaned_up(&mut self, job: &JobId) {
        let Some(owned) = self.owners.jobs.get(job) else { return };
        if self.timetable.job(job).is_some_and(|record| record.job == owned.job) {
            // It went as it was told, and another took its place.
            return;
        }
        assert_eq!(owned.job.when_done(), WhenDone::Remove, "ownership: {job} was removed by nobody");
        assert!(
            self.timetable.active_runs().all(|run| run.job != *job),
            "ownership: {job} was removed before its last run had ended"
        );
        self.owners.remove(job);
    }

    /// An attempt was given its places: no cap may be exceeded, from here on.
    fn place(&mut self, launch: &Launch) {
        let (run, job) = (&launch.run, &launch.job);
        assert!(!self.is_draining, "drain: {} was started", run.id);
        assert!(self.timetable.paused().is_none(), "pause: {} was started", run.id);
        let known = self.placed.insert(run.id, (run.job.clone(), run.pool.clone()));
        assert!(known.is_none(), "places: {} was given two", run.id);
        let of_job = self.placed.values().filter(|(id, _)| *id == run.job).count();
        assert!(of_job <= job.policy.max_instances as usize, "caps: {of_job} instances of {}", run.job);
        let of_pool = self.placed.values().filter(|(_, pool)| *pool == run.pool).count();
        let cap = self.pools[&run.pool].max_instances as usize;
        assert!(of_pool <= cap, "caps: {of_pool} instances in {} of {cap}", run.pool);
        assert!(
            run.attempt <= self.attempts.get(&run.job).copied().unwrap_or(2).max(job.policy.retry.attempts)
        );
        assert!(!self.must_not_run.contains(&run.id), "delivery: {} ran again", run.id);
    }

    fn complete(&mut self, completed: Completed<u32>) {
        assert_eq!(completed.reply, Some(self.replies.1), "an answer overtook another");
        self.must_not_run.extend(self.to_be_cancelled.remove(&self.replies.1));
        self.replies.1 += 1;
        for event in &completed.events {
            self.listener.hear(event, &self.disk);
        }
        for launch in completed.launches {
            self.launch(&launch);
        }
        for run in completed.refused {
            let job = self.placed.remove(&run).map(|(job, _)| job);
            let job =
                job.or_else(|| self.timetable.active_runs().find(|a| a.id == run).map(|a| a.job.clone()));
            // A fire that is refused without being run is gone from here by now.
            if let Some(job) = job {
                assert!(self.may_be_refused(&job), "records: {run} of {job} was refused, but by whom?");
            }
            self.tell(Input::Refused(run));
        }
        for (run, answer) in completed.settled {
            self.tell(Input::Settled { run, answer });
        }
    }

    fn launch(&mut self, launch: &Launch) {
        let run = &launch.run;
        self.note(|| format!("   launched {} attempt {}", run.id, run.attempt));
        let stored = self.disk.run(run.id);
        let state = stored.map(|stored| (stored.state, stored.attempt, stored.scheduled_at));
        assert_eq!(
            state,
            Some((RunState::Running, run.attempt, run.scheduled_at)),
            "records: {} was launched before its record",
            run.id
        );
        let is_first = self.launched.insert((run.id, run.attempt));
        assert!(is_first, "delivery: {} attempt {} was launched twice", run.id, run.attempt);
        let known = self.running.insert(run.id, (run.pool.clone(), run.attempt));
        assert!(known.is_none(), "delivery: {} runs twice at once", run.id);
    }

    fn apply(&mut self, change: Change) {
        if self.timetable.is_settling() {
            // The driver puts it off until that is settled.
            self.commit(usize::MAX);
        }
        self.pools.extend(change.pools.iter().map(|pool| (pool.name.clone(), pool.clone())));
        self.tell(Input::Apply(change));
    }

    fn advance(&mut self, rng: &mut Rng) {
        let next = self.timetable.next_wake().unwrap_or(self.now + TimeDelta::seconds(5));
        self.now = self.now.max(next) + TimeDelta::milliseconds(rng.i64(0..200));
        self.tell(Input::Wake);
    }

    fn jump(&mut self, rng: &mut Rng) {
        let seconds = if rng.bool() { rng.i64(0..600) } else { -rng.i64(0..60) };
        self.was_set_back |= seconds < 0;
        self.now += TimeDelta::seconds(seconds);
        self.tell(Input::Wake);
    }

    fn commit(&mut self, count: usize) {
        for answers in self.disk.commit(count) {
            let completed = self.pipeline.durable(&answers).expect("commit: nothing waits for it");
            self.complete(completed);
        }
    }

    fn finish(&mut self, rng: &mut Rng) {
        let Some(run) = rng.choice(self.running.keys().copied().collect::<Vec<_>>()) else { return };
        let (_, attempt) = self.running.remove(&run).unwrap();
        let (job, _) = self.placed.remove(&run).expect("places: one is not accounted for");
        let ends = [
            Outcome::Succeeded,
            Outcome::Succeeded,
            Outcome::Succeeded,
            Outcome::Failed,
            Outcome::Failed,
            Outcome::Trapped,
            Outcome::TimedOut,
        ];
        let was_asked = self.asked_to_stop.remove(&run);
        // It may have ended by itself before it heard that it should.
        let outcome =
            if was_asked && rng.u32(0..4) > 0 { Outcome::Cancelled } else { rng.choice(ends).unwrap() };
        let hints =
            [RetryHint::Policy, RetryHint::Never, RetryHint::After(std::time::Duration::from_secs(4))];
        let retry = if outcome == Outcome::Failed { rng.choice(hints).unwrap() } else { RetryHint::Policy };
        let logs = vec![crate::audit::line(self.now, run, attempt)];
        let asks = self.brings_about && outcome == Outcome::Succeeded && rng.u32(0..4) == 0;
        self.asked.forget(run);
        let effects = asks.then(|| {
            let known: Vec<JobId> = self.owners.jobs.keys().cloned().collect();
            Box::new(self.asked.draw(rng, run, &job, &known, &self.disk, self.now))
        });
        let owned = &self.owners.jobs;
        self.asked.drop_idle(run, |job| owned.get(job).is_some_and(|owned| owned.is_paused));
        let report = Report { retry, logs, effects, ..Report::new(outcome).because("as told") };
        self.tell(Input::Finished { run, attempt, report: Box::new(report) });
        let now = self.now;
        let after = self.timetable.active_runs().find(|active| active.id == run);
        if let Some(Run { retry_at: Some(at), state: RunState::Retrying, .. }) = after {
            assert!(retry != RetryHint::Never && !was_asked, "retries: {run} of {job} is tried again");
            assert!(
                asks || !matches!(outcome, Outcome::Succeeded | Outcome::Cancelled),
                "retries: {run} was {outcome}"
            );
            if let RetryHint::After(least) = retry {
                assert!(*at >= now + least, "retries: {run} is tried again too early");
            }
        }
    }

    fn stale_report(&mut self, rng: &mut Rng) {
        let mut known: Vec<(RunId, u32)> = self.launched.iter().copied().collect();
        known.sort_unstable();
        let Some((run, attempt)) = rng.choice(known) else { return };
        if self.running.get(&run).is_none_or(|(_, current)| *current != attempt) {
            let report = Box::new(Report::new(Outcome::Succeeded));
            self.tell(Input::Finished { run, attempt, report });
        }
    }

    fn tell_of_job(&mut self, rng: &mut Rng, input: impl FnOnce(JobId) -> Input) {
        let known: Vec<JobId> = self.owners.jobs.keys().cloned().collect();
        let nobody = JobId::new("nobody").unwrap();
        let job = if rng.u32(0..30) == 0 { nobody } else { rng.choice(known).unwrap_or(nobody) };
        self.tell(input(job));
    }

    fn cancel(&mut self, rng: &mut Rng) {
        let mut active: Vec<RunId> = self.timetable.active_runs().map(|run| run.id).collect();
        active.sort();
        if let Some(run) = rng.choice(active) {
            self.tell(Input::CancelRun { run, why: "on demand".to_owned() });
        }
    }

    fn new_name(&mut self, rng: &mut Rng) -> JobId {
        // Now and then one that is taken, or was.
        if self.names == 0 || rng.u32(0..4) > 0 {
            self.names += 1;
            JobId::new(format!("job-{}", self.names)).unwrap()
        } else {
            JobId::new(format!("job-{}", rng.u32(1..=self.names))).unwrap()
        }
    }

    fn reload(&mut self, rng: &mut Rng) {
        let source = if rng.bool() { Source::Manifest } else { Source::Folder };
        let known: Vec<JobId> = self.manifest.keys().cloned().collect();
        let mut change = Change::default();
        match (rng.u32(0..5), rng.choice(known)) {
            (0, Some(id)) => {
                self.manifest.remove(&id);
                change.remove.push(id);
            }
            (1, Some(id)) => change.put.push(plan::job(rng, id, source, self.now)),
            (2, Some(id)) => {
                let mut same = (*self.manifest[&id]).clone();
                Arc::make_mut(&mut same.policy).priority += 1;
                change.put.push(Arc::new(same));
            }
            // Nothing new.
            (3, Some(id)) => change.put.push(Arc::clone(&self.manifest[&id])),
            _ => {
                for _ in 0..rng.u32(1..4) {
                    let id = self.new_name(rng);
                    change.put.push(plan::job(rng, id, source.clone(), self.now));
                }
            }
        }
        // A manifest has each name once.
        let mut names = HashSet::new();
        change.put.retain(|job| names.insert(job.id.clone()));
        self.manifest.extend(change.put.iter().map(|job| (job.id.clone(), Arc::clone(job))));
        self.apply(change);
    }

    fn add_jobs(&mut self, rng: &mut Rng) {
        let source = if rng.bool() { Source::Api } else { plan::added() };
        let mut jobs: Vec<Arc<Job>> = (0..rng.u32(1..4))
            .map(|_| {
                let id = self.new_name(rng);
                plan::job(rng, id, source.clone(), self.now)
            })
            .collect();
        let conflict = rng.choice([Conflict::Error, Conflict::Replace, Conflict::Ignore]).unwrap();
        if conflict == Conflict::Replace {
            // A job that replaces another in the same answer cannot be followed from outside.
            let mut names = HashSet::new();
            jobs.retain(|job| names.insert(job.id.clone()));
        }
        self.tell(Input::AddJobs { jobs, conflict });
    }

    fn fire_elsewhere(&mut self, rng: &mut Rng) {
        let known: Vec<JobId> = self.owners.jobs.keys().cloned().collect();
        let Some(job) = rng.choice(known) else { return };
        let Some(fire) = self.timetable.job(&job).and_then(|record| record.next_fire) else { return };
        let runs = self.disk.runs();
        let Some(template) = runs.first() else { return };
        if runs.iter().any(|run| run.job == job && run.scheduled_at == fire) {
            return;
        }
        let run = Run {
            id: RunId::from_i64(i64::from(rng.u32(..))).unwrap(),
            job: job.clone(),
            scheduled_at: fire,
            cause: Cause::Trigger,
            state: RunState::Skipped,
            reason: Some("taken by another node".to_owned()),
            outcome: None,
            attempt: 0,
            started_at: None,
            finished_at: Some(self.now),
            retry_at: None,
            coalesced: 0,
            ..template.clone()
        };
        self.note(|| format!("   another node takes the fire of {job} at {fire}"));
        // What that other node coalesced is not known here, so the job's fires can no longer be counted.
        self.shared.insert(job);
        self.disk.store.commit(&[Write::Fire { run: Arc::new(run), next_fire: None }]).unwrap();
    }

    /// kill -9, between any two of its doings: what was not committed never was; what ran is gone.
    fn crash(&mut self, rng: &mut Rng) {
        if rng.u32(0..4) == 0 {
            // It was about to end in order.
            self.tell(Input::StopRunning { why: "the host ends".to_owned() });
        }
        self.commit(rng.usize(0..=self.disk.waiting()));
        // Committed, but the driver never heard of it.
        self.disk.commit(rng.usize(0..3));
        let runs = self.disk.remembered();
        let policy = |job: &JobId| {
            runs.jobs.iter().find(|record| record.job.id == *job).map(|record| record.job.policy.delivery)
        };
        for Unfinished { run, .. } in &runs.unfinished {
            if run.state == RunState::Running && policy(&run.job) != Some(Delivery::AtLeastOnce) {
                self.must_not_run.insert(run.id);
            }
        }
        self.restart(rng);
    }

    fn drain_and_restart(&mut self, rng: &mut Rng) {
        self.tell(Input::Drain);
        while !self.running.is_empty() || self.disk.waiting() > 0 {
            self.commit(usize::MAX);
            self.finish(rng);
        }
        assert_eq!(self.timetable.running(), 0, "drain: not drained");
        let left = self.disk.remembered().unfinished;
        assert!(left.iter().all(|left| left.run.state != RunState::Running), "drain: left behind: {left:?}");
        self.restart(rng);
    }

    /// The start of a host, as the builder does it.
    fn restart(&mut self, rng: &mut Rng) {
        self.running.clear();
        self.placed.clear();
        self.asked_to_stop.clear();
        self.pipeline = Pipeline::new();
        self.replies = (0, 0);
        self.to_be_cancelled.clear();
        self.is_draining = false;
        self.disk.crash(self.now);
        self.now += TimeDelta::seconds(rng.i64(0..120));
        self.check_store();
        self.timetable = Timetable::new();
        let remembered = self.disk.remembered();
        self.owners = Owners::restored(&remembered.jobs);
        self.ledger.restored(&remembered.jobs, &self.disk);
        let stored: HashSet<&JobId> = remembered.jobs.iter().map(|record| &record.job.id).collect();
        // An addition that was not committed never was.
        self.added.retain(|id, _| stored.contains(id) || !self.disk.runs_of(id).is_empty());
        let manifest: Vec<Arc<Job>> = self.manifest.values().cloned().collect();
        let change = Change::at_start(&remembered.jobs, &manifest, &BTreeSet::new());
        let pools = Change { pools: self.pools.values().cloned().collect(), ..Change::default() };
        let unfinished: Vec<RunId> =
            remembered.unfinished.iter().map(|unfinished| unfinished.run.id).collect();
        let mut actions = self.timetable.handle(self.now, Input::Apply(pools)).unwrap();
        actions.extend(self.timetable.restore(self.now, remembered));
        for run in unfinished {
            let is_active = self.timetable.active_runs().any(|active| active.id == run);
            let has_ended = |action: &Action| matches!(action, Action::Write(Write::Update { run: ended, .. }) if ended.id == run);
            assert!(is_active || actions.iter().any(has_ended), "restore: {run} was forgotten");
        }
        let input = Input::Apply(change);
        self.note(|| format!("   start: {}", crate::trace::input(&input)));
        actions.extend(self.timetable.handle(self.now, input.clone()).unwrap());
        self.owners.apply(&input);
        assert!(
            !actions.iter().any(|action| matches!(action, Action::Launch(_))),
            "restore: started too early"
        );
        self.take(actions);
        self.tell(Input::Wake);
    }

    /// Whether fires of the job may be on record that the timetable does not know of.
    fn may_be_refused(&self, job: &JobId) -> bool {
        self.shared.contains(job)
            || self.repeats.contains(job)
            || self.added.get(job).is_some_and(|times| *times > 1)
    }

    /// What a start finds is what the timetable knew at the last commit.
    fn check_store(&self) {
        let (durable, found) = (&self.disk.durable, self.disk.store.load().unwrap());
        assert_eq!(found.paused, durable.paused, "durability: the pause");
        let names: Vec<&JobId> = found.jobs.iter().map(|record| &record.job.id).collect();
        assert_eq!(names, durable.jobs.keys().collect::<Vec<_>>(), "durability: the jobs");
        for record in &found.jobs {
            if !self.may_be_refused(&record.job.id) && !durable.changed.contains(&record.job.id) {
                assert_eq!(record, &durable.jobs[&record.job.id], "durability: of a job");
            }
        }
        let found = found.unfinished.into_iter().filter(|run| !self.may_be_refused(&run.job));
        let found: BTreeMap<_, _> = found.map(|run| (run.id, (run.job, run.state, run.attempt))).collect();
        let mut known = durable.unfinished.clone();
        known.retain(|_, (job, ..)| !self.may_be_refused(job));
        assert_eq!(found, known, "durability: runs under way");
    }
}
