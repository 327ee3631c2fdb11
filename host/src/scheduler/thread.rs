//! The driver's own thread: it sleeps until something is due, and looks after what others leave undone.

use clockbox_core::{model::Timestamp, timetable::Action};
use tokio::time::Instant;

use super::{Inbox, driver::Driver, inbox::Rest, shutdown::Ending};

/// What the thread finds when it has looked.
struct Look {
    wake: Option<Timestamp>,
    next_stage: Option<Instant>,
    is_done: bool,
    is_more: bool,
}

/// Goes on until a shutdown is complete, or the store is lost; `None` when the driver broke down.
pub(super) async fn run(inbox: &Inbox, driver: Driver, restored: Vec<Action>) -> Option<Ending> {
    let clock = driver.clock.clone();
    inbox.install(driver, |driver| driver.begin(restored))?;
    loop {
        let look = inbox.with(look)?;
        if look.is_done {
            break;
        }
        // What came while it looked was left to it.
        if look.is_more || !inbox.is_empty() {
            continue;
        }
        let due = async {
            match look.wake {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let grace_over = async {
            match look.next_stage {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = inbox.rung() => {}
            () = grace_over => inbox.with(Driver::next_stage)?,
            () = due => inbox.with(Driver::wake_if_it_may)?,
        }
    }
    Some(inbox.take()?.stop())
}

fn look(driver: &mut Driver) -> Look {
    let is_more = driver.work_off() == Rest::More;
    driver.armed = driver.wake_at();
    driver.ring = false;
    Look { wake: driver.armed, next_stage: driver.next_stage_at(), is_done: driver.is_done(), is_more }
}
