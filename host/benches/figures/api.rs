//! The control API: jobs added in one request and one by one, and listed page by page, on a durable store.

use std::path::Path;

use clockbox::{
    JobError, Scheduler,
    control::{
        Control, Hooks,
        client::{Address, Client},
    },
    manifest::ServerSettings,
};
use http::Method;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::{
    options::Options,
    report::{Figure, Limit, Report},
    support::{self, Sample, timed},
};

/// What adding the jobs in one request may take, in seconds.
const TOGETHER: f64 = 5.0;
/// What adding them one by one over one connection may take, in seconds.
const ONE_BY_ONE: f64 = 60.0;
/// What a page may take, in seconds.
const PAGE: f64 = 0.05;
/// Jobs of a page.
const PAGE_SIZE: u32 = 500;

pub(crate) fn run(report: &mut Report, options: &Options) {
    let (added, listed) = if options.quick { (500, 2_000) } else { (10_000, 100_000) };

    let folder = support::folder();
    let mut host = Host::start(folder.path());
    let ((), took) = timed(|| host.import("batch", added));
    let floor = bare(&folder.path().join("bare-batch.db"), added, added);
    report.figure(figure(format!("{added} jobs added in one request"), took.as_secs_f64(), TOGETHER));
    report.figure(beside("the same, beside bare inserts in one transaction", took.as_secs_f64(), floor));

    let ((), took) = timed(|| (0..added).for_each(|n| host.add("single", n)));
    let floor = bare(&folder.path().join("bare-single.db"), added, 1);
    report.figure(figure(format!("{added} jobs added one by one"), took.as_secs_f64(), ONE_BY_ONE));
    report.figure(beside("the same, beside bare inserts of a transaction each", took.as_secs_f64(), floor));

    let left = listed - 2 * added;
    for begin in (0..left).step_by(10_000) {
        host.import(&format!("more-{begin}"), 10_000.min(left - begin));
    }
    let (pages, found) = host.list();
    if found != 2 * added + left {
        report.broken(format!("{found} jobs were listed, not {}", 2 * added + left));
    }
    let floor = bare_pages(&folder.path().join("clockbox.db"));
    report.figure(figure(format!("a page of {PAGE_SIZE} of {found} jobs, the slowest"), pages.max(), PAGE));
    report.figure(beside("a page, p50, beside its rows read bare", pages.p50(), floor.p50()));
    host.stop();
}

fn figure(name: String, ours: f64, limit: f64) -> Figure {
    Figure {
        name,
        ours: seconds(ours),
        beside: seconds(limit),
        ratio: Some(ours / limit),
        limit: Limit::AtMost(1.0),
    }
}

fn beside(name: &str, ours: f64, floor: f64) -> Figure {
    let (name, beside) = (name.to_owned(), seconds(floor));
    Figure { name, ours: seconds(ours), beside, ratio: Some(ours / floor), limit: Limit::None }
}

fn seconds(seconds: f64) -> String {
    if seconds < 0.5 { format!("{:.2} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}

struct Host {
    scheduler: Scheduler,
    control: Control,
    client: Client,
}

impl Host {
    fn start(folder: &Path) -> Self {
        let scheduler = Scheduler::builder()
            .store_in("sqlite:clockbox.db", folder)
            .native_fn("noop", |_: Value, _| async { Ok::<_, JobError>(()) })
            .start()
            .expect("a scheduler that starts");
        let address = "127.0.0.1:0".parse().expect("an address");
        let settings = ServerSettings { listen: Some(address), ..ServerSettings::default() };
        let control = Control::start(&scheduler, &settings, Hooks::default()).expect("an API");
        let address = control.address().expect("an address").to_string();
        let client = Client::connect(Address::Tcp(address), None).expect("a connection");
        Self { scheduler, control, client }
    }

    fn import(&mut self, prefix: &str, jobs: usize) {
        let jobs: Vec<Value> = (0..jobs).map(|n| described(prefix, n)).collect();
        let body = json!({ "jobs": jobs });
        self.client.call(Method::POST, "/v1/import", &[], Some(&body)).expect("jobs that are added");
    }

    fn add(&mut self, prefix: &str, n: usize) {
        let body = described(prefix, n);
        self.client.call(Method::POST, "/v1/jobs", &[], Some(&body)).expect("a job that is added");
    }

    /// What each page took, and how many jobs were on them.
    fn list(&mut self) -> (Sample, usize) {
        let (mut took, mut found, mut after) = (Vec::new(), 0, None);
        loop {
            let after_it = after.map(|name: String| format!("&after={name}")).unwrap_or_default();
            let path = format!("/v1/jobs?limit={PAGE_SIZE}{after_it}");
            let (page, time) = timed(|| self.client.get::<Value>(&path).expect("a page"));
            took.push(time.as_secs_f64());
            found += page["jobs"].as_array().map_or(0, Vec::len);
            match page["next"].as_str() {
                Some(next) => after = Some(next.to_owned()),
                None => return (took.into_iter().collect(), found),
            }
        }
    }

    fn stop(self) {
        drop((self.client, self.control));
        let ended = self.scheduler.shutdown(std::time::Duration::from_secs(5)).wait();
        ended.expect("a scheduler that stops");
    }
}

/// Far ahead, so that none of them fires meanwhile.
fn described(prefix: &str, n: usize) -> Value {
    json!({ "name": name(prefix, n), "plugin": "noop", "trigger": { "date": "2090-01-01" }, "args": { "order": n } })
}

fn name(prefix: &str, n: usize) -> String {
    format!("{prefix}-{n:06}")
}

/// The floor: rows of the same size, so many to a transaction, each of which is on the disk when it is answered.
fn bare(path: &Path, jobs: usize, at_once: usize) -> f64 {
    let mut connection = Connection::open(path).expect("a database");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE jobs (name TEXT PRIMARY KEY, job TEXT NOT NULL) STRICT;
             CREATE TABLE job_times (job TEXT PRIMARY KEY, next_fire INTEGER) STRICT, WITHOUT ROWID;",
        )
        .expect("tables");
    let rows: Vec<(String, String)> =
        (0..jobs).map(|n| (name("bare", n), described("bare", n).to_string())).collect();
    let ((), took) = timed(|| {
        for rows in rows.chunks(at_once) {
            let transaction = connection.transaction().expect("a transaction");
            for (name, job) in rows {
                let insert = |sql| transaction.prepare_cached(sql).expect("a statement");
                insert("INSERT INTO jobs VALUES (?1, ?2)").execute(params![name, job]).expect("an insert");
                let mut times = insert("INSERT INTO job_times VALUES (?1, ?2)");
                times.execute(params![name, 3_786_912_000_000_000_i64]).expect("an insert");
            }
            transaction.commit().expect("a commit");
        }
    });
    took.as_secs_f64()
}

/// The floor of a listing: the same pages, read from the same file.
fn bare_pages(path: &Path) -> Sample {
    let connection = Connection::open(path).expect("a database");
    let mut page = connection
        .prepare(
            "SELECT jobs.name, jobs.job, job_times.next_fire FROM jobs JOIN job_times ON job_times.job = jobs.name
             WHERE jobs.name > ?1 ORDER BY jobs.name LIMIT ?2",
        )
        .expect("a statement");
    let (mut took, mut after) = (Vec::new(), String::new());
    loop {
        let (rows, time) = timed(|| {
            let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
            let rows = page.query_map(params![after, PAGE_SIZE], read).expect("rows");
            rows.collect::<Result<Vec<_>, _>>().expect("rows")
        });
        match rows.last() {
            Some((last, _)) => after.clone_from(last),
            None => return took.into_iter().collect(),
        }
        took.push(time.as_secs_f64());
    }
}
