//! Plugins are looked at, listed and told of: what they are, want and may, with nothing compiled or run for it.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    time::SystemTime,
};

use clockbox_tests::{TestHost, guest, prebuilt};
use serde_json::{Value, json};

/// A place with http-check under the right to reach one origin, two jobs, and a pin.
fn place(pin: &str) -> TestHost {
    let place = crate::place();
    place.drop_plugin(&prebuilt("http-check"), "http-check");
    place.manifest(&format!(
        "[plugins.http-check]\nsha256 = \"{pin}\"\nallow.http = [\"https://a.example\"]\n\
         [jobs.site]\nplugin = \"http-check\"\ntrigger = {{ date = \"2100-01-01 00:00:00\" }}\n\
         [jobs.narrow]\nplugin = \"http-check\"\ntrigger = {{ date = \"2100-01-01 00:00:00\" }}\nallow = {{}}\n"
    ));
    place
}

fn digest(place: &TestHost, name: &str) -> String {
    let answer = place.cli(&["plugins", "inspect", name, "--json"]);
    answer.json()["sha256"].as_str().unwrap().to_owned()
}

fn right<'a>(inspection: &'a Value, name: &str) -> &'a Value {
    let rights = inspection["rights"].as_array().unwrap();
    rights.iter().find(|row| row["right"] == name).unwrap_or(&Value::Null)
}

#[test]
fn a_plugin_of_a_manifest_is_shown_with_what_it_is_granted_and_what_not() {
    let wrong = "0".repeat(64);
    let place = place(&wrong);
    let answer = place.cli(&["plugins", "inspect", "http-check"]).exits(1);
    answer.says(&[
        "  http       needed        granted: https://a.example",
        "granted: https://a.example",
        "NOT what the manifest pins",
        "site",
        "narrow: narrowed to nothing; without http",
    ]);
    assert!(answer.stderr.contains("is pinned") && answer.stderr.contains("hint: "), "{answer}");

    let digest = digest(&place, "http-check");
    let text = fs::read_to_string(place.path("clockbox.toml")).unwrap();
    place.manifest(&text.replace(&wrong, &digest));
    let answer = place.cli(&["plugins", "inspect", "http-check"]).exits(0);
    answer.says(&["as the manifest pins it", "world        clockbox:job/job@0.1.0"]);
    assert_eq!(answer.stderr, "");
    // By its file it is the same, from wherever one looks.
    let by_file = place.cli(&["plugins", "inspect", "jobs/http-check.wasm", "--json"]).exits(0).json();
    let by_name = place.cli(&["plugins", "inspect", "http-check", "--json"]).exits(0).json();
    assert_eq!(by_file, by_name);
    assert_eq!(by_name["plugin"], "http-check");
    assert_eq!(right(&by_name, "http")["granted"], true);
    assert_eq!(right(&by_name, "http")["grants"], json!(["https://a.example"]));
    assert_eq!(by_name["pin_matches"], true);
    let jobs: Vec<_> =
        by_name["jobs"].as_array().unwrap().iter().map(|job| (&job["job"], &job["narrowed"])).collect();
    assert_eq!(jobs, [(&json!("narrow"), &json!(true)), (&json!("site"), &json!(false))]);
}

#[test]
fn the_line_that_would_grant_a_right_grants_it() {
    let place = crate::place();
    place.drop_plugin(&prebuilt("counter"), "counter");
    place.manifest("[plugins.counter]\n");
    let inspection = place.cli(&["plugins", "inspect", "counter", "--json"]).exits(0).json();
    let state = right(&inspection, "state");
    assert_eq!((&state["wanted"], &state["granted"]), (&json!("required"), &json!(false)));
    assert_eq!(state["grant"]["where"], "under [plugins.counter] in ./clockbox.toml".replace("./", ""));
    let line = state["grant"]["toml"].as_str().unwrap();
    place.cli(&["check"]).exits(1).says(&["needs the right `allow.state`"]);
    place.manifest(&format!("[plugins.counter]\n{line}\n"));
    place.cli(&["check"]).exits(0).says(&["ok"]);
    let inspection = place.cli(&["plugins", "inspect", "counter", "--json"]).exits(0).json();
    assert_eq!(right(&inspection, "state")["granted"], true);
}

#[test]
fn a_file_of_no_manifest_is_compared_with_nothing() {
    let place = crate::place();
    place.drop_plugin(&prebuilt("counter"), "counter");
    let answer = place.cli(&["plugins", "inspect", "jobs/counter.wasm"]).exits(0);
    answer.says(&["in no manifest that was given", "state", "needed", "allow.state = true"]);
    let json = place.cli(&["plugins", "inspect", "jobs/counter.wasm", "--json"]).exits(0).json();
    assert_eq!((&json["manifest"], &right(&json, "state")["granted"]), (&Value::Null, &Value::Null));
    // A manifest that knows nothing of the file is named.
    place.manifest("[scheduler]\nplugin_dir = \"elsewhere\"\n");
    let answer = place.cli(&["plugins", "inspect", "jobs/counter.wasm"]).exits(0);
    assert!(answer.stderr.contains("has no plugin with this file"), "{answer}");
}

#[test]
fn what_cannot_be_looked_at_says_so() {
    let place = crate::place();
    place.drop_plugin(&guest("echo"), "echo");
    place.manifest("");
    place
        .cli(&["plugins", "inspect", "ecko"])
        .exits(1)
        .says(&["there is no plugin \"ecko\"", "did you mean \"echo\"?"]);
    place.cli(&["plugins", "inspect", "jobs/none.wasm"]).exits(2).says(&["jobs/none.wasm"]);
    place.cli(&["plugins", "inspect", "echo", "-C", "nowhere"]).exits(2).says(&["there is no such manifest"]);
    place.drop_plugin(&guest("no-entry"), "no-entry");
    place.cli(&["plugins", "inspect", "no-entry"]).exits(1).says(&["nothing that can be run"]);
}

/// Every file below a folder with what is in it and when it changed.
fn trace(folder: &Path) -> Vec<(String, Vec<u8>, SystemTime)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| {
            let changed = path.metadata().unwrap().modified().unwrap();
            (path.display().to_string(), fs::read(&path).unwrap_or_default(), changed)
        })
        .collect();
    files.sort();
    files
}

#[test]
fn plugins_are_listed_with_what_is_compiled_and_nothing_is_touched() {
    let place = crate::place();
    place.drop_plugin(&guest("echo"), "echo");
    place.drop_plugin(&guest("trap"), "trap");
    place.put("jobs/broken.wasm", b"nothing");
    place.manifest("[plugins.echo]\nallow.dns = true\n[jobs.a]\nplugin = \"echo\"\ntrigger = { date = \"2100-01-01 00:00:00\" }\n");
    let list = || {
        let answer = place.cli(&["plugins", "list", "--json", "--cache-dir", "cache"]).exits(0);
        answer.json().as_array().unwrap().clone()
    };
    let before = list();
    let names: Vec<_> = before.iter().map(|listed| listed["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["broken", "echo", "trap"]);
    assert!(!place.path("cache").exists(), "looking makes no cache");
    assert_eq!((&before[1]["cached"], &before[1]["compiled_at"]), (&json!(false), &Value::Null));
    assert_eq!((&before[1]["jobs"], &before[1]["rights"]), (&json!(["a"]), &json!(["dns"])));
    assert_eq!((&before[1]["source"], &before[2]["source"]), (&json!("manifest"), &json!("folder")));
    assert!(before[0]["problems"][0]["message"].as_str().unwrap().contains("not WebAssembly"), "{before:?}");

    let mut host = place.start_with(&["--cache-dir", "cache"]);
    host.ready();
    let traced = trace(&place.path("cache"));
    let during = list();
    assert_eq!((&during[1]["cached"], &during[2]["cached"]), (&json!(true), &json!(true)));
    assert!(during[1]["compiled_at"].is_string() && during[1]["compile_ms"].is_u64(), "{during:?}");
    assert_eq!(trace(&place.path("cache")), traced, "looking touches nothing");
    host.stop();

    let text = place.cli(&["plugins", "list", "--cache-dir", "cache"]).exits(0);
    text.says(&["PLUGIN", "jobs/echo.wat", "preview-1 command module", "error: broken: "]);
    // A cache that cannot be trusted hides the plugins no more than it is used.
    fs::set_permissions(place.path("cache"), fs::Permissions::from_mode(0o777)).unwrap();
    let answer = place.cli(&["plugins", "list", "--json", "--cache-dir", "cache"]).exits(0);
    assert!(answer.stderr.contains("what is compiled is not known"), "{answer}");
    assert_eq!(answer.json()[1]["cached"], Value::Null);
}

#[test]
fn what_keeps_a_manifest_from_loading_keeps_nobody_from_listing_its_plugins() {
    let place = crate::place();
    place.drop_plugin(&guest("echo"), "echo");
    place.manifest("[plugins.gone]\n[jobs.a]\nplugin = \"ecko\"\n[jobs.echo]\nodd = 1\n");
    place.cli(&["check"]).exits(1).says(&["unknown key"]);
    let answer = place.cli(&["plugins", "list", "--json"]).exits(0);
    let listed: Vec<_> =
        answer.json().as_array().unwrap().iter().map(|l| (l["name"].clone(), l["source"].clone())).collect();
    let wanted = [("echo", "folder"), ("ecko", "nowhere"), ("gone", "manifest")];
    assert_eq!(listed, wanted.map(|(name, source)| (json!(name), json!(source))));
    assert!(answer.stderr.contains("jobs.echo.odd: unknown key"), "{answer}");
    place
        .cli(&["plugins", "list"])
        .exits(0)
        .says(&["there is no file jobs/gone.wasm", "did you mean \"echo\"?"]);
    place.manifest("not toml");
    place.cli(&["plugins", "list"]).exits(2).says(&["TOML syntax error"]);
}

#[test]
fn the_host_tells_what_it_compiled_and_what_it_had() {
    let place = crate::place();
    place.drop_plugin(&guest("echo"), "echo");
    place.manifest("[jobs.echo]\ntrigger = { date = \"2100-01-01 00:00:00\" }\n");
    let digest = &digest(&place, "echo")[..12];
    let told = |how: &str| format!("plugin \"echo\" is {digest} (preview-1 command module), {how}");
    let mut host = place.start_with(&["--cache-dir", "cache"]);
    host.hear_text(&told("compiled in "));
    host.stop();
    let mut host = place.start_with(&["--cache-dir", "cache"]);
    host.hear_text(&told("taken from the cache: compiled "));
    place.drop_plugin(&guest("trap"), "echo");
    let line = host.hear_text("plugin \"echo\" was loaded anew: ");
    assert!(line.message().contains("(preview-1 command module), compiled in "), "{line}");
    host.stop();
}

#[test]
fn a_grant_that_covers_what_the_host_relies_on_is_warned_of() {
    let place = crate::place();
    place.drop_plugin(&guest("echo"), "echo");
    symlink(place.folder(), place.path("link")).unwrap();
    let manifest = |allow: &str| place.manifest(&format!("[plugins.echo]\nallow = {{ {allow} }}\n"));
    manifest("write = { \"/data\" = \"link\" }");
    let words = "plugin echo may change the manifest clockbox.toml, the plugin folder jobs and the database clockbox.db";
    let answer = place.cli(&["check"]).exits(0);
    answer.says(&[words, "clockbox.toml:2:31: warning: plugins.echo.allow.write"]);
    let mut host = place.start();
    let line = host.hear_text(words);
    assert_eq!(line.level(), "WARN");
    // A grant that is new is told by the reload that brings it; one that stays is not told again.
    manifest("read = { \"/data\" = \".\" }, write = { \"/out\" = \"jobs\" }");
    host.hear_text("plugin echo may read the database clockbox.db");
    host.hear_text("plugin echo may change the plugin folder jobs");
    host.stop();
    manifest("write = { \"/data\" = \"data\" }");
    fs::create_dir(place.path("data")).unwrap();
    let answer = place.cli(&["check"]).exits(0);
    assert!(!answer.stdout.contains("may change"), "{answer}");
}
