use clockbox_sdk::{
    JobError,
    http::{Error, ErrorKind, Response},
    testing,
};
use serde_json::json;

use super::*;

/// Runs the check against a page that takes 120 ms.
fn checked(status: u16, body: &'static str, args: &str) -> Result<serde_json::Value, JobError> {
    testing::answer_http(move |_| {
        Ok(Response {
            status,
            body: body.into(),
            first_byte: Duration::from_millis(80),
            elapsed: Duration::from_millis(120),
            ..Default::default()
        })
    });
    testing::call(run, args).map(Option::unwrap_or_default)
}

fn reason(result: Result<serde_json::Value, JobError>) -> String {
    match result.unwrap_err() {
        JobError::Retry(failure) if failure.code == "check-failed" => failure.message,
        other => panic!("not a failed check: {other}"),
    }
}

#[test]
fn a_good_page_is_reported_with_its_timing() {
    let args =
        r#"{"url":"https://a.example","status":[200,204],"contains":"ok","lacks":"error","max_ms":120}"#;
    let report = checked(200, "all ok", args).unwrap();
    let expected =
        json!({"url":"https://a.example","status":200,"first_byte_ms":80,"total_ms":120,"bytes":6});
    assert_eq!(report, expected);
}

#[test]
fn everything_that_is_wrong_is_named_at_once() {
    let args = r#"{"url":"http://a","contains":"ok","lacks":"down","max_ms":100}"#;
    assert_eq!(
        reason(checked(503, "we are down", args)),
        r#"http://a: status 503 instead of 200 to 299; "ok" is not in the body; "down" is in the body; 120 ms instead of 100"#
    );
}

#[test]
fn a_status_can_be_wanted_that_is_an_error_elsewhere() {
    assert!(checked(404, "", r#"{"url":"http://a","status":404}"#).is_ok());
    assert_eq!(
        reason(checked(200, "", r#"{"url":"http://a","status":404}"#)),
        "http://a: status 200 instead of 404"
    );
    assert!(
        reason(checked(200, "", r#"{"url":"http://a","status":[301,302]}"#)).contains("one of [301, 302]")
    );
}

#[test]
fn the_request_is_the_one_asked_for() {
    testing::answer_http(|request| {
        assert_eq!((request.method.as_str(), request.url.as_str()), ("HEAD", "http://a"));
        assert_eq!(request.headers, [("accept".to_owned(), "text/html".to_owned())]);
        assert_eq!(request.timeout, Some(Duration::from_millis(5)));
        Ok(Response { status: 200, ..Default::default() })
    });
    let args = r#"{"url":"http://a","method":"HEAD","headers":{"accept":"text/html"},"timeout_ms":5}"#;
    testing::call(run, args).unwrap();
}

#[test]
fn no_connection_asks_for_a_retry_and_a_missing_right_does_not() {
    testing::answer_http(|_| Err(Error::new(ErrorKind::Connect, "refused")));
    assert_eq!(testing::call(run, r#"{"url":"http://a"}"#), Err(JobError::retry("connect", "refused")));
    testing::answer_http(|_| Err(Error::new(ErrorKind::Denied, "not granted")));
    assert!(matches!(testing::call(run, r#"{"url":"http://a"}"#), Err(JobError::Fatal(_))));
}

#[test]
fn args_are_checked_before_anything_is_sent() {
    let missing = testing::call(run, "null").unwrap_err();
    assert_eq!(missing, JobError::invalid_args("missing field `url` at line 1 column 2"));
    let unknown = testing::call(run, r#"{"url":"http://a","max":1}"#).unwrap_err();
    assert!(
        matches!(unknown, JobError::InvalidArgs(failure) if failure.message.starts_with("unknown field `max`"))
    );
}
