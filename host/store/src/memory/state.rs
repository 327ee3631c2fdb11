//! The tables of the memory store, with the indexes that keep queries and pruning from scanning everything.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use clockbox_core::model::{
    Attempt, Cause, JobId, JobRecord, JobState, LogLine, Outcome, Pause, Refusal, Run, RunId, RunState,
    StateChanges, Timestamp, Write,
};

use hashbrown::HashMap;

use crate::{
    JobFilter, LogPart, LogPlace, RunDetail, RunFilter, Snapshot,
    micros::{Kept, is_kept},
};

/// A run with what belongs to it.
#[derive(Debug)]
struct Entry {
    run: Arc<Run>,
    /// By number: mostly one.
    attempts: Vec<Attempt>,
    logs: BTreeMap<u32, Vec<LogLine>>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    jobs: HashMap<JobId, JobRecord>,
    /// What jobs remember, where it is anything.
    states: HashMap<JobId, JobState>,
    /// When the first entry of each of these expires, where one does.
    expiries: BTreeSet<(Timestamp, JobId)>,
    entries: BTreeMap<RunId, Entry>,
    /// The runs of each job by scheduled time, which is unique within a job. Outlives the job, as its history does.
    by_job: HashMap<JobId, VecDeque<(Timestamp, RunId)>>,
    /// All runs by scheduled time.
    by_time: BTreeSet<(Timestamp, RunId)>,
    unfinished: BTreeSet<RunId>,
    last_run: Option<RunId>,
    paused: Option<Pause>,
    cancelling: BTreeMap<RunId, String>,
}

impl State {
    pub(super) fn apply(&mut self, write: &Write) -> Result<(), Refusal> {
        match write {
            Write::PutJob(record) => self.put_job(record.kept()),
            Write::RemoveJob(job) => {
                self.jobs.remove(job);
                self.put_state(job, JobState::default());
            }
            Write::Pause(pause) => self.paused = pause.kept(),
            Write::Cancelling { run, why: Some(why) } => drop(self.cancelling.insert(*run, why.clone())),
            Write::Cancelling { run, why: None } => drop(self.cancelling.remove(run)),
            Write::Fire { run, next_fire } => return self.fire(shared(run), *next_fire),
            Write::Update { run, attempt } => return self.update(run, attempt.as_deref()),
            Write::Success { run, attempt, state, jobs } => {
                return self.success(run, attempt, state.as_deref(), jobs);
            }
            Write::State { job, changes, at } => {
                let merged = self.merged(job, changes, *at)?.ok_or(Refusal::NoSuchJob)?;
                self.put_state(job, merged);
            }
            Write::Log { run, attempt, lines } => {
                let entry = self.entries.get_mut(run).ok_or(Refusal::NoSuchRun)?;
                entry.logs.entry(*attempt).or_default().extend(lines.iter().map(Kept::kept));
            }
        }
        Ok(())
    }

    fn put_job(&mut self, mut record: JobRecord) {
        if let Some(stored) = self.jobs.get(&record.job.id) {
            record.last_success = record.last_success.max(stored.last_success);
        }
        self.jobs.insert(record.job.id.clone(), record);
    }

    fn fire(&mut self, run: Arc<Run>, next_fire: Option<Option<Timestamp>>) -> Result<(), Refusal> {
        if let Some(record) = self.jobs.get_mut(&run.job) {
            if let Some(next_fire) = next_fire {
                record.next_fire = next_fire.kept();
            }
            if run.cause == Cause::Trigger {
                record.last_fire = record.last_fire.max(Some(run.scheduled_at));
            }
        }
        if self.entries.contains_key(&run.id) {
            return Err(Refusal::AlreadyRecorded);
        }
        let times = self.by_job.entry_ref(&run.job).or_default();
        // Mostly it is the latest.
        let place = match times.back() {
            Some((last, _)) if *last >= run.scheduled_at => place(times, run.scheduled_at),
            _ => Err(times.len()),
        };
        match place {
            Ok(_) => return Err(Refusal::AlreadyRecorded),
            Err(place) => times.insert(place, (run.scheduled_at, run.id)),
        }
        self.by_time.insert((run.scheduled_at, run.id));
        if !run.state.is_final() {
            self.unfinished.insert(run.id);
        }
        self.last_run = self.last_run.max(Some(run.id));
        self.entries.insert(run.id, Entry { run, attempts: Vec::new(), logs: BTreeMap::new() });
        Ok(())
    }

    fn update(&mut self, run: &Arc<Run>, attempt: Option<&Attempt>) -> Result<(), Refusal> {
        let entry = self.entries.get_mut(&run.id).ok_or(Refusal::NoSuchRun)?;
        if let Some(attempt) = attempt {
            let place = entry.attempts.binary_search_by_key(&attempt.number, |attempt| attempt.number);
            match place {
                Ok(place) => entry.attempts[place] = attempt.kept(),
                Err(place) => {
                    // Mostly there is no second one.
                    entry.attempts.reserve_exact(1);
                    entry.attempts.insert(place, attempt.kept());
                }
            }
        }
        if run.state.is_final() {
            self.unfinished.remove(&run.id);
        } else {
            self.unfinished.insert(run.id);
        }
        if run.state == RunState::Finished
            && run.outcome == Some(Outcome::Succeeded)
            && let Some(record) = self.jobs.get_mut(&run.job)
        {
            record.last_success = record.last_success.max(Some(run.scheduled_at.kept()));
        }
        if is_same(&entry.run, run) {
            entry.run = shared(run);
            return Ok(());
        }
        let stored = Arc::make_mut(&mut entry.run);
        stored.state = run.state;
        stored.attempt = run.attempt;
        stored.started_at = run.started_at.kept();
        stored.finished_at = run.finished_at.kept();
        stored.retry_at = run.retry_at.kept();
        stored.outcome = run.outcome;
        stored.reason.clone_from(&run.reason);
        stored.output.clone_from(&run.output);
        stored.coalesced = run.coalesced;
        Ok(())
    }

    /// All of it, or nothing: what may be refused is looked at first.
    fn success(
        &mut self,
        run: &Arc<Run>,
        attempt: &Attempt,
        state: Option<&StateChanges>,
        jobs: &[Write],
    ) -> Result<(), Refusal> {
        if !self.entries.contains_key(&run.id) {
            return Err(Refusal::NoSuchRun);
        }
        let at = run.finished_at.unwrap_or(run.recorded_at).kept();
        let merged = match state {
            Some(changes) => self.merged(&run.job, changes, at)?,
            None => None,
        };
        if jobs.iter().any(|write| matches!(write, Write::Fire { run, .. } if self.is_recorded(run))) {
            return Err(Refusal::AlreadyRecorded);
        }
        self.update(run, Some(attempt))?;
        if let Some(merged) = merged {
            self.put_state(&run.job, merged);
        }
        jobs.iter().try_for_each(|write| self.apply(write))
    }

    fn is_recorded(&self, run: &Run) -> bool {
        let times = self.by_job.get(&run.job);
        self.entries.contains_key(&run.id)
            || times.is_some_and(|times| place(times, run.scheduled_at.kept()).is_ok())
    }

    /// The state of a job with the changes made; `None` where there is no such job.
    fn merged(
        &self,
        job: &JobId,
        changes: &StateChanges,
        at: Timestamp,
    ) -> Result<Option<JobState>, Refusal> {
        if !self.jobs.contains_key(job) {
            return Ok(None);
        }
        let mut merged = self.states.get(job).cloned().unwrap_or_default();
        merged.merge(changes, at)?;
        merged.0.values_mut().for_each(|entry| entry.expires_at.cut());
        Ok(Some(merged))
    }

    fn put_state(&mut self, job: &JobId, state: JobState) {
        let expiry = first_expiry(&state).map(|at| (at, job.clone()));
        let before = match state.0.is_empty() {
            true => self.states.remove(job),
            false => self.states.insert(job.clone(), state),
        };
        if let Some(at) = before.as_ref().and_then(first_expiry) {
            self.expiries.remove(&(at, job.clone()));
        }
        self.expiries.extend(expiry);
    }

    pub(super) fn prune_state(&mut self, now: Timestamp, limit: u32) -> u32 {
        let mut dropped = 0;
        while let Some((_, job)) = self.expiries.first().filter(|(at, _)| *at <= now && dropped < limit) {
            let job = job.clone();
            let mut state = self.states.get(&job).cloned().unwrap_or_default();
            state.0.retain(|_, entry| {
                let goes = dropped < limit && entry.is_expired(now);
                dropped += u32::from(goes);
                !goes
            });
            self.put_state(&job, state);
        }
        dropped
    }

    pub(super) fn state_of(&self, job: &JobId, now: Timestamp) -> JobState {
        let mut state = self.states.get(job).cloned().unwrap_or_default();
        state.0.retain(|_, entry| !entry.is_expired(now));
        state
    }

    pub(super) fn jobs(&self) -> Vec<JobRecord> {
        let mut jobs: Vec<JobRecord> = self.jobs.values().cloned().collect();
        jobs.sort_by(|a, b| a.job.id.cmp(&b.job.id));
        jobs
    }

    pub(super) fn jobs_matching(&self, filter: &JobFilter) -> Vec<JobRecord> {
        let mut found: Vec<&JobRecord> = self.jobs.values().filter(|record| filter.matches(record)).collect();
        let most = filter.most().min(found.len());
        // A page of very many is found without putting all of them in order.
        if (1..found.len()).contains(&most) {
            found.select_nth_unstable_by(most - 1, |a, b| a.job.id.cmp(&b.job.id));
        }
        found.truncate(most);
        found.sort_unstable_by(|a, b| a.job.id.cmp(&b.job.id));
        found.into_iter().cloned().collect()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let unfinished = self.unfinished.iter().filter_map(|id| self.entries.get(id));
        Snapshot {
            jobs: self.jobs(),
            unfinished: unfinished.map(|entry| Run::clone(&entry.run)).collect(),
            cancelling: self.cancelling.clone(),
            last_run: self.last_run,
            unreadable: Vec::new(),
            paused: self.paused.clone(),
        }
    }

    pub(super) fn run(&self, id: RunId) -> Option<RunDetail> {
        let entry = self.entries.get(&id)?;
        Some(RunDetail { run: Run::clone(&entry.run), attempts: entry.attempts.clone() })
    }

    /// A place counts lines.
    pub(super) fn logs_behind(&self, id: RunId, attempt: Option<u32>, behind: LogPlace) -> LogPart {
        let mut part = LogPart { lines: Vec::new(), end: behind };
        let Some(entry) = self.entries.get(&id) else { return part };
        for (number, lines) in entry.logs.range(behind.attempt..) {
            if attempt.is_some_and(|attempt| attempt != *number) {
                continue;
            }
            let read = if *number == behind.attempt { behind.part } else { 0 };
            let read = usize::try_from(read).unwrap_or(usize::MAX);
            part.lines.extend(lines.iter().skip(read).map(|line| (*number, line.clone())));
            part.end = LogPlace { attempt: *number, part: i64::try_from(lines.len()).unwrap_or(i64::MAX) };
        }
        part
    }

    pub(super) fn runs(&self, filter: &RunFilter) -> Vec<Run> {
        let filter = filter.kept();
        let ids: Box<dyn Iterator<Item = RunId> + '_> = match (&filter.job, filter.ids) {
            (Some(job), _) => match self.by_job.get(job) {
                Some(times) => Box::new(times.iter().rev().map(|(_, id)| *id)),
                None => Box::new(std::iter::empty()),
            },
            (None, Some((low, high))) if low <= high => {
                let mut found: Vec<_> =
                    self.entries.range(low..=high).map(|(id, entry)| (entry.run.scheduled_at, *id)).collect();
                found.sort_unstable();
                Box::new(found.into_iter().rev().map(|(_, id)| id))
            }
            (None, Some(_)) => Box::new(std::iter::empty()),
            (None, None) => Box::new(self.by_time.iter().rev().map(|(_, id)| *id)),
        };
        let limit = filter.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        ids.filter_map(|id| self.entries.get(&id))
            .map(|entry| &*entry.run)
            .take_while(|run| filter.since.is_none_or(|since| run.scheduled_at >= since))
            .filter(|run| filter.matches(run))
            .take(limit)
            .cloned()
            .collect()
    }

    pub(super) fn prune(&mut self, before: Timestamp, keep_per_job: u32, limit: u32) -> u32 {
        let before = before.kept();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let keep = usize::try_from(keep_per_job).unwrap_or(usize::MAX);
        let is_final = |id: &RunId| self.entries.get(id).is_some_and(|entry| entry.run.state.is_final());
        let recorded_before =
            |id: &RunId| self.entries.get(id).is_some_and(|entry| entry.run.recorded_at < before);
        let aged = self
            .by_time
            .iter()
            .take_while(|(scheduled_at, _)| *scheduled_at < before)
            .map(|(_, id)| *id)
            .filter(|id| is_final(id) && recorded_before(id));
        let surplus = self
            .by_job
            .values()
            .flat_map(|times| times.iter().take(times.len().saturating_sub(keep)).map(|(_, id)| *id))
            .filter(is_final);
        let mut doomed: BTreeSet<RunId> = aged.take(limit).collect();
        for id in surplus {
            if doomed.len() >= limit {
                break;
            }
            doomed.insert(id);
        }
        for id in &doomed {
            self.forget(*id);
        }
        u32::try_from(doomed.len()).unwrap_or(u32::MAX)
    }

    fn forget(&mut self, id: RunId) {
        let Some(Entry { run, .. }) = self.entries.remove(&id) else { return };
        self.by_time.remove(&(run.scheduled_at, id));
        if let Some(times) = self.by_job.get_mut(&run.job) {
            if let Ok(place) = place(times, run.scheduled_at) {
                times.remove(place);
            }
            if times.is_empty() {
                self.by_job.remove(&run.job);
            }
        }
    }
}

/// When the first entry of a state expires, if one does.
fn first_expiry(state: &JobState) -> Option<Timestamp> {
    state.0.values().filter_map(|entry| entry.expires_at).min()
}

/// Where a time stands among those of a job, or would.
fn place(times: &VecDeque<(Timestamp, RunId)>, at: Timestamp) -> Result<usize, usize> {
    times.binary_search_by_key(&at, |(at, _)| *at)
}

/// A run as it is kept: the same one where no time of it needs to be cut.
fn shared(run: &Arc<Run>) -> Arc<Run> {
    let times =
        [Some(run.scheduled_at), Some(run.recorded_at), run.started_at, run.finished_at, run.retry_at];
    if times.into_iter().flatten().all(is_kept) { Arc::clone(run) } else { Arc::new(run.kept()) }
}

/// Whether these agree in what an update does not change.
fn is_same(stored: &Run, run: &Run) -> bool {
    let fixed = |run: &Run| (run.scheduled_at, run.recorded_at, run.cause);
    fixed(stored) == fixed(run)
        && stored.job == run.job
        && stored.plugin == run.plugin
        && stored.pool == run.pool
        && stored.args == run.args
}
