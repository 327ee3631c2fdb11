//! The host as a whole, over the API.

use std::sync::{Arc, Mutex};

use clockbox::{
    control::Hooks,
    manifest::{self, Overrides},
    reload::{Loader, Reloader},
    sandbox::{Sandbox, SandboxOptions},
};
use serde_json::{Value, json};

use crate::support::Host;

#[test]
fn everything_is_paused_and_resumed() {
    let host = Host::start();
    let mut client = host.client();
    assert_eq!(client.get("/v1/status")["paused"], Value::Null);
    let paused = client.ok("POST", "/v1/pause", json!({ "by": "ada" }));
    assert_eq!(paused["paused"]["by"], "ada");
    assert_eq!(client.ok("POST", "/v1/resume", Value::Null)["paused"], Value::Null);
}

#[test]
fn a_pool_shows_how_full_it_is_and_can_be_resized() {
    let host = Host::start();
    let mut client = host.client();
    let job = json!({ "name": "a", "plugin": "stubborn", "pool": "heavy", "trigger": { "interval": "1d" } });
    client.ok("POST", "/v1/jobs", job);
    client.ok("POST", "/v1/jobs/a/run", Value::Null);
    assert_eq!(client.get("/v1/pools/heavy")["running"], 1);
    let resized = client.ok("PATCH", "/v1/pools/heavy", json!({ "max_instances": 3 }));
    assert_eq!((&resized["max_instances"], &resized["queue"]), (&json!(3), &json!(1000)));
    assert_eq!(client.no("PATCH", "/v1/pools/heavy", json!({ "max_instances": 0 })).status, 400);
    assert_eq!(client.no("GET", "/v1/pools/heavi", Value::Null).code(), "no-such-pool");
    host.scheduler.shutdown(std::time::Duration::ZERO).wait().unwrap();
}

#[test]
fn what_cannot_be_understood_is_said_so() {
    let host = Host::start();
    let mut client = host.client();
    assert_eq!(client.no("GET", "/v1/nothing", Value::Null).code(), "no-such-path");
    assert_eq!(client.no("DELETE", "/v1/status", Value::Null).status, 405);
    assert_eq!(client.no("POST", "/v1/pause", json!({ "who": "ada" })).status, 400);
    assert_eq!(client.no("POST", "/v1/reload", Value::Null).code(), "no-manifest");
}

#[test]
fn a_reload_is_answered_by_the_look_that_began_after_it_was_asked_for() {
    let hooks = |folder: &std::path::Path, scheduler: &clockbox::Scheduler| {
        let path = folder.join("clockbox.toml");
        std::fs::write(&path, "# no jobs").unwrap();
        let manifest = manifest::load(&path, &Overrides::default(), &|_| None).unwrap().whole().unwrap();
        let loader = Loader::new(Sandbox::new(SandboxOptions::default()).unwrap());
        let reloader = Reloader::new(path.clone(), Overrides::default(), manifest, loader, scheduler.clone());
        let handle = Mutex::new(reloader.start(false).unwrap());
        // Between the request and its answer, what lay there before is refused, and everybody is told.
        let reload = move || {
            std::fs::write(&path, "no manifest").unwrap();
            let earlier = handle.lock().unwrap().reload();
            let earlier = std::thread::spawn(move || earlier.blocking_recv()).join().unwrap();
            assert!(earlier.unwrap().is_err());
            std::fs::write(&path, "# no jobs any more").unwrap();
            handle.lock().unwrap().reload()
        };
        Hooks { reload: Some(Arc::new(reload)), ..Hooks::default() }
    };
    let host = Host::start_with(|_| {}, hooks);
    let mut events = host.scheduler.subscribe();
    let answer = host.client().ok("POST", "/v1/reload", Value::Null);
    assert_eq!(answer, json!({ "added": 0, "changed": 0, "removed": 0, "problems": [] }));
    let told = events.next_blocking().unwrap().unwrap().event;
    assert!(matches!(told, clockbox::Event::ReloadRejected { .. }), "{told:?}");
}

#[test]
fn a_scheduler_is_stopped_over_the_api() {
    let host = Host::start();
    let mut client = host.client();
    assert_eq!(client.get("/health/ready")["status"], "ok");
    client.ok("POST", "/v1/shutdown", json!({ "grace": "1s" }));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(host.scheduler.stopped());
}

#[test]
fn the_description_names_every_path() {
    let host = Host::start();
    let api = host.client().get("/v1/openapi.json");
    assert_eq!(api["openapi"], "3.1.0");
    for path in ["/v1/jobs", "/v1/jobs/{name}", "/v1/pools", "/v1/status", "/health/live", "/metrics"] {
        assert!(api["paths"][path].is_object(), "{path}");
    }
    let operations =
        api["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let names: Vec<&str> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    let different: std::collections::BTreeSet<&&str> = names.iter().collect();
    assert_eq!(different.len(), names.len(), "each operation has a name of its own");
}

#[test]
fn what_fires_next_is_told_in_order_and_without_what_is_paused() {
    let host = Host::start();
    let mut client = host.client();
    for (name, every) in [("c", "3h"), ("a", "1h"), ("b", "2h"), ("asleep", "1m")] {
        let job = json!({ "name": name, "plugin": "hello", "trigger": { "interval": every } });
        client.ok("POST", "/v1/jobs", job);
    }
    client.ok("POST", "/v1/jobs/asleep/pause", json!({}));
    let mut next = |query: &str| -> Vec<String> {
        let page = client.get(&format!("/v1/next{query}"));
        let jobs = page["jobs"].as_array().unwrap().iter();
        jobs.map(|job| job["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(next(""), ["a", "b", "c"]);
    assert_eq!(next("?limit=2"), ["a", "b"], "the soonest, and not the first that are found");
    assert_eq!(client.no("GET", "/v1/next?limit=0", Value::Null).status, 400);
}

#[test]
fn settings_are_those_of_a_manifest() {
    let host = Host::start();
    let mut client = host.client();
    assert_eq!(client.no("GET", "/v1/settings", Value::Null).code(), "no-manifest");
    assert_eq!(client.get("/v1/status")["store"], Value::Null);
}
