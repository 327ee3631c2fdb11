//! Hundreds of starts and stops at moments that nobody chose, in a process of its own so that what they leave behind can
//! be counted: no thread, no open file, no run that is said to be running.

#![cfg(target_os = "linux")]

use std::{fs, sync::Arc, time::Duration};

use clockbox::{
    Clock, Coalesce, Job, JobId, Launch, Outcome, Overlap, PluginName, Policy, PoolName, Report, Retry,
    RunState, Running, Scheduler, SchedulerError, Source, Timestamp, Trigger, TriggerSpec,
    sandbox::CancelToken,
    store::{Access, JobStore, MemoryStore, RunFilter, SqliteStore},
};
use fastrand::Rng;

/// How often a scheduler is started and stopped; `ENDURANCE_ROUNDS` says otherwise.
const ROUNDS: u64 = 300;
/// What the moments are drawn from; `ENDURANCE_SEED` says otherwise.
const SEED: u64 = 7;
/// A guard against a scheduler that hangs, far longer than any machine takes.
const DEADLINE: Duration = Duration::from_secs(120);

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// Jobs of every temper, so that runs run, wait and are tried again whenever the end comes.
fn jobs() -> Vec<Job> {
    let job = |name: &str, work: &str, policy: Policy| Job {
        id: JobId::new(name).unwrap(),
        plugin: PluginName::new(work).unwrap(),
        pool: PoolName::default_pool(),
        trigger: Trigger::new(TriggerSpec::interval("3ms"), chrono_tz::UTC).unwrap(),
        args: "null".into(),
        policy: policy.into(),
        source: Source::Api,
    };
    let retry = Retry { attempts: 5, backoff: Duration::from_millis(2), ..Retry::default() };
    vec![
        job("quick", "quick", Policy { coalesce: Coalesce::All, ..Policy::default() }),
        job("stubborn", "stubborn", Policy { overlap: Overlap::Wait, ..Policy::default() }),
        job("polite", "polite", Policy { overlap: Overlap::Replace, ..Policy::default() }),
        job("failing", "failing", Policy { retry, max_instances: 3, ..Policy::default() }),
    ]
}

async fn polite(_: Launch, token: CancelToken) -> Report {
    token.cancelled().await;
    Report::new(Outcome::Cancelled)
}

fn start(store: Arc<dyn JobStore>) -> Scheduler {
    let name = |name: &str| PluginName::new(name).unwrap();
    let mut builder = Scheduler::builder()
        .store(store)
        .native(name("quick"), |_, _| async { Report::new(Outcome::Succeeded) })
        .native(name("stubborn"), |_, _| std::future::pending())
        .native(name("polite"), polite)
        .native(name("failing"), |_, _| async { Report::new(Outcome::Failed).because("as it was told") });
    for job in jobs() {
        builder = builder.job(job);
    }
    builder.start().unwrap()
}

/// One life: it may be over before the first fire, or amid many runs and requests.
fn live(store: Arc<dyn JobStore>, random: &mut Rng) {
    let scheduler = start(store);
    for _ in 0..random.u32(0..4) {
        // The moment of what follows is what is tested, not something that is waited for.
        std::thread::sleep(Duration::from_micros(random.u64(0..5000)));
        let job = JobId::new(["quick", "stubborn", "polite", "failing"][random.usize(0..4)]).unwrap();
        match random.u32(0..5) {
            0 => drop(scheduler.run_now(job, None)),
            1 => drop(scheduler.pause_job(job, Some("ada".to_owned()), Some("audit".to_owned()))),
            2 => expected(scheduler.resume_job(job).wait()),
            3 => drop(scheduler.remove_job(job, Running::Finish)),
            _ => {
                for run in scheduler.active_runs().wait().unwrap() {
                    expected(scheduler.cancel_run(run.id, "ada: enough").wait());
                }
            }
        }
    }
    let grace = Duration::from_millis([0, 0, 5, 40][random.usize(0..4)]);
    let first = scheduler.shutdown(grace);
    if random.bool() {
        scheduler.shutdown(Duration::ZERO).wait().unwrap();
    }
    first.wait().unwrap();
    assert!(matches!(scheduler.pause(None, None).wait(), Err(SchedulerError::Stopped)));
}

/// What was asked for may be gone by then.
#[track_caller]
fn expected(done: Result<(), SchedulerError>) {
    assert!(matches!(done, Ok(()) | Err(SchedulerError::Rejected(_))), "{done:?}");
}

fn opened_at() -> Timestamp {
    Clock::system().now()
}

#[test]
fn hundreds_of_starts_and_stops_leave_nothing_behind() {
    let seed = setting("ENDURANCE_SEED", SEED);
    let rounds = setting("ENDURANCE_ROUNDS", ROUNDS);
    eprintln!("ENDURANCE_SEED={seed} ENDURANCE_ROUNDS={rounds}");
    let mut random = Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let memory: Arc<dyn JobStore> = Arc::new(MemoryStore::new());
    let watch = Watch::start();
    let mut left = None;
    for round in 0..rounds {
        if round == 10 {
            // What is made once in a process is there by now.
            left = Some(Left::settled(None));
        }
        if round % 3 == 0 {
            let access = Access::ReadWrite { opened_at: opened_at() };
            let store = SqliteStore::open(&folder.path().join("clockbox.db"), access).unwrap();
            live(Arc::new(store), &mut random);
        } else {
            live(Arc::clone(&memory), &mut random);
        }
    }
    Left::settled(left);
    watch.stop();

    let path = folder.path().join("clockbox.db");
    let sqlite: Arc<dyn JobStore> = Arc::new(SqliteStore::open(&path, Access::ReadOnly).unwrap());
    for store in [memory, sqlite] {
        let runs = store.runs(&RunFilter::default()).unwrap();
        let is_wrong = |state| state == RunState::Running;
        assert!(!runs.iter().any(|run| is_wrong(run.state)), "{runs:?}");
        // Every end was in order, so nothing was interrupted.
        assert!(runs.iter().all(|run| run.outcome != Some(Outcome::Interrupted)), "{runs:?}");
        for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled] {
            assert!(runs.iter().any(|run| run.outcome == Some(outcome)), "no run has {outcome}");
        }
    }
}

/// What a process has at one time.
#[derive(Debug, Clone, Copy)]
struct Left {
    threads: usize,
    files: usize,
}

impl Left {
    fn now() -> Self {
        let count = |folder| fs::read_dir(folder).unwrap().count();
        Self { threads: count("/proc/self/task"), files: count("/proc/self/fd") }
    }

    /// What is left once the last threads have ended: no more than there was. They end by themselves soon after their
    /// scheduler said that it had stopped, so this waits for them.
    #[track_caller]
    fn settled(before: Option<Self>) -> Self {
        let mut tries = 0;
        loop {
            let left = Self::now();
            let goal = before.unwrap_or(Self { threads: 3, files: usize::MAX });
            if left.threads <= goal.threads && left.files <= goal.files {
                return left;
            }
            tries += 1;
            assert!(tries < 1000, "{left:?} are left, there were {goal:?}: {:#?}", threads());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The names of the threads, and what each waits in.
fn threads() -> Vec<String> {
    let entries = fs::read_dir("/proc/self/task").unwrap().flatten();
    let read = |path| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    entries
        .map(|entry| format!("{} in {}", read(entry.path().join("comm")), read(entry.path().join("wchan"))))
        .collect()
}

/// Ends the process, with the names of its threads, when it takes too long.
struct Watch(std::sync::mpsc::Sender<()>, std::thread::JoinHandle<()>);

impl Watch {
    fn start() -> Self {
        let (alive, stopped) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            if stopped.recv_timeout(DEADLINE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                eprintln!("a scheduler hangs: {:#?}", threads());
                std::process::abort();
            }
        });
        Self(alive, thread)
    }

    fn stop(self) {
        drop(self.0);
        self.1.join().unwrap();
    }
}
