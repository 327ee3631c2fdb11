//! From one plugin file to a loaded plugin, for hosts and for programs.

use std::{collections::BTreeMap, io::Read as _, path::Path, sync::mpsc, time::Duration};

use clockbox_core::model::{PluginName, PluginSpec, format_size};
use clockbox_sandbox::{Plugin, PluginError, Sandbox};

use crate::clock::Stopwatch;

/// A plugin that is still being compiled after so long is worth a line, and another each time that it has taken twice as long.
const PATIENCE: Duration = Duration::from_secs(1);

/// A plugin's file. Not a pipe or device, which could be waited for in vain, and not more than the sandbox takes.
pub(crate) fn read(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    // One byte more than is allowed, so that the sandbox sees that it is too many.
    std::fs::File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Loads a plugin that lies among `others`, or says why not and what to do. Blocks while it compiles.
pub(crate) fn load(
    sandbox: &Sandbox,
    spec: &PluginSpec,
    others: &BTreeMap<PluginName, PluginSpec>,
) -> Result<Plugin, (String, Option<String>)> {
    telling(&spec.name, || writable_around(spec, others).map_or_else(|| load_alone(sandbox, spec), Err))
}

fn load_alone(sandbox: &Sandbox, spec: &PluginSpec) -> Result<Plugin, (String, Option<String>)> {
    let bytes =
        read(&spec.path, sandbox.max_size()).map_err(|error| (format!("cannot be read: {error}"), None))?;
    if bytes.len() > 1 << 20 {
        tracing::debug!("loading plugin {:?} ({})", spec.name.as_str(), format_size(bytes.len() as u64));
    }
    sandbox.load(&bytes, spec).map_err(|error| (error.to_string(), hint(&error, &spec.name)))
}

/// What to do; of a right that is lacking, also where.
fn hint(error: &PluginError, name: &PluginName) -> Option<String> {
    let hint = error.hint()?;
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    Some(match (error, name.as_str().chars().all(is_bare)) {
        (PluginError::NotGranted { .. }, true) => format!("{hint}, under [plugins.{name}]"),
        (PluginError::NotGranted { .. }, false) => format!("{hint}, under [plugins.{:?}]", name.as_str()),
        _ => hint,
    })
}

/// Why a folder that is granted to a plugin is no safe grant: it lies inside one that a plugin may write to, which could
/// put a link to anywhere in its place.
fn writable_around(
    spec: &PluginSpec,
    plugins: &BTreeMap<PluginName, PluginSpec>,
) -> Option<(String, Option<String>)> {
    let place = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| place(path));
    let inside = |inner: &Path, outer: &Path| {
        let within = |inner: &Path, outer: &Path| inner != outer && inner.starts_with(outer);
        within(&place(inner), &place(outer)) || within(&real(inner), &real(outer))
    };
    let granted = spec.rights.read.values().chain(spec.rights.write.values());
    let writable = || {
        plugins
            .values()
            .flat_map(|other| other.rights.write.values().map(move |folder| (&other.name, folder)))
    };
    for folder in granted {
        if let Some((other, outer)) = writable().find(|(_, outer)| inside(folder, outer)) {
            let message = format!(
                "it is granted the folder {}, which lies inside {}, where plugin {:?} may write: a link put in its place would \
                 lead anywhere",
                folder.display(),
                outer.display(),
                other.as_str()
            );
            let hint = "grant the same folder to both, or folders that lie beside each other".to_owned();
            return Some((message, Some(hint)));
        }
    }
    None
}

/// The pauses between such lines.
fn pauses() -> impl Iterator<Item = Duration> {
    let longer = std::iter::successors(Some(PATIENCE), |pause| pause.checked_mul(2));
    std::iter::once(PATIENCE).chain(longer)
}

/// Does the work and tells from time to time that it goes on: the first compilation of a large plugin takes a while.
fn telling<T, E>(name: &PluginName, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let watch = Stopwatch::start();
    let (done, ended) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let teller = scope.spawn(move || {
            let mut told = false;
            let lasts = |pause| ended.recv_timeout(pause) == Err(mpsc::RecvTimeoutError::Timeout);
            for _ in pauses().take_while(|pause| lasts(*pause)) {
                tracing::info!(
                    "compiling plugin {:?}: {:.0} s so far",
                    name.as_str(),
                    watch.elapsed().as_secs_f64()
                );
                told = true;
            }
            told
        });
        let result = work();
        drop(done);
        if teller.join().unwrap_or_default() {
            let took = watch.elapsed().as_secs_f64();
            match &result {
                Ok(_) => tracing::info!(
                    "compiled plugin {:?} in {took:.1} s; the next start finds it in the cache",
                    name.as_str()
                ),
                Err(_) => tracing::info!("gave up on plugin {:?} after {took:.1} s", name.as_str()),
            }
        }
        result
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn spec(name: &str, read: &[&Path], write: &[&Path]) -> (PluginName, PluginSpec) {
        let grants = |folders: &[&Path]| {
            folders.iter().enumerate().map(|(n, folder)| (format!("/{n}"), folder.to_path_buf())).collect()
        };
        let mut spec = PluginSpec::new(name.parse().unwrap(), "x.wasm");
        (spec.rights.read, spec.rights.write) = (grants(read), grants(write));
        (spec.name.clone(), spec)
    }

    #[test]
    fn a_folder_inside_one_that_a_plugin_may_write_to_is_no_grant() {
        let folder = tempfile::tempdir().unwrap();
        let (data, inner) = (folder.path().join("data"), folder.path().join("data/in"));
        std::fs::create_dir_all(&inner).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&inner, &link).unwrap();

        let plugins = BTreeMap::from([spec("writer", &[], &[&data])]);
        for path in [&inner, &link] {
            let (_, reader) = spec("reader", &[path], &[]);
            let (message, _) = writable_around(&reader, &plugins).expect("refused");
            assert!(message.contains("where plugin \"writer\" may write"), "{message}");
        }
        let (_, same) = spec("same", &[&data], &[&data]);
        assert_eq!(writable_around(&same, &plugins), None, "the same folder is safe");
        let (_, outer) = spec("outer", &[folder.path()], &[]);
        assert_eq!(writable_around(&outer, &plugins), None, "so is one around it");
    }

    #[test]
    fn a_long_compilation_is_told_of_ever_more_rarely() {
        let mut passed = Duration::ZERO;
        let mut told = pauses().map(|pause| {
            passed += pause;
            passed.as_secs()
        });
        assert_eq!(told.by_ref().take(7).collect::<Vec<_>>(), [1, 2, 4, 8, 16, 32, 64]);
    }

    #[test]
    fn a_right_that_is_lacking_is_told_with_where_it_is_granted() {
        let error =
            PluginError::NotGranted { import: "clockbox:state/store@0.1.0".to_owned(), right: "state" };
        let of = |name: &str| hint(&error, &name.parse().unwrap()).unwrap();
        assert!(
            of("hello").ends_with("`allow = { state = true }`, under [plugins.hello]"),
            "{}",
            of("hello")
        );
        assert!(of("a.b").ends_with("under [plugins.\"a.b\"]"), "{}", of("a.b"));
        assert_eq!(hint(&PluginError::Empty, &"a".parse().unwrap()), PluginError::Empty.hint());
    }

    #[test]
    fn what_is_no_regular_file_or_too_large_is_not_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path(), 1000).unwrap_err().to_string().contains("not a regular file"));
        let large = folder.path().join("large.wasm");
        let most = 1000;
        // Sparse: it takes no room on the disk.
        std::fs::File::create(&large).unwrap().set_len(most * 3).unwrap();
        assert_eq!(read(&large, most).unwrap().len() as u64, most + 1);
    }
}
