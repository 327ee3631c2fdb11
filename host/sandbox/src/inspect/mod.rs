//! What a plugin is and what it asks for, read from its file without compiling or running it.

mod interface;
mod scan;
mod source;

use clockbox_core::model::Rights;
use sha2::{Digest as _, Sha256};

pub(crate) use self::source::{LONGEST_TEXT, Source, assemble, binary, source};
use crate::{PluginError, PluginKind, hex};

/// The module name of WASI preview 1.
const PREVIEW_1: &str = "wasi_snapshot_preview1";

/// The outline of a plugin file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// What it is; `None` when it exports nothing that clockbox can run.
    pub kind: Option<PluginKind>,
    /// Whether it is a component (else a core module).
    pub component: bool,
    /// The size of the file in bytes.
    pub size: u64,
    /// The SHA-256 of the file, in lower-case hexadecimal digits.
    pub sha256: String,
    /// What it imports: `wasi:cli/stdout@0.2.6` in a component, `wasi_snapshot_preview1.fd_write` in a module.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
    /// The rights that would be of use to it, as written under `allow`. That it imports something does not mean that
    /// it uses it: most toolchains import files and the environment always.
    pub wants: Vec<&'static str>,
    /// What made it: field, name and version of each producer.
    pub producers: Vec<(String, String, String)>,
    /// The name that it gives itself.
    pub name: Option<String>,
    /// The version that it gives itself.
    pub version: Option<String>,
    /// How it describes itself.
    pub description: Option<String>,
    /// Its licence.
    pub licenses: Option<String>,
    /// The text of its `clockbox:job` section: TOML that describes the job.
    pub job: Option<String>,
}

/// Reads the outline of a plugin: a component, a module, or `.wat` text of either of at most 64 KiB.
///
/// # Errors
/// When the bytes are not WebAssembly, end in the middle, or hold native code. Whether the plugin could be loaded is
/// another question, which [`Inspection::check`] answers.
///
/// ```
/// use clockbox_sandbox::{PluginError, inspect};
/// let module = inspect(br#"(module (func (export "_start")))"#).unwrap();
/// assert_eq!(module.exports, ["_start"]);
/// assert_eq!(inspect(b""), Err(PluginError::Empty));
/// ```
pub fn inspect(bytes: &[u8]) -> Result<Inspection, PluginError> {
    let found = inspect_binary(&binary(bytes)?)?;
    Ok(Inspection { size: bytes.len() as u64, sha256: sha256(bytes), ..found })
}

/// The same for a binary; `size` and `sha256` are for the caller to fill in.
pub(crate) fn inspect_binary(binary: &[u8]) -> Result<Inspection, PluginError> {
    let outline = scan::scan(binary)?;
    let imports: Vec<String> = outline
        .imports
        .into_iter()
        .map(|(module, item)| item.map_or_else(|| module.clone(), |item| format!("{module}.{item}")))
        .collect();
    let mut wants: Vec<_> = imports.iter().filter_map(|import| wanted(import)).collect();
    wants.sort_unstable();
    wants.dedup();
    let kind = kind(outline.component, &outline.exports).unwrap_or_default();
    Ok(Inspection {
        kind,
        component: outline.component,
        size: 0,
        sha256: String::new(),
        imports,
        exports: outline.exports,
        wants,
        producers: outline.producers,
        name: outline.name,
        version: outline.version,
        description: outline.description,
        licenses: outline.licenses,
        job: outline.job,
    })
}

impl Inspection {
    /// The imports that a right, as written under `allow`, would be of use to.
    pub fn imports_for<'a>(&'a self, right: &'a str) -> impl Iterator<Item = &'a str> {
        // Files are imported as a whole, be it to read or to change them.
        let right = if right == "write" { "read" } else { right };
        self.imports.iter().map(String::as_str).filter(move |import| wanted(import) == Some(right))
    }

    /// Whether the plugin is refused without a right, as written under `allow`.
    ///
    /// ```
    /// let plugin = br#"(component (import "clockbox:state/store@0.1.0" (instance)))"#;
    /// let plugin = clockbox_sandbox::inspect(plugin).unwrap();
    /// assert!(plugin.requires("state") && !plugin.requires("http"));
    /// ```
    #[must_use]
    pub fn requires(&self, right: &str) -> bool {
        self.component && interface::is_required(right) && self.imports_for(right).next().is_some()
    }

    /// Whether the plugin can run with these rights: it exports something that can be run, and all that it imports
    /// is known and granted.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn check(&self, rights: &Rights) -> Result<PluginKind, PluginError> {
        self.check_shape()?;
        let kind = kind(self.component, &self.exports)?.ok_or_else(|| PluginError::WrongWorld {
            what: if self.component { "component" } else { "module" },
            exports: self.exports.clone(),
        })?;
        self.check_rights(rights)?;
        Ok(kind)
    }

    /// Whether it is not the module that a job component is made of.
    fn check_shape(&self) -> Result<(), PluginError> {
        let ours = |name: &&String| !self.component && name.starts_with("clockbox:");
        let bare = |import: bool, names: &[String]| match names.iter().find(ours) {
            Some(name) => Err(PluginError::BareJob { import, name: name.clone() }),
            None => Ok(()),
        };
        bare(true, &self.imports)?;
        bare(false, &self.exports)
    }

    /// Whether all that the plugin imports is known and granted.
    pub(crate) fn check_rights(&self, rights: &Rights) -> Result<(), PluginError> {
        for import in &self.imports {
            if self.component {
                interface::check_import(import, rights)?;
            } else {
                check_module_import(import)?;
            }
        }
        Ok(())
    }
}

fn kind(component: bool, exports: &[String]) -> Result<Option<PluginKind>, PluginError> {
    if !component {
        return Ok(exports.iter().any(|name| name == "_start").then_some(PluginKind::Module));
    }
    let mut wrong = None;
    for (interface, kind) in [("clockbox:job/runner", PluginKind::Job), ("wasi:cli/run", PluginKind::Command)]
    {
        for name in exports {
            match interface::is_export(name, interface) {
                Ok(true) => return Ok(Some(kind)),
                Ok(false) => {}
                Err(e) => wrong = Some(e),
            }
        }
    }
    wrong.map_or(Ok(None), Err)
}

fn check_module_import(import: &str) -> Result<(), PluginError> {
    match import.split_once('.') {
        Some((PREVIEW_1, _)) => Ok(()),
        Some(("wasi_unstable", _)) => Err(PluginError::WrongVersion {
            import: true,
            name: import.to_owned(),
            supported: PREVIEW_1.to_owned(),
        }),
        _ => Err(PluginError::UnknownImport { import: import.to_owned() }),
    }
}

fn wanted(import: &str) -> Option<&'static str> {
    let Some((PREVIEW_1, function)) = import.split_once('.') else {
        return interface::right(import);
    };
    match function {
        "environ_get" | "environ_sizes_get" => Some("env"),
        _ if function.starts_with("path_") || function.starts_with("fd_prestat") => Some("read"),
        _ if function.starts_with("sock_") => Some("tcp"),
        _ => None,
    }
}

/// The SHA-256 in lower-case hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes))
}
