//! A program with an event loop of its own, as user interfaces have one. See `README.md`.

use std::{collections::BTreeMap, sync::mpsc, time::Duration};

use clockbox::{Event, Happening, Job, JobError, Scheduler};

/// What the loop is told, by the user and by the scheduler.
enum Message {
    /// Something happened; `Err` says how many events came too fast to be heard.
    Scheduler(Result<Happening, u64>),
    /// The user closed the window.
    Close,
}

/// What is on the screen.
#[derive(Debug, Default, PartialEq)]
struct Window {
    progress: BTreeMap<String, u64>,
    finished: usize,
}

impl Window {
    fn show(&mut self, event: Event) {
        match event {
            Event::RunProgressed { job, done, .. } => _ = self.progress.insert(job.to_string(), done),
            Event::RunFinished { job, outcome, .. } => {
                println!("{job} {outcome}");
                self.finished += 1;
            }
            _ => {}
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    run().map(drop)
}

fn run() -> Result<Window, Box<dyn std::error::Error>> {
    let (post, posted) = mpsc::channel();
    let from_scheduler = post.clone();
    let scheduler = Scheduler::builder()
        .native_fn("import", |files: u64, run| async move {
            for file in 1..=files {
                tokio::task::yield_now().await;
                run.progress(file, Some(files), None);
            }
            Ok::<_, JobError>(())
        })
        // In a toolkit this wakes its loop: `glib::idle_add`, `EventLoopProxy::send_event`, `slot.emit`.
        .on_event(move |heard| {
            // The loop may have ended already.
            drop(from_scheduler.send(Message::Scheduler(heard)));
        })
        .start()?;
    // A click on a button. The loop must not block: the answer is not waited for, what comes of it is heard.
    drop(scheduler.add_job(Job::new("import").args(100)));

    let mut window = Window::default();
    for message in posted {
        match message {
            Message::Scheduler(Ok(happening)) => {
                window.show(happening.event);
                if window.finished == 1 {
                    // The user has seen enough.
                    post.send(Message::Close)?;
                }
            }
            Message::Scheduler(Err(lost)) => {
                println!("{lost} events were lost: everything is to be drawn anew")
            }
            Message::Close => break,
        }
    }
    scheduler.shutdown(Duration::from_secs(5)).wait()?;
    Ok(window)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_loop_sees_progress_and_end() {
        let window = super::run().unwrap();
        assert_eq!((window.finished, window.progress.get("import")), (1, Some(&100)));
    }
}
