//! The scheduler in a program that knows nothing of async code. See `README.md`.

use std::time::Duration;

use clockbox::{Event, Job, JobError, Outcome, Scheduler};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scheduler = Scheduler::builder()
        .native_fn("greet", |name: String, run| async move {
            run.info(format!("hello {name}"));
            Ok::<_, JobError>(format!("greeted {name}"))
        })
        .start()?;
    let mut events = scheduler.subscribe();
    // The answer is waited for: then the job is in the store.
    let often = Job::new("often").plugin("greet").args("world").every(Duration::from_millis(100));
    scheduler.add_job(often).wait()?;
    let mut greeted = 0;
    while greeted < 3 {
        let Some(heard) = events.next_blocking() else { break };
        match heard {
            Ok(happening) => {
                if let Event::RunFinished { run, outcome: Outcome::Succeeded, .. } = happening.event {
                    let output = scheduler.store().run(run)?.and_then(|detail| detail.run.output);
                    println!("{}", output.unwrap_or_default());
                    greeted += 1;
                }
            }
            Err(lost) => eprintln!("{lost} events came too fast"),
        }
    }
    scheduler
        .reschedule_job("often".parse()?, clockbox::Trigger::new("cron 0 9 * * *".parse()?, chrono_tz::UTC)?)
        .wait()?;
    scheduler.pause_job("often".parse()?, None, Some("enough for today".to_owned())).wait()?;
    for record in scheduler.jobs().wait()? {
        println!("{}: {}, paused: {}", record.job.id, record.job.trigger.describe(), record.paused.is_some());
    }
    scheduler.shutdown(Duration::from_secs(10)).wait()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_program_runs_to_its_end() {
        super::main().unwrap();
    }
}
