use std::{
    sync::{Arc, mpsc::channel},
    thread,
    time::Duration,
};

use clockbox_core::model::Refusal;

use super::{fire_number, ok, scripted::Scripted, spawn, submit};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn submissions_are_told_in_order_once_they_are_committed() {
    let store = Scripted::new([]);
    let (writer, _) = spawn(&store);
    let (tell, told) = channel();
    for n in 0..200 {
        submit(&writer, n * 2..n * 2 + 2, &tell);
    }
    for n in 0..200 {
        assert_eq!(told.recv().unwrap(), (n * 2, ok(2)));
    }
    writer.close(LONG).unwrap();
    assert_eq!(store.batches().iter().sum::<usize>(), 400);
}

#[test]
fn what_waits_goes_in_one_commit_up_to_the_bound() {
    let (store, begun, go) = Scripted::hanging();
    let (writer, _) = spawn(&store);
    let (tell, told) = channel();
    submit(&writer, 0..1, &tell);
    begun.recv().unwrap();
    for n in 1..=10 {
        submit(&writer, n * 300..n * 300 + 300, &tell);
    }
    assert_eq!(writer.pending(), 3001);
    go.send(()).unwrap();
    writer.close(LONG).unwrap();
    // A submission is never torn, so 3 x 300 is the most below 1,000.
    assert_eq!(store.batches(), [1, 900, 900, 900, 300]);
    assert_eq!(told.iter().take(11).last().unwrap(), (3000, ok(300)));
}

#[test]
fn a_submission_beyond_the_bound_goes_alone_and_whole() {
    let (store, begun, go) = Scripted::hanging();
    let (writer, _) = spawn(&store);
    let (tell, _told) = channel();
    submit(&writer, 0..1, &tell);
    begun.recv().unwrap();
    submit(&writer, 1..2, &tell);
    submit(&writer, 2..2502, &tell);
    submit(&writer, 2502..2503, &tell);
    go.send(()).unwrap();
    writer.close(LONG).unwrap();
    assert_eq!(store.batches(), [1, 1, 2500, 1]);
}

#[test]
fn each_submission_gets_the_answers_to_its_own_writes() {
    let (store, begun, go) = Scripted::hanging();
    let (writer, _) = spawn(&store);
    let (tell, told) = channel();
    submit(&writer, 0..2, &tell);
    begun.recv().unwrap();
    submit(&writer, 1..3, &tell);
    submit(&writer, 3..4, &tell);
    go.send(()).unwrap();
    assert_eq!(told.recv().unwrap(), (0, ok(2)));
    assert_eq!(told.recv().unwrap(), (1, Ok(vec![Err(Refusal::AlreadyRecorded), Ok(())])));
    assert_eq!(told.recv().unwrap(), (3, ok(1)));
}

#[test]
fn an_empty_submission_is_told_after_those_before_it() {
    let (store, begun, go) = Scripted::hanging();
    let (writer, _) = spawn(&store);
    let (tell, told) = channel();
    submit(&writer, 0..1, &tell);
    begun.recv().unwrap();
    submit(&writer, 1..1, &tell);
    go.send(()).unwrap();
    assert_eq!(told.recv().unwrap(), (0, ok(1)));
    assert_eq!(told.recv().unwrap(), (1, ok(0)));
    writer.close(LONG).unwrap();
    assert_eq!(store.batches(), [1]);
}

#[test]
fn many_threads_can_submit_and_each_is_told_in_its_order() {
    let store = Scripted::new([]);
    let (writer, _) = spawn(&store);
    thread::scope(|scope| {
        for thread in 0..8 {
            let writer = &writer;
            scope.spawn(move || {
                let (tell, told) = channel();
                for n in 0..250 {
                    let tell = tell.clone();
                    let writes = vec![fire_number(thread * 250 + n)];
                    writer.submit(writes, move |answers| tell.send((n, answers)).unwrap());
                }
                for n in 0..250 {
                    assert_eq!(told.recv().unwrap(), (n, ok(1)));
                }
            });
        }
    });
    writer.close(LONG).unwrap();
    assert_eq!(store.batches().iter().sum::<usize>(), 2000);
}

#[test]
fn whoever_is_told_finds_nothing_of_the_batch_pending() {
    let writer = Arc::new(spawn(&Scripted::new([])).0);
    let (tell, told) = channel();
    let asked = Arc::downgrade(&writer);
    let writes = (0..100).map(fire_number).collect();
    writer.submit(writes, move |_| tell.send(asked.upgrade().map(|writer| writer.pending())).unwrap());
    assert_eq!(told.recv().unwrap(), Some(0));
}
