//! Spans of runs, where the environment of a host asks for them.

use clockbox_tests::{Running, TestHost, WebServer, guest};

fn place() -> TestHost {
    let place = crate::place();
    place.drop_plugin(&guest("exit-3"), "exit-3");
    place.manifest("[jobs.nightly]\nplugin = \"exit-3\"\n");
    place
}

fn start(place: &TestHost, variables: &[(&str, &str)]) -> Running {
    let mut command = place.command();
    command.args(["run", "--log-format", "json"]).envs(variables.iter().copied());
    TestHost::start_as(command)
}

/// Whether a host has a thread for spans; nothing where that cannot be told.
fn has_thread(host: &Running) -> Option<bool> {
    let threads = std::fs::read_dir(format!("/proc/{}/task", host.pid())).ok()?;
    let name = |task: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default()
    };
    Some(threads.map(name).any(|name| name.trim() == "clockbox-traces"))
}

#[test]
fn a_host_exports_its_runs_to_the_collector_of_its_environment() {
    let collector = WebServer::start();
    let place = place();
    let mut host = start(
        &place,
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.origin()),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=blue"),
            ("OTEL_SERVICE_NAME", "night-shift"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"),
        ],
    );
    host.hear_text("run spans are exported by OpenTelemetry");
    host.hear_of("nightly", "failed");
    assert_ne!(has_thread(&host), Some(false));
    // The end does not wait for the usual pause between two exports.
    host.stop();
    let request = collector.request();
    assert_eq!(request.line, "POST /v1/traces");
    assert_eq!(request.header("x-tenant"), Some("blue"));
    let texts = [
        "night-shift",
        "deployment.environment",
        "run nightly",
        "attempt 1",
        "exit code 3: disk is full",
        "log.message",
    ];
    for text in texts {
        assert!(request.body.contains(text), "{text:?} is missing");
    }
    assert!(collector.waiting().is_empty());
}

#[test]
fn nothing_is_exported_that_cannot_be_and_the_host_runs_all_the_same() {
    let collector = WebServer::start();
    let place = place();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.origin());
    let mut host = start(&place, &[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
    host.hear_text("run spans are not exported: OTEL_EXPORTER_OTLP_PROTOCOL is \"grpc\"");
    host.hear_of("nightly", "failed");
    host.stop();

    let mut host = start(&place, &[endpoint, ("OTEL_SDK_DISABLED", "true")]);
    host.ready();
    assert_ne!(has_thread(&host), Some(true));
    let said = host.stop();
    assert!(said.iter().all(|line| !line.message().contains("run spans")));
    assert!(collector.waiting().is_empty());
}
