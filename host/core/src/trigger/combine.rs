//! Combinations: when all of several triggers fire at the same instant, or when any of them fires.

use chrono_tz::Tz;

use super::{
    error::TriggerError,
    plan::{Kind, Plan, Whole},
    search::Next,
    spec::{TriggerSpec, When},
};
use crate::model::Timestamp;

/// How often the parts of `all` are brought forward to the latest of them in one search. It bounds the time that a
/// search takes; two daily parts are followed for 11 years.
const TRIES: usize = 8192;
const MOST_PARTS: usize = 64;
/// Of a combination with all that is within it.
const MOST_LEAVES: usize = 256;
const DEEPEST: usize = 4;

/// How often the parts may still be asked in one search.
#[derive(Debug)]
pub(super) struct Tries(usize);

impl Tries {
    pub(super) fn new() -> Self {
        Self(TRIES)
    }
}

/// The first instant not before `at` at which every part fires.
pub(super) fn all(parts: &[Plan], mut at: Timestamp, tries: &mut Tries) -> Next {
    let mut met = 0;
    for (step, part) in parts.iter().cycle().enumerate() {
        match tries.0.checked_sub(part.effort(at)) {
            Some(left) => tries.0 = left,
            // Every part is asked once at least: then they met, or the search has come further.
            None if step < parts.len() => tries.0 = 0,
            None => return Next::NotBefore(at),
        }
        let fire = match part.search(at, tries) {
            Next::Fire(fire) => fire,
            ended => return ended,
        };
        met = if fire == at { met + 1 } else { 1 };
        at = fire;
        if met >= parts.len() {
            break;
        }
    }
    Next::Fire(at)
}

/// The first instant not before `at` at which some part fires.
pub(super) fn any(parts: &[Plan], at: Timestamp, tries: &mut Tries) -> Next {
    // Each has its share, so that a part that meets nothing cannot keep the others from firing.
    let share = tries.0 / parts.len().max(1);
    let search = |part: &Plan| {
        let mut own = Tries(share);
        let next = part.search(at, &mut own);
        tries.0 = tries.0.saturating_sub(share - own.0 + 1);
        next
    };
    parts.iter().map(search).fold(Next::Never, Next::or)
}

/// From when on it is worth to look for a fire of a part.
pub(super) fn begin(plan: &Plan) -> Timestamp {
    let kind = match &plan.kind {
        Kind::Date(date) => *date,
        Kind::Interval(interval) => interval.start.unwrap_or(Timestamp::MIN_UTC),
        Kind::All(parts) => parts.iter().map(begin).max().unwrap_or(Timestamp::MIN_UTC),
        Kind::Any(parts) => parts.iter().map(begin).min().unwrap_or(Timestamp::MIN_UTC),
        Kind::Once | Kind::Cron(_) | Kind::Calendar(_) => Timestamp::MIN_UTC,
    };
    plan.start().map_or(kind, |start| start.max(kind))
}

/// Compiles the parts of a combination.
pub(super) fn parts(
    name: &str,
    specs: &[TriggerSpec],
    zone: Tz,
    seed: u64,
    whole: Whole,
) -> Result<Box<[Plan]>, TriggerError> {
    if specs.is_empty() || specs.len() > MOST_PARTS {
        return Err(TriggerError::new(name, format!("it has {} triggers", specs.len())).with_hint(format!(
            "list 1 to {MOST_PARTS} triggers, such as {name} = [{{ cron = \"0 5 * * *\" }}]"
        )));
    }
    if whole.depth > DEEPEST {
        return Err(TriggerError::new(name, format!("combinations are nested more than {DEEPEST} deep")));
    }
    let count = specs.iter().map(leaves).sum::<usize>();
    if count > MOST_LEAVES {
        return Err(TriggerError::new(
            name,
            format!("it combines {count} triggers in all, and may combine {MOST_LEAVES} at most"),
        ));
    }
    let place = |(index, spec)| {
        let part = Plan::new(spec, zone, seed, Some(whole)).and_then(|part| part.check(spec).map(|()| part));
        part.map_err(|error| error.under(&format!("{name}.{index}")))
    };
    specs.iter().enumerate().map(place).collect()
}

/// How many triggers a specification names, with all that is within it.
fn leaves(spec: &TriggerSpec) -> usize {
    match spec.when() {
        When::All(parts) | When::Any(parts) => parts.iter().map(leaves).sum(),
        _ => 1,
    }
}

/// Whether a trigger can be a part: it must have fire times of its own, whatever fired before.
pub(super) fn fits(spec: &TriggerSpec, kind: &Kind) -> Result<(), TriggerError> {
    if spec.jitter().is_some() {
        return Err(TriggerError::new("jitter", "a part of a combination has no jitter of its own")
            .with_hint("put it beside `all` or `any`"));
    }
    let without_start = |field: &str| {
        TriggerError::new(field, "a part of a combination cannot count from its previous fire")
            .with_hint("give it or the whole a `start`")
    };
    match kind {
        Kind::Once => Err(TriggerError::new("", "a part of a combination needs times of its own")
            .with_hint("give it a date, interval, cron or calendar")),
        Kind::Interval(interval) if interval.start.is_none() => Err(without_start("interval")),
        Kind::Calendar(calendar) if calendar.first.is_none() => Err(without_start("calendar")),
        _ => Ok(()),
    }
}
