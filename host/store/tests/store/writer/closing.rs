use std::{
    iter,
    sync::{Arc, mpsc::channel},
    time::Duration,
};

use clockbox_store::{JobStore, RunFilter, Trouble, Writer, WriterOptions};

use super::{
    ok,
    scripted::{Scripted, Step, full},
    spawn, submit,
};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn closing_commits_what_was_submitted() {
    let (store, begun, go) = Scripted::hanging();
    let (writer, _) = spawn(&store);
    let (tell, told) = channel();
    submit(&writer, 0..1, &tell);
    begun.recv().unwrap();
    submit(&writer, 1..101, &tell);
    go.send(()).unwrap();
    writer.close(LONG).unwrap();
    // Everyone was told before close returned.
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [(0, ok(1)), (1, ok(100))]);
    assert_eq!(store.runs(&RunFilter::default()).unwrap().len(), 101);
}

#[test]
fn closing_an_idle_writer_ends_at_once() {
    let (writer, _) = spawn(&Scripted::new([]));
    writer.close(LONG).unwrap();
}

#[test]
fn closing_waits_for_a_store_that_recovers() {
    let store = Scripted::new(iter::repeat_with(|| Step::Fail).take(5));
    let (writer, _) = spawn(&store);
    let (tell, told) = channel();
    submit(&writer, 0..1, &tell);
    writer.close(LONG).unwrap();
    assert_eq!(told.recv().unwrap(), (0, ok(1)));
}

#[test]
fn closing_gives_up_on_a_store_that_keeps_failing_and_everyone_is_told() {
    let store = Scripted::new(iter::repeat_with(|| Step::Fail).take(1000));
    let (tell_trouble, troubles) = channel();
    // With the writer's own pauses: it would take more than an hour to the end of the script.
    let options = WriterOptions {
        on_trouble: Box::new(move |trouble| drop(tell_trouble.send(trouble))),
        ..WriterOptions::default()
    };
    let writer = Writer::spawn(store, options).unwrap();
    let (tell, told) = channel();
    submit(&writer, 0..1, &tell);
    assert!(matches!(troubles.recv().unwrap(), Trouble::Failing { failures: 1, .. }));
    submit(&writer, 1..3, &tell);
    let error = writer.close(Duration::ZERO).unwrap_err();
    assert_eq!(error.writes, 3);
    drop(tell);
    let mut reasons: Vec<_> = told.iter().map(|(n, answers)| (n, answers.unwrap_err().reason)).collect();
    reasons.sort();
    assert_eq!(reasons, [(0, full().to_string()), (1, error.reason)]);
}

#[test]
fn closing_does_not_wait_for_a_commit_that_hangs() {
    let (store, begun, go) = Scripted::hanging();
    let (writer, _) = spawn(&store);
    let (tell, told) = channel();
    submit(&writer, 0..1, &tell);
    begun.recv().unwrap();
    submit(&writer, 1..3, &tell);
    let error = writer.close(Duration::ZERO).unwrap_err();
    assert_eq!(
        error.to_string(),
        "3 writes did not reach the store: the store did not take everything within 0ns"
    );
    let (first, answers) = told.recv().unwrap();
    assert_eq!((first, answers.unwrap_err().reason), (1, error.reason));
    // Should it come back, its callers are told the truth.
    go.send(()).unwrap();
    assert_eq!(told.recv().unwrap(), (0, ok(1)));
}

#[test]
fn dropping_a_writer_commits_what_was_submitted() {
    let store = Scripted::new([]);
    let (writer, _) = spawn(&store);
    let (tell, told) = channel();
    submit(&writer, 0..10, &tell);
    drop(writer);
    assert_eq!(told.try_recv().unwrap(), (0, ok(10)));
}

#[test]
fn dropping_a_writer_gives_up_at_the_next_failure() {
    let store = Scripted::new(iter::repeat_with(|| Step::Fail).take(1000));
    let (tell_trouble, troubles) = channel();
    let options = WriterOptions {
        on_trouble: Box::new(move |trouble| drop(tell_trouble.send(trouble))),
        ..WriterOptions::default()
    };
    let writer = Writer::spawn(store, options).unwrap();
    let (tell, told) = channel();
    submit(&writer, 0..1, &tell);
    assert!(matches!(troubles.recv().unwrap(), Trouble::Failing { failures: 1, .. }));
    submit(&writer, 1..3, &tell);
    drop(writer);
    for first in [0, 1] {
        let (n, answers) = told.try_recv().unwrap();
        assert_eq!((n, answers.unwrap_err().reason), (first, full().to_string()));
    }
    assert_eq!(troubles.iter().last(), Some(Trouble::Ended { reason: full().to_string(), writes: 3 }));
}

#[test]
fn a_writer_can_be_dropped_by_its_own_callback() {
    let (writer, _) = spawn(&Scripted::new([]));
    let writer = Arc::new(writer);
    let (tell, told) = channel();
    let own = Arc::clone(&writer);
    let (let_go, gone) = channel::<()>();
    writer.submit(Vec::new(), move |_| {
        // The other owner is gone by now.
        assert!(gone.recv().is_err());
        drop(own);
        tell.send(()).unwrap();
    });
    drop(writer);
    drop(let_go);
    told.recv().unwrap();
}
