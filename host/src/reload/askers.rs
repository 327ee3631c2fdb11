//! Whoever asked for a reload, and has no answer yet.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::reload_answer::{ReloadAnswer, Reloading};

type Waiting = Arc<Mutex<Option<Vec<oneshot::Sender<ReloadAnswer>>>>>;

/// Where askers wait for a reloader. When it goes, they hear that there is no answer.
pub(super) struct Askers(Waiting);

/// The way there.
#[derive(Clone)]
pub(super) struct Asking(Waiting);

impl Askers {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Some(Vec::new()))))
    }

    pub(super) fn asking(&self) -> Asking {
        Asking(Arc::clone(&self.0))
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.0).as_ref().is_none_or(Vec::is_empty)
    }

    /// All who have asked so far: what is read from now on answers them.
    pub(super) fn take(&self) -> Vec<oneshot::Sender<ReloadAnswer>> {
        lock(&self.0).as_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl Drop for Askers {
    fn drop(&mut self) {
        lock(&self.0).take();
    }
}

impl Asking {
    pub(super) fn ask(&self) -> Reloading {
        let (answer, reloading) = oneshot::channel();
        // Without a reloader the answer's other end goes at once, which the asker hears.
        if let Some(waiting) = &mut *lock(&self.0) {
            waiting.push(answer);
        }
        reloading
    }
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, Option<Vec<oneshot::Sender<ReloadAnswer>>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reload_answer::Reloaded;

    #[test]
    fn a_look_answers_whoever_asked_before_it_began_and_nobody_else() {
        let askers = Askers::new();
        let asking = askers.asking();
        let mut before = [asking.ask(), asking.clone().ask()];
        let look = askers.take();
        let mut after = asking.ask();
        for asker in look {
            asker.send(Ok(Reloaded { added: 1, ..Reloaded::default() })).unwrap();
        }
        assert!(before.iter_mut().all(|asked| asked.try_recv().unwrap().unwrap().added == 1));
        assert_eq!(after.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        drop(askers);
        assert_eq!(after.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert_eq!(asking.ask().try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }
}
