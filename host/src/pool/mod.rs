//! Slots become tasks: what the timetable launches runs here, on threads of its own, so that a spinning guest cannot
//! delay a fire.

mod host;
mod job_error;
mod log_buffer;
mod native;
mod runners;
mod task;
mod work;

use std::{collections::BTreeMap, sync::Arc};

use clockbox_core::{
    model::{PluginName, RunId, Timestamp},
    timetable::Launch,
};
use clockbox_sandbox::CancelToken;
use hashbrown::{HashMap, HashSet};
pub use job_error::JobError;
pub use native::NativeRun;
pub(crate) use native::call;
use runners::Runners;
use task::Prepared;
pub(crate) use task::Sinks;
use tokio::runtime::Runtime;
pub(crate) use work::{Loaded, Works};
pub use work::{NativeWork, Work};

/// Runs attempts, and can stop them.
pub(crate) struct Pool {
    runtime: Option<Runtime>,
    runners: Runners,
    works: Works,
    sinks: Arc<Sinks>,
    /// The attempts that were launched and whose end has not been heard of.
    tokens: HashMap<RunId, CancelToken>,
    /// Runs to be stopped that have not been launched yet.
    early: HashSet<RunId>,
}

impl Pool {
    pub(crate) fn new(works: Works, sinks: Arc<Sinks>) -> std::io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("clockbox-guest")
            .on_thread_start(step_back)
            // What is launched comes from outside: it goes before guests that gave way after a tick of their own.
            .global_queue_interval(1)
            .enable_all()
            .build()?;
        let runners = Runners::new(runtime.handle().clone(), threads);
        Ok(Self {
            runtime: Some(runtime),
            runners,
            works,
            sinks,
            tokens: HashMap::new(),
            early: HashSet::new(),
        })
    }

    /// Starts attempts; their reports come back through the sinks.
    pub(crate) fn launch(&mut self, launches: Vec<Launch>) {
        if !launches.is_empty() {
            let attempts: Vec<Prepared> = launches.into_iter().map(|launch| self.prepare(launch)).collect();
            self.runners.launch(attempts);
        }
    }

    fn prepare(&mut self, launch: Launch) -> Prepared {
        let run = launch.run.id;
        let token = CancelToken::new();
        if self.early.remove(&run) {
            token.cancel();
            token.kill();
        }
        self.tokens.insert(run, token.clone());
        // The job as it is now, arguments and plugin alike.
        let work = self.works.get(&launch.job.plugin);
        Prepared::new(work, launch, token, Arc::clone(&self.sinks))
    }

    /// Puts these plugins in the place of all that are loaded; what runs keeps the one it began with.
    pub(crate) fn replace_plugins(&self, plugins: BTreeMap<PluginName, Work>, now: Timestamp) {
        self.works.replace_plugins(plugins, Some(now));
    }

    /// Asks an attempt to stop; it is stopped when it has not done so within its `limits.cancel_grace`.
    pub(crate) fn cancel(&mut self, run: RunId) {
        match self.tokens.get(&run) {
            Some(token) => token.cancel(),
            None => drop(self.early.insert(run)),
        }
    }

    /// No attempt of this run is to be stopped any more: the latest has ended, or its record was refused.
    pub(crate) fn forget(&mut self, run: RunId) {
        self.tokens.remove(&run);
        self.early.remove(&run);
    }

    /// Stops whatever still runs, now.
    pub(crate) fn kill_all(&self) {
        self.tokens.values().for_each(|token| {
            token.cancel();
            token.kill();
        });
    }
}

/// How much the threads of guests step back before the host's own, in steps of nice(1).
#[cfg(target_os = "linux")]
const NICER: i32 = 5;

/// On a machine that guests keep busy, the threads that decide, record and answer go first.
fn step_back() {
    // On Linux a priority is that of one thread, and everybody may lower his own.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        let lowered = getpriority_process(None).and_then(|now| setpriority_process(None, now + NICER));
        if let Err(error) = lowered {
            tracing::debug!("guests run at the host's own priority: {error}");
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.runners.close();
        // A guest in a host call must not keep the host from ending.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use clockbox_store::{MemoryStore, Writer, WriterOptions};

    use super::*;
    use crate::{
        clock::Clock,
        scheduler::{Defaults, Events, Inbox},
    };

    #[test]
    fn a_run_that_had_ended_when_it_was_cancelled_is_forgotten() {
        let writer = Writer::spawn(Arc::new(MemoryStore::new()), WriterOptions::default()).unwrap();
        let clock = Clock::system();
        let now = clock.now();
        let sinks = Sinks {
            inbox: Inbox::new(),
            writer: Arc::new(writer),
            store: Arc::new(MemoryStore::new()),
            events: Events::new(),
            defaults: Defaults::default(),
            clock,
        };
        let mut pool = Pool::new(Works::default(), Arc::new(sinks)).unwrap();
        let (ended, waiting) = (RunId::next(None, now), RunId::next(Some(RunId::next(None, now)), now));
        pool.cancel(ended);
        pool.cancel(waiting);
        pool.forget(ended);
        assert_eq!(pool.early, HashSet::from([waiting]));
    }
}
