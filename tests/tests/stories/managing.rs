//! What an operator asks of a host that runs, beyond its jobs one by one.

use clockbox_tests::{Running, TestHost, guest, prebuilt};
use serde_json::{Value, json};

fn place() -> TestHost {
    let place = crate::place();
    place.drop_plugin(&prebuilt("hello"), "hello");
    place.manifest(
        "[scheduler]\nshutdown_grace = \"0s\"\n\
         [jobs.yearly]\nplugin = \"hello\"\ntrigger = { date = \"2090-01-01 00:00:00\" }\n",
    );
    place
}

/// The host, once it can be asked.
fn start(place: &TestHost) -> Running {
    let mut host = place.start();
    host.hear_text("asked and changed at");
    host
}

fn add(place: &TestHost, name: &str, words: &[&str]) {
    drop(place.cli(&[&["jobs", "add", name, "--plugin", "hello"], words].concat()).exits(0));
}

fn column(rows: &Value, key: &str) -> Vec<Value> {
    rows.as_array().unwrap().iter().map(|row| row[key].clone()).collect()
}

#[test]
fn what_fires_next_is_asked_of_the_host_that_runs_or_is_named() {
    let place = place();
    let note = "note: no host is running: this is what the manifest and its store say";
    place.cli(&["next"]).exits(0).says(&["yearly", note]);
    let host = start(&place);
    add(&place, "soon", &["--cron", "0 5 1 1 *", "--timezone", "Asia/Tokyo"]);
    add(&place, "rest", &["--interval", "1d"]);
    drop(place.cli(&["jobs", "pause", "rest"]).exits(0));
    let answer = place.cli(&["next", "-n", "3", "--json"]).exits(0);
    // Also what no file names; each as often as it is among the next ones.
    assert_eq!(column(&answer.json(), "job"), ["soon"; 3]);
    assert_eq!(answer.json()[0]["timezone"], "Asia/Tokyo");
    assert!(answer.json()[0]["fire"].as_str().unwrap().ends_with("-01-01T05:00:00+09:00"), "{answer}");
    assert!(answer.stderr.contains("job rest is paused") && !answer.stderr.contains("note:"), "{answer}");
    let socket = place.path("clockbox.sock");
    let named = ["--socket", socket.to_str().unwrap()];
    let elsewhere = crate::place();
    let asks = |args: &[&str]| elsewhere.cli(&[&["next"], args, &named[..]].concat());
    assert_eq!(column(&asks(&["--job", "yearly", "--json"]).exits(0).json(), "job"), ["yearly"]);
    asks(&["--job", "yaerly"]).exits(1).says(&["there is no job \"yaerly\"", "did you mean \"yearly\"?"]);
    let later = asks(&["--after", "2089-06-01", "-n", "2", "--job", "soon", "--job", "yearly", "--json"]);
    assert_eq!(column(&later.exits(0).json(), "job"), ["soon", "yearly"]);
    host.stop();
    elsewhere.cli(&[&["next"][..], &named].concat()).exits(2).says(&["no host is running at"]);
}

#[test]
fn plugins_are_listed_with_what_the_host_has_of_them() {
    let place = place();
    let text = place.cli(&["plugins", "list"]).exits(0);
    text.says(&["hello", "note: no host is running: what is said of plugins is what the files say"]);
    let host = start(&place);
    add(&place, "soon", &["--interval", "300d"]);
    let answer = place.cli(&["plugins", "list", "--json"]).exits(0);
    assert!(answer.stderr.is_empty(), "{answer}");
    let listed = &answer.json()[0];
    assert_eq!((&listed["jobs"], &listed["source"]), (&json!(["soon", "yearly"]), &json!("folder")));
    assert!(listed["loaded_at"].is_string(), "{answer}");
    // Of a host that is named, which may be anywhere, there is only what it says itself.
    let socket = place.path("clockbox.sock");
    let named = ["plugins", "list", "--socket", socket.to_str().unwrap()];
    let far = crate::place().cli(&[&named[..], &["--json"]].concat()).exits(0).json();
    for key in ["name", "path", "sha256", "kind", "size", "jobs", "loaded_at"] {
        assert_eq!(far[0][key], listed[key], "{key}");
    }
    assert_eq!(far[0]["source"], "host");
    crate::place().cli(&named).exits(0).says(&["PLUGIN", "job component", "soon, yearly"]);
    host.stop();
}

#[test]
fn a_file_that_the_host_has_not_taken_up_is_told() {
    let place = place();
    let mut host = place.start_with(&["--no-watch"]);
    host.hear_text("asked and changed at");
    place.drop_plugin(&guest("echo"), "echo");
    std::fs::copy(guest("job"), place.path("jobs/hello.wat")).unwrap();
    std::fs::remove_file(place.path("jobs/hello.wasm")).unwrap();
    let answer = place.cli(&["plugins", "list", "--json"]).exits(0);
    let listed = answer.json();
    assert_eq!(column(&listed, "name"), ["echo", "hello"]);
    assert_eq!(listed[0]["loaded_at"], Value::Null, "{answer}");
    assert_eq!(listed[0]["problems"][0]["message"], "the host has not loaded it");
    let warning = &listed[1]["problems"][0];
    assert_eq!(warning["severity"], "warning");
    assert!(
        warning["message"].as_str().unwrap().starts_with("the host runs another version of it, "),
        "{answer}"
    );
    host.stop();
}
