use std::sync::{Arc, mpsc::channel};

use clockbox_store::{JobStore, RunFilter, Trouble, Writer, WriterOptions};
use rusqlite::Connection;

use super::{host, place};
use crate::support::{fire, numbers, second, waiting};

#[test]
fn what_happens_while_another_program_holds_the_database_waits_and_is_not_lost() {
    let (_folder, path) = place();
    let store = Arc::new(host(&path));
    let (troubles, troubled) = channel();
    let options = WriterOptions {
        // The test may be over by the last one.
        on_trouble: Box::new(move |trouble| drop(troubles.send(trouble))),
        ..WriterOptions::default()
    };
    let writer = Writer::spawn(Arc::clone(&store) as Arc<dyn JobStore>, options).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (tell, told) = channel();
    for n in 1..=5 {
        let tell = tell.clone();
        let write = fire(&waiting(n, "report", second(u32::try_from(n).unwrap())));
        writer.submit(vec![write], move |answers| tell.send(answers).unwrap());
    }
    // SQLite itself waits for a while before it gives up.
    let Trouble::Failing { error, failures: 1, .. } = troubled.recv().unwrap() else { panic!("not told") };
    let message = error.to_string();
    assert!(
        message.contains("clockbox.db: database is locked: another program holds it locked; end that one")
    );
    assert!(writer.is_failing());
    // Looking at the history needs no lock.
    assert_eq!(store.runs(&RunFilter::default()).unwrap().len(), 0);
    other.execute_batch("ROLLBACK").unwrap();
    for _ in 1..=5 {
        assert_eq!(told.recv().unwrap(), Ok(vec![Ok(())]));
    }
    assert!(matches!(troubled.recv().unwrap(), Trouble::Recovered { .. }));
    assert!(!writer.is_failing());
    assert_eq!(numbers(&store.runs(&RunFilter::default()).unwrap()), [5, 4, 3, 2, 1]);
}
