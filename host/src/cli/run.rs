//! `clockbox run`: the host.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::Args;
use clockbox_core::{
    model::{Job, JobRecord, Outcome, PluginName, Timestamp},
    trigger::local_time,
};
use clockbox_store::Access;

use super::{
    exit::Failure,
    open_files,
    place::Place,
    plugin_sandbox,
    signals::{Signal, Signals},
    supervisor::Supervisor,
    talk, text,
};
use crate::{
    clock::{Clock, Stopwatch},
    control::{Control, ControlError, Hooks, InForce, Uploads},
    manifest::{self, Loaded, Manifest, ServerSettings},
    reload::{Loader, Reloader, provenance},
    sandbox::{CoreDumps, Plugin, SandboxOptions},
    scheduler::{Event, Scheduler, Subscription},
    traces::{self, Traces},
    webhooks::Webhooks,
};

/// Two signals within this time are one.
const SAME_SIGNAL: std::time::Duration = std::time::Duration::from_millis(250);

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    place: Place,
    /// How talk is printed on stderr.
    #[arg(long, value_enum, default_value_t)]
    log_format: talk::Format,
    /// Print warnings and errors only.
    #[arg(short, long)]
    quiet: bool,
    /// Do not watch the manifest and the plugin folder for changes; SIGHUP still reloads.
    #[arg(long)]
    no_watch: bool,
    /// Where compiled plugins are kept.
    #[arg(long, value_name = "FOLDER")]
    cache_dir: Option<PathBuf>,
    /// Write a core dump into this folder whenever a run traps or is out of memory: <run id>-<attempt>.core, the latest 32 of at
    /// most 256 MiB. A core dump holds the guest's memory, and with it the secrets that it was given.
    #[arg(long, value_name = "FOLDER")]
    coredump: Option<PathBuf>,
}

/// So many plugins are told of one by one when the host starts.
const MOST_PLUGINS: usize = 20;
/// How long the end may take beyond the grace of the runs: for what was killed, for the store, for a reload.
const END_PATIENCE: Duration = Duration::from_secs(15);
/// How long the end waits for webhooks to be told of it.
const WEBHOOK_PATIENCE: Duration = Duration::from_secs(5);
/// How long the end waits for the collector of spans.
const TRACES_PATIENCE: Duration = Duration::from_secs(2);
/// How long the end waits for a reload that is under way.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn run(args: &RunArgs) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    let Loaded { mut manifest, refused } = args.place.load().map_err(|problems| {
        eprintln!("{problems}");
        Failure::new("the manifest has problems, nothing was started")
            .hint("correct them; `clockbox check` looks again")
    })?;
    talk::start(args.log_format, manifest.scheduler.timezone, args.quiet);
    let clock = Clock::system();
    open_files::raise();
    // The lock on the store is taken first: a second host must not even compile.
    let access = Access::ReadWrite { opened_at: clock.now() };
    let store =
        clockbox_store::open(&manifest.store.url, &manifest.folder(), access).map_err(Failure::new)?;
    let options = plugin_sandbox::options(&manifest, args.cache_dir.clone());
    let cache_dir = options.cache_dir.clone();
    // Every slot of every pool has its place; a reload that goes beyond is told by the runs that find none.
    let slots = manifest.pools.values().fold(0_u32, |sum, pool| sum.saturating_add(pool.max_instances));
    let max_instances = options.max_instances.max(slots.saturating_mul(2).min(20_000));
    let cores = args.coredump.as_ref().map(CoreDumps::new);
    let sandbox = plugin_sandbox::open(SandboxOptions { max_instances, cores, ..options })?;
    let mut loader = Loader::new(sandbox.clone());
    let loaded = loader.load(&manifest);

    let mut builder = Scheduler::builder().store(Arc::clone(&store)).clock(clock.clone());
    builder = builder.history(manifest.scheduler.history).defaults(manifest.defaults.clone());
    for pool in manifest.pools.values() {
        builder = builder.pool(pool.clone());
    }
    let plugins = told(&loaded.plugins, clock.now());
    let problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    let declared: Vec<Arc<Job>> = manifest.jobs.values().cloned().collect();
    // What a refused file says of its jobs is not known: what the store knows of them stays.
    let unknown = refused.iter().flat_map(|refused| refused.plugins.iter().cloned());
    let broken = loaded.problems.iter().map(|problem| problem.plugin.clone());
    let unusable: BTreeSet<PluginName> = unknown.chain(broken).collect();
    builder = builder.refused(unusable.iter().cloned());
    builder = builder.works(loaded.into_works(&refused)).declared(declared);
    // Before the first job runs: from then on a signal must drain.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    let signals = runtime.block_on(async { Signals::new() });
    let signals = signals.map_err(|error| Failure::new(format!("signals: {error}")))?;
    let (events, told) = (builder.subscribe(), builder.subscribe());
    let early = builder.subscribe();
    let traces = exported().map(|settings| (builder.subscribe(), settings));
    let scheduler = builder.start().map_err(Failure::new)?;
    manifest::warn_of(&manifest.warnings);
    manifest::warn_of(&manifest.exposed(cache_dir.as_deref()));
    for problem in refused.iter().flat_map(|refused| &refused.problems.0) {
        tracing::error!("{problem}");
    }
    for problem in &problems {
        tracing::error!("{problem}");
    }
    // A scheduler that has stopped by itself already answers nothing; that is told below.
    let records = scheduler.jobs().wait().unwrap_or_default();
    greet(&manifest, &plugins, &records, clock.now(), watch);
    // What a reload compares with is what is in force, and that is not what the manifest says where a plugin is broken.
    let declarations = records.iter().map(JobRecord::declaration);
    manifest.keep_jobs(declarations.filter(|job| job.source.is_reloaded()), &unusable);
    let mut supervisor = Supervisor::from_env();
    supervisor.ready(&format!("running {}", text::count(manifest.jobs.len(), "job")));

    let server = manifest.server.clone();
    let uploads = server.uploads.then(|| Uploads {
        folder: manifest.scheduler.plugin_dir.clone(),
        max_size: manifest.scheduler.compile.max_size,
    });
    let settings = InForce::new(&manifest);
    let (grace, zone) = (manifest.scheduler.shutdown_grace, manifest.scheduler.timezone);
    let thread = |error| Failure::new(format!("a thread: {error}"));
    let webhooks = Webhooks::start_with(&scheduler, told, manifest.webhooks.clone()).map_err(thread)?;
    let traces = traces.and_then(|(events, settings)| export(&scheduler, events, &settings));
    let reloader =
        Reloader::new(args.place.path(), args.place.overrides(), manifest, loader, scheduler.clone())
            .with_cache_dir(cache_dir)
            .with_webhooks(webhooks.setter())
            .with_settings(settings.clone())
            .after_problems(!refused.is_empty() || !problems.is_empty());
    let reloader = reloader.start(!args.no_watch).map_err(thread)?;
    let hooks = Hooks {
        reload: Some(Arc::new(reloader.asker())),
        uploads,
        events: Some(early.into()),
        sandbox: Some(sandbox),
        webhooks: Some(webhooks.asker()),
        settings: Some(settings),
    };
    let control = control(&scheduler, &server, hooks)?;
    let ended = runtime.block_on(host(&scheduler, &reloader, supervisor, signals, events, grace, zone));
    // Whoever asks twice to stop does not wait for others to be told.
    let is_at_once = ended.as_ref().is_err_and(Failure::is_at_once);
    webhooks.stop(if is_at_once { Duration::ZERO } else { WEBHOOK_PATIENCE });
    if let Some(traces) = traces {
        traces.stop(if is_at_once { Duration::ZERO } else { TRACES_PATIENCE });
    }
    ended?;
    drop(control);
    // Whoever holds the store lets go of it, so that it is closed in order: a database is one file then.
    reloader.stop(CLOSE_PATIENCE);
    drop((scheduler, store));
    Ok(())
}

/// Where run spans are exported to, if the environment asks for it. Jobs run all the same where that cannot be had.
fn exported() -> Option<traces::Settings> {
    match traces::Settings::from_env(&|name| std::env::var(name).ok()) {
        Ok(settings) => settings,
        Err(error) => {
            tracing::warn!("run spans are not exported: {error}");
            None
        }
    }
}

/// Exports run spans. Jobs run all the same where that cannot be done.
fn export(scheduler: &Scheduler, events: Subscription, settings: &traces::Settings) -> Option<Traces> {
    match Traces::start_with(scheduler, events, settings) {
        Ok(traces) => {
            tracing::info!("run spans are exported by OpenTelemetry");
            Some(traces)
        }
        Err(error) => {
            tracing::warn!("run spans are not exported: {error}");
            None
        }
    }
}

/// Offers the control API. A socket that nobody asked for and that cannot be had is told, and does not keep the host from
/// its work.
fn control(
    scheduler: &Scheduler,
    settings: &ServerSettings,
    hooks: Hooks,
) -> Result<Option<Control>, Failure> {
    if settings.socket.is_none() && settings.listen.is_none() {
        return Ok(None);
    }
    let control = match Control::start(scheduler, settings, hooks.clone()) {
        Err(error @ ControlError::Socket { .. }) if !settings.socket_given => {
            tracing::warn!("{error}: the host is not asked there; {}", error.hint());
            let settings = ServerSettings { socket: None, ..settings.clone() };
            if settings.listen.is_none() {
                return Ok(None);
            }
            Control::start(scheduler, &settings, hooks)
        }
        started => started,
    };
    let control = control.map_err(|error| Failure::new(&error).hint(error.hint()))?;
    let socket = control.socket().map(|socket| socket.display().to_string());
    let address = control.address().map(|address| format!("http://{address}"));
    let places: Vec<String> = socket.into_iter().chain(address).collect();
    tracing::info!("asked and changed at {}", places.join(" and "));
    Ok(Some(control))
}

/// A line for each plugin: which file it is, and whether it had to be compiled.
fn told(plugins: &BTreeMap<PluginName, Plugin>, now: Timestamp) -> Vec<String> {
    let line = |(name, plugin): (&PluginName, &Plugin)| {
        format!("plugin {:?} is {}", name.as_str(), provenance(plugin, now))
    };
    plugins.iter().map(line).collect()
}

/// Tells what is loaded and what fires next.
fn greet(manifest: &Manifest, plugins: &[String], records: &[JobRecord], now: Timestamp, watch: Stopwatch) {
    let zone = manifest.scheduler.timezone;
    tracing::info!(
        "clockbox {}: {} with {}, {} and {}; store {}; time zone {zone}{}; ready in {}",
        env!("CARGO_PKG_VERSION"),
        manifest.path.display(),
        text::count(plugins.len(), "plugin"),
        text::count(manifest.jobs.len(), "job"),
        text::count(manifest.pools.len(), "pool"),
        manifest.store.url,
        if manifest.scheduler.timezone_given { "" } else { " (none is set)" },
        text::span(watch.elapsed()),
    );
    plugins.iter().take(MOST_PLUGINS).for_each(|line| tracing::info!("{line}"));
    if let Some(more) = plugins.len().checked_sub(MOST_PLUGINS).filter(|more| *more > 0) {
        tracing::info!("… and {}; `clockbox plugins list` has them all", text::count(more, "more plugin"));
    }
    let stored = records.iter().map(|record| (record.job.id.clone(), record.clone())).collect();
    manifest::warn_of(manifest.exhausted(&stored, now).iter().map(|(_, problem)| problem));
    let mut jobs: Vec<&JobRecord> =
        records.iter().filter(|job| job.next_fire.is_some() && job.paused.is_none()).collect();
    jobs.sort_by_key(|job| job.next_fire);
    for record in jobs.iter().take(5) {
        if let Some(next) = record.next_fire {
            tracing::info!(
                job = record.job.id.as_str(),
                "next {} ({}), {}",
                local_time(next, zone).format("%Y-%m-%d %H:%M:%S"),
                text::distance(next, now),
                record.job.trigger.describe()
            );
        }
    }
    if jobs.len() > 5 {
        tracing::info!("… and {} more; `clockbox check` lists them all", jobs.len() - 5);
    }
    if manifest.jobs.is_empty() && jobs.is_empty() {
        tracing::warn!("no job will fire: add one to {}", manifest.path.display());
    }
}

/// Until a signal, or until the scheduler gives up.
async fn host(
    scheduler: &Scheduler,
    reloader: &crate::reload::Handle,
    mut supervisor: Supervisor,
    mut signals: Signals,
    mut events: Subscription,
    grace: Duration,
    zone: chrono_tz::Tz,
) -> Result<(), Failure> {
    let mut watched = std::pin::pin!(Supervisor::watch(supervisor.beat(), scheduler));
    loop {
        tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Signal::Reload => {
                    supervisor.reloading();
                    reloader.reload();
                }
                Signal::Stop => break,
            },
            // Before the events: a flood of them must not keep the service manager from hearing a sign of life.
            () = &mut watched => {}
            event = events.next() => match event {
                Some(Ok(happening)) => {
                    report(&mut supervisor, &happening.event);
                    tell(&happening.event, zone);
                }
                Some(Err(lost)) => tracing::warn!("{lost} events were too many to show"),
                None => {
                    supervisor.stopping(Duration::ZERO, "the scheduler stopped by itself");
                    scheduler.stopped().await;
                    if scheduler.is_stopped_in_order() {
                        tracing::info!("stopped, as it was asked to");
                        return Ok(());
                    }
                    return Err(Failure::lost("the scheduler stopped by itself; the messages above say why"));
                }
            },
        }
    }
    let word = format!("stopping: runs have {} to end", text::span(grace));
    tracing::info!("{word}");
    supervisor.stopping(grace + END_PATIENCE, &word);
    // The same keystroke may arrive twice, from the terminal and from whoever started the host.
    let mut same_signal = std::pin::pin!(tokio::time::sleep(SAME_SIGNAL));
    let mut is_same = true;
    let mut stopped = std::pin::pin!(scheduler.shutdown(grace));
    let mut is_heard = true;
    loop {
        tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Signal::Stop if !is_same => return Err(Failure::stopped()),
                Signal::Stop | Signal::Reload => {}
            },
            () = &mut watched => {}
            () = &mut same_signal, if is_same => {
                is_same = false;
                tracing::info!("runs still go on; a second signal stops at once");
            }
            event = events.next(), if is_heard => match event {
                Some(Ok(happening)) => tell(&happening.event, zone),
                Some(Err(lost)) => tracing::warn!("{lost} events were too many to show"),
                None => is_heard = false,
            },
            done = &mut stopped => {
                while let Some(Ok(happening)) = events.try_next() {
                    tell(&happening.event, zone);
                }
                scheduler.stopped().await;
                tracing::info!("stopped");
                return done.map_err(Failure::lost);
            }
        }
    }
}

/// One event, for the service manager: only the end of a reload matters to it.
fn report(supervisor: &mut Supervisor, event: &Event) {
    match event {
        Event::Reloaded { added, changed, removed } => {
            supervisor.reloaded(&format!("running; reloaded: jobs +{added} ~{changed} -{removed}"));
        }
        Event::ReloadRejected { problems } => {
            let problems = text::count(problems.len(), "problem");
            supervisor.reloaded(&format!("running; a change was refused: {problems}"));
        }
        _ => {}
    }
}

/// One event, for the operator.
fn tell(event: &Event, zone: chrono_tz::Tz) {
    match event {
        Event::RunFinished { job, run, attempt, outcome, reason, elapsed_ms, .. } => {
            let span = elapsed_ms.map(|ms| text::span(Duration::from_millis(ms)));
            // The pauses between attempts, and a host that was down, are no time that the run took.
            let took = match span {
                Some(span) if *attempt > 1 => {
                    format!(" at attempt {attempt}, {span} after the first one began")
                }
                Some(span) => format!(" in {span}"),
                None if *attempt > 1 => format!(" at attempt {attempt}"),
                None => String::new(),
            };
            let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            match outcome {
                Outcome::Succeeded => tracing::info!(job = job.as_str(), %run, "succeeded{took}"),
                // Somebody, or the job's own policy, wanted it so.
                Outcome::Cancelled => {
                    tracing::warn!(job = job.as_str(), %run, "cancelled{took}{why} (run {run})")
                }
                _ => tracing::error!(job = job.as_str(), %run, "{outcome}{took}{why} (run {run})"),
            }
        }
        Event::RunStarted { job, run, attempt, .. } => {
            tracing::debug!(job = job.as_str(), %run, attempt, "started");
        }
        Event::RunRetrying { job, run, attempt, outcome, reason, retry_at } => {
            let why = reason.as_deref().unwrap_or("no reason given");
            tracing::warn!(job = job.as_str(), %run, "attempt {attempt} {outcome}: {why}; next attempt at {}", text::local(*retry_at, zone));
        }
        Event::Missed { job, run, reason, scheduled_at, .. } => {
            tracing::warn!(job = job.as_str(), %run, "missed its fire at {}: {reason}", text::local(*scheduled_at, zone));
        }
        Event::Skipped { job, run, reason, scheduled_at, .. } => {
            tracing::warn!(job = job.as_str(), %run, "skipped its fire at {}: {reason}", text::local(*scheduled_at, zone));
        }
        Event::RunWaiting { job, run, .. } => tracing::debug!(job = job.as_str(), %run, "waits for a place"),
        Event::RunProgressed { job, run, done, total, note } => {
            let total = total.map(|total| format!(" of {total}")).unwrap_or_default();
            let note = note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
            tracing::info!(job = job.as_str(), %run, "progress {done}{total}{note}");
        }
        Event::JobPaused { job, by, note } => {
            tracing::info!(job = job.as_str(), "paused{}", why(by.as_deref(), note.as_deref()));
        }
        Event::JobResumed { job } => tracing::info!(job = job.as_str(), "resumed"),
        Event::JobAdded { job } => tracing::debug!(job = job.as_str(), "added"),
        Event::JobModified { job } => tracing::debug!(job = job.as_str(), "changed"),
        Event::JobRemoved { job } => tracing::debug!(job = job.as_str(), "removed"),
        Event::Reloaded { added, changed, removed } => {
            tracing::info!("reloaded: jobs +{added} ~{changed} -{removed}");
        }
        Event::ReloadRejected { problems } => {
            for problem in problems {
                tracing::error!("{problem}");
            }
            tracing::error!("not taken over; what was loaded before stays in force");
        }
        Event::SchedulerPaused { by, note } => {
            tracing::info!(
                "paused{}: nothing starts until it is resumed",
                why(by.as_deref(), note.as_deref())
            );
        }
        Event::SchedulerResumed => tracing::info!("resumed"),
        _ => {}
    }
}

/// Who did something, and why, as far as they said.
fn why(by: Option<&str>, note: Option<&str>) -> String {
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    let note = note.map(|note| format!(" ({note})")).unwrap_or_default();
    by + &note
}
