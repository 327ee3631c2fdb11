//! A store that fails, panics or hangs on demand, in front of one in memory.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        mpsc::{Receiver, Sender, channel},
    },
};

use clockbox_core::model::{JobId, JobRecord, JobState, Refusal, Run, RunId, Timestamp, Write};
use clockbox_store::{JobStore, LogPart, LogPlace, MemoryStore, RunDetail, RunFilter, Snapshot, StoreError};

/// What the next commit does in place of committing.
pub(super) enum Step {
    /// It fails and may pass.
    Fail,
    /// It fails for good.
    Break,
    /// It panics.
    Panic,
    /// It commits but answers too little.
    Miscount,
    /// It says that it has begun, waits for a word, and commits.
    Hang(Sender<()>, Receiver<()>),
}

pub(super) fn full() -> StoreError {
    StoreError::Transient("the disk is full".to_owned())
}

#[derive(Default)]
pub(super) struct Scripted {
    steps: Mutex<VecDeque<Step>>,
    batches: Mutex<Vec<usize>>,
    at_once: bool,
    pub(super) memory: MemoryStore,
}

impl Scripted {
    pub(super) fn new(steps: impl IntoIterator<Item = Step>) -> std::sync::Arc<Self> {
        let steps = Mutex::new(steps.into_iter().collect());
        Self { steps, ..Self::default() }.into()
    }

    /// One that says that it commits at once.
    pub(super) fn at_once(steps: impl IntoIterator<Item = Step>) -> std::sync::Arc<Self> {
        let steps = Mutex::new(steps.into_iter().collect());
        Self { steps, at_once: true, ..Self::default() }.into()
    }

    /// A store whose first commit hangs: with its word that it has begun, and the word that it waits for.
    pub(super) fn hanging() -> (std::sync::Arc<Self>, Receiver<()>, Sender<()>) {
        let ((begin, begun), (go, wait)) = (channel(), channel());
        (Self::new([Step::Hang(begin, wait)]), begun, go)
    }

    /// How many writes each commit had that succeeded.
    pub(super) fn batches(&self) -> Vec<usize> {
        self.batches.lock().unwrap().clone()
    }
}

impl JobStore for Scripted {
    fn commit(&self, writes: &[Write]) -> Result<Vec<Result<(), Refusal>>, StoreError> {
        let step = self.steps.lock().unwrap().pop_front();
        match step {
            Some(Step::Fail) => return Err(full()),
            Some(Step::Break) => return Err(StoreError::Broken("the file is damaged".to_owned())),
            Some(Step::Panic) => panic!("as the script says"),
            Some(Step::Miscount) => return Ok(Vec::new()),
            Some(Step::Hang(begin, wait)) => {
                begin.send(()).unwrap();
                wait.recv().unwrap();
            }
            None => {}
        }
        let answers = self.memory.commit(writes)?;
        self.batches.lock().unwrap().push(writes.len());
        Ok(answers)
    }

    fn commits_at_once(&self) -> bool {
        self.at_once
    }

    fn load(&self) -> Result<Snapshot, StoreError> {
        self.memory.load()
    }

    fn jobs(&self) -> Result<Vec<JobRecord>, StoreError> {
        self.memory.jobs()
    }

    fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, StoreError> {
        self.memory.runs(filter)
    }

    fn run(&self, id: RunId) -> Result<Option<RunDetail>, StoreError> {
        self.memory.run(id)
    }

    fn logs_behind(&self, id: RunId, attempt: Option<u32>, behind: LogPlace) -> Result<LogPart, StoreError> {
        self.memory.logs_behind(id, attempt, behind)
    }

    fn state(&self, job: &JobId, now: Timestamp) -> Result<JobState, StoreError> {
        self.memory.state(job, now)
    }

    fn prune(&self, before: Timestamp, keep_per_job: u32, limit: u32) -> Result<u32, StoreError> {
        self.memory.prune(before, keep_per_job, limit)
    }

    fn prune_state(&self, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
        self.memory.prune_state(now, limit)
    }
}
