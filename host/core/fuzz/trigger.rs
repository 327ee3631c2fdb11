//! Any text as a trigger: no panic, no long search, and fires that keep their promises.
//!
//! The first byte says what the rest is: `c` a crontab string, `i` an interval, `d` a date, `t` a trigger as JSON,
//! `j` a line of questions. The second chooses a time zone.

#![no_main]

use chrono_tz::{TZ_VARIANTS, Tz};
use clockbox_core::{
    model::Timestamp,
    trigger::{Next, Trigger, TriggerSpec, jsonl},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [kind, zone, text @ ..] = data else { return };
    let text = String::from_utf8_lossy(text);
    let now: Timestamp = "2026-03-01T00:00:00.5Z".parse().expect("a time");
    let spec = match kind {
        b'c' => TriggerSpec::cron(&text),
        b'i' => TriggerSpec::interval(&text),
        b'd' => TriggerSpec::date(&text),
        b't' => match serde_json::from_str(&text) {
            Ok(spec) => spec,
            Err(_) => return,
        },
        _ => {
            let answer = jsonl::answer(&text, now, 10);
            let answer: serde_json::Value = serde_json::from_str(&answer).expect("an answer is JSON");
            assert!(answer.get("fires").is_some() != answer.get("error").is_some(), "{answer}");
            return;
        }
    };
    let zone: Tz = TZ_VARIANTS[usize::from(*zone) * 2 % TZ_VARIANTS.len()];
    match Trigger::new(spec, zone) {
        Ok(trigger) => check(&trigger, now),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

fn check(trigger: &Trigger, now: Timestamp) {
    assert!(!trigger.describe().is_empty());
    let json = serde_json::to_string(trigger).expect("a trigger can be written");
    assert_eq!(serde_json::from_str::<Trigger>(&json).ok().as_ref(), Some(trigger), "{json}");
    let first = trigger.next_after(None, now);
    assert_eq!(trigger.look(None, now) != Next::Never, trigger.check_at(now).is_ok(), "{json}");
    let mut previous = first;
    for _ in 0..20 {
        let Some(fire) = previous else { break };
        assert!(trigger.delay(7, fire) <= std::time::Duration::MAX);
        let next = trigger.next_after(Some(fire), now);
        assert!(next.is_none_or(|next| next > fire), "{json}: {next:?} after {fire}");
        assert_eq!(next, trigger.next_after(Some(fire), fire.max(now)), "{json}: the way to {fire} counts");
        previous = next;
    }
}
