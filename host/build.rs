//! Gathers what `clockbox new` copies: the templates, and the SDKs that their projects take along.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

/// What of an SDK serves its own development, and no project.
const LEFT_OUT: [&str; 6] = ["node_modules", "__pycache__", "target", "test", "tests", "dist"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let templates = root.join("templates");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", templates.display());
    let mut table = String::from("&[\n");
    for language in sorted(&templates)?.into_iter().filter(|path| path.is_dir()) {
        let name = name_of(&language);
        for file in files(&language, &|_| true)? {
            add(&mut table, &name, &within(&language, &file), &file, true);
        }
    }
    for line in fs::read_to_string(templates.join("sdk.list"))?.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [language, into, from] = words[..] else {
            assert!(
                line.trim().is_empty() || line.starts_with('#'),
                "sdk.list: {line:?} is not a language and two folders"
            );
            continue;
        };
        let sdk = root.join("..").join(from);
        println!("cargo::rerun-if-changed={}", sdk.display());
        let serves = |path: &Path| {
            let name = name_of(path);
            !name.starts_with('.') && !LEFT_OUT.contains(&&*name) && !name.ends_with("_test.go")
        };
        for file in files(&sdk, &serves)? {
            add(&mut table, language, &format!("{into}/{}", within(&sdk, &file)), &file, false);
        }
    }
    table.push(']');
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("templates.rs"), table)
}

/// `fills` says whether names and text have places that are filled in.
fn add(table: &mut String, language: &str, path: &str, file: &Path, fills: bool) {
    // Writing to a String cannot fail.
    _ = writeln!(
        table,
        "    File {{ language: {language:?}, path: {path:?}, bytes: include_bytes!({:?}), fills: {fills} }},",
        file.display().to_string()
    );
}

fn files(folder: &Path, takes: &dyn Fn(&Path) -> bool) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in sorted(folder)?.into_iter().filter(|path| takes(path)) {
        if path.is_dir() {
            found.extend(files(&path, takes)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let place = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
    let mut paths = fs::read_dir(folder)
        .and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()
        })
        .map_err(place)?;
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The path of a file in a folder, with `/` on every system.
fn within(folder: &Path, file: &Path) -> String {
    let rest = file.strip_prefix(folder).unwrap_or(file);
    rest.iter().map(|part| part.to_string_lossy().into_owned()).collect::<Vec<_>>().join("/")
}
