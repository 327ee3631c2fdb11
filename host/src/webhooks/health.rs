//! Which jobs fail: what makes a success a recovery.

use std::collections::HashMap;

use clockbox_core::model::{JobId, Outcome};

/// Which jobs failed last, as far as anybody knows.
#[derive(Debug, Default)]
pub(super) struct Health {
    failing: HashMap<JobId, bool>,
}

/// Whether an outcome says that a job does not work. A run that was cancelled says nothing either way: somebody, or the
/// job's own policy, wanted it so.
pub(super) fn is_failure(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::Succeeded | Outcome::Cancelled)
}

impl Health {
    /// Takes in how a run ended, and answers whether it is a recovery. `before` says how the run before it ended, and is
    /// asked where nothing is known of the job yet: after a start, for instance.
    pub(super) fn ended(
        &mut self,
        job: &JobId,
        outcome: Outcome,
        before: impl FnOnce() -> Option<Outcome>,
    ) -> bool {
        if outcome == Outcome::Cancelled {
            return false;
        }
        let failed = is_failure(outcome);
        let known = match self.failing.get_mut(job) {
            Some(known) => Some(std::mem::replace(known, failed)),
            None => self.failing.insert(job.clone(), failed),
        };
        !failed && known.unwrap_or_else(|| before().is_some_and(is_failure))
    }

    /// A job is gone, and with it what is known of it: there may be many that run once.
    pub(super) fn forget(&mut self, job: &JobId) {
        self.failing.remove(job);
    }

    /// Something may have happened unheard: nothing is known.
    pub(super) fn forget_all(&mut self) {
        self.failing.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never() -> Option<Outcome> {
        panic!("it is known how the last one ended")
    }

    #[test]
    fn the_first_success_after_a_failure_is_a_recovery() {
        let job = JobId::new("a").unwrap();
        let mut health = Health::default();
        assert!(!health.ended(&job, Outcome::Succeeded, || None));
        assert!(!health.ended(&job, Outcome::TimedOut, never));
        assert!(!health.ended(&job, Outcome::Cancelled, never));
        assert!(health.ended(&job, Outcome::Succeeded, never));
        assert!(!health.ended(&job, Outcome::Succeeded, never));
    }

    #[test]
    fn the_store_is_asked_where_nothing_is_known() {
        let job = JobId::new("a").unwrap();
        let mut health = Health::default();
        assert!(health.ended(&job, Outcome::Succeeded, || Some(Outcome::Interrupted)));
        health.forget(&job);
        assert!(!health.ended(&job, Outcome::Succeeded, || Some(Outcome::Succeeded)));
        health.forget_all();
        assert!(health.ended(&job, Outcome::Succeeded, || Some(Outcome::Failed)));
    }
}
