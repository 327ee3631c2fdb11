//! What the screen is fed with: threads that ask the host, listen to it, to the keys and to signals.

use std::{
    ops::ControlFlow,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError},
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::Value;

use super::{
    ask::Ask,
    ended::Ended,
    model::{Heard, Note, Snapshot},
};
use crate::{
    cli::{
        ask::{Host, HostArgs, query},
        exit::Failure,
    },
    control::{JobPage, RunPage, view::StatusView},
};

/// How often the host is asked when nothing happens.
const EVERY: Duration = Duration::from_secs(1);
/// What happens within so long is taken together, so that a busy host is not asked for each event.
const TOGETHER: Duration = Duration::from_millis(150);
/// Rows that a panel has at most.
const ROWS: &str = "100";
/// With more jobs than this, which of them are next is asked for less often: the host looks at all of them for it.
const MANY_JOBS: usize = 20_000;
/// How much less often.
const SELDOM: u64 = 15;

/// What the screen is told.
pub(super) enum News {
    Host(Box<Snapshot>),
    Heard(Vec<Heard>),
    Away(String),
    /// What came of a request.
    Told(Note),
    Key(crossterm::event::KeyEvent),
    /// The terminal has another size.
    Resized,
    /// It is over.
    End(Option<Failure>),
}

/// What the thread that asks the host is told.
pub(super) enum Order {
    Put(Ask),
    Heard(Box<Heard>),
    /// Something else has happened.
    Look,
}

/// Starts a thread; if it breaks down, the screen ends.
pub(super) fn thread(
    name: &str,
    news: &SyncSender<News>,
    work: impl FnOnce(&SyncSender<News>) + Send + 'static,
) -> Result<JoinHandle<()>, Failure> {
    struct Watch(SyncSender<News>);
    impl Drop for Watch {
        fn drop(&mut self) {
            if thread::panicking() {
                let end = News::End(Some(Failure::new(
                    "a part of `top` broke down; this is a mistake in clockbox",
                )));
                // Nobody is there to be told where the screen has ended already.
                drop(self.0.send(end));
            }
        }
    }
    let watch = Watch(news.clone());
    let started = thread::Builder::new().name(name.to_owned()).spawn(move || work(&watch.0));
    started.map_err(|error| Failure::new(format!("a thread could not be started: {error}")))
}

/// Asks the host how it stands, each second and whenever something happens, until the screen ends.
pub(super) fn ask(
    args: &HostArgs,
    host: Host,
    by: &Value,
    orders: &Receiver<Order>,
    news: &SyncSender<News>,
) {
    let mut host = Some(host);
    let mut looks = 0_u64;
    let mut next = JobPage { jobs: Vec::new(), next: None };
    loop {
        let seen = connected(args, &mut host).and_then(|host| look(host, looks, &mut next));
        looks += 1;
        let told = match seen {
            Ok(snapshot) => News::Host(Box::new(snapshot)),
            Err(failure) => {
                (host, looks) = (None, 0);
                News::Away(failure.message().to_owned())
            }
        };
        if news.send(told).is_err() {
            return;
        }
        let first = match orders.recv_timeout(EVERY) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if !matches!(first, Order::Put(_)) {
            thread::sleep(TOGETHER);
        }
        let mut heard = Vec::new();
        for order in std::iter::once(first).chain(orders.try_iter()) {
            match order {
                Order::Heard(one) => heard.push(*one),
                Order::Look => {}
                Order::Put(ask) => {
                    let put = connected(args, &mut host).and_then(|host| ask.put(host, by));
                    let note = match put {
                        Ok(text) => Note { text, is_bad: false },
                        Err(failure) => Note { text: failure.message().to_owned(), is_bad: true },
                    };
                    if news.send(News::Told(note)).is_err() {
                        return;
                    }
                }
            }
        }
        if !heard.is_empty() && news.send(News::Heard(heard)).is_err() {
            return;
        }
    }
}

fn connected<'a>(args: &HostArgs, host: &'a mut Option<Host>) -> Result<&'a mut Host, Failure> {
    let open = match host.take() {
        Some(open) => open,
        None => args.connect()?,
    };
    Ok(host.insert(open))
}

fn look(host: &mut Host, looks: u64, next: &mut JobPage) -> Result<Snapshot, Failure> {
    let status: StatusView = host.get("/v1/status")?;
    let active = query(&[("state", Some("running,retrying,waiting")), ("limit", Some(ROWS))]);
    let active: RunPage = host.get(&format!("/v1/runs{active}"))?;
    let ended = query(&[("state", Some("finished,missed,skipped")), ("limit", Some(ROWS))]);
    let ended: RunPage = host.get(&format!("/v1/runs{ended}"))?;
    if status.jobs <= MANY_JOBS || looks.is_multiple_of(SELDOM) {
        *next = host.get(&format!("/v1/next{}", query(&[("limit", Some(ROWS))])))?;
    }
    let paused: JobPage = match status.paused_jobs {
        0 => JobPage { jobs: Vec::new(), next: None },
        _ => host.get(&format!("/v1/jobs{}", query(&[("paused", Some("true")), ("limit", Some(ROWS))])))?,
    };
    let mut active = active.runs;
    active.sort_by_key(|run| (run.state != "running", run.started_at, run.id.clone()));
    let ended = ended.runs.into_iter().filter_map(Ended::of_record).collect();
    Ok(Snapshot { status, active, next: next.jobs.clone(), paused: paused.jobs, ended })
}

/// Listens to what happens on the host, for as long as anybody wants to know. That it is away is told by whoever asks it.
pub(super) fn listen(args: &HostArgs, orders: &SyncSender<Order>) {
    loop {
        if let Ok(mut host) = args.connect() {
            let mut is_over = false;
            let listened = host.follow_lines("/v1/events", &[], |line| {
                let Some(data) = line.strip_prefix("data:") else { return ControlFlow::Continue(()) };
                // What a later version tells of is a reason to look as well.
                let order = serde_json::from_str(data.trim_start())
                    .map_or(Order::Look, |heard| Order::Heard(Box::new(heard)));
                is_over = orders.send(order).is_err();
                if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            if is_over {
                return;
            }
            if let Err(failure) = listened {
                tracing::debug!("the events of the host ended: {}", failure.message());
            }
        }
        // It is looked at once more at once, which tells whether it is away.
        if matches!(orders.try_send(Order::Look), Err(TrySendError::Disconnected(_))) {
            return;
        }
        thread::sleep(EVERY);
    }
}

/// Listens to the terminal.
pub(super) fn keys(news: &SyncSender<News>) {
    use crossterm::event::{Event, read};
    loop {
        let told = match read() {
            Ok(Event::Key(key)) => News::Key(key),
            Ok(Event::Resize(..)) => News::Resized,
            Ok(_) => continue,
            Err(error) => News::End(Some(Failure::new(format!("the terminal: {error}")))),
        };
        let is_end = matches!(told, News::End(_));
        if news.send(told).is_err() || is_end {
            return;
        }
    }
}

/// Waits for a signal that ends programs; the screen ends in order.
#[cfg(unix)]
pub(super) fn signals(news: &SyncSender<News>) {
    use tokio::signal::unix::{SignalKind, signal};
    let heard = || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut interrupt = signal(SignalKind::interrupt())?;
            let mut terminate = signal(SignalKind::terminate())?;
            let mut hangup = signal(SignalKind::hangup())?;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            Ok(())
        })
    };
    let failure = heard().err().map(|error| Failure::new(format!("signals: {error}")));
    // The screen may have ended by itself.
    drop(news.send(News::End(failure)));
}

/// Elsewhere Ctrl-C is a key.
#[cfg(not(unix))]
pub(super) fn signals(_: &SyncSender<News>) {}
