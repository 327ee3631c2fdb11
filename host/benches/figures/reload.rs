//! A reload that changes one job of many: how long it takes, and whether anything fires late because of it.

use std::{fmt::Write as _, fs, path::Path};

use chrono::TimeDelta;
use clockbox::{
    Event, JobId, Scheduler, Subscription, Timestamp,
    manifest::{self, Manifest, Overrides},
    reload::{Handle, Loader, Reloader},
};

use crate::{
    guests,
    options::Options,
    report::{Figure, Limit, Report},
    support::{self, Sample},
};

/// A reloader leaves files alone for so long after their last change, whatever the number of jobs.
const QUIET: TimeDelta = TimeDelta::milliseconds(150);
/// Jobs that fire ten times a second while files are read again.
const FREQUENT: usize = 10;
/// How long the host is left alone before each change, to see how late its fires are by themselves.
const LEFT_ALONE: TimeDelta = TimeDelta::seconds(1);
/// What a reload of the most jobs may take.
const LIMIT: f64 = 1.0;

pub(crate) fn run(report: &mut Report, options: &Options) {
    let (counts, rounds): (&[usize], _) =
        if options.quick { (&[100, 1_000], 3) } else { (&[1_000, 10_000, 100_000], 20) };
    let most = counts.iter().max().copied().unwrap_or_default();
    for jobs in counts.iter().copied() {
        let host = Host::start(jobs);
        let found = host.measure(rounds, report);
        let seconds = found.took.p50();
        report.plot_point("reload: from the change to its effect", jobs as f64, seconds * 1e3);
        report.figure(Figure {
            name: format!("a reload that changes one of {jobs} jobs, p50 of {rounds}"),
            ours: format!("{:.1} ms, at most {:.1} ms", seconds * 1e3, found.took.max() * 1e3),
            beside: format!("{LIMIT} s"),
            ratio: Some(seconds / LIMIT),
            limit: if jobs == most { Limit::AtMost(1.0) } else { Limit::None },
        });
        let lateness = |late: &Sample| format!("{:.2} ms, at most {:.2} ms", late.p99(), late.max());
        report.figure(Figure {
            name: format!("lateness p99 of {} fires while {jobs} jobs are read again", found.during.len()),
            ours: lateness(&found.during),
            beside: format!("{} without a reload", lateness(&found.alone)),
            ratio: Some(found.during.p99() / found.alone.p99()),
            limit: Limit::None,
        });
    }
}

/// A host with its manifest, started as `clockbox run` starts it.
struct Host {
    folder: tempfile::TempDir,
    jobs: usize,
    text: String,
    scheduler: Scheduler,
    events: Subscription,
    reloader: Handle,
    /// Events that came too fast to be heard.
    lost: u64,
}

/// What the reloads of a host came to: seconds, and milliseconds of lateness.
struct Found {
    took: Sample,
    during: Sample,
    alone: Sample,
}

impl Host {
    fn start(jobs: usize) -> Self {
        let folder = support::folder();
        let path = folder.path().join(manifest::FILE_NAME);
        fs::create_dir(folder.path().join("jobs")).expect("a plugin folder");
        fs::write(folder.path().join("jobs/hello.wasm"), guests::PREBUILT[0]).expect("a plugin");
        let text = text(jobs);
        fs::write(&path, &text).expect("a manifest");

        let description = |file: &Path| {
            clockbox::sandbox::inspect(&fs::read(file).ok()?).ok().and_then(|plugin| plugin.job)
        };
        let loaded = manifest::load(&path, &Overrides::default(), &description).expect("a good manifest");
        let current: Manifest = loaded.whole().expect("good plugins");
        let mut loader = Loader::new(support::sandbox(100));
        let plugins = loader.load(&current).plugins;
        let declared: Vec<_> = current.jobs.values().cloned().collect();
        let mut builder = Scheduler::builder()
            .store(support::sqlite(&folder.path().join("clockbox.db")))
            .declared(declared);
        builder = current.pools.values().cloned().fold(builder, |builder, pool| builder.pool(pool));
        builder = plugins.into_iter().fold(builder, |builder, (name, plugin)| builder.plugin(name, plugin));
        let events = builder.subscribe();
        let scheduler = builder.start().expect("a scheduler that starts");
        let reloader = Reloader::new(path, Overrides::default(), current, loader, scheduler.clone());
        let reloader = reloader.start(true).expect("a thread");
        Self { folder, jobs, text, scheduler, events, reloader, lost: 0 }
    }

    /// Changes one job after another, and listens meanwhile.
    fn measure(mut self, rounds: usize, report: &mut Report) -> Found {
        let (mut took, mut during, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        // The first shows that the host has started and that its reloader listens.
        for round in 0..=rounds {
            let begin = self.scheduler.clock().now();
            let undisturbed = self.listen(report, |_, at| at >= begin + LEFT_ALONE);
            // All over the file.
            let place = round * self.jobs / (rounds + 1);
            self.change(place, round);
            let written = self.scheduler.clock().now();
            let mut effect = None;
            let fires = self.listen(report, |event, at| {
                if let Event::Reloaded { added, changed, removed, .. } = event {
                    effect = Some((at, [*added, *changed, *removed]));
                }
                effect.is_some()
            });
            let (at, changes) = effect.expect("a reload that takes effect");
            if changes != [0, 1, 0] {
                report.broken(format!("a reload added, changed and removed {changes:?} jobs, not one"));
            }
            self.check(place, round, report);
            if round > 0 {
                took.push(seconds(at - written - QUIET));
                during.extend(fires);
                alone.extend(undisturbed);
            } else {
                // Of the start, when every job was added.
                self.lost = 0;
            }
        }
        if self.lost > 0 {
            report.broken(format!("{} events were not heard, so figures are missing", self.lost));
        }
        self.reloader.stop(std::time::Duration::from_secs(60));
        self.scheduler.shutdown(std::time::Duration::from_secs(5)).wait().expect("a scheduler that stops");
        Found {
            took: took.into_iter().collect(),
            during: during.into_iter().collect(),
            alone: alone.into_iter().collect(),
        }
    }

    /// The lateness in ms of each fire, until an event that is the last to be heard.
    fn listen(
        &mut self,
        report: &mut Report,
        mut is_last: impl FnMut(&Event, Timestamp) -> bool,
    ) -> Vec<f64> {
        let mut late = Vec::new();
        loop {
            let happening = match self.events.next_blocking().expect("a scheduler that runs") {
                Ok(happening) => happening,
                Err(lost) => {
                    self.lost += lost;
                    continue;
                }
            };
            match &happening.event {
                Event::RunStarted { scheduled_at, .. } => {
                    late.push(seconds(happening.at - *scheduled_at) * 1e3);
                }
                Event::ReloadRejected { problems } => {
                    report.broken(format!("a reload was refused: {problems:?}"));
                }
                _ => {}
            }
            if is_last(&happening.event, happening.at) {
                return late;
            }
        }
    }

    /// Gives a job another argument, and puts the manifest in the place of the old one in one go, as editors do.
    fn change(&mut self, place: usize, round: usize) {
        let job = self.text.find(&name(place)).expect("a job");
        let end = self.text[job..].find("\" }\nretry").expect("arguments") + 1;
        self.text.insert_str(job + end, &format!(", round = {round}"));
        let path = self.folder.path().join(manifest::FILE_NAME);
        let beside = path.with_extension("toml.new");
        fs::write(&beside, &self.text).expect("a manifest");
        fs::rename(&beside, &path).expect("a manifest");
    }

    /// Whether the change is in force.
    fn check(&self, place: usize, round: usize, report: &mut Report) {
        let id = JobId::new(name(place)).expect("a name");
        let record = self.scheduler.job(id).wait().expect("a scheduler that runs").expect("a job");
        if !record.job.args.contains(&format!("\"round\":{round}")) {
            report.broken(format!("after the reload, the arguments of its job are {}", record.job.args));
        }
    }
}

fn seconds(span: TimeDelta) -> f64 {
    span.num_microseconds().map_or(f64::INFINITY, |micros| micros as f64 / 1e6)
}

fn name(n: usize) -> String {
    format!("customer-{n:06}-report")
}

/// A manifest of so many jobs that hardly ever fire, and some that always do.
fn text(jobs: usize) -> String {
    const ZONES: [&str; 4] = ["Europe/Berlin", "America/New_York", "Asia/Shanghai", "UTC"];
    let mut text = "[pools.default]\nmax_instances = 100\n".to_owned();
    for n in 0..FREQUENT {
        let trigger = "{ interval = \"100ms\" }";
        text += &format!("\n[jobs.frequent-{n}]\nplugin = \"hello\"\ntrigger = {trigger}\n");
    }
    for n in 0..jobs {
        let (minute, hour, zone) = (n * 7 % 60, n % 24, ZONES[n % ZONES.len()]);
        write!(
            text,
            "\n[jobs.{}]\nplugin = \"hello\"\ntrigger = {{ cron = \"{minute} {hour} 1 1 *\", timezone = \"{zone}\" }}\n\
             args = {{ name = \"customer {n}\", format = \"pdf\" }}\nretry = {{ attempts = 3, backoff = \"30s\" }}\n",
            name(n)
        )
        .expect("a string");
    }
    text
}
