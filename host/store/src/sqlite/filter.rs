//! A [`RunFilter`] as SQL.

use rusqlite::types::Value;

use super::rows::{JOB, RUN};
use crate::{JobFilter, RunFilter, micros::to_micros};

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
    if let Some((at, id)) = filter.after {
        terms.push("(scheduled_at, id) < (?, ?)".to_owned());
        values.extend([to_micros(at).into(), id.as_i64().into()]);
    }
    if !filter.states.is_empty() {
        terms.push(one_of("state", filter.states.iter().map(|state| state.as_str())));
    }
    if !filter.causes.is_empty() {
        terms.push(one_of("cause", filter.causes.iter().map(|cause| cause.as_str())));
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

/// The query of jobs by name from where a filter begins; what else it asks for is looked at in each row.
pub(super) fn jobs_query(filter: &JobFilter) -> (String, Vec<Value>) {
    let mut sql = format!("SELECT {JOB} FROM jobs LEFT JOIN job_times ON job_times.job = jobs.name");
    let mut values: Vec<Value> = Vec::new();
    let mut terms: Vec<&str> = Vec::new();
    if let Some(after) = &filter.after {
        terms.push("jobs.name > ?");
        values.push(after.as_str().to_owned().into());
    }
    if let Some(prefix) = &filter.prefix {
        terms.push("jobs.name >= ?");
        values.push(prefix.clone().into());
    }
    if !terms.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(&terms.join(" AND "));
    }
    sql.push_str(" ORDER BY jobs.name");
    (sql, values)
}

/// The names are constants of the core, without quotes in them.
fn one_of(column: &str, names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<String> = names.map(|name| format!("'{name}'")).collect();
    format!("{column} IN ({})", names.join(", "))
}

#[cfg(test)]
mod tests {
    use clockbox_core::model::{JobId, Outcome, RunId};
    use rusqlite::{Connection, params_from_iter};

    use super::*;

    /// How SQLite goes about a filter.
    fn plan(filter: &RunFilter) -> String {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("schema_1.sql")).unwrap();
        let (sql, values) = query(filter);
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps =
            statement.query_map(params_from_iter(values), |row| row.get::<_, String>("detail")).unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn the_newest_are_found_by_an_index_without_sorting() {
        let since = Some("2030-01-01T00:00:00Z".parse().unwrap());
        let job = Some(JobId::new("report").unwrap());
        let outcomes = vec![Outcome::Failed];
        let all = RunFilter { limit: Some(20), ..RunFilter::default() };
        assert_eq!(plan(&all), "SCAN runs USING INDEX runs_by_time");
        let recent = RunFilter { since, until: since, outcomes: outcomes.clone(), ..RunFilter::default() };
        assert_eq!(plan(&recent), "SEARCH runs USING INDEX runs_by_time (scheduled_at>? AND scheduled_at<?)");
        let of_job = RunFilter { job: job.clone(), outcomes, ..RunFilter::default() };
        assert_eq!(plan(&of_job), "SEARCH runs USING INDEX runs_by_job (job=?)");
        let recent_of_job = RunFilter { job, since, ..RunFilter::default() };
        assert_eq!(plan(&recent_of_job), "SEARCH runs USING INDEX runs_by_job (job=? AND scheduled_at>?)");
    }

    #[test]
    fn a_range_of_ids_is_found_by_its_ids() {
        let ids = RunId::range_of_prefix("0abc");
        let plan = plan(&RunFilter { ids, ..RunFilter::default() });
        assert!(plan.starts_with("SEARCH runs USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"), "{plan}");
    }
}
