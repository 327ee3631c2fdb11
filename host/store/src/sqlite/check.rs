//! Looking a database over, beside a running host or without one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, Error, ErrorCode, Result, Row};

use super::{
    connect, error,
    job_text::JobTexts,
    lock, migrate, read,
    rows::{self, ATTEMPT, CANCELLING, JOB, RUN, StoredLine},
    state,
    types::{Json, Time},
};
use crate::{StoreCheck, StoreContents, StoreError, StoreProblem};

/// The most problems of one sort that are told one by one.
const TOLD: usize = 20;

/// Looks the database at `path` over.
pub(crate) fn check(path: &Path) -> Result<StoreCheck, StoreError> {
    let path = connect::settle(path)?;
    if !path.exists() {
        return Err(connect::none(&path));
    }
    let mut check = StoreCheck {
        size: size(&path),
        host: lock::holder(&path),
        contents: None,
        problems: Vec::new(),
        path: path.clone(),
    };
    let found = connect::reader(&path, false).and_then(|connection| {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    });
    let mut connection = match found {
        Ok(connection) => connection,
        Err(e) if is_damage(&e) => {
            check.problems.push(StoreProblem::Damaged(format!(
                "{e}: the file is not a SQLite database, or its beginning is destroyed"
            )));
            return Ok(check);
        }
        // Where nothing may be created beside it: an opened store knows the way around that.
        Err(_) => connect::to_read(&path)?.1.take().map_err(|e| error::at_open(&path, &e))?,
    };
    match migrate::version(&connection, &path)? {
        migrate::Version::Current => {}
        migrate::Version::Empty => return Err(connect::none(&path)),
        migrate::Version::Older(version) => return Err(connect::older(&path, version)),
    }
    // One snapshot for all, so that a host that goes on writing makes no difference.
    let snapshot = connection.transaction().map_err(|e| error::in_use(&path, "read", &e))?;
    if let Err(e) = examine(&snapshot, &mut check) {
        if !is_damage(&e) {
            return Err(error::in_use(&path, "read", &e));
        }
        check.problems.push(StoreProblem::Damaged(e.to_string()));
    }
    check.problems.sort_by_key(|problem| !matches!(problem, StoreProblem::Damaged(_)));
    Ok(check)
}

/// The file and the log beside it.
fn size(path: &Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    // A log that is not there holds nothing.
    [path.to_owned(), PathBuf::from(log)].iter().filter_map(|file| Some(fs::metadata(file).ok()?.len())).sum()
}

fn is_damage(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn examine(connection: &Connection, check: &mut StoreCheck) -> Result<()> {
    let problems = &mut check.problems;
    let mut integrity = connection.prepare(&format!("PRAGMA integrity_check({TOLD})"))?;
    for line in integrity.query_map([], |row| row.get::<_, String>(0))? {
        let line = line?;
        if line != "ok" {
            problems.push(StoreProblem::Damaged(
                line.trim_start_matches("*** in database main ***\n").to_owned(),
            ));
        }
    }
    dangling(connection, problems)?;
    let job =
        format!("SELECT {JOB} FROM jobs LEFT JOIN job_times ON job_times.job = jobs.name ORDER BY jobs.name");
    unreadable(
        connection,
        &job,
        problems,
        |row| rows::job(row, &mut JobTexts::default()),
        |row| Ok(format!("job {}", text(row, 6)?)),
    )?;
    let run = format!("SELECT {RUN} FROM runs ORDER BY id");
    unreadable(connection, &run, problems, rows::run, |row| {
        Ok(format!("run number {} of job {}", text(row, 0)?, text(row, 1)?))
    })?;
    unreadable(connection, CANCELLING, problems, rows::cancelling, |row| {
        Ok(format!("what is to stop, run number {}", text(row, 0)?))
    })?;
    let attempt = format!("SELECT {ATTEMPT}, run FROM attempts ORDER BY run, number");
    unreadable(connection, &attempt, problems, rows::attempt, |row| {
        Ok(format!("attempt {} of run number {}", text(row, 0)?, text(row, 7)?))
    })?;
    let log = "SELECT lines, part, attempt, run FROM logs ORDER BY run, attempt, part";
    let lines = |row: &Row<'_>| row.get::<_, Json<Vec<StoredLine<'static>>>>(0);
    unreadable(connection, log, problems, lines, |row| {
        Ok(format!("part {} of the log of run number {}", text(row, 1)?, text(row, 3)?))
    })?;
    let entry = format!("SELECT {}, job FROM job_state ORDER BY job, key", state::ENTRY);
    unreadable(connection, &entry, problems, state::entry, |row| {
        Ok(format!("state {:?} of job {}", text(row, 0)?, text(row, 3)?))
    })?;
    check.contents = Some(contents(connection)?);
    Ok(())
}

/// Rows whose other half is missing.
fn dangling(connection: &Connection, problems: &mut Vec<StoreProblem>) -> Result<()> {
    let mut orphans = connection.prepare(
        "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY \"table\", parent ORDER BY 1",
    )?;
    let mut orphans = orphans.query([])?;
    while let Some(row) = orphans.next()? {
        problems.push(StoreProblem::Dangling(format!(
            "{} rows of {} belong to rows of {} that are gone",
            text(row, 2)?,
            text(row, 0)?,
            text(row, 1)?
        )));
    }
    Ok(())
}

/// Reads every row of a query, and tells of those that are not understood.
fn unreadable<T>(
    connection: &Connection,
    sql: &str,
    problems: &mut Vec<StoreProblem>,
    understand: impl Fn(&Row<'_>) -> Result<T>,
    name: impl Fn(&Row<'_>) -> Result<String>,
) -> Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut found = 0;
    while let Some(row) = rows.next()? {
        let Err(e) = understand(row) else { continue };
        let why = read::why_unreadable(&e).ok_or(e)?;
        found += 1;
        if found <= TOLD {
            let name = name(row)?;
            // What names itself is not named twice.
            let why = why.strip_prefix(&format!("{name}: ")).unwrap_or(&why);
            problems.push(StoreProblem::Unreadable(format!("{name}: {why}")));
        }
    }
    if found > TOLD {
        problems.push(StoreProblem::Unreadable(format!("and {} more rows of this kind", found - TOLD)));
    }
    Ok(())
}

/// A column as text, whatever it holds.
fn text(row: &Row<'_>, column: usize) -> Result<String> {
    use rusqlite::types::ValueRef;
    Ok(match row.get_ref(column)? {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    })
}

fn contents(connection: &Connection) -> Result<StoreContents> {
    let count = |what: &str| {
        let count: i64 =
            connection.query_row(&format!("SELECT count(*) FROM {what}"), [], |row| row.get(0))?;
        Ok::<_, Error>(u64::try_from(count).unwrap_or_default())
    };
    let end = |which: &str| {
        let sql = format!("SELECT {which}(scheduled_at) FROM runs");
        // A time that is not understood has been told of; it is no end of the history.
        let micros =
            connection.query_row(&sql, [], |row| Ok(row.get::<_, Option<Time>>(0).ok().flatten()))?;
        Ok::<_, Error>(micros.map(|time| time.0))
    };
    Ok(StoreContents {
        jobs: count("jobs")?,
        runs: count("runs")?,
        unfinished: count(&format!("runs WHERE {}", read::UNFINISHED))?,
        attempts: count("attempts")?,
        state: count("job_state")?,
        oldest: end("min")?,
        newest: end("max")?,
    })
}
