//! A whole scheduler on its threads, driven by a clock that is moved from fire to fire.

use std::{sync::Arc, time::Duration};

use clockbox::{Clock, Event, Outcome, Scheduler, Timestamp, store::MemoryStore};

use crate::{
    decisions::{job, pool},
    guest::{self, INSTANCES},
};

/// Jobs that fire together at each second: at most so many instances are there at one time.
const TOGETHER: usize = INSTANCES as usize;

pub(crate) fn run(runs: usize) {
    assert_eq!(runs % TOGETHER, 0, "the number of runs is to be a multiple of {TOGETHER}");
    let plugin = guest::plugin();
    let name = plugin.spec().name.clone();
    let (clock, hand) = Clock::manual("2030-01-01T00:00:00Z".parse::<Timestamp>().expect("a time"));
    let mut builder = Scheduler::builder()
        .store(Arc::new(MemoryStore::new()))
        .clock(clock)
        .pool(pool())
        .plugin(name.clone(), plugin);
    for n in 0..TOGETHER {
        builder = builder.job(job(&format!("every-second-{n}"), &name));
    }
    let mut events = builder.subscribe();
    let scheduler = builder.start().expect("a scheduler that starts");
    for _ in 0..runs / TOGETHER {
        hand.advance(Duration::from_secs(1));
        let mut ended = 0;
        while ended < TOGETHER {
            let happening = events.next_blocking().expect("a scheduler that runs").expect("no event is lost");
            match happening.event {
                Event::RunFinished { outcome, .. } => {
                    assert_eq!(outcome, Outcome::Succeeded);
                    ended += 1;
                }
                Event::Fired { coalesced, .. } => assert_eq!(coalesced, 0),
                Event::Missed { .. } | Event::Skipped { .. } => panic!("unexpected: {happening:?}"),
                _ => {}
            }
        }
    }
    scheduler.shutdown(Duration::from_secs(60)).wait().expect("a scheduler that stops");
}
