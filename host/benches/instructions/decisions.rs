//! What is decided and recorded of a run, without the run itself and without threads.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use clockbox_core::{
    model::{
        Event, Job, JobId, Outcome, PluginName, Policy, Pool, PoolName, Report, Source, Timestamp, Write,
    },
    timetable::{Action, Change, Completed, Conflict, Input, Launch, Pipeline, Timetable},
    trigger::{Trigger, TriggerSpec},
};
use clockbox_store::{Access, JobStore, MemoryStore, SqliteStore};

/// Jobs that are due at the same second, and so the writes of a batch.
const BATCH: usize = 100;

pub(crate) fn in_memory(runs: usize) {
    decide(&MemoryStore::new(), runs);
}

pub(crate) fn in_sqlite(runs: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let access = Access::ReadWrite { opened_at: start() };
    let store = SqliteStore::open(&folder.path().join("clockbox.db"), access).expect("a new database");
    decide(&store, runs);
}

fn start() -> Timestamp {
    "2030-01-01T00:00:00Z".parse().expect("a time")
}

/// A job that fires every second from the first one on.
pub(crate) fn job(name: &str, plugin: &PluginName) -> Job {
    let spec = TriggerSpec::interval("1s");
    Job {
        id: JobId::new(name).expect("a name"),
        plugin: plugin.clone(),
        pool: PoolName::default_pool(),
        trigger: Trigger::new(spec, chrono_tz::UTC).expect("a trigger"),
        args: "null".into(),
        policy: Policy::default().into(),
        source: Source::Api,
    }
}

/// A pool in which a whole batch has room.
pub(crate) fn pool() -> Pool {
    Pool { name: PoolName::default_pool(), max_instances: 1_000, queue: 10_000 }
}

/// Second by second: all jobs fire, their records are committed, and when that is done they all succeed.
fn decide(store: &dyn JobStore, runs: usize) {
    assert_eq!(runs % BATCH, 0, "the number of runs is to be a multiple of {BATCH}");
    let plugin = PluginName::new("no-op").expect("a name");
    let jobs = (0..BATCH).map(|n| Arc::new(job(&format!("every-second-{n}"), &plugin))).collect();
    let mut host = Host {
        timetable: Timetable::new(),
        pipeline: Pipeline::new(),
        store,
        writes: Vec::new(),
        submitted: VecDeque::new(),
        ended: 0,
    };
    host.tell(start(), Input::Apply(Change { pools: vec![pool()], ..Change::default() }));
    host.tell(start(), Input::AddJobs { jobs, conflict: Conflict::Error });
    assert!(host.commit().is_empty());
    while host.ended < runs {
        let due = host.timetable.next_wake().expect("a next fire");
        host.tell(due, Input::Wake);
        let launches = host.commit();
        assert_eq!(launches.len(), BATCH, "each job fires at {due}");
        let end = due + Duration::from_millis(2);
        for Launch { run, .. } in launches {
            let report = Report { peak_memory: Some(65_536), ..Report::new(Outcome::Succeeded) };
            let report = Box::new(report);
            host.tell(end, Input::Finished { run: run.id, attempt: run.attempt, report });
        }
        assert!(host.commit().is_empty());
    }
    assert_eq!(host.ended, runs);
}

/// What the driver and the store's writer do, one after the other.
struct Host<'s> {
    timetable: Timetable,
    pipeline: Pipeline<()>,
    store: &'s dyn JobStore,
    /// What was submitted since the last commit.
    writes: Vec<Write>,
    /// How many writes each submission has.
    submitted: VecDeque<usize>,
    /// Runs whose end is on record.
    ended: usize,
}

impl Host<'_> {
    fn tell(&mut self, now: Timestamp, input: Input) {
        let actions: Vec<Action> = self.timetable.handle(now, input).expect("an answer");
        let mut taken = self.pipeline.take(actions, None);
        // There is none where nothing is to be written.
        if let Some(writes) = &mut taken.writes {
            self.submitted.push_back(writes.len());
            self.writes.append(writes);
        }
    }

    /// Commits what was submitted and answers what may start now.
    fn commit(&mut self) -> Vec<Launch> {
        let answers = self.store.commit(&self.writes).expect("a commit");
        self.writes.clear();
        let (mut rest, mut ready) = (answers.as_slice(), Vec::new());
        for count in self.submitted.drain(..) {
            let (mine, others) = rest.split_at(count);
            rest = others;
            let Completed { events, launches, refused, .. } =
                self.pipeline.durable(mine).expect("a submission");
            assert!(refused.is_empty(), "{refused:?} are on record already");
            ready.extend(launches);
            let has_ended = |event: &&Event| matches!(event, Event::RunFinished { .. });
            self.ended += events.iter().filter(has_ended).count();
        }
        ready
    }
}
