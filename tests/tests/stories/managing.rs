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
fn an_import_tells_what_it_left_as_it_was_and_what_an_export_does_not_say() {
    let place = place();
    let host = start(&place);
    add(&place, "a", &["--interval", "300d"]);
    add(&place, "b", &["--interval", "300d"]);
    drop(place.cli(&["jobs", "pause", "a", "--note", "holidays"]).exits(0));
    let exported = place.cli(&["jobs", "export", "--source", "api"]).exits(0);
    let note = "note: a pause is not exported, and whoever imports these jobs has to pause them again: a";
    exported.says(&[note]);
    let elsewhere = place.cli(&["jobs", "export", "--source", "manifest"]).exits(0);
    assert!(elsewhere.stderr.is_empty(), "{elsewhere}");
    place.put("jobs.txt", exported.stdout.as_bytes());
    drop(place.cli(&["jobs", "remove", "b"]).exits(0));
    let import = |words: &[&str]| place.cli(&[&["jobs", "import", "jobs.txt"], words].concat());
    import(&["--ignore"])
        .exits(0)
        .says(&["1 job imported; 1 left as they are, as there are jobs of their names"]);
    assert_eq!(import(&["--ignore", "--json"]).exits(0).json(), json!({ "jobs": 0, "ignored": 2 }));
    import(&["--replace"]).exits(0).says(&["2 jobs imported\n"]);
    import(&[]).exits(1).says(&["there is a job \"a\" already", "--replace or --ignore"]);
    // One of the manifest cannot be replaced, so nobody is told to.
    let all = place.cli(&["jobs", "export"]).exits(0).stdout;
    let declared = all.split("[jobs.").find(|section| section.starts_with("yearly")).unwrap();
    place.put("jobs.txt", format!("[jobs.{declared}").as_bytes());
    for words in [&[][..], &["--replace"]] {
        let answer = import(words).exits(1);
        answer
            .says(&["the job \"yearly\" comes from the manifest", "hint: give --ignore to leave such jobs"]);
        assert!(!answer.stderr.contains("--replace"), "{answer}");
    }
    import(&["--ignore"]).exits(0).says(&["0 jobs imported; 1 left"]);
    host.stop();
}

#[test]
fn a_job_is_shown_in_its_own_time_zone_and_without_fires_while_it_is_paused() {
    let place = place();
    let host = start(&place);
    add(&place, "soon", &["--cron", "0 5 1 1 *", "--timezone", "Asia/Tokyo"]);
    let added = "-01-01 05:00:00 +09:00";
    place.cli(&["jobs", "list"]).exits(0).says(&[added, "2090-01-01 00:00:00 +00:00"]);
    let shown = place.cli(&["jobs", "show", "soon"]).exits(0);
    assert!(shown.stdout.contains(added) && !shown.stdout.contains("paused"), "{shown}");
    drop(place.cli(&["jobs", "pause", "soon"]).exits(0));
    place.cli(&["jobs", "show", "soon"]).exits(0).says(&["next           nothing while it is paused", added]);
    host.stop();
    // The store says the same.
    place.cli(&["jobs", "show", "soon"]).exits(0).says(&["next           nothing while it is paused", added]);
}

#[test]
fn whoever_mixes_up_http_and_https_is_told() {
    let place = place();
    let text = std::fs::read_to_string(place.path("clockbox.toml")).unwrap();
    place.manifest(&format!("{text}[server]\nlisten = \"127.0.0.1:0\"\n"));
    let mut host = place.start();
    let line = host.hear_text("asked and changed at");
    let url = line.message().rsplit(' ').next().unwrap().replace("http://", "https://");
    place
        .cli(&["status", "--url", &url])
        .exits(2)
        .says(&["hint: what answers there speaks no TLS, as a host itself does not: write http://"]);
    host.stop();
    // One that answers as a server with TLS does which is asked without.
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = server.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]).unwrap();
        // An alert: unexpected message.
        stream.write_all(&[21, 3, 3, 0, 2, 2, 10]).unwrap();
    });
    place.cli(&["status", "--url", &url]).exits(2).says(&["ask that with https://"]);
    server.join().unwrap();
}

#[test]
fn what_can_be_no_id_is_wrong_usage_and_what_is_none_an_answer() {
    let place = place();
    start(&place).stop();
    for command in ["show", "logs"] {
        let ask = |id: &str| place.cli(&["runs", command, id]);
        ask("not an id")
            .exits(2)
            .says(&["\"not an id\" is not the beginning of a run id", "`clockbox runs list`"]);
        ask("0000000000000").exits(1).says(&["there is no run 0000000000000 on record"]);
        ask("00000").exits(1).says(&["no run id on record starts with \"00000\""]);
    }
    // As with jobs.
    drop(place.cli(&["jobs", "show", "not a name"]).exits(2));
    drop(place.cli(&["jobs", "show", "nobody"]).exits(1));
}

#[test]
fn a_mistake_in_a_description_is_told_with_the_file_that_it_is_in() {
    let place = place();
    place.put("about.toml", b"description = \"greets\"\ntrigger = { interval = \"soon\" }\n");
    let describe = |words: &[&str]| {
        place.cli(&[&["plugins", "describe", "jobs/hello.wasm", "--from", "about.toml"], words].concat())
    };
    let answer = describe(&[]).exits(2);
    answer.says(&["about.toml:2:", "trigger.interval"]);
    assert!(!answer.stderr.contains("hello.wasm"), "{answer}");
    // What is made of it and of flags stands in no file.
    describe(&["--name", "x"]).exits(2).says(&["hello.wasm (section clockbox:job):"]);
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
