//! What a guest sees of jobs, what it may ask for, and what of it is handed over with its success.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use clockbox_core::{
    model::{
        Adder, Allow, Conflict, Effects, Job, JobChange, JobChanges, JobId, JobPatch, JobRecord, JobsReach,
        JobsRight, LogLine, LogStream, Outcome, PluginName, PluginSpec, Policy, Pool, PoolName, Report,
        Rights, Source, Timestamp,
    },
    trigger::{Trigger, TriggerSpec},
};
use clockbox_sandbox::{CancelToken, JobDraft, JobView, Pending, Plugin, RunSink};
use serde_json::{Value, json};

use crate::{
    script::Script,
    support::{Memory, noon, request, sandbox, spec},
};

const ERROR: u8 = 0;
const REPLACE: u8 = 1;
const IGNORE: u8 = 2;

/// A host that has these jobs.
struct Office {
    memory: Arc<Memory>,
    jobs: BTreeMap<JobId, JobRecord>,
    /// How many jobs it says that runs of the plugin have added.
    added: usize,
    looks: AtomicUsize,
    /// Answers nothing about its jobs.
    is_away: bool,
}

impl Office {
    fn of(jobs: impl IntoIterator<Item = Job>) -> Self {
        let record = |job: Job| JobRecord {
            job: job.into(),
            declared: None,
            next_fire: Some(noon()),
            last_fire: None,
            last_success: None,
            paused: None,
        };
        Self {
            memory: Memory::new(),
            jobs: jobs.into_iter().map(|job| (job.id.clone(), record(job))).collect(),
            added: 0,
            looks: AtomicUsize::new(0),
            is_away: false,
        }
    }

    async fn run(self, plugin: &Plugin) -> (Report, Arc<Self>) {
        let office = Arc::new(self);
        let report = plugin.run(request("null"), office.clone(), CancelToken::new()).await;
        (report, office)
    }

    fn remarks(&self) -> Vec<String> {
        self.memory.texts(LogStream::Host)
    }

    /// Not at once: the scheduler is asked on another thread.
    fn answer<T: Send + 'static>(&self, answer: T) -> Pending<T> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        let answer = if self.is_away { Err("the scheduler is away".to_owned()) } else { Ok(answer) };
        Box::pin(async {
            tokio::task::yield_now().await;
            answer
        })
    }
}

impl RunSink for Office {
    fn now(&self) -> Timestamp {
        self.memory.now()
    }

    fn log(&self, line: LogLine) {
        self.memory.log(line);
    }

    fn progress(&self, done: u64, total: Option<u64>, note: Option<String>) {
        self.memory.progress(done, total, note);
    }

    fn job(&self, name: JobId, _: PluginName) -> Pending<JobView> {
        let record = self.jobs.get(&name).cloned();
        self.answer(JobView { record, added: self.added, pools: Vec::new() })
    }

    fn jobs(&self, plugins: Vec<PluginName>) -> Pending<Vec<JobId>> {
        let known = self.jobs.values().filter(|record| plugins.contains(&record.job.plugin));
        self.answer(known.map(|record| record.job.id.clone()).collect())
    }

    /// Knows the keys `plugin` and `args`.
    fn read_job(&self, draft: JobDraft<'_>) -> Result<Job, String> {
        let keys: Value = serde_json::from_str(draft.keys).map_err(|e| format!("not JSON: {e}"))?;
        let plugin = keys["plugin"].as_str().map_or(draft.plugin, plugin);
        let mut job = job(draft.name.as_str(), plugin.as_str(), draft.source);
        job.args = keys["args"].to_string().into();
        Ok(job)
    }

    fn read_changes(&self, _: &Job, keys: &str, _: &[Pool]) -> Result<JobPatch, String> {
        let keys: Value = serde_json::from_str(keys).map_err(|e| format!("not JSON: {e}"))?;
        let args = keys.get("args").map(|args| args.to_string().into());
        Ok(JobPatch { args, plugin: keys["plugin"].as_str().map(plugin), ..JobPatch::default() })
    }
}

fn id(name: &str) -> JobId {
    name.parse().unwrap()
}

fn plugin(name: &str) -> PluginName {
    name.parse().unwrap()
}

fn job(name: &str, by: &str, source: Source) -> Job {
    Job {
        id: id(name),
        plugin: plugin(by),
        pool: PoolName::default_pool(),
        trigger: Trigger::new(TriggerSpec::interval("1h"), chrono_tz::UTC).unwrap(),
        args: "null".into(),
        policy: Policy::default().into(),
        source,
    }
}

/// A job that a run of `nightly`, the job of all these runs, added.
fn added(name: &str, by: &str) -> Job {
    job(name, by, Source::Job(Box::new(Adder { job: id("nightly"), plugin: plugin(by) })))
}

/// A plugin of a name of its own, as what runs of a plugin ask for in a minute is counted by its name.
fn load(name: &str, right: JobsRight, bytes: &[u8]) -> Plugin {
    let rights = Rights { state: true, jobs: Some(right), ..Rights::default() };
    sandbox().load(bytes, &PluginSpec { rights, ..spec(name) }).unwrap()
}

#[track_caller]
fn answers(report: &Report) -> Vec<&str> {
    assert_eq!(report.outcome, Outcome::Succeeded, "{report:?}");
    report.output.as_deref().unwrap().lines().collect()
}

fn list(report: &Report) -> &[JobChange] {
    report.effects.as_ref().and_then(|effects| effects.jobs.as_ref()).map_or(&[], |jobs| &jobs.list)
}

#[tokio::test]
async fn what_a_guest_asks_for_is_handed_over_in_order_with_its_reach_and_seen_by_itself_at_once() {
    let script = Script::new()
        .list()
        .add("new", r#"{ "args": [1] }"#, ERROR)
        .modify("new", r#"{ "args": [2] }"#)
        .pause("new", Some("not yet\u{1b}[2J"))
        .list()
        .show("new")
        .resume("new")
        .run("new", Some("[3]"))
        .run("report", None)
        .remove("old")
        .remove("old")
        .show("old")
        .list();
    let right = JobsRight { plugins: vec![plugin("report")], ..JobsRight::default() };
    let loaded = load("order", right, &script.done());
    let jobs = [
        added("old", "order"),
        job("report", "report", Source::Manifest),
        job("secret", "other", Source::Manifest),
    ];
    let (report, office) = Office::of(jobs).run(&loaded).await;
    let answers = answers(&report);
    let gone = "error 1 there is no job \"old\" that this run can see";
    assert_eq!(answers[..5], ["old,report,", "ok", "ok", "ok", "new,old,report,"]);
    let shown: Value = serde_json::from_str(answers[5].strip_prefix("some ").unwrap()).unwrap();
    assert_eq!(
        (&shown["name"], &shown["plugin"], &shown["args"]),
        (&json!("new"), &json!("order"), &json!([2]))
    );
    assert_eq!(shown["paused"]["by"], "the job nightly");
    assert!(!shown["paused"]["note"].as_str().unwrap().contains('\u{1b}'), "{shown}");
    assert_eq!(answers[6..], ["ok", "ok", "ok", "ok", gone, "none", "new,report,"]);

    let Effects { state: None, jobs: Some(JobChanges { reach, list }) } = *report.effects.unwrap() else {
        panic!("no jobs, or state")
    };
    let by = Adder { job: id("nightly"), plugin: plugin("order") };
    let plugins = [plugin("order"), plugin("report")].into();
    assert_eq!(reach, JobsReach { by: by.clone(), plugins, max_jobs: 100 });
    let mut new = job("new", "order", Source::Job(Box::new(by)));
    new.args = "[1]".into();
    let note = match &list[2] {
        JobChange::Pause { note, .. } => note.clone(),
        other => panic!("{other:?}"),
    };
    assert!(note.as_ref().is_some_and(|note| note.starts_with("not yet") && !note.contains('\u{1b}')));
    let patch = JobPatch { args: Some("[2]".into()), ..JobPatch::default() };
    let expected = [
        JobChange::Add { job: new.into(), conflict: Conflict::Error },
        JobChange::Modify { job: id("new"), patch: patch.into() },
        JobChange::Pause { job: id("new"), note },
        JobChange::Resume(id("new")),
        JobChange::Run { job: id("new"), args: Some("[3]".to_owned()) },
        JobChange::Run { job: id("report"), args: None },
        JobChange::Remove(id("old")),
    ];
    assert_eq!(list, expected);
    assert_eq!(office.looks.load(Ordering::SeqCst), 1 + 3, "the names, and each job once");
}

#[tokio::test]
async fn jobs_of_others_are_not_there_and_those_of_the_manifest_stay_what_they_are() {
    let script = Script::new()
        .show("secret")
        .pause("secret", None)
        .run("secret", None)
        .remove("mine")
        .modify("mine", "{}")
        .add("mine", "{}", REPLACE)
        .add("mine", "{}", ERROR)
        .add("mine", "{}", IGNORE)
        .add("x", r#"{ "plugin": "other" }"#, ERROR)
        .modify("own", r#"{ "plugin": "other" }"#)
        .list();
    let jobs = [
        job("secret", "other", Source::Manifest),
        job("mine", "foreign", Source::Manifest),
        added("own", "foreign"),
    ];
    let loaded = load("foreign", JobsRight::default(), &script.done());
    let (report, office) = Office::of(jobs).run(&loaded).await;
    let hidden = "error 1 there is no job \"secret\" that this run can see";
    let kept = "error 0 the job \"mine\" comes from the manifest, not from a run: it can be paused, resumed and run, and \
                nothing else";
    let other = "error 0 jobs of plugin \"other\" are not granted (allow.jobs.plugins)";
    let taken = "error 2 there is a job \"mine\" already";
    assert_eq!(
        answers(&report),
        ["none", hidden, hidden, kept, kept, kept, taken, "ok", other, other, "mine,own,"]
    );
    assert_eq!(report.effects, None);
    let remarks = office.remarks();
    assert_eq!(remarks.len(), 2, "each once: {remarks:?}");
    assert!(remarks.iter().all(|remark| remark.starts_with("change of jobs refused: ")), "{remarks:?}");
}

#[tokio::test]
async fn what_is_not_understood_is_told_and_asks_for_nothing() {
    let script = Script::new()
        .add("no name!", "{}", ERROR)
        .add("x", "{", ERROR)
        .add_long("x", (64 << 10) + 1)
        .modify("own", "nothing")
        .run("own", Some("not JSON"))
        .show("");
    let loaded = load("unclear", JobsRight::default(), &script.done());
    let (report, _) = Office::of([added("own", "unclear")]).run(&loaded).await;
    let answers = answers(&report);
    for (answer, words) in answers.iter().zip([
        "' ' is not allowed in a job name",
        "not JSON: ",
        "the text has 65537 bytes and 65536 are allowed",
        "not JSON: ",
        "the arguments are not JSON: ",
        "",
    ]) {
        assert!(answer.starts_with("error 3 ") && answer.contains(words), "{answer}");
    }
    assert_eq!((answers.len(), report.effects), (6, None));
}

#[tokio::test]
async fn no_more_jobs_than_may_be_and_no_more_changes_than_a_minute_allows() {
    let script = || Script::new().add("a", "{}", ERROR).add("b", "{}", ERROR).add("c", "{}", ERROR);
    let right = JobsRight { max_jobs: 5, ..JobsRight::default() };
    let office = Office { added: 3, ..Office::of([]) };
    let (report, office) = office.run(&load("many", right, &script().done())).await;
    let full = "error 4 runs of plugin \"many\" have added 5 jobs already, this one's included, and the limit is 5 (allow.jobs.max_jobs)";
    assert_eq!(answers(&report), ["ok", "ok", full]);
    assert_eq!((list(&report).len(), office.remarks().len()), (2, 1));

    // Of all runs of the plugin together; a removal makes room for jobs, not for changes.
    let loaded =
        load("quick", JobsRight { per_minute: 4, ..JobsRight::default() }, &script().remove("a").done());
    let fast = "error 4 runs of plugin \"quick\" have asked for 4 changes within a minute, and no more are granted \
                (allow.jobs.per_minute)";
    let (report, _) = Office::of([]).run(&loaded).await;
    assert_eq!(answers(&report), ["ok"; 4]);
    let (report, _) = Office::of([]).run(&loaded).await;
    assert_eq!(answers(&report)[..3], [fast; 3]);
    assert_eq!(report.effects, None);
}

#[tokio::test]
async fn a_run_that_does_not_succeed_asks_for_nothing() {
    for (end, outcome) in [("(call $fail (i32.const 1))", Outcome::Failed), ("unreachable", Outcome::Trapped)]
    {
        let bytes = Script::new().add("a", "{}", ERROR).set("k", "1").ends(end);
        let (report, office) = Office::of([]).run(&load("fails", JobsRight::default(), &bytes)).await;
        assert_eq!((report.outcome, &report.effects), (outcome, &None), "{report:?}");
        assert_eq!(office.looks.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_host_that_cannot_answer_is_asked_again_each_time() {
    let script = Script::new().show("a").list().add("a", "{}", ERROR);
    let office = Office { is_away: true, ..Office::of([added("a", "away")]) };
    let (report, office) = office.run(&load("away", JobsRight::default(), &script.done())).await;
    assert_eq!(answers(&report), ["error 5 the scheduler is away"; 3]);
    assert_eq!((office.looks.load(Ordering::SeqCst), &report.effects), (3, &None));
}

#[tokio::test]
async fn a_job_that_does_not_list_the_right_reaches_no_job() {
    let script = Script::new()
        .list()
        .show("own")
        .add("a", "{}", ERROR)
        .remove("own")
        .run("own", None)
        .pause("own", None);
    let narrowed = load("narrow", JobsRight::default(), &script.done()).narrowed(&Allow::default());
    let (report, office) = Office::of([added("own", "narrow")]).run(&narrowed).await;
    let denied = "error 0 the right allow.jobs is not granted to this job";
    assert_eq!((answers(&report), &report.effects), (vec![denied; 6], &None));
    assert_eq!((office.looks.load(Ordering::SeqCst), office.remarks().len()), (0, 1));
}
