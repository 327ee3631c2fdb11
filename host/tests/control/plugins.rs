//! Plugins over the API.

use clockbox::{control::Problem, control::client::ClientError};
use http::Method;
use serde_json::{Value, json};

use crate::support::{Caller, Host};

/// A command module that does nothing; the remark makes another one of it.
fn module(remark: &str) -> Vec<u8> {
    format!("(module (memory (export \"memory\") 1) (func (export \"_start\"))) ;; {remark}").into_bytes()
}

fn upload(client: &mut Caller, name: &str, kind: &str, bytes: Vec<u8>) -> Result<(u16, Value), Problem> {
    let path = format!("/v1/plugins/{name}");
    match client.0.call_with(Method::POST, &path, &[], Some((kind, bytes.into()))) {
        Ok(answer) => Ok((answer.status.as_u16(), answer.json().unwrap())),
        Err(ClientError::Refused(problem)) => Err(*problem),
        Err(error) => panic!("{error}"),
    }
}

const WASM: &str = "application/wasm";

#[test]
fn plugins_are_listed_with_how_many_jobs_they_have() {
    let host = Host::start();
    let mut client = host.client();
    let job =
        |n: u32| json!({ "name": format!("job-{n}"), "plugin": "hello", "trigger": { "interval": "1d" } });
    client.ok("POST", "/v1/import", json!({ "jobs": [job(1), job(2)] }));
    let plugins = client.get("/v1/plugins");
    let names: Vec<&Value> = plugins["plugins"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["failing", "hello", "stubborn"]);
    let hello = client.get("/v1/plugins/hello");
    assert_eq!(plugins["plugins"][1], hello);
    assert_eq!((&hello["jobs"], &hello["kind"]), (&json!(2), &json!("native")));
    assert_eq!(hello["loaded_at"], "2030-01-01T00:00:00Z");
    let problem = client.no("GET", "/v1/plugins/helo", Value::Null);
    assert_eq!(
        (problem.code(), problem.hint.as_deref()),
        ("no-such-plugin", Some("did you mean \"hello\"?"))
    );
}

#[test]
fn uploads_are_off_unless_they_are_on() {
    let host = Host::start();
    let problem = upload(&mut host.client(), "a", WASM, module("")).unwrap_err();
    assert_eq!((problem.status, problem.code()), (403, "uploads-off"));
}

#[test]
fn a_plugin_is_uploaded_and_replaced() {
    let host = Host::with_uploads();
    let mut client = host.client();
    let (status, first) = upload(&mut client, "a", WASM, module("one")).unwrap();
    assert_eq!((status, &first["kind"]), (201, &json!("preview-1 command module")));
    assert_eq!(first["output"], "returned");
    assert_eq!((&first["size"], &first["refused"]), (&json!(module("one").len()), &Value::Null));
    assert_eq!(client.get("/v1/plugins/a")["sha256"], first["sha256"]);
    client.ok("POST", "/v1/jobs", json!({ "name": "j", "plugin": "a", "trigger": { "interval": "1d" } }));
    let run = client.get(&format!("/v1/runs/{}", host.run("j")));
    assert_eq!(run["outcome"], "succeeded", "{run}");
    host.hand.advance(std::time::Duration::from_secs(60));
    let (status, second) = upload(&mut client, "a", "application/octet-stream", module("two")).unwrap();
    assert_eq!(status, 200);
    assert_ne!(second["sha256"], first["sha256"]);
    assert_eq!((&second["jobs"], &second["loaded_at"]), (&json!(1), &json!("2030-01-01T00:01:00Z")));
}

#[test]
fn what_is_no_good_leaves_the_folder_as_it_was() {
    let host = Host::with_uploads();
    let mut client = host.client();
    upload(&mut client, "a", WASM, module("good")).unwrap();
    let good = client.get("/v1/plugins/a");
    let no_plugin = upload(&mut client, "a", WASM, b"not wasm".to_vec()).unwrap_err();
    assert_eq!((no_plugin.status, no_plugin.code()), (422, "no-plugin"));
    let idle = upload(&mut client, "a", WASM, b"(module)".to_vec()).unwrap_err();
    assert_eq!((idle.status, idle.code()), (422, "no-plugin"));
    // It is a plugin by its looks, and is found to be none when it is to be linked.
    let needs = "(module (import \"env\" \"nothing\" (func)) (memory (export \"memory\") 1) (func (export \"_start\")))";
    let unlinked = upload(&mut client, "a", WASM, needs.as_bytes().to_vec()).unwrap_err();
    assert_eq!((unlinked.status, unlinked.code()), (422, "reload-refused"), "{unlinked:?}");
    let elsewhere = upload(&mut client, "fixed", WASM, module("")).unwrap_err();
    assert_eq!((elsewhere.status, elsewhere.code()), (409, "elsewhere"));
    let large = upload(&mut client, "a", WASM, vec![b' '; 5 << 10]).unwrap_err();
    assert_eq!((large.status, large.code()), (413, "too-large"));
    let form = upload(&mut client, "a", "text/plain", module("")).unwrap_err();
    assert_eq!(form.status, 415);
    assert_eq!(upload(&mut client, "..%2Fa", WASM, module("")).unwrap_err().status, 400);

    assert_eq!(client.get("/v1/plugins/a")["sha256"], good["sha256"]);
    assert_eq!(std::fs::read(host.folder().join("jobs/a.wasm")).unwrap(), module("good"));
    assert_eq!(std::fs::read_dir(host.folder().join("jobs")).unwrap().count(), 1, "nothing else is left");
}
