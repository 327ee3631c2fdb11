//! What waits for a commit: the order in which the parts of the timetable's answers may happen.

use std::collections::{HashSet, VecDeque};

use super::{Action, Launch};
use crate::model::{Cause, Event, Refusal, RunId, Write};

/// Answers of a timetable on their way to the store, oldest first.
///
/// Whoever owns a timetable hands each of its answers to [`take`](Self::take), submits the writes that come back, and
/// calls [`durable`](Self::durable) once for each submission, in order, when it is committed. Nothing is launched,
/// published or answered before that; and nothing before what was answered earlier.
///
/// ```
/// use clockbox_core::{model::{Event, Write}, timetable::{Action, Pipeline}};
/// let mut pipeline = Pipeline::new();
/// let actions = vec![Action::Write(Write::Pause(None)), Action::Publish(Event::SchedulerResumed)];
/// let taken = pipeline.take(actions, Some("who asked"));
/// assert_eq!(taken.writes, Some(vec![Write::Pause(None)]));
/// assert!(taken.completed.is_none());
/// let completed = pipeline.durable(&[Ok(())]).unwrap();
/// assert_eq!((completed.events, completed.reply), (vec![Event::SchedulerResumed], Some("who asked")));
/// ```
#[derive(Debug)]
pub struct Pipeline<R> {
    pending: VecDeque<Batch<R>>,
}

/// What is to be done at once about an answer.
#[derive(Debug)]
pub struct Taken<R> {
    /// Runs whose instances are to be asked to stop.
    pub cancels: Vec<RunId>,
    /// Writes to be submitted together; [`Pipeline::durable`] is to follow. They may be empty: then the rest of the
    /// answer waits for what was submitted before.
    pub writes: Option<Vec<Write>>,
    /// What may happen at once, where nothing needs to be written and nothing is waited for.
    pub completed: Option<Completed<R>>,
}

/// What may happen now that its records are durable: in this order.
#[derive(Debug)]
pub struct Completed<R> {
    /// To be told.
    pub events: Vec<Event>,
    /// To be started.
    pub launches: Vec<Launch>,
    /// Runs on demand that are on record now.
    pub recorded: Vec<RunId>,
    /// Whoever waits for an answer.
    pub reply: Option<R>,
    /// Runs whose records the store refused: to be told to the timetable.
    pub refused: Vec<RunId>,
    /// Whether runs on demand were to be recorded and every one was refused.
    pub all_refused: bool,
    /// Successes that brought something about, and whether the store took them: to be told to the timetable.
    pub settled: Vec<(RunId, Result<(), Refusal>)>,
}

/// One answer.
#[derive(Debug)]
struct Batch<R> {
    /// The runs of its writes, in their order.
    runs: Vec<Option<RunId>>,
    /// The successes among its writes, by their place.
    successes: Vec<(usize, RunId)>,
    launches: Vec<Launch>,
    events: Vec<Event>,
    recorded: Vec<RunId>,
    reply: Option<R>,
}

impl<R> Default for Pipeline<R> {
    fn default() -> Self {
        Self { pending: VecDeque::new() }
    }
}

impl<R> Pipeline<R> {
    /// One in which nothing waits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing waits for a commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// How many answers wait for a commit.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Takes in an answer, and whoever waits for it to be durable.
    pub fn take(&mut self, actions: Vec<Action>, reply: Option<R>) -> Taken<R> {
        // Made at once as large as they will be: there may be hundreds of each.
        let count = |kind: fn(&Action) -> bool| actions.iter().filter(|action| kind(action)).count();
        let writes_to_come = count(|action| matches!(action, Action::Write(_)));
        let (mut writes, mut cancels) = (Vec::with_capacity(writes_to_come), Vec::new());
        let mut batch = Batch {
            runs: Vec::with_capacity(writes_to_come),
            successes: Vec::new(),
            launches: Vec::with_capacity(count(|action| matches!(action, Action::Launch(_)))),
            events: Vec::with_capacity(count(|action| matches!(action, Action::Publish(_)))),
            recorded: Vec::new(),
            reply,
        };
        for action in actions {
            match action {
                Action::Write(write) => {
                    if let Write::Fire { run, .. } = &write
                        && run.cause == Cause::Manual
                    {
                        batch.recorded.push(run.id);
                    }
                    if let Write::Success { run, .. } = &write {
                        batch.successes.push((writes.len(), run.id));
                    }
                    batch.runs.push(run_of(&write));
                    writes.push(write);
                }
                Action::Launch(launch) => batch.launches.push(launch),
                Action::Cancel(run) => cancels.push(run),
                Action::Publish(event) => batch.events.push(event),
            }
        }
        if writes.is_empty() && self.pending.is_empty() {
            return Taken { cancels, writes: None, completed: Some(batch.complete(&[])) };
        }
        self.pending.push_back(batch);
        Taken { cancels, writes: Some(writes), completed: None }
    }

    /// The oldest submission is committed, with these answers to its writes. `None` when there is none.
    pub fn durable(&mut self, answers: &[Result<(), Refusal>]) -> Option<Completed<R>> {
        Some(self.pending.pop_front()?.complete(answers))
    }
}

impl<R> Batch<R> {
    fn complete(self, answers: &[Result<(), Refusal>]) -> Completed<R> {
        let Self { runs, successes, mut launches, mut events, mut recorded, reply } = self;
        let is_refused =
            |(run, answer): (&Option<RunId>, &Result<(), Refusal>)| run.filter(|_| answer.is_err());
        let mut refused: Vec<RunId> = runs.iter().zip(answers).filter_map(is_refused).collect();
        let had_records = !recorded.is_empty();
        if !refused.is_empty() {
            // A run may be recorded and changed in one answer.
            let mut seen = HashSet::new();
            refused.retain(|run| seen.insert(*run));
            launches.retain(|launch| !seen.contains(&launch.run.id));
            events.retain(|event| event.run().is_none_or(|run| !seen.contains(&run)));
            recorded.retain(|run| !seen.contains(run));
        }
        let all_refused = had_records && recorded.is_empty();
        let answer = |(place, run): (usize, RunId)| Some((run, answers.get(place)?.clone()));
        let settled = successes.into_iter().filter_map(answer).collect();
        Completed { events, launches, recorded, reply, refused, all_refused, settled }
    }
}

fn run_of(write: &Write) -> Option<RunId> {
    match write {
        Write::Fire { run, .. } | Write::Update { run, .. } => Some(run.id),
        _ => None,
    }
}
