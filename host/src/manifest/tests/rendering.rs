//! The rendering of many problems at once.

use super::*;

#[test]
fn eight_problems_are_shown_at_once_each_with_its_line() {
    let text = r#"[scheduler]
timezone = "Asia/Shangai"

[pools.default]
max_instances = 0

[plugins.hello]
limits = { memory = "64 quarks" }

[jobs.report]
plugin = "helo"
triger = { interval = "2h" }
max_instances = "3"
	overlap = "skp"
pool = "heavy"
"#;
    let problems = read(text, &hello()).unwrap_err();
    assert_eq!(problems.0.len(), 8);
    let wanted = r#"clockbox.toml:2:12: scheduler.timezone: "Asia/Shangai" is not an IANA time zone name
  2 | timezone = "Asia/Shangai"
    |            ^^^^^^^^^^^^^^
  hint: did you mean "Asia/Shanghai"?
clockbox.toml:5:17: pools.default.max_instances: must be at least 1
  5 | max_instances = 0
    |                 ^
  hint: with no instance nothing could ever run; to keep a job from running, set enabled = false on it
clockbox.toml:8:21: plugins.hello.limits.memory: "64 quarks" is not a size
  8 | limits = { memory = "64 quarks" }
    |                     ^^^^^^^^^^^
  hint: write for instance "64MiB", "1GB" or "4096" (bytes)
clockbox.toml:11:10: jobs.report.plugin: there is no plugin "helo"
  11 | plugin = "helo"
     |          ^^^^^^
  hint: did you mean "hello"?
clockbox.toml:12:1: jobs.report.triger: unknown key
  12 | triger = { interval = "2h" }
     | ^^^^^^
  hint: did you mean "trigger"?
clockbox.toml:13:17: jobs.report.max_instances: expected an integer, found the string "3"
  13 | max_instances = "3"
     |                 ^^^
  hint: write it without quotes
clockbox.toml:14:12: jobs.report.overlap: "skp" is not one of "skip", "wait", "replace"
  14 | 	overlap = "skp"
     | 	          ^^^^^
  hint: did you mean "skip"?
clockbox.toml:15:8: jobs.report.pool: there is no pool "heavy"
  15 | pool = "heavy"
     |        ^^^^^^^
  hint: the pools are default
"#;
    assert_eq!(problems.render(), wanted);
    let short = problems.to_string();
    assert!(short.starts_with(
        "clockbox.toml:2:12: scheduler.timezone: \"Asia/Shangai\" is not an IANA time zone name\n  hint: did you mean"
    ));
    assert_eq!(short.lines().count(), 16);
}

#[test]
fn the_name_of_a_file_cannot_steer_a_terminal() {
    let files = vec![PluginFile::dropped("jobs/\u{1b}[2J\n\u{202e}evil.wasm")];
    let loaded =
        parse("", Path::new("m.toml"), &Overrides::default(), &Surroundings::with_files(files)).unwrap();
    let problem = &loaded.refused[0].problems.0[0];
    let place = "jobs/\\u{1b}[2J\\n\\u{202e}evil.wasm: ";
    assert!(problem.render().starts_with(place), "{}", problem.render());
    assert!(problem.to_string().starts_with(place), "{problem}");
}
