//! A host from its start to its end: what happens is told, signals are obeyed, and others hear of the end.

use std::time::Duration;

use clockbox_core::model::Event;

use super::{
    exit::Failure,
    signals::{Signal, Signals},
    supervisor::Supervisor,
    telling::tell,
    text,
};
use crate::scheduler::{Scheduler, Subscription};

/// Two signals within this time are one.
const SAME_SIGNAL: Duration = Duration::from_millis(250);
/// How long the end may take beyond the grace of the runs: for what was killed, for the store, for a reload.
const END_PATIENCE: Duration = Duration::from_secs(15);

/// Tells others of the last things; a signal that comes meanwhile gives that up.
pub(super) async fn farewell(signals: &mut Signals, tell: impl FnOnce() + Send + 'static) {
    let mut told = tokio::task::spawn_blocking(tell);
    // The same keystroke may arrive twice, from the terminal and from whoever started the host.
    let mut same_signal = std::pin::pin!(tokio::time::sleep(SAME_SIGNAL));
    let mut is_same = true;
    loop {
        tokio::select! {
            biased;
            _ = &mut told => return,
            () = &mut same_signal, if is_same => {
                is_same = false;
                tracing::info!("others are still told of the end; a second signal gives that up");
            }
            signal = signals.next() => match signal {
                Signal::Stop if !is_same => {
                    tracing::warn!("not all of the last messages have arrived");
                    return;
                }
                Signal::Stop | Signal::Reload => {}
            },
        }
    }
}

/// Until a signal, or until the scheduler gives up.
pub(super) async fn host(
    scheduler: &Scheduler,
    reloader: &crate::reload::Handle,
    mut supervisor: Supervisor,
    signals: &mut Signals,
    mut events: Subscription,
    grace: Duration,
    zone: chrono_tz::Tz,
) -> Result<(), Failure> {
    let mut watched = std::pin::pin!(Supervisor::watch(supervisor.beat(), scheduler));
    loop {
        tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Signal::Reload => {
                    supervisor.reloading();
                    drop(reloader.reload());
                }
                Signal::Stop => break,
            },
            // Before the events: a flood of them must not keep the service manager from hearing a sign of life.
            () = &mut watched => {}
            event = events.next() => match event {
                Some(Ok(happening)) => {
                    report(&mut supervisor, &happening.event);
                    tell(&happening.event, zone);
                }
                Some(Err(lost)) => tracing::warn!("{lost} events were too many to show"),
                None => {
                    supervisor.stopping(Duration::ZERO, "the scheduler stopped by itself");
                    scheduler.stopped().await;
                    if scheduler.is_stopped_in_order() {
                        tracing::info!("stopped, as it was asked to");
                        return Ok(());
                    }
                    return Err(Failure::lost("the scheduler stopped by itself; the messages above say why"));
                }
            },
        }
    }
    let word = format!("stopping: runs have {} to end", text::span(grace));
    tracing::info!("{word}");
    supervisor.stopping(grace + END_PATIENCE, &word);
    // The same keystroke may arrive twice, from the terminal and from whoever started the host.
    let mut same_signal = std::pin::pin!(tokio::time::sleep(SAME_SIGNAL));
    let mut is_same = true;
    let mut stopped = std::pin::pin!(scheduler.shutdown(grace));
    let mut is_heard = true;
    loop {
        tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Signal::Stop if !is_same => return Err(Failure::stopped()),
                Signal::Stop | Signal::Reload => {}
            },
            () = &mut watched => {}
            () = &mut same_signal, if is_same => {
                is_same = false;
                tracing::info!("runs still go on; a second signal stops at once");
            }
            event = events.next(), if is_heard => match event {
                Some(Ok(happening)) => tell(&happening.event, zone),
                Some(Err(lost)) => tracing::warn!("{lost} events were too many to show"),
                None => is_heard = false,
            },
            done = &mut stopped => {
                while let Some(Ok(happening)) = events.try_next() {
                    tell(&happening.event, zone);
                }
                scheduler.stopped().await;
                tracing::info!("stopped");
                return done.map_err(Failure::lost);
            }
        }
    }
}

/// One event, for the service manager: only the end of a reload matters to it.
fn report(supervisor: &mut Supervisor, event: &Event) {
    match event {
        Event::Reloaded { added, changed, removed, .. } => {
            supervisor.reloaded(&format!("running; reloaded: jobs +{added} ~{changed} -{removed}"));
        }
        Event::ReloadRejected { problems } => {
            let problems = text::count(problems.len(), "problem");
            supervisor.reloaded(&format!("running; a change was refused: {problems}"));
        }
        _ => {}
    }
}
