//! Prints what a component imports and exports, and its `clockbox:job` section: what two builds of one plugin must
//! have in common, whatever compiler made them.

use std::{env, fs, process::ExitCode};

use anyhow::{Context, Result, bail};
use wasmparser::{Encoding, Parser, Payload, Validator};

fn main() -> ExitCode {
    let paths: Vec<_> = env::args().skip(1).collect();
    for path in &paths {
        match surface(path) {
            Ok(lines) => println!("{}", lines.join("\n")),
            Err(error) => {
                eprintln!("error: {path}: {error:#}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn surface(path: &str) -> Result<Vec<String>> {
    let bytes = fs::read(path).context("cannot read it")?;
    Validator::new().validate_all(&bytes).context("it is not valid")?;
    let mut lines = Vec::new();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload? {
            Payload::Version { encoding, .. } if depth == 0 && encoding != Encoding::Component => {
                bail!("it is a module, not a component");
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    lines.push(format!("import {}", import?.name.name));
                }
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    lines.push(format!("export {}", export?.name.name));
                }
            }
            Payload::CustomSection(section) if section.name() == "clockbox:job" => {
                let text = str::from_utf8(section.data()).context("its description is not UTF-8")?;
                lines.extend(text.lines().map(|line| format!("about  {line}")));
            }
            _ => {}
        }
    }
    lines.sort();
    Ok(lines)
}
