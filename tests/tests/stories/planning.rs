//! What a plan sees beside jobs: limits, rights, folders, settings, pools.

use clockbox_tests::{Running, TestHost, prebuilt};

const MANIFEST: &str = "\
[scheduler]
shutdown_grace = \"0s\"
[pools.heavy]
max_instances = 2
[plugins.hello]
allow = { read = { \"/data\" = \"data\", \"/more\" = \"data/more\" } }
[jobs.yearly]
plugin = \"hello\"
trigger = { date = \"2090-01-01 00:00:00\" }
";

fn start() -> (TestHost, Running) {
    let place = crate::place();
    place.drop_plugin(&prebuilt("hello"), "hello");
    for folder in ["data/more", "other"] {
        std::fs::create_dir_all(place.path(folder)).unwrap();
    }
    place.manifest(MANIFEST);
    let mut host = place.start_with(&["--no-watch"]);
    host.hear_text("asked and changed at");
    place.cli(&["plan"]).exits(0).says(&["nothing would change"]);
    (place, host)
}

/// What a plan says of the manifest with one text in place of another.
fn plan(place: &TestHost, old: &str, new: &str) -> String {
    let text = MANIFEST.replace(old, new);
    assert_ne!(text, MANIFEST);
    place.manifest(&text);
    place.cli(&["plan"]).exits(1).stdout
}

#[test]
fn limits_and_every_folder_of_a_grant_are_seen() {
    let (place, host) = start();
    let said =
        plan(&place, "[jobs.yearly]", "limits = { memory = \"32MiB\", fuel = 1000000 }\n[jobs.yearly]");
    assert_eq!(
        said,
        "~ plugin hello\n    limits.fuel: nothing → 1000000\n    limits.memory: 128MiB → 32MiB\n"
    );
    // The second folder, and not the first one.
    let said = plan(&place, "data/more", "other");
    assert_eq!(
        said,
        "~ plugin hello\n    allow.read: [\"/data = data\",\"/more = data/more\"] → [\"/data = data\",\"/more = other\"]\n"
    );
    let said = plan(&place, "[jobs.yearly]", "[jobs.yearly]\nmax_instances = 3");
    assert_eq!(said, "~ job yearly\n    max_instances: 1 → 3\n");
    // A reload takes it over, and then nothing is left.
    let _ = place.cli(&["reload"]).exits(0);
    place.cli(&["plan"]).exits(0).says(&["nothing would change"]);
    host.stop();
}

#[test]
fn the_plugin_folder_is_seen_and_a_reload_takes_it_over() {
    let (place, host) = start();
    std::fs::copy(place.path("jobs/hello.wasm"), place.path("other/hello.wasm")).unwrap();
    let said = plan(&place, "[scheduler]", "[scheduler]\nplugin_dir = \"other\"");
    assert_eq!(said, "~ scheduler settings\n    plugin_dir: jobs → other\n");
    let _ = place.cli(&["reload"]).exits(0);
    place.cli(&["plan"]).exits(0).says(&["nothing would change"]);
    // Seen from elsewhere it is the same folder.
    let folder = place.folder().to_str().unwrap();
    crate::place().cli(&["plan", folder]).exits(0).says(&["nothing would change"]);
    host.stop();
}

#[test]
fn what_needs_a_restart_is_said_to() {
    let (place, host) = start();
    let said =
        plan(&place, "shutdown_grace = \"0s\"", "shutdown_grace = \"5s\"\nhistory = { keep = \"7d\" }");
    assert!(
        said.contains(
            "~ scheduler at start\n    history.keep: 30days → 7days\n    shutdown_grace: 0s → 5s\n"
        ),
        "{said}"
    );
    assert!(said.contains("    note: it needs a restart of the host\n"), "{said}");
    let said =
        plan(&place, "[pools.heavy]", "[server]\nlisten = \"127.0.0.1:0\"\nuploads = true\n[pools.heavy]");
    assert_eq!(
        said,
        "~ server settings\n    listen: nothing → 127.0.0.1:0\n    uploads: false → true\n    note: it needs a restart of the \
         host\n"
    );
    // It stays to be done until it is done.
    let _ = place.cli(&["reload"]).exits(0);
    place.cli(&["plan"]).exits(1).says(&["~ server settings"]);
    let elsewhere = MANIFEST.replace("[pools.heavy]", "[store]\nurl = \"sqlite:other.db\"\n[pools.heavy]");
    place.manifest(&elsewhere);
    let socket = place.path("clockbox.sock");
    let said = place.cli(&["plan", "--socket", socket.to_str().unwrap()]).exits(1);
    said.says(&["~ store settings", "    url: sqlite:clockbox.db → sqlite:other.db\n", "needs a restart"]);
    host.stop();
}

#[test]
fn a_pool_that_only_the_host_has_is_told() {
    let (place, host) = start();
    let said = plan(&place, "[pools.heavy]\nmax_instances = 2\n", "");
    assert_eq!(
        said,
        "- pool heavy\n    note: it stays, and its runs go on, until the host is started anew\n"
    );
    host.stop();
}
