//! A scheduler with works of several tempers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use clockbox::{
    Builder, Clock, Event, Grace, Job, JobId, Launch, ManualClock, Outcome, PluginName, Policy, PoolName,
    Report, Run, Scheduler, Source, Subscription, Timestamp, Trigger, TriggerSpec,
    sandbox::CancelToken,
    store::{JobStore, MemoryStore, RunFilter},
};
use tokio::sync::Notify;

pub(crate) fn at(seconds: i64) -> Timestamp {
    "2030-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + chrono::TimeDelta::seconds(seconds)
}

pub(crate) fn job(name: &str, trigger: &str, work: &str) -> Job {
    let spec: TriggerSpec = serde_json::from_str(trigger).unwrap();
    Job {
        id: JobId::new(name).unwrap(),
        plugin: PluginName::new(work).unwrap(),
        pool: PoolName::default_pool(),
        trigger: Trigger::new(spec, chrono_tz::UTC).unwrap(),
        args: "null".into(),
        policy: Policy { misfire_grace: Grace::Within(Duration::from_secs(86_400)), ..Policy::default() }
            .into(),
        source: Source::Api,
    }
}

pub(crate) fn hourly(name: &str) -> Job {
    job(name, r#"{ "interval": "1h" }"#, "quick")
}

pub(crate) async fn quick(_: Launch, _: CancelToken) -> Report {
    Report::new(Outcome::Succeeded)
}

/// Waits for an event; a failure guard ends the wait when the scheduler has gone.
pub(crate) fn until(events: &mut Subscription, wanted: impl Fn(&Event) -> bool) -> Event {
    loop {
        let happening = events.next_blocking().expect("the scheduler stopped").expect("no event is lost");
        if wanted(&happening.event) {
            return happening.event;
        }
    }
}

pub(crate) struct Bench {
    pub(crate) scheduler: Scheduler,
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) hand: ManualClock,
    /// Lets one `gated` work end.
    pub(crate) gate: Arc<Notify>,
    /// The most `counted` works at one time.
    pub(crate) most: Arc<AtomicUsize>,
}

impl Bench {
    pub(crate) fn start(how: impl FnOnce(Builder) -> Builder) -> Self {
        Self::on(Arc::new(MemoryStore::new()), at(0), how)
    }

    /// Stops, and starts again on the same store.
    pub(crate) fn restart(self, how: impl FnOnce(Builder) -> Builder) -> Self {
        self.scheduler.shutdown(Duration::ZERO).wait().unwrap();
        let now = self.scheduler.clock().now();
        Self::on(Arc::clone(&self.store), now, how)
    }

    pub(crate) fn on(store: Arc<dyn JobStore>, now: Timestamp, how: impl FnOnce(Builder) -> Builder) -> Self {
        let (clock, hand) = Clock::manual(now);
        let (gate, most, running) =
            (Arc::new(Notify::new()), Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let name = |name: &str| PluginName::new(name).unwrap();
        let opened = Arc::clone(&gate);
        let gated = move |_: Launch, _: CancelToken| {
            let opened = Arc::clone(&opened);
            async move {
                opened.notified().await;
                Report::new(Outcome::Succeeded)
            }
        };
        let highest = Arc::clone(&most);
        let counted = move |_: Launch, _: CancelToken| {
            let (highest, running) = (Arc::clone(&highest), Arc::clone(&running));
            async move {
                highest.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                running.fetch_sub(1, Ordering::SeqCst);
                Report::new(Outcome::Succeeded)
            }
        };
        let builder = Scheduler::builder()
            .store(Arc::clone(&store))
            .clock(clock)
            .native(name("quick"), quick)
            .native(name("stubborn"), |_, _| std::future::pending())
            .native(name("panics"), |_, _| async { panic!("as it was told") })
            .native(name("gated"), gated)
            .native(name("counted"), counted);
        let scheduler = how(builder).start().unwrap();
        Self { scheduler, store, hand, gate, most }
    }

    /// Every run, newest first.
    pub(crate) fn runs(&self) -> Vec<Run> {
        self.store.runs(&RunFilter::default()).unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        drop(self.scheduler.shutdown(Duration::ZERO));
    }
}
