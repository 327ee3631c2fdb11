//! The writer in front of a store, and what becomes of submissions when the store fails.

mod batches;
mod closing;
mod direct;
mod measuring;
mod scripted;
mod trouble;

use std::sync::{
    Arc,
    mpsc::{Receiver, Sender, channel},
};

use clockbox_core::model::{Refusal, Write};
use clockbox_store::{NotWritten, Trouble, Writer, WriterOptions};

use self::scripted::Scripted;
use crate::support::{fire, second, waiting};

type Answers = Result<Vec<Result<(), Refusal>>, NotWritten>;

/// The record of fire `n` of the job.
fn fire_number(n: u32) -> Write {
    fire(&waiting(i64::from(n), "report", second(n)))
}

/// Submits these fires; what is told arrives with the number of the first.
fn submit(writer: &Writer, fires: std::ops::Range<u32>, tell: &Sender<(u32, Answers)>) {
    let (first, tell) = (fires.start, tell.clone());
    let writes = fires.map(fire_number).collect();
    writer.submit(writes, move |answers| tell.send((first, answers)).unwrap());
}

fn ok(writes: usize) -> Answers {
    Ok(vec![Ok(()); writes])
}

/// A writer that never waits before it tries again, and what it tells of its troubles.
fn spawn(store: &Arc<Scripted>) -> (Writer, Receiver<Trouble>) {
    let (tell, told) = channel();
    let options = WriterOptions {
        // The receiver may be gone by the end of a test.
        on_trouble: Box::new(move |trouble| drop(tell.send(trouble))),
        pause: Some(Box::new(|_| ())),
        ..WriterOptions::default()
    };
    let store = Arc::clone(store);
    (Writer::spawn(store, options).unwrap(), told)
}
