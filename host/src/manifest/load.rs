//! Reads the manifest and what lies beside it from disk.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use clockbox_core::model::format_size;

use super::{
    Loaded, Manifest, Overrides, PathKind, PluginFile, Problem, Problems, Surroundings, Survey,
    document::{self, Document},
    known::Known,
    lines,
    paths::{folder_of, resolve},
    problem::{Place, Severity},
    settings::{self, Setting},
};

/// The file that a folder is searched for.
pub const FILE_NAME: &str = "clockbox.toml";

/// No manifest is larger than this, which is room for some 300,000 jobs; it keeps a wrong file name from filling the
/// memory.
const LARGEST: u64 = 64 << 20;
/// The same for a sidecar, which describes one plugin.
const LARGEST_SIDECAR: u64 = 4 << 20;
/// The largest file that holds a secret, in bytes.
const LARGEST_SECRET: u64 = 64 << 10;

/// Reads the manifest at `path`, a file or a folder that holds `clockbox.toml`, with the sidecars and descriptions of the
/// plugins beside it.
///
/// `embedded` answers the text of a plugin file's `clockbox:job` section, when it has one. Plugin files are looked for,
/// not opened.
///
/// # Errors
/// With every problem of the manifest and the overrides. Problems of single plugins are in [`Loaded::refused`].
pub fn load(
    path: &Path,
    overrides: &Overrides,
    embedded: &dyn Fn(&Path) -> Option<String>,
) -> Result<Loaded, Problems> {
    load_with(path, overrides, embedded, &Known::default())
}

/// The same as [`load`], and answers the same; but a job that `old` declares with the very same text is not read again.
///
/// # Errors
/// As for [`load`].
pub fn load_again(
    old: &Manifest,
    path: &Path,
    overrides: &Overrides,
    embedded: &dyn Fn(&Path) -> Option<String>,
) -> Result<Loaded, Problems> {
    load_with(path, overrides, embedded, &old.known)
}

/// Reads what can be read of the manifest at `path`, which is found as by [`load`], and says what is wrong with it.
///
/// # Errors
/// When there is no such manifest, or it is not TOML.
pub fn survey(
    path: &Path,
    overrides: &Overrides,
    embedded: &dyn Fn(&Path) -> Option<String>,
) -> Result<Survey, Problems> {
    let file = file_at(path);
    let text: Arc<str> = read_text(&file, LARGEST).map_err(|error| missing(path, &file, error))?.into();
    let document = Document::new(&text, &file, overrides);
    let (files, notes) = plugin_files(&document, &file, embedded);
    let mut survey = document.survey(&around(files))?;
    survey.problems.0.extend(notes);
    Ok(survey)
}

/// What `overrides` alone say of one plugin: the manifest `file` is taken for an empty one, whether or not it is there, and
/// no plugin folder is looked into. The plugin, which they name by this path, is described by its sidecar and by itself, as
/// if it had been dropped under this name.
///
/// # Errors
/// As for [`load`]; the problems of single plugins included.
pub(crate) fn load_overrides(
    file: &Path,
    overrides: &Overrides,
    (name, path): (&str, &Path),
    embedded: &dyn Fn(&Path) -> Option<String>,
) -> Result<Manifest, Problems> {
    let document = Document::new(&Arc::from(""), file, overrides);
    let path = resolve(&folder_of(file), path);
    let mut plugin = PluginFile { stem: name.to_owned(), ..PluginFile::dropped(path) };
    describe(&mut plugin, file, embedded);
    document.read(&around(vec![plugin]))?.whole()
}

/// Every value that is in force with the manifest at `path`, which is found as by [`load`], each with where it comes from.
///
/// # Errors
/// As for [`load`]; the problems of single plugins included.
pub fn settings(
    path: &Path,
    overrides: &Overrides,
    embedded: &dyn Fn(&Path) -> Option<String>,
) -> Result<Vec<Setting>, Problems> {
    let manifest = load(path, overrides, embedded)?.whole()?;
    let file = file_at(path);
    let text: Arc<str> = read_text(&file, LARGEST).map_err(|error| missing(path, &file, error))?.into();
    let document = Document::new(&text, &file, overrides);
    let (files, _) = plugin_files(&document, &file, embedded);
    Ok(settings::of(&manifest, &document.written(&around(files))))
}

/// The manifest that a path means: the file, or the one in the folder.
fn file_at(path: &Path) -> PathBuf {
    if path.is_dir() { resolve(path, FILE_NAME) } else { path.to_owned() }
}

/// These plugin files, on the disk and in the environment of this process.
fn around(files: Vec<PluginFile>) -> Surroundings<'static> {
    Surroundings {
        files,
        env: &|name| std::env::var(name).ok(),
        path_kind: &path_kind,
        secret_file: &secret_file,
    }
}

fn load_with(
    path: &Path,
    overrides: &Overrides,
    embedded: &dyn Fn(&Path) -> Option<String>,
    known: &Known,
) -> Result<Loaded, Problems> {
    let file = file_at(path);
    let text: Arc<str> = read_text(&file, LARGEST).map_err(|error| missing(path, &file, error))?.into();
    document::read(&text, &file, overrides, known, |document| finish(document, &file, embedded))
}

/// Reads a document with the plugin files beside it.
fn finish(
    document: Document<'_>,
    file: &Path,
    embedded: &dyn Fn(&Path) -> Option<String>,
) -> Result<Loaded, Problems> {
    let (files, notes) = plugin_files(&document, file, embedded);
    let unusable = notes.iter().any(|note| note.severity == Severity::Error);
    match document.read(&around(files)) {
        Ok(mut loaded) if !unusable => {
            loaded.manifest.warnings.extend(notes);
            Ok(loaded)
        }
        Ok(loaded) => Err(Problems(notes.into_iter().chain(loaded.manifest.warnings).collect())),
        Err(mut problems) => {
            problems.0.extend(notes);
            Err(problems)
        }
    }
}

/// Why a text file was not read.
#[derive(Debug)]
enum TextError {
    Io(io::Error),
    NotAFile,
    /// Larger than so many bytes.
    TooLarge(u64),
    /// The bytes from here on are not UTF-8; the text before them.
    NotUtf8(String),
}

fn read_text(path: &Path, largest: u64) -> Result<String, TextError> {
    let meta = fs::metadata(path).map_err(TextError::Io)?;
    if !meta.is_file() {
        return Err(TextError::NotAFile);
    }
    if meta.len() > largest {
        return Err(TextError::TooLarge(largest));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(TextError::Io)?;
    // It may have grown meanwhile.
    file.take(largest + 1).read_to_end(&mut bytes).map_err(TextError::Io)?;
    if bytes.len() as u64 > largest {
        return Err(TextError::TooLarge(largest));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        TextError::NotUtf8(String::from_utf8_lossy(&error.as_bytes()[..good]).into_owned())
    })
}

impl TextError {
    fn into_problem(self, file: &Path) -> Problem {
        match self {
            Self::Io(error) => {
                let hint = "see that the file exists and that this user may read it";
                Problem::in_file(file, format!("cannot be read: {error}"), Some(hint.to_owned()))
            }
            Self::NotAFile => Problem::in_file(file, "is not a regular file", None),
            Self::TooLarge(largest) => {
                let message = format!("is larger than {} MiB", largest >> 20);
                Problem::in_file(file, message, Some("is it the right file?".to_owned()))
            }
            Self::NotUtf8(good) => {
                let (line, column) = lines::position(&good, good.len());
                let place = Place::File { file: file.to_owned(), line: Some(line), column: Some(column) };
                let hint = Some("save the file with the encoding UTF-8".to_owned());
                Problem { place, ..Problem::in_file(file, "is not UTF-8 text from here on", hint) }
            }
        }
    }
}

fn missing(asked: &Path, file: &Path, error: TextError) -> Problems {
    let absent = matches!(&error, TextError::Io(error) if error.kind() == io::ErrorKind::NotFound);
    if !absent {
        return error.into_problem(file).into();
    }
    let message = if asked == file {
        "there is no such manifest".to_owned()
    } else {
        format!("there is no {FILE_NAME} in {}", asked.display())
    };
    let hint = "name a manifest or its folder, or write one:\n\
                [jobs.hello]\n\
                plugin = \"hello\"                  # jobs/hello.wasm beside the manifest\n\
                trigger = { interval = \"10s\" }";
    Problem::in_file(file, message, Some(hint.to_owned())).into()
}

fn path_kind(path: &Path) -> PathKind {
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => PathKind::Folder,
        Ok(_) => PathKind::File,
        Err(error) if error.kind() == io::ErrorKind::NotFound => PathKind::Absent,
        Err(_) => PathKind::Unknown,
    }
}

/// The text of a file that holds a secret. Nobody but its owner may read it.
fn secret_file(path: &Path) -> Result<String, (String, Option<String>)> {
    let shown = path.display();
    let plain = |message: String| (message, None);
    #[cfg(unix)]
    if let Ok(meta) = fs::metadata(path) {
        let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions());
        if mode & 0o077 != 0 {
            let message = format!("others may read or change {shown} (mode {:o})", mode & 0o777);
            return Err((message, Some(format!("chmod 600 {shown}"))));
        }
    }
    read_text(path, LARGEST_SECRET).map_err(|error| match error {
        TextError::Io(error) => plain(format!("{shown} cannot be read: {error}")),
        TextError::NotAFile => plain(format!("{shown} is not a file")),
        TextError::TooLarge(largest) => plain(format!("{shown} is larger than {}", format_size(largest))),
        // The text before the bad byte is not repeated.
        TextError::NotUtf8(_) => plain(format!("{shown} is not UTF-8 text")),
    })
}

/// The plugin files in the plugin folder and those that the manifest names, with their texts; and notes on files that
/// are passed over or cannot be read.
fn plugin_files(
    document: &Document<'_>,
    manifest: &Path,
    embedded: &dyn Fn(&Path) -> Option<String>,
) -> (Vec<PluginFile>, Vec<Problem>) {
    let dir = document.plugin_dir();
    let mut notes = Vec::new();
    let names = match list(&dir) {
        Ok(names) => names,
        // A folder that is not there is remarked upon where the manifest names it.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Vec::new()
        }
        Err(error) => {
            let hint = "see that this user may read the folder";
            let message = format!("the plugin folder cannot be read: {error}");
            notes.push(Problem::in_file(&dir, message, Some(hint.to_owned())));
            Vec::new()
        }
    };
    let mut files: BTreeMap<String, PluginFile> = BTreeMap::new();
    // In the order of names, so that .wasm comes before .wat.
    for path in names.iter().map(|name| resolve(&dir, name)).filter(|path| is_plugin(path)) {
        let file = PluginFile::dropped(path);
        if let Some(other) = files.get(&file.stem) {
            let message = format!("is passed over, because {} has the same name", other.path.display());
            notes.push(warning(&file.path, message, "remove or rename one of the two"));
            continue;
        }
        files.insert(file.stem.clone(), file);
    }
    if dir != folder_of(manifest) {
        for path in names.iter().map(|name| resolve(&dir, name)).filter(|path| is_visible(path, &["toml"])) {
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            if !files.contains_key(&stem) {
                let hint = format!("a sidecar needs {stem}.wasm beside it");
                notes.push(warning(&path, "is passed over, because it belongs to no plugin", &hint));
            }
        }
    }
    let mut files: Vec<PluginFile> = files.into_values().collect();
    for path in document.plugin_paths() {
        if !files.iter().any(|file| file.path == path) {
            files.push(PluginFile { dropped: false, ..PluginFile::dropped(path) });
        }
    }
    for file in &mut files {
        describe(file, manifest, embedded);
    }
    (files, notes)
}

fn warning(path: &Path, message: impl Into<String>, hint: &str) -> Problem {
    Problem { severity: Severity::Warning, ..Problem::in_file(path, message, Some(hint.to_owned())) }
}

fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        names.push(PathBuf::from(entry?.file_name()));
    }
    names.sort();
    Ok(names)
}

/// Whether a file name is none that an editor or a download in progress leaves about.
fn is_visible(path: &Path, endings: &[&str]) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with(['.', '#', '~']));
    let fits = path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known));
    fits && !hidden
}

fn is_plugin(path: &Path) -> bool {
    is_visible(path, &["wasm", "wat"]) && !path.is_dir()
}

/// Reads the texts that belong to a plugin file.
fn describe(file: &mut PluginFile, manifest: &Path, embedded: &dyn Fn(&Path) -> Option<String>) {
    let sidecar = file.path.with_extension("toml");
    if sidecar != resolve(Path::new(""), manifest) {
        match read_text(&sidecar, LARGEST_SIDECAR) {
            Ok(text) => file.sidecar = Some((sidecar, text)),
            Err(TextError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let problem = error.into_problem(&sidecar);
                file.fault = Some(format!("its sidecar {}: {}", problem.place, problem.message));
            }
        }
    }
    file.embedded = embedded(&file.path);
}
