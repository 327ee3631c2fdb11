use std::sync::Arc;

use clockbox_core::model::{Pause, Refusal, Run, RunState, Timestamp, Write};
use clockbox_store::{JobStore, RunFilter};

use super::over_every_store;
use crate::support::{at, attempt, commit, commit_one, fire, job, job_id, line, log, put, run_id, waiting};

over_every_store! {
    times_are_kept_to_the_microsecond_and_cut_below,
    times_that_are_equal_when_cut_are_one_fire,
    times_before_1970_and_far_ahead_are_kept,
    any_text_is_kept_as_it_is,
    names_in_any_script_are_kept,
}

fn times_are_kept_to_the_microsecond_and_cut_below(store: &dyn JobStore) {
    let fine = at("10:00:00.123456789");
    let kept = at("10:00:00.123456");
    let mut record = job("report");
    record.next_fire = Some(fine);
    record.last_fire = Some(fine);
    record.last_success = Some(fine);
    record.paused = Some(Box::new(Pause { at: fine, by: None, note: None }));
    let run = Run {
        recorded_at: fine,
        state: RunState::Retrying,
        started_at: Some(fine),
        finished_at: Some(fine),
        retry_at: Some(fine),
        ..waiting(1, "report", fine)
    };
    let mut attempt = attempt(1);
    attempt.started_at = fine;
    attempt.finished_at = Some(fine);
    let mut line = line("text");
    line.at = fine;
    let with_attempt = Write::Update { run: Arc::new(run.clone()), attempt: Some(Box::new(attempt)) };
    commit(store, &[put(&record), fire(&run), with_attempt, log(1, 1, &[line])]);

    let record = store.jobs().unwrap().remove(0);
    assert_eq!([record.next_fire, record.last_fire, record.last_success], [Some(kept); 3]);
    assert_eq!(record.paused.unwrap().at, kept);
    let detail = store.run(run.id).unwrap().unwrap();
    assert_eq!([detail.run.scheduled_at, detail.run.recorded_at], [kept; 2]);
    assert_eq!([detail.run.started_at, detail.run.finished_at, detail.run.retry_at], [Some(kept); 3]);
    assert_eq!((detail.attempts[0].started_at, detail.attempts[0].finished_at), (kept, Some(kept)));
    assert_eq!(store.logs(run.id, None).unwrap()[0].1.at, kept);
}

fn times_that_are_equal_when_cut_are_one_fire(store: &dyn JobStore) {
    commit(store, &[fire(&waiting(1, "report", at("10:00:00.0000001")))]);
    let same = fire(&waiting(2, "report", at("10:00:00.0000009")));
    assert_eq!(commit_one(store, same), Err(Refusal::AlreadyRecorded));
}

fn times_before_1970_and_far_ahead_are_kept(store: &dyn JobStore) {
    let times: [Timestamp; 4] = [
        Timestamp::MIN_UTC,
        "1969-12-31T23:59:59.9999999Z".parse().unwrap(),
        "9999-12-31T23:59:59Z".parse().unwrap(),
        Timestamp::MAX_UTC,
    ];
    for (n, time) in (1..).zip(times) {
        commit(store, &[fire(&waiting(n, "report", time))]);
    }
    let runs = store.runs(&RunFilter::default()).unwrap();
    let micros: Vec<i64> = runs.iter().rev().map(|run| run.scheduled_at.timestamp_micros()).collect();
    assert_eq!(micros, times.map(|time| time.timestamp_micros()));
    assert_eq!(micros[1], -1);
}

fn any_text_is_kept_as_it_is(store: &dyn JobStore) {
    let texts = [
        "",
        "NUL \0 within",
        "\0",
        "quotes ' \" ` ;--",
        "\u{1F552} \u{202E} é e\u{301}",
        "a\r\nb\tc\u{7f}\u{1b}[0m",
    ];
    for (n, text) in (1..).zip(texts) {
        let run = Run {
            reason: Some(text.to_owned()),
            output: Some(text.to_owned()),
            args: Some(text.to_owned()),
            ..waiting(n, "report", at(&format!("10:00:0{n}")))
        };
        let mut attempt = attempt(1);
        attempt.reason = Some(text.to_owned());
        attempt.backtrace = Some(text.to_owned());
        let mut line = line(text);
        line.fields = vec![(text.to_owned(), text.to_owned())];
        let mut record = job(&format!("job-{n}"));
        std::sync::Arc::make_mut(&mut record.job).args = text.into();
        record.paused = Some(Box::new(Pause { at: at("10:00:00"), by: None, note: Some(text.to_owned()) }));
        let with_attempt =
            Write::Update { run: Arc::new(run.clone()), attempt: Some(Box::new(attempt.clone())) };
        commit(store, &[put(&record), fire(&run), with_attempt, log(n, 1, std::slice::from_ref(&line))]);

        let detail = store.run(run_id(n)).unwrap().unwrap();
        assert_eq!((detail.run, detail.attempts), (run, vec![attempt]));
        assert_eq!(store.logs(run_id(n), None).unwrap(), [(1, line)]);
        assert!(store.jobs().unwrap().contains(&record));
    }
}

fn names_in_any_script_are_kept(store: &dyn JobStore) {
    for (n, name) in (1..).zip(["报告", "отчёт:1", "a@b.c_d-e", &"é".repeat(64)]) {
        let run = waiting(n, name, at("10:00:00"));
        commit(store, &[put(&job(name)), fire(&run)]);
        let filter = RunFilter { job: Some(job_id(name)), ..RunFilter::default() };
        assert_eq!(store.runs(&filter).unwrap(), [run]);
    }
}
