//! What the host says in its log, for all tests of this program.

use std::{
    fmt::Debug,
    sync::{Condvar, Mutex, Once},
    time::Duration,
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// A guard against a line that never comes.
const DEADLINE: Duration = Duration::from_secs(60);

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
static MORE: Condvar = Condvar::new();

/// Listens from the start of the program on.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Listener).unwrap());
}

/// Waits for a line with this text in it.
#[track_caller]
pub(crate) fn heard(text: &str) -> String {
    let mut lines = LINES.lock().unwrap();
    loop {
        if let Some(line) = lines.iter().find(|line| line.contains(text)) {
            return line.clone();
        }
        let (more, wait) = MORE.wait_timeout(lines, DEADLINE).unwrap();
        assert!(!wait.timed_out(), "nobody said {text:?}, but: {more:#?}");
        lines = more;
    }
}

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        LINES.lock().unwrap().push(message.0);
        MORE.notify_all();
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
