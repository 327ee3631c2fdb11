use std::{
    sync::{Arc, mpsc::channel},
    time::Duration,
};

use clockbox_store::{CloseError, JobStore, NotWritten, RunFilter, Trouble, Writer, WriterOptions};

use super::{
    ok,
    scripted::{Scripted, Step, full},
    spawn, submit,
};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_passing_failure_is_told_and_the_same_batch_tried_again() {
    let store = Scripted::new([Step::Fail, Step::Fail, Step::Fail]);
    let (pauses, paused) = channel();
    let (troubles, troubled) = channel();
    let options = WriterOptions {
        on_trouble: Box::new(move |trouble| troubles.send(trouble).unwrap()),
        pause: Some(Box::new(move |pause: Duration| pauses.send(pause.as_millis()).unwrap())),
        ..WriterOptions::default()
    };
    let writer = Writer::spawn(Arc::clone(&store) as Arc<dyn JobStore>, options).unwrap();
    let (tell, told) = channel();
    submit(&writer, 0..2, &tell);
    assert_eq!(told.recv().unwrap(), (0, ok(2)));
    writer.close(LONG).unwrap();
    assert_eq!(paused.iter().collect::<Vec<_>>(), [50, 100, 200]);
    let failing = |failures, retry_in| Trouble::Failing {
        error: full(),
        failures,
        retry_in: Duration::from_millis(retry_in),
    };
    let expected = [failing(1, 50), failing(2, 100), failing(3, 200), Trouble::Recovered { failures: 3 }];
    assert_eq!(troubled.iter().collect::<Vec<_>>(), expected);
    assert_eq!(store.batches(), [2]);
}

#[test]
fn a_writer_is_failing_from_the_failure_until_the_success() {
    let store = Scripted::new([Step::Fail]);
    let (pauses, paused) = channel();
    let (go, wait) = channel();
    let options = WriterOptions {
        pause: Some(Box::new(move |_| {
            pauses.send(()).unwrap();
            wait.recv().unwrap();
        })),
        ..WriterOptions::default()
    };
    let writer = Arc::new(Writer::spawn(Arc::clone(&store) as Arc<dyn JobStore>, options).unwrap());
    assert!(!writer.is_failing());
    let (tell, told) = channel();
    let (asked, watched) = channel();
    let looks = Arc::downgrade(&writer);
    let write = clockbox_core::model::Write::RemoveJob("report".parse().unwrap());
    writer.submit(vec![write], move |_| {
        asked.send(looks.upgrade().unwrap().is_failing()).unwrap();
        tell.send(()).unwrap();
    });
    paused.recv().unwrap();
    assert!(writer.is_failing());
    go.send(()).unwrap();
    told.recv().unwrap();
    // Whoever is told may go on at once.
    assert!(!watched.recv().unwrap());
    writer.close(LONG).unwrap();
}

#[test]
fn a_lasting_failure_ends_the_writer_and_everyone_is_told() {
    let ((begin, begun), (go, wait)) = (channel(), channel());
    let store = Scripted::new([Step::Hang(begin, wait), Step::Fail, Step::Break]);
    let (writer, troubles) = spawn(&store);
    let (tell, told) = channel();
    submit(&writer, 0..1, &tell);
    begun.recv().unwrap();
    submit(&writer, 1..1000, &tell);
    submit(&writer, 1000..1002, &tell);
    go.send(()).unwrap();
    let lost = NotWritten { reason: "the file is damaged".to_owned() };
    assert_eq!(told.recv().unwrap(), (0, ok(1)));
    assert_eq!(told.recv().unwrap(), (1, Err(lost.clone())));
    assert_eq!(told.recv().unwrap(), (1000, Err(lost.clone())));
    // From here on at once.
    submit(&writer, 2000..2001, &tell);
    assert_eq!(told.recv().unwrap(), (2000, Err(lost)));
    assert_eq!(writer.pending(), 0);
    let reason = "the file is damaged".to_owned();
    assert_eq!(writer.close(LONG), Err(CloseError { writes: 1001, reason: reason.clone() }));
    assert_eq!(troubles.iter().last(), Some(Trouble::Ended { reason, writes: 1001 }));
    assert_eq!(store.runs(&RunFilter::default()).unwrap().len(), 1);
}

#[test]
fn a_store_that_panics_ends_the_writer_and_everyone_is_told() {
    let (writer, troubles) = spawn(&Scripted::new([Step::Panic]));
    let (tell, told) = channel();
    submit(&writer, 0..1, &tell);
    let reason = "the store panicked: as the script says".to_owned();
    assert_eq!(told.recv().unwrap(), (0, Err(NotWritten { reason: reason.clone() })));
    assert_eq!(troubles.recv().unwrap(), Trouble::Ended { reason, writes: 1 });
}

#[test]
fn a_store_that_answers_too_little_ends_the_writer() {
    let (writer, _) = spawn(&Scripted::new([Step::Miscount]));
    let (tell, told) = channel();
    submit(&writer, 0..3, &tell);
    let reason = "the store gave 0 answers to 3 writes".to_owned();
    assert_eq!(told.recv().unwrap(), (0, Err(NotWritten { reason })));
}

#[test]
fn a_callback_that_panics_does_not_keep_others_from_being_told() {
    let (store, begun, go) = Scripted::hanging();
    let (writer, _) = spawn(&store);
    let (tell, told) = channel();
    submit(&writer, 0..1, &tell);
    begun.recv().unwrap();
    writer.submit(Vec::new(), |_| panic!("as the test says"));
    submit(&writer, 1..2, &tell);
    go.send(()).unwrap();
    assert_eq!(told.recv().unwrap(), (0, ok(1)));
    assert_eq!(told.recv().unwrap(), (1, ok(1)));
    writer.close(LONG).unwrap();
}

#[test]
fn troubles_read_as_sentences() {
    let failing = Trouble::Failing { error: full(), failures: 2, retry_in: Duration::from_millis(100) };
    assert_eq!(
        failing.to_string(),
        "the store does not take what happened (2 times by now): the disk is full; trying again in 100ms"
    );
    assert_eq!(Trouble::Recovered { failures: 2 }.to_string(), "the store works again, after 2 failures");
    let ended = Trouble::Ended { reason: "the file is damaged".to_owned(), writes: 3 };
    assert_eq!(ended.to_string(), "the store's writer ended, 3 writes were not made: the file is damaged");
}
