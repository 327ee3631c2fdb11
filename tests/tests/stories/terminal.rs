//! A running host, asked and changed from the terminal.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
};

use clockbox_tests::{Running, TestHost, prebuilt};
use serde_json::{Value, json};

/// A manifest with a job that fires in the far future, and further lines.
fn manifest(more: &str) -> String {
    format!(
        "[scheduler]\nshutdown_grace = \"0s\"\n[pools.default]\nmax_instances = 4\n\
         [jobs.yearly]\nplugin = \"hello\"\ntrigger = {{ date = \"2090-01-01 00:00:00\" }}\n{more}\n"
    )
}

fn place() -> TestHost {
    let place = crate::place();
    place.drop_plugin(&prebuilt("hello"), "hello");
    place.manifest(&manifest(""));
    place
}

/// The host, once it can be asked.
fn start(place: &TestHost) -> Running {
    let mut host = place.start();
    host.hear_text("asked and changed at");
    host
}

fn json_of(place: &TestHost, args: &[&str]) -> Value {
    place.cli(&[args, &["--json"]].concat()).exits(0).json()
}

#[test]
fn without_a_host_that_is_told_and_the_store_answers_what_it_can() {
    let place = place();
    for args in [
        &["pause"][..],
        &["pools"],
        &["jobs", "pause", "yearly"],
        &["jobs", "add", "x", "--interval", "2h"],
        &["reload"],
        &["drain"],
    ] {
        place
            .cli(args)
            .exits(2)
            .says(&["no host is running at clockbox.sock", "hint: start one with `clockbox run`"]);
    }
    // That none runs is an answer to this one.
    place.cli(&["status"]).exits(1).says(&["no host is running at"]);
    place.cli(&["jobs", "list"]).exits(1).says(&["no database at"]);
    start(&place).stop();
    place.cli(&["jobs", "list"]).exits(0).says(&[
        "note: no host is running",
        "yearly",
        "hello",
        "2090-01-01 00:00:00 +00:00",
    ]);
    assert_eq!(
        json_of(&place, &["jobs", "show", "yearly"])["trigger"],
        json!({ "date": "2090-01-01 00:00:00" })
    );
    place.cli(&["jobs", "show", "yaerly"]).exits(1).says(&["no job \"yaerly\"", "did you mean \"yearly\"?"]);
    // One that is named must be there.
    for args in [["--socket", "other.sock"], ["--url", "http://127.0.0.1:1"]] {
        place
            .cli(&[&["jobs", "list"][..], &args].concat())
            .exits(2)
            .says(&["no host is running at", args[1]]);
    }
    place
        .cli(&["jobs", "list", "--url", "https://127.0.0.1:1"])
        .exits(2)
        .says(&["no host is running at https://"]);
    crate::place().cli(&["status"]).exits(2).says(&["there is no clockbox.toml"]);
}

#[test]
fn a_job_is_added_changed_paused_run_and_removed() {
    let place = place();
    let mut host = start(&place);
    let args =
        ["--plugin", "hello", "--interval", "200d", "--args", "{\"name\":\"you\"}", "--max-instances", "2"];
    place
        .cli(&[&["jobs", "add", "greet"][..], &args, &["--timezone", "Asia/Tokyo"]].concat())
        .exits(0)
        .says(&["job \"greet\": every 200 days; next "]);
    let job = json_of(&place, &["jobs", "show", "greet"]);
    assert_eq!(
        (&job["max_instances"], &job["timezone"], &job["source"]),
        (&json!(2), &json!("Asia/Tokyo"), &json!("api"))
    );
    assert_eq!(job["args"], json!({ "name": "you" }));
    place.cli(&["jobs", "add", "greet", "--plugin", "hello"]).exits(1).says(&[
        "there is a job \"greet\" already",
        "hint: choose another name, or give --replace or --ignore",
    ]);
    let _ = place
        .cli(&["jobs", "add", "greet", "--plugin", "hello", "--date", "2091-01-01", "--ignore"])
        .exits(0);
    assert_eq!(json_of(&place, &["jobs", "show", "greet"])["trigger"]["interval"], json!("200d"));

    // Of two who change it, one is told that it is no longer what it was.
    let etag = job["etag"].as_str().unwrap().trim_matches('"');
    let _ = place.cli(&["jobs", "modify", "greet", "--if-match", etag, "--priority", "-3"]).exits(0);
    place
        .cli(&["jobs", "modify", "greet", "--if-match", etag, "--priority", "7"])
        .exits(1)
        .says(&["hint: look at it again with `clockbox jobs show`"]);
    assert_eq!(json_of(&place, &["jobs", "show", "greet"])["priority"], json!(-3));
    place.cli(&["jobs", "modify", "greet"]).exits(2).says(&["nothing is to be changed"]);

    place
        .cli(&["jobs", "reschedule", "greet", "--trigger", "{ cron = { hour = 5 }, end = 2090-05-30 }"])
        .exits(0)
        .says(&["greet"]);
    assert_eq!(json_of(&place, &["jobs", "show", "greet"])["trigger"]["cron"], json!({ "hour": "5" }));
    place.cli(&["jobs", "show", "greet"]).exits(0).says(&["priority       -3", "\nnext ", "\netag "]);

    place.cli(&["jobs", "pause", "greet", "--by", "ann", "--note", "holidays"]).exits(0).says(&["paused"]);
    let pause = &json_of(&place, &["jobs", "show", "greet"])["paused"];
    assert_eq!((&pause["by"], &pause["note"]), (&json!("ann"), &json!("holidays")));
    place.cli(&["jobs", "list"]).exits(0).says(&["paused: holidays"]);
    let names = |args: &[&str]| {
        let jobs = json_of(&place, &[&["jobs", "list"], args].concat());
        let names = jobs.as_array().unwrap().iter().map(|job| job["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&["--paused"]), ["greet"]);
    assert_eq!(names(&["--paused=false"]), ["yearly"]);
    assert_eq!(names(&["--source", "api"]), ["greet"]);
    assert_eq!(names(&["-n", "1"]), ["greet"]);
    let _ = place.cli(&["jobs", "resume", "greet"]).exits(0);
    assert_eq!(json_of(&place, &["jobs", "show", "greet"])["paused"], Value::Null);

    let run = place.cli(&["jobs", "run", "greet", "--args", "{\"name\":\"me\"}"]).exits(0).stdout;
    host.hear_of("greet", "succeeded");
    place.cli(&["runs", "show", run.trim()]).exits(0).says(&["hello me"]);

    place.cli(&["jobs", "remove", "greet"]).exits(0).says(&["is removed"]);
    place
        .cli(&["jobs", "remove", "yaerly"])
        .exits(1)
        .says(&["no job \"yaerly\"", "did you mean \"yearly\"?"]);
    place.cli(&["jobs", "remove", "yearly"]).exits(1).says(&["yearly"]);
    let _ = place.cli(&["jobs", "add", "hello", "--date", "2091-01-01"]).exits(0);
    place.cli(&["jobs", "remove-all"]).exits(2).says(&["--yes"]);
    place.cli(&["jobs", "remove-all", "--yes"]).exits(0).says(&["1 job removed"]);
    assert_eq!(names(&[]), ["yearly"]);
    host.stop();
}

#[test]
fn a_plugin_is_uploaded_where_that_is_allowed() {
    let place = place();
    let noop = prebuilt("noop");
    let noop = noop.to_str().unwrap();
    let host = start(&place);
    place.cli(&["plugins", "upload", noop]).exits(2).says(&["uploads = true"]);
    host.stop();
    place.manifest(&manifest("[server]\nuploads = true"));
    let host = start(&place);
    place.cli(&["plugins", "upload", noop]).exits(0).says(&["noop is new: "]);
    let _ = place.cli(&["jobs", "add", "x", "--plugin", "noop", "--interval", "1d"]).exits(0);
    let args = ["plugins", "upload", noop, "--name", "other", "--json"];
    assert_eq!(place.cli(&args).exits(0).json()["name"], "other");
    place.cli(&["plugins", "upload", "clockbox.toml"]).exits(2).says(&["the file is not WebAssembly"]);
    place.cli(&["plugins", "upload", "gone.wasm"]).exits(2).says(&["gone.wasm: "]);
    host.stop();
}

#[test]
fn what_cannot_be_read_is_told_with_every_problem() {
    let place = place();
    let host = start(&place);
    place.cli(&["jobs", "add", "x", "--interval", "2 parsecs", "--pool", "heavy"]).exits(2).says(&[
        "the job cannot be read as it is written",
        "trigger.interval: ",
        "pool: there is no pool \"heavy\"",
    ]);
    place
        .cli(&["jobs", "add", "helo", "--interval", "2h"])
        .exits(2)
        .says(&["no plugin \"helo\"", "did you mean \"hello\"?"]);
    place.cli(&["jobs", "add", "x", "--args", "you"]).exits(2).says(&["--args: \"you\" is not JSON"]);
    place
        .cli(&["jobs", "add", "x", "--cron", "@daily", "--interval", "2h"])
        .exits(2)
        .says(&["cannot be used with"]);
    host.stop();
}

#[test]
fn the_host_as_a_whole_is_paused_resumed_reloaded_and_stopped() {
    let place = place();
    let mut host = start(&place);
    place.cli(&["status"]).exits(0).says(&["state     running", "jobs      1", "default"]);
    place.cli(&["pause", "--by", "ann", "--note", "moving"]).exits(0).says(&["nothing starts"]);
    place.cli(&["status"]).exits(0).says(&["paused since", "by ann: moving"]);
    let _ = place.cli(&["resume"]).exits(0);
    assert_eq!(json_of(&place, &["status"])["paused"], Value::Null);

    let pool = json_of(&place, &["pools", "resize", "default", "--max-instances", "2"]);
    assert_eq!((&pool["max_instances"], &pool["queue"]), (&json!(2), &json!(1000)));
    assert_eq!(json_of(&place, &["pools", "list"])[0]["max_instances"], json!(2));
    place.cli(&["pools", "resize", "default", "--max-instances", "0"]).exits(2).says(&["at least 1"]);
    place.cli(&["pools", "resize", "heavy", "--queue", "1"]).exits(1).says(&["no pool \"heavy\""]);
    place.cli(&["pools", "resize", "default"]).exits(2).says(&["--max-instances"]);

    place.manifest("[jobs.x]\nplugn = 1\n");
    // The host is found and told all the same.
    place.cli(&["reload"]).exits(2).says(&["the last good one stays in force", "unknown key"]);
    place.manifest(&manifest("[jobs.more]\nplugin = \"hello\"\ntrigger = { date = \"2091-01-01\" }"));
    let _ = place.cli(&["reload"]).exits(0);
    assert_eq!(json_of(&place, &["status"])["jobs"], json!(2));

    place.cli(&["shutdown", "--grace", "soon"]).exits(2).says(&["--grace: "]);
    place.cli(&["shutdown", "--grace", "0s"]).exits(0).says(&["the host stops"]);
    assert_eq!(host.end().code(), Some(0), "{host}");
}

#[test]
fn a_host_drains_when_it_is_told_to() {
    let place = place();
    let mut host = start(&place);
    let _ = place.cli(&["drain"]).exits(0);
    assert_eq!(host.end().code(), Some(0), "{host}");
}

#[test]
fn a_host_is_found_by_folder_socket_url_and_environment() {
    let place = place();
    place.put("token", b"operator-token\n");
    let run = |path: &Path| {
        let text = manifest("[server]\nlisten = \"127.0.0.1:0\"\ntoken = { env = \"OPERATOR\" }");
        place.put("clockbox.toml", text.as_bytes());
        let mut command = place.command();
        command.args(["run", "--log-format", "json"]).arg(path).env("OPERATOR", "operator-token");
        TestHost::start_as(command)
    };
    let mut host = run(place.folder());
    let line = host.hear_text("asked and changed at");
    let url = line.message().rsplit(' ').next().unwrap().to_owned();
    assert!(url.starts_with("http://127.0.0.1:"), "{line}");
    let pid = json!(host.pid());
    let elsewhere = crate::place();
    let folder = place.folder().to_str().unwrap();
    let socket = place.path("clockbox.sock");
    let socket = socket.to_str().unwrap();
    let asks = |args: &[&str], variables: &[(&str, &str)]| {
        elsewhere.cli_with(&[&["status", "--json"], args].concat(), variables)
    };
    let token = place.path("token");
    let token = token.to_str().unwrap();
    for (args, variables) in [
        (&[folder][..], &[][..]),
        (&["-C", folder], &[("CLOCKBOX_URL", "http://127.0.0.1:1")]),
        (&["--socket", socket], &[]),
        (&[], &[("CLOCKBOX_SOCKET", socket)]),
        (&["--url", &url, "--token-file", token], &[]),
        (&["--url", &url], &[("CLOCKBOX_TOKEN", "operator-token")]),
        (&[], &[("CLOCKBOX_URL", &url), ("CLOCKBOX_TOKEN", "operator-token")]),
    ] {
        assert_eq!(asks(args, variables).exits(0).json()["pid"], pid, "{args:?} {variables:?}");
    }
    asks(&["--url", &url], &[]).exits(2).says(&["a token is needed", "--token-file"]);
    asks(&["--url", &url], &[("CLOCKBOX_TOKEN", "other-token")]).exits(2).says(&["token"]);
    host.stop();
}

#[test]
fn a_run_is_followed_cancelled_and_run_once_more() {
    let place = place();
    place.drop_plugin(&prebuilt("counter"), "counter");
    place.manifest(&manifest(
        "[plugins.counter]\nallow = { state = true }\nlimits = { timeout = \"2h\", cancel_grace = \"100ms\" }\n\
         [jobs.hold]\nplugin = \"counter\"\nargs = { hold_ms = 3600000 }\ntrigger = { date = \"2090-01-01\" }",
    ));
    let mut host = start(&place);
    let run = json_of(&place, &["jobs", "run", "hold"])["run"].as_str().unwrap().to_owned();
    host.hear_text("run 1");
    let mut command = place.command();
    command.args(["runs", "logs", "-f", &run]).stdout(std::process::Stdio::piped());
    let mut follower = command.spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    // It is told while the run goes on, and ends with the run.
    assert!(lines.next().unwrap().unwrap().contains("run 1"));
    place.cli(&["runs", "retry", &run]).exits(1).says(&["not over yet"]);
    place
        .cli(&["runs", "cancel", &run[..run.len() - 1], "--reason", "enough"])
        .exits(0)
        .says(&["was asked to stop"]);
    host.hear_of("hold", "cancelled");
    assert!(lines.all(|line| line.is_ok()));
    assert!(follower.wait().unwrap().success());
    place.cli(&["runs", "show", &run]).exits(0).says(&["cancelled", "enough"]);
    place.cli(&["runs", "cancel", &run]).exits(1).says(&["not under way"]);
    let again = place.cli(&["runs", "retry", &run]).exits(0).stdout;
    host.hear_text("run 1");
    assert_ne!(again.trim(), run);
    let logs = place.cli(&["runs", "logs", again.trim(), "--json"]).exits(0).stdout;
    assert!(logs.lines().all(|line| serde_json::from_str::<Value>(line).unwrap()["attempt"] == 1), "{logs}");
    host.stop();
    place.cli(&["runs", "logs", &run]).exits(0).says(&["note: no host is running", "run 1"]);
}

#[test]
fn a_plan_says_what_a_changed_manifest_would_do() {
    let place = place();
    // Nothing ran yet: everything is new.
    place.cli(&["plan"]).exits(1).says(&[
        "note: no host is running",
        "+ job yearly",
        "1 to add, 0 to change, 0 to remove",
    ]);
    // It looks at its files when it is told to, and not in the middle of a comparison.
    let mut host = place.start_with(&["--no-watch"]);
    host.hear_text("asked and changed at");
    place.cli(&["plan"]).exits(0).says(&["nothing would change"]);
    let _ = place.cli(&["jobs", "add", "theirs", "--plugin", "hello", "--date", "2091-01-01"]).exits(0);
    // What is changed by hand stays until the manifest says something new.
    let _ = place.cli(&["jobs", "modify", "yearly", "--priority", "7"]).exits(0);
    place.cli(&["plan"]).exits(0).says(&["nothing would change"]);

    let text = "[scheduler]\nshutdown_grace = \"0s\"\ntimezone = \"Asia/Tokyo\"\n[pools.default]\nmax_instances = 5\n[pools.heavy]\n\
                [jobs.yearly]\nplugin = \"hello\"\nmax_instances = 2\ntrigger = { date = \"2090-01-01 00:00:00\" }\n\
                [jobs.new]\nplugin = \"hello\"\ntrigger = { interval = \"200d\" }\n";
    place.put("next.toml", text.as_bytes());
    // Another manifest of the same folder has the same host.
    let plan = place.cli(&["plan", "next.toml"]).exits(1);
    plan.says(&[
        "+ job new\n",
        "~ job yearly\n",
        "    max_instances: 1 → 2\n",
        "    priority: 7 → 0\n",
        "    timezone: UTC → Asia/Tokyo\n",
        "    note: what was modified by hand is lost\n",
        "~ pool default\n    max_instances: 4 → 5\n",
        "+ pool heavy\n",
        "~ scheduler settings\n",
        "2 to add, 3 to change, 0 to remove",
    ]);
    let socket = place.path("clockbox.sock");
    let by_host = place.cli(&["plan", "next.toml", "--socket", socket.to_str().unwrap()]).exits(1);
    assert_eq!(by_host.stdout, plan.stdout);
    let plan = place.cli(&["plan", "next.toml", "--json"]).exits(1).json();
    assert_eq!(plan["against"], "host");
    let yearly =
        plan["changes"].as_array().unwrap().iter().find(|change| change["name"] == "yearly").unwrap();
    assert_eq!((&yearly["kind"], &yearly["change"]), (&json!("job"), &json!("changed")));
    assert!(yearly["keys"].as_array().unwrap().contains(&json!({ "key": "priority", "old": 7, "new": 0 })));

    // Another plugin under the same name, with another right.
    place.drop_plugin(&prebuilt("counter"), "hello");
    place.put(
        "state.toml",
        format!("{}[plugins.hello]\nallow = {{ state = true }}\n", manifest("")).as_bytes(),
    );
    place.cli(&["plan", "state.toml"]).exits(1).says(&[
        "~ plugin hello\n",
        "    allow.state: nothing → true\n",
        "    sha256: ",
    ]);
    place.drop_plugin(&prebuilt("hello"), "hello");

    // It is what a reload does.
    place.manifest(&text.replace("timezone = \"Asia/Tokyo\"\n", ""));
    let _ = place.cli(&["reload"]).exits(0);
    place.cli(&["plan"]).exits(0).says(&["nothing would change"]);
    place.manifest("[scheduler]\n");
    let _ = place.cli(&["reload"]).exits(0);
    place.manifest(&manifest("[jobs.x]\nplugn = 1\n"));
    place.cli(&["plan"]).exits(2).says(&["unknown key"]);
    place.manifest("[jobs.theirs]\nplugin = \"hello\"\n");
    place.cli(&["plan"]).exits(1).says(&["+ job theirs", "there is one of that name from api"]);
    host.stop();
}

#[test]
fn what_happens_is_told_as_it_happens() {
    let place = place();
    let mut host = start(&place);
    let mut command = place.command();
    command.args(["events", "-f", "--json"]).stdout(std::process::Stdio::piped());
    let mut listener = command.spawn().unwrap();
    let mut lines = BufReader::new(listener.stdout.take().unwrap()).lines();
    // Until it is heard: the listener may not be there yet when the first one happens.
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while let Some(Ok(line)) = lines.next() {
            if told.send(line).is_err() {
                break;
            }
        }
    });
    let first = loop {
        let _ = place.cli(&["jobs", "pause", "yearly"]).exits(0);
        let _ = place.cli(&["jobs", "resume", "yearly"]).exits(0);
        if let Ok(line) = heard.try_recv() {
            break serde_json::from_str::<Value>(&line).unwrap();
        }
    };
    assert!(first["job"] == "yearly" && first["seq"].is_u64(), "{first}");
    let _ = place.cli(&["jobs", "run", "yearly"]).exits(0);
    let finished = heard.iter().map(|line| serde_json::from_str::<Value>(&line).unwrap());
    let finished = finished.into_iter().find(|event| event["event"] == "run-finished").unwrap();
    assert_eq!(finished["outcome"], "succeeded");
    place.cli(&["events", "--event", "run-begun"]).exits(2).says(&["unknown variant"]);
    let _ = place.cli(&["shutdown"]).exits(0);
    assert_eq!(host.end().code(), Some(0), "{host}");
    // It ends with its host.
    assert!(listener.wait().unwrap().success());
}

#[test]
fn jobs_are_exported_and_imported_as_toml_and_as_json() {
    let place = place();
    let host = start(&place);
    let _ =
        place.cli(&["jobs", "add", "a", "--plugin", "hello", "--interval", "200d", "--args", "[1]"]).exits(0);
    let _ = place
        .cli(&["jobs", "add", "b", "--plugin", "hello", "--cron", "0 5 1 1 *", "--priority", "3"])
        .exits(0);
    let before = [json_of(&place, &["jobs", "show", "a"]), json_of(&place, &["jobs", "show", "b"])];
    let toml = place.cli(&["jobs", "export", "--source", "api"]).exits(0).stdout;
    let json = place.cli(&["jobs", "export", "--source", "api", "--json"]).exits(0).stdout;
    assert!(toml.contains("[jobs.a]") && !toml.contains("yearly"), "{toml}");
    place.put("jobs.toml.txt", toml.as_bytes());
    place.put("jobs.json", json.as_bytes());
    place.cli(&["jobs", "import", "jobs.json"]).exits(1).says(&["already", "--replace or --ignore"]);
    for file in ["jobs.toml.txt", "jobs.json"] {
        let _ = place.cli(&["jobs", "remove-all", "--yes"]).exits(0);
        place.cli(&["jobs", "import", file]).exits(0).says(&["2 jobs imported"]);
        let again = [json_of(&place, &["jobs", "show", "a"]), json_of(&place, &["jobs", "show", "b"])];
        for (before, again) in before.iter().zip(&again) {
            for key in ["plugin", "trigger", "args", "priority", "timezone"] {
                assert_eq!(before[key], again[key], "{key} in {file}");
            }
        }
    }
    place.put("bad.toml", b"[jobs.c]\nplugin = \"hello\"\ntrigger = { interval = \"soon\" }\n");
    place.cli(&["jobs", "import", "bad.toml"]).exits(2).says(&["trigger.interval"]);
    place.cli(&["jobs", "import", "none.toml"]).exits(2).says(&["none.toml: "]);
    // What is exported can be put into a manifest.
    place.put("whole.toml", toml.as_bytes());
    let _ = place.cli(&["check", "whole.toml"]).exits(0);
    host.stop();
}
