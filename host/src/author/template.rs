//! The projects that `clockbox new` makes.

use std::{collections::BTreeSet, path::Path};

/// One file of a language's template.
struct File {
    language: &'static str,
    /// In the project, before its places are filled in.
    path: &'static str,
    bytes: &'static [u8],
    /// Whether its name and text have places that are filled in.
    fills: bool,
}

const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// A file with such an ending loses it.
const ENDING: &str = ".template";

/// What is filled in.
#[derive(Debug)]
pub(crate) struct Terms<'a> {
    /// The name of the project: see [`check_name`].
    pub(crate) name: &'a str,
    /// The folder of the crate `clockbox-sdk`; the released one where none is named.
    pub(crate) sdk: Option<&'a Path>,
}

/// The languages that there is a template for.
pub(crate) fn languages() -> BTreeSet<&'static str> {
    FILES.iter().map(|file| file.language).collect()
}

/// The language of a template that files in this folder are written in, as far as their endings say.
pub(crate) fn language_in(folder: &Path) -> Option<&'static str> {
    const ENDINGS: [(&str, &str); 8] = [
        ("rs", "rust"),
        ("go", "go"),
        ("zig", "zig"),
        ("ts", "typescript"),
        ("js", "javascript"),
        ("mjs", "javascript"),
        ("py", "python"),
        ("c", "c"),
    ];
    let entries = std::fs::read_dir(folder).ok()?;
    let files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let has = |ending: &str| files.iter().any(|file| file.extension().is_some_and(|found| found == ending));
    ENDINGS.into_iter().find(|(ending, _)| has(ending)).map(|(_, language)| language)
}

/// The files of a project: path and content.
///
/// # Errors
/// When the template has a place that nobody knows how to fill in.
pub(crate) fn files(language: &str, terms: &Terms<'_>) -> Result<Vec<(String, Vec<u8>)>, String> {
    let filled = |file: &File| {
        if !file.fills {
            return Ok((file.path.to_owned(), file.bytes.to_vec()));
        }
        let path = fill(file.path, terms)?;
        let path = path.strip_suffix(ENDING).unwrap_or(&path).to_owned();
        let content = match str::from_utf8(file.bytes) {
            Ok(text) => fill(text, terms).map_err(|why| format!("{}: {why}", file.path))?.into_bytes(),
            Err(_) => file.bytes.to_vec(),
        };
        Ok((path, content))
    };
    FILES.iter().filter(|file| file.language == language).map(filled).collect()
}

/// The text with every `{{word}}` replaced.
fn fill(text: &str, terms: &Terms<'_>) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let is_word =
            |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        match after.split_once("}}").filter(|(word, _)| is_word(word)) {
            Some((word, after)) => {
                filled.push_str(
                    &value(word, terms).ok_or_else(|| format!("{{{{{word}}}}} stands for nothing"))?,
                );
                rest = after;
            }
            None => {
                filled.push_str("{{");
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

fn value(word: &str, terms: &Terms<'_>) -> Option<String> {
    let version = env!("CARGO_PKG_VERSION");
    match word {
        "name" => Some(terms.name.to_owned()),
        "name_snake" => Some(terms.name.replace('-', "_")),
        "version" => Some(version.to_owned()),
        "clockbox_sdk" => Some(match terms.sdk {
            Some(folder) => format!("{{ path = {} }}", toml::Value::from(folder.display().to_string())),
            None => format!("\"{version}\""),
        }),
        _ => None,
    }
}

/// What a project's README tells its author to run, in the order in which it is run: what for, and the command.
///
/// Each stands there as `Test: ` and the command between backticks.
pub(crate) fn steps(readme: &str) -> Vec<(&'static str, &str)> {
    let command = |label: &'static str| {
        let (_, rest) = readme.split_once(&format!("{label}: `"))?;
        Some((label, rest.split_once('`')?.0))
    };
    ["The first time", "Test", "Build", "Run once"].into_iter().filter_map(command).collect()
}

/// Words that some language or system would not take as a name.
const TAKEN: [&str; 43] = [
    "abstract",
    "as",
    "async",
    "await",
    "aux",
    "break",
    "class",
    "clockbox-sdk",
    "con",
    "const",
    "continue",
    "core",
    "crate",
    "def",
    "else",
    "enum",
    "fn",
    "for",
    "from",
    "func",
    "go",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "main",
    "match",
    "mod",
    "move",
    "nul",
    "prn",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "test",
    "type",
    "use",
    "while",
];

/// Whether a project can have this name in every language.
///
/// # Errors
/// With what is wrong with it.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    const LONGEST: usize = 64;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err("it does not start with a lower-case letter".to_owned());
    }
    if let Some(c) = name.chars().find(|c| !fits(*c)) {
        return Err(format!("{c:?} is not allowed in it"));
    }
    if name.ends_with('-') || name.contains("--") {
        return Err("a '-' stands between two other characters".to_owned());
    }
    if name.len() > LONGEST {
        return Err(format!("it has {} characters, and {LONGEST} are allowed", name.len()));
    }
    if TAKEN.contains(&name) {
        return Err("it means something in a language or on a system already".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::Recipe;

    const TERMS: Terms<'_> = Terms { name: "disk-watch", sdk: None };

    #[test]
    fn places_are_filled_in_and_other_braces_stay() {
        let fill = |text: &str| fill(text, &TERMS);
        assert_eq!(fill("{{name}}/{{name_snake}}.rs").unwrap(), "disk-watch/disk_watch.rs");
        assert_eq!(fill("{{ a: 1 }} {{}} {{ {{name}}").unwrap(), "{{ a: 1 }} {{}} {{ disk-watch");
        assert_eq!(fill("x {{nme}}").unwrap_err(), "{{nme}} stands for nothing");
        let terms = Terms { sdk: Some(Path::new("/a \"b\"")), ..TERMS };
        let line = super::fill("sdk = {{clockbox_sdk}}", &terms).unwrap();
        let table: toml::Table = line.parse().unwrap();
        assert_eq!(table["sdk"]["path"].as_str(), Some("/a \"b\""));
    }

    #[test]
    fn a_name_suits_every_language() {
        for name in ["a", "disk-watch", "job7"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in [
            "",
            "7up",
            "Disk",
            "a_b",
            "../a",
            "a b",
            "a-",
            "a--b",
            "test",
            "clockbox-sdk",
            "-a",
            &"x".repeat(65),
            "ä",
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn every_template_is_whole() {
        assert!(languages().contains("rust"));
        for language in languages() {
            let files = files(language, &TERMS).unwrap();
            let text = |name: &str| {
                let file = files.iter().find(|(path, _)| path == name);
                let (_, bytes) = file.unwrap_or_else(|| panic!("{language} has no {name}"));
                String::from_utf8(bytes.clone()).unwrap()
            };
            let recipe =
                Recipe::parse(&text("clockbox-build.toml")).unwrap_or_else(|why| panic!("{language}: {why}"));
            assert_eq!(recipe.lang, language);
            assert_eq!(recipe.plugin.as_deref(), Some(Path::new("disk-watch.wasm")), "{language}");
            assert!(!recipe.tools.is_empty(), "{language} names no tool");
            let readme = text("README.md");
            let (_, lines) = readme.split_once("\n\n").unwrap();
            assert!(lines.lines().count() <= 5, "{language}: the README is long");
            assert!(lines.contains("Build: `clockbox build` (it runs `"), "{language}: {lines}");
            // As a shell takes them.
            let unquoted = lines.replace(['\'', '"'], "");
            for command in &recipe.commands {
                assert!(unquoted.contains(&command.join(" ")), "{language}: {command:?} is not in {lines}");
            }
            let steps: Vec<_> =
                steps(&readme).into_iter().filter(|(label, _)| *label != "The first time").collect();
            assert_eq!(steps.len(), 3, "{language}: {steps:?}");
            assert_eq!(steps[1], ("Build", "clockbox build"), "{language}");
            assert!(steps[2].1.starts_with("clockbox exec disk-watch.wasm "), "{language}: {steps:?}");
            // No package of Go's own library, nor of the SDK, has such a path, whatever the project's name.
            if language == "go" {
                assert!(text("go.mod").starts_with("module example.com/disk-watch\n"));
            }
            text(".gitignore");
            let manifest: toml::Table = text("clockbox.toml").parse().unwrap();
            assert_eq!(
                manifest["plugins"]["disk-watch"]["path"].as_str(),
                Some("disk-watch.wasm"),
                "{language}"
            );
            assert!(manifest["jobs"].get("disk-watch").is_some(), "{language}");
            for (path, _) in &files {
                assert!(
                    !path.ends_with(ENDING) && !path.starts_with('/') && !path.contains(".."),
                    "{language}: {path}"
                );
            }
        }
    }
}
