//! From nothing to a plugin: projects are made and built, plugin files described, and the contract handed out.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use clockbox_tests::{TestHost, guest, prebuilt, repository};
use serde_json::{Value, json};

/// The folders and files below a folder, with what is in them.
fn tree(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_new_project_has_all_that_it_needs_and_overwrites_nothing() {
    let place = crate::place();
    let sdk = repository().join("sdk");
    let sdk = sdk.to_str().unwrap();
    let answer = place.cli(&["new", "disk-watch", "--lang", "rust", "--sdk", sdk]).exits(0);
    answer.says(&["disk-watch is a rust project", "clockbox build", "clockbox exec disk-watch.wasm"]);
    let files = tree(&place.path("disk-watch"));
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let all = [
        ".gitignore",
        "Cargo.toml",
        "README.md",
        "clockbox-build.toml",
        "clockbox.toml",
        "job.toml",
        "src/lib.rs",
    ];
    assert_eq!(names, all);
    let manifest = fs::read_to_string(place.path("disk-watch/Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    assert_eq!(manifest["package"]["name"].as_str(), Some("disk-watch"));
    let path = manifest["dependencies"]["clockbox-sdk"]["path"].as_str().unwrap();
    assert!(Path::new(path).join("Cargo.toml").is_file(), "{path}");
    assert!(files.iter().all(|(_, text)| !String::from_utf8_lossy(text).contains("{{")));
    // What is to be done next is what its README says.
    let readme = fs::read_to_string(place.path("disk-watch/README.md")).unwrap();
    let next: Vec<&str> = answer.stderr.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!(next[..3], ["cd disk-watch", "cargo test", "clockbox build"], "{answer}");
    assert!(next[3].starts_with("clockbox exec disk-watch.wasm --allow state"), "{answer}");
    assert!(next[1..].iter().all(|command| readme.contains(&format!("`{command}`"))), "{answer}");
    // Its manifest is one as soon as there is a plugin.
    fs::copy(prebuilt("counter"), place.path("disk-watch/disk-watch.wasm")).unwrap();
    place.cli(&["check", "disk-watch"]).exits(0).says(&["disk-watch"]);
    fs::remove_file(place.path("disk-watch/disk-watch.wasm")).unwrap();

    place
        .cli(&["new", "disk-watch", "--lang", "rust"])
        .exits(2)
        .says(&["there is something at disk-watch already", "hint: "]);
    assert_eq!(tree(&place.path("disk-watch")), files, "it is as it was");
    place.cli(&["new", "b", "--lang", "cobol"]).exits(2).says(&["no template for \"cobol\"", "rust"]);
    place
        .cli(&["new", "../b", "--lang", "rust"])
        .exits(2)
        .says(&["cannot be the name of a project", "hint: "]);
    place
        .cli(&["new", "b", "--lang", "rust", "--sdk", "jobs"])
        .exits(2)
        .says(&["no crate clockbox-sdk in jobs"]);
    place.cli(&["new", "b", "--lang", "rust", "--in", "nowhere"]).exits(2).says(&["nowhere/b: "]);
    assert!(!place.path("b").exists());
    let answer = place.cli(&["new", "j", "--lang", "typescript"]).exits(0);
    answer.says(&["  cd j\n  npm install\n  npm test\n  clockbox build\n  clockbox exec j.wasm "]);
    // Whatever its name, it is no package of Go's own library or of the SDK.
    for name in ["fmt", "clockbox"] {
        let _ = place.cli(&["new", name, "--lang", "go"]).exits(0);
        let module = fs::read_to_string(place.path(&format!("{name}/go.mod"))).unwrap();
        assert!(module.starts_with(&format!("module example.com/{name}\n")), "{module}");
    }
    // Without a clone, it is the released crate.
    let _ = place.cli(&["new", "b", "--lang", "rust", "--json"]).exits(0);
    let manifest = fs::read_to_string(place.path("b/Cargo.toml")).unwrap();
    assert!(manifest.contains(&format!("clockbox-sdk = \"{}\"", env!("CARGO_PKG_VERSION"))), "{manifest}");
}

/// A project whose compiler is `cp`, and its recipe.
fn project(recipe: &str, files: &[(&str, &[u8])]) -> TestHost {
    let place = crate::place();
    fs::create_dir(place.path("p")).unwrap();
    place.put("p/clockbox-build.toml", recipe.as_bytes());
    files.iter().for_each(|(name, bytes)| place.put(&format!("p/{name}"), bytes));
    place
}

const COPY: &str = "lang = 'copied'\ncommands = [['cp', 'made', 'build.wasm']]\noutput = 'build.wasm'\n";

#[test]
fn what_the_tools_make_becomes_a_described_plugin() {
    let hello = fs::read(prebuilt("hello")).unwrap();
    let recipe = format!(
        "{COPY}plugin = 'out/mine.wasm'\ndescribe = 'job.toml'\nwit = 'wit'\n[env]\nGREETING = 'hi'\n[tools]\ncp = 'coreutils'\n"
    );
    let description = "name = \"mine\" # a comment\nargs = { name = \"Ada\" }\nallow = { state = true }\n";
    let recipe = recipe.replace("build.wasm", "deep/er/build.wasm");
    let place = project(&recipe, &[("made", &hello), ("job.toml", description.as_bytes())]);
    let answer = place.cli(&["build", "p"]).exits(0);
    answer.says(&[
        "$ cp made deep/er/build.wasm",
        "p/out/mine.wasm is a job component of ",
        "it needs: state",
    ]);
    assert_eq!(answer.stdout, "", "it is all talk");
    let described = place.cli(&["plugins", "inspect", "p/out/mine.wasm", "--json"]).exits(0).json();
    assert_eq!(described["described"]["name"], "mine");
    assert_eq!(place.cli(&["exec", "p/out/mine.wasm"]).exits(0).stdout, "\"hello Ada\"\n");
    assert!(place.path("p/wit/deps/state/state.wit").is_file());
    let built = place.cli(&["build", "p", "--json"]).exits(0).json();
    assert_eq!((&built["plugin"], &built["needs"]), (&json!("p/out/mine.wasm"), &json!(["state"])));
    // A mistake in the description leaves the plugin as it was.
    let before = fs::read(place.path("p/out/mine.wasm")).unwrap();
    place.put("p/job.toml", b"trigger = { interval = \"soon\" }\nargz = 1\n");
    place.cli(&["build", "p"]).exits(2).says(&[
        "trigger.interval",
        "argz",
        "did you mean \"args\"?",
        "job.toml has mistakes",
    ]);
    assert_eq!(fs::read(place.path("p/out/mine.wasm")).unwrap(), before);
}

#[test]
fn what_goes_wrong_in_a_build_is_named() {
    let refused = |recipe: &str, made: &[u8], code: i32, texts: &[&str]| {
        let place = project(recipe, &[("made", made)]);
        place.cli(&["build", "p"]).exits(code).says(texts);
        assert!(!place.path("p/p.wasm").exists());
    };
    let tools = format!(
        "{COPY}[tools]\ncp = 'coreutils'\nno-such-a = 'pip install a'\nb = {{ any = ['no-such-b', 'no-such-c'], get = 'apt install b' }}\n"
    );
    refused(
        &tools,
        b"",
        2,
        &["not found: no-such-b or no-such-c, no-such-a", "hint: no-such-a: pip install a", "apt install b"],
    );
    refused(
        &COPY.replace("'cp',", "'cp', '--nonsense',"),
        b"",
        1,
        &["cp --nonsense made build.wasm: exit status: 1"],
    );
    refused(
        &format!("hint = 'try harder'\n{}", COPY.replace("'cp'", "'no-such'")),
        b"",
        2,
        &["no program \"no-such\"", "hint: try harder"],
    );
    refused(
        &COPY.replace("output = 'build", "output = 'other"),
        b"",
        2,
        &["other.wasm: ", "is `output` what they make?"],
    );
    refused(
        COPY,
        b"hello world",
        2,
        &[
            "build.wasm: it is no WebAssembly binary: it starts with \"hello wo\"\n",
            "is `output` what they make?",
        ],
    );
    // Before any command runs.
    let place = project(&format!("{COPY}describe = 'job.toml'\n"), &[("made", COMMAND)]);
    let answer = place.cli(&["build", "p"]).exits(2);
    answer.says(&["error: job.toml: No such file", "hint: clockbox-build.toml says describe = \"job.toml\""]);
    assert!(!answer.stderr.contains("$ cp"), "{answer}");
    place.put("p/job.toml", b"argz = 1\n");
    let answer = place.cli(&["build", "p"]).exits(2);
    answer.says(&["did you mean \"args\"?", "job.toml has mistakes"]);
    assert!(!answer.stderr.contains("$ cp"), "{answer}");
    refused(COPY, b"\0asm\x01\0\0\0", 2, &["name the world"]);
    refused(
        &format!("{COPY}wit = 'wit'\nworld = 'job'\n"),
        b"\0asm\x01\0\0\0",
        2,
        &["build.wasm: ", "clockbox:job/runner"],
    );
    refused(
        "lang = 'c'\ncomands = []\noutput = 'a'\n",
        b"",
        2,
        &["clockbox-build.toml", "unknown field `comands`"],
    );
    let place = crate::place();
    place
        .cli(&["build"])
        .exits(2)
        .says(&["is no project that can be built", "`clockbox new NAME` makes one"]);
    fs::create_dir(place.path("c")).unwrap();
    place.put("c/main.c", b"");
    place
        .cli(&["build", "c"])
        .exits(2)
        .says(&["`clockbox new NAME --lang c` makes one", "clockbox-build.toml"]);
    place.cli(&["build", "nowhere"]).exits(2).says(&["nowhere: "]);
}

#[test]
fn what_no_host_would_run_is_not_built() {
    let refused = |text: &str, texts: &[&str]| {
        let place = project(COPY, &[("made", &wat::parse_str(text).unwrap())]);
        place.cli(&["build", "p"]).exits(2).says(texts);
        assert!(!place.path("p/p.wasm").exists());
        place.put("made.wat", text.as_bytes());
        place.cli(&["exec", "made.wat"]).exits(2).says(&texts[..1]);
    };
    refused(
        r#"(module (import "clockbox:job/log@0.1.0" "write" (func)) (func (export "_start")))"#,
        &[
            "the module imports clockbox:job/log@0.1.0.write, as a job does, and only a component can be a job",
            "-buildmode=c-shared",
            "clockbox new",
        ],
    );
    refused(
        r#"(module (import "env" "now" (func)) (func (export "_start")))"#,
        &["the plugin imports env.now, which is not provided", "hint: "],
    );
    refused(
        r#"(component (import "clockbox:job/nonsense@0.1.0" (instance))
             (component $run) (instance $i (instantiate $run)) (export "clockbox:job/runner@0.1.0" (instance $i)))"#,
        &["imports clockbox:job/nonsense@0.1.0", "newer clockbox"],
    );
    // What lacks only rights is built.
    let place = project(COPY, &[("made", &fs::read(prebuilt("counter")).unwrap())]);
    place.cli(&["build", "p"]).exits(0).says(&["it needs: state"]);
}

#[test]
fn rust_without_the_target_is_told_before_anything_is_compiled() {
    let recipe = "lang = 'rust'\ncommands = [['cargo', 'build', '--target', 'wasm32-wasip2']]\noutput = 'made'\npath = ['tools']\n\
                  [tools]\ncargo = 'rustup'\n";
    let place = project(recipe, &[("made", COMMAND)]);
    fs::create_dir(place.path("p/tools")).unwrap();
    let cargo = |script: &str| {
        let tool = place.path("p/tools/cargo");
        fs::write(&tool, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let without = "echo 'error[E0463]: cannot find crate for std' >&2\n\
                   echo '  = note: the wasm32-wasip2 target may not be installed' >&2\nexit 101";
    cargo(without);
    let answer = place.cli(&["build", "p"]).exits(2);
    answer.says(&[
        "error: not found: the target wasm32-wasip2 of ",
        "hint: get it: rustup target add wasm32-wasip2",
    ]);
    assert!(!answer.stderr.contains("$ cargo"), "{answer}");
    // A cargo with a toolchain of its own is asked in the same way.
    cargo("exit 0");
    place.cli(&["build", "p"]).exits(0).says(&["$ cargo build", "p/p.wasm is a preview-1 command module"]);
}

#[test]
fn a_tool_of_the_project_goes_before_the_machines_own() {
    let hello = fs::read(prebuilt("hello")).unwrap();
    let recipe = COPY.replace("'cp', ", "'maker', ")
        + "path = ['tools']\n[tools]\nmaker = { any = ['none', 'cp'], get = '' }\n";
    let place = project(&recipe, &[("made", &hello)]);
    fs::create_dir(place.path("p/tools")).unwrap();
    let tool = place.path("p/tools/cp");
    fs::write(&tool, "#!/bin/sh\necho own tool\nexec /bin/cp \"$@\"\n").unwrap();
    // What cannot be run is none.
    let _ = place.cli(&["build", "p"]).exits(0);
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    place.cli(&["build", "p"]).exits(0).says(&["own tool", "p/p.wasm is a job component"]);
}

#[test]
fn any_plugin_can_be_described_and_again_is_the_same() {
    let place = crate::place();
    place.put("x.wasm", &fs::read(prebuilt("hello")).unwrap());
    let describe = |args: &[&str]| place.cli(&[&["plugins", "describe", "x.wasm"][..], args].concat());
    let inspect =
        || place.cli(&["plugins", "inspect", "x.wasm", "--json"]).exits(0).json()["described"].clone();
    let before = inspect();
    describe(&[
        "--name",
        "nightly",
        "--cron",
        "30 5 * * *",
        "--timezone",
        "Asia/Tokyo",
        "--args",
        r#"{"name": "Ada"}"#,
    ])
    .exits(0)
    .says(&["x.wasm is described"]);
    let after = inspect();
    assert_eq!(
        (&after["name"], &after["text"]),
        (&json!("nightly"), &before["text"]),
        "what was not said stays"
    );
    assert!(after["trigger"].as_str().unwrap().contains("5:30"), "{after}");
    assert_ne!(after["trigger"], before["trigger"]);
    let bytes = fs::read(place.path("x.wasm")).unwrap();
    describe(&["--name", "nightly"]).exits(0).says(&["says that already"]);
    assert_eq!(fs::read(place.path("x.wasm")).unwrap(), bytes);
    assert_eq!(place.cli(&["exec", "x.wasm"]).exits(0).stdout, "\"hello Ada\"\n");
    // The whole of it from a file, into another file; its comments stay.
    place.put("job.toml", b"# mine\nname = \"other\"\n");
    let _ = describe(&["--from", "job.toml", "-o", "y.wasm"]).exits(0);
    assert_eq!(fs::read(place.path("x.wasm")).unwrap(), bytes);
    assert!(fs::read(place.path("y.wasm")).unwrap().windows(6).any(|window| window == b"# mine"));
    let _ = describe(&["--clear"]).exits(0);
    assert_eq!(inspect(), Value::Null);
    // A link leads to what is described.
    symlink("y.wasm", place.path("link.wasm")).unwrap();
    let _ = place.cli(&["plugins", "describe", "link.wasm", "--name", "linked"]).exits(0);
    assert!(place.path("link.wasm").is_symlink());
    let told = place.cli(&["plugins", "inspect", "y.wasm", "--json"]).exits(0).json();
    assert_eq!(told["described"]["name"], "linked");
}

/// The binary of a command that does nothing.
const COMMAND: &[u8] =
    b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x0a\x01\x06_start\0\0\x0a\x04\x01\x02\0\x0b";

#[test]
fn a_command_can_say_where_its_output_comes_from() {
    let place = crate::place();
    place.put("x.wasm", COMMAND);
    let _ = place.cli(&["plugins", "describe", "x.wasm", "--output", "last-line"]).exits(0);
    let told = place.cli(&["plugins", "inspect", "x.wasm", "--json"]).exits(0).json();
    assert_eq!((&told["output"], &told["described"]["output"]), (&json!("last-line"), &json!("last-line")));
    place.cli(&["plugins", "inspect", "x.wasm"]).exits(0).says(&["output       the last line on stdout"]);
    let _ = place.cli(&["exec", "x.wasm"]).exits(0);
    // In a project, the description is looked at beside what was made.
    let description = b"output = \"last-line\"\n";
    let recipe = format!("{COPY}describe = 'job.toml'\n");
    let place = project(&recipe, &[("made", COMMAND), ("job.toml", description)]);
    let _ = place.cli(&["build", "p"]).exits(0);
    let hello = fs::read(prebuilt("hello")).unwrap();
    let place = project(&recipe, &[("made", &hello), ("job.toml", description)]);
    place
        .cli(&["build", "p"])
        .exits(2)
        .says(&["output: the plugin is a job component", "job.toml has mistakes"]);
}

#[test]
fn nonsense_is_written_into_no_plugin() {
    let place = crate::place();
    let hello = fs::read(prebuilt("hello")).unwrap();
    place.put("x.wasm", &hello);
    let refused = |args: &[&str], texts: &[&str]| {
        place.cli(&[&["plugins", "describe", "x.wasm"][..], args].concat()).exits(2).says(texts);
        assert_eq!(fs::read(place.path("x.wasm")).unwrap(), hello, "{args:?}");
    };
    refused(&["--cron", "61 * * * *"], &["section clockbox:job", "mistakes, nothing was written"]);
    refused(&["--name", "no name"], &["is not allowed in a job name"]);
    refused(&["--args", r#"{ "a": null }"#], &["which has no null"]);
    refused(&["--description", "\u{1b}[2J"], &["has a control character"]);
    refused(&["--timezone", "Asia/Tokyo"], &["names no trigger"]);
    refused(&["--from", "none.toml"], &["none.toml: "]);
    refused(&["--output", "stdout"], &["is not one of \"last-line\", \"returned\""]);
    refused(&["--output", "last-line"], &["output: the plugin is a job component", "nothing was written"]);
    place.put("odd.toml", b"nam = \"x\"\n");
    refused(&["--from", "odd.toml"], &["unknown key", "did you mean \"name\"?"]);
    place.put("long.toml", format!("description = \"{}\"\n", "x".repeat(300 << 10)).as_bytes());
    refused(&["--from", "long.toml"], &["256"]);
    let echo = guest("echo");
    place
        .cli(&["plugins", "describe", echo.to_str().unwrap(), "--name", "x"])
        .exits(2)
        .says(&["WebAssembly text", "sidecar"]);
    place.put("cut.wasm", &hello[..100]);
    place.cli(&["plugins", "describe", "cut.wasm", "--name", "x"]).exits(2).says(&["cut.wasm: "]);
    place.cli(&["plugins", "describe", "none.wasm", "--name", "x"]).exits(2).says(&["none.wasm: "]);
}

#[test]
fn the_contract_is_handed_out_as_a_folder_and_as_one_text() {
    let place = crate::place();
    let text = place.cli(&["wit"]).exits(0).stdout;
    assert!(
        text.contains("package clockbox:job@0.1.0;") && text.contains("package clockbox:state@0.1.0 {"),
        "{text}"
    );
    let _ = place.cli(&["wit", "--out", "wit"]).exits(0);
    let ours: Vec<_> =
        tree(&repository().join("wit")).into_iter().filter(|(name, _)| name.ends_with(".wit")).collect();
    let mut written = tree(&place.path("wit"));
    let overrides = fs::read(repository().join("wit/wkg.toml")).unwrap();
    let wkg = written.iter().position(|(name, bytes)| name == "wkg.toml" && *bytes == overrides);
    written.remove(wkg.expect("it says to wkg where the packages lie"));
    assert_eq!(written, ours);
    assert_eq!(place.cli(&["wit", "--json"]).exits(0).json().as_array().unwrap().len(), ours.len());
    place.put("file", b"");
    place.cli(&["wit", "--out", "file"]).exits(2).says(&["file"]);
}
