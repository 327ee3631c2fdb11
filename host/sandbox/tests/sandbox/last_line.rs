//! The last line of a command as the output of its run, where that is asked for.

use std::sync::Arc;

use clockbox_core::model::{
    Limits, LogLevel, LogStream, Outcome, OutputFrom, PluginSpec, Report, Rights, Secret, SecretAs,
};
use clockbox_sandbox::{Plugin, PluginError};

use crate::support::{Memory, command, command_component, job, load, run, sandbox, spec};

fn asked() -> PluginSpec {
    PluginSpec { output: OutputFrom::LastLine, ..spec("test") }
}

fn loaded(bytes: &[u8], spec: &PluginSpec) -> Plugin {
    sandbox().load(bytes, spec).unwrap()
}

/// What a command does that writes these texts to stdout, one after another, and then `rest`: its data and its body.
fn says(texts: &[&str], rest: &str) -> (String, String) {
    let (mut data, mut body, mut at) = (String::new(), String::new(), 1024);
    for text in texts {
        let escaped: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        data.push_str(&format!("(data (i32.const {at}) \"{escaped}\")\n"));
        body.push_str(&format!("(call $say (i32.const 1) (i32.const {at}) (i32.const {}))\n", text.len()));
        at += text.len();
    }
    (data, body + rest)
}

fn module(texts: &[&str], rest: &str) -> Vec<u8> {
    let (data, body) = says(texts, rest);
    command(&data, &body).into_bytes()
}

async fn run_of(texts: &[&str], spec: &PluginSpec) -> (Report, Arc<Memory>) {
    run(&loaded(&module(texts, ""), spec), "null").await
}

/// What the host remarked.
fn remarks(sink: &Memory) -> Vec<String> {
    sink.texts(LogStream::Host)
}

#[tokio::test]
async fn the_last_line_that_says_anything_is_the_output_and_stays_in_the_log() {
    let texts = ["counting\n{\"lines\"", ": 12}\r\n", "\n  \n"];
    let (data, body) = says(&texts, "");
    for plugin in [
        loaded(command(&data, &body).as_bytes(), &asked()),
        loaded(&command_component(&data, &body), &asked()),
    ] {
        let (report, sink) = run(&plugin, "null").await;
        assert_eq!(
            (report.outcome, report.output.as_deref()),
            (Outcome::Succeeded, Some("{\"lines\": 12}")),
            "{}",
            plugin.kind()
        );
        assert_eq!(sink.texts(LogStream::Stdout), ["counting", "{\"lines\": 12}", "", "  "]);
        assert_eq!(remarks(&sink), [""; 0]);
    }
    // It need not end, and the program may end itself.
    let exits = module(&["[1]\n2"], "(call $exit (i32.const 0))");
    assert_eq!(run(&loaded(&exits, &asked()), "null").await.0.output.as_deref(), Some("2"));
}

#[tokio::test]
async fn nobody_has_an_output_who_did_not_ask_for_it() {
    let (report, sink) = run(&load(&module(&["{}\n"], "")), "null").await;
    assert_eq!((report.outcome, report.output), (Outcome::Succeeded, None));
    assert_eq!(remarks(&sink), [""; 0]);
}

#[tokio::test]
async fn a_last_line_that_is_not_json_is_told_and_no_failure() {
    for texts in [&["{}\n", "done\n"][..], &["{\"a\": 1"], &["12 lines\n"], &["{}\n\u{1b}[0m\n"]] {
        let (report, sink) = run_of(texts, &asked()).await;
        assert_eq!(
            (report.outcome, report.output, report.reason),
            (Outcome::Succeeded, None, None),
            "{texts:?}"
        );
        let told = sink.lines.lock().unwrap().last().unwrap().clone();
        assert_eq!((told.stream, told.level), (LogStream::Host, LogLevel::Warn));
        for words in ["the last line on stdout is not JSON (", "no output", "`output = \"last-line\"`"] {
            assert!(told.message.contains(words), "{words} in {}", told.message);
        }
    }
}

#[tokio::test]
async fn a_run_that_says_nothing_has_no_output_and_that_is_nothing_to_tell() {
    for texts in [&[][..], &["\n", " \n"]] {
        let (report, sink) = run_of(texts, &asked()).await;
        assert_eq!((report.outcome, report.output), (Outcome::Succeeded, None));
        assert_eq!(remarks(&sink), [""; 0]);
    }
    // What is written to stderr is none.
    let stderr = command(
        "(data (i32.const 1024) \"{}\\n\")",
        "(call $say (i32.const 2) (i32.const 1024) (i32.const 3))",
    );
    assert_eq!(run(&loaded(stderr.as_bytes(), &asked()), "null").await.0.output, None);
}

#[tokio::test]
async fn a_run_that_does_not_succeed_has_no_output() {
    let cases = [("(call $exit (i32.const 3))", Outcome::Failed), ("(unreachable)", Outcome::Trapped)];
    for (end, outcome) in cases {
        for said in ["{}\n", "not JSON\n"] {
            let (report, sink) = run(&loaded(&module(&[said], end), &asked()), "null").await;
            assert_eq!((report.outcome, report.output), (outcome, None));
            assert_eq!(remarks(&sink), [""; 0]);
        }
    }
}

#[tokio::test]
async fn neither_the_limit_of_the_log_nor_its_longest_line_cuts_it() {
    let long = format!("\"{}\"", "x".repeat(40_000));
    let (report, sink) = run_of(&["first\n", &long], &asked()).await;
    assert_eq!(report.output.as_ref(), Some(&long));
    assert_eq!(sink.texts(LogStream::Stdout).len(), 4, "the log breaks it up");
    for log in [0, 10, 30_000] {
        let limits = Limits { log, ..Limits::default() };
        let (report, sink) = run_of(&["first\n", &long, "\n"], &PluginSpec { limits, ..asked() }).await;
        assert_eq!(report.output.as_ref(), Some(&long), "{log}");
        let told = remarks(&sink);
        assert!(told.len() == 1 && told[0].starts_with("log limit of "), "{told:?}");
    }
}

#[tokio::test]
async fn one_beyond_the_limit_of_an_output_is_a_failure_as_a_jobs_is() {
    let limits = |output| Limits { output, ..Limits::default() };
    let of = async |text: &str| {
        let (report, _) = run_of(&[text], &PluginSpec { limits: limits(10), ..asked() }).await;
        (report.outcome, report.output, report.reason)
    };
    assert_eq!(of("  \"45678901\"  \n").await, (Outcome::Succeeded, Some("\"45678901\"".to_owned()), None));
    assert_eq!(of("a long line, but not the last one\n1\n").await.1.as_deref(), Some("1"));
    let (outcome, output, reason) = of("\"456789012\"\n").await;
    assert_eq!((outcome, output), (Outcome::Failed, None));
    let reason = reason.unwrap();
    for words in ["the last line on stdout", "11 B", "10 B", "raise limits.output"] {
        assert!(reason.contains(words), "{words} in {reason}");
    }
}

#[tokio::test]
async fn a_secret_is_hidden_in_it() {
    let secrets = [("TOKEN".to_owned(), Secret::new("hunter2", SecretAs::Env))].into();
    let spec = PluginSpec { rights: Rights { secrets, ..Rights::default() }, ..asked() };
    let (report, _) = run_of(&["{\"token\": \"hunter2\"}\n"], &spec).await;
    assert_eq!(report.output.as_deref(), Some("{\"token\": \"***\"}"));
    let (report, sink) = run_of(&["hunter2\n"], &spec).await;
    assert_eq!(report.output, None);
    assert!(remarks(&sink)[0].contains("not JSON") && !remarks(&sink)[0].contains("hunter"));
}

#[tokio::test]
async fn a_job_component_returns_its_output_and_is_refused() {
    let bytes = job("(call $some (local.get $args) (local.get $len))");
    let refusal = sandbox().load(&bytes, &asked()).unwrap_err();
    assert_eq!(refusal, PluginError::ReturnsOutput);
    assert!(
        refusal.to_string().contains("last-line") && refusal.hint().unwrap().contains("leave `output` out")
    );
    // One that runs already goes on as it was.
    let plugin = load(&bytes).with_spec(&asked()).unwrap();
    let (report, sink) = run(&plugin, "7").await;
    assert_eq!((report.output.as_deref(), remarks(&sink).len()), (Some("7"), 0));
}
