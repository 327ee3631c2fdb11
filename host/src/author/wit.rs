//! The WIT packages of the guest contract, as they lie in `wit`.

use std::{fs, io, path::Path};

use super::put;

/// Each file: its path in the folder, and its text. The package itself comes first.
pub(crate) const FILES: [(&str, &str); 4] = [
    ("job.wit", include_str!("../../../wit/job.wit")),
    ("deps/http/http.wit", include_str!("../../../wit/deps/http/http.wit")),
    ("deps/jobs/jobs.wit", include_str!("../../../wit/deps/jobs/jobs.wit")),
    ("deps/state/state.wit", include_str!("../../../wit/deps/state/state.wit")),
];

/// Says to wkg, which looks dependencies up in registries, that they lie in the folder.
const WKG: (&str, &str) = ("wkg.toml", include_str!("../../../wit/wkg.toml"));

/// Writes them into the folder of a project, as tools read them. Files that are there already and say the same are left alone,
/// and so is whatever else lies there.
///
/// # Errors
/// When a file cannot be written, with its path.
pub(crate) fn write(folder: &Path) -> io::Result<()> {
    write_all(folder, &FILES)
}

/// The same as a package of its own, for every tool.
///
/// # Errors
/// When a file cannot be written, with its path.
pub(crate) fn export(folder: &Path) -> io::Result<()> {
    write_all(folder, &FILES)?;
    write_all(folder, &[WKG])
}

fn write_all(folder: &Path, files: &[(&str, &str)]) -> io::Result<()> {
    for (name, text) in files {
        let path = folder.join(name);
        if fs::read_to_string(&path).is_ok_and(|there| there == *text) {
            continue;
        }
        let place = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(place)?;
        put(&path, text.as_bytes()).map_err(place)?;
    }
    Ok(())
}

/// The packages in one text, each nested one in braces: what tools take that read a single file.
pub(crate) fn in_one() -> String {
    let mut text = String::new();
    for (name, package) in FILES {
        if name == "job.wit" {
            text.push_str(package);
            continue;
        }
        text.push('\n');
        text.push_str(&nested(package));
    }
    text
}

/// `package a:b@0.1.0;` and what follows it as `package a:b@0.1.0 { … }`.
fn nested(package: &str) -> String {
    let mut text = String::new();
    for line in package.lines() {
        match line.strip_suffix(';').filter(|head| head.starts_with("package ")) {
            Some(head) => text.push_str(&format!("{head} {{\n")),
            None => text.push_str(&format!("{line}\n")),
        }
    }
    text.push_str("}\n");
    text
}

#[cfg(test)]
mod tests {
    use wit_parser::Resolve;

    use super::*;

    /// The names of what a world imports and exports.
    fn world(resolve: &Resolve, package: wit_parser::PackageId) -> Vec<String> {
        let world = resolve.select_world(&[package], Some("job")).unwrap();
        let world = &resolve.worlds[world];
        let items = world.imports.keys().chain(world.exports.keys());
        items.map(|key| resolve.name_world_key(key)).collect()
    }

    #[test]
    fn every_file_of_the_folder_is_embedded() {
        let wit = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit"));
        let mut found = Vec::new();
        let mut folders = vec![wit.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "wit") {
                    found.push(path.strip_prefix(wit).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        found.sort();
        let mut embedded = FILES.map(|(name, _)| name);
        embedded.sort_unstable();
        assert_eq!(found, embedded);
    }

    #[test]
    fn a_tool_understands_the_folder_and_the_single_text() {
        let folder = tempfile::tempdir().unwrap();
        let mine = folder.path().join("mine.txt");
        fs::write(&mine, "mine").unwrap();
        write(folder.path()).unwrap();
        fs::write(folder.path().join("job.wit"), "damaged").unwrap();
        write(folder.path()).unwrap();
        assert!(mine.exists());
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(folder.path()).unwrap();
        let of_folder = world(&resolve, package);
        assert!(of_folder.contains(&"clockbox:jobs/control@0.1.0".to_owned()), "{of_folder:?}");
        let mut resolve = Resolve::default();
        let package = resolve.push_str("clockbox.wit", &in_one()).unwrap();
        assert_eq!(world(&resolve, package), of_folder);
    }
}
