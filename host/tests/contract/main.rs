//! The guest contract grows and does not change: what a release contained is still there, with the same type.
//!
//! `wit/released.txt` is what the latest release contained, an item a line. After a release that added something,
//! `WIT_RELEASE=1 cargo test -p clockbox --test contract` takes the additions in; it never takes in a break.

mod compare;
mod items;

use std::{collections::BTreeMap, fs, path::Path};

use compare::breaks;
use items::items;
use wit_parser::Resolve;

fn wit() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit"))
}

fn read(text: &str) -> BTreeMap<String, String> {
    let line = |line: &str| {
        let (item, what) = line.split_once(" :: ").unwrap_or_else(|| panic!("{line:?} is no item"));
        (item.to_owned(), what.to_owned())
    };
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(line).collect()
}

#[test]
fn what_was_released_is_still_there() {
    let mut resolve = Resolve::default();
    resolve.push_dir(wit()).unwrap();
    let now = items(&resolve);
    let path = wit().join("released.txt");
    let text = fs::read_to_string(&path).unwrap();
    let released = read(&text);
    let breaks = breaks(&released, &now);
    assert!(
        breaks.is_empty(),
        "plugins that were built for a release would not run any more:\n{}\nput what is new beside what is old, or open a new \
         version of the package (wit/README.md)",
        breaks.join("\n")
    );
    if std::env::var_os("WIT_RELEASE").is_some() {
        let head: String =
            text.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
        let lines: String = now.iter().map(|(item, what)| format!("{item} :: {what}\n")).collect();
        fs::write(&path, head + &lines).unwrap();
        return;
    }
    assert!(released.len() > 30, "{} items are few", released.len());
}

/// The items of a package given as text.
fn items_of(text: &str) -> BTreeMap<String, String> {
    let mut resolve = Resolve::default();
    resolve.push_str("a.wit", text).unwrap();
    items(&resolve)
}

const BEFORE: &str = "package a:b@0.1.0;
    interface types { record point { x: u32, y: u32 } enum colour { red, green } variant shape { dot, circle(u32) } flags bits { a, b } }
    interface run { use types.{point, shape as figure}; go: func(at: point, what: figure, n: option<list<u8>>) -> result<string, u8>; stop: func(); }
    world job { import types; export run; }";

#[test]
fn additions_are_no_break() {
    let after = BEFORE
        .replace("flags bits", "enum size { s, l } flags bits")
        .replace("interface run", "interface more { f: func(s: tuple<u8, char>); } interface run")
        .replace("import types;", "import types; import more;")
        .replace("a:b@0.1.0", "a:b@0.1.1");
    assert_eq!(breaks(&items_of(BEFORE), &items_of(&after)), [""; 0]);
    assert_eq!(breaks(&items_of(BEFORE), &items_of(BEFORE)), [""; 0]);
}

#[test]
fn every_kind_of_break_is_found_and_named() {
    let found = |old: &str, new: &str| {
        assert!(BEFORE.contains(old), "{old}");
        breaks(&items_of(BEFORE), &items_of(&BEFORE.replace(old, new))).join("\n")
    };
    for (old, new, item) in [
        ("stop: func();", "", "a:b/run@0.1 stop"),
        ("at: point, ", "at: point, more: u8, ", "a:b/run@0.1 go"),
        ("at: point, ", "to: point, ", "a:b/run@0.1 go"),
        ("option<list<u8>>", "option<list<u16>>", "a:b/run@0.1 go"),
        ("result<string, u8>", "result<string>", "a:b/run@0.1 go"),
        ("result<string, u8>", "string", "a:b/run@0.1 go"),
        ("y: u32", "y: s32", "a:b/types@0.1 point"),
        ("y: u32", "y: u32, z: u32", "a:b/types@0.1 point"),
        ("x: u32, y: u32", "y: u32, x: u32", "a:b/types@0.1 point"),
        ("red, green", "red, lime", "a:b/types@0.1 colour"),
        ("red, green", "red, green, blue", "a:b/types@0.1 colour"),
        ("circle(u32)", "disc(u32)", "a:b/types@0.1 shape"),
        ("circle(u32)", "circle(u64)", "a:b/types@0.1 shape"),
        ("circle(u32)", "circle", "a:b/types@0.1 shape"),
        ("{ a, b }", "{ b, a }", "a:b/types@0.1 bits"),
        ("import types;", "", "a:b/job@0.1 import a:b/types@0.1"),
        ("export run;", "", "a:b/job@0.1 export a:b/run@0.1"),
        ("stop: func();", "stop: func(); pause: func();", "a:b/run@0.1 pause"),
        ("export run;", "export run; export second: func();", "a:b/job@0.1 export second"),
        ("a:b@0.1.0", "a:b@0.2.0", "a:b/run@0.1 go"),
    ] {
        let found = found(old, new);
        // A world imports what the types of its exports come from anyhow.
        if old == "import types;" {
            assert_eq!(found, "");
            continue;
        }
        assert!(found.contains(item), "{old} -> {new}: {found:?}");
    }
}
