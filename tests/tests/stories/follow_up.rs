//! Jobs that add and change jobs: told by the prebuilt `follow-up`.

use clockbox_core::model::{Outcome, RunState, Source};
use clockbox_tests::{TestHost, prebuilt};

/// The plugin, with this right, and a job `planner` with these arguments.
fn place(right: &str, args: &str, more: &str) -> TestHost {
    let place = crate::place();
    place.drop_plugin(&prebuilt("follow-up"), "follow-up");
    place.drop_plugin(&prebuilt("hello"), "hello");
    place.manifest(&format!(
        "[plugins.follow-up]\nallow = {{ jobs = {right} }}\n\
         [jobs.planner]\nplugin = \"follow-up\"\nargs = {args}\n{more}\n"
    ));
    place
}

/// The reason why the planner failed, and the log of that run.
fn refusal(place: &TestHost) -> (String, Vec<String>) {
    let mut host = place.start();
    let line = host.hear_of("planner", "failed");
    host.stop();
    let history = place.history();
    let log = history.log(&history.of("planner")[0]);
    (line.message().to_owned(), log)
}

#[test]
fn a_job_that_a_run_adds_fires_and_goes_when_it_is_done() {
    let place = place(
        "{ plugins = [\"hello\"] }",
        "{ add = { greet = { plugin = \"hello\", args = { name = \"Ada\" } }, every = { trigger = { interval = \"1h\" }, args = {} } } }",
        "",
    );
    let mut host = place.start();
    host.hear_of("planner", "succeeded");
    host.hear_of("greet", "succeeded");
    host.stop();
    let history = place.history();
    let greeted = &history.of("greet")[0];
    assert_eq!(
        (greeted.outcome, greeted.output.as_deref()),
        (Some(Outcome::Succeeded), Some("\"hello Ada\""))
    );
    assert!(history.job("greet").is_none(), "it was for once");
    let every = history.job("every").unwrap();
    let Source::Job(adder) = &every.job.source else { panic!("{every:?}") };
    assert_eq!((adder.job.as_str(), adder.plugin.as_str()), ("planner", "follow-up"));
    // It outlives its host, and a reload does not touch it.
    let mut host = place.start();
    host.ready();
    host.stop();
    assert!(place.history().job("every").is_some());
}

#[test]
fn a_run_that_fails_has_added_nothing() {
    let place = place("true", "{ add = { a = {}, b = {} }, run = [\"nobody\"] }", "");
    let (why, _) = refusal(&place);
    assert!(why.contains("no-such-job: there is no job \"nobody\" that this run can see"), "{why}");
    let history = place.history();
    assert!(history.job("a").is_none() && history.job("b").is_none());
    assert_eq!(history.all().len(), 1);
}

#[test]
fn a_storm_of_jobs_ends_at_the_cap_of_the_right() {
    let args = "{ copies = 500, add = { storm = { trigger = { interval = \"1h\" } } } }";
    for (right, name) in
        [("{ max_jobs = 20, per_minute = 1000 }", "max_jobs"), ("{ per_minute = 15 }", "per_minute")]
    {
        let place = place(right, args, "");
        let (why, log) = refusal(&place);
        assert!(why.contains("too-many-jobs: ") && why.contains(&format!("allow.jobs.{name}")), "{why}");
        let remarks = log.iter().filter(|line| line.starts_with("change of jobs refused: ")).count();
        assert_eq!(remarks, 1, "{log:?}");
        assert!(place.history().job("storm-1").is_none(), "all of them or none");
    }
    let place = place(
        "{ per_minute = 1000 }",
        "{ copies = 100, add = { storm = { trigger = { interval = \"1h\" } } } }",
        "",
    );
    let mut host = place.start();
    host.hear_of("planner", "succeeded");
    host.stop();
    assert!(place.history().job("storm-100").is_some());
}

#[test]
fn jobs_of_others_are_out_of_reach() {
    let hello = "[jobs.greet]\nplugin = \"hello\"\ntrigger = { interval = \"1h\" }";
    for (right, args, why) in [
        ("true", "{ pause = [\"greet\"] }", "no-such-job: there is no job \"greet\" that this run can see"),
        (
            "true",
            "{ add = { x = { plugin = \"hello\" } } }",
            "jobs-denied: jobs of plugin \"hello\" are not granted",
        ),
        (
            "{ plugins = [\"hello\"] }",
            "{ remove = [\"greet\"] }",
            "jobs-denied: the job \"greet\" comes from the manifest, not from a run",
        ),
        ("true", "{ add = { x = { timeout = \"3s\" } } }", "invalid-job: timeout: unknown key"),
        ("true", "{ add = { x = { pool = \"mine\" } } }", "invalid-job: pool: there is no pool \"mine\""),
    ] {
        let (told, _) = refusal(&place(right, args, hello));
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn a_job_of_the_manifest_is_paused_resumed_and_run_by_whoever_may() {
    let hello = "[jobs.greet]\nplugin = \"hello\"\ntrigger = { interval = \"1h\" }";
    let place = place("{ plugins = [\"hello\"] }", "{ pause = [\"greet\"], run = [\"greet\"] }", hello);
    let mut host = place.start();
    host.hear_of("greet", "paused by the job planner (planner)");
    host.hear_of("greet", "succeeded");
    host.stop();
    let history = place.history();
    assert!(history.job("greet").unwrap().paused.is_some());
    assert!(history.all().iter().all(|run| run.state == RunState::Finished));
}

#[test]
fn a_kill_leaves_both_the_success_and_its_follow_up_or_neither() {
    let place = place(
        "{ max_jobs = 1000000, per_minute = 1000000 }",
        "{ copies = 1, on_conflict = \"ignore\", add = { next = { trigger = { interval = \"1h\" } } }, run = [\"other\"] }",
        "trigger = { interval = \"50ms\" }\n[jobs.other]\nplugin = \"follow-up\"\ntrigger = { interval = \"1h\" }\nmax_instances = 100\n",
    );
    for n in 1..=6 {
        let mut host = place.start();
        for _ in 0..n {
            host.hear_of("planner", "succeeded");
        }
        host.kill();
        let history = place.history();
        let successes =
            history.of("planner").iter().filter(|run| run.outcome == Some(Outcome::Succeeded)).count();
        assert_eq!(history.of("other").len(), successes, "each success asked for one run, and got it");
        assert_eq!(history.job("next-1").is_some(), successes > 0);
    }
}
