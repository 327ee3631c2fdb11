//! The history, once everything has come to its end.

use clockbox_core::model::*;

use crate::disk::Disk;

/// What an attempt says: its own run and number, so that nobody else's line is taken for it.
pub(crate) fn line(at: Timestamp, run: RunId, attempt: u32) -> LogLine {
    LogLine {
        at,
        stream: LogStream::Log,
        level: LogLevel::Info,
        message: format!("{run} {attempt}"),
        fields: Vec::new(),
    }
}

pub(crate) fn audit(disk: &Disk) {
    for run in disk.runs() {
        assert!(run.state.is_final(), "history: left behind: {run:?}");
        assert_eq!(run.outcome.is_some(), run.state == RunState::Finished, "history: {run:?}");
        assert!(run.outcome.is_some() || run.reason.is_some(), "history: no reason: {run:?}");
        assert!(run.finished_at.is_some() && run.retry_at.is_none(), "history: {run:?}");
        let attempts = disk.store.run(run.id).unwrap().unwrap().attempts;
        let numbers: Vec<u32> = attempts.iter().map(|attempt| attempt.number).collect();
        assert_eq!(numbers, (1..=run.attempt).collect::<Vec<_>>(), "history: attempts of {run:?}");
        let mut expected = Vec::new();
        for attempt in &attempts {
            let Some(outcome) = attempt.outcome else {
                panic!("history: no outcome: {attempt:?} of {run:?}")
            };
            assert!(attempt.finished_at.is_some(), "history: {attempt:?} of {run:?}");
            // One that was to stop when the host crashed is cancelled by the next one, and left no log either.
            let host_ended =
                run.reason.as_deref().is_some_and(|reason| reason.contains("the host ended before"));
            if outcome != Outcome::Interrupted && !(outcome == Outcome::Cancelled && host_ended) {
                expected.push((attempt.number, format!("{} {}", run.id, attempt.number)));
            }
        }
        if let (Some(last), Some(outcome)) = (attempts.last(), run.outcome) {
            // A run may be cancelled between its attempts.
            assert!(
                last.outcome == Some(outcome) || outcome == Outcome::Cancelled,
                "history: {last:?} of {run:?}"
            );
        }
        let logs = disk.store.logs(run.id, None).unwrap();
        let logs: Vec<(u32, String)> =
            logs.into_iter().map(|(attempt, line)| (attempt, line.message)).collect();
        // A success that was refused left its log, and a crash may have come before its failure was recorded.
        let is_cut_off = |number: u32| {
            attempts.iter().any(|a| a.number == number && a.outcome == Some(Outcome::Interrupted))
        };
        let logs: Vec<_> = logs.into_iter().filter(|(number, _)| !is_cut_off(*number)).collect();
        assert_eq!(logs, expected, "history: logs of {run:?}");
    }
}
