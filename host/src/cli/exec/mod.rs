//! `clockbox exec`: one run of a plugin, now, outside any schedule and store.

mod advice;
mod file;
mod memory;
mod sink;
mod state;
mod told;
mod words;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU8, Ordering},
    },
};

use clap::{Args, ValueEnum};
use clockbox_core::{
    model::{Cause, ClockRight, CompileLimits, JobId, Outcome, RandomRight, Report, RunId, Timestamp},
    trigger::parse_time,
};
use clockbox_sandbox::{CancelToken, Plugin, RunRequest, Sandbox, SandboxOptions};

use self::{
    memory::Memory,
    sink::{Sink, lock},
    told::Ended,
    words::Words,
};
use super::{
    Output,
    exit::Failure,
    jobs::read_args,
    plugin_sandbox,
    signals::{Signal, Signals},
    talk,
};
use crate::{
    clock::{Clock, Stopwatch},
    granted,
    manifest::{self, Manifest, Place},
    plugin_files,
    reload::{self, Wake, Watch, provenance},
};

#[derive(Debug, Args)]
#[command(
    after_help = "Its log and the outcome go to stderr, its output to stdout. It runs under its sidecar and description as a host \
                        would run it, with nothing allowed but what is said here or in the sidecar.\n\n\
                        exit codes: 0 it succeeded; 1 it did not; 2 it could not be run; 130 stopped at once by a second signal"
)]
pub(super) struct ExecArgs {
    /// The plugin: a component, a command or a preview-1 module, as .wasm or .wat.
    file: PathBuf,
    /// Its arguments: any JSON. Without, those of its sidecar or description.
    #[arg(long, value_name = "JSON")]
    args: Option<String>,
    #[command(flatten)]
    words: Words,
    /// The name of the job and plugin; without, the one in its sidecar, or that of the file.
    #[arg(long)]
    name: Option<JobId>,
    /// The scheduled time that it sees; without, now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// The scheduled time of a latest success that it sees; without, there was none.
    #[arg(long, value_name = "TIME")]
    previous_success: Option<String>,
    /// The attempt that it sees.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    attempt: u32,
    /// Let its random numbers and its run id follow from this number.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    seed: Option<i64>,
    /// Its clocks: real, or frozen at the scheduled time.
    #[arg(long, value_enum, value_name = "WHICH")]
    clock: Option<ClockWord>,
    /// What its job remembers before: a JSON object, each value stored as JSON text (with `set_json`, the SDKs do so, too);
    /// `{ "$text": "…" }` is stored as the text alone, `{ "$hex": "…" }` as bytes. What is printed as its state can be given
    /// here again. In a watch, each run finds what the one before left.
    #[arg(long, value_name = "JSON")]
    state: Option<String>,
    /// Do not count fuel, which slows it down a little.
    #[arg(long)]
    no_fuel: bool,
    /// Run it again whenever the file has changed, until Ctrl-C.
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ClockWord {
    Real,
    Frozen,
}

pub(super) fn exec(args: &ExecArgs) -> Result<(), Failure> {
    talk::start(talk::Format::Text, chrono_tz::UTC, false);
    let bench = Bench::new(args)?;
    let stop = Stop::default();
    // Kept until the end: it hears the signals.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Failure::new)?;
    if !args.watch {
        stop.hear(&runtime, || {})?;
        let plugin = bench.load()?;
        let ended = runtime.block_on(bench.run(&plugin, &stop));
        ended.tell(args.output.json)?;
        return match (stop.times(), ended.is_success()) {
            (2.., _) => Err(Failure::stopped()),
            (_, true) => Ok(()),
            (_, false) => Err(Failure::no("")),
        };
    }
    let mut watch = Watch::new(true);
    let waker = watch.waker();
    stop.hear(&runtime, move || {
        // A closed channel means that the watch is over.
        _ = waker.send(Wake::Stop);
    })?;
    let (mut last, mut told) = (None, false);
    while stop.times() == 0 {
        watch.set(reload::folders_of(&args.file).into_iter().collect());
        let is_there = args.file.exists();
        if !is_there && (last.take().is_some() || !told) {
            eprintln!("{}; Ctrl-C ends it", file::awaited(&args.file, told));
        }
        told = true;
        if let Some(bytes) = file::settled(&args.file, bench.largest, &mut watch)
            && last.as_ref() != Some(&bytes)
        {
            last = Some(bytes);
            match bench.load() {
                Ok(plugin) => runtime.block_on(bench.run(&plugin, &stop)).tell(args.output.json)?,
                // It may be half of a file that is still being written: the next change is looked at all the same.
                Err(failure) => _ = failure.report(),
            }
            eprintln!("waiting for {} to change; Ctrl-C ends it", args.file.display());
        }
        if stop.times() == 0 && watch.next(true) == Wake::Stop {
            break;
        }
    }
    match stop.times() {
        2.. => Err(Failure::stopped()),
        _ => Ok(()),
    }
}

/// How often it was asked to stop, and the run that is to hear of it.
#[derive(Debug, Clone, Default)]
struct Stop {
    times: Arc<AtomicU8>,
    run: Arc<Mutex<CancelToken>>,
}

impl Stop {
    /// What stops the run that begins now.
    fn token(&self) -> CancelToken {
        let token = CancelToken::new();
        *lock(&self.run) = token.clone();
        // It may have been asked to just before.
        match self.times() {
            0 => {}
            1 => token.cancel(),
            _ => token.kill(),
        }
        token
    }

    fn times(&self) -> u8 {
        self.times.load(Ordering::SeqCst)
    }

    /// Obeys signals from now on: the first one asks the run to stop, the second one stops it.
    fn hear(
        &self,
        runtime: &tokio::runtime::Runtime,
        also: impl Fn() + Send + 'static,
    ) -> Result<(), Failure> {
        let signals = runtime.block_on(async { Signals::new() });
        let mut signals = signals.map_err(|error| Failure::new(format!("signals: {error}")))?;
        let stop = self.clone();
        runtime.spawn(async move {
            loop {
                match signals.next().await {
                    Signal::Stop if stop.times.fetch_add(1, Ordering::SeqCst) == 0 => {
                        lock(&stop.run).cancel();
                        eprintln!("asked to stop; a second signal stops it at once");
                    }
                    Signal::Stop => lock(&stop.run).kill(),
                    Signal::Reload => {}
                }
                also();
            }
        });
        Ok(())
    }
}

/// What runs are made with.
struct Bench<'a> {
    args: &'a ExecArgs,
    given: Option<Arc<str>>,
    at: Option<Timestamp>,
    previous_success: Option<Timestamp>,
    memory: Arc<Mutex<Memory>>,
    sandbox: OnceLock<Sandbox>,
    largest: u64,
}

/// A plugin that can be run, and the job that it is run for.
struct Ready {
    plugin: Plugin,
    job: JobId,
    args: Arc<str>,
}

impl<'a> Bench<'a> {
    /// Looks at all that is said, before anything is read.
    fn new(args: &'a ExecArgs) -> Result<Self, Failure> {
        let given = args.args.as_deref().map(read_args).transpose()?.map(|args| args.to_string().into());
        let time = |text: &Option<String>| {
            text.as_deref().map(|text| parse_time(text, chrono_tz::UTC)).transpose().map_err(Failure::refused)
        };
        let state = args.state.as_deref().map(state::read).transpose().map_err(|why| {
            Failure::new(format!("--state: {why}"))
                .hint("write for instance --state '{\"cursor\": \"a17\", \"runs\": 7}'")
        })?;
        Ok(Self {
            args,
            given,
            at: time(&args.at)?,
            previous_success: time(&args.previous_success)?,
            memory: Arc::new(Mutex::new(Memory { state: state.unwrap_or_default(), ..Memory::default() })),
            sandbox: OnceLock::new(),
            largest: CompileLimits::default().max_size,
        })
    }

    /// Reads and compiles the plugin.
    fn load(&self) -> Result<Ready, Failure> {
        let file = &self.args.file;
        let bytes = plugin_files::read(file, self.largest).map_err(|error| file::unreadable(file, &error))?;
        let path = file.to_str().ok_or_else(|| {
            Failure::new(format!("{}: the path is not UTF-8", file.display())).hint("rename the file")
        })?;
        let given = self.args.name.clone();
        let name = given.or_else(|| file::sidecar_name(file)).or_else(|| file::name(file));
        let name = name.ok_or_else(|| {
            Failure::new(format!("{}: its name is none that a job can have", file.display()))
                .hint("say one with --name")
        })?;
        let overrides = self.args.words.manifest(name.as_str(), path)?;
        let outline = clockbox_sandbox::inspect(&bytes).ok();
        let embedded = |_: &Path| outline.as_ref()?.job.clone();
        let here = Path::new(manifest::FILE_NAME);
        let manifest = manifest::load_overrides(here, &overrides, (name.as_str(), file), &embedded).map_err(
            |problems| {
                problems.0.iter().for_each(|problem| eprint!("error: {}", advice::problem(problem).render()));
                match problems.0.iter().all(|problem| matches!(problem.place, Place::Word { .. })) {
                    true => Failure::new(""),
                    false => Failure::new(format!("{} cannot be run as it is described", file.display())),
                }
            },
        )?;
        let spec = manifest.plugins.get(name.as_str());
        let mut spec = spec.cloned().ok_or_else(|| Failure::new(format!("there is no plugin {name}")))?;
        if let Some(refusal) = outline.as_ref().and_then(|outline| advice::refusal(outline, &spec.rights)) {
            return Err(refusal.within(&file.display().to_string()));
        }
        let grants = manifest.grants.get(&spec.name);
        grants.map_or(Ok(()), |grants| file::folders(&grants.folders))?;
        for warning in &manifest.warnings {
            let mut warning = advice::problem(warning);
            if advice::is_of_wants(&warning, &spec) {
                let description = outline.as_ref().and_then(|outline| outline.job.as_deref());
                let flags = advice::wanted(description.unwrap_or_default(), &spec.rights);
                warning.hint =
                    (!flags.is_empty()).then(|| format!("if it should have that: {}", flags.join(" ")));
            }
            eprintln!("{warning}");
        }
        if self.args.state.is_some() && !spec.rights.state {
            eprintln!("warning: --state: nothing of it is found, as {name} has not the right state");
            eprintln!("hint: add --allow state");
        }
        match self.args.clock {
            Some(ClockWord::Real) => spec.rights.clock = ClockRight::Real,
            Some(ClockWord::Frozen) => spec.rights.clock = ClockRight::Frozen,
            None => {}
        }
        if self.args.seed.is_some() {
            spec.rights.random = RandomRight::Seeded;
        }
        if !self.args.no_fuel {
            // Counted, and as good as endless.
            spec.limits.fuel.get_or_insert(u64::MAX);
        }
        let plugin = plugin_files::load(self.sandbox(&manifest)?, &spec, &manifest.plugins);
        let plugin = plugin.map_err(|(message, hint)| {
            Failure::new(format!("{}: {message}", file.display())).with_hint(hint.as_deref())
        })?;
        let rights = granted::in_short(&spec.rights, Path::new(""));
        let rights = if rights.is_empty() { "nothing allowed".to_owned() } else { rights.join(", ") };
        eprintln!("{name} is {}; {rights}", provenance(&plugin, Clock::system().now()));
        let job = manifest.jobs.get(name.as_str());
        job.into_iter().for_each(|job| lock(&self.memory).know(job));
        // A sidecar may narrow what the job may reach.
        let plugin = match job.and_then(|job| job.policy.allow.as_ref()) {
            Some(allow) => plugin.narrowed(allow),
            None => plugin,
        };
        let args = self.given.clone().or_else(|| Some(Arc::clone(&job?.args)));
        Ok(Ready { plugin, job: name, args: args.unwrap_or_else(|| "null".into()) })
    }

    fn sandbox(&self, manifest: &Manifest) -> Result<&Sandbox, Failure> {
        if let Some(sandbox) = self.sandbox.get() {
            return Ok(sandbox);
        }
        let options = SandboxOptions { max_instances: 10, ..plugin_sandbox::options(manifest, None) };
        let sandbox = plugin_sandbox::open(options)?;
        Ok(self.sandbox.get_or_init(|| sandbox))
    }

    /// One run to its end.
    async fn run(&self, ready: &Ready, stop: &Stop) -> Ended {
        let Ready { plugin, job, args } = ready;
        let now = Clock::system().now();
        let run = self.args.seed.and_then(RunId::from_i64).unwrap_or_else(|| RunId::next(None, now));
        let scheduled_at = self.at.unwrap_or(now);
        let request = RunRequest {
            job: job.clone(),
            run,
            attempt: self.args.attempt,
            scheduled_at,
            previous_success: self.previous_success,
            cause: Cause::Manual,
            args: Arc::clone(args),
        };
        let sink = Arc::new(Sink::new(Arc::clone(&self.memory), self.args.attempt));
        let watch = Stopwatch::start();
        let mut report = plugin.run(request, Arc::clone(&sink) as _, stop.token()).await;
        let took = watch.elapsed();
        let (mut state, mut jobs) = (None, Vec::new());
        if let Some(effects) = report.effects.take() {
            let mut memory = lock(&self.memory);
            match memory.settle(&effects, Clock::system().now()) {
                Ok(changes) => {
                    state = effects.state.is_some().then(|| memory.state.clone());
                    jobs = changes;
                }
                Err(why) => {
                    report = Report { fuel: report.fuel, ..Report::new(Outcome::Failed).because(why) }
                }
            }
        }
        let (logs, progress) = sink.take();
        Ended {
            plugin: plugin.spec().name.to_string(),
            run,
            scheduled_at,
            attempt: self.args.attempt,
            report,
            took,
            logs,
            progress,
            state,
            jobs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_begins_after_the_signal_is_stopped_too() {
        let stop = Stop::default();
        assert!(!stop.token().is_cancelled());
        stop.times.store(1, Ordering::SeqCst);
        let token = stop.token();
        assert!(token.is_cancelled() && !token.is_killed());
        stop.times.store(2, Ordering::SeqCst);
        assert!(stop.token().is_killed());
    }
}
