//! Export and import over the API.

use std::sync::Arc;

use clockbox::manifest::{self, Overrides, PluginFile, Surroundings};
use http::Method;
use serde_json::{Value, json};

use crate::support::{Caller, Host};

/// Jobs that say something of every kind.
fn fill(client: &mut Caller) {
    let jobs = json!({ "jobs": [
        { "name": "every", "plugin": "hello", "trigger": { "interval": "2h", "jitter": "5s" },
          "args": { "to": ["a", { "b": 1.5 }], "deep": { "x": true } } },
        { "name": "cron", "plugin": "hello", "pool": "heavy", "priority": -3, "overlap": "wait",
          "trigger": { "cron": "0 5 * * mon", "timezone": "Asia/Shanghai", "end": "2031-01-01 00:00:00" },
          "retry": { "attempts": 3, "backoff": "10s" }, "misfire_grace": "forever", "coalesce": false },
        { "name": "both.of-them_2", "plugin": "failing", "max_instances": 4, "delivery": "at-least-once",
          "trigger": { "any": [{ "date": "2030-05-01 00:00:00" }, { "cron": { "hour": 3, "minute": "*/5" } }] },
          "args": "text", "allow": { "http": ["https://api.example.com"], "state": true } },
    ] });
    client.ok("POST", "/v1/import", jobs);
}

fn export(client: &mut Caller) -> String {
    let answer = client.send("GET", "/v1/export?format=toml", Value::Null).unwrap();
    assert_eq!(answer.headers["content-type"], "application/toml");
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[test]
fn exported_toml_means_the_same_jobs_in_a_manifest() {
    let host = Host::start();
    let mut client = host.client();
    fill(&mut client);
    // A job only narrows what its plugin may, so that is granted.
    let allow = "allow = { http = [\"https://api.example.com\"], state = true }";
    let text = format!("[pools.heavy]\n[plugins.failing]\n{allow}\n{}", export(&mut client));
    let files = ["hello", "failing"].map(|name| PluginFile::dropped(format!("jobs/{name}.wasm")));
    let around = Surroundings::with_files(files.to_vec());
    let loaded = manifest::parse(&text, "clockbox.toml".as_ref(), &Overrides::default(), &around);
    let manifest = loaded.unwrap_or_else(|problems| panic!("{problems}\n{text}")).whole().unwrap();
    let records = host.scheduler.jobs().wait().unwrap();
    assert_eq!(records.len(), manifest.jobs.len());
    for record in records {
        let read = &manifest.jobs[&record.job.id];
        let mut same = (**read).clone();
        same.source = record.job.source.clone();
        // What goes without saying of a job that is added is said in a manifest.
        assert_eq!(same.when_done(), record.job.when_done(), "{}", record.job.id);
        Arc::make_mut(&mut same.policy).when_done = record.job.policy.when_done;
        assert_eq!(same, *record.job);
    }
}

#[test]
fn what_is_exported_is_imported_again() {
    let host = Host::start();
    let mut client = host.client();
    fill(&mut client);
    let (text, batch) = (export(&mut client), client.get("/v1/export"));
    let before = client.get("/v1/jobs");
    for as_toml in [true, false] {
        client.ok("DELETE", "/v1/jobs?confirm=all", Value::Null);
        if as_toml {
            let body = Some(("application/toml", text.clone().into()));
            let answer = client.0.call_with(Method::POST, "/v1/import", &[], body).unwrap();
            assert_eq!(answer.json::<Value>().unwrap()["jobs"], 3);
        } else {
            client.ok("POST", "/v1/import", batch.clone());
        }
        assert_eq!(client.get("/v1/jobs"), before);
    }
    let no = client.0.call_with(Method::POST, "/v1/import", &[], Some(("text/plain", text.into())));
    assert!(no.is_err());
    assert_eq!(client.get("/v1/export?source=manifest")["jobs"], json!([]));
}

#[test]
fn what_toml_cannot_say_is_refused_with_the_jobs_that_say_it() {
    let host = Host::start();
    let mut client = host.client();
    let job =
        json!({ "name": "a", "plugin": "hello", "trigger": { "interval": "1d" }, "args": { "x": [null] } });
    client.ok("POST", "/v1/jobs", job);
    let problem = client.no("GET", "/v1/export?format=toml", Value::Null);
    assert_eq!(
        (problem.status, problem.code(), problem.problems[0].key.as_str()),
        (422, "not-toml", "a.args.x[0]")
    );
    assert_eq!(client.get("/v1/export")["jobs"][0]["args"], json!({ "x": [null] }));
}
