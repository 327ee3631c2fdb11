//! What a command says last is its output, where its plugin says so.

use clockbox_tests::{TestHost, guest, prebuilt};
use serde_json::json;

const MANIFEST: &str = "\
[scheduler]
shutdown_grace = \"0s\"
[plugins.echo]
output = \"last-line\"
[jobs.echo]
args = { lines = 12 }
trigger = { date = \"2090-01-01\" }
[jobs.hello]
trigger = { date = \"2090-01-01\" }
";

/// A place with a command that says its arguments, and a job component.
fn place() -> TestHost {
    let place = crate::place();
    place.drop_plugin(&guest("echo"), "echo");
    place.drop_plugin(&prebuilt("hello"), "hello");
    place.manifest(MANIFEST);
    place
}

#[test]
fn the_output_of_a_command_is_kept_and_shown_like_any_other() {
    let place = place();
    place.cli(&["check"]).exits(0).says(&["ok"]);
    let mut host = place.start_with(&["--no-watch"]);
    host.hear_text("asked and changed at");
    let _ = place.cli(&["jobs", "run", "echo"]).exits(0);
    let run = host.hear_of("echo", "succeeded").run().to_owned();
    let shown = place.cli(&["runs", "show", &run, "--json"]).exits(0).json();
    assert_eq!(shown["output"], json!({ "lines": 12 }));
    assert_eq!(shown["logs"][0]["message"], "{\"lines\":12}", "it is a line of the log as well");
    place.cli(&["runs", "show", &run]).exits(0).says(&["output     {\"lines\":12}\n"]);

    place
        .cli(&["config", "--prefix", "plugins.echo.output"])
        .exits(0)
        .says(&["last-line", "clockbox.toml:4"]);
    place.cli(&["config", "--prefix", "plugins.hello.output"]).exits(0).says(&["returned", "default"]);
    let told = place.cli(&["plugins", "inspect", "echo"]).exits(0);
    told.says(&["output       the last line on stdout, if it is JSON"]);
    place.manifest(&MANIFEST.replace("last-line", "returned"));
    let said = place.cli(&["plan"]).exits(1);
    assert_eq!(said.stdout, "~ plugin echo\n    output: last-line → returned\n");
    let _ = place.cli(&["reload"]).exits(0);
    let _ = place.cli(&["jobs", "run", "echo"]).exits(0);
    host.hear_of("echo", "succeeded");
    host.stop();
    let outputs: Vec<_> = place.history().of("echo").into_iter().map(|run| run.output).collect();
    assert_eq!(outputs.iter().filter(|output| output.is_none()).count(), 1, "{outputs:?}");
}

#[test]
fn a_job_component_that_is_to_say_it_is_a_mistake_and_what_runs_goes_on() {
    let place = place();
    let mut host = place.start_with(&["--no-watch"]);
    host.hear_text("asked and changed at");
    place.manifest(&format!("{MANIFEST}[plugins.hello]\noutput = \"last-line\"\n"));
    let words = &["job component, whose output is what its `run` returns", "hint: leave `output` out"];
    place.cli(&["check"]).exits(1).says(words);
    place.cli(&["plugins", "inspect", "hello"]).exits(1).says(words);
    place.cli(&["plugins", "list"]).says(words);
    place.cli(&["plan"]).exits(2).says(&words[..1]);
    place.cli(&["reload"]).exits(1).says(&words[..1]);
    let _ = place.cli(&["jobs", "run", "hello"]).exits(0);
    let run = host.hear_of("hello", "succeeded").run().to_owned();
    let shown = place.cli(&["runs", "show", &run, "--json"]).exits(0).json();
    assert_eq!(shown["output"], "hello world");
    host.stop();
}
