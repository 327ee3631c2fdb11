//! What jobs remember, over the API.

use http::header::IF_MATCH;
use serde_json::{Value, json};

use crate::support::{Caller, Host};

fn with_job(host: &Host) -> Caller {
    let mut client = host.client();
    let job = json!({ "name": "a", "plugin": "hello", "trigger": { "interval": "1d" } });
    client.ok("POST", "/v1/jobs", job);
    client
}

#[test]
fn a_value_is_put_shown_listed_and_deleted() {
    let host = Host::start();
    let mut client = with_job(&host);
    assert_eq!(client.get("/v1/jobs/a/state")["entries"], json!([]));
    let put = client.ok("PUT", "/v1/jobs/a/state/cursor%2Fnews", json!({ "value": "17" }));
    assert_eq!((&put["key"], &put["value"], &put["size"]), (&json!("cursor/news"), &json!("17"), &json!(2)));
    assert_eq!(client.get("/v1/jobs/a/state/cursor%2Fnews"), put);
    client.ok("PUT", "/v1/jobs/a/state/raw", json!({ "hex": "00FFc3" }));
    assert_eq!(client.get("/v1/jobs/a/state/raw")["hex"], "00ffc3");
    let state = client.get("/v1/jobs/a/state");
    assert_eq!(state["entries"].as_array().unwrap().len(), 2);
    assert_eq!(state["size"], 11 + 2 + 64 + 3 + 3 + 64);

    client.ok("DELETE", "/v1/jobs/a/state/raw", Value::Null);
    let problem = client.no("GET", "/v1/jobs/a/state/rwa", Value::Null);
    assert_eq!((problem.status, problem.code()), (404, "no-such-key"));
    assert_eq!(client.no("DELETE", "/v1/jobs/a/state/raw", Value::Null).status, 404);
    assert_eq!(client.no("GET", "/v1/jobs/b/state", Value::Null).code(), "no-such-job");
    assert_eq!(client.no("PUT", "/v1/jobs/b/state/x", json!({ "value": "" })).code(), "no-such-job");
}

#[test]
fn all_is_forgotten_at_once() {
    let host = Host::start();
    let mut client = with_job(&host);
    for key in ["x", "y%2Fz"] {
        client.ok("PUT", &format!("/v1/jobs/a/state/{key}"), json!({ "value": key }));
    }
    client.ok("DELETE", "/v1/jobs/a/state", Value::Null);
    assert_eq!(client.get("/v1/jobs/a/state")["entries"], json!([]));
    // There is nothing wrong with forgetting nothing; only the job must be there.
    client.ok("DELETE", "/v1/jobs/a/state", Value::Null);
    assert_eq!(client.no("DELETE", "/v1/jobs/b/state", Value::Null).code(), "no-such-job");
}

#[test]
fn a_value_expires() {
    let host = Host::start();
    let mut client = with_job(&host);
    let put = client.ok("PUT", "/v1/jobs/a/state/x", json!({ "value": "1", "ttl": "2h" }));
    assert_eq!(put["expires_at"], "2030-01-01T02:00:00Z");
    host.hand.advance(std::time::Duration::from_secs(7200));
    assert_eq!(client.no("GET", "/v1/jobs/a/state/x", Value::Null).status, 404);
}

#[test]
fn what_is_too_much_or_makes_no_sense_is_refused() {
    let host = Host::start();
    let mut client = with_job(&host);
    let limit = client.get("/v1/jobs/a/state")["limit"].as_u64().unwrap();
    let large = "x".repeat(usize::try_from(limit).unwrap());
    let problem = client.no("PUT", "/v1/jobs/a/state/x", json!({ "value": large }));
    assert_eq!((problem.status, problem.code()), (413, "state-full"));
    assert!(problem.detail.contains("raise limits.state"), "{problem:?}");
    assert_eq!(client.get("/v1/jobs/a/state")["entries"], json!([]));
    for body in [
        json!({}),
        json!({ "value": "a", "hex": "00" }),
        json!({ "hex": "0" }),
        json!({ "hex": "zz" }),
        json!({ "value": "a", "ttl": "soon" }),
    ] {
        assert_eq!(client.no("PUT", "/v1/jobs/a/state/x", body.clone()).status, 400, "{body}");
    }
    let key = "k".repeat(513);
    assert_eq!(client.no("PUT", &format!("/v1/jobs/a/state/{key}"), json!({ "value": "" })).status, 400);
    assert_eq!(client.no("PUT", "/v1/jobs/a/state/a%00", json!({ "value": "" })).status, 400);
}

#[test]
fn a_value_is_changed_only_where_it_is_what_was_looked_at() {
    let host = Host::start();
    let mut client = with_job(&host);
    let path = "/v1/jobs/a/state/x";
    let nothing = client.send_if("PUT", path, &[(IF_MATCH, "*")], json!({ "value": "1" })).unwrap_err();
    assert_eq!(nothing.status, 412, "there is none yet");
    let first = client.ok("PUT", path, json!({ "value": "1" }));
    let etag = first["etag"].as_str().unwrap();
    client.send_if("PUT", path, &[(IF_MATCH, etag)], json!({ "value": "2" })).unwrap();
    let late = client.send_if("PUT", path, &[(IF_MATCH, etag)], json!({ "value": "3" })).unwrap_err();
    assert_eq!((late.status, late.code()), (412, "changed"));
    assert_eq!(client.send_if("DELETE", path, &[(IF_MATCH, etag)], Value::Null).unwrap_err().status, 412);
    assert_eq!(client.get(path)["value"], "2");
}

#[test]
fn very_many_who_count_lose_nothing() {
    let host = Host::start();
    with_job(&host).ok("PUT", "/v1/jobs/a/state/n", json!({ "value": "0" }));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = host.client();
                let mut done = 0;
                while done < 10 {
                    let entry = client.get("/v1/jobs/a/state/n");
                    let next = entry["value"].as_str().unwrap().parse::<u32>().unwrap() + 1;
                    let tag = [(IF_MATCH, entry["etag"].as_str().unwrap())];
                    let body = json!({ "value": next.to_string() });
                    match client.send_if("PUT", "/v1/jobs/a/state/n", &tag, body) {
                        Ok(_) => done += 1,
                        Err(problem) => assert!(matches!(problem.status, 409 | 412), "{problem:?}"),
                    }
                }
            });
        }
    });
    assert_eq!(host.client().get("/v1/jobs/a/state/n")["value"], "40");
}
