//! A week passes in milliseconds: how to test what a program schedules. See `README.md`.

use std::time::Duration;

use clockbox::{Clock, Event, Job, JobError, Outcome, Run, Scheduler, store::RunFilter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for run in week()?.iter().rev() {
        println!("{}  {}", run.scheduled_at.format("%a %d %H:%M"), run.job);
    }
    Ok(())
}

/// Everything that runs in the first week of 2030, newest first.
fn week() -> Result<Vec<Run>, Box<dyn std::error::Error>> {
    let (clock, hand) = Clock::manual("2030-01-01T00:00:00Z".parse()?);
    let builder = Scheduler::builder()
        .clock(clock)
        .native_fn("backup", |(): (), _| async { Ok::<_, JobError>(()) })
        .job(Job::new("nightly").plugin("backup").cron("30 2 * * *"))
        .job(Job::new("working-days").plugin("backup").cron("0 9 * * mon-fri"));
    let mut events = builder.subscribe();
    let scheduler = builder.start()?;
    let end: clockbox::Timestamp = "2030-01-08T00:00:00Z".parse()?;
    // From fire to fire, each run to its end: nothing is coalesced, and no time is spent waiting.
    while let Some(next) = scheduler.status().wait()?.next_wake.filter(|next| *next < end) {
        hand.set(next);
        while !matches!(events.next_blocking(), Some(Ok(happening)) if is_end(&happening.event)) {}
    }
    let runs = scheduler.store().runs(&RunFilter::default())?;
    scheduler.shutdown(Duration::ZERO).wait()?;
    Ok(runs)
}

fn is_end(event: &Event) -> bool {
    matches!(event, Event::RunFinished { outcome: Outcome::Succeeded, .. })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_week_has_seven_nights_and_five_working_days() {
        let runs = super::week().unwrap();
        let of = |job: &str| runs.iter().filter(|run| run.job.as_str() == job).count();
        assert_eq!((of("nightly"), of("working-days")), (7, 4 + 1));
    }
}
