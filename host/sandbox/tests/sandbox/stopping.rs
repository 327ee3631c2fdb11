//! How runs are stopped: by the clock, by hand, by their memory and their fuel.

use std::{sync::Arc, time::Duration};

use clockbox_core::model::{Limits, LogStream, Outcome, PluginSpec, RetryHint};
use clockbox_sandbox::{Allocator, CancelToken, Plugin, Sandbox, SandboxOptions};

use crate::support::{Memory, command, job, job_with, load, load_limited, request, run, spec};

fn short() -> Limits {
    Limits { timeout: Duration::from_millis(60), ..Limits::default() }
}

/// Starts a run and hands it back with its sink and token once it has logged a line.
async fn started(
    plugin: Plugin,
) -> (tokio::task::JoinHandle<clockbox_core::model::Report>, Arc<Memory>, CancelToken) {
    let (sink, token) = (Memory::new(), CancelToken::new());
    let run = tokio::spawn({
        let (sink, token) = (sink.clone(), token.clone());
        async move { plugin.run(request("null"), sink, token).await }
    });
    sink.heard(1).await;
    (run, sink, token)
}

#[tokio::test]
async fn a_guest_that_never_ends_is_stopped_at_its_timeout() {
    let (report, _) = run(&load_limited(&job("(loop (br 0)) (unreachable)"), short()), "null").await;
    assert_eq!((report.outcome, report.retry), (Outcome::TimedOut, RetryHint::Policy));
    let reason = report.reason.unwrap();
    assert!(reason.contains("60ms") && reason.contains("limits.timeout"), "{reason}");
}

#[tokio::test]
async fn a_start_function_that_never_ends_is_stopped_as_well() {
    let endless = job_with("(func $spin (loop (br 0))) (start $spin)", "(call $none)");
    let (report, _) = run(&load_limited(&endless, short()), "null").await;
    assert_eq!(report.outcome, Outcome::TimedOut);
    let module = command("(func $spin (loop (br 0))) (start $spin)", "");
    let (report, _) = run(&load_limited(module.as_bytes(), short()), "null").await;
    assert_eq!(report.outcome, Outcome::TimedOut);
}

/// Says "waiting" and sleeps for an hour in a call of the host.
fn sleeper() -> String {
    command(
        r#"(data (i32.const 1024) "waiting\n")"#,
        "(call $say (i32.const 1) (i32.const 1024) (i32.const 8))
         (i32.store (i32.const 2056) (i32.const 0))
         (i32.store (i32.const 2064) (i32.const 1))
         (i64.store (i32.const 2072) (i64.const 3600000000000))
         (drop (call $poll (i32.const 2048) (i32.const 3072) (i32.const 1) (i32.const 4096)))",
    )
}

#[tokio::test]
async fn a_guest_that_waits_in_the_host_is_stopped_at_its_timeout() {
    let (report, sink) = run(&load_limited(sleeper().as_bytes(), short()), "null").await;
    assert_eq!(report.outcome, Outcome::TimedOut);
    assert_eq!(sink.texts(LogStream::Stdout), ["waiting"]);
}

#[tokio::test]
async fn a_kill_ends_a_guest_that_waits_in_the_host() {
    let (run, _, token) = started(load(sleeper().as_bytes())).await;
    token.kill();
    let report = run.await.unwrap();
    assert_eq!((report.outcome, report.retry), (Outcome::Cancelled, RetryHint::Never));
}

#[tokio::test]
async fn a_kill_ends_a_guest_that_never_pauses() {
    let spin = job("(call $log (i32.const 2) (i32.const 512) (i32.const 6) (i32.const 0) (i32.const 0))
                    (loop (br 0)) (unreachable)");
    let (run, _, token) = started(load(&spin)).await;
    token.kill();
    assert_eq!(run.await.unwrap().outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn a_guest_that_is_asked_to_stop_can_end_in_its_own_way() {
    let polite = job("(call $log (i32.const 2) (i32.const 512) (i32.const 6) (i32.const 0) (i32.const 0))
                      (loop (br_if 0 (i32.eqz (call $is_cancelled))))
                      (call $fail (i32.const 4))");
    let (run, _, token) = started(load(&polite)).await;
    token.cancel();
    let report = run.await.unwrap();
    assert_eq!(report.outcome, Outcome::Cancelled);
    assert_eq!(report.reason.as_deref(), Some("broken: it went wrong"));
}

#[tokio::test]
async fn a_run_that_was_killed_before_it_began_does_not_begin() {
    let token = CancelToken::new();
    token.kill();
    let sink = Memory::new();
    let report = load(sleeper().as_bytes()).run(request("null"), sink.clone(), token).await;
    assert_eq!(report.outcome, Outcome::Cancelled);
    assert!(sink.lines.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_guest_that_dies_of_its_memory_limit_is_out_of_memory() {
    let greedy = job("(loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)");
    let limits = Limits { memory: 8 << 20, ..Limits::default() };
    let (report, _) = run(&load_limited(&greedy, limits), "null").await;
    assert_eq!(report.outcome, Outcome::OutOfMemory);
    let reason = report.reason.unwrap();
    assert!(reason.contains("8.0 MiB") && reason.contains("limits.memory"), "{reason}");
    assert!(report.backtrace.is_some());
    let peak = report.peak_memory.unwrap();
    assert!((7 << 20..=8 << 20).contains(&peak), "{peak}");
}

#[tokio::test]
async fn a_guest_that_lives_with_a_refusal_succeeds() {
    let modest = job("(drop (memory.grow (i32.const 60000))) (call $none)");
    let (report, _) =
        run(&load_limited(&modest, Limits { memory: 8 << 20, ..Limits::default() }), "null").await;
    assert_eq!(report.outcome, Outcome::Succeeded);
}

#[tokio::test]
async fn a_guest_that_starts_beyond_its_memory_limit_is_out_of_memory() {
    let limits = Limits { memory: 64 << 10, ..Limits::default() };
    for bytes in [job("(call $none)"), command("", "").into_bytes()] {
        let (report, _) = run(&load_limited(&bytes, limits.clone()), "null").await;
        assert_eq!(report.outcome, Outcome::OutOfMemory, "{report:?}");
    }
}

#[tokio::test]
async fn a_command_that_exits_for_lack_of_memory_is_out_of_memory() {
    let text = command("", "(drop (memory.grow (i32.const 60000))) (call $exit (i32.const 2))");
    let (report, _) =
        run(&load_limited(text.as_bytes(), Limits { memory: 8 << 20, ..Limits::default() }), "null").await;
    assert_eq!(report.outcome, Outcome::OutOfMemory);
    assert!(report.reason.unwrap().contains("exit code 2"));
}

#[tokio::test]
async fn a_table_cannot_grow_beyond_the_memory_limit() {
    let greedy = job_with(
        "(table $t 1 funcref)",
        "(drop (table.grow $t (ref.null func) (i32.const 90000))) (unreachable)",
    );
    let (report, _) =
        run(&load_limited(&greedy, Limits { memory: 512 << 10, ..Limits::default() }), "null").await;
    assert_eq!(report.outcome, Outcome::OutOfMemory);
}

#[tokio::test]
async fn fuel_is_a_budget_that_does_not_depend_on_the_clock() {
    let fuel = |fuel| Limits { fuel: Some(fuel), ..Limits::default() };
    let spin = job("(loop (br 0)) (unreachable)");
    let (report, _) = run(&load_limited(&spin, fuel(100_000)), "null").await;
    assert_eq!(report.outcome, Outcome::Trapped);
    let reason = report.reason.unwrap();
    assert!(reason.contains("100000") && reason.contains("limits.fuel"), "{reason}");
    let (report, _) = run(&load_limited(&job("(call $none)"), fuel(100_000)), "null").await;
    assert_eq!(report.outcome, Outcome::Succeeded);
    let timed = Limits { fuel: Some(u64::MAX), ..short() };
    let (report, _) = run(&load_limited(&spin, timed), "null").await;
    assert_eq!(report.outcome, Outcome::TimedOut, "the engine that counts fuel is ticked too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_runs_go_on_at_one_time_and_each_has_an_instance_of_its_own() {
    // Counts its own runs in memory: an instance that was used before would answer more than 1.
    let counter =
        load(&job("(i32.store (i32.const 3000) (i32.add (i32.load (i32.const 3000)) (i32.const 1)))
         (call $add_byte (i32.add (i32.const 48) (i32.load (i32.const 3000)))) (call $answer_text)"));
    let parked = load(sleeper().as_bytes());
    let mut waiting = Vec::new();
    for _ in 0..30 {
        waiting.push(started(parked.clone()).await);
    }
    let runs: Vec<_> = (0..200)
        .map(|_| {
            let counter = counter.clone();
            tokio::spawn(async move { run(&counter, "null").await.0 })
        })
        .collect();
    for run in runs {
        let report = run.await.unwrap();
        assert_eq!(
            (report.outcome, report.output.as_deref()),
            (Outcome::Succeeded, Some("1")),
            "{:?}",
            report.reason
        );
    }
    for (run, _, token) in waiting {
        token.kill();
        assert_eq!(run.await.unwrap().outcome, Outcome::Cancelled);
    }
}

#[tokio::test]
async fn a_spinning_guest_lets_its_neighbours_run_on_the_same_thread() {
    let spin =
        load(&job("(call $log (i32.const 2) (i32.const 512) (i32.const 6) (i32.const 0) (i32.const 0))
                          (loop (br 0)) (unreachable)"));
    let (spinning, _, token) = started(spin).await;
    let (report, _) = run(&load(&job("(call $none)")), "null").await;
    assert_eq!(report.outcome, Outcome::Succeeded);
    assert!(!spinning.is_finished());
    token.kill();
    assert_eq!(spinning.await.unwrap().outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn a_run_beyond_the_reserved_instances_is_the_hosts_error() {
    let options = SandboxOptions { max_instances: 1, ..Default::default() };
    let one = Sandbox::new(options).unwrap();
    if one.allocator() == Allocator::OnDemand {
        return;
    }
    let plugin = one.load(sleeper().as_bytes(), &spec("test")).unwrap();
    let (first, _, token) = started(plugin.clone()).await;
    let (report, _) = run(&plugin, "null").await;
    assert_eq!(report.outcome, Outcome::HostError);
    assert!(report.reason.unwrap().contains("max_instances"));
    token.kill();
    first.await.unwrap();
}

#[tokio::test]
async fn a_plugin_outlives_the_sandbox_that_loaded_it() {
    let own = Sandbox::new(SandboxOptions { max_instances: 1, ..Default::default() }).unwrap();
    let spin = PluginSpec { limits: short(), ..spec("test") };
    let plugin = own.load(&job("(loop (br 0)) (unreachable)"), &spin).unwrap();
    drop(own);
    assert_eq!(run(&plugin, "null").await.0.outcome, Outcome::TimedOut);
}

#[tokio::test]
async fn what_a_guest_holds_in_its_garbage_collected_heap_counts_as_memory() {
    let hoarder = command(
        "(type $node (struct (field (ref null $node)) (field i64 i64 i64 i64)))",
        "(local $list (ref null $node))
         (loop
           (local.set $list (struct.new $node (local.get $list)
             (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)))
           (br 0))",
    );
    let limits = Limits { memory: 8 << 20, ..Limits::default() };
    let (report, _) = run(&load_limited(hoarder.as_bytes(), limits), "null").await;
    assert_eq!(report.outcome, Outcome::OutOfMemory, "{:?}", report.reason);
}

#[tokio::test]
async fn what_is_handed_over_in_one_call_has_a_limit() {
    let bytes = job(
        "(call $log (i32.const 2) (i32.const 0) (i32.const 100000) (i32.const 0) (i32.const 0)) (call $none)",
    );
    let plugin = load_limited(&bytes, Limits { host_call: 64 << 10, ..Limits::default() });
    let (report, _) = run(&plugin, "null").await;
    let reason = report.reason.unwrap();
    assert_eq!(report.outcome, Outcome::Trapped, "{reason}");
    assert!(reason.contains("more than 64.0 KiB") && reason.contains("limits.host_call"), "{reason}");
}

#[tokio::test]
async fn the_fuel_that_was_used_is_reported_where_it_is_counted() {
    let limits = |fuel| Limits { fuel, ..Limits::default() };
    let used = async |body: &str, fuel| run(&load_limited(&job(body), limits(fuel)), "null").await.0.fuel;
    let little = used("(return (call $none))", Some(u64::MAX)).await.unwrap();
    assert!((1..1000).contains(&little), "{little}");
    let again = used("(return (call $none))", Some(100_000)).await;
    assert_eq!(again, Some(little), "it does not depend on how much there is, nor on the time that it takes");
    assert_eq!(used("(loop (br 0)) (unreachable)", Some(5_000)).await, Some(5_000));
    assert_eq!(used("(return (call $none))", None).await, None);
}

#[tokio::test]
async fn of_a_guest_that_is_cut_off_no_fuel_is_told() {
    let limits = Limits { timeout: Duration::from_millis(30), fuel: Some(u64::MAX), ..Limits::default() };
    let report = run(&load_limited(&job("(loop (br 0)) (unreachable)"), limits), "null").await.0;
    assert_eq!((report.outcome, report.fuel), (Outcome::TimedOut, None));
}
