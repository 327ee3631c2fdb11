//! A host as a service: what it tells the manager that started it, and the exit codes that the manager goes by.

use std::{os::unix::net::UnixDatagram, time::Duration};

use clockbox_tests::{Running, TestHost, guest};
use rustix::process::Signal;

/// A guard against a word that never comes.
const DEADLINE: Duration = Duration::from_secs(60);

/// A service manager's ear.
struct Manager {
    socket: UnixDatagram,
    heard: Vec<String>,
}

impl Manager {
    /// Starts the host as a service manager would.
    fn start(place: &TestHost, watchdog: Duration) -> (Self, Running) {
        let path = place.path("notify.sock");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut command = place.command();
        command.args(["run", "--log-format", "json"]).env("NOTIFY_SOCKET", &path);
        command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        (Self { socket, heard: Vec::new() }, TestHost::start_as(command))
    }

    /// Waits for a message with this line in it, and returns its other lines.
    #[track_caller]
    fn hear(&mut self, line: &str) -> Vec<String> {
        loop {
            let mut bytes = [0; 4096];
            let Ok(length) = self.socket.recv(&mut bytes) else {
                panic!("no {line:?} after {:#?}", self.heard)
            };
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            self.heard.push(text.clone());
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if lines.iter().any(|word| word == line) {
                return lines.into_iter().filter(|word| word != line).collect();
            }
        }
    }
}

const TICK: &str = "[jobs.tick]\nplugin = \"echo\"\ntrigger = { interval = \"1h\" }\n";

fn place() -> TestHost {
    let place = crate::place();
    place.drop_plugin(&guest("echo"), "echo");
    place.manifest(TICK);
    place
}

#[test]
fn a_service_manager_hears_of_start_life_reload_and_end() {
    let place = place();
    let (mut manager, mut host) = Manager::start(&place, Duration::from_millis(200));
    assert_eq!(manager.hear("READY=1"), ["STATUS=running 1 job"]);
    host.ready();
    for _ in 0..3 {
        assert_eq!(manager.hear("WATCHDOG=1"), [""; 0]);
    }
    let reloads: [(&str, &str); 2] = [
        (
            &format!("{TICK}[jobs.tock]\nplugin = \"echo\"\ntrigger = {{ interval = \"1h\" }}\n"),
            "running; reloaded: jobs +1",
        ),
        ("[jobs.tick]\nplugin = 7\n", "running; a change was refused"),
    ];
    for (manifest, status) in reloads {
        place.manifest(manifest);
        host.signal(Signal::HUP);
        let reloading = manager.hear("RELOADING=1");
        assert!(reloading.iter().any(|line| line.starts_with("MONOTONIC_USEC=")), "{reloading:?}");
        manager.hear("READY=1");
        let last = manager.heard.last().unwrap();
        assert!(last.contains("STATUS=running; "), "{last}");
        // The change may have been noticed by itself before the signal was.
        host.hear("the reload", |line| {
            line.message().contains("reloaded: ") || line.message().contains("not taken over")
        });
        assert!(manager.heard.iter().any(|text| text.contains(status)), "{status:?}: {:#?}", manager.heard);
    }
    host.signal(Signal::TERM);
    let end = manager.hear("STOPPING=1");
    assert!(end.contains(&"STATUS=stopping: runs have 30 s to end".to_owned()), "{end:?}");
    assert!(end.contains(&"EXTEND_TIMEOUT_USEC=45000000".to_owned()), "{end:?}");
    assert_eq!(host.end().code(), Some(0));
}

#[test]
fn a_host_that_has_nobody_to_tell_says_so_and_runs() {
    let place = place();
    let mut command = place.command();
    command.args(["run", "--log-format", "json"]).env("NOTIFY_SOCKET", place.path("nobody.sock"));
    let mut host = TestHost::start_as(command);
    host.hear_text("the service manager cannot be told how the host is (NOTIFY_SOCKET): ");
    host.stop();
}

#[test]
fn a_host_that_loses_its_store_ends_with_a_code_of_its_own() {
    let place = place();
    let job = "[jobs.tick]\nplugin = \"echo\"\ntrigger = { interval = \"50ms\" }\n";
    place.manifest(job);
    let mut host = place.start();
    host.hear_of("tick", "succeeded");
    place.remove("clockbox.db");
    host.hear_text("clockbox.db was deleted or replaced while this host had it open");
    assert_eq!(host.end().code(), Some(3), "{host}");
    // Wrong usage is not mended by another start.
    assert_eq!(place.cli(&["run", "no/such/manifest.toml"]).code, Some(2));
}
