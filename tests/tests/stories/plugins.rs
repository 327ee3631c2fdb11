//! The plugins that come with clockbox do what their READMEs say, and no more than they were granted.

use std::{fs, os::unix::fs::symlink};

use clockbox_core::model::{Outcome, Run};
use clockbox_tests::{DeadPort, TestHost, WebServer, prebuilt};
use serde_json::{Value, json};

/// Runs one job of a prebuilt plugin to its end.
fn run(place: &TestHost, plugin: &str, allow: &str, args: &str) -> Run {
    run_with(place, plugin, allow, args, "")
}

fn run_with(place: &TestHost, plugin: &str, allow: &str, args: &str, more: &str) -> Run {
    place.drop_plugin(&prebuilt(plugin), plugin);
    place.manifest(&format!(
        "[plugins.{plugin}]\nallow = {allow}\nconfig = {{ token = \"s3cret\" }}\n[jobs.job]\nplugin = \"{plugin}\"\nargs = {args}\n{more}"
    ));
    let mut host = place.start();
    host.hear("the end of the job", |line| {
        Outcome::ALL.iter().any(|outcome| line.is_of("job", outcome.as_str()))
    });
    host.stop();
    let mut runs = place.history().of("job");
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs.remove(0)
}

fn output(run: &Run) -> Value {
    serde_json::from_str(run.output.as_deref().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

fn reason(run: &Run) -> &str {
    run.reason.as_deref().unwrap_or_default()
}

#[test]
fn http_check_passes_and_tells_the_timing() {
    let (place, web) = (crate::place(), WebServer::start());
    let origin = web.origin();
    let run = run(
        &place,
        "http-check",
        &format!("{{ http = [\"{origin}\"] }}"),
        &format!("{{ url = \"{origin}/page\", contains = \"this is /page\" }}"),
    );
    assert_eq!(run.outcome, Some(Outcome::Succeeded), "{run:?}");
    let output = output(&run);
    assert_eq!((&output["status"], &output["bytes"]), (&json!(200), &json!(13)), "{output}");
    assert!(output["total_ms"].as_u64().unwrap() >= output["first_byte_ms"].as_u64().unwrap(), "{output}");
    assert_eq!(web.request().line, "GET /page");
}

#[test]
fn http_check_fails_on_a_wrong_status_or_text_and_names_both() {
    let (place, web) = (crate::place(), WebServer::start());
    let origin = web.origin();
    let run = run(
        &place,
        "http-check",
        &format!("{{ http = [\"{origin}\"] }}"),
        &format!("{{ url = \"{origin}/503\", contains = \"welcome\" }}"),
    );
    assert_eq!(run.outcome, Some(Outcome::Failed), "{run:?}");
    for word in ["check-failed", "503", "welcome"] {
        assert!(reason(&run).contains(word), "{word}: {run:?}");
    }
}

#[test]
fn http_check_that_nobody_answers_is_tried_again() {
    let (place, dead) = (crate::place(), DeadPort::take());
    let origin = dead.origin();
    let run = run_with(
        &place,
        "http-check",
        &format!("{{ http = [\"{origin}\"] }}"),
        &format!("{{ url = \"{origin}/\" }}"),
        "retry = { attempts = 2, backoff = \"10ms\" }\n",
    );
    assert_eq!((run.outcome, run.attempt), (Some(Outcome::Failed), 2), "{run:?}");
    assert!(reason(&run).contains("connect"), "{run:?}");
    let attempts = place.history().attempts(&run);
    assert!(attempts.iter().all(|attempt| attempt.reason.as_deref().unwrap_or_default().contains("connect")));
}

#[test]
fn http_check_reaches_no_origin_that_was_not_granted() {
    let (place, granted, other) = (crate::place(), WebServer::start(), WebServer::start());
    let run = run_with(
        &place,
        "http-check",
        &format!("{{ http = [\"{}\"] }}", granted.origin()),
        &format!("{{ url = \"{}/page\" }}", other.origin()),
        "retry = { attempts = 3, backoff = \"10ms\" }\n",
    );
    assert_eq!(
        (run.outcome, run.attempt),
        (Some(Outcome::Failed), 1),
        "a refusal is not tried again: {run:?}"
    );
    assert!(reason(&run).contains("http-denied"), "{run:?}");
    let log = place.history().log(&run);
    let refusal = format!("HTTP request to {} refused: not granted", other.origin());
    assert!(log.iter().any(|line| line.contains(&refusal)), "{log:?}");
    assert!(other.waiting().is_empty() && granted.waiting().is_empty());
}

#[test]
fn webhook_delivers_json_with_its_fields_filled_in() {
    let (place, web) = (crate::place(), WebServer::start());
    let origin = web.origin();
    let run = run(
        &place,
        "webhook",
        &format!("{{ http = [\"{origin}\"] }}"),
        &format!(
            "{{ url = \"{origin}/hook\", headers = {{ authorization = \"Bearer {{{{config.token}}}}\" }}, \
             payload = {{ text = \"{{{{job_id}}}} for {{{{args.team}}}}\", attempt = \"{{{{attempt}}}}\", \
             run = \"{{{{run_id}}}}\" }}, team = \"ops\" }}"
        ),
    );
    assert_eq!(run.outcome, Some(Outcome::Succeeded), "{run:?}");
    assert_eq!(output(&run)["status"], 200);
    let request = web.request();
    assert_eq!(request.line, "POST /hook");
    assert_eq!(request.header("authorization"), Some("Bearer s3cret"));
    assert_eq!(request.header("idempotency-key"), Some(run.id.to_string().as_str()));
    assert!(
        request.header("content-type").is_some_and(|kind| kind.starts_with("application/json")),
        "{request:?}"
    );
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body, json!({ "text": "job for ops", "attempt": 1, "run": run.id.to_string() }));
}

#[test]
fn webhook_tries_again_what_the_receiver_cannot_take_now() {
    let (place, web) = (crate::place(), WebServer::start());
    let origin = web.origin();
    let run = run_with(
        &place,
        "webhook",
        &format!("{{ http = [\"{origin}\"] }}"),
        &format!("{{ url = \"{origin}/503\" }}"),
        "retry = { attempts = 2, backoff = \"10ms\" }\n",
    );
    assert_eq!((run.outcome, run.attempt), (Some(Outcome::Failed), 2), "{run:?}");
    let keys: Vec<_> = (0..2).map(|_| web.request().header("idempotency-key").map(str::to_owned)).collect();
    assert_eq!(keys, [Some(run.id.to_string()), Some(run.id.to_string())]);
}

/// A granted folder `data` with files, beside a folder that is not granted, and a link from one to the other.
fn folders(place: &TestHost) {
    fs::create_dir_all(place.path("data/deep")).unwrap();
    fs::create_dir(place.path("outside")).unwrap();
    for file in ["data/a.log", "data/deep/b.log", "data/keep.txt", "outside/c.log"] {
        fs::write(place.path(file), "old news").unwrap();
    }
    symlink(place.path("outside"), place.path("data/way-out")).unwrap();
    symlink(place.path("outside/c.log"), place.path("data/link.log")).unwrap();
}

fn there(place: &TestHost) -> Vec<&'static str> {
    let all = ["data/a.log", "data/deep/b.log", "data/keep.txt", "data/link.log", "outside/c.log"];
    all.into_iter().filter(|file| place.path(file).exists()).collect()
}

const ALL: [&str; 5] = ["data/a.log", "data/deep/b.log", "data/keep.txt", "data/link.log", "outside/c.log"];

#[test]
fn prune_says_first_what_it_would_delete_and_then_deletes_that_and_nothing_else() {
    let place = crate::place();
    folders(&place);
    let args = |dry: &str| format!("{{ folder = \"/data\", glob = \"**/*.log\", older_than_days = 0{dry} }}");
    let dry = run(&place, "prune", "{ read = { \"/data\" = \"data\" } }", &args(""));
    assert_eq!(dry.outcome, Some(Outcome::Succeeded), "{dry:?}");
    assert_eq!(output(&dry)["dry_run"], true);
    let would = output(&dry)["paths"].clone();
    assert_eq!(would.as_array().unwrap().len(), 2, "{would}");
    assert_eq!(there(&place), ALL);

    fs::remove_file(place.path("clockbox.db")).unwrap();
    let real = run(&place, "prune", "{ write = { \"/data\" = \"data\" } }", &args(", dry_run = false"));
    assert_eq!(real.outcome, Some(Outcome::Succeeded), "{real:?}");
    assert_eq!(output(&real)["paths"], would);
    assert_eq!(there(&place), ["data/keep.txt", "data/link.log", "outside/c.log"]);
}

#[test]
fn prune_deletes_nothing_where_it_may_only_read() {
    let place = crate::place();
    folders(&place);
    let args = "{ folder = \"/data\", glob = \"**/*.log\", older_than_days = 0, dry_run = false }";
    let run = run(&place, "prune", "{ read = { \"/data\" = \"data\" } }", args);
    assert_eq!(run.outcome, Some(Outcome::Failed), "{run:?}");
    assert!(reason(&run).contains("grant it under allow.write"), "{run:?}");
    assert_eq!(there(&place), ALL);
}

#[test]
fn prune_cannot_leave_its_folder() {
    for folder in ["/data/../outside", "/data/way-out", "/outside", "/", ".."] {
        let place = crate::place();
        folders(&place);
        let args =
            format!("{{ folder = \"{folder}\", glob = \"**/*.log\", older_than_days = 0, dry_run = false }}");
        let run = run(&place, "prune", "{ write = { \"/data\" = \"data\" } }", &args);
        assert_eq!(run.outcome, Some(Outcome::Failed), "{folder}: {run:?}");
        assert_eq!(there(&place), ALL, "{folder}");
    }
}
