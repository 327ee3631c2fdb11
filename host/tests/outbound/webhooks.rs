//! Webhooks, as their receivers see them.

use std::{sync::Arc, time::Duration};

use clockbox::{
    Job,
    manifest::{JobPattern, Occasion, WebhookKey, WebhookSettings},
    webhooks::{Counts, Settings, Webhooks},
};

use crate::{
    bench::Bench,
    receiver::{Answer, Receiver},
    talk,
};

/// A guard, not a wait.
const PATIENCE: Duration = Duration::from_secs(60);

fn to(url: &str) -> WebhookSettings {
    WebhookSettings { backoff: Duration::from_millis(1), ..WebhookSettings::to(url.parse().unwrap()) }
}

/// One that is told of pauses alone.
fn of_pauses(url: &str) -> WebhookSettings {
    WebhookSettings { events: vec![Occasion::Event("scheduler-paused")], ..to(url) }
}

fn one(name: &str, settings: WebhookSettings) -> Settings {
    [(name.parse().unwrap(), settings)].into()
}

/// Waits until the counts are as they should become.
fn until(webhooks: &Webhooks, name: &str, is_it: impl Fn(Counts) -> bool) -> Counts {
    loop {
        let counts = webhooks.counts()[name];
        if is_it(counts) {
            return counts;
        }
        std::thread::yield_now();
    }
}

#[test]
fn what_a_receiver_refuses_twice_it_is_sent_again_and_each_try_is_signed() {
    let receiver = Receiver::answering([500, 429, 204].map(Answer::Status));
    let bench = Bench::start();
    bench.add("a");
    let key = WebhookKey::new("a secret that is long enough to be one").unwrap();
    let settings = WebhookSettings { key: Some(key.clone()), ..to(&receiver.url) };
    let webhooks = Webhooks::start(&bench.scheduler, one("ops", settings)).unwrap();
    bench.run("a", true);

    let tries = [receiver.request(), receiver.request(), receiver.request()];
    for request in &tries {
        assert_eq!(request.line, "POST /hook?a=1 HTTP/1.1");
        assert_eq!(request.header("content-type"), "application/json");
        assert!(request.is_signed_with(key.bytes()), "{request:?}");
        assert!(!request.is_signed_with(b"another"));
        assert_eq!(request.header("webhook-id"), tries[0].header("webhook-id"));
        assert_eq!(request.body, tries[0].body);
        let now = bench.scheduler.clock().now().timestamp();
        let sent: i64 = request.header("webhook-timestamp").parse().unwrap();
        assert!((now - 60..=now).contains(&sent), "{sent}");
    }
    let body = tries[0].json();
    assert_eq!((&body["type"], &body["job"]), (&"failure".into(), &"a".into()));
    assert_eq!(
        (&body["data"]["event"], &body["data"]["outcome"]),
        (&"run-finished".into(), &"failed".into())
    );
    assert_eq!((&body["run"]["cause"], &body["run"]["plugin"]), (&"manual".into(), &"work".into()));
    assert_eq!(body["run"]["id"], body["data"]["run"]);
    assert_eq!(body["reason"], "as it was told");
    assert!(body["host"].as_str().is_some_and(|host| !host.is_empty()));
    until(&webhooks, "ops", |counts| counts.delivered == 1 && counts.waiting == 0);
    bench.end();
    webhooks.stop(PATIENCE);
    assert_eq!(receiver.waiting().len(), 0, "it was sent more often than it had to be");
}

#[test]
fn one_that_hangs_stops_neither_jobs_nor_others_nor_the_end() {
    let (hangs, takes) = (Receiver::answering([Answer::Hang]), Receiver::taking());
    let bench = Bench::start();
    bench.add("a");
    let both = [("hangs", &hangs), ("takes", &takes)].map(|(name, receiver)| {
        (name.parse().unwrap(), WebhookSettings { timeout: PATIENCE, ..to(&receiver.url) })
    });
    let webhooks = Webhooks::start(&bench.scheduler, both.into()).unwrap();
    for _ in 0..20 {
        bench.run("a", true);
        takes.request();
    }
    hangs.request();
    until(&webhooks, "hangs", |counts| counts.waiting == 20);
    bench.end();
    // It hangs still.
    webhooks.stop(Duration::from_millis(1));
    talk::heard("webhook \"hangs\": messages were not delivered before the host ended: 20");
    assert!(hangs.waiting().is_empty());
}

#[test]
fn a_timeout_is_a_failure_like_any_other() {
    let receiver = Receiver::answering([Answer::Hang, Answer::Status(200)]);
    let bench = Bench::start();
    let settings = WebhookSettings { timeout: Duration::from_millis(50), ..of_pauses(&receiver.url) };
    let webhooks = Webhooks::start(&bench.scheduler, one("slow", settings)).unwrap();
    bench.pause_and_resume();
    assert_eq!(receiver.request().header("webhook-id"), receiver.request().header("webhook-id"));
    until(&webhooks, "slow", |counts| counts.delivered == 1);
    talk::heard("webhook \"slow\": scheduler-paused was not delivered to http://127.0.0.1");
}

#[test]
fn a_full_queue_drops_what_comes_and_says_so() {
    let receiver = Receiver::answering([Answer::Hang]);
    let bench = Bench::start();
    let settings = WebhookSettings { timeout: PATIENCE, ..of_pauses(&receiver.url) };
    let webhooks = Webhooks::start(&bench.scheduler, one("full", settings.clone())).unwrap();
    bench.pause_and_resume();
    receiver.request();
    for _ in 0..1010 {
        bench.pause_and_resume();
    }
    let counts = until(&webhooks, "full", |counts| counts.waiting + counts.dropped == 1011);
    assert_eq!((counts.waiting, counts.dropped), (1001, 10));
    talk::heard("webhook \"full\": 1000 messages wait already; scheduler-paused and what follows is dropped");
    // What waits goes to wherever the webhook is by then, and there is room again.
    let other = Receiver::taking();
    receiver.answer(Answer::Status(204));
    webhooks
        .set(one("full", WebhookSettings { timeout: Duration::from_millis(50), ..of_pauses(&other.url) }));
    webhooks.set(one("other", of_pauses(&other.url)));
    talk::heard("webhook \"full\": messages were dropped, its queue was full: 10");
    talk::heard("webhook \"full\": messages were not delivered and the webhook is no more: 1001");
}

#[test]
fn each_is_told_of_its_jobs_and_occasions_alone() {
    let (nightly, all) = (Receiver::taking(), Receiver::taking());
    let bench = Bench::start();
    ["nightly-a", "daily"].iter().for_each(|job| bench.add(job));
    let of_nightly = WebhookSettings { jobs: vec![JobPattern::new("nightly-*")], ..to(&nightly.url) };
    let success = WebhookSettings { events: vec![Occasion::Success], ..to(&all.url) };
    let both = [("nightly".parse().unwrap(), of_nightly), ("all".parse().unwrap(), success)];
    let webhooks = Webhooks::start(&bench.scheduler, both.into()).unwrap();
    for (job, fails) in [("daily", true), ("daily", false), ("nightly-a", false), ("nightly-a", true)] {
        bench.run(job, fails);
    }
    bench.run("nightly-a", false);
    bench.end();
    webhooks.stop(PATIENCE);
    let told = |receiver: &Receiver| {
        let words = receiver.waiting().into_iter().map(|request| {
            let body = request.json();
            assert_eq!(request.header("webhook-signature"), "", "there is no secret");
            format!("{} of {}", body["type"].as_str().unwrap(), body["job"].as_str().unwrap())
        });
        words.collect::<Vec<_>>()
    };
    assert_eq!(told(&nightly), ["failure of nightly-a", "recovery of nightly-a"]);
    assert_eq!(told(&all), ["success of daily", "success of nightly-a", "success of nightly-a"]);
}

#[test]
fn a_miss_is_told_with_its_reason() {
    let receiver = Receiver::taking();
    let bench = Bench::start();
    let webhooks = Webhooks::start(&bench.scheduler, one("misses", to(&receiver.url))).unwrap();
    let long_ago = Job::new("late").plugin("work").at("2020-01-01T00:00:00Z".parse().unwrap());
    bench.scheduler.add_job(long_ago).wait().unwrap();
    let body = receiver.request().json();
    assert_eq!((&body["type"], &body["job"]), (&"miss".into(), &"late".into()));
    assert_eq!((&body["run"]["state"], &body["reason"]), (&"missed".into(), &body["data"]["reason"]));
    bench.end();
    webhooks.stop(PATIENCE);
}

#[test]
fn a_recovery_is_known_as_one_over_a_restart() {
    let receiver = Receiver::taking();
    let hook = || one("recovery", WebhookSettings { events: vec![Occasion::Recovery], ..to(&receiver.url) });
    let bench = Bench::start();
    ["broken", "well"].iter().for_each(|job| bench.add(job));
    bench.run("broken", true);
    bench.run("well", true);
    bench.run("well", false);
    bench.end();

    let bench = Bench::on(Arc::clone(&bench.store));
    let webhooks = Webhooks::start(&bench.scheduler, hook()).unwrap();
    bench.run("well", false);
    bench.run("broken", false);
    bench.run("broken", false);
    bench.end();
    webhooks.stop(PATIENCE);
    let told: Vec<_> = receiver.waiting().iter().map(|request| request.json()["text"].to_string()).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("\"broken: works again (run "), "{told:?}");
}

#[test]
fn what_waits_for_a_retry_goes_at_once_to_where_the_webhook_is_now() {
    let (old, new) = (Receiver::answering([Answer::Status(500)]), Receiver::taking());
    let bench = Bench::start();
    let patient = |url: &str| WebhookSettings { backoff: Duration::from_secs(86_400), ..of_pauses(url) };
    let webhooks = Webhooks::start(&bench.scheduler, one("moved", patient(&old.url))).unwrap();
    bench.pause_and_resume();
    let first = old.request();
    talk::heard("webhook \"moved\": scheduler-paused was not delivered to http://127.0.0.1");
    webhooks.set(one("moved", patient(&new.url)));
    assert_eq!(new.request().header("webhook-id"), first.header("webhook-id"));
    until(&webhooks, "moved", |counts| counts == Counts { delivered: 1, ..Counts::default() });
    // Nobody is to be told any more, then somebody is again.
    webhooks.set(Settings::new());
    assert!(webhooks.counts().is_empty());
    bench.pause_and_resume();
    webhooks.set(one("again", of_pauses(&new.url)));
    assert_eq!(webhooks.counts().len(), 1);
    bench.scheduler.pause(Some("ada".into()), Some("audit".into())).wait().unwrap();
    assert_eq!(new.request().json()["reason"], "audit");
    assert!(old.waiting().is_empty());
}

#[test]
fn what_fails_to_the_last_is_given_up_and_told() {
    let receiver = Receiver::answering([Answer::Status(503)]);
    let bench = Bench::start();
    let settings = WebhookSettings { retries: 2, ..of_pauses(&receiver.url) };
    let webhooks = Webhooks::start(&bench.scheduler, one("dead", settings)).unwrap();
    bench.pause_and_resume();
    until(&webhooks, "dead", |counts| counts.failed == 1 && counts.waiting == 0);
    assert_eq!(receiver.waiting().len(), 3);
    let line = talk::heard("webhook \"dead\": scheduler-paused was not delivered to http://127.0.0.1");
    assert!(!line.contains("/hook"), "the path may be a secret: {line}");
    talk::heard(", at try 3: it answered 503 ");
}

#[test]
fn a_redirect_is_not_followed() {
    let other = Receiver::taking();
    let receiver = Receiver::answering([Answer::Elsewhere(other.url.clone())]);
    let bench = Bench::start();
    let webhooks = Webhooks::start(&bench.scheduler, one("elsewhere", of_pauses(&receiver.url))).unwrap();
    bench.pause_and_resume();
    until(&webhooks, "elsewhere", |counts| counts.failed == 1);
    assert_eq!((receiver.waiting().len(), other.waiting().len()), (1, 0));
}

#[test]
fn the_end_sends_what_has_happened_and_waits_for_no_retry() {
    let (takes, fails) = (Receiver::taking(), Receiver::answering([Answer::Status(500)]));
    let bench = Bench::start();
    let of_the_end = |receiver: &Receiver| WebhookSettings {
        events: vec![Occasion::Event("scheduler-stopped")],
        backoff: Duration::from_secs(86_400),
        ..to(&receiver.url)
    };
    let both =
        [("takes".parse().unwrap(), of_the_end(&takes)), ("fails".parse().unwrap(), of_the_end(&fails))];
    let webhooks = Webhooks::start(&bench.scheduler, both.into()).unwrap();
    bench.end();
    webhooks.stop(PATIENCE);
    assert_eq!(takes.waiting().len(), 1);
    assert!((1..=2).contains(&fails.waiting().len()), "it may have failed before the end began");
    talk::heard("webhook \"fails\": scheduler-stopped was not delivered to");
}
