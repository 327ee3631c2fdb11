//! The real stores, with commits that come late, fail, or are cut off.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use clockbox_core::{
    model::*,
    timetable::{Remembered, Timetable, Unfinished},
};
use clockbox_store::{Access, JobStore, MemoryStore, RunFilter, SqliteStore};
use tempfile::TempDir;

/// What a timetable knew when it gave an answer: what a store must know once that answer is committed.
#[derive(Debug, Default, Clone)]
pub(crate) struct View {
    pub(crate) jobs: BTreeMap<JobId, JobRecord>,
    pub(crate) paused: Option<Pause>,
    pub(crate) unfinished: BTreeMap<RunId, (JobId, RunState, u32)>,
    /// Jobs that were changed with a success that the timetable has not heard of yet.
    pub(crate) changed: BTreeSet<JobId>,
}

impl View {
    pub(crate) fn of(timetable: &Timetable) -> Self {
        let unfinished =
            timetable.active_runs().map(|run| (run.id, (run.job.clone(), run.state, run.attempt)));
        Self {
            jobs: timetable.jobs().map(|record| (record.job.id.clone(), record.clone())).collect(),
            paused: timetable.paused().cloned(),
            unfinished: unfinished.collect(),
            changed: BTreeSet::new(),
        }
    }

    /// What a success that was taken has changed in the store, and not yet in the timetable.
    fn take_success(&mut self, run: &Run, writes: &[Write]) {
        self.unfinished.remove(&run.id);
        self.changed.insert(run.job.clone());
        for write in writes {
            match write {
                Write::PutJob(record) => {
                    self.changed.insert(record.job.id.clone());
                    self.jobs.insert(record.job.id.clone(), (**record).clone());
                }
                Write::RemoveJob(job) => drop(self.jobs.remove(job)),
                Write::Fire { run, .. } => {
                    self.unfinished.insert(run.id, (run.job.clone(), run.state, run.attempt));
                }
                _ => {}
            }
        }
    }
}

/// A store and the submissions on their way to it.
pub(crate) struct Disk {
    pub(crate) store: Arc<dyn JobStore>,
    folder: Option<TempDir>,
    submitted: VecDeque<(Vec<Write>, View)>,
    /// What the timetable knew at the latest commit.
    pub(crate) durable: View,
    unheard: Vec<Unheard>,
    /// How many submissions there were, and how many of them are committed.
    count: (usize, usize),
}

/// A success that was taken, and what went with it: not in what the timetable knew before it heard of that.
struct Unheard {
    run: Arc<Run>,
    writes: Vec<Write>,
    /// How many submissions there were when it heard of it.
    until: Option<usize>,
}

/// The answers to the writes of one submission.
pub(crate) type Answers = Vec<Result<(), Refusal>>;

impl Disk {
    pub(crate) fn new(on_disk: bool, now: Timestamp) -> Self {
        let folder = on_disk.then(|| tempfile::tempdir().unwrap());
        let store: Arc<dyn JobStore> = match &folder {
            Some(folder) => open(folder, now),
            None => Arc::new(MemoryStore::new()),
        };
        Self {
            store,
            folder,
            submitted: VecDeque::new(),
            durable: View::default(),
            unheard: Vec::new(),
            count: (0, 0),
        }
    }

    pub(crate) fn submit(&mut self, writes: Vec<Write>, view: View) {
        self.submitted.push_back((writes, view));
        self.count.0 += 1;
    }

    pub(crate) fn waiting(&self) -> usize {
        self.submitted.len()
    }

    /// Commits the oldest `count` submissions in one transaction, as the writer does.
    pub(crate) fn commit(&mut self, count: usize) -> Vec<Answers> {
        let group: Vec<_> = self.submitted.drain(..count.min(self.submitted.len())).collect();
        let writes: Vec<Write> = group.iter().flat_map(|(writes, _)| writes.clone()).collect();
        let mut answers = self.store.commit(&writes).unwrap().into_iter();
        let mut split = Vec::new();
        for (writes, view) in group {
            let own: Answers = answers.by_ref().take(writes.len()).collect();
            for (write, answer) in writes.into_iter().zip(&own) {
                match write {
                    Write::Success { run, jobs, .. } => {
                        let stored = self.run(run.id).unwrap();
                        let is_done = stored.outcome == Some(Outcome::Succeeded);
                        assert_eq!(is_done, answer.is_ok(), "effects: {stored:?} was answered {answer:?}");
                        if answer.is_ok() {
                            self.unheard.push(Unheard { run, writes: jobs, until: None });
                        }
                    }
                    // It went before the timetable heard of the success that changed it.
                    Write::RemoveJob(job) => {
                        for Unheard { writes, .. } in &mut self.unheard {
                            writes.retain(|write| !matches!(write, Write::PutJob(r) if r.job.id == job));
                        }
                    }
                    _ => {}
                }
            }
            split.push(own);
            self.durable = view;
            self.count.1 += 1;
        }
        let count = self.count.1;
        if !split.is_empty() {
            for unheard in
                self.unheard.iter().filter(|unheard| unheard.until.is_none_or(|until| count <= until))
            {
                self.durable.take_success(&unheard.run, &unheard.writes);
            }
        }
        self.unheard.retain(|unheard| unheard.until.is_none_or(|until| count < until));
        split
    }

    /// The timetable has heard of what became of this success.
    pub(crate) fn heard(&mut self, run: RunId) {
        let heard = self.unheard.iter_mut().filter(|unheard| unheard.run.id == run);
        heard.for_each(|unheard| unheard.until = Some(self.count.0));
    }

    /// The host is gone, and so is what was not committed.
    pub(crate) fn crash(&mut self, now: Timestamp) {
        self.submitted.clear();
        self.unheard.clear();
        self.count = (0, 0);
        if let Some(folder) = &self.folder {
            // The old host lets go of the database before the new one takes it.
            self.store = Arc::new(MemoryStore::new());
            self.store = open(folder, now);
        }
    }

    /// What a host that starts finds.
    pub(crate) fn remembered(&self) -> Remembered {
        let snapshot = self.store.load().unwrap();
        let unfinished = snapshot.unfinished.into_iter().map(|run| {
            let attempts = self.store.run(run.id).unwrap().unwrap().attempts;
            let attempt_started_at = attempts.last().map(|attempt| attempt.started_at);
            Unfinished { run, attempt_started_at }
        });
        Remembered {
            unfinished: unfinished.collect(),
            cancelling: snapshot.cancelling,
            jobs: snapshot.jobs,
            last_run: snapshot.last_run,
            paused: snapshot.paused,
        }
    }

    pub(crate) fn run(&self, id: RunId) -> Option<Run> {
        self.store.run(id).unwrap().map(|detail| detail.run)
    }

    pub(crate) fn runs(&self) -> Vec<Run> {
        self.store.runs(&RunFilter::default()).unwrap()
    }

    pub(crate) fn runs_of(&self, job: &JobId) -> Vec<Run> {
        self.store.runs(&RunFilter { job: Some(job.clone()), ..RunFilter::default() }).unwrap()
    }
}

fn open(folder: &TempDir, now: Timestamp) -> Arc<dyn JobStore> {
    let path = folder.path().join("clockbox.db");
    Arc::new(SqliteStore::open(&path, Access::ReadWrite { opened_at: now }).unwrap())
}
