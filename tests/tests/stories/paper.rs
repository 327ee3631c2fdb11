//! What is in force and where it comes from; what shells and `man` are told.

use std::fs;

use clockbox_tests::{TestHost, prebuilt};
use serde_json::{Value, json};

/// The setting of a key.
fn setting(settings: &Value, key: &str) -> Value {
    let found = settings.as_array().unwrap().iter().find(|setting| setting["key"] == key);
    found.unwrap_or_else(|| panic!("no {key} in {settings}")).clone()
}

fn place() -> TestHost {
    let place = crate::place();
    place.drop_plugin(&prebuilt("hello"), "hello");
    place.put(
        "jobs/hello.toml",
        b"trigger = { interval = \"2h\" }\npriority = 3\n[limits]\nmemory = \"32MiB\"\n",
    );
    place.manifest(
        "[scheduler]\ntimezone = \"Asia/Tokyo\"\n[server]\ntoken = { env = \"OPERATOR\" }\n[defaults]\nmax_instances = 3\n\
         [plugins.hello]\nallow = { secrets = { KEY = { env = \"OPERATOR\" } } }\n[jobs.hello]\nplugin = \"hello\"\n\
         coalesce = false\n",
    );
    place
}

const SECRET: (&str, &str) = ("OPERATOR", "open-sesame");

#[test]
fn every_value_is_shown_with_where_it_comes_from_and_no_secret_is() {
    let place = place();
    let args = ["config", "--json", "--set", "pools.default.queue=7"];
    let variable = ("CLOCKBOX_POOLS__DEFAULT__MAX_INSTANCES", "9");
    let answer = place.cli_with(&args, &[SECRET, variable]).exits(0);
    let settings = answer.json();
    let is = |key: &str, value: Value, origin: Value| {
        let found = setting(&settings, key);
        assert_eq!((&found["value"], &found["origin"]), (&value, &origin), "{key}");
    };
    let at = |file: &str, line: u32, column: u32| json!({ "source": "file", "file": file, "line": line, "column": column });
    let manifest = |line, column| json!({ "place": at("clockbox.toml", line, column) });
    let sidecar = |line, column| json!({ "place": at("jobs/hello.toml", line, column) });
    is("scheduler.timezone", json!("Asia/Tokyo"), manifest(2, 12));
    is("scheduler.shutdown_grace", json!("30s"), json!("default"));
    is(
        "pools.default.max_instances",
        json!(9),
        json!({ "place": { "source": "variable", "variable": variable.0 } }),
    );
    is(
        "pools.default.queue",
        json!(7),
        json!({ "place": { "source": "flag", "flag": "pools.default.queue=7" } }),
    );
    is("jobs.hello.coalesce", json!("all"), manifest(11, 12));
    is("jobs.hello.priority", json!(3), sidecar(2, 12));
    is("jobs.hello.trigger", json!({ "interval": "2h" }), sidecar(1, 11));
    is("jobs.hello.max_instances", json!(3), json!({ "defaults": at("clockbox.toml", 6, 17) }));
    is("jobs.hello.overlap", json!("skip"), json!("default"));
    is("defaults.max_instances", json!(3), manifest(6, 17));
    is("plugins.hello.limits.memory", json!("32.0 MiB"), sidecar(4, 10));
    is("server.token", json!({ "env": "OPERATOR" }), manifest(4, 9));
    let text = place.cli_with(&["config"], &[SECRET]).exits(0);
    text.says(&["jobs.hello.priority", "jobs/hello.toml:2:12", "[defaults] clockbox.toml:6:17", "default"]);
    for answer in [answer, text] {
        assert!(!format!("{answer}").contains(SECRET.1), "{answer}");
    }
    let given =
        place.cli_with(&["config", "--given", "--prefix", "jobs.", "--json"], &[SECRET]).exits(0).json();
    let keys: Vec<&str> = given.as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    for key in
        ["jobs.hello.coalesce", "jobs.hello.priority", "jobs.hello.trigger", "jobs.hello.max_instances"]
    {
        assert!(keys.contains(&key), "{keys:?}");
    }
    assert!(!keys.contains(&"jobs.hello.overlap"), "{keys:?}");
    // Without its secret, and with a mistake, it is refused as everywhere.
    place.cli(&["config"]).exits(2).says(&["OPERATOR"]);
    place.manifest("[jobs.x]\nplugn = 1\n");
    place.cli(&["config"]).exits(2).says(&["unknown key", "clockbox check"]);
}

#[test]
fn shells_and_man_are_told_of_every_command() {
    let place = place();
    for shell in ["bash", "zsh", "fish"] {
        place.cli(&["completions", shell]).exits(0).says(&["clockbox", "reschedule", "simulate"]);
    }
    place.cli(&["completions", "tcsh"]).exits(2).says(&["bash, zsh, fish"]);
    place.cli(&["man"]).exits(0).says(&[".TH", "clockbox"]);
    let _ = place.cli(&["man", "man1"]).exits(0);
    let page = fs::read_to_string(place.path("man1/clockbox-jobs-add.1")).unwrap();
    assert!(page.contains("interval"), "{page}");
    // What serves the program itself is nobody's business.
    assert!(!fs::exists(place.path("man1/clockbox-compile-plugin.1")).unwrap());
}
