//! The seat of a thread on which a run has just ended: what is launched because of that end goes on there, without a
//! new task and perhaps another thread.

use std::cell::Cell;

use super::task::Prepared;

thread_local! {
    static SEAT: Cell<Seat> = const { Cell::new(Seat::Closed) };
}

enum Seat {
    /// No run has just ended here.
    Closed,
    /// The next may sit down.
    Free,
    Taken(Box<Prepared>),
}

/// Closes the seat, also when what was done in between panicked.
struct Closing;

impl Drop for Closing {
    fn drop(&mut self) {
        SEAT.set(Seat::Closed);
    }
}

/// Tells of the end of a run, and answers what follows on this thread.
pub(super) fn after(end: impl FnOnce()) -> Option<Box<Prepared>> {
    let closing = Closing;
    SEAT.set(Seat::Free);
    end();
    let seat = SEAT.replace(Seat::Closed);
    drop(closing);
    match seat {
        Seat::Taken(next) => Some(next),
        Seat::Free | Seat::Closed => None,
    }
}

/// Gives an attempt the seat of this thread, or gives it back where there is none.
pub(super) fn take(attempt: Box<Prepared>) -> Option<Box<Prepared>> {
    match SEAT.replace(Seat::Closed) {
        Seat::Free => {
            SEAT.set(Seat::Taken(attempt));
            None
        }
        other => {
            SEAT.set(other);
            Some(attempt)
        }
    }
}
