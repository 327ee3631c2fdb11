//! Events over the API.

use std::ops::ControlFlow;

use http::HeaderName;
use serde_json::{Value, json};

use crate::support::{Caller, Host};

const LAST: HeaderName = HeaderName::from_static("last-event-id");

/// One event as it came.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    id: String,
    event: String,
    data: Value,
}

/// Listens from `path` on; does `act` with another client once it is heard, and goes on until an event `until` comes.
fn listen(
    host: &Host,
    path: &str,
    last: Option<&str>,
    until: &str,
    act: impl FnOnce(&mut Caller) + Send,
) -> Vec<Told> {
    let (mut client, mut other) = (host.client(), host.tcp_client());
    let headers: Vec<(HeaderName, &str)> = last.map(|last| (LAST, last)).into_iter().collect();
    let (mut text, mut told) = (String::new(), Vec::new());
    std::thread::scope(|scope| {
        let (begin, begun) = std::sync::mpsc::channel::<()>();
        scope.spawn(move || {
            begun.recv().unwrap();
            act(&mut other);
        });
        client
            .0
            .follow_begun(
                path,
                &headers,
                || begin.send(()).unwrap(),
                |part| {
                    text.push_str(std::str::from_utf8(part).unwrap());
                    while let Some((event, rest)) = text.split_once("\n\n") {
                        told.extend(parse(event));
                        text = rest.to_owned();
                    }
                    if told.iter().any(|one: &Told| one.event == until) {
                        return ControlFlow::Break(());
                    }
                    ControlFlow::Continue(())
                },
            )
            .unwrap();
    });
    told
}

fn parse(text: &str) -> Option<Told> {
    let field = |name: &str| {
        let lines = text.lines().filter_map(|line| line.strip_prefix(name));
        lines.map(|value| value.strip_prefix(": ").unwrap_or(value).to_owned()).next()
    };
    let data = serde_json::from_str(&field("data")?).unwrap();
    Some(Told { id: field("id").unwrap_or_default(), event: field("event").unwrap(), data })
}

fn names(told: &[Told]) -> Vec<&str> {
    told.iter().map(|one| one.event.as_str()).collect()
}

fn add(client: &mut Caller, name: &str) {
    client.ok(
        "POST",
        "/v1/jobs",
        json!({ "name": name, "plugin": "hello", "trigger": { "interval": "1d" } }),
    );
}

#[test]
fn what_happens_is_heard_as_it_happens() {
    let host = Host::start();
    let told = listen(&host, "/v1/events", None, "job-paused", |other| {
        add(other, "a");
        other.ok("POST", "/v1/jobs/a/pause", json!({ "by": "ada" }));
    });
    assert_eq!(names(&told), ["job-added", "job-paused"]);
    assert_eq!((&told[1].data["job"], &told[1].data["by"]), (&json!("a"), &json!("ada")));
    assert_eq!(told[1].data["event"], "job-paused");
    assert_eq!(told[1].data["seq"].as_u64(), told[0].data["seq"].as_u64().map(|seq| seq + 1));
}

#[test]
fn a_listener_hears_only_what_it_asked_for() {
    let host = Host::start();
    let act = |other: &mut Caller| {
        add(other, "a");
        add(other, "b");
        other.ok("POST", "/v1/jobs/b/pause", Value::Null);
        other.ok("POST", "/v1/jobs/a/pause", Value::Null);
    };
    let told = listen(&host, "/v1/events?job=a&event=job-paused,job-removed", None, "job-paused", act);
    assert_eq!((names(&told), &told[0].data["job"]), (vec!["job-paused"], &json!("a")));
    let problem = host.client().no("GET", "/v1/events?event=job-poused", Value::Null);
    assert!(problem.detail.starts_with("event: unknown variant `job-poused`"), "{problem:?}");
}

#[test]
fn a_listener_that_comes_back_goes_on_where_it_was() {
    let host = Host::start();
    let first = listen(&host, "/v1/events", None, "job-added", |other| add(other, "a"));
    let mut client = host.client();
    add(&mut client, "b");
    add(&mut client, "c");
    let last = first[0].id.as_str();
    let told = listen(&host, "/v1/events", Some(last), "scheduler-paused", |other| {
        other.ok("POST", "/v1/pause", Value::Null);
    });
    assert_eq!(names(&told), ["job-added", "job-added", "scheduler-paused"]);
    assert_eq!((&told[0].data["job"], &told[1].data["job"]), (&json!("b"), &json!("c")));
}

#[test]
fn a_listener_of_another_start_is_told_that_something_is_lost() {
    let host = Host::start();
    for last in ["5cf2a0d1.3-17", "nonsense"] {
        let told = listen(&host, "/v1/events", Some(last), "lost", |_| {});
        assert_eq!((names(&told), &told[0].data), (vec!["lost"], &json!({ "lost": null })));
    }
}

#[test]
fn who_listens_hears_the_end() {
    let host = Host::start();
    let told = listen(&host, "/v1/events", None, "never", |other| {
        other.ok("POST", "/v1/shutdown", json!({ "grace": "1s" }));
    });
    assert_eq!(names(&told).last(), Some(&"scheduler-stopped"), "{told:?}");
}

#[test]
fn very_many_listeners_hold_up_nothing() {
    let host = Host::start();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                // They never read on.
                let told = listen(&host, "/v1/events", None, "job-added", |other| {
                    add(other, &format!("job-{:?}", std::thread::current().id()).replace(['(', ')'], "-"));
                });
                assert!(!told.is_empty());
            });
        }
    });
    assert_eq!(host.client().get("/v1/status")["jobs"], 20);
}
