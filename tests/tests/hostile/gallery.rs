//! The story: one host, one attack after another, and a neighbour that fires all the while.

use std::{fs, os::unix::fs::symlink};

use clockbox_core::model::{Outcome, Run};
use clockbox_tests::{History, Running, TestHost, Vitals, guest};

use crate::{
    attack::{Attack, File},
    cpu, files, jobs, made, memory, reach,
    table::{self, Row},
    web::HostileWeb,
    words,
};

/// A variable of the host's that no guest may see.
const CANARY: (&str, &str) = ("HOST_CANARY", "canary-5d1c");
/// What lies beside the granted folder.
const SECRET: &str = "secret-77e0";
/// What a plugin is trusted with.
pub(crate) const TOKEN: &str = "token-91ab-very-secret";
/// The longest that the neighbour, who fires ten times a second, may be kept from running. Other tests run beside this one.
const PAUSE_MS: i64 = 2_000;
/// By how much a host may be larger after everything than before it: the code of all the plugins, and what allocators and
/// pools keep for the next run.
const MARGIN: u64 = 64 << 20;

fn attacks(web: &HostileWeb) -> Vec<Attack> {
    [
        cpu::attacks(),
        memory::attacks(),
        files::attacks(),
        reach::attacks(web),
        words::attacks(),
        jobs::attacks(),
        made::attacks(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A place with every attack's plugin, the neighbour's, and the folders that are granted.
fn place(attacks: &[Attack]) -> TestHost {
    let place = crate::place();
    for attack in attacks {
        match &attack.file {
            File::Committed(path) => place.drop_plugin(path, attack.name),
            File::Made(end, bytes) => place.put(&format!("jobs/{}.{end}", attack.name), bytes),
        }
    }
    place.drop_plugin(&guest("echo"), "neighbour");
    for folder in ["data", "scratch"] {
        fs::create_dir(place.path(folder)).unwrap();
    }
    fs::create_dir(place.path("many")).unwrap();
    // Names of two files: as many files would keep the disk busy, which the host's store waits for.
    let many = place.path("many");
    for half in 0..2 {
        let file = many.join(format!("{half}"));
        fs::File::create(&file).unwrap();
        for n in 1..50_000 {
            fs::hard_link(&file, many.join(format!("{half}-{n}"))).unwrap();
        }
    }
    place.put("secret.txt", SECRET.as_bytes());
    place.put("data/note.txt", b"a note");
    for (link, to) in [("to-file", "../secret.txt"), ("to-folder", ".."), ("to-root", "/")] {
        symlink(to, place.path("data").join(link)).unwrap();
    }
    place
}

/// The manifest: what the plugins may do, the neighbour, and with `armed` a job for each attack, due at once.
fn manifest(attacks: &[Attack], armed: bool) -> String {
    let mut text = String::from(
        "[scheduler]\ncompile = { memory = \"256MiB\" }\n[pools.hostile]\nmax_instances = 1\nqueue = 1000\n",
    );
    for attack in attacks {
        text += &format!("[plugins.{}]\n{}", attack.name, attack.plugin);
    }
    for attack in attacks.iter().filter(|_| armed) {
        text += &format!("[jobs.{0}]\nplugin = \"{0}\"\npool = \"hostile\"\n{1}", attack.name, attack.job);
    }
    // A pool of its own: the jobs that guests add fill the usual one.
    text + "[pools.neighbour]\nmax_instances = 1\n[jobs.neighbour]\nplugin = \"neighbour\"\npool = \"neighbour\"\ntrigger = { interval = \"100ms\" }\n"
}

/// Waits until the neighbour has succeeded so many times more.
#[track_caller]
fn ticks(host: &mut Running, count: usize) {
    for _ in 0..count {
        host.hear_of("neighbour", "succeeded");
    }
}

/// Waits, as long as it takes the neighbour to tick so often, until the host holds no more than it did.
#[track_caller]
fn settled(host: &mut Running, before: &Vitals) -> Vitals {
    // Threads that waited for the disk stay for ten seconds, in case there is more to wait for.
    let mut now = host.vitals();
    for _ in 0..300 {
        if now.resident <= before.resident + MARGIN
            && now.threads <= before.threads
            && now.files.len() <= before.files.len()
        {
            return now;
        }
        ticks(host, 1);
        now = host.vitals();
    }
    panic!("before {before}, now {now}: {:#?}", now.files);
}

/// What the host said of a run: the reason, and its remarks in the log. What differs from place to place is replaced.
fn said(place: &TestHost, history: &History, run: &Run, web: &HostileWeb) -> String {
    let mut said: Vec<String> = run.reason.iter().cloned().collect();
    said.extend(history.remarks(run));
    let folder = place.folder().display().to_string();
    said.join("\n")
        .replace(&folder, "…")
        .replace(&web.port().to_string(), "PORT")
        .replace(&web.inner_port().to_string(), "INNER")
        .replace(&run.id.to_string(), "RUN")
        .replace(&run.scheduled_at.to_rfc3339(), "TIME")
}

#[test]
fn every_attack_gets_what_is_documented_and_leaves_nothing_behind() {
    let web = HostileWeb::start();
    let attacks = attacks(&web);
    let place = place(&attacks);
    place.manifest(&manifest(&attacks, false));
    let mut command = place.command();
    command.args(["run", "--log-format", "json"]).env(CANARY.0, CANARY.1).env("TOKEN", TOKEN);
    let mut host = TestHost::start_as(command);
    // Compiling some of them takes long on a busy machine; meanwhile the host says every second that it is at it.
    while !host.hear("it goes on", |_| true).message().contains("; ready in ") {}
    ticks(&mut host, 10);
    let before = host.vitals();

    place.manifest(&manifest(&attacks, true));
    host.hear_text("reloaded: jobs");
    host.forget_peak();
    // What it took to read all plugins again may not have gone back yet.
    let reloaded = host.vitals();
    let mut peaks: Vec<(String, Vitals)> = Vec::new();
    for _ in &attacks {
        let line = host.hear("an attack ends", |line| {
            let is_new = !peaks.iter().any(|(job, _)| job == line.job());
            is_new
                && attacks.iter().any(|attack| attack.name == line.job())
                && Outcome::ALL.iter().any(|end| line.is_of(line.job(), end.as_str()))
        });
        peaks.push((line.job().to_owned(), host.vitals()));
        host.forget_peak();
    }
    println!("before           {before}");
    for (job, peak) in &peaks {
        println!("{job:<16} {peak}");
    }
    let after = settled(&mut host, &before);
    println!("after            {after}");
    let lines = host.stop();

    let history = place.history();
    let mut rows = Vec::new();
    for attack in &attacks {
        let runs = history.of(attack.name);
        assert!(runs.len() == 1 || attack.repeats, "{}: {runs:?}", attack.name);
        let said = said(&place, &history, &runs[0], &web);
        let outcome = runs[0].outcome.map(|outcome| outcome.to_string()).unwrap_or_default();
        rows.push(Row { attack: attack.name, tries: attack.tries, outcome, said });
    }
    assert_eq!(web.inner_visits(), 0, "somebody reached the server that nobody is granted");
    let kept = history.state_size("state-flood");
    assert!((1..=jobs::STATE).contains(&kept), "{kept} bytes of state");
    for (plugin, most) in jobs::MOST_JOBS {
        let added = history.added_by(plugin);
        assert_eq!(added, *most, "jobs that runs of {plugin} added");
    }
    let table = table::markdown(&rows);
    println!("{table}");
    for (attack, row) in attacks.iter().zip(&rows) {
        assert_eq!(row.outcome, attack.outcome.as_str(), "{}: {}", attack.name, row.said);
        for part in attack.says {
            assert!(row.said.contains(part), "{}: {part:?} is not in {:?}", attack.name, row.said);
        }
    }
    // What the attack before left is not this one's doing; nor is the code of all plugins, which is there from here on.
    let mut resident = before.resident.max(reloaded.resident);
    for (job, vitals) in &peaks {
        let attack = attacks.iter().find(|attack| attack.name == job).unwrap();
        let grown = vitals.peak.saturating_sub(resident);
        assert!(grown <= attack.most + MARGIN, "{job}: {} MiB more while it ran", grown >> 20);
        resident = vitals.resident;
    }
    let fired = history.of("neighbour");
    let fired: Vec<_> = fired.iter().filter(|run| run.outcome == Some(Outcome::Succeeded)).collect();
    for two in fired.windows(2) {
        let pause = two[1].scheduled_at - two[0].scheduled_at;
        if pause.num_milliseconds() <= PAUSE_MS {
            continue;
        }
        let meanwhile: Vec<_> = history
            .all()
            .into_iter()
            .filter(|run| {
                run.started_at <= Some(two[1].scheduled_at) && run.finished_at >= Some(two[0].scheduled_at)
            })
            .map(|run| format!("{} {:?} to {:?}", run.job, run.started_at, run.finished_at))
            .collect();
        panic!("the neighbour did not run for {pause}: {two:?}; meanwhile {meanwhile:#?}");
    }
    for line in lines.iter().map(|line| line.to_string()) {
        for hidden in [CANARY.1, SECRET, TOKEN] {
            assert!(!line.contains(hidden), "{line}");
        }
        assert!(!line.contains(|c: char| c.is_control() && c != '\n'), "{line:?}");
    }
    for run in history.all() {
        let log = history.log(&run).join("\n");
        let told = format!("{log}{:?}{:?}", run.reason, history.attempts(&run));
        for hidden in [CANARY.1, SECRET, TOKEN] {
            assert!(!told.contains(hidden), "{told}");
        }
    }
    table::compare(&table);
}
