//! The section `clockbox:job` of a plugin file: what it says of itself, in TOML.

use wasm_encoder::{CustomSection, RawSection, Section as _};
use wasmparser::{BinaryReader, BinaryReaderError};

/// Its name.
const NAME: &str = "clockbox:job";
/// The first eight bytes of a binary say what it is.
const HEADER: usize = 8;
/// The layer of a component among them; that of a module is 0.
const COMPONENT: u8 = 1;
/// Components within components within components: more than any tool makes.
const DEEPEST: usize = 32;

/// The binary of a component or module with this text as its description, in the place of any that it had, also in the
/// modules and components within it; without one where there is no text.
///
/// # Errors
/// When the bytes are no WebAssembly binary.
pub(crate) fn describe(binary: &[u8], text: Option<&str>) -> Result<Vec<u8>, BinaryReaderError> {
    let mut described = without(binary, 0)?;
    if let Some(text) = text {
        CustomSection { name: NAME.into(), data: text.as_bytes().into() }.append_to(&mut described);
    }
    Ok(described)
}

/// The binary without any such section.
fn without(binary: &[u8], depth: usize) -> Result<Vec<u8>, BinaryReaderError> {
    let mut reader = BinaryReader::new(binary, 0);
    let header = reader.read_bytes(HEADER)?;
    let is_component = header[6] == COMPONENT && depth < DEEPEST;
    let mut kept = header.to_vec();
    while !reader.eof() {
        let id = reader.read_u8()?;
        let size = reader.read_var_u32()?;
        let data = reader.read_bytes(size as usize)?;
        match id {
            0 if BinaryReader::new(data, 0).read_string()? == NAME => {}
            // A module, or a component: a binary of its own.
            1 | 4 if is_component => {
                let inner = without(data, depth + 1)?;
                RawSection { id, data: &inner }.append_to(&mut kept);
            }
            _ => RawSection { id, data }.append_to(&mut kept),
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use clockbox_sandbox::inspect;

    use super::*;

    fn prebuilt(name: &str) -> Vec<u8> {
        let plugins = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/prebuilt");
        std::fs::read(format!("{plugins}/{name}.wasm")).unwrap()
    }

    fn count(bytes: &[u8]) -> usize {
        bytes.windows(NAME.len()).filter(|window| *window == NAME.as_bytes()).count()
    }

    #[test]
    fn a_description_takes_the_place_of_the_one_that_was_there_and_the_rest_stays() {
        let old = prebuilt("hello");
        let told = inspect(&old).unwrap();
        assert!(told.job.is_some());
        let new = describe(&old, Some("name = \"other\"")).unwrap();
        let found = inspect(&new).unwrap();
        assert_eq!(found.job.as_deref(), Some("name = \"other\""));
        assert_eq!(
            (found.imports, found.exports, found.producers),
            (told.imports, told.exports, told.producers)
        );
        assert_eq!(describe(&new, Some("name = \"other\"")).unwrap(), new, "again is the same");
        let bare = describe(&new, None).unwrap();
        assert_eq!(inspect(&bare).unwrap().job, None);
        // What is left are the names of packages, as in `clockbox:job/runner`.
        assert_eq!(count(&bare), count(&old) - 1, "it was taken out, wherever it stood");
    }

    #[test]
    fn a_module_is_described_like_a_component() {
        let module = [&b"\0asm\x01\0\0\0"[..], &[0, 2, 1, b'x']].concat();
        let described = describe(&module, Some("")).unwrap();
        assert_eq!(described[..module.len()], module);
        assert_eq!(inspect(&described).unwrap().job.as_deref(), Some(""));
        assert_eq!(describe(&described, None).unwrap(), module);
    }

    #[test]
    fn what_is_cut_is_refused() {
        let hello = prebuilt("hello");
        for end in [0, 3, 9, 100, hello.len() - 1] {
            assert!(describe(&hello[..end], Some("")).is_err(), "{end}");
        }
    }
}
