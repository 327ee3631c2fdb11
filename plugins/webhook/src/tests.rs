use clockbox_sdk::testing;
use serde_json::json;

use super::*;

/// What the receiver gets, and what becomes of the run when it answers with `status`.
fn sent(status: u16, headers: &[(&str, &str)], args: &str) -> (Option<Request>, Result<Value, JobError>) {
    let got = std::rc::Rc::new(std::cell::RefCell::new(None));
    let keep = got.clone();
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    testing::answer_http(move |request| {
        *keep.borrow_mut() = Some(request.clone());
        Ok(Response { status, headers: headers.clone(), body: b"thanks".to_vec(), ..Default::default() })
    });
    let result = testing::call(run, args).map(Option::unwrap_or_default);
    (got.take(), result)
}

fn failure(status: u16, headers: &[(&str, &str)]) -> JobError {
    sent(status, headers, r#"{"url":"http://a"}"#).1.unwrap_err()
}

#[test]
fn the_payload_carries_facts_and_arguments() {
    let args = r#"{"url":"https://a.example/x","payload":{"text":"{{job_id}} says {{args.what}}","n":"{{args.n}}"},
        "what":"hi","n":5}"#;
    let (request, result) = sent(202, &[], args);
    let request = request.unwrap();
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "https://a.example/x"));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, json!({"text": "test-job says hi", "n": 5}));
    assert_eq!(result, Ok(json!({"status": 202, "total_ms": 0, "answer": "thanks"})));
}

#[test]
fn without_a_payload_the_facts_of_the_run_are_sent() {
    let request = sent(200, &[], r#"{"url":"http://a"}"#).0.unwrap();
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let expected = json!({"job_id": "test-job", "run_id": "test-run", "attempt": 1,
        "scheduled_at": "2030-01-01T00:00:00+00:00"});
    assert_eq!(body, expected);
}

#[test]
fn headers_are_filled_in_and_the_idempotency_key_is_sent() {
    testing::set_facts(testing::Facts {
        config: [("token".into(), "t".into())].into(),
        ..Default::default()
    });
    let args = r#"{"url":"http://a","method":"PUT","headers":{"authorization":"Bearer {{config.token}}"}}"#;
    let request = sent(200, &[], args).0.unwrap();
    assert_eq!(request.method, "PUT");
    let header =
        |name: &str| request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(header("authorization"), Some("Bearer t"));
    assert_eq!(header("idempotency-key"), Some("test-key"));
    assert_eq!(header("content-type"), Some("application/json"));
}

#[test]
fn nothing_is_sent_when_a_template_or_an_argument_is_wrong() {
    for args in [
        r#"{"url":"http://a","payload":"{{nope}}"}"#,
        r#"{"url":"http://a","haeders":{}}"#,
        r#"{"payload":1}"#,
    ] {
        let (request, result) = sent(200, &[], args);
        assert!(matches!(result, Err(JobError::InvalidArgs(_))), "{args}: {result:?}");
        assert_eq!(request, None, "{args}");
    }
}

#[test]
fn a_refusal_for_now_asks_for_a_retry_and_one_for_good_does_not() {
    let message = |status| format!("the receiver answered {status}: thanks");
    assert_eq!(failure(503, &[]), JobError::retry("status-503", message(503)));
    assert_eq!(failure(404, &[]), JobError::fatal("status-404", message(404)));
    let busy = failure(429, &[("retry-after", "7")]);
    assert_eq!(busy, JobError::retry_after(Duration::from_secs(7), "status-429", message(429)));
    let date = failure(429, &[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")]);
    assert_eq!(date, JobError::retry("status-429", message(429)));
}
