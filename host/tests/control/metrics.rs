//! What Prometheus reads.

use std::{sync::Arc, time::Duration};

use clockbox::{
    Clock, Conflict, Event, Job, Outcome, Report, RunId, Running, Scheduler, Source, Subscription, Trigger,
    TriggerSpec,
    control::{
        Control, EarlyEvents, Hooks,
        client::{Address, Client},
    },
    manifest::ServerSettings,
    sandbox::{Sandbox, SandboxOptions},
};
use serde_json::{Value, json};

use crate::{
    exposition::Exposition,
    support::{Caller, Host},
};

fn read(client: &mut Caller) -> Exposition {
    let answer = client.send("GET", "/metrics", Value::Null).unwrap();
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(answer.headers["cache-control"], "no-store");
    Exposition::read(std::str::from_utf8(&answer.body).unwrap())
}

fn add(client: &mut Caller, name: &str, plugin: &str, more: Value) {
    let mut job = json!({
        "name": name, "plugin": plugin, "trigger": { "interval": "10s", "start": "2030-01-01T00:00:10Z" },
    });
    job.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    client.ok("POST", "/v1/jobs", job);
}

/// The run of the next event that this takes.
fn until(events: &mut Subscription, wanted: impl Fn(&Event) -> bool) -> RunId {
    loop {
        let event = events.next_blocking().unwrap().unwrap().event;
        if wanted(&event) {
            return event.run().unwrap();
        }
    }
}

fn is_end(event: &Event) -> bool {
    matches!(event, Event::RunFinished { .. })
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_run_is_counted_with_its_lateness_and_its_duration() {
    let host = Host::start();
    let mut client = host.client();
    let mut events = host.scheduler.subscribe();
    add(&mut client, "quick", "hello", json!({}));
    host.hand.advance(Duration::from_millis(10_250));
    until(&mut events, is_end);
    let seen = read(&mut client);
    assert_eq!(seen.get("clockbox_fires_total{became=\"run\",job=\"quick\"}"), 1.0);
    assert_eq!(seen.get("clockbox_runs_started_total{cause=\"trigger\",job=\"quick\"}"), 1.0);
    assert_eq!(seen.get("clockbox_runs_total{job=\"quick\",outcome=\"succeeded\"}"), 1.0);
    assert_eq!(
        seen.get("clockbox_run_duration_seconds_bucket{job=\"quick\",le=\"0.001\",outcome=\"succeeded\"}"),
        1.0
    );
    assert_eq!(seen.get("clockbox_run_lateness_seconds_sum"), 0.25);
    let within = |bound: &str| seen.get(&format!("clockbox_run_lateness_seconds_bucket{{le=\"{bound}\"}}"));
    assert_eq!((within("0.1"), within("0.25"), within("+Inf")), (0.0, 1.0, 1.0));
    let start = 1_893_456_000.0;
    assert_eq!(seen.get("clockbox_job_last_fire_timestamp_seconds{job=\"quick\"}"), start + 10.0);
    assert_eq!(seen.get("clockbox_job_last_success_timestamp_seconds{job=\"quick\"}"), start + 10.0);
    assert_eq!(seen.get("clockbox_job_next_fire_timestamp_seconds{job=\"quick\"}"), start + 20.0);
    assert_eq!(seen.get("clockbox_next_wake_timestamp_seconds"), start + 20.0);
    // A run on demand is none of the trigger's, and is not late.
    host.run("quick");
    let seen = read(&mut client);
    assert_eq!(seen.get("clockbox_runs_started_total{cause=\"manual\",job=\"quick\"}"), 1.0);
    assert_eq!(seen.get("clockbox_runs_total{job=\"quick\",outcome=\"succeeded\"}"), 2.0);
    assert_eq!(
        (seen.sum("clockbox_fires_total"), seen.get("clockbox_run_lateness_seconds_count")),
        (1.0, 1.0)
    );
}

#[test]
fn what_took_its_time_and_was_cancelled_is_counted_so() {
    let host = Host::start();
    let mut client = host.client();
    let mut events = host.scheduler.subscribe();
    add(&mut client, "slow", "stubborn", json!({ "pool": "heavy" }));
    host.hand.advance(10 * SECOND);
    let run = until(&mut events, |event| matches!(event, Event::RunStarted { .. }));
    let seen = read(&mut client);
    assert_eq!(seen.get("clockbox_pool_running{pool=\"heavy\"}"), 1.0);
    assert_eq!(seen.get("clockbox_pool_max_instances{pool=\"heavy\"}"), 20.0);
    assert_eq!(seen.get("clockbox_pool_queue_limit{pool=\"heavy\"}"), 1000.0);
    assert_eq!(seen.get("clockbox_runs_active{state=\"running\"}"), 1.0);
    // The job is at its most instances.
    host.hand.advance(10 * SECOND);
    until(&mut events, |event| matches!(event, Event::Skipped { .. }));
    host.scheduler.cancel_run(run, "a test").wait().unwrap();
    until(&mut events, is_end);
    let seen = read(&mut client);
    assert_eq!(seen.get("clockbox_fires_total{became=\"run\",job=\"slow\"}"), 1.0);
    assert_eq!(seen.get("clockbox_fires_total{became=\"skipped\",job=\"slow\"}"), 1.0);
    assert_eq!(seen.get("clockbox_runs_total{job=\"slow\",outcome=\"cancelled\"}"), 1.0);
    assert_eq!(seen.get("clockbox_run_duration_seconds_sum{job=\"slow\",outcome=\"cancelled\"}"), 10.0);
    assert!(!seen.0.contains_key("clockbox_job_last_success_timestamp_seconds{job=\"slow\"}"));
}

#[test]
fn fires_of_a_long_pause_are_all_counted_whatever_becomes_of_them() {
    let host = Host::start();
    let mut client = host.client();
    add(&mut client, "each", "hello", json!({ "coalesce": false, "misfire_grace": "5s" }));
    add(&mut client, "one", "hello", json!({ "misfire_grace": "forever" }));
    client.ok("POST", "/v1/pause", Value::Null);
    let mut events = host.scheduler.subscribe();
    host.hand.advance(100_000 * SECOND);
    client.ok("POST", "/v1/resume", Value::Null);
    (0..2).for_each(|_| _ = until(&mut events, is_end));
    let seen = read(&mut client);
    let fires = |job: &str, became: &str| {
        seen.get(&format!("clockbox_fires_total{{became=\"{became}\",job=\"{job}\"}}"))
    };
    assert_eq!(
        (fires("each", "run"), fires("each", "missed"), fires("each", "coalesced")),
        (1.0, 9_999.0, 0.0)
    );
    assert_eq!((fires("one", "run"), fires("one", "missed"), fires("one", "coalesced")), (1.0, 0.0, 9_999.0));
    assert_eq!(seen.sum("clockbox_fires_total"), 20_000.0);
}

#[test]
fn attempts_that_are_followed_by_another_are_counted_as_retries() {
    let host = Host::start();
    let mut client = host.client();
    let mut events = host.scheduler.subscribe();
    add(&mut client, "again", "failing", json!({ "retry": { "attempts": 3, "backoff": "1s", "cap": "2s" } }));
    host.hand.advance(10 * SECOND);
    for _ in 0..2 {
        until(&mut events, |event| matches!(event, Event::RunRetrying { .. }));
        // Beyond the longest pause, and before the next fire.
        host.hand.advance(2 * SECOND);
    }
    until(&mut events, is_end);
    let seen = read(&mut client);
    assert_eq!(seen.get("clockbox_run_retries_total{job=\"again\"}"), 2.0);
    assert_eq!(seen.get("clockbox_runs_total{job=\"again\",outcome=\"failed\"}"), 1.0);
    assert_eq!(seen.get("clockbox_runs_started_total{cause=\"trigger\",job=\"again\"}"), 1.0);
    assert_eq!(seen.get("clockbox_run_duration_seconds_sum{job=\"again\",outcome=\"failed\"}"), 4.0);
}

#[test]
fn what_is_paused_is_not_late() {
    let host = Host::start();
    let mut client = host.client();
    add(&mut client, "a", "hello", json!({}));
    let seen = read(&mut client);
    assert_eq!((seen.get("clockbox_job_paused{job=\"a\"}"), seen.get("clockbox_paused")), (0.0, 0.0));
    client.ok("POST", "/v1/jobs/a/pause", Value::Null);
    client.ok("POST", "/v1/pause", Value::Null);
    let seen = read(&mut client);
    assert_eq!((seen.get("clockbox_job_paused{job=\"a\"}"), seen.get("clockbox_paused")), (1.0, 1.0));
    assert!(!seen.0.contains_key("clockbox_job_next_fire_timestamp_seconds{job=\"a\"}"));
    assert_eq!(seen.get("clockbox_jobs{paused=\"true\",source=\"api\"}"), 1.0);
    assert_eq!(seen.get("clockbox_jobs{paused=\"false\",source=\"api\"}"), 0.0);
}

fn many(count: usize) -> Vec<Job> {
    let trigger = Trigger::new(TriggerSpec::interval("1d"), chrono_tz::UTC).unwrap();
    let job = |n| Job {
        id: format!("job-{n:05}").parse().unwrap(),
        plugin: "hello".parse().unwrap(),
        pool: clockbox::PoolName::default_pool(),
        trigger: trigger.clone(),
        args: "null".into(),
        policy: clockbox::Policy::default().into(),
        source: Source::Api,
    };
    (0..count).map(job).collect()
}

#[test]
fn ten_thousand_jobs_stay_within_bounds() {
    let host = Host::start();
    let mut client = host.client();
    let text = |client: &mut Caller| client.send("GET", "/metrics", Value::Null).unwrap().body;
    let empty = text(&mut client);
    host.scheduler.add_jobs(many(10_000), Conflict::Error).wait().unwrap();
    (0..300).for_each(|n| _ = host.run(&format!("job-{n:05}")));
    let body = text(&mut client);
    let seen = Exposition::read(std::str::from_utf8(&body).unwrap());
    assert_eq!(seen.values_of("job").len(), 200 + 1);
    assert_eq!(seen.get("clockbox_jobs_named_limit"), 200.0);
    assert_eq!(seen.get("clockbox_jobs{paused=\"false\",source=\"api\"}"), 10_000.0);
    assert_eq!(seen.get("clockbox_runs_total{job=\"*\",outcome=\"succeeded\"}"), 100.0);
    assert_eq!(seen.sum("clockbox_runs_total"), 300.0);
    let of_each = (body.len() - empty.len()) / 200;
    assert!(of_each < 4_000, "{of_each} bytes for each job that has series of its own");
    // All go, and their series with them.
    host.scheduler.remove_all_jobs(Running::Finish).wait().unwrap();
    let seen = read(&mut client);
    assert_eq!(seen.values_of("job").into_iter().collect::<Vec<_>>(), ["*"]);
    assert_eq!(seen.get("clockbox_jobs{paused=\"false\",source=\"api\"}"), 0.0);
}

#[test]
fn a_place_that_a_job_leaves_is_for_the_next_one_and_one_offs_have_none() {
    let host = Host::start_with(|settings| settings.metrics_jobs = Some(2), |_, _| Hooks::default());
    let mut client = host.client();
    let one_off = json!({ "name": "once", "plugin": "hello", "trigger": { "date": "2031-01-01 00:00:00" } });
    client.ok("POST", "/v1/jobs", one_off);
    ["a", "b", "c"].iter().for_each(|name| add(&mut client, name, "hello", json!({})));
    let named = |client: &mut Caller| read(client).values_of("job").into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(named(&mut client), "* a b");
    ["a", "c"].iter().for_each(|job| _ = host.run(job));
    client.ok("DELETE", "/v1/jobs/a", Value::Null);
    assert_eq!(named(&mut client), "* b");
    add(&mut client, "d", "hello", json!({}));
    assert_eq!(named(&mut client), "* b d");
    // One of the name of another begins anew; what was counted under the label of all stays there.
    client.ok("DELETE", "/v1/jobs/b", Value::Null);
    add(&mut client, "a", "hello", json!({}));
    let seen = read(&mut client);
    assert_eq!(seen.get("clockbox_runs_total{job=\"a\",outcome=\"succeeded\"}"), 0.0);
    assert_eq!(seen.get("clockbox_runs_total{job=\"*\",outcome=\"succeeded\"}"), 1.0);
}

#[test]
fn no_job_need_have_series_of_its_own() {
    let host = Host::start_with(|settings| settings.metrics_jobs = Some(0), |_, _| Hooks::default());
    let mut client = host.client();
    add(&mut client, "a", "hello", json!({}));
    host.run("a");
    let seen = read(&mut client);
    assert_eq!(seen.values_of("job").into_iter().collect::<Vec<_>>(), ["*"]);
    assert_eq!(seen.get("clockbox_runs_total{job=\"*\",outcome=\"succeeded\"}"), 1.0);
}

#[test]
fn the_store_the_api_and_the_process_are_told_of() {
    let host = Host::start();
    let mut client = host.client();
    let before = read(&mut client);
    add(&mut client, "a", "hello", json!({}));
    host.run("a");
    let _idle = host.tcp_client();
    let mut far = host.tcp_client();
    let seen = read(&mut far);
    let grown = |key: &str| seen.get(key) - before.get(key);
    assert!(grown("clockbox_store_commit_duration_seconds_count") >= 3.0, "the job, the start, the end");
    assert!(grown("clockbox_store_writes_total") >= 3.0);
    assert_eq!(
        (seen.get("clockbox_store_failing"), seen.get("clockbox_store_commit_failures_total")),
        (0.0, 0.0)
    );
    assert_eq!(seen.get("clockbox_api_connections{door=\"socket\"}"), 1.0);
    let far = seen.get("clockbox_api_connections{door=\"tcp\"}");
    assert!((1.0..=2.0).contains(&far), "the idle one may not be taken yet: {far}");
    let version = env!("CARGO_PKG_VERSION");
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    assert_eq!(
        seen.get(&format!("clockbox_build_info{{arch=\"{arch}\",os=\"{os}\",version=\"{version}\"}}")),
        1.0
    );
    assert_eq!((seen.get("clockbox_events_lost_total"), seen.get("clockbox_events_uncounted")), (0.0, 0.0));
    if cfg!(target_os = "linux") {
        assert!(seen.get("process_resident_memory_bytes") > 1e6);
        assert!(seen.get("process_open_fds") > 3.0 && seen.get("process_max_fds") > 3.0);
        assert!(seen.get("process_start_time_seconds") > 1.7e9, "by the clock of the system");
    }
}

#[test]
fn what_happened_before_the_api_began_is_counted_and_what_was_too_much_is_told() {
    let (clock, hand) = Clock::manual("2030-01-01T00:00:00Z".parse().unwrap());
    let builder = Scheduler::builder()
        .clock(clock)
        .native("hello".parse().unwrap(), |_, _| async { Report::new(Outcome::Succeeded) });
    let few = EarlyEvents::from(builder.subscribe());
    let scheduler = builder.start().unwrap();
    let mut ends = scheduler.subscribe();
    scheduler.add_jobs(many(1), Conflict::Error).wait().unwrap();
    hand.advance(86_400 * SECOND);
    until(&mut ends, is_end);
    let start = |events: EarlyEvents| {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("clockbox.sock");
        let settings = ServerSettings { socket: Some(socket.clone()), ..ServerSettings::default() };
        let hooks = Hooks { events: Some(events), ..Hooks::default() };
        let control = Control::start(&scheduler, &settings, hooks).unwrap();
        let mut client = Caller(Client::connect(Address::Socket(socket), None).unwrap());
        let seen = read(&mut client);
        drop((control, folder));
        seen
    };
    let seen = start(few);
    assert_eq!(seen.get("clockbox_runs_total{job=\"job-00000\",outcome=\"succeeded\"}"), 1.0);
    assert_eq!(seen.get("clockbox_events_lost_total"), 0.0);
    // More than a listener may be behind by; the job goes meanwhile.
    let (mut listener, late) = (scheduler.subscribe(), EarlyEvents::from(scheduler.subscribe()));
    scheduler.remove_job("job-00000".parse().unwrap(), Running::Finish).wait().unwrap();
    for _ in 0..10_000 {
        drop(scheduler.pause(None, None));
        drop(scheduler.resume());
    }
    scheduler.resume().wait().unwrap();
    let lost = listener.try_next().unwrap().unwrap_err();
    assert!(lost > 1000, "{lost}");
    let seen = start(late);
    assert_eq!(seen.get("clockbox_events_lost_total"), lost as f64);
    assert_eq!(seen.values_of("job").into_iter().collect::<Vec<_>>(), ["*"]);
}

#[test]
fn the_compile_cache_is_told_of_where_there_is_one() {
    let cache = tempfile::tempdir().unwrap();
    let options = SandboxOptions { cache_dir: Some(cache.path().join("cache")), ..SandboxOptions::default() };
    let sandbox = Sandbox::new(options).unwrap();
    let spec = clockbox::PluginSpec::new("a".parse().unwrap(), "a.wasm");
    let bytes = b"(module (memory (export \"memory\") 1) (func (export \"_start\")))";
    let hooks = Hooks { sandbox: Some(sandbox.clone()), ..Hooks::default() };
    let host = Host::start_with(|_| {}, |_, _| hooks);
    drop(sandbox.load(bytes, &spec).unwrap());
    drop(sandbox.load(bytes, &spec).unwrap());
    let seen = read(&mut host.client());
    assert_eq!(seen.get("clockbox_compile_cache_misses_total"), 1.0);
    assert_eq!(seen.get("clockbox_compile_cache_hits_total"), 1.0);
    assert!(seen.get("clockbox_compile_cache_bytes") > 1000.0);
    assert!(!read(&mut Host::start().client()).0.contains_key("clockbox_compile_cache_bytes"));
}

#[test]
fn whoever_may_look_may_read() {
    let secret = |text: &str| Some(clockbox::Secret::new(text, clockbox::SecretAs::Config));
    let set = |settings: &mut ServerSettings| {
        (settings.token, settings.read_token) = (secret("operator"), secret("reader"));
    };
    let host = Host::start_with(set, |_, _| Hooks::default());
    for (token, status) in
        [(Some("operator"), None), (Some("reader"), None), (Some("guess"), Some(401)), (None, Some(401))]
    {
        let answer = host.tcp_client_with(token).send("GET", "/metrics", Value::Null);
        assert_eq!(answer.err().map(|problem| problem.status), status, "{token:?}");
    }
    assert_eq!(host.tcp_client_with(Some("operator")).no("POST", "/metrics", Value::Null).status, 405);
    assert!(read(&mut host.client()).get("clockbox_paused") == 0.0);
}

#[test]
fn many_may_read_at_one_time() {
    let host = Arc::new(Host::start());
    add(&mut host.client(), "a", "hello", json!({}));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = host.client();
                for _ in 0..10 {
                    host.scheduler.run_now("a".parse().unwrap(), None).wait().unwrap();
                    read(&mut client);
                }
            });
        }
    });
    let seen = read(&mut host.client());
    assert_eq!(seen.get("clockbox_runs_started_total{cause=\"trigger\",job=\"a\"}"), 0.0);
}
