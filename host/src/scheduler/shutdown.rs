//! The end of a scheduler: its stages, and how it is told.

use std::time::Duration;

use tokio::time::Instant;

use super::{Inbox, Message, SchedulerError, reply::ReplyTo};

/// A grace beyond what the clock can tell.
const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);
/// How long before the end of a shutdown's grace runs are asked to stop, at most half of it: they may end by themselves.
const ASK_BEFORE: Duration = Duration::from_secs(5);
/// How long after the grace of a shutdown a killed guest may take to be gone.
pub(super) const KILL_GRACE: Duration = Duration::from_secs(5);

/// A shutdown under way.
pub(super) struct Shutdown {
    /// What still runs then is asked to stop.
    ask_at: Instant,
    /// What still runs then is stopped.
    kill_at: Instant,
    stage: Stage,
    replies: Vec<ReplyTo<()>>,
}

/// How far a shutdown has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Runs get time to end.
    Draining,
    /// They were asked to stop.
    Asked,
    /// They were stopped.
    Killed,
    /// They are not waited for any more.
    GivenUp,
}

impl Shutdown {
    pub(super) fn new(now: Instant, grace: Duration, reply: ReplyTo<()>) -> Self {
        let grace = grace.min(FAR);
        let kill_at = now + grace;
        let ask_at = kill_at - ASK_BEFORE.min(grace / 2);
        Self { ask_at, kill_at, stage: Stage::Draining, replies: vec![reply] }
    }

    /// Takes in a further request, which may only shorten the grace.
    pub(super) fn hurry(&mut self, other: Self) {
        self.ask_at = self.ask_at.min(other.ask_at);
        self.kill_at = self.kill_at.min(other.kill_at);
        self.replies.extend(other.replies);
    }

    /// When its next stage begins.
    pub(super) fn next_at(&self) -> Instant {
        match self.stage {
            Stage::Draining => self.ask_at,
            Stage::Asked => self.kill_at,
            Stage::Killed | Stage::GivenUp => self.kill_at + KILL_GRACE,
        }
    }

    /// Enters its next stage.
    pub(super) fn advance(&mut self, now: Instant) -> Stage {
        self.stage = match self.stage {
            Stage::Draining => Stage::Asked,
            Stage::Asked => {
                // From here on the clock runs for the killed, whenever the grace was to end.
                self.kill_at = now;
                Stage::Killed
            }
            Stage::Killed | Stage::GivenUp => Stage::GivenUp,
        };
        self.stage
    }

    pub(super) fn into_replies(self) -> Vec<ReplyTo<()>> {
        self.replies
    }
}

/// How a driver ended, to be told to whoever asked for the end.
pub(super) struct Ending {
    lost: Option<String>,
    replies: Vec<ReplyTo<()>>,
    /// Holds what came too late to be taken.
    inbox: Inbox,
}

impl Ending {
    pub(super) fn new(lost: Option<String>, replies: Vec<ReplyTo<()>>, inbox: Inbox) -> Self {
        Self { lost, replies, inbox }
    }

    /// What whoever asked for the end is answered.
    pub(super) fn answer(&self) -> Result<(), SchedulerError> {
        self.lost.clone().map_or(Ok(()), |why| Err(SchedulerError::Lost(why)))
    }

    /// Answers everyone who asked for the end, the late ones too; other late messages are dropped, which answers them.
    pub(super) fn tell(self) {
        let answer = self.answer();
        let late = self.inbox.close().filter_map(|message| match message {
            Message::Shutdown { reply, .. } => Some(reply),
            _ => None,
        });
        for reply in self.replies.into_iter().chain(late) {
            reply.answer(answer.clone());
        }
    }
}
