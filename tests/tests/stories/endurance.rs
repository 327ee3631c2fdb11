//! A host that is killed a hundred times at moments that nobody chose: its history is then held against what the guests
//! themselves left behind, fire by fire and attempt by attempt.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use clockbox_core::model::{Outcome, Run, RunState};
use clockbox_tests::{History, TestHost, guest};

/// How often the host is killed; `ENDURANCE_KILLS` says otherwise.
const KILLS: usize = 100;
/// What the moments of the kills are drawn from; `ENDURANCE_SEED` says otherwise.
const SEED: u64 = 20_260_301;
/// The interval of every job, in milliseconds.
const STEP: i64 = 100;

/// A job, and the most attempts that a run of it may have.
struct Story {
    job: &'static str,
    attempts: u32,
    /// What its guest sleeps, in milliseconds.
    nap: u32,
    policy: &'static str,
}

const STORIES: [Story; 6] = [
    Story { job: "quick", attempts: 1, nap: 0, policy: "" },
    // Longer than the interval: every other fire is skipped, and kills often hit a run.
    Story { job: "nap", attempts: 1, nap: 150, policy: "" },
    Story {
        job: "each",
        attempts: 1,
        nap: 5,
        policy: "coalesce = false\nmisfire_grace = \"forever\"\nmax_instances = 4\n",
    },
    Story { job: "late", attempts: 1, nap: 5, policy: "coalesce = false\nmisfire_grace = \"50ms\"\n" },
    Story {
        job: "again",
        attempts: 4,
        nap: 130,
        policy: "delivery = \"at-least-once\"\nmax_instances = 2\nretry = { attempts = 4, backoff = \"10ms\" }\n",
    },
    Story {
        job: "wait",
        attempts: 2,
        nap: 120,
        policy: "delivery = \"at-least-once\"\noverlap = \"wait\"\nmisfire_grace = \"400ms\"\n",
    },
];

fn place() -> TestHost {
    let place = crate::place();
    place.drop_plugin(&guest("mark"), "mark");
    fs::create_dir(place.path("granted")).unwrap();
    let mut manifest = String::from(
        "[scheduler]\nhistory = { keep_per_job = 1000000 }\n\
         [plugins.mark]\nallow = { write = { \"/granted\" = \"granted\" } }\n",
    );
    for Story { job, nap, policy, .. } in &STORIES {
        manifest += &format!(
            "[jobs.{job}]\nplugin = \"mark\"\nargs = {nap}\n{policy}\
             trigger = {{ interval = \"{STEP}ms\", start = \"2026-01-01T00:00:00Z\" }}\n"
        );
    }
    place.manifest(&manifest);
    place
}

#[test]
fn a_hundred_kills_lose_no_fire_double_no_run_and_forge_no_outcome() {
    let setting = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = setting("ENDURANCE_SEED").unwrap_or(SEED);
    let kills = setting("ENDURANCE_KILLS").map_or(KILLS, |kills| usize::try_from(kills).unwrap());
    eprintln!("ENDURANCE_SEED={seed} ENDURANCE_KILLS={kills}");
    let mut random = fastrand::Rng::with_seed(seed);

    let place = place();
    let mut told = BTreeSet::new();
    for round in 0..kills {
        let mut host = place.start();
        // Every other host is killed wherever it is, be it in the middle of its start.
        let life = if round % 2 == 0 {
            host.ready();
            random.u64(0..300)
        } else {
            random.u64(0..500)
        };
        // The moment of the kill is what is tested, not something that is waited for.
        std::thread::sleep(Duration::from_millis(life));
        let ends = host.kill().into_iter().filter(|line| line.is_of(line.job(), "succeeded"));
        told.extend(ends.map(|line| line.run().to_owned()));
    }
    // However fast a host starts: once it is away for longer than some jobs have patience.
    std::thread::sleep(Duration::from_millis(600));
    let mut host = place.start();
    let mut outstanding: BTreeSet<&str> = STORIES.iter().map(|story| story.job).collect();
    while !outstanding.is_empty() {
        let line = host.hear("a success of each job", |line| line.is_of(line.job(), "succeeded"));
        outstanding.remove(line.job());
    }
    host.stop();

    let history = place.history();
    let mut marks = Marks::read(&place.path("granted/marks"));
    let mut seen = Seen::default();
    for story in &STORIES {
        audit_fires(&history, story.job);
        for run in history.of(story.job) {
            audit_run(&history, story, &run, &mut marks, &mut seen);
            if told.remove(&run.id.to_string()) {
                assert_eq!(run.outcome, Some(Outcome::Succeeded), "told otherwise: {run:?}");
            }
        }
    }
    assert!(told.is_empty(), "told of and not on record: {told:?}");
    assert!(marks.0.is_empty(), "ran without a record, or beyond its attempts: {:?}", marks.0);
    eprintln!("{seen:?}");
    // The story is only worth its time when it meets what it is about.
    assert!(seen.interrupted * 2 >= kills, "{seen:?}");
    assert!(seen.again > 0 && seen.missed > 0 && seen.skipped > 0 && seen.succeeded > kills, "{seen:?}");
}

/// What the guests wrote, by run and attempt.
struct Marks(BTreeMap<(String, u32), Vec<String>>);

impl Marks {
    fn read(path: &Path) -> Self {
        let mut marks = BTreeMap::<_, Vec<String>>::new();
        for line in fs::read_to_string(path).unwrap().lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [run, attempt, word] = words[..] else { panic!("{line:?} is no mark") };
            marks.entry((run.to_owned(), attempt.parse().unwrap())).or_default().push(word.to_owned());
        }
        Self(marks)
    }

    /// How far this attempt came, by its own words.
    #[track_caller]
    fn take(&mut self, run: &Run, attempt: u32) -> Trace {
        let words = self.0.remove(&(run.id.to_string(), attempt)).unwrap_or_default();
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => Trace::None,
            ["begin"] => Trace::Begun,
            ["begin", "end"] => Trace::Ended,
            _ => panic!("attempt {attempt} ran more than once: {words:?} of {run:?}"),
        }
    }
}

#[derive(Debug, PartialEq)]
enum Trace {
    None,
    Begun,
    Ended,
}

/// How often each thing was met.
#[derive(Debug, Default)]
struct Seen {
    succeeded: usize,
    interrupted: usize,
    /// Runs that succeeded after a kill.
    again: usize,
    missed: usize,
    skipped: usize,
    unfinished: usize,
}

/// Each fire of the grid has one record, or is counted on the next one.
fn audit_fires(history: &History, job: &str) {
    let runs = history.of(job);
    for run in &runs {
        assert_eq!(run.scheduled_at.timestamp_micros() % (STEP * 1000), 0, "{job}: not of the grid: {run:?}");
    }
    for two in runs.windows(2) {
        let fires = (two[1].scheduled_at - two[0].scheduled_at).num_milliseconds() / STEP;
        assert_eq!(fires, 1 + i64::from(two[1].coalesced), "{job}: a fire was lost or doubled in {two:#?}");
    }
    let (last, record) = (runs.last().unwrap(), history.job(job).unwrap());
    assert_eq!(record.last_fire, Some(last.scheduled_at), "{job}");
    let next = (record.next_fire.unwrap() - last.scheduled_at).num_milliseconds();
    assert_eq!(next, STEP, "{job}: the schedule does not go on where the history ends");
}

/// The record of a run says what its guest lived through.
fn audit_run(history: &History, story: &Story, run: &Run, marks: &mut Marks, seen: &mut Seen) {
    assert!(run.attempt <= story.attempts, "too many attempts: {run:?}");
    let traces: Vec<Trace> = (1..=run.attempt).map(|attempt| marks.take(run, attempt)).collect();
    let attempts = history.attempts(run);
    match (run.state, run.outcome) {
        (RunState::Finished, Some(Outcome::Succeeded)) => {
            assert_eq!(traces.last(), Some(&Trace::Ended), "succeeded and did not end: {run:?}");
            seen.succeeded += 1;
            seen.again += usize::from(run.attempt > 1);
        }
        (RunState::Finished, Some(Outcome::Interrupted)) => {
            assert_eq!(run.attempt, story.attempts, "given up too early: {run:?}");
            let reason = run.reason.as_deref().unwrap_or_default();
            assert!(reason.contains("the host ended before the run's end was recorded"), "{run:?}");
            seen.interrupted += 1;
        }
        (state @ (RunState::Missed | RunState::Skipped), None) => {
            assert!(run.attempt == 0 && run.reason.is_some(), "{run:?}");
            *(if state == RunState::Missed { &mut seen.missed } else { &mut seen.skipped }) += 1;
        }
        // The last host was asked to stop, and left these to the next one.
        (RunState::Waiting | RunState::Retrying, None) => seen.unfinished += 1,
        _ => panic!("no kill leads to this: {run:?}"),
    }
    if run.state == RunState::Finished {
        let numbers: Vec<u32> = attempts.iter().map(|attempt| attempt.number).collect();
        assert_eq!(numbers, (1..=run.attempt).collect::<Vec<_>>(), "{run:?}");
        assert_eq!(attempts.last().and_then(|attempt| attempt.outcome), run.outcome, "{run:?}");
        // Each attempt but the last was cut short by a kill, and by nothing else.
        let (_, earlier) = attempts.split_last().unwrap();
        assert!(earlier.iter().all(|one| one.outcome == Some(Outcome::Interrupted)), "{attempts:?}");
    }
}
