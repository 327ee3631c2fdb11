//! The history, asked of a host or read in its store: what is said is the same.

use clockbox_tests::{TestHost, prebuilt};
use serde_json::Value;

fn place(store: &str) -> TestHost {
    let place = crate::place();
    for name in ["hello", "counter"] {
        place.drop_plugin(&prebuilt(name), name);
    }
    place.manifest(&format!(
        "[scheduler]\nshutdown_grace = \"0s\"\n[store]\nurl = \"{store}\"\n\
         [jobs.greet]\nplugin = \"hello\"\ntrigger = {{ date = \"2090-01-01\" }}\n\
         [jobs.fail]\nplugin = \"counter\"\nretry = {{ attempts = 2, backoff = \"1ms\" }}\n\
         trigger = {{ date = \"2090-01-01\" }}\n"
    ));
    place
}

#[test]
fn a_host_and_its_store_say_the_same_of_runs() {
    let place = place("sqlite:clockbox.db");
    let mut host = place.start();
    host.hear_text("asked and changed at");
    let run = |job: &str| place.cli(&["jobs", "run", job]).exits(0).stdout.trim().to_owned();
    let greeted = run("greet");
    host.hear_of("greet", "succeeded");
    let failed = run("fail");
    host.hear("its end", |line| line.run() == failed && line.level() == "ERROR");
    // Before it is a day later.
    let asked = [
        vec!["runs"],
        vec!["runs", "list", "--json"],
        vec!["runs", "list", "--job", "greet", "--outcome", "succeeded", "--since", "1d", "-n", "1"],
        vec!["runs", "show", &greeted],
        vec!["runs", "show", &failed],
        vec!["runs", "show", &failed[..12], "--json"],
        vec!["runs", "logs", &greeted],
    ];
    let socket = place.path("clockbox.sock");
    let elsewhere = crate::place();
    let by_host: Vec<String> = asked
        .iter()
        .map(|args| {
            let here = place.cli(args).exits(0);
            assert!(!here.stderr.contains("no host is running"), "{here}");
            let there =
                elsewhere.cli(&[&args[..], &["--socket", socket.to_str().unwrap()]].concat()).exits(0);
            assert_eq!(here.stdout, there.stdout, "{args:?}");
            there.stdout
        })
        .collect();
    assert_eq!(serde_json::from_str::<Value>(&by_host[1]).unwrap().as_array().unwrap().len(), 2);
    assert!(by_host[3].contains("succeeded") && by_host[4].contains("attempt    2"), "{by_host:?}");
    host.stop();
    for (args, by_host) in asked.iter().zip(&by_host) {
        let by_store = place.cli(args).exits(0);
        by_store.says(&["note: no host is running"]);
        assert_eq!(by_store.stdout, *by_host, "{args:?}");
    }
    elsewhere
        .cli(&["runs", "--socket", socket.to_str().unwrap()])
        .exits(2)
        .says(&["no host is running at", "clockbox.sock"]);
}

#[test]
fn what_a_host_keeps_in_memory_is_read_while_it_runs() {
    let place = place("memory:");
    let mut host = place.start();
    host.hear_text("asked and changed at");
    let run = place.cli(&["jobs", "run", "greet"]).exits(0).stdout;
    host.hear_of("greet", "succeeded");
    place.cli(&["runs"]).exits(0).says(&[run.trim(), "succeeded"]);
    place.cli(&["runs", "show", &run.trim()[..12]]).exits(0).says(&["hello"]);
    place
        .cli(&["runs", "list", "--job", "gret"])
        .exits(1)
        .says(&["no job \"gret\"", "did you mean \"greet\"?"]);
    place.cli(&["runs", "show", "0000000000000"]).exits(1).says(&["no run 0000000000000 on record"]);
    place.cli(&["runs", "show", "?"]).exits(2).says(&["is not the beginning of a run id"]);
    host.stop();
}
