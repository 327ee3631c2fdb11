//! Jobs over the API.

use http::header::IF_MATCH;
use serde_json::{Value, json};

use crate::support::Host;

fn names(page: &Value) -> Vec<&str> {
    page["jobs"].as_array().unwrap().iter().map(|job| job["name"].as_str().unwrap()).collect()
}

#[test]
fn a_job_is_added_shown_changed_and_removed() {
    let host = Host::start();
    let mut client = host.client();
    let keys = json!({ "name": "a", "plugin": "hello", "trigger": { "interval": "2h" }, "args": { "to": [1, null] } });
    let added = client.ok("POST", "/v1/jobs", keys);
    assert_eq!(added["schedule"], "every 2 hours");
    assert_eq!(added["source"], "api");
    assert_eq!(added["args"], json!({ "to": [1, null] }));
    assert_eq!((&added["max_instances"], &added["pool"]), (&json!(1), &json!("default")));
    assert_eq!(client.get("/v1/jobs/a"), added);

    let changed =
        client.ok("PATCH", "/v1/jobs/a", json!({ "max_instances": 3, "pool": "heavy", "args": null }));
    assert_eq!((&changed["max_instances"], &changed["pool"]), (&json!(3), &json!("heavy")));
    assert_eq!(changed["args"], Value::Null);
    assert_eq!(changed["trigger"], added["trigger"], "what is not said stays");
    assert_ne!(changed["etag"], added["etag"]);

    let moved = client.ok("PUT", "/v1/jobs/a/trigger", json!({ "cron": "0 5 * * *" }));
    assert_eq!(moved["next_fire"], "2030-01-01T05:00:00Z");
    let paused = client.ok("POST", "/v1/jobs/a/pause", json!({ "by": "ada", "note": "audit" }));
    assert_eq!((&paused["paused"]["by"], &paused["paused"]["note"]), (&json!("ada"), &json!("audit")));
    assert_eq!(client.ok("POST", "/v1/jobs/a/resume", Value::Null)["paused"], Value::Null);
    let fires = client.get("/v1/jobs/a/next?limit=2");
    assert_eq!(fires["fires"], json!(["2030-01-01T05:00:00Z", "2030-01-02T05:00:00Z"]));

    client.ok("DELETE", "/v1/jobs/a", Value::Null);
    assert_eq!(client.no("GET", "/v1/jobs/a", Value::Null).code(), "no-such-job");
}

#[test]
fn a_description_is_refused_with_all_that_is_wrong_with_it() {
    let host = Host::start();
    let mut client = host.client();
    let keys =
        json!({ "name": "a", "plugin": "helo", "trigger": { "interval": "2 parsecs" }, "pol": "heavy" });
    let problem = client.no("POST", "/v1/jobs", keys);
    assert_eq!((problem.status, problem.code()), (422, "invalid-job"));
    let keys: Vec<&str> = problem.problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["trigger.interval", "pol"], "{problem:?}");
    let problem = client.no("POST", "/v1/jobs", json!({ "name": "a", "plugin": "helo" }));
    assert_eq!(problem.problems[0].hint.as_deref(), Some("did you mean \"hello\"?"));
    assert_eq!(client.no("POST", "/v1/jobs", json!({ "plugin": "hello" })).status, 400);
    assert_eq!(client.no("POST", "/v1/jobs", json!({ "name": "no spaces", "plugin": "hello" })).status, 400);
    assert_eq!(client.no("PATCH", "/v1/jobs/nobody", json!({})).status, 404);
    assert_eq!(client.no("GET", "/v1/jobs?limt=3", Value::Null).status, 400);
    assert!(names(&client.get("/v1/jobs")).is_empty());
}

#[test]
fn many_are_added_together_or_none() {
    let host = Host::start();
    let mut client = host.client();
    let job =
        |n: u32| json!({ "name": format!("job-{n:04}"), "plugin": "hello", "trigger": { "interval": "1d" } });
    let jobs: Vec<Value> = (0..250).map(job).collect();
    assert_eq!(client.ok("POST", "/v1/import", json!({ "jobs": jobs }))["jobs"], 250);
    let again = client.no("POST", "/v1/import", json!({ "jobs": [job(900), job(3)] }));
    assert_eq!((again.status, again.code()), (409, "job-exists"));
    assert_eq!(client.no("GET", "/v1/jobs/job-0900", Value::Null).status, 404);
    let bad = json!({ "jobs": [job(900), { "name": "b", "plugin": "hello", "overlap": "never" }] });
    assert_eq!(client.no("POST", "/v1/import", bad).problems[0].key, "b.overlap");
    client.ok("POST", "/v1/import?on_conflict=ignore", json!({ "jobs": [job(900), job(3)] }));

    let mut seen = Vec::new();
    let mut path = "/v1/jobs?limit=100".to_owned();
    loop {
        let page = client.get(&path);
        seen.extend(names(&page).into_iter().map(ToOwned::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/jobs?limit=100&after={next}");
    }
    assert_eq!(seen.len(), 251);
    assert!(seen.is_sorted());
    assert_eq!(client.no("DELETE", "/v1/jobs", Value::Null).status, 400);
    assert_eq!(client.ok("DELETE", "/v1/jobs?confirm=all", Value::Null)["jobs"], 251);
    assert!(names(&client.get("/v1/jobs")).is_empty());
}

#[test]
fn of_two_who_change_the_same_version_one_is_told() {
    let host = Host::start();
    let (mut one, mut other) = (host.client(), host.tcp_client());
    let job = one.ok(
        "POST",
        "/v1/jobs",
        json!({ "name": "a", "plugin": "hello", "trigger": { "interval": "2h" } }),
    );
    let etag = job["etag"].as_str().unwrap();
    let version = [(IF_MATCH, etag)];
    let first = one.send_if("PATCH", "/v1/jobs/a", &version, json!({ "priority": 1 })).unwrap();
    let second = other.send_if("PATCH", "/v1/jobs/a", &version, json!({ "priority": 2 })).unwrap_err();
    assert_eq!((second.status, second.code()), (412, "changed"));
    assert_eq!(one.get("/v1/jobs/a")["priority"], 1, "nothing is lost");
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    other.send_if("PATCH", "/v1/jobs/a", &[(IF_MATCH, &tag)], json!({ "priority": 2 })).unwrap();
    assert_eq!(one.get("/v1/jobs/a")["priority"], 2);
    assert_eq!(other.send_if("DELETE", "/v1/jobs/a", &version, Value::Null).unwrap_err().status, 412);
    // A fire is no change.
    let before = one.get("/v1/jobs/a")["etag"].clone();
    host.hand.advance(std::time::Duration::from_secs(7200));
    one.ok("POST", "/v1/jobs/a/run", Value::Null);
    assert_eq!(one.get("/v1/jobs/a")["etag"], before);
}

#[test]
fn very_many_who_change_one_job_lose_nothing() {
    let host = Host::start();
    host.client().ok(
        "POST",
        "/v1/jobs",
        json!({ "name": "a", "plugin": "hello", "trigger": { "interval": "2h" } }),
    );
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = host.client();
                let mut done = 0;
                while done < 10 {
                    let job = client.get("/v1/jobs/a");
                    let more = json!({ "priority": job["priority"].as_i64().unwrap() + 1 });
                    let tag = job["etag"].as_str().unwrap();
                    match client.send_if("PATCH", "/v1/jobs/a", &[(IF_MATCH, tag)], more) {
                        Ok(_) => done += 1,
                        Err(problem) => assert_eq!(problem.status, 412),
                    }
                }
            });
        }
    });
    assert_eq!(host.client().get("/v1/jobs/a")["priority"], 40);
}

#[test]
fn the_fires_to_come_of_a_job_that_was_paused_for_years_are_not_counted_up_to() {
    let host = Host::start();
    let mut client = host.client();
    client.ok(
        "POST",
        "/v1/jobs",
        json!({ "name": "a", "plugin": "hello", "trigger": { "cron": "* * * * * *" } }),
    );
    client.ok("POST", "/v1/jobs/a/pause", Value::Null);
    // Some 300 million fires lie between.
    host.hand.advance(std::time::Duration::from_secs(10 * 365 * 86_400));
    let fires = client.get("/v1/jobs/a/next?limit=2");
    assert_eq!(fires["paused"], true);
    assert_eq!(fires["fires"], json!(["2039-12-30T00:00:00Z", "2039-12-30T00:00:01Z"]));
}
