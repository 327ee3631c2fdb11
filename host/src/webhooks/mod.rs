//! Webhooks: whoever the manifest names is told of what happens, by a signed HTTP request.
//!
//! A thread of its own listens to the scheduler's events, as any program can; nothing waits for it. Each webhook has a
//! bounded queue and is sent one message at a time, so that one that hangs holds nobody but itself.

mod backoff;
mod delivery;
mod dispatcher;
mod health;
mod lane;
mod message;
mod signature;
mod tally;

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, mpsc},
    time::Duration,
};

use clockbox_core::model::WebhookName;
use tokio::sync::{
    mpsc::{UnboundedSender, unbounded_channel},
    oneshot,
};

use crate::{
    manifest::WebhookSettings,
    scheduler::{Scheduler, Subscription},
};
use dispatcher::{Command, Dispatcher};

pub use delivery::{Verdict, test};
pub use message::Message;
pub use tally::Counts;

/// Webhooks by name.
pub type Settings = BTreeMap<WebhookName, WebhookSettings>;

/// A webhook as it is, and what became of its messages.
#[derive(Debug, Clone)]
pub struct State {
    /// What the manifest says of it.
    pub settings: Arc<WebhookSettings>,
    /// Since it was declared.
    pub counts: Counts,
}

/// Webhooks as they are, by name.
pub type States = BTreeMap<WebhookName, State>;

/// Asks how webhooks are. Clones ask the same ones.
#[derive(Debug, Clone)]
pub struct Asker(UnboundedSender<Command>);

impl Asker {
    /// How they are now; nothing once they have ended.
    pub async fn states(&self) -> States {
        let (reply, answer) = oneshot::channel();
        // An error means that the thread has ended, which the answer shows.
        _ = self.0.send(Command::Tell(reply));
        answer.await.unwrap_or_default()
    }
}

/// How long the end waits for a thread beyond its patience: it may hang in the resolver of names.
const END_SLACK: Duration = Duration::from_millis(500);

/// The webhooks of a scheduler. They go on until [`stop`](Self::stop), or until this is dropped.
#[derive(Debug)]
pub struct Webhooks {
    commands: UnboundedSender<Command>,
    ended: mpsc::Receiver<()>,
}

impl Webhooks {
    /// Tells of what happens from here on.
    ///
    /// ```
    /// use clockbox::{Scheduler, manifest::WebhookSettings, webhooks::Webhooks};
    ///
    /// let scheduler = Scheduler::builder().start()?;
    /// let settings = WebhookSettings::to("https://hooks.example.com/clockbox".parse()?);
    /// let webhooks = Webhooks::start(&scheduler, [("ops".parse()?, settings)].into())?;
    /// scheduler.shutdown(std::time::Duration::ZERO).wait()?;
    /// webhooks.stop(std::time::Duration::from_secs(5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When there is no thread left for it.
    pub fn start(scheduler: &Scheduler, settings: Settings) -> io::Result<Self> {
        Self::start_with(scheduler, scheduler.subscribe(), settings)
    }

    /// The same with a subscription that is older, so that what happens at the very start is told too:
    /// [`Builder::subscribe`](crate::Builder::subscribe).
    ///
    /// # Errors
    /// When there is no thread left for it.
    pub fn start_with(scheduler: &Scheduler, events: Subscription, settings: Settings) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(4)
            .thread_name("clockbox-webhook-io")
            .build()?;
        let (commands, asked) = unbounded_channel();
        let (end, ended) = mpsc::channel();
        let dispatcher = Dispatcher::new(scheduler.clone(), events, settings);
        std::thread::Builder::new().name("clockbox-webhook".into()).spawn(move || {
            runtime.block_on(dispatcher.run(asked));
            // Whoever waits for the resolver of names is not waited for.
            runtime.shutdown_background();
            drop(end);
        })?;
        Ok(Self { commands, ended })
    }

    /// Puts other webhooks in the place of those that there are. One that keeps its name keeps what waits for it.
    pub fn set(&self, settings: Settings) {
        // An error means that the thread has ended.
        _ = self.commands.send(Command::Set(settings));
    }

    /// What sets them, to be handed on.
    pub(crate) fn setter(&self) -> impl Fn(Settings) + Send + 'static {
        let commands = self.commands.clone();
        move |settings| _ = commands.send(Command::Set(settings))
    }

    /// How many messages each webhook was sent, and was not. Not to be called from async code: see
    /// [`asker`](Self::asker).
    #[must_use]
    pub fn counts(&self) -> BTreeMap<WebhookName, Counts> {
        let (reply, answer) = oneshot::channel();
        _ = self.commands.send(Command::Tell(reply));
        let states = answer.blocking_recv().unwrap_or_default();
        states.into_iter().map(|(name, state)| (name, state.counts)).collect()
    }

    /// What asks how they are, to be handed on.
    #[must_use]
    pub fn asker(&self) -> Asker {
        Asker(self.commands.clone())
    }

    /// Ends them. What has happened so far is sent within `patience`, each message once more at most; what could not be
    /// delivered is told in the log.
    pub fn stop(self, patience: Duration) {
        _ = self.commands.send(Command::Stop(patience));
        // Nothing is ever sent: the thread drops its end.
        _ = self.ended.recv_timeout(patience + END_SLACK);
    }
}
