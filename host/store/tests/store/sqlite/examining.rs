use std::{
    fs,
    sync::{
        Arc,
        mpsc::{self, TryRecvError},
    },
};

use clockbox_core::model::Outcome;
use clockbox_store::{
    Access, JobStore, RunFilter, SqliteStore, StoreCheck, StoreError, StoreProblem, backup, check,
};
use rusqlite::Connection;

use super::{beside, host, place};
use crate::support::{
    attempt, commit, entry, finished, fire, job, line, log, numbers, put, run_id, second, state, update,
    waiting,
};

const URL: &str = "sqlite:clockbox.db";

#[track_caller]
fn checked(folder: &tempfile::TempDir) -> StoreCheck {
    check(URL, folder.path()).unwrap()
}

/// Two jobs, and runs enough to fill pages.
fn fill(store: &SqliteStore) {
    commit(store, &[put(&job("report")), put(&job("site"))]);
    for n in 1..400_u32 {
        let run = waiting(i64::from(n), "report", second(n));
        commit(store, &[fire(&run), log(i64::from(n), 1, &[line("started")])]);
        if n > 1 {
            let end = finished(&run, Outcome::Succeeded);
            let write = clockbox_core::model::Write::Update {
                run: Arc::new(end),
                attempt: Some(Box::new(attempt(1))),
            };
            commit(store, &[write]);
        }
    }
}

#[test]
fn a_store_in_good_order_is_counted_also_while_its_host_runs() {
    let (folder, path) = place();
    let store = host(&path);
    fill(&store);
    let found = checked(&folder);
    assert_eq!(found.problems, []);
    let contents = found.contents.unwrap();
    assert_eq!((contents.jobs, contents.runs, contents.unfinished, contents.attempts), (2, 399, 1, 398));
    assert_eq!((contents.oldest, contents.newest), (Some(second(1)), Some(second(399))));
    let word = found.host.unwrap();
    assert!(word.contains(&format!("pid {}", std::process::id())) && word.contains("since 2030"), "{word}");
    let log = fs::metadata(beside(&path, "-wal")).unwrap().len();
    assert_eq!(found.size, fs::metadata(&path).unwrap().len() + log);
    drop(store);
    assert_eq!(checked(&folder).host, None);
}

#[test]
fn asking_for_the_host_never_keeps_one_from_starting() {
    let (folder, path) = place();
    drop(host(&path));
    std::thread::scope(|scope| {
        let (stop, stopped) = mpsc::channel::<()>();
        let folder = &folder;
        scope.spawn(move || {
            while stopped.try_recv() == Err(TryRecvError::Empty) {
                drop(clockbox_store::host(URL, folder.path()));
                std::thread::yield_now();
            }
        });
        for _ in 0..10 {
            drop(host(&path));
        }
        drop(stop);
    });
}

#[test]
fn a_damaged_page_is_found_and_the_rest_is_not_guessed() {
    let (folder, path) = place();
    fill(&host(&path));
    let mut bytes = fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes[half..half + 8192].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let found = checked(&folder);
    assert!(matches!(found.problems.first(), Some(StoreProblem::Damaged(_))), "{found:?}");
    let error = backup(URL, folder.path(), &folder.path().join("copy.db")).unwrap_err();
    assert!(error.to_string().contains("clockbox store check"), "{error}");
    assert!(!folder.path().join("copy.db").exists());
}

#[test]
fn a_file_cut_short_or_overwritten_is_damaged_and_not_an_error() {
    let (folder, path) = place();
    fill(&host(&path));
    let bytes = fs::read(&path).unwrap();
    let mut garbage = bytes.clone();
    garbage[..100].fill(0x5a);
    for spoilt in [&bytes[..bytes.len() / 2], &bytes[..5000], &garbage] {
        fs::write(&path, spoilt).unwrap();
        let found = checked(&folder);
        assert!(matches!(found.problems.first(), Some(StoreProblem::Damaged(_))), "{found:?}");
    }
}

#[test]
fn what_is_no_store_of_clockbox_is_an_error() {
    let (folder, path) = place();
    let refused = || check(URL, folder.path()).unwrap_err().to_string();
    assert!(refused().contains("has the host run yet?"));
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    assert!(refused().contains("is a SQLite database of another program"));
    assert!(check("memory:", folder.path()).unwrap_err().to_string().contains("ends with its host"));
}

#[test]
fn rows_that_are_not_understood_are_found_by_name() {
    let (folder, path) = place();
    let store = host(&path);
    fill(&store);
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             UPDATE jobs SET job = '{}' WHERE name = 'site';
             UPDATE runs SET state = 'paused' WHERE id = 7;
             UPDATE attempts SET outcome = 'great' WHERE run = 8;
             UPDATE logs SET lines = 'hm' WHERE run = 9;
             INSERT INTO cancelling VALUES (-1, 'ada'), (7, 'grace');
             DELETE FROM runs WHERE id = 10;",
        )
        .unwrap();
    let found = checked(&folder);
    let told: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
    for start in [
        "dangling: 1 rows of attempts belong to rows of runs that are gone",
        "dangling: 1 rows of logs belong to rows of runs that are gone",
        "unreadable: job site: ",
        "unreadable: run number 7 of job report: \"paused\" is not a state",
        "unreadable: what is to stop, run number -1: -1 is not a run id",
        "unreadable: attempt 1 of run number 8: \"great\" is not an outcome",
        "unreadable: part 1 of the log of run number 9: ",
    ] {
        assert!(told.iter().any(|line| line.starts_with(start)), "{start:?} is not among {told:#?}");
    }
    assert_eq!(told.len(), 7, "{told:#?}");
    assert!(found.contents.is_some());
    // It costs the others nothing.
    let snapshot = store.load().unwrap();
    assert_eq!(snapshot.cancelling, [(run_id(7), "grace".to_owned())].into());
    let line = "what is to stop, run number -1: -1 is not a run id";
    assert!(snapshot.unreadable.iter().any(|told| told.contains(line)), "{:?}", snapshot.unreadable);
}

#[test]
fn spoilt_state_is_found_by_job_and_key_and_costs_other_jobs_nothing() {
    let (_folder, path) = place();
    let store = host(&path);
    let put_state = |job| {
        let put = ["a", "b", "c"].map(|key| entry(key, "1", None)).into();
        state(job, clockbox_core::model::StateChanges { put, limit: 1000, ..Default::default() })
    };
    let jobs = ["late", "report", "site"];
    commit(&store, &jobs.map(|name| put(&job(name))));
    commit(&store, &jobs.map(put_state));
    assert_eq!(checked_problems(&path), 0);
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             UPDATE job_state SET expires_at = 9223372036854775807 WHERE job = 'report' AND key = 'b';
             UPDATE job_state SET key = CAST(x'ff62' AS TEXT) WHERE job = 'site' AND key = 'b';
             UPDATE job_state SET job = 'nobody' WHERE job = 'late' AND key = 'c';",
        )
        .unwrap();
    // The table itself takes no value that is not bytes.
    let odd = other.execute("UPDATE job_state SET value = 'text' WHERE key = 'a'", []);
    assert!(odd.unwrap_err().to_string().contains("cannot store TEXT value in BLOB column"));

    let found = check(URL, path.parent().unwrap()).unwrap();
    let told: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
    for start in [
        "dangling: 1 rows of job_state belong to rows of jobs that are gone",
        "unreadable: state \"b\" of job report: 9223372036854775807 is beyond the calendar",
        "unreadable: state \"\u{fffd}b\" of job site: ",
    ] {
        assert!(told.iter().any(|line| line.starts_with(start)), "{start:?} is not among {told:#?}");
    }
    assert_eq!(told.len(), 3, "{told:#?}");
    assert_eq!(found.contents.unwrap().state, 9);

    // Nobody goes on from half of a state, and the jobs beside it have theirs.
    let read = |job: &str| store.state(&crate::support::job_id(job), second(1));
    for job in ["report", "site"] {
        let Err(StoreError::Broken(message)) = read(job) else { panic!("{job}: read") };
        assert!(message.contains("clockbox.db: "), "{message}");
    }
    assert_eq!(read("late").unwrap().0.len(), 2);
    // It goes with its job, and whoever deletes it finds the rest.
    commit(
        &store,
        &[clockbox_core::model::Write::RemoveJob(crate::support::job_id("site")), put(&job("site"))],
    );
    assert_eq!(read("site").unwrap().0.len(), 0);
    other.execute("DELETE FROM job_state WHERE job = 'report' AND key = 'b'", []).unwrap();
    assert_eq!(read("report").unwrap().0.len(), 2);
}

#[test]
fn a_job_that_is_not_understood_costs_the_others_nothing_and_stays() {
    let (_folder, path) = place();
    let store = host(&path);
    commit(&store, &[put(&job("report")), put(&job("site")), put(&job("late"))]);
    commit(&store, &[fire(&waiting(1, "report", second(1))), fire(&waiting(2, "report", second(2)))]);
    let other = Connection::open(&path).unwrap();
    other.execute("UPDATE jobs SET job = '{\"id\":7}' WHERE name = 'site'", []).unwrap();
    other.execute("DELETE FROM job_times WHERE job = 'late'", []).unwrap();
    other.execute("UPDATE runs SET pool = '' WHERE id = 2", []).unwrap();
    let snapshot = store.load().unwrap();
    let names: Vec<&str> = snapshot.jobs.iter().map(|record| record.job.id.as_str()).collect();
    assert_eq!((names, numbers(&snapshot.unfinished)), (vec!["report"], vec![1]));
    let told = snapshot.unreadable;
    assert_eq!(told.len(), 3, "{told:#?}");
    for (line, words) in told.iter().zip(["job \"late\": ", "job \"site\": ", "unfinished run number 2: "]) {
        assert!(line.contains("clockbox.db: ") && line.contains(words), "{line}");
    }
    assert_eq!(store.jobs().unwrap().len(), 1);
    let rows: i64 = other.query_row("SELECT count(*) FROM jobs", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 3);
}

#[test]
fn each_job_has_its_own_times_whatever_order_they_came_in_and_whoever_lacks_them() {
    let (_folder, path) = place();
    let store = host(&path);
    let names: Vec<String> = (0..40_u32).map(|n| format!("{:02}", n * 7 % 40)).collect();
    let timed = |name: &String| {
        let mut record = job(name);
        record.next_fire = Some(second(name.parse().unwrap()));
        put(&record)
    };
    commit(&store, &names.iter().map(timed).collect::<Vec<_>>());
    let other = Connection::open(&path).unwrap();
    other.execute("DELETE FROM job_times WHERE job IN ('00', '11', '12', '39')", []).unwrap();
    other.execute("UPDATE jobs SET job = 'hm' WHERE name IN ('05', '20')", []).unwrap();
    other.execute("UPDATE job_times SET last_fire = 9223372036854775807 WHERE job = '30'", []).unwrap();
    let text = "SELECT job FROM jobs WHERE name = '31'";
    other.execute(&format!("UPDATE jobs SET job = ({text}) WHERE name = '33'"), []).unwrap();
    let lost = ["00", "05", "11", "12", "20", "30", "33", "39"];

    let snapshot = store.load().unwrap();
    let found: Vec<_> =
        snapshot.jobs.iter().map(|record| (record.job.id.to_string(), record.next_fire)).collect();
    let left = (0..40_u32).map(|n| (format!("{n:02}"), Some(second(n))));
    assert_eq!(found, left.filter(|(name, _)| !lost.contains(&name.as_str())).collect::<Vec<_>>());
    assert_eq!(snapshot.unreadable.len(), lost.len(), "{:#?}", snapshot.unreadable);
    for (line, name) in snapshot.unreadable.iter().zip(lost) {
        assert!(line.contains(&format!("clockbox.db: job \"{name}\": ")), "{line}");
    }
    assert!(snapshot.unreadable[6].contains("its text is that of the job \"31\""));
    assert_eq!(checked_problems(&path), lost.len());
}

fn checked_problems(path: &std::path::Path) -> usize {
    check(URL, path.parent().unwrap()).unwrap().problems.len()
}

#[test]
fn a_backup_beside_a_busy_host_is_one_moment_of_it_and_a_store_itself() {
    let (folder, path) = place();
    let store = host(&path);
    fill(&store);
    let copy = folder.path().join("copy.db");
    std::thread::scope(|scope| {
        let store = &store;
        scope.spawn(move || {
            for n in 1000..1400 {
                let run = waiting(n, "site", second(u32::try_from(n).unwrap()));
                commit(store, &[fire(&run), update(&finished(&run, Outcome::Succeeded))]);
            }
        });
        let size = backup(URL, folder.path(), &copy).unwrap();
        assert_eq!(size, fs::metadata(&copy).unwrap().len());
    });
    let restored = host(&copy);
    let runs = restored.runs(&RunFilter::default()).unwrap();
    assert!(runs.len() >= 399);
    // A fire and its end were one commit.
    assert_eq!(runs.iter().filter(|run| !run.state.is_final()).count(), 1);
    assert_eq!(restored.jobs().unwrap().len(), 2);
    commit(&restored, &[fire(&waiting(5000, "site", second(5000)))]);
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".part"))
        .collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn a_backup_never_takes_the_place_of_a_file() {
    let (folder, path) = place();
    drop(host(&path));
    let diary = folder.path().join("diary");
    fs::write(&diary, "mine").unwrap();
    let Err(StoreError::Open(message)) = backup(URL, folder.path(), &diary) else { panic!("written") };
    assert!(message.contains("diary exists already"), "{message}");
    assert_eq!(fs::read_to_string(&diary).unwrap(), "mine");
    let nowhere = folder.path().join("no/such/copy.db");
    let message = backup(URL, folder.path(), &nowhere).unwrap_err().to_string();
    assert!(message.contains("cannot create ") && message.contains("where this user may write"), "{message}");
    assert!(SqliteStore::open(&path, Access::ReadOnly).is_ok());
}
