//! Reads the outline of a WebAssembly binary: imports, exports and what it says of itself.

use clockbox_core::model::format_size;
use wasmparser::{
    BinaryReaderError, Chunk, ComponentName, CustomSectionReader, Encoding, KnownCustom, Name, Parser,
    Payload, ProducersSectionReader,
};

use crate::{
    PluginError,
    log::{clean, clean_lines},
};

/// Modules inside components inside components: real ones nest two or three deep.
const DEEPEST: usize = 32;

/// The most imports, and the most exports: a file of 64 MiB could have sixteen million of either, which would take gigabytes
/// to list.
const MOST_ITEMS: usize = 100_000;
/// The most producers that are listed. Each is compared with all others, as the modules of a component repeat them.
const MOST_PRODUCERS: usize = 100;
/// The longest that a file may say of itself in one place, in bytes; what is longer is cut.
const LONGEST_REMARK: usize = 4 << 10;
/// The longest `clockbox:job` section, in bytes. Half a description would be another one, so a longer one is a mistake.
const LONGEST_JOB: usize = 256 << 10;

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
        Stop::TooMany => PluginError::Invalid(format!("it has more than {MOST_ITEMS} imports or exports")),
        Stop::LongJob(size) => PluginError::Invalid(format!(
            "its section clockbox:job has {}, and a description has {} at most",
            format_size(size as u64),
            format_size(LONGEST_JOB as u64)
        )),
    })?;
    Ok(outline)
}

enum Stop {
    Short,
    Bad(BinaryReaderError),
    TooDeep,
    TooMany,
    LongJob(usize),
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
                custom(&section, top, outline)?;
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

fn interfaces(payload: Payload<'_>, outline: &mut Outline) -> Result<(), Stop> {
    let full = |length: usize| if length < MOST_ITEMS { Ok(()) } else { Err(Stop::TooMany) };
    match payload {
        Payload::ImportSection(section) => {
            for import in section.into_imports() {
                let import = import?;
                full(outline.imports.len())?;
                outline.imports.push((remark(import.module), Some(remark(import.name))));
            }
        }
        Payload::ExportSection(section) => {
            for export in section {
                full(outline.exports.len())?;
                outline.exports.push(remark(export?.name));
            }
        }
        Payload::ComponentImportSection(section) => {
            for import in section {
                full(outline.imports.len())?;
                outline.imports.push((remark(import?.name.name), None));
            }
        }
        Payload::ComponentExportSection(section) => {
            for export in section {
                full(outline.exports.len())?;
                outline.exports.push(remark(export?.name.name));
            }
        }
        _ => {}
    }
    Ok(())
}

/// A custom section is a remark: a damaged one is passed over, as the specification asks.
fn custom(section: &CustomSectionReader<'_>, top: bool, outline: &mut Outline) -> Result<(), Stop> {
    let text = || std::str::from_utf8(section.data()).ok().map(remark);
    match (section.name(), section.as_known()) {
        (_, KnownCustom::Producers(fields)) => producers(fields, outline),
        (_, KnownCustom::Name(names)) if top => {
            for name in names.into_iter().flatten() {
                if let Name::Module { name, .. } = name {
                    outline.name = Some(remark(name));
                }
            }
        }
        (_, KnownCustom::ComponentName(names)) if top => {
            for name in names.into_iter().flatten() {
                if let ComponentName::Component { name, .. } = name {
                    outline.name = Some(remark(name));
                }
            }
        }
        ("clockbox:job", _) if section.data().len() > LONGEST_JOB => {
            return Err(Stop::LongJob(section.data().len()));
        }
        ("clockbox:job", _) => {
            let text = std::str::from_utf8(section.data()).ok().map(clean_lines);
            outline.job = text.or(outline.job.take());
        }
        ("version", _) if top => outline.version = text(),
        ("description", _) if top => outline.description = text(),
        ("licenses", _) if top => outline.licenses = text(),
        _ => {}
    }
    Ok(())
}

fn producers(fields: ProducersSectionReader<'_>, outline: &mut Outline) {
    for field in fields.into_iter().flatten() {
        for value in field.values.into_iter().flatten() {
            if outline.producers.len() == MOST_PRODUCERS {
                return;
            }
            let entry = (remark(field.name), remark(value.name), remark(value.version));
            if !outline.producers.contains(&entry) {
                outline.producers.push(entry);
            }
        }
    }
}

/// What a file says of itself, fit to be shown: it comes from a stranger, and goes to a terminal.
fn remark(text: &str) -> String {
    clean(&text[..text.floor_char_boundary(LONGEST_REMARK)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A custom section of a module.
    fn section(name: &str, data: &[u8]) -> Vec<u8> {
        let mut body = leb(name.len());
        body.extend(name.as_bytes());
        body.extend(data);
        [vec![0], leb(body.len()), body].concat()
    }

    fn module(sections: &[Vec<u8>]) -> Vec<u8> {
        [b"\0asm\x01\0\0\0".to_vec(), sections.concat()].concat()
    }

    fn leb(mut n: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let low = (n & 0x7f) as u8;
            n >>= 7;
            if n == 0 {
                bytes.push(low);
                return bytes;
            }
            bytes.push(low | 0x80);
        }
    }

    #[test]
    fn what_a_file_says_of_itself_cannot_steer_a_terminal() {
        let text = "\u{1b}]0;owned\u{7}\u{1b}[2Jcalm\u{202e}";
        // An export of function 0.
        let name = b"\x1b[2Jcalm\xe2\x80\xae";
        let exports = [vec![7, 15, 1, name.len() as u8], name.to_vec(), vec![0, 0]].concat();
        assert_eq!(scan(&module(&[exports])).unwrap().exports, ["calm\u{fffd}"]);
        let bytes = module(
            &["version", "description", "licenses", "clockbox:job"].map(|n| section(n, text.as_bytes())),
        );
        let outline = scan(&bytes).unwrap();
        for said in [outline.version, outline.description, outline.licenses, outline.job] {
            assert_eq!(said.as_deref(), Some("calm\u{fffd}"));
        }
    }

    #[test]
    fn a_million_producers_are_a_hundred() {
        // One field with so many different values; comparing each with all others would take hours.
        let mut data = leb(1);
        data.extend([leb(8), b"language".to_vec(), leb(1_000_000)].concat());
        for n in 0..1_000_000 {
            data.extend([leb(7), format!("{n:07}").into_bytes(), leb(0)].concat());
        }
        assert_eq!(scan(&module(&[section("producers", &data)])).unwrap().producers.len(), MOST_PRODUCERS);
    }

    #[test]
    fn a_million_imports_are_a_mistake() {
        // Empty names, and each a function of type 0.
        let data = [leb(1_000_000), [0; 4].repeat(1_000_000)].concat();
        let imports = [vec![2], leb(data.len()), data].concat();
        let refused = scan(&module(&[imports])).unwrap_err();
        assert!(refused.to_string().contains("more than 100000 imports or exports"), "{refused}");
    }

    #[test]
    fn long_remarks_are_cut_and_a_long_description_is_a_mistake() {
        let long = "ä".repeat(1 << 20);
        let outline = scan(&module(&[section("description", long.as_bytes())])).unwrap();
        assert_eq!(outline.description.map(|said| said.len()), Some(LONGEST_REMARK));
        let refused = scan(&module(&[section("clockbox:job", long.as_bytes())])).unwrap_err();
        assert!(refused.to_string().contains("section clockbox:job has 2.0 MiB"), "{refused}");
    }
}
