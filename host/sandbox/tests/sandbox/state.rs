//! What a guest sees of its job's state, and what of it is handed over with its success.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use clockbox_core::model::{
    Allow, Effects, JobState, Limits, LogLine, LogStream, Outcome, PluginSpec, Report, Rights, StateChanges,
    StateEntry, Timestamp,
};
use clockbox_sandbox::{CancelToken, Pending, Plugin, RunSink};

use crate::{
    script::Script,
    support::{Memory, noon, request, sandbox, spec},
};

/// A host that keeps a state; the first so many times that it is asked it cannot answer.
struct Keeper {
    memory: Arc<Memory>,
    state: JobState,
    failures: AtomicUsize,
    asked: AtomicUsize,
}

impl Keeper {
    fn of(entries: &[(&str, &str, Option<Timestamp>)]) -> Self {
        let entry = |(key, value, expires_at): &(&str, &str, Option<Timestamp>)| {
            ((*key).to_owned(), StateEntry { value: value.as_bytes().into(), expires_at: *expires_at })
        };
        Self {
            memory: Memory::new(),
            state: JobState(entries.iter().map(entry).collect()),
            failures: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
        }
    }

    async fn run(self, plugin: &Plugin) -> (Report, Arc<Self>) {
        let keeper = Arc::new(self);
        let report = plugin.run(request("null"), keeper.clone(), CancelToken::new()).await;
        (report, keeper)
    }

    fn remarks(&self) -> Vec<String> {
        self.memory.texts(LogStream::Host)
    }
}

impl RunSink for Keeper {
    fn now(&self) -> Timestamp {
        self.memory.now()
    }

    fn log(&self, line: LogLine) {
        self.memory.log(line);
    }

    fn progress(&self, done: u64, total: Option<u64>, note: Option<String>) {
        self.memory.progress(done, total, note);
    }

    fn state(&self) -> Pending<JobState> {
        let fails = self.asked.fetch_add(1, Ordering::SeqCst) < self.failures.load(Ordering::SeqCst);
        let answer = if fails { Err("the store is away".to_owned()) } else { Ok(self.state.clone()) };
        // Not at once: a store is asked on another thread.
        Box::pin(async {
            tokio::task::yield_now().await;
            answer
        })
    }
}

fn load(bytes: &[u8], limits: Limits) -> Plugin {
    let right = Rights { state: true, jobs: Some(Default::default()), ..Rights::default() };
    sandbox().load(bytes, &PluginSpec { rights: right, limits, ..spec("test") }).unwrap()
}

async fn run(script: Script, keeper: Keeper) -> (Report, Arc<Keeper>) {
    keeper.run(&load(&script.done(), Limits::default())).await
}

#[track_caller]
fn answers(report: &Report) -> Vec<&str> {
    assert_eq!(report.outcome, Outcome::Succeeded, "{report:?}");
    report.output.as_deref().unwrap().lines().collect()
}

fn entry(value: &str, expires_at: Option<Timestamp>) -> Option<StateEntry> {
    Some(StateEntry { value: value.as_bytes().into(), expires_at })
}

/// What a run changes, under the default limit.
fn changes<const N: usize>(put: [(&str, Option<StateEntry>); N]) -> StateChanges {
    let put = put.map(|(key, entry)| (key.to_owned(), entry)).into();
    StateChanges { put, limit: Limits::default().state, ..StateChanges::default() }
}

fn state_of(report: &Report) -> Option<&StateChanges> {
    let Effects { state, jobs } = report.effects.as_deref()?;
    assert_eq!(*jobs, None);
    state.as_ref()
}

#[tokio::test]
async fn a_guest_sees_what_was_stored_with_its_own_changes_over_it_and_hands_over_those_alone() {
    let script = Script::new()
        .get("a")
        .get("nothing")
        .set("b", "zwei")
        .get("b")
        .keys("")
        .delete("a")
        .delete("a")
        .get("a")
        .set("new", "1")
        .delete("new")
        .keys("")
        .keys("k");
    let stored = [("a", "1", None), ("b", "2", None), ("k/1", "", None), ("k/2", "", None)];
    let (report, keeper) = run(script, Keeper::of(&stored)).await;
    let expected = [
        "some 1",
        "none",
        "ok",
        "some zwei",
        "a,b,k/1,k/2,",
        "true",
        "false",
        "none",
        "ok",
        "true",
        "b,k/1,k/2,",
        "k/1,k/2,",
    ];
    assert_eq!(answers(&report), expected);
    assert_eq!(state_of(&report), Some(&changes([("a", None), ("b", entry("zwei", None))])));
    assert_eq!(keeper.asked.load(Ordering::SeqCst), 1, "asked once, at the first use");
    assert_eq!(keeper.remarks(), [""; 0]);
}

#[tokio::test]
async fn a_guest_that_only_looks_changes_nothing_and_one_that_does_not_costs_no_question() {
    let (report, _) = run(Script::new().get("a").keys(""), Keeper::of(&[("a", "1", None)])).await;
    assert_eq!((answers(&report), report.effects.as_ref()), (vec!["some 1", "a,"], None));
    let (report, keeper) = run(Script::new(), Keeper::of(&[])).await;
    assert_eq!((report.outcome, keeper.asked.load(Ordering::SeqCst)), (Outcome::Succeeded, 0));
}

#[tokio::test]
async fn what_is_compared_with_what_was_stored_is_handed_over_to_be_compared_again() {
    let script = Script::new()
        .swap("a", Some("2"), Some("x"))
        .swap("a", Some("1"), Some("2"))
        .swap("a", Some("2"), Some("3"))
        .swap("new", None, Some("1"))
        .swap("gone", Some("1"), None)
        .swap("late", Some("1"), Some("x"))
        .swap("late", None, Some("2"));
    let expired = Some(noon() - Duration::from_millis(1));
    let stored = [("a", "1", None), ("gone", "1", None), ("late", "1", expired)];
    let (report, _) = run(script, Keeper::of(&stored)).await;
    assert_eq!(answers(&report), ["false", "true", "true", "true", "true", "false", "true"]);
    let expected = [("a", Some("1")), ("gone", Some("1")), ("late", None), ("new", None)];
    let expected =
        expected.map(|(key, value)| (key.to_owned(), value.map(|value| value.as_bytes().into()))).into();
    let put =
        [("a", entry("3", None)), ("gone", None), ("late", entry("2", None)), ("new", entry("1", None))];
    assert_eq!(state_of(&report), Some(&StateChanges { expected, ..changes(put) }));
}

#[tokio::test]
async fn a_value_expires_so_long_after_the_call_and_what_has_expired_is_not_there() {
    let script = Script::new()
        .get("late")
        .get("soon")
        .keys("")
        .delete("late")
        .set_for("hour", "1", Some(3_600_000))
        .set_for("ever", "1", Some(u64::MAX))
        .set_for("now", "1", Some(0))
        .get("now");
    let stored = [("late", "1", Some(noon())), ("soon", "1", Some(noon() + Duration::from_millis(1)))];
    let (report, _) = run(script, Keeper::of(&stored)).await;
    assert_eq!(answers(&report), ["none", "some 1", "soon,", "false", "ok", "ok", "ok", "none"]);
    let hour = Some(noon() + Duration::from_secs(3600));
    let put = [
        ("ever", entry("1", None)),
        ("hour", entry("1", hour)),
        ("late", None),
        ("now", entry("1", Some(noon()))),
    ];
    assert_eq!(state_of(&report), Some(&changes(put)));
}

#[tokio::test]
async fn a_run_that_does_not_succeed_hands_over_nothing() {
    let change = || Script::new().set("a", "2").swap("a", Some("2"), Some("3"));
    let quick = Limits { timeout: Duration::from_millis(100), ..Limits::default() };
    for (end, limits, outcome) in [
        ("(call $fail (i32.const 3))", Limits::default(), Outcome::Failed),
        ("unreachable", Limits::default(), Outcome::Trapped),
        ("(loop (br 0)) unreachable", quick, Outcome::TimedOut),
    ] {
        let (report, keeper) = Keeper::of(&[("a", "1", None)]).run(&load(&change().ends(end), limits)).await;
        assert_eq!((report.outcome, &report.effects), (outcome, &None), "{end}: {report:?}");
        assert_eq!(keeper.asked.load(Ordering::SeqCst), 1, "{end}");
    }
}

#[tokio::test]
async fn what_is_refused_says_why_and_changes_nothing() {
    let long = "x".repeat(513);
    let script = Script::new()
        .set("", "1")
        .get(&long)
        .delete("a\u{1b}[2J")
        .set("a", &"y".repeat(64))
        .swap("a", None, Some(&"y".repeat(64)))
        .set("a", "fits")
        .get("a");
    let limits = Limits { state: 80, ..Limits::default() };
    let (report, keeper) = Keeper::of(&[]).run(&load(&script.done(), limits)).await;
    let full = "error 2 the state of the job would take 129 B and the limit is 80 B (raise limits.state)";
    let expected = [
        "error 1 a key must not be empty",
        "error 1 the key has 513 bytes; at most 512 are allowed",
        "error 1 '\\u{1b}' is not allowed in a key: it is a control character",
        full,
        full,
        "ok",
        "some fits",
    ];
    assert_eq!(answers(&report), expected);
    // The comparison that came before the refusal holds.
    let mut handed_over = StateChanges { limit: 80, ..changes([("a", entry("fits", None))]) };
    handed_over.expected = [("a".to_owned(), None)].into();
    assert_eq!(state_of(&report), Some(&handed_over));
    let remark =
        "change of the job's state refused: more than the limit of 80 B (raise limits.state to keep more)";
    assert_eq!(keeper.remarks(), [remark]);
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_asked_for_again_at_the_next_use() {
    let keeper = Keeper { failures: AtomicUsize::new(2), ..Keeper::of(&[("a", "1", None)]) };
    let (report, keeper) = run(Script::new().get("a").keys("").get("a").get("a"), keeper).await;
    let away = "error 3 the store is away";
    assert_eq!(answers(&report), [away, away, "some 1", "some 1"]);
    assert_eq!(keeper.asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_job_that_does_not_list_the_right_has_no_state_and_its_log_says_so() {
    let script = Script::new().get("a").set("a", "2").delete("a").keys("").swap("a", None, None);
    let narrowed = load(&script.done(), Limits::default()).narrowed(&Allow::default());
    let (report, keeper) = Keeper::of(&[("a", "1", None)]).run(&narrowed).await;
    let denied = "error 0 the right allow.state is not granted to this job";
    assert_eq!((answers(&report), report.effects.as_ref()), (vec![denied; 5], None));
    assert_eq!(keeper.asked.load(Ordering::SeqCst), 0);
    let remarks = keeper.remarks();
    assert!(
        remarks.len() == 1 && remarks[0].contains("add state = true to the plugin's allow"),
        "{remarks:?}"
    );
}
