//! The thread that advances the epochs of the engines, so that a guest that never pauses yields and can be stopped.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use wasmtime::{Engine, EngineWeak};

/// The length of an epoch.
const TICK: Duration = Duration::from_millis(10);
/// After this many epochs without a run, the thread sleeps until there is one.
const IDLE_TICKS: u32 = 100;

/// Ticks every engine it has been given, until it is dropped.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    /// Runs under way.
    active: AtomicUsize,
    /// Whether the thread sleeps until it is woken.
    parked: AtomicBool,
}

#[derive(Default)]
struct State {
    engines: Vec<EngineWeak>,
    stopped: bool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("active", &self.active).finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) {
        let mut idle = 0;
        let mut state = self.lock();
        while !state.stopped {
            idle = if self.active.load(Ordering::SeqCst) == 0 { idle + 1 } else { 0 };
            if idle > IDLE_TICKS {
                self.parked.store(true, Ordering::SeqCst);
                // A run that began before it could see the flag is seen here.
                if self.active.load(Ordering::SeqCst) == 0 {
                    state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                self.parked.store(false, Ordering::SeqCst);
                idle = 0;
            } else {
                state = self.wake.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
            }
            state.engines.retain(|engine| engine.upgrade().map(|engine| engine.increment_epoch()).is_some());
        }
    }
}

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start() -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = std::thread::Builder::new().name("clockbox-epochs".to_owned()).spawn({
            let shared = shared.clone();
            move || shared.tick()
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Ticks this engine too, as long as it lives.
    pub(crate) fn add(&self, engine: &Engine) {
        self.shared.lock().engines.push(engine.weak());
    }

    /// Keeps the ticks coming for as long as the guard lives.
    pub(crate) fn run(&self) -> Ticking<'_> {
        self.shared.active.fetch_add(1, Ordering::SeqCst);
        if self.shared.parked.load(Ordering::SeqCst) {
            // The lock is taken so that the thread is either before its check of `active` or already waiting.
            drop(self.shared.lock());
            self.shared.wake.notify_all();
        }
        Ticking(&self.shared)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // The thread has no way to panic; a join that fails leaves nothing to undo.
            let _ = thread.join();
        }
    }
}

/// A run that is under way.
#[derive(Debug)]
pub(crate) struct Ticking<'a>(&'a Shared);

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::SeqCst);
    }
}
