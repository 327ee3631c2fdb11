//! `clockbox run`: the host.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::Args;
use clockbox_core::{
    model::{Job, JobRecord, PluginName, Timestamp},
    trigger::local_time,
};
use clockbox_store::Access;

use super::{
    exit::Failure,
    hosting::{farewell, host},
    open_files,
    place::Place,
    plugin_sandbox,
    signals::Signals,
    supervisor::Supervisor,
    talk, text,
};
use crate::{
    clock::{Clock, Stopwatch},
    control::{Control, ControlError, Hooks, InForce, Uploads},
    manifest::{self, Loaded, Manifest, ServerSettings},
    reload::{Loader, Reloader, provenance},
    sandbox::{CoreDumps, Plugin, SandboxOptions},
    scheduler::{Scheduler, Subscription},
    traces::{self, Traces},
    webhooks::Webhooks,
};

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
    let mut signals = signals.map_err(|error| Failure::new(format!("signals: {error}")))?;
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
    let ended = runtime.block_on(host(&scheduler, &reloader, supervisor, &mut signals, events, grace, zone));
    // Whoever asks twice to stop does not wait for others to be told.
    let is_at_once = ended.as_ref().is_err_and(Failure::is_at_once);
    let patience = |usual| if is_at_once { Duration::ZERO } else { usual };
    let (for_webhooks, for_traces) = (patience(WEBHOOK_PATIENCE), patience(TRACES_PATIENCE));
    runtime.block_on(farewell(&mut signals, move || {
        webhooks.stop(for_webhooks);
        if let Some(traces) = traces {
            traces.stop(for_traces);
        }
    }));
    // Without waiting for what was given up.
    runtime.shutdown_background();
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
