//! The messages of one webhook: a bounded queue, and the task that sends one at a time.

use std::sync::Arc;

use clockbox_core::model::WebhookName;
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        watch,
    },
    task::{AbortHandle, JoinSet},
};

use super::{
    backoff::pause,
    delivery::{Verdict, attempt},
    message::Message,
    tally::{Counts, Tally},
};
use crate::{clock::Clock, manifest::WebhookSettings};

/// Messages that wait for one webhook.
pub(super) const ROOM: usize = 1000;

/// The near end of a webhook's queue.
pub(super) struct Lane {
    name: WebhookName,
    queue: mpsc::Sender<Message>,
    settings: watch::Sender<Arc<WebhookSettings>>,
    tally: Arc<Tally>,
    /// Messages that were dropped since there was room the last time.
    dropped: u64,
    task: AbortHandle,
}

impl Lane {
    /// A queue, worked off by one of the `tasks`. Once `closing` says so, nothing is waited for between two tries.
    pub(super) fn new(
        name: WebhookName,
        settings: WebhookSettings,
        clock: Clock,
        closing: watch::Receiver<bool>,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let (queue, messages) = mpsc::channel(ROOM);
        let (settings, now) = watch::channel(Arc::new(settings));
        let tally = Arc::new(Tally::default());
        let sender =
            Sender { name: name.clone(), messages, settings: now, tally: tally.clone(), clock, closing };
        let task = tasks.spawn(sender.run());
        Self { name, queue, settings, tally, dropped: 0, task }
    }

    pub(super) fn settings(&self) -> Arc<WebhookSettings> {
        self.settings.borrow().clone()
    }

    /// Sends what waits, and what comes, in another way.
    pub(super) fn set(&self, settings: WebhookSettings) {
        self.settings.send_replace(Arc::new(settings));
    }

    /// Lets a message wait its turn, if there is room.
    pub(super) fn offer(&mut self, message: Message) {
        match self.queue.try_send(message) {
            Ok(()) => {
                self.tally.taken();
                self.tell_dropped();
            }
            Err(TrySendError::Full(message)) => {
                self.tally.dropped();
                if self.dropped == 0 {
                    tracing::warn!(
                        "webhook \"{}\": {ROOM} messages wait already; {} and what follows is dropped until there is room",
                        self.name,
                        message.about
                    );
                }
                self.dropped += 1;
            }
            // Its task has broken down, which has been told.
            Err(TrySendError::Closed(_)) => self.tally.dropped(),
        }
    }

    pub(super) fn tell_dropped(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            tracing::warn!("webhook \"{}\": messages were dropped, its queue was full: {dropped}", self.name);
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.tally.counts()
    }

    /// No message comes any more; those that wait are sent still. Answers what tells of those that were not.
    pub(super) fn close(mut self) -> impl FnOnce() {
        self.tell_dropped();
        let Self { name, tally, .. } = self;
        move || tell_left(&name, tally.counts().waiting, "before the host ended")
    }

    /// Ends it at once.
    pub(super) fn remove(mut self) {
        self.tell_dropped();
        self.task.abort();
        tell_left(&self.name, self.tally.counts().waiting, "and the webhook is no more");
    }
}

fn tell_left(name: &WebhookName, left: u64, why: &str) {
    if left > 0 {
        tracing::error!("webhook \"{name}\": messages were not delivered {why}: {left}");
    }
}

/// The far end of a webhook's queue.
struct Sender {
    name: WebhookName,
    messages: mpsc::Receiver<Message>,
    settings: watch::Receiver<Arc<WebhookSettings>>,
    tally: Arc<Tally>,
    clock: Clock,
    closing: watch::Receiver<bool>,
}

impl Sender {
    async fn run(mut self) {
        while let Some(message) = self.messages.recv().await {
            self.deliver(&message).await;
        }
    }

    /// Tries until the message is taken, or is to be given up.
    async fn deliver(&mut self, message: &Message) {
        let mut tries = 0_u32;
        loop {
            let settings = self.settings.borrow_and_update().clone();
            // What fails from here on is not tried again.
            let is_last = *self.closing.borrow();
            tries = tries.saturating_add(1);
            let (name, Message { id, about, .. }) = (&self.name, message);
            let (why, after, is_refused) = match attempt(&settings, message, self.clock.now()).await {
                Verdict::Delivered(status) => {
                    self.tally.delivered();
                    tracing::debug!("webhook \"{name}\": {about} was delivered ({status}, {id})");
                    return;
                }
                Verdict::Failed { why, after } => (why, after, false),
                Verdict::Refused { why } => (why, None, true),
            };
            let origin = &settings.url;
            if is_refused || is_last || tries > settings.retries {
                self.tally.failed();
                let times = if tries == 1 { "the only try".to_owned() } else { format!("try {tries}") };
                tracing::error!(
                    "webhook \"{name}\": {about} was not delivered to {origin} ({id}), at {times}: {why}"
                );
                return;
            }
            let pause = pause(settings.backoff, tries, after, fastrand::f64());
            let span = clockbox_core::model::format_duration(pause);
            let told = format!(
                "webhook \"{name}\": {about} was not delivered to {origin} yet: {why}; again in {span}"
            );
            // One word of trouble is enough for each message.
            if tries == 1 {
                tracing::warn!("{told}")
            } else {
                tracing::debug!("{told}")
            }
            self.wait(pause).await;
        }
    }

    /// Waits for the next try: less long where the webhook is another one by then, or the host ends.
    async fn wait(&mut self, pause: std::time::Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            // Errors mean that the near end is gone: the last try follows.
            _ = self.settings.changed(), if self.settings.has_changed().is_ok() => {}
            _ = self.closing.wait_for(|closing| *closing) => {}
        }
    }
}
