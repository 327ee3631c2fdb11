//! The scheduler inside a Rust program: a job that runs a function of the program, one that runs a sandboxed plugin, and
//! one that is added while both go on. Run it with `cargo run -p clockbox --example embedded`.

use std::time::Duration;

use clockbox::{
    Event, Job, JobId, Limits, Outcome, PluginName, PluginSpec, Policy, PoolName, Report, Rights, Scheduler,
    Source, Trigger, TriggerSpec,
    sandbox::{Sandbox, SandboxOptions},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hello = PluginSpec {
        rights: Rights::default(), // nothing is granted
        limits: Limits { timeout: Duration::from_secs(5), ..Limits::default() },
        ..PluginSpec::new(PluginName::new("hello")?, "plugins/prebuilt/hello.wasm")
    };
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/prebuilt/hello.wasm"))?;
    let plugin = Sandbox::new(SandboxOptions::default())?.load(&bytes, &hello)?;

    let scheduler = Scheduler::builder()
        .plugin(hello.name.clone(), plugin)
        .native(PluginName::new("tidy")?, |launch, _cancel| async move {
            println!("tidying, as scheduled for {}", launch.run.scheduled_at);
            Report::new(Outcome::Succeeded)
        })
        .job(job("greeting", "hello", TriggerSpec::interval("2s"), r#"{ "name": "embedder" }"#)?)
        .job(job("tidy", "tidy", TriggerSpec::cron("*/3 * * * * *"), "null")?)
        .start()?;
    let mut events = scheduler.subscribe();

    // Added while the others run; the answer comes when the job is in the store.
    let in_5_s = (scheduler.clock().now() + Duration::from_secs(5)).to_rfc3339();
    scheduler
        .add_job(job("once", "hello", TriggerSpec::date(&in_5_s), r#"{ "name": "latecomer" }"#)?)
        .wait()?;

    while let Some(Ok(happening)) = events.next_blocking() {
        if let Event::RunFinished { job, run, outcome, .. } = happening.event {
            let output = scheduler.store().run(run)?.and_then(|detail| detail.run.output);
            println!("{job} {outcome}: {}", output.as_deref().unwrap_or("no output"));
            if job.as_str() == "once" {
                break;
            }
        }
    }
    scheduler.shutdown(Duration::from_secs(10)).wait()?;
    Ok(())
}

fn job(
    name: &str,
    plugin: &str,
    trigger: TriggerSpec,
    args: &str,
) -> Result<Job, Box<dyn std::error::Error>> {
    Ok(Job {
        id: JobId::new(name)?,
        plugin: PluginName::new(plugin)?,
        pool: PoolName::default_pool(),
        trigger: Trigger::new(trigger, chrono_tz::UTC)?,
        args: args.into(),
        policy: Policy::default().into(),
        source: Source::Api,
    })
}
