//! A manifest with mistakes: every one is named with its place, and nothing is started.

use clockbox_tests::{Answer, TestHost, guest};

/// A place with one plugin, `exit-3`, and this manifest.
fn place(manifest: &str) -> TestHost {
    let place = crate::place();
    place.drop_plugin(&guest("exit-3"), "exit-3");
    place.manifest(manifest);
    place
}

/// Checks that `check` and `run` both refuse the manifest in these words, and that nothing came of it.
#[track_caller]
fn refused(manifest: &str, words: &[&str]) -> Answer {
    let place = place(manifest);
    let checked = place.cli(&["check"]).exits(1);
    checked.says(words);
    let run = place.cli(&["run"]).exits(2);
    run.says(words);
    run.says(&["error: the manifest has problems, nothing was started", "hint: "]);
    assert!(!place.path("clockbox.db").exists(), "a refused manifest creates no database");
    checked
}

#[test]
fn a_syntax_error_is_placed() {
    refused("[jobs.a]\nplugin = \"exit-3\ntrigger = 1\n", &["clockbox.toml:2:17: TOML syntax error"]);
}

#[test]
fn a_misspelt_key_is_an_error_with_a_suggestion() {
    refused(
        "[jobs.a]\nplugin = \"exit-3\"\ntriger = { interval = \"2s\" }\n",
        &["clockbox.toml:3:1", "triger", "trigger"],
    );
}

#[test]
fn an_unknown_plugin_is_named_with_the_nearest_one() {
    refused("[jobs.a]\nplugin = \"exit-4\"\n", &["clockbox.toml:2:", "exit-4", "exit-3"]);
}

#[test]
fn a_job_that_is_there_twice_is_an_error() {
    refused(
        "[jobs.a]\nplugin = \"exit-3\"\n\n[jobs.a]\nplugin = \"exit-3\"\n",
        &["clockbox.toml:4:", "jobs.a"],
    );
}

#[test]
fn all_problems_are_told_at_once() {
    let manifest = r#"[jobs.cron]
plugin = "exit-3"
trigger = { cron = "61 * * * *" }

[jobs.zone]
plugin = "exit-3"
trigger = { interval = "2s", timezone = "Europe/Berlim" }

[jobs.never]
plugin = "exit-3"
trigger = { interval = "2s", start = "2030-05-02 00:00:00", end = "2030-05-01 00:00:00" }

[pools.default]
max_instances = 0
"#;
    let words = [
        "clockbox.toml:3:20: jobs.cron.trigger.cron: ",
        "clockbox.toml:7:41: jobs.zone.trigger.timezone: ",
        "Europe/Berlin",
        "clockbox.toml:11:",
        "jobs.never.trigger",
        "clockbox.toml:14:17: pools.default.max_instances: ",
    ];
    let place_of = |answer: &Answer| answer.stdout.matches("clockbox.toml:").count();
    let answer = refused(manifest, &words);
    assert!(place_of(&answer) >= 4, "{answer}");

    let report = place(manifest).cli(&["check", "--json"]).exits(1).json();
    assert_eq!(report["ok"], false);
    let problems = report["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 4, "{report}");
    assert_eq!((&problems[0]["line"], &problems[0]["column"]), (&3.into(), &20.into()), "{report}");
}

#[test]
fn a_value_of_the_command_line_is_named_where_it_is_wrong() {
    let place = place("[jobs.a]\nplugin = \"exit-3\"\n");
    let args = ["check", "--set", "pools.default.max_instances=none"];
    place.cli(&args).exits(1).says(&["--set pools.default.max_instances=none"]);
}

#[test]
fn a_missing_manifest_is_said_to_be_missing() {
    let place = crate::place();
    for command in ["check", "run"] {
        let answer = place.cli(&[command, "nowhere.toml"]);
        assert_ne!(answer.code, Some(0), "{answer}");
        answer.says(&["nowhere.toml"]);
    }
}

#[test]
fn history_can_be_read_while_the_manifest_is_broken() {
    let place = place("[jobs.a]\nplugin = \"exit-3\"\n");
    let mut host = place.start();
    host.hear_of("a", "failed");
    host.stop();
    place.manifest("[jobs.a]\nplugin = \n");
    let answer = place.cli(&["runs", "--json"]).exits(0);
    assert_eq!(answer.json()[0]["outcome"], "failed");
    answer.says(&["warning: the manifest has problems"]);
}
