//! Values as an English list.

use chrono::{NaiveTime, Timelike};

/// `a`, `a and b`, `a, b and c`.
pub(super) fn join(items: impl IntoIterator<Item = String>, word: &str) -> String {
    let mut items: Vec<String> = items.into_iter().collect();
    match (items.pop(), items.as_slice()) {
        (None, _) => String::new(),
        (Some(last), []) => last,
        (Some(last), rest) => format!("{} {word} {last}", rest.join(", ")),
    }
}

/// The bits that are set.
pub(super) fn values(bits: u64) -> Vec<u32> {
    (0..64).filter(|value| bits >> value & 1 == 1).collect()
}

/// The bits as a list in which runs are drawn together, `days 1, 3 and 5 to 9`, `every 7th minute from 0 to 56`; with
/// the unit in front where `spoken`.
pub(super) fn list(bits: u64, unit: &str, spoken: bool, name: impl Fn(u32) -> String) -> String {
    let values = values(bits);
    if let Some(step) = step(&values)
        && step > 1
        && values.len() > 3
        && let [first, .., last] = values.as_slice()
    {
        return format!("every {} {unit} from {} to {}", ordinal(step), name(*first), name(*last));
    }
    let runs = values.chunk_by(|a, b| a + 1 == *b).flat_map(|run| match run {
        [first, _, .., last] => vec![format!("{} to {}", name(*first), name(*last))],
        few => few.iter().map(|value| name(*value)).collect(),
    });
    let runs = join(runs, "and");
    match (spoken, values.len()) {
        (false, _) => runs,
        (true, 1) => format!("{unit} {runs}"),
        (true, _) => format!("{unit}s {runs}"),
    }
}

/// The step between the values, when it is the same throughout.
pub(super) fn step(values: &[u32]) -> Option<u32> {
    let [first, second, ..] = values else { return None };
    let step = second - first;
    values.windows(2).all(|pair| matches!(pair, [a, b] if b - a == step)).then_some(step)
}

/// When the values go round the whole of `size` in even steps from 0, the step.
pub(super) fn even_step(bits: u64, size: u32) -> Option<u32> {
    let values = values(bits);
    let step = step(&values)?;
    let all_round = values.first() == Some(&0) && values.last().is_some_and(|last| last + step == size);
    all_round.then_some(step)
}

/// `05:30`, or `05:30:15` where there are seconds.
pub(super) fn clock(time: NaiveTime) -> String {
    time.format(if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" }).to_string()
}

/// `1st`, `2nd`, `3rd`, `4th`.
pub(super) fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
