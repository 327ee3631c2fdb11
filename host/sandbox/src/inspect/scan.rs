//! Reads the outline of a WebAssembly binary: imports, exports and what it says of itself.

use wasmparser::{
    BinaryReaderError, Chunk, ComponentName, CustomSectionReader, Encoding, KnownCustom, Name, Parser,
    Payload,
};

use crate::PluginError;

/// Modules inside components inside components: real ones nest two or three deep.
const DEEPEST: usize = 32;

/// What a scan finds.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) component: bool,
    /// Of a component, its imports; of a module, `module` and `name` of each.
    pub(super) imports: Vec<(String, Option<String>)>,
    pub(super) exports: Vec<String>,
    pub(super) producers: Vec<(String, String, String)>,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) description: Option<String>,
    pub(super) licenses: Option<String>,
    /// The `clockbox:job` section.
    pub(super) job: Option<String>,
}

/// Scans a binary that starts with the WebAssembly magic.
pub(super) fn scan(bytes: &[u8]) -> Result<Outline, PluginError> {
    let mut outline = Outline::default();
    walk(bytes, 0, &mut outline).map_err(|stop| match stop {
        Stop::Short => PluginError::Truncated { size: bytes.len() as u64 },
        Stop::Bad(e) => PluginError::Invalid(e.to_string()),
        Stop::TooDeep => PluginError::Invalid(format!("it nests more than {DEEPEST} components")),
    })?;
    Ok(outline)
}

enum Stop {
    Short,
    Bad(BinaryReaderError),
    TooDeep,
}

impl From<BinaryReaderError> for Stop {
    fn from(e: BinaryReaderError) -> Self {
        Self::Bad(e)
    }
}

fn walk(mut rest: &[u8], depth: usize, outline: &mut Outline) -> Result<(), Stop> {
    if depth > DEEPEST {
        return Err(Stop::TooDeep);
    }
    let top = depth == 0;
    let mut parser = Parser::new(0);
    // The end of the input is told to the parser only when nothing is left: before that, a lack of bytes is a cut.
    while !rest.is_empty() {
        let (consumed, payload) = match parser.parse(rest, false)? {
            Chunk::NeedMoreData(_) => return Err(Stop::Short),
            Chunk::Parsed { consumed, payload } => (consumed, payload),
        };
        rest = &rest[consumed..];
        let skip = match payload {
            Payload::Version { encoding, .. } => {
                if top {
                    outline.component = encoding == Encoding::Component;
                }
                0
            }
            Payload::CodeSectionStart { size, .. } => {
                parser.skip_section();
                size as usize
            }
            Payload::ModuleSection { unchecked_range: range, .. }
            | Payload::ComponentSection { unchecked_range: range, .. } => {
                let size = range.end.saturating_sub(range.start);
                walk(rest.get(..size).ok_or(Stop::Short)?, depth + 1, outline)?;
                size
            }
            Payload::CustomSection(section) => {
                custom(&section, top, outline);
                0
            }
            payload if top => {
                interfaces(payload, outline)?;
                0
            }
            _ => 0,
        };
        rest = rest.get(skip..).ok_or(Stop::Short)?;
    }
    Ok(())
}

fn interfaces(payload: Payload<'_>, outline: &mut Outline) -> Result<(), BinaryReaderError> {
    match payload {
        Payload::ImportSection(section) => {
            for import in section.into_imports() {
                let import = import?;
                outline.imports.push((import.module.to_owned(), Some(import.name.to_owned())));
            }
        }
        Payload::ExportSection(section) => {
            for export in section {
                outline.exports.push(export?.name.to_owned());
            }
        }
        Payload::ComponentImportSection(section) => {
            for import in section {
                outline.imports.push((import?.name.name.to_owned(), None));
            }
        }
        Payload::ComponentExportSection(section) => {
            for export in section {
                outline.exports.push(export?.name.name.to_owned());
            }
        }
        _ => {}
    }
    Ok(())
}

/// A custom section is a remark: a damaged one is passed over, as the specification asks.
fn custom(section: &CustomSectionReader<'_>, top: bool, outline: &mut Outline) {
    let text = || std::str::from_utf8(section.data()).ok().map(str::to_owned);
    match (section.name(), section.as_known()) {
        (_, KnownCustom::Producers(fields)) => {
            for field in fields.into_iter().flatten() {
                for value in field.values.into_iter().flatten() {
                    let entry = (field.name.to_owned(), value.name.to_owned(), value.version.to_owned());
                    if !outline.producers.contains(&entry) {
                        outline.producers.push(entry);
                    }
                }
            }
        }
        (_, KnownCustom::Name(names)) if top => {
            for name in names.into_iter().flatten() {
                if let Name::Module { name, .. } = name {
                    outline.name = Some(name.to_owned());
                }
            }
        }
        (_, KnownCustom::ComponentName(names)) if top => {
            for name in names.into_iter().flatten() {
                if let ComponentName::Component { name, .. } = name {
                    outline.name = Some(name.to_owned());
                }
            }
        }
        ("clockbox:job", _) => outline.job = text().or(outline.job.take()),
        ("version", _) if top => outline.version = text(),
        ("description", _) if top => outline.description = text(),
        ("licenses", _) if top => outline.licenses = text(),
        _ => {}
    }
}
