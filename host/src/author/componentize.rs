//! From what a toolchain makes to a plugin.

use std::path::Path;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as PREVIEW_1, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as ADAPTER,
};
use wasmparser::{Parser, Payload, Validator};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// What every binary starts with.
const MAGIC: &[u8] = b"\0asm";
/// So many bytes of another file are shown.
const START: usize = 8;

/// A world, and the folder with the WIT that has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) wit: &'a Path,
    pub(crate) name: &'a str,
}

/// The plugin of a binary: a component and a preview-1 command are ones; any other module becomes a component, of the world
/// that it says, or else of `world`.
///
/// # Errors
/// When that cannot be, with the reason.
pub(crate) fn plugin(binary: Vec<u8>, world: Option<World<'_>>) -> Result<Vec<u8>, String> {
    if !binary.starts_with(MAGIC) {
        let start = binary[..binary.len().min(START)].escape_ascii();
        return Err(match binary.is_empty() {
            true => "it is no WebAssembly binary: it is empty".to_owned(),
            false => format!("it is no WebAssembly binary: it starts with \"{start}\""),
        });
    }
    let plugin = match outline(&binary)? {
        Outline::Plugin => binary,
        Outline::Module { says_world, imports_preview_1 } => {
            let mut module = binary;
            match world {
                _ if says_world => {}
                Some(world) => embed(&mut module, world)?,
                None => {
                    return Err("it is a module without `_start` and without the type of a component: name the world that it \
                                implements, as in world = \"job\" and wit = \"wit\""
                        .to_owned());
                }
            }
            let mut encoder = ComponentEncoder::default().module(&module).map_err(whole)?;
            if imports_preview_1 {
                encoder = encoder.adapter(PREVIEW_1, ADAPTER).map_err(whole)?;
            }
            encoder.encode().map_err(whole)?
        }
    };
    Validator::new().validate_all(&plugin).map_err(|error| format!("it is not valid: {error}"))?;
    Ok(plugin)
}

fn embed(module: &mut Vec<u8>, World { wit, name }: World<'_>) -> Result<(), String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit).map_err(whole)?;
    let world = resolve.select_world(&[package], Some(name)).map_err(whole)?;
    embed_component_metadata(module, &resolve, world, StringEncoding::UTF8).map_err(whole)
}

/// An error with all its causes.
fn whole(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

enum Outline {
    /// A host runs it as it is.
    Plugin,
    Module {
        says_world: bool,
        imports_preview_1: bool,
    },
}

fn outline(binary: &[u8]) -> Result<Outline, String> {
    let mut module = (false, false);
    for payload in Parser::new(0).parse_all(binary) {
        match payload.map_err(|error| format!("it is no WebAssembly binary: {error}"))? {
            Payload::Version { encoding: wasmparser::Encoding::Component, .. } => return Ok(Outline::Plugin),
            Payload::CustomSection(section) => module.0 |= section.name().starts_with("component-type"),
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.map_err(|error| format!("its imports cannot be read: {error}"))?;
                    module.1 |= import.module == PREVIEW_1;
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(|error| format!("its exports cannot be read: {error}"))?;
                    if export.name == "_start" {
                        return Ok(Outline::Plugin);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(Outline::Module { says_world: module.0, imports_preview_1: module.1 })
}

#[cfg(test)]
mod tests {
    use clockbox_sandbox::{PluginKind, inspect};

    use super::*;

    const WIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit");

    fn world(name: &str) -> World<'_> {
        World { wit: Path::new(WIT), name }
    }

    /// The core module of a job that succeeds without output; it imports a random number from preview 1.
    const JOB: &str = r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 64)
        (func (export "clockbox:job/runner@0.1.0#run") (param i32 i32) (result i32) i32.const 0))"#;

    fn module(text: &str) -> Vec<u8> {
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn a_core_module_becomes_a_job_component_with_what_it_uses_and_no_more() {
        let plugin = plugin(module(JOB), Some(world("job"))).unwrap();
        let told = inspect(&plugin).unwrap();
        assert_eq!(told.kind, Some(PluginKind::Job));
        assert!(told.check(&Default::default()).is_ok(), "{told:?}");
        assert!(told.imports.iter().any(|import| import.starts_with("wasi:random/random@0.2")), "{told:?}");
        assert!(!told.requires("state"), "it does not use what the world offers");
    }

    #[test]
    fn what_is_a_plugin_already_stays_as_it_is() {
        let command = module(r#"(module (func (export "_start")))"#);
        assert_eq!(plugin(command.clone(), None).unwrap(), command);
        let component = plugin(module(JOB), Some(world("job"))).unwrap();
        assert_eq!(plugin(component.clone(), Some(world("nonsense"))).unwrap(), component);
    }

    #[test]
    fn what_cannot_become_a_plugin_says_why() {
        let why = |text: &str, world| plugin(module(text), world).unwrap_err();
        assert!(why(JOB, None).contains("name the world"), "{}", why(JOB, None));
        assert!(why(JOB, Some(world("nonsense"))).contains("nonsense"));
        assert!(
            why("(module)", Some(world("job"))).contains("runner"),
            "{}",
            why("(module)", Some(world("job")))
        );
        let other = plugin(b"a\nhello world".to_vec(), None).unwrap_err();
        assert_eq!(other, "it is no WebAssembly binary: it starts with \"a\\nhello \"");
        assert!(plugin(Vec::new(), None).unwrap_err().contains("it is empty"));
        // A function that gives a text where its type is a number.
        let mut invalid = module(r#"(module (func (export "_start")))"#);
        let last = invalid.len() - 1;
        invalid.truncate(last);
        assert!(plugin(invalid, None).is_err());
    }
}
