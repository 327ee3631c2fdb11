//! Word to the service manager that started the host: systemd's notification protocol, where a socket is given.

use std::time::Duration;

use crate::scheduler::Scheduler;

/// The most that the manager is asked to wait for the end, in microseconds: about an hour.
const LONGEST_STOP: u32 = u32::MAX;

/// The way to the service manager; without one, nothing is told.
pub(super) struct Supervisor {
    /// How often a sign of life is due, with room to spare; `None` when nobody watches.
    beat: Option<Duration>,
    is_reloading: bool,
}

impl Supervisor {
    /// What `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` say.
    pub(super) fn from_env() -> Self {
        Self { beat: platform::watchdog().map(|every| every / 2), is_reloading: false }
    }

    /// The host runs, or a reload is done.
    pub(super) fn ready(&mut self, status: &str) {
        self.is_reloading = false;
        platform::tell(&[Word::Ready, Word::Status(status)]);
    }

    /// What is loaded has changed; also the end of a reload that was told.
    pub(super) fn reloaded(&mut self, status: &str) {
        if self.is_reloading {
            self.ready(status);
        } else {
            platform::tell(&[Word::Status(status)]);
        }
    }

    /// A reload was asked for.
    pub(super) fn reloading(&mut self) {
        self.is_reloading = true;
        platform::tell(&[Word::Reloading, Word::Status("reloading")]);
    }

    /// The end has begun, and takes this long at most.
    pub(super) fn stopping(&self, within: Duration, status: &str) {
        let micros = u32::try_from(within.as_micros()).unwrap_or(LONGEST_STOP);
        platform::tell(&[Word::Stopping, Word::Status(status), Word::WithinMicros(micros)]);
    }

    /// Gives signs of life for as long as the scheduler answers. Never ends.
    pub(super) async fn watch(beat: Option<Duration>, scheduler: &Scheduler) {
        let Some(beat) = beat else { return std::future::pending().await };
        heartbeat(beat, scheduler, || platform::tell(&[Word::Alive])).await;
    }

    /// How often [`watch`](Self::watch) is to give a sign of life.
    pub(super) fn beat(&self) -> Option<Duration> {
        self.beat
    }
}

/// One that hangs never answers; then the manager hears nothing more, and starts the host anew.
async fn heartbeat(beat: Duration, scheduler: &Scheduler, alive: impl Fn()) {
    loop {
        if scheduler.ping().await.is_ok() {
            alive();
        }
        tokio::time::sleep(beat).await;
    }
}

/// Something to tell.
#[cfg_attr(not(unix), expect(dead_code, reason = "there is nobody to tell"))]
enum Word<'a> {
    Ready,
    Reloading,
    Stopping,
    Alive,
    Status(&'a str),
    WithinMicros(u32),
}

#[cfg(unix)]
mod platform {
    use std::{io, time::Duration};

    use sd_notify::NotifyState;

    use super::Word;

    pub(super) fn watchdog() -> Option<Duration> {
        sd_notify::watchdog_enabled()
    }

    /// All in one message.
    pub(super) fn tell(words: &[Word<'_>]) {
        let told = states(words).and_then(|states| sd_notify::notify(&states));
        if let Err(error) = told {
            tracing::warn!("the service manager cannot be told how the host is (NOTIFY_SOCKET): {error}");
        }
    }

    fn states<'a>(words: &[Word<'a>]) -> io::Result<Vec<NotifyState<'a>>> {
        let mut states = Vec::new();
        for word in words {
            let state = match word {
                Word::Ready => NotifyState::Ready,
                Word::Reloading => {
                    // Which reload this is, among several.
                    states.push(NotifyState::monotonic_usec_now()?);
                    NotifyState::Reloading
                }
                Word::Stopping => NotifyState::Stopping,
                Word::Alive => NotifyState::Watchdog,
                Word::Status(text) => NotifyState::Status(text),
                Word::WithinMicros(micros) => NotifyState::ExtendTimeoutUsec(*micros),
            };
            states.push(state);
        }
        Ok(states)
    }
}

#[cfg(not(unix))]
mod platform {
    use std::time::Duration;

    use super::Word;

    pub(super) fn watchdog() -> Option<Duration> {
        None
    }

    pub(super) fn tell(_: &[Word<'_>]) {}
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};

    use super::*;
    use crate::scheduler::Message;

    #[test]
    fn a_scheduler_that_hangs_gives_no_sign_of_life() {
        let scheduler = Scheduler::builder().start().unwrap();
        let (beats, heard) = channel();
        let watched = scheduler.clone();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        runtime.spawn(async move {
            heartbeat(Duration::from_millis(1), &watched, || _ = beats.send(())).await;
        });
        for _ in 0..3 {
            heard.recv().unwrap();
        }
        let ((hangs, hung), (go, wait)) = (channel(), channel::<()>());
        let hang = move |_: &_| {
            hangs.send(()).unwrap();
            // An error is the end that was waited for.
            _ = wait.recv();
        };
        scheduler.inbox().send(Message::Ask(Box::new(hang)));
        hung.recv().unwrap();
        // What was answered before it hung may still be on its way: one sign at most.
        _ = heard.recv_timeout(Duration::from_millis(100));
        while heard.try_recv().is_ok() {}
        assert_eq!(heard.recv_timeout(Duration::from_millis(200)), Err(RecvTimeoutError::Timeout));
        drop(go);
        heard.recv().unwrap();
        scheduler.shutdown(Duration::ZERO).wait().unwrap();
    }
}
