//! The page that is read: every family, in an order that stays.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use clockbox_core::model::Timestamp;
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

use super::{
    reading::{JobTimes, Reading, Standing},
    recorder::Recorder,
    sheet::{NONE, Sheet},
};

/// All that there is to be read.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) recorder: Arc<Mutex<Recorder>>,
    pub(super) reading: Reading,
}

impl Collector for Page {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut sheet = Sheet(encoder);
        let Self { recorder, reading } = self;
        // What has to wait for it is counted later; nothing is lost but with more than 16,000 events.
        counted(&recorder.lock().unwrap_or_else(PoisonError::into_inner), &mut sheet)?;
        jobs(&reading.standing.times, &mut sheet)?;
        standing(&reading.standing, &mut sheet)?;
        pools(&reading.standing, &mut sheet)?;
        store(reading, &mut sheet)?;
        host(reading, &mut sheet)?;
        reading.process.as_ref().map_or(Ok(()), |process| process.write(&mut sheet))
    }
}

/// What has happened.
fn counted(recorder: &Recorder, sheet: &mut Sheet<'_>) -> fmt::Result {
    let each = || recorder.series();
    sheet.counter(
        "clockbox_fires",
        "Fires of triggers by what became of them; each is counted once, when that is decided",
        each().flat_map(|(job, series)| {
            series.fires().map(move |(became, count)| ([("job", job), ("became", became.as_str())], count))
        }),
    )?;
    sheet.counter(
        "clockbox_runs_started",
        "Runs that began, by what caused them",
        each().flat_map(|(job, series)| {
            series.starts().map(move |(cause, count)| ([("job", job), ("cause", cause.as_str())], count))
        }),
    )?;
    sheet.counter(
        "clockbox_runs",
        "Runs that ended, by their outcome",
        each().flat_map(|(job, series)| {
            series.ends().map(move |(outcome, count)| ([("job", job), ("outcome", outcome.as_str())], count))
        }),
    )?;
    sheet.counter(
        "clockbox_run_retries",
        "Attempts that failed and are followed by another one",
        each().map(|(job, series)| ([("job", job)], series.retries())),
    )?;
    sheet.histogram(
        "clockbox_run_duration_seconds",
        "Time from the start of a run's first attempt to its end, by outcome",
        each().flat_map(|(job, series)| {
            series
                .durations()
                .map(move |(outcome, durations)| ([("job", job), ("outcome", outcome.as_str())], durations))
        }),
    )?;
    sheet.histogram(
        "clockbox_run_lateness_seconds",
        "Time from the scheduled time of a fire to the start of its run, jitter and waiting included",
        [(NONE, recorder.lateness())],
    )?;
    let (applied, rejected) = recorder.reloads();
    sheet.counter(
        "clockbox_reloads",
        "Changes of the manifest and of plugins by what became of them",
        [([("result", "applied")], applied), ([("result", "rejected")], rejected)],
    )?;
    sheet.counter(
        "clockbox_events_lost",
        "Events that came faster than they could be counted: what the counters lack",
        [(NONE, recorder.lost())],
    )?;
    sheet.gauge(
        "clockbox_jobs",
        "Jobs by their source and whether they are paused; of more than 10000 counted once a minute",
        recorder.jobs().into_iter().flat_map(|jobs| jobs.iter()).map(|(source, paused, count)| {
            ([("source", source), ("paused", if paused { "true" } else { "false" })], count)
        }),
    )?;
    sheet.gauge(
        "clockbox_jobs_named_limit",
        "The most jobs with series of their own; the others share the label *",
        [(NONE, recorder.most())],
    )
}

/// The times of jobs.
fn jobs(times: &[JobTimes], sheet: &mut Sheet<'_>) -> fmt::Result {
    fn of<'a>(
        times: &'a [JobTimes],
        which: impl Fn(&JobTimes) -> Option<Timestamp> + 'a,
    ) -> impl Iterator<Item = ([(&'a str, &'a str); 1], f64)> + 'a {
        times.iter().filter_map(move |times| Some(([("job", times.job.as_str())], seconds(which(times)?))))
    }
    sheet.gauge(
        "clockbox_job_next_fire_timestamp_seconds",
        "When a job fires next, jitter apart, in seconds since 1970; absent while it is paused and when it is done",
        of(times, |times| times.next_fire),
    )?;
    sheet.gauge(
        "clockbox_job_last_fire_timestamp_seconds",
        "The scheduled time of a job's latest fire, whatever became of it",
        of(times, |times| times.last_fire),
    )?;
    sheet.gauge(
        "clockbox_job_last_success_timestamp_seconds",
        "The scheduled time of the latest run of a job that succeeded, earlier starts of the host included",
        of(times, |times| times.last_success),
    )?;
    sheet.gauge(
        "clockbox_job_paused",
        "1 while a job is paused by hand",
        times.iter().map(|times| ([("job", times.job.as_str())], u64::from(times.is_paused))),
    )
}

/// How the scheduler stands.
fn standing(standing: &Standing, sheet: &mut Sheet<'_>) -> fmt::Result {
    let flag = |is_so: bool| [(NONE, u64::from(is_so))];
    sheet.gauge(
        "clockbox_runs_active",
        "Runs that run now, and those that wait for their turn or their next attempt",
        [([("state", "running")], standing.running), ([("state", "waiting")], standing.waiting)],
    )?;
    sheet.gauge("clockbox_paused", "1 while everything is paused by hand", flag(standing.is_paused))?;
    sheet.gauge(
        "clockbox_held",
        "1 while nothing starts because the store fails or does not keep up",
        flag(standing.is_held),
    )?;
    sheet.gauge("clockbox_draining", "1 once the host is about to stop", flag(standing.is_draining))?;
    sheet.gauge(
        "clockbox_next_wake_timestamp_seconds",
        "When the scheduler has something to decide next, in seconds since 1970; in the past where that is late",
        standing.next_wake.map(|at| (NONE, seconds(at))),
    )
}

/// How full the pools are.
fn pools(standing: &Standing, sheet: &mut Sheet<'_>) -> fmt::Result {
    let pools = || standing.pools.iter().map(|load| ([("pool", load.pool.name.as_str())], load));
    sheet.gauge(
        "clockbox_pool_running",
        "Instances of a pool that run now",
        pools().map(|(pool, load)| (pool, load.running)),
    )?;
    sheet.gauge(
        "clockbox_pool_max_instances",
        "The most instances of a pool at one time",
        pools().map(|(pool, load)| (pool, load.pool.max_instances)),
    )?;
    sheet.gauge(
        "clockbox_pool_queued",
        "Runs that wait for a place in a pool",
        pools().map(|(pool, load)| (pool, load.waiting)),
    )?;
    sheet.gauge(
        "clockbox_pool_queue_limit",
        "The most runs that wait for a place in a pool; fires beyond it are skipped",
        pools().map(|(pool, load)| (pool, load.pool.queue)),
    )
}

/// How the store does.
fn store(reading: &Reading, sheet: &mut Sheet<'_>) -> fmt::Result {
    let commits = &reading.commits;
    let buckets: Vec<(f64, u64)> =
        commits.buckets.iter().map(|(bound, count)| (bound.as_secs_f64(), *count)).collect();
    sheet.counted(
        "clockbox_store_commit_duration_seconds",
        "Time that the store took for a commit",
        (commits.total.as_secs_f64(), commits.commits, &buckets),
    )?;
    sheet.counter("clockbox_store_writes", "Writes that were committed", [(NONE, commits.writes)])?;
    sheet.counter(
        "clockbox_store_commit_failures",
        "Commits that failed, each try by itself",
        [(NONE, commits.failures)],
    )?;
    sheet.gauge(
        "clockbox_store_pending_writes",
        "Writes on their way to the store; with 50000 of them due fires wait",
        [(NONE, reading.pending_writes)],
    )?;
    sheet.gauge(
        "clockbox_store_failing",
        "1 while the latest commit has failed and is tried again",
        [(NONE, u64::from(reading.is_store_failing))],
    )
}

/// The rest of the host.
fn host(reading: &Reading, sheet: &mut Sheet<'_>) -> fmt::Result {
    if let Some(cache) = reading.cache {
        sheet.counter(
            "clockbox_compile_cache_hits",
            "Plugins whose compiled code the cache had",
            [(NONE, cache.hits)],
        )?;
        sheet.counter(
            "clockbox_compile_cache_misses",
            "Plugins that were compiled because the cache had not their code",
            [(NONE, cache.misses)],
        )?;
        sheet.gauge(
            "clockbox_compile_cache_bytes",
            "The size of the compile cache",
            [(NONE, cache.bytes)],
        )?;
    }
    sheet.gauge(
        "clockbox_api_connections",
        "Open connections of the control API, of which each door takes 256",
        reading.connections.map(|(door, open)| ([("door", door)], open)),
    )?;
    sheet.gauge(
        "clockbox_events_uncounted",
        "Events that have happened and are not in the counters yet",
        [(NONE, reading.behind)],
    )?;
    sheet.gauge(
        "clockbox_start_time_seconds",
        "When the control API of this host began, in seconds since 1970",
        [(NONE, seconds(reading.started_at))],
    )?;
    let labels = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("os", std::env::consts::OS),
        ("arch", std::env::consts::ARCH),
    ];
    sheet.info("clockbox_build", "What this host was built from and for", &labels)
}

fn seconds(at: Timestamp) -> f64 {
    at.timestamp_micros() as f64 / 1e6
}
