//! Spans of runs, as a collector gets them.

use std::time::Duration;

use clockbox::{
    Outcome,
    traces::{Settings, Traces},
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, status::StatusCode},
};
use prost::Message as _;

use crate::{
    bench::{Bench, LINES},
    receiver::{Answer, Receiver, Request},
    talk,
};

/// A guard, not a wait.
const PATIENCE: Duration = Duration::from_secs(60);

fn to(collector: &Receiver) -> Settings {
    Settings { delay: Duration::from_millis(1), ..Settings::to(&collector.url) }
}

fn spans(request: &Request) -> Vec<Span> {
    assert_eq!(request.header("content-type"), "application/x-protobuf");
    let export = ExportTraceServiceRequest::decode(request.body.as_slice()).unwrap();
    let of_resource = export.resource_spans.into_iter().flat_map(|resource| {
        let attributes = resource.resource.unwrap().attributes;
        assert_eq!(said(&attributes, "service.name"), "clockbox");
        assert_eq!(said(&attributes, "service.version"), env!("CARGO_PKG_VERSION"));
        resource.scope_spans
    });
    of_resource.flat_map(|scope| scope.spans).collect()
}

/// The value of an attribute as text; nothing where there is none.
fn said(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.clone()?.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        None => String::new(),
        Some(other) => panic!("{key} is {other:?}"),
    }
}

fn nanos(at: clockbox::Timestamp) -> u64 {
    at.timestamp_nanos_opt().unwrap().try_into().unwrap()
}

#[test]
fn a_run_is_a_span_with_its_attempts_and_their_log() {
    let collector = Receiver::answering([Answer::Status(200)]);
    let bench = Bench::start();
    bench.add_second("a");
    let traces = Traces::start(&bench.scheduler, &to(&collector)).unwrap();
    let run = bench.run("a", false);
    bench.end();
    traces.stop(PATIENCE);

    let all: Vec<Span> = collector.waiting().iter().flat_map(spans).collect();
    let named = |name: &str| all.iter().find(|span| span.name == name).unwrap();
    let (root, first, second) = (named("run a"), named("attempt 1"), named("attempt 2"));
    assert_eq!(all.len(), 3);
    assert_eq!(
        (root.start_time_unix_nano, root.end_time_unix_nano),
        (nanos(run.recorded_at), nanos(run.finished_at.unwrap()))
    );
    assert!(root.parent_span_id.is_empty());
    for attempt in [first, second] {
        assert_eq!((&attempt.trace_id, &attempt.parent_span_id), (&root.trace_id, &root.span_id));
        assert!(attempt.start_time_unix_nano >= root.start_time_unix_nano);
        assert!(attempt.end_time_unix_nano <= root.end_time_unix_nano);
    }
    for (key, value) in [
        ("job", "a".to_owned()),
        ("run", run.id.to_string()),
        ("plugin", "second".to_owned()),
        ("pool", "default".to_owned()),
        ("cause", "manual".to_owned()),
        ("outcome", "succeeded".to_owned()),
        ("attempts", "2".to_owned()),
        ("scheduled_at", run.scheduled_at.to_rfc3339()),
        ("started_at", run.started_at.unwrap().to_rfc3339()),
        ("finished_at", run.finished_at.unwrap().to_rfc3339()),
        ("lateness_ms", (run.started_at.unwrap() - run.scheduled_at).num_milliseconds().to_string()),
    ] {
        assert_eq!(said(&root.attributes, &format!("clockbox.{key}")), value, "{key}");
    }
    let code = |span: &Span| span.status.as_ref().unwrap().code();
    assert_eq!([root, first, second].map(code), [StatusCode::Ok, StatusCode::Error, StatusCode::Ok]);
    assert_eq!(first.status.as_ref().unwrap().message, "not yet");
    assert_eq!(said(&first.attributes, "clockbox.outcome"), "failed");

    // The latest lines alone, and how many are missing.
    assert_eq!((second.events.len(), first.events.len()), (100, 0));
    assert_eq!(said(&second.attributes, "clockbox.log.left_out"), "50");
    let last = second.events.last().unwrap();
    assert_eq!(last.name, "log");
    assert_eq!(said(&last.attributes, "log.message"), format!("line {}", LINES - 1));
    assert_eq!(said(&last.attributes, "log.severity"), "warn");
    assert_eq!(said(&last.attributes, "log.field.n"), format!("{}", LINES - 1));
}

#[test]
fn a_failure_is_an_error_with_its_reason() {
    let collector = Receiver::answering([Answer::Status(200)]);
    let bench = Bench::start();
    bench.add("a");
    let traces = Traces::start(&bench.scheduler, &to(&collector)).unwrap();
    assert_eq!(bench.run("a", true).outcome, Some(Outcome::Failed));
    bench.end();
    traces.stop(PATIENCE);
    let all: Vec<Span> = collector.waiting().iter().flat_map(spans).collect();
    assert_eq!(all.len(), 2);
    for span in all {
        let status = span.status.unwrap();
        assert_eq!((status.code(), status.message.as_str()), (StatusCode::Error, "as it was told"));
    }
}

#[test]
fn what_a_collector_refuses_comes_again_once_it_is_well() {
    let collector = Receiver::answering([Answer::Status(503), Answer::Status(503), Answer::Status(200)]);
    let bench = Bench::start();
    bench.add("a");
    let traces = Traces::start(&bench.scheduler, &to(&collector)).unwrap();
    bench.run("a", false);
    let tries =
        [collector.request(), collector.request(), collector.request()].map(|request| spans(&request));
    assert_eq!(tries[0], tries[1]);
    assert_eq!(tries[1], tries[2]);
    let origin = collector.url.trim_end_matches("/hook?a=1");
    talk::heard(&format!("run spans cannot be exported to {origin}: "));
    bench.end();
    traces.stop(PATIENCE);
    assert!(collector.waiting().is_empty());
}

#[test]
fn a_collector_that_hangs_delays_nothing_and_what_waits_for_it_is_bounded() {
    let collector = Receiver::answering([Answer::Hang]);
    let bench = Bench::start();
    bench.add("a");
    let settings = Settings { queue: 10, batch: 4, timeout: PATIENCE, ..to(&collector) };
    let traces = Traces::start(&bench.scheduler, &settings).unwrap();
    bench.run("a", false);
    collector.request();
    for _ in 0..50 {
        bench.run("a", false);
    }
    bench.end();
    // It hangs still: of 102 spans, two to four are under way, ten wait, and the others are gone.
    traces.stop(Duration::from_millis(50));
    let origin = collector.url.trim_end_matches("/hook?a=1");
    let line = talk::heard(&format!("run spans could not be exported to {origin} in time: "));
    let left: usize = line.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((10..=14).contains(&left), "{line}");
    let line = talk::heard(&format!("run spans were dropped, as too many wait for {origin}: "));
    let dropped: usize = line.rsplit(' ').next().unwrap().parse().unwrap();
    assert_eq!(left + dropped, 102, "{line}");
}

#[test]
fn settings_that_are_not_understood_are_refused() {
    let bench = Bench::start();
    let error = Traces::start(&bench.scheduler, &Settings::to("not a url")).unwrap_err();
    assert!(error.to_string().starts_with("the exporter: "), "{error}");
}
