//! A writer in front of a store that commits at once.

use std::{
    sync::{
        Arc,
        mpsc::{channel, sync_channel},
    },
    thread,
    time::Duration,
};

use clockbox_store::{JobStore, RunFilter, Trouble};

use super::{
    fire_number, ok,
    scripted::{Scripted, Step},
    spawn, submit,
};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn what_is_submitted_is_committed_and_told_before_submit_returns() {
    let store = Scripted::at_once([]);
    let (writer, _) = spawn(&store);
    let (tell, told) = channel();
    submit(&writer, 0..3, &tell);
    submit(&writer, 3..3, &tell);
    submit(&writer, 3..4, &tell);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [(0, ok(3)), (3, ok(0)), (3, ok(1))]);
    assert_eq!(store.batches(), [3, 1]);
    assert_eq!((writer.pending(), writer.is_failing()), (0, false));
}

#[test]
fn whoever_is_told_may_submit_again() {
    let writer = Arc::new(spawn(&Scripted::at_once([])).0);
    let (tell, told) = channel();
    let again = Arc::clone(&writer);
    writer.submit(vec![fire_number(0)], move |_| submit(&again, 1..2, &tell));
    assert_eq!(told.try_recv().unwrap(), (1, ok(1)));
}

#[test]
fn a_store_that_breaks_ends_it_and_everyone_is_told() {
    for (step, why) in [
        (Step::Break, "the file is damaged"),
        (Step::Fail, "the disk is full"),
        (Step::Panic, "the store panicked: as the script says"),
        (Step::Miscount, "the store gave 0 answers to 2 writes"),
    ] {
        let (writer, troubles) = spawn(&Scripted::at_once([step]));
        let (tell, told) = channel();
        submit(&writer, 0..2, &tell);
        submit(&writer, 2..3, &tell);
        let reasons: Vec<_> = told.try_iter().map(|(n, answers)| (n, answers.unwrap_err().reason)).collect();
        assert_eq!(reasons, [(0, why.to_owned()), (2, why.to_owned())]);
        let ended = Trouble::Ended { reason: why.to_owned(), writes: 2 };
        assert_eq!(troubles.try_iter().collect::<Vec<_>>(), [ended]);
    }
}

#[test]
fn nothing_is_taken_after_its_end() {
    let store = Scripted::at_once([]);
    let (writer, _) = spawn(&store);
    let (tell, told) = channel();
    submit(&writer, 0..1, &tell);
    writer.close(LONG).unwrap();
    submit(&writer, 1..2, &tell);
    assert_eq!(told.try_recv().unwrap(), (0, ok(1)));
    assert_eq!(told.try_recv().unwrap().1.unwrap_err().reason, "the writer was closed");
    assert_eq!(store.runs(&RunFilter::default()).unwrap().len(), 1);
}

#[test]
fn closing_waits_for_a_commit_that_is_under_way() {
    let ((begin, begun), (go, wait)) = (channel(), channel());
    let store = Scripted::at_once([Step::Hang(begin, wait)]);
    let (writer, _) = spawn(&store);
    let (tell, told) = channel();
    // The closing thread says that it is about to close, and then that it has closed.
    let (say, said) = sync_channel(1);
    thread::scope(|scope| {
        scope.spawn(|| submit(&writer, 0..1, &tell));
        begun.recv().unwrap();
        scope.spawn(|| {
            say.send("closing").unwrap();
            writer.close(LONG).unwrap();
            say.send("closed").unwrap();
        });
        assert_eq!(said.recv(), Ok("closing"));
        assert!(said.try_recv().is_err(), "the commit is still under way");
        go.send(()).unwrap();
        assert_eq!(said.recv(), Ok("closed"));
        assert_eq!(store.batches(), [1]);
    });
    assert_eq!(told.try_recv().unwrap(), (0, ok(1)));
}
