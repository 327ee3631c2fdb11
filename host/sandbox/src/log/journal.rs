//! Gathers the lines of one run and keeps them within the limit.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use clockbox_core::model::{LogLevel, LogLine, LogStream, format_size};

use super::{Redactor, clean, last_line::LastLine, last_words::LastWords};
use crate::RunSink;

/// What a line costs beyond its text, so that empty lines cannot flood the store.
const LINE_COST: u64 = 16;
/// A longer line is broken into several.
const LONGEST_LINE: usize = 16 << 10;
/// How many different remarks of the host are passed on.
const MOST_REMARKS: usize = 20;
/// How much of a refusal is remembered, in characters.
const LONGEST_REFUSAL: usize = 1_000;

/// One of the two standard streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Std {
    Out,
    Err,
}

/// The log of one run. Clones write to the same one.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Mutex<State>>);

struct State {
    sink: Arc<dyn RunSink>,
    redactor: Arc<Redactor>,
    limit: u64,
    used: u64,
    /// Bytes of text that came when the limit had been reached.
    dropped: u64,
    full: bool,
    /// The lines that have not ended yet.
    out: Vec<u8>,
    err: Vec<u8>,
    /// The last line of stdout, where it is asked for.
    last: Option<LastLine>,
    words: LastWords,
    remarks: Vec<String>,
    /// The first thing that the run was refused.
    refusal: Option<String>,
    /// Whether the job has an `allow` of its own.
    is_narrowed: bool,
}

impl Journal {
    /// A journal that passes on at most `limit` bytes, without secrets.
    pub(crate) fn new(sink: Arc<dyn RunSink>, limit: u64, redactor: Arc<Redactor>) -> Self {
        Self(Arc::new(Mutex::new(State {
            sink,
            redactor,
            limit,
            used: 0,
            dropped: 0,
            full: false,
            out: Vec::new(),
            err: Vec::new(),
            last: None,
            words: LastWords::default(),
            remarks: Vec::new(),
            refusal: None,
            is_narrowed: false,
        })))
    }

    /// The same of a job with an `allow` of its own: it has to name what it is refused, too.
    pub(crate) fn of_narrowed(self) -> Self {
        self.state().is_narrowed = true;
        self
    }

    /// The same, which holds the last line of stdout apart, up to so many bytes.
    pub(crate) fn with_last_line(self, most: u64) -> Self {
        self.state().last = Some(LastLine::new(most));
        self
    }

    /// Takes what the guest wrote to a standard stream, wherever its lines end.
    pub(crate) fn write(&self, to: Std, bytes: &[u8]) {
        self.state().write(to, bytes);
    }

    /// Takes a call of the `log` import. A message of several lines becomes several lines; the first has the fields.
    pub(crate) fn log(&self, level: LogLevel, message: &str, fields: Vec<(String, String)>) {
        let mut state = self.state();
        let size: u64 = fields.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum();
        // What cannot be kept is not looked at: a guest may hand over a hundred megabytes a call, again and again.
        let fits = !state.full && size <= state.limit;
        let mut fields = Some(match fits {
            true => fields
                .into_iter()
                .map(|(key, value)| (state.shown(&key).into_owned(), state.shown(&value).into_owned()))
                .collect(),
            false => {
                state.dropped += size;
                Vec::new()
            }
        });
        let mut message = message.strip_suffix('\n').unwrap_or(message);
        while !state.full
            && let Some((line, rest)) = message.split_once('\n')
        {
            state.line(LogStream::Log, level, line, fields.take().unwrap_or_default());
            message = rest;
        }
        state.line(LogStream::Log, level, message, fields.take().unwrap_or_default());
    }

    /// Adds a remark of the host's, once. It does not count for the limit, and there are at most 20.
    pub(crate) fn remark(&self, text: String) {
        let mut state = self.state();
        if state.remarks.len() < MOST_REMARKS && !state.remarks.contains(&text) {
            let shown = state.shown(&text).into_owned();
            state.pass(LogStream::Host, LogLevel::Warn, shown, Vec::new());
            state.remarks.push(text);
        }
    }

    /// Adds a line of the host's, whatever else there is.
    pub(crate) fn tell(&self, level: LogLevel, text: &str) {
        let state = self.state();
        state.pass(LogStream::Host, level, state.shown(text).into_owned(), Vec::new());
    }

    /// Remarks that something was refused, by which right or limit, and what would grant it. The first refusal is remembered:
    /// a guest may say nothing of it when it fails.
    pub(crate) fn refuse(&self, mut text: String) {
        let mut state = self.state();
        if state.is_narrowed && text.contains("allow") {
            text.push_str("; the job has an allow of its own, which must name it, too");
        }
        if state.refusal.is_none() {
            let shown: String = state.shown(&text).chars().take(LONGEST_REFUSAL).collect();
            state.refusal = Some(shown);
        }
        drop(state);
        self.remark(text);
    }

    /// The first thing that the run was refused.
    pub(crate) fn refusal(&self) -> Option<String> {
        self.state().refusal.clone()
    }

    /// Ends the log: passes on the lines that have no end, and says how much was dropped.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        for to in [Std::Out, Std::Err] {
            let rest = std::mem::take(state.open(to));
            if !rest.is_empty() {
                state.std_line(to, &rest);
            }
        }
        if state.dropped > 0 {
            let text = format!(
                "log limit of {} reached; {} bytes dropped (raise limits.log to keep more)",
                format_size(state.limit),
                state.dropped
            );
            state.dropped = 0;
            state.pass(LogStream::Host, LogLevel::Warn, text, Vec::new());
        }
    }

    /// The last line of stdout that says anything, or how long it is where that is too long; nothing where there is none,
    /// or nobody asked. The log's own limits have no say in it.
    pub(crate) fn take_last_line(&self) -> Option<Result<Vec<u8>, u64>> {
        self.state().last.as_mut()?.take()
    }

    /// What was said on stderr before a trap, and before an exit: kept even when the log is full.
    pub(crate) fn last_words(&self) -> (Vec<String>, Vec<String>) {
        let state = self.state();
        (state.words.of_trap(), state.words.of_exit())
    }

    /// The latest remark of the host's: what it refused, and what would grant it.
    pub(crate) fn last_remark(&self) -> Option<String> {
        self.state().remarks.last().cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn open(&mut self, to: Std) -> &mut Vec<u8> {
        match to {
            Std::Out => &mut self.out,
            Std::Err => &mut self.err,
        }
    }

    fn write(&mut self, to: Std, mut bytes: &[u8]) {
        if let (Std::Out, Some(last)) = (to, &mut self.last) {
            last.write(bytes);
        }
        if self.full && to == Std::Out {
            self.dropped += bytes.len() as u64;
            return;
        }
        while let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = (&bytes[..at], &bytes[at + 1..]);
            let mut open = std::mem::take(self.open(to));
            if open.is_empty() {
                self.pieces(to, line);
            } else {
                open.extend_from_slice(line);
                self.pieces(to, &open);
                // The buffer is handed back so that it need not be allocated for every line.
                open.clear();
                *self.open(to) = open;
            }
            bytes = rest;
        }
        self.open(to).extend_from_slice(bytes);
        // A secret must not be cut in two: what may be the beginning of one stays.
        while self.open(to).len() > LONGEST_LINE + self.redactor.longest() {
            let mut open = std::mem::take(self.open(to));
            self.redactor.hide_bytes(&mut open);
            let rest = open.split_off(boundary(&open, LONGEST_LINE));
            self.std_line(to, &open);
            *self.open(to) = rest;
        }
    }

    /// A line that has ended, broken up where it is too long.
    fn pieces(&mut self, to: Std, line: &[u8]) {
        let mut line = Cow::Borrowed(line);
        if line.len() > LONGEST_LINE {
            self.redactor.hide_bytes(line.to_mut());
        }
        let mut line = &*line;
        while line.len() > LONGEST_LINE {
            let (piece, rest) = line.split_at(boundary(line, LONGEST_LINE));
            self.std_line(to, piece);
            line = rest;
        }
        self.std_line(to, line);
    }

    fn std_line(&mut self, to: Std, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        match to {
            Std::Out => self.line(LogStream::Stdout, LogLevel::Info, &text, Vec::new()),
            Std::Err => {
                let text = self.shown(&text).into_owned();
                self.words.hear(&text);
                self.line(LogStream::Stderr, LogLevel::Warn, &text, Vec::new());
            }
        }
    }

    fn line(&mut self, stream: LogStream, level: LogLevel, text: &str, fields: Vec<(String, String)>) {
        if self.full {
            self.dropped += text.len() as u64;
            return;
        }
        let (text, beyond) = self.start_of(text);
        let extra: u64 = fields.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum();
        let cost = text.len() as u64 + extra + LINE_COST;
        let room = self.limit - self.used;
        if cost <= room && beyond == 0 {
            self.used += cost;
            self.pass(stream, level, text.into_owned(), fields);
            return;
        }
        // The limit is met inside this line: what fits of it is kept, and nothing after it.
        self.full = true;
        self.used = self.limit;
        let fits = usize::try_from(room.saturating_sub(LINE_COST)).unwrap_or(usize::MAX).min(text.len());
        let kept = text.floor_char_boundary(fits);
        self.dropped += (text.len() - kept) as u64 + extra + beyond;
        if kept > 0 {
            self.pass(stream, level, text[..kept].to_owned(), Vec::new());
        } else if self.dropped == 0 {
            // An empty line that no longer fits: it counts as its line end, so that the marker is shown.
            self.dropped = 1;
        }
    }

    /// As much of a line, fit to be shown, as could be kept by any means, and how many bytes more there are.
    fn start_of<'t>(&self, text: &'t str) -> (Cow<'t, str>, u64) {
        let most = usize::try_from(self.limit).unwrap_or(usize::MAX).saturating_add(LONGEST_LINE);
        if text.len() <= most {
            return (self.shown(text), 0);
        }
        let (start, rest) = text.split_at(text.floor_char_boundary(most));
        let mut start = self.shown(start).into_owned();
        // A secret that was cut in two would not be known for one.
        start.truncate(start.floor_char_boundary(start.len().saturating_sub(self.redactor.longest())));
        (Cow::Owned(start), rest.len() as u64)
    }

    /// A text of the guest's, fit to be shown: without controls first, as a secret may stand around them.
    fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match clean(text) {
            Cow::Borrowed(text) => self.redactor.hide(text),
            Cow::Owned(text) => Cow::Owned(self.redactor.hide(&text).into_owned()),
        }
    }

    fn pass(&self, stream: LogStream, level: LogLevel, message: String, fields: Vec<(String, String)>) {
        self.sink.log(LogLine { at: self.sink.now(), stream, level, message, fields });
    }
}

/// The end of the last whole UTF-8 character before `at`, or `at` where there is none near.
fn boundary(bytes: &[u8], at: usize) -> usize {
    (at.saturating_sub(3)..=at)
        .rev()
        .find(|at| bytes.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80))
        .unwrap_or(at)
}
