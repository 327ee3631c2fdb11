//! Policy keys, of a job or of `[defaults]`.

use clockbox_core::model::{Coalesce, Delivery, Grace, Overlap, Policy, Retry, WhenDone};

use super::{
    pools::read_max_instances,
    reader::{Field, TableReader},
    tree::Value,
};

/// Reads the policy keys of a table over `base`.
pub(super) fn read(table: &TableReader<'_>, base: &Policy) -> Policy {
    let mut policy = base.clone();
    let set = |name| table.field(name);
    if let Some(grace) = set("misfire_grace").and_then(|field| read_grace(&field)) {
        policy.misfire_grace = grace;
    }
    if let Some(coalesce) = set("coalesce").and_then(|field| read_coalesce(&field)) {
        policy.coalesce = coalesce;
    }
    if let Some(most) = set("max_instances").and_then(|field| read_max_instances(&field)) {
        policy.max_instances = most;
    }
    let overlaps = [("skip", Overlap::Skip), ("wait", Overlap::Wait), ("replace", Overlap::Replace)];
    if let Some(overlap) = set("overlap").and_then(|field| field.choice(&overlaps)) {
        policy.overlap = overlap;
    }
    let priorities = i64::from(i32::MIN)..=i64::from(i32::MAX);
    if let Some(priority) = set("priority").and_then(|field| field.whole(priorities)) {
        policy.priority = i32::try_from(priority).unwrap_or_default();
    }
    let deliveries = [("at-most-once", Delivery::AtMostOnce), ("at-least-once", Delivery::AtLeastOnce)];
    if let Some(delivery) = set("delivery").and_then(|field| field.choice(&deliveries)) {
        policy.delivery = delivery;
    }
    if let Some(retry) = set("retry").and_then(|field| read_retry(&field, &base.retry)) {
        policy.retry = retry;
    }
    let ends = [("keep", WhenDone::Keep), ("remove", WhenDone::Remove)];
    if let Some(when_done) = set("when_done").and_then(|field| field.choice(&ends)) {
        policy.when_done = Some(when_done);
    }
    policy
}

fn read_grace(field: &Field<'_>) -> Option<Grace> {
    match &field.node.value {
        Value::Text(text) if text.trim() == "forever" => Some(Grace::Forever),
        _ => field.duration_or_zero("1h").map(Grace::Within),
    }
}

fn read_coalesce(field: &Field<'_>) -> Option<Coalesce> {
    match &field.node.value {
        Value::Boolean(true) => Some(Coalesce::Latest),
        Value::Boolean(false) => Some(Coalesce::All),
        Value::Text(_) => field.choice(&[
            ("latest", Coalesce::Latest),
            ("earliest", Coalesce::Earliest),
            ("all", Coalesce::All),
        ]),
        _ => field.mismatch("true, false, \"latest\", \"earliest\" or \"all\"", None),
    }
}

fn read_retry(field: &Field<'_>, base: &Retry) -> Option<Retry> {
    let mut retry = *base;
    if let Value::Whole(attempts) = &field.node.value {
        let hint = Some(format!("write {{ attempts = {attempts} }}"));
        return field.mismatch("a table such as { attempts = 3, backoff = \"10s\" }", hint);
    }
    let table = field.table("{ attempts = 3, backoff = \"10s\" }")?;
    if let Some(attempts) = table.field("attempts").and_then(|field| field.count(1)) {
        retry.attempts = attempts;
    }
    if let Some(backoff) = table.field("backoff").and_then(|field| field.duration_or_zero("10s")) {
        retry.backoff = backoff;
    }
    if let Some(factor) = table.field("factor").and_then(|field| read_factor(&field)) {
        retry.factor = factor;
    }
    if let Some(cap) = table.field("cap").and_then(|field| field.duration_or_zero("1h")) {
        retry.cap = cap;
    }
    if retry.cap < retry.backoff
        && let Some(field) = table.field("cap").or_else(|| table.field("backoff"))
    {
        let hint = "the cap is the longest pause; the backoff is the first";
        field.error("the cap is shorter than the backoff", Some(hint.to_owned()));
    }
    table.finish(&[
        ("max_attempts", "the key is attempts, the first one included"),
        ("count", "the key is attempts, the first one included"),
    ]);
    Some(retry)
}

fn read_factor(field: &Field<'_>) -> Option<f64> {
    let factor = match &field.node.value {
        Value::Float(factor) => *factor,
        #[expect(clippy::cast_precision_loss, reason = "a factor beyond 2^53 is refused below")]
        Value::Whole(factor) => *factor as f64,
        _ => return field.mismatch("a number such as 2.0", None),
    };
    if !(1.0..=1000.0).contains(&factor) {
        field.error(format!("{factor} is out of range 1-1000"), None);
        return None;
    }
    Some(factor)
}
