//! The statements of a commit: each found or prepared once for a batch, and kept by the connection for the next.

use rusqlite::{CachedStatement, Connection, Result};

/// A statement that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sql {
    PutJob,
    PutTimes,
    RemoveJob,
    MoveTimes,
    MoveSuccess,
    InsertRun,
    UpdateRun,
    PutAttempt,
    AppendLog,
    PutPause,
    EndPause,
    PutCancelling,
    EndCancelling,
    FindJob,
    DropExpired,
    FindState,
    SizeOfState,
    PutState,
    DeleteState,
    Mark,
    BackToMark,
    ForgetMark,
}

impl Sql {
    const ALL: [Self; 22] = [
        Self::PutJob,
        Self::PutTimes,
        Self::RemoveJob,
        Self::MoveTimes,
        Self::MoveSuccess,
        Self::InsertRun,
        Self::UpdateRun,
        Self::PutAttempt,
        Self::AppendLog,
        Self::PutPause,
        Self::EndPause,
        Self::PutCancelling,
        Self::EndCancelling,
        Self::FindJob,
        Self::DropExpired,
        Self::FindState,
        Self::SizeOfState,
        Self::PutState,
        Self::DeleteState,
        Self::Mark,
        Self::BackToMark,
        Self::ForgetMark,
    ];

    const fn text(self) -> &'static str {
        match self {
            Self::PutJob => {
                "INSERT INTO jobs (name, job, paused_at, pause_note, paused_by, declared)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET
                     job = excluded.job, paused_at = excluded.paused_at, pause_note = excluded.pause_note,
                     paused_by = excluded.paused_by, declared = excluded.declared"
            }
            Self::PutTimes => {
                "INSERT INTO job_times (job, next_fire, last_fire, last_success) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET
                     next_fire = excluded.next_fire, last_fire = excluded.last_fire,
                     last_success = coalesce(max(last_success, excluded.last_success),
                                             last_success, excluded.last_success)"
            }
            Self::RemoveJob => "DELETE FROM jobs WHERE name = ?1",
            Self::MoveTimes => {
                "UPDATE job_times SET
                     next_fire = iif(?2, ?3, next_fire),
                     last_fire = coalesce(max(last_fire, ?4), last_fire, ?4)
                 WHERE job = ?1"
            }
            Self::MoveSuccess => {
                "UPDATE job_times SET last_success = ?2
                 WHERE job = ?1 AND (last_success IS NULL OR last_success < ?2)"
            }
            Self::InsertRun => {
                "INSERT INTO runs (id, job, plugin, pool, cause, scheduled_at, recorded_at, state, attempt,
                                   started_at, finished_at, retry_at, outcome, reason, output, coalesced, args)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
                 ON CONFLICT DO NOTHING"
            }
            Self::UpdateRun => {
                "UPDATE runs SET state = ?2, attempt = ?3, started_at = ?4, finished_at = ?5, retry_at = ?6,
                                 outcome = ?7, reason = ?8, output = ?9, coalesced = ?10
                 WHERE id = ?1"
            }
            Self::PutAttempt => {
                "INSERT INTO attempts (run, number, started_at, finished_at, outcome, reason, backtrace, peak_memory)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT DO UPDATE SET
                     started_at = excluded.started_at, finished_at = excluded.finished_at,
                     outcome = excluded.outcome, reason = excluded.reason, backtrace = excluded.backtrace,
                     peak_memory = excluded.peak_memory"
            }
            Self::AppendLog => {
                "INSERT INTO logs (run, attempt, part, lines) VALUES (?1, ?2,
                     (SELECT coalesce(max(part), 0) + 1 FROM logs WHERE run = ?1 AND attempt = ?2), ?3)"
            }
            Self::PutPause => {
                "INSERT INTO pause (one, paused_at, paused_by, note) VALUES (1, ?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET
                     paused_at = excluded.paused_at, paused_by = excluded.paused_by, note = excluded.note"
            }
            Self::EndPause => "DELETE FROM pause",
            Self::PutCancelling => {
                "INSERT INTO cancelling (run, why) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET why = excluded.why"
            }
            Self::EndCancelling => "DELETE FROM cancelling WHERE run = ?1",
            Self::FindJob => "SELECT 1 FROM jobs WHERE name = ?1",
            Self::DropExpired => "DELETE FROM job_state WHERE job = ?1 AND expires_at <= ?2",
            Self::FindState => "SELECT value FROM job_state WHERE job = ?1 AND key = ?2",
            Self::SizeOfState => {
                "SELECT coalesce(sum(length(CAST(key AS BLOB)) + length(value) + ?2), 0)
                 FROM job_state WHERE job = ?1"
            }
            Self::PutState => {
                "INSERT INTO job_state (job, key, value, expires_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at"
            }
            Self::DeleteState => "DELETE FROM job_state WHERE job = ?1 AND key = ?2",
            // A part of a transaction that may be taken back.
            Self::Mark => "SAVEPOINT part",
            Self::BackToMark => "ROLLBACK TO part",
            Self::ForgetMark => "RELEASE part",
        }
    }
}

/// The statements that a batch has used so far.
pub(super) struct Statements<'c> {
    connection: &'c Connection,
    used: [Option<CachedStatement<'c>>; Sql::ALL.len()],
}

impl<'c> Statements<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection, used: Sql::ALL.map(|_| None) }
    }

    /// The statement, ready to run.
    pub(super) fn get(&mut self, sql: Sql) -> Result<&mut CachedStatement<'c>> {
        let place = &mut self.used[sql as usize];
        match place {
            Some(statement) => Ok(statement),
            None => Ok(place.insert(self.connection.prepare_cached(sql.text())?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::sqlite::connect;

    #[test]
    fn every_statement_is_in_its_place() {
        for (place, sql) in Sql::ALL.into_iter().enumerate() {
            assert_eq!(sql as usize, place);
        }
    }

    /// A database in memory, with the tables and settings of a store.
    fn connection() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connect::tune(&connection).unwrap();
        connection.execute_batch(include_str!("schema_1.sql")).unwrap();
        connection.execute_batch(include_str!("schema_2.sql")).unwrap();
        connection.execute_batch(include_str!("schema_3.sql")).unwrap();
        connection.execute_batch(include_str!("schema_4.sql")).unwrap();
        connection.execute_batch(include_str!("schema_5.sql")).unwrap();
        connection
    }

    #[test]
    fn no_statement_is_planned_anew_for_other_values() {
        let connection = connection();
        let mut statements = Statements::new(&connection);
        for sql in Sql::ALL {
            let statement = statements.get(sql).unwrap();
            for n in 0..5_i64 {
                for parameter in 1..=statement.parameter_count() {
                    statement.raw_bind_parameter(parameter, n).unwrap();
                }
                // Whether these values make sense to it does not matter here.
                drop(statement.raw_execute());
            }
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql:?}");
        }
    }

    #[test]
    fn no_statement_builds_a_table_of_its_own() {
        let connection = connection();
        for sql in Sql::ALL {
            let mut explain = connection.prepare(&format!("EXPLAIN {}", sql.text())).unwrap();
            let mut steps = explain.raw_query();
            while let Some(step) = steps.next().unwrap() {
                let code: String = step.get("opcode").unwrap();
                assert!(
                    !["OpenEphemeral", "SorterOpen", "OpenAutoindex"].contains(&code.as_str()),
                    "{sql:?}: {code}"
                );
            }
        }
    }
}
