//! A [`RunFilter`] as SQL.

use rusqlite::types::Value;

use super::rows::RUN;
use crate::{RunFilter, micros::to_micros};

/// The query of a filter, with the values of its parameters.
pub(super) fn query(filter: &RunFilter) -> (String, Vec<Value>) {
    let mut terms = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut term = |text: &str, value: Value| {
        terms.push(text.to_owned());
        values.push(value);
    };
    if let Some(job) = &filter.job {
        term("job = ?", job.as_str().to_owned().into());
    }
    if let Some(since) = filter.since {
        term("scheduled_at >= ?", to_micros(since).into());
    }
    if let Some(until) = filter.until {
        term("scheduled_at < ?", to_micros(until).into());
    }
    if let Some((low, high)) = filter.ids {
        term("id >= ?", low.as_i64().into());
        term("id <= ?", high.as_i64().into());
    }
    if !filter.states.is_empty() {
        terms.push(one_of("state", filter.states.iter().map(|state| state.as_str())));
    }
    if !filter.outcomes.is_empty() {
        terms.push(one_of("outcome", filter.outcomes.iter().map(|outcome| outcome.as_str())));
    }
    let mut sql = format!("SELECT {RUN} FROM runs");
    if !terms.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(&terms.join(" AND "));
    }
    sql.push_str(" ORDER BY scheduled_at DESC, id DESC");
    if let Some(limit) = filter.limit {
        sql.push_str(" LIMIT ?");
        values.push(i64::from(limit).into());
    }
    (sql, values)
}

/// The names are constants of the core, without quotes in them.
fn one_of(column: &str, names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<String> = names.map(|name| format!("'{name}'")).collect();
    format!("{column} IN ({})", names.join(", "))
}
