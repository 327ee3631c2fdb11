//! Runs over the API.

use std::ops::ControlFlow;

use clockbox::{LogLevel, LogLine, LogStream, RunId};
use clockbox_core::model::Write;
use serde_json::{Value, json};

use crate::support::{Caller, Host};

fn add(client: &mut Caller, name: &str, plugin: &str) {
    let job = json!({ "name": name, "plugin": plugin, "trigger": { "interval": "1d" }, "args": [name] });
    client.ok("POST", "/v1/jobs", job);
}

fn ids(page: &Value) -> Vec<&str> {
    page["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect()
}

/// Puts a line into a run's log, as its guest would.
fn say(host: &Host, run: &str, attempt: u32, message: &str) {
    let line = LogLine {
        at: host.scheduler.clock().now(),
        stream: LogStream::Stdout,
        level: LogLevel::Info,
        message: message.to_owned(),
        fields: Vec::new(),
    };
    let run: RunId = run.parse().unwrap();
    let answers = host.scheduler.store().commit(&[Write::Log { run, attempt, lines: vec![line] }]);
    assert_eq!(answers.unwrap(), [Ok(())]);
}

#[test]
fn runs_are_listed_page_by_page_and_filtered() {
    let host = Host::start();
    let mut client = host.client();
    add(&mut client, "good", "hello");
    add(&mut client, "bad", "failing");
    let mut made = Vec::new();
    for _ in 0..5 {
        // Those of one moment, too, must come in one order.
        made.push(host.run("good"));
        made.push(host.run("bad"));
        host.hand.advance(std::time::Duration::from_secs(60));
    }
    let mut seen: Vec<String> = Vec::new();
    let mut path = "/v1/runs?limit=3".to_owned();
    loop {
        let page = client.get(&path);
        seen.extend(ids(&page).into_iter().map(ToOwned::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/runs?limit=3&after={next}");
    }
    assert_eq!(seen.len(), 10);
    made.sort();
    let mut sorted = seen.clone();
    sorted.sort();
    assert_eq!(sorted, made, "each is there once");

    assert_eq!(ids(&client.get("/v1/runs?job=bad")).len(), 5);
    assert_eq!(ids(&client.get("/v1/runs?outcome=failed,trapped")).len(), 5);
    assert_eq!(ids(&client.get("/v1/runs?outcome=succeeded&cause=manual&state=finished")).len(), 5);
    assert_eq!(ids(&client.get("/v1/runs?state=running,waiting")).len(), 0);
    assert_eq!(ids(&client.get("/v1/runs?since=2030-01-01T00:02:00Z&until=2030-01-01T00:03:00Z")).len(), 2);
    assert_eq!(ids(&client.get("/v1/runs?since=90s")).len(), 2);
    for wrong in ["state=done", "outcome=fine", "cause=chance", "since=soon", "after=x", "limit=0"] {
        assert_eq!(client.no("GET", &format!("/v1/runs?{wrong}"), Value::Null).status, 400, "{wrong}");
    }
}

#[test]
fn a_run_shows_its_attempts_and_its_log() {
    let host = Host::start();
    let mut client = host.client();
    add(&mut client, "a", "failing");
    let id = host.run("a");
    say(&host, &id, 1, "one");
    let run = client.get(&format!("/v1/runs/{id}"));
    assert_eq!(
        (&run["job"], &run["outcome"], &run["cause"]),
        (&json!("a"), &json!("failed"), &json!("manual"))
    );
    assert_eq!(run["attempts"][0]["number"], 1);
    let logs = client.get(&format!("/v1/runs/{id}/logs"));
    assert_eq!((&logs["logs"][0]["message"], &logs["logs"][0]["attempt"]), (&json!("one"), &json!(1)));
    assert_eq!(client.get(&format!("/v1/runs/{id}/logs?attempt=2"))["logs"], json!([]));
    let nobody = "/v1/runs/0000000000000";
    assert_eq!(client.no("GET", nobody, Value::Null).code(), "no-such-run");
    assert_eq!(client.no("GET", &format!("{nobody}/logs?follow=true"), Value::Null).status, 404);
    assert_eq!(client.no("GET", "/v1/runs/x", Value::Null).status, 400);
}

#[test]
fn a_log_is_followed_until_the_run_is_over() {
    let host = Host::start();
    let mut client = host.client();
    add(&mut client, "a", "stubborn");
    let id = client.ok("POST", "/v1/jobs/a/run", Value::Null)["run"].as_str().unwrap().to_owned();
    say(&host, &id, 1, "one");
    let (mut text, mut other) = (String::new(), host.tcp_client());
    let path = format!("/v1/runs/{id}/logs?follow=true");
    let each = |part: &[u8]| {
        let before = text.lines().count();
        text.push_str(std::str::from_utf8(part).unwrap());
        // What is said next depends on what has come: nothing waits for a time.
        if before == 0 {
            say(&host, &id, 1, "two");
        } else if before == 1 {
            other.ok("POST", &format!("/v1/runs/{id}/cancel"), json!({ "reason": "enough" }));
        }
        ControlFlow::Continue(())
    };
    client.0.follow(&path, &[], each).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<&str> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(said, ["one", "two"]);
    let run = client.get(&format!("/v1/runs/{id}"));
    assert_eq!(run["outcome"], "cancelled");
    assert!(run["reason"].as_str().unwrap().contains("enough"), "{run}");
    // Followed when it is over, it comes whole.
    let mut again = String::new();
    let each = |part: &[u8]| {
        again.push_str(std::str::from_utf8(part).unwrap());
        ControlFlow::Continue(())
    };
    client.0.follow(&path, &[], each).unwrap();
    assert_eq!(again, text);
}

#[test]
fn who_follows_does_not_keep_the_api_from_its_end() {
    let host = Host::start();
    let mut client = host.client();
    add(&mut client, "a", "stubborn");
    let id = client.ok("POST", "/v1/jobs/a/run", Value::Null)["run"].as_str().unwrap().to_owned();
    say(&host, &id, 1, "one");
    let mut host = Some(host);
    let each = |_: &[u8]| {
        // Dropping it waits for the API's thread.
        let scheduler = host.take().map(|host| host.scheduler.clone()).unwrap();
        scheduler.shutdown(std::time::Duration::ZERO).wait().unwrap();
        ControlFlow::Continue(())
    };
    client.0.follow(&format!("/v1/runs/{id}/logs?follow=true"), &[], each).unwrap();
    assert!(host.is_none());
}

#[test]
fn a_run_is_cancelled_and_run_once_more() {
    let host = Host::start();
    let mut client = host.client();
    add(&mut client, "a", "stubborn");
    let mut events = host.scheduler.subscribe();
    let asked = json!({ "args": { "n": 1 } });
    let id = client.ok("POST", "/v1/jobs/a/run", asked)["run"].as_str().unwrap().to_owned();
    let path = format!("/v1/runs/{id}");
    assert_eq!(client.no("POST", &format!("{path}/retry"), Value::Null).code(), "run-under-way");
    client.ok("POST", &format!("{path}/cancel"), Value::Null);
    while !matches!(events.next_blocking().unwrap().unwrap().event, clockbox::Event::RunFinished { .. }) {}
    assert_eq!(client.no("POST", &format!("{path}/cancel"), Value::Null).code(), "run-not-under-way");
    assert_eq!(client.no("POST", "/v1/runs/0000000000000/cancel", Value::Null).status, 404);

    let again = client.ok("POST", &format!("{path}/retry"), Value::Null)["run"].as_str().unwrap().to_owned();
    let run = client.get(&format!("/v1/runs/{again}"));
    assert_eq!((&run["args"], &run["cause"]), (&json!({ "n": 1 }), &json!("manual")));
    client.ok("DELETE", "/v1/jobs/a?running=cancel", Value::Null);
    let problem = client.no("POST", &format!("{path}/retry"), Value::Null);
    assert_eq!((problem.status, problem.code()), (409, "job-gone"));
}

#[test]
fn a_run_is_found_by_the_beginning_of_its_id() {
    let host = Host::start();
    let mut client = host.client();
    add(&mut client, "good", "hello");
    let first = host.run("good");
    host.hand.advance(std::time::Duration::from_secs(60));
    let second = host.run("good");
    let page = client.get(&format!("/v1/runs?prefix={}", first.to_uppercase()));
    assert_eq!(ids(&page), [first.as_str()]);
    let shared: String =
        first.chars().zip(second.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
    assert_eq!(ids(&client.get(&format!("/v1/runs?prefix={shared}"))).len(), 2);
    assert_eq!(client.no("GET", "/v1/runs?prefix=%3F", Value::Null).status, 400);
}
