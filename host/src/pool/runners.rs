//! Runners: tasks that take one launched attempt after the other.
//!
//! Most runs are over the first time they are polled, and a task for each of them would cost more than its start. So a
//! few runners, as many as there are threads, take what was launched from one queue. A run that has to wait keeps its
//! runner to itself, and another takes its place at the queue.

use std::{
    cell::Cell,
    collections::VecDeque,
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::runtime::Handle;

use super::task::Prepared;
use crate::clock::monotonic;

/// For so long runs follow one another on a thread before others get it: no longer than a guest that spins has it.
const TURN: Duration = Duration::from_millis(5);

thread_local! {
    /// A run has just ended on this thread, and its runner is about to look at the queue.
    static IS_ABOUT_TO_LOOK: Cell<bool> = const { Cell::new(false) };
}

/// Attempts that were launched and nobody has begun yet, and those who take them.
#[derive(Clone)]
pub(super) struct Runners(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    handle: Handle,
    /// How many may work at one time.
    most: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Prepared>,
    /// How many work on a thread now: each looks at the queue again before it goes. Those that wait for a thread do not
    /// count, as it may be long until they have one, and others get one sooner.
    present: usize,
    /// Nobody comes any more.
    closed: bool,
}

impl Runners {
    /// Runners on the threads of this runtime, `most` of them at work at one time.
    pub(super) fn new(handle: Handle, most: usize) -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), handle, most }))
    }

    /// Hands over attempts, which start in their order.
    pub(super) fn launch(&self, attempts: impl IntoIterator<Item = Prepared>) {
        let mut state = self.lock();
        let before = state.waiting.len();
        state.waiting.extend(attempts);
        let launched = state.waiting.len() - before;
        // One of them is taken by whoever is about to look, without another thread.
        let taken = usize::from(launched > 0 && IS_ABOUT_TO_LOOK.take());
        let wanted = (launched - taken).min(self.0.most.saturating_sub(state.present));
        drop(state);
        self.spawn_shared(wanted);
    }

    /// Nothing is taken from the queue any more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let left = std::mem::take(&mut state.waiting);
        drop(state);
        // Each reports that it was dropped.
        drop(left);
    }

    fn spawn(&self) {
        let place = Place { runners: self.clone(), is_present: false };
        self.0.handle.spawn(place.run());
    }

    /// Spawns so many for whatever thread is free first.
    fn spawn_shared(&self, places: usize) {
        for _ in 0..places {
            self.spawn();
        }
        if places > 0 && Handle::try_current().is_ok_and(|current| current.id() == self.0.handle.id()) {
            // What is spawned last on a thread of the runtime waits for that thread; what is before it, others may take.
            self.0.handle.spawn(async {});
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a runner does when a run has ended: whatever is launched meanwhile on this thread needs no other runner.
pub(super) fn before_looking(end: impl FnOnce()) {
    /// Also when that panicked.
    struct Looked;
    impl Drop for Looked {
        fn drop(&mut self) {
            IS_ABOUT_TO_LOOK.set(false);
        }
    }
    let looked = Looked;
    IS_ABOUT_TO_LOOK.set(true);
    end();
    drop(looked);
}

/// A runner's place at the queue.
struct Place {
    runners: Runners,
    is_present: bool,
}

impl Place {
    /// Takes attempts until there are no more.
    async fn run(mut self) {
        let turn = monotonic();
        while let Some(attempt) = self.next() {
            let mut run = pin!(attempt.run());
            // A panic in there ends this task: whoever comes in its place goes on.
            poll_fn(|context| {
                let poll = run.as_mut().poll(context);
                if poll.is_pending() {
                    self.leave();
                }
                poll
            })
            .await;
            if turn.elapsed() >= TURN {
                // Another comes, behind all that wait for this thread. A task that yields could be resumed by this thread
                // alone, which may be busy for long with what comes before it, while others have nothing to do.
                return self.give_way();
            }
        }
    }

    /// The attempt whose turn it is; `None` when there is nothing to do for this runner.
    fn next(&mut self) -> Option<Prepared> {
        let mut state = self.runners.lock();
        if !self.is_present {
            if state.present >= self.runners.0.most || state.closed {
                return None;
            }
            state.present += 1;
            self.is_present = true;
        }
        let next = state.waiting.pop_front();
        if next.is_none() {
            state.present -= 1;
            self.is_present = false;
        }
        next
    }

    /// Goes. Answers whether anything waits for somebody else.
    fn step_back(&mut self) -> bool {
        let mut state = self.runners.lock();
        if std::mem::take(&mut self.is_present) {
            state.present -= 1;
        }
        !state.closed && !state.waiting.is_empty()
    }

    /// Goes, and lets somebody else come if anything waits.
    fn leave(&mut self) {
        if self.is_present && self.step_back() {
            self.runners.spawn();
        }
    }

    /// The same after a run has ended, also for one that left while the run had to wait: what that end launched may count on
    /// it ([`IS_ABOUT_TO_LOOK`]).
    fn give_way(mut self) {
        if self.step_back() {
            self.runners.spawn_shared(1);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Barrier, mpsc::channel};

    use clockbox_core::{
        model::{Cause, Job, Outcome, Report, Run, RunId, RunState},
        timetable::Launch,
    };
    use clockbox_sandbox::CancelToken;
    use clockbox_store::{MemoryStore, Writer, WriterOptions};

    use super::*;
    use crate::{
        clock::Clock,
        pool::{Sinks, work::Work},
        scheduler::{Event, Events, Inbox, Scheduler, Subscription},
    };

    fn job(name: &str) -> Job {
        Job {
            id: name.parse().unwrap(),
            plugin: name.parse().unwrap(),
            pool: clockbox_core::model::PoolName::default_pool(),
            trigger: clockbox_core::trigger::Trigger::new(
                serde_json::from_str(r#"{ "date": "2999-01-01T00:00:00Z" }"#).unwrap(),
                chrono_tz::UTC,
            )
            .unwrap(),
            args: "null".into(),
            policy: std::sync::Arc::new(clockbox_core::model::Policy {
                max_instances: 1000,
                ..Default::default()
            }),
            source: clockbox_core::model::Source::Api,
        }
    }

    fn outcomes(events: &mut Subscription, runs: usize) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        while outcomes.len() < runs {
            if let Event::RunFinished { outcome, .. } = events.next_blocking().unwrap().unwrap().event {
                outcomes.push(outcome);
            }
        }
        outcomes
    }

    fn run_now(scheduler: &Scheduler, name: &str, times: usize) {
        let asked: Vec<_> = (0..times).map(|_| scheduler.run_now(name.parse().unwrap(), None)).collect();
        asked.into_iter().for_each(|run| _ = run.wait().unwrap());
    }

    fn with_pool(builder: crate::scheduler::Builder) -> crate::scheduler::Builder {
        let name = clockbox_core::model::PoolName::default_pool();
        builder.pool(clockbox_core::model::Pool { name, max_instances: 1000, queue: 1000 })
    }

    fn attempt(run: RunId) -> Prepared {
        attempt_of(None, run)
    }

    /// An attempt that does this on its thread.
    fn doing(run: i64, what: impl Fn() + Send + Sync + 'static) -> Prepared {
        let work = move |_| {
            what();
            Box::pin(std::future::ready(Report::new(Outcome::Succeeded))) as _
        };
        attempt_of(Some(Work::Native(Arc::new(work))), RunId::from_i64(run).unwrap())
    }

    fn attempt_of(work: Option<Work>, run: RunId) -> Prepared {
        let writer = Writer::spawn(Arc::new(MemoryStore::new()), WriterOptions::default()).unwrap();
        let clock = Clock::system();
        let now = clock.now();
        let sinks = Arc::new(Sinks {
            inbox: Inbox::new(),
            writer: Arc::new(writer),
            store: Arc::new(MemoryStore::new()),
            events: Events::new(),
            defaults: Default::default(),
            clock,
        });
        let job = Arc::new(job("gone"));
        let run = Run {
            id: run,
            job: job.id.clone(),
            plugin: job.plugin.clone(),
            pool: job.pool.clone(),
            cause: Cause::Manual,
            scheduled_at: now,
            recorded_at: now,
            state: RunState::Running,
            attempt: 1,
            started_at: Some(now),
            finished_at: None,
            retry_at: None,
            outcome: None,
            reason: None,
            output: None,
            coalesced: 0,
            args: None,
        };
        let launch = Launch { run: Arc::new(run), job, previous_success: None };
        Prepared::new(work, launch, CancelToken::new(), sinks)
    }

    #[test]
    fn a_runner_that_waits_for_a_thread_holds_nobody_up() {
        // Nobody drives it: its one thread is busy with something else, as beside guests that spin.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let runners = Runners::new(runtime.handle().clone(), 1);
        let tasks = || runtime.metrics().num_alive_tasks();
        runners.launch([attempt(RunId::from_i64(1).unwrap())]);
        assert_eq!(tasks(), 1);
        runners.launch([attempt(RunId::from_i64(2).unwrap())]);
        assert_eq!(tasks(), 2, "another may find a thread sooner");
        runtime.block_on(async {
            while tasks() > 0 {
                tokio::task::yield_now().await;
            }
        });
        let state = runners.lock();
        assert_eq!((state.waiting.len(), state.present), (0, 0), "all were taken, and all have gone");
    }

    #[test]
    fn runs_that_wait_keep_no_others_from_starting() {
        let all = std::sync::Arc::new(tokio::sync::Barrier::new(100));
        let meets = move |_, _| {
            let all = all.clone();
            async move {
                all.wait().await;
                Report::new(Outcome::Succeeded)
            }
        };
        let builder = Scheduler::builder().native("meets".parse().unwrap(), meets);
        let scheduler = with_pool(builder).start().unwrap();
        scheduler.add_job(job("meets")).wait().unwrap();
        let mut events = scheduler.subscribe();
        run_now(&scheduler, "meets", 100);
        assert_eq!(outcomes(&mut events, 100), [Outcome::Succeeded; 100]);
    }

    #[test]
    fn what_a_run_launches_from_its_thread_goes_to_other_threads_too() {
        // Both stop their threads until the other one has come.
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let both = std::sync::Arc::new(Barrier::new(threads.min(2)));
        let (give, scheduler) = channel::<Scheduler>();
        let scheduler = std::sync::Mutex::new(scheduler);
        let first = move |_, _| {
            let scheduler = scheduler.lock().unwrap().recv().unwrap();
            drop(scheduler.run_now("second".parse().unwrap(), None));
            drop(scheduler.run_now("second".parse().unwrap(), None));
            std::future::ready(Report::new(Outcome::Succeeded))
        };
        let second = move |_, _| {
            both.wait();
            std::future::ready(Report::new(Outcome::Succeeded))
        };
        let builder = Scheduler::builder()
            .native("first".parse().unwrap(), first)
            .native("second".parse().unwrap(), second);
        let scheduler = with_pool(builder).start().unwrap();
        scheduler
            .add_jobs([job("first"), job("second")], clockbox_core::timetable::Conflict::Error)
            .wait()
            .unwrap();
        let mut events = scheduler.subscribe();
        for _ in 0..100 {
            give.send(scheduler.clone()).unwrap();
            run_now(&scheduler, "first", 1);
            assert_eq!(outcomes(&mut events, 3), [Outcome::Succeeded; 3]);
        }
    }

    #[test]
    fn a_runner_that_gives_way_leaves_what_waits_to_every_thread() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        let runners = Runners::new(runtime.handle().clone(), 2);
        // The other thread is busy with something else at first.
        let ((busy, is_busy), (free, is_free)) = (channel(), channel::<()>());
        runtime.spawn(async move {
            busy.send(()).unwrap();
            is_free.recv().unwrap();
        });
        is_busy.recv().unwrap();

        let ((begun, has_begun), (met, have_met)) = (channel(), channel());
        let meet = {
            let both = Arc::new(Barrier::new(2));
            move || {
                begun.send(()).unwrap();
                both.wait();
                met.send(()).unwrap();
            }
        };
        let again = runners.clone();
        runners.launch([doing(1, move || {
            again.launch([doing(2, meet.clone()), doing(3, meet.clone())]);
            // Its runner has had its turn by its end.
            let turn = monotonic();
            while turn.elapsed() < TURN {
                std::hint::spin_loop();
            }
        })]);
        has_begun.recv().unwrap();
        free.send(()).unwrap();
        let both = [(); 2].map(|()| have_met.recv_timeout(Duration::from_secs(10)));
        // Also with a thread that waits for ever.
        runtime.shutdown_background();
        assert_eq!(both, [Ok(()); 2], "both go on at one time");
    }

    #[test]
    fn runs_that_break_down_leave_their_places_to_others() {
        let panics = |launch: clockbox_core::timetable::Launch, _| {
            assert_eq!(launch.run.cause, Cause::Trigger, "as the test wants it");
            std::future::ready(Report::new(Outcome::Succeeded))
        };
        let fine = |_, _| std::future::ready(Report::new(Outcome::Succeeded));
        let builder = Scheduler::builder()
            .native("panics".parse().unwrap(), panics)
            .native("fine".parse().unwrap(), fine);
        let scheduler = with_pool(builder).start().unwrap();
        scheduler
            .add_jobs([job("panics"), job("fine")], clockbox_core::timetable::Conflict::Error)
            .wait()
            .unwrap();
        let mut events = scheduler.subscribe();
        run_now(&scheduler, "panics", 100);
        assert_eq!(outcomes(&mut events, 100), [Outcome::HostError; 100]);
        run_now(&scheduler, "fine", 100);
        assert_eq!(outcomes(&mut events, 100), [Outcome::Succeeded; 100]);
    }
}
