//! From a trapped guest to the bytes of its core dump.

use clockbox_core::model::{RunId, format_size};
use serde::Serialize;
use wasmtime::{HeapType, Store, ValType, WasmCoreDump};

use crate::guest::Guest;

/// The custom section that says whose dump it is.
const SECTION: &str = "clockbox:run";
/// The most globals, times instances, that are written: each instance lists those that it sees.
const MOST_GLOBALS: usize = 4_000_000;

/// Whose dump it is. Debuggers do not ask for it; people do, and the names of functions are in no other part of a dump.
#[derive(Debug, Serialize)]
pub(crate) struct Origin {
    pub(crate) job: String,
    #[serde(serialize_with = "shown")]
    pub(crate) run: RunId,
    pub(crate) attempt: u32,
    pub(crate) plugin: String,
    /// The plugin's file.
    pub(crate) file: String,
    /// Of the plugin's file.
    pub(crate) sha256: String,
    /// The frames with their names, innermost first.
    pub(crate) backtrace: Option<String>,
}

fn shown<S: serde::Serializer>(run: &RunId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(run)
}

impl Origin {
    pub(crate) fn file_name(&self) -> String {
        super::folder::file_name(self.run, self.attempt)
    }
}

/// The dump in the form of WebAssembly's tool conventions, and then a section of ours.
pub(super) fn serialize(
    core: &WasmCoreDump,
    mut store: Store<Guest>,
    origin: &Origin,
    largest: u64,
) -> Result<Vec<u8>, String> {
    let too_large = |size: u64| {
        Err(format!(
            "it would have {} and core dumps have {} at most",
            format_size(size),
            format_size(largest)
        ))
    };
    // Looked at first: the engine makes three of what it writes.
    let memories = core.memories().iter().map(|memory| memory.data_size(&store) as u64);
    let names = core.modules().iter().map(|module| module.name().map_or(0, str::len) as u64);
    let least = memories.chain(names).fold(0_u64, u64::saturating_add);
    if least > largest {
        return too_large(least);
    }
    if core.globals().len().saturating_mul(core.instances().len()) > MOST_GLOBALS {
        return Err("the plugin has too many globals".to_owned());
    }
    let is_known = |content: &ValType| match content {
        ValType::Ref(reference) => {
            matches!(reference.heap_type().top(), HeapType::Extern | HeapType::Func | HeapType::Any)
        }
        _ => true,
    };
    // The engine would panic.
    if !core.globals().iter().all(|global| is_known(global.ty(&store).content())) {
        return Err("the plugin has a global of a type that the engine cannot dump".to_owned());
    }
    let mut bytes = core.serialize(&mut store, &origin.file);
    drop(store);
    let about = serde_json::to_vec(origin).map_err(|e| e.to_string())?;
    append_section(&mut bytes, SECTION, &about);
    match bytes.len() as u64 {
        size if size > largest => too_large(size),
        _ => Ok(bytes),
    }
}

/// Adds a custom section to a WebAssembly binary.
fn append_section(binary: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut name_length = Vec::new();
    leb128(&mut name_length, name.len());
    binary.push(0);
    leb128(binary, name_length.len() + name.len() + content.len());
    binary.extend_from_slice(&name_length);
    binary.extend_from_slice(name.as_bytes());
    binary.extend_from_slice(content);
}

fn leb128(bytes: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
