//! Guests that make calls of `clockbox:state` and `clockbox:jobs` one after the other, and tell what each answered.

use std::fmt::Write as _;

use crate::support::job_importing;

/// Where the strings of a script lie in the guest's memory.
const STRINGS: usize = 1024;

/// The calls of a guest, in order.
#[derive(Default)]
pub(crate) struct Script {
    data: String,
    end: usize,
    body: String,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self { end: STRINGS, ..Self::default() }
    }

    pub(crate) fn get(self, key: &str) -> Self {
        self.call("get", &[Arg::Text(key)], "option")
    }

    pub(crate) fn set(self, key: &str, value: &str) -> Self {
        self.set_for(key, value, None)
    }

    /// Sets a value that expires after so many milliseconds.
    pub(crate) fn set_for(self, key: &str, value: &str, ttl_ms: Option<u64>) -> Self {
        self.call("set", &[Arg::Text(key), Arg::Text(value), Arg::Time(ttl_ms)], "nothing")
    }

    pub(crate) fn delete(self, key: &str) -> Self {
        self.call("delete", &[Arg::Text(key)], "bool")
    }

    pub(crate) fn keys(self, prefix: &str) -> Self {
        self.call("keys", &[Arg::Text(prefix)], "list")
    }

    pub(crate) fn swap(self, key: &str, expected: Option<&str>, value: Option<&str>) -> Self {
        let args = [Arg::Text(key), Arg::Maybe(expected), Arg::Maybe(value), Arg::Time(None)];
        self.call("swap", &args, "bool")
    }

    /// Adds a job; the number is that of the case in `conflict`.
    pub(crate) fn add(self, name: &str, job: &str, conflict: u8) -> Self {
        self.call("add_job", &[Arg::Text(name), Arg::Text(job), Arg::Case(conflict)], "nothing")
    }

    /// Adds a job whose description has so many bytes.
    pub(crate) fn add_long(self, name: &str, bytes: usize) -> Self {
        self.call("add_job", &[Arg::Text(name), Arg::Zeros(bytes), Arg::Case(0)], "nothing")
    }

    pub(crate) fn modify(self, name: &str, changes: &str) -> Self {
        self.call("modify_job", &[Arg::Text(name), Arg::Text(changes)], "nothing")
    }

    pub(crate) fn pause(self, name: &str, note: Option<&str>) -> Self {
        self.call("pause_job", &[Arg::Text(name), Arg::Maybe(note)], "nothing")
    }

    pub(crate) fn resume(self, name: &str) -> Self {
        self.call("resume_job", &[Arg::Text(name)], "nothing")
    }

    pub(crate) fn remove(self, name: &str) -> Self {
        self.call("remove_job", &[Arg::Text(name)], "nothing")
    }

    pub(crate) fn run(self, name: &str, args: Option<&str>) -> Self {
        self.call("run_job", &[Arg::Text(name), Arg::Maybe(args)], "nothing")
    }

    pub(crate) fn list(self) -> Self {
        self.call("list_jobs", &[], "list")
    }

    pub(crate) fn show(self, name: &str) -> Self {
        self.call("get_job", &[Arg::Text(name)], "option")
    }

    /// The guest, which answers with a line for each call.
    pub(crate) fn done(self) -> Vec<u8> {
        self.ends("(call $answer_text)")
    }

    /// The guest, which ends like this.
    pub(crate) fn ends(self, end: &str) -> Vec<u8> {
        let Self { data, body, .. } = self;
        let items = format!("{}\n{data}", include_str!("guests/effects.wat"));
        job_importing(include_str!("guests/effects_imports.wat"), &items, &format!("{body}\n{end}"))
    }

    fn call(mut self, function: &str, args: &[Arg<'_>], answer: &str) -> Self {
        let mut call = format!("(call ${function}");
        for arg in args {
            let words = match arg {
                Arg::Text(text) => self.string(text),
                Arg::Zeros(bytes) => format!("(i32.const 60000) (i32.const {bytes})"),
                Arg::Maybe(None) => "(i32.const 0) (i32.const 0) (i32.const 0)".to_owned(),
                Arg::Maybe(Some(text)) => format!("(i32.const 1) {}", self.string(text)),
                Arg::Time(None) => "(i32.const 0) (i64.const 0)".to_owned(),
                Arg::Time(Some(ms)) => format!("(i32.const 1) (i64.const {ms})"),
                Arg::Case(case) => format!("(i32.const {case})"),
            };
            _ = write!(call, " {words}");
        }
        _ = writeln!(self.body, "{call} (i32.const 256)) (call $tell_{answer})");
        self
    }

    /// Puts a string into the guest's memory; answers where it lies and how long it is.
    fn string(&mut self, text: &str) -> String {
        let bytes: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        let at = self.end;
        _ = writeln!(self.data, "(data (i32.const {at}) \"{bytes}\")");
        self.end += text.len();
        assert!(self.end <= 4096, "the guest's frame has no room for more strings");
        format!("(i32.const {at}) (i32.const {})", text.len())
    }
}

enum Arg<'a> {
    Text(&'a str),
    /// So many bytes that are zero.
    Zeros(usize),
    Maybe(Option<&'a str>),
    Time(Option<u64>),
    Case(u8),
}
