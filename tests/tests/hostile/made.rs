//! Attacks by the file itself: malformed, or too much of something. They are made, as a repository is no place for them.

use std::fmt::Write as _;

use clockbox_core::model::Outcome;

use crate::attack::{Attack, File};

pub(crate) fn attacks() -> Vec<Attack> {
    let made = |name, end, bytes, tries| Attack::of(name, File::Made(end, bytes), tries);
    vec![
        made(
            "vast-memory",
            "wat",
            b"(module (memory i64 0x1000000000) (func (export \"_start\")))".to_vec(),
            "declares a memory of 2^52 bytes",
        )
        .ends(Outcome::HostError, &["4 memories of 4 GiB", "no key raises", "exceeds the limit of"]),
        made("huge-file", "wasm", vec![0; (64 << 20) + 1], "is a file of more than 64 MiB")
            .ends(Outcome::HostError, &["larger than the 64.0 MiB that are allowed"]),
        made("compile-bomb", "wasm", compile_bomb(), "has functions with three million jumps each")
            .ends(Outcome::HostError, &["256.0 MiB of memory", "scheduler.compile.memory"]),
        made("many-values", "wat", many_values(), "has functions with 800 values alive at one time")
            .ends(Outcome::Succeeded, &[]),
        made("nesting", "wat", nesting(), "nests twenty thousand blocks of text")
            .ends(Outcome::Succeeded, &[]),
        made("imports", "wasm", imports(), "imports a million nameless functions")
            .ends(Outcome::HostError, &["more than 100000 imports"]),
        made(
            "sections",
            "wat",
            sections(),
            "describes itself in broken sections, with terminal escapes in its names",
        )
        .ends(Outcome::Trapped, &["unreachable"]),
        made("long-job", "wat", long_job(), "describes itself in a section of 1 MiB")
            .ends(Outcome::HostError, &["section clockbox:job has 1.0 MiB"]),
        made("vast-name", "wat", vast_name(), "traps in a function whose mangled name stands for terabytes")
            .ends(Outcome::Trapped, &["unreachable"]),
    ]
}

/// A module in binary of two functions that are as long as functions may be, in which everything leads everywhere: small as a
/// file, and no end of memory to compile.
fn compile_bomb() -> Vec<u8> {
    const NESTED: usize = 2_500;
    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        [&[id][..], &length(content.len()), content].concat()
    }
    /// LEB128.
    fn length(mut n: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while n > 127 {
            bytes.push((n % 128) as u8 | 128);
            n /= 128;
        }
        bytes.push(n as u8);
        bytes
    }
    // Blocks in blocks; at the end of each, a jump to any one of those around it.
    let mut long = [&[0][..], &[0x02, 0x40].repeat(NESTED)].concat();
    for depth in (1..=NESTED).rev() {
        long.extend([0x20, 0, 0x0e]);
        long.extend(length(depth));
        long.extend((0..depth).flat_map(length));
        long.extend([0, 0x0b]);
    }
    long.push(0x0b);
    let long = [&length(long.len())[..], &long].concat();
    let code = [&[3, 2, 0, 0x0b][..], &long.repeat(2)].concat();
    let types = [2, 0x60, 0, 0, 0x60, 1, 0x7f, 0];
    [
        &b"\0asm\x01\0\0\0"[..],
        &section(1, &types),
        &section(3, &[3, 0, 1, 1]),
        &section(7, b"\x01\x06_start\0\0"),
        &section(10, &code),
    ]
    .concat()
}

/// Many functions with as many values alive at one time as the compiler can be given.
fn many_values() -> Vec<u8> {
    let mut text = String::from("(module (memory 1)");
    for _ in 0..20 {
        text += "(func (result i64)";
        for n in 0..400 {
            let _ = write!(text, " (i64.load (i32.const {n})) (i64.load (i32.const {}))", n * 3);
        }
        text += &" i64.add".repeat(799);
        text.push(')');
    }
    (text + "(func (export \"_start\")))").into_bytes()
}

fn nesting() -> Vec<u8> {
    format!("(module (func (export \"_start\") {}{}))", "(block ".repeat(20_000), ")".repeat(20_000))
        .into_bytes()
}

/// A module in binary: a type, and the same import over and over.
fn imports() -> Vec<u8> {
    let types = b"\x01\x04\x01\x60\x00\x00";
    let count = b"\xc0\x84\x3d";
    // A section's size in LEB128: three bytes for the count, four for each of a million.
    let imports = [b"\x02\x83\x92\xf4\x01".as_slice(), count, &[0; 4].repeat(1_000_000)].concat();
    [b"\0asm\x01\0\0\0".as_slice(), types, &imports].concat()
}

fn sections() -> Vec<u8> {
    r#"(module $"\1b]0;owned\07\1b[2J"
        (memory 1)
        (@custom "name" "\00\ff\ff\ff\ff\ff")
        (@custom "producers" "\ff\ff\ff\ff\0f language")
        (@custom "producers" "\01\08language\01\05\1b[31m\00")
        (@custom "version" "\1b[2J\ff")
        (@custom "description" "\1b]0;owned\07 calm")
        (@custom "clockbox:job" "\ff\fe is no text")
        (func $"\1b[2J\1b[H\u{202e}clean" unreachable)
        (func (export "_start") (call $"\1b[2J\1b[H\u{202e}clean")))"#
        .as_bytes()
        .to_vec()
}

fn long_job() -> Vec<u8> {
    format!(
        "(module (memory 1) (@custom \"clockbox:job\" \"{}\") (func (export \"_start\")))",
        "#".repeat(1 << 20)
    )
    .into_bytes()
}

fn vast_name() -> Vec<u8> {
    let level = |n: u32| match n {
        0 => "S_".to_owned(),
        n => format!("S{}_", char::from_digit(n - 1, 36).unwrap().to_ascii_uppercase()),
    };
    let doubled: String = (1..36).map(|n| format!("S_I{0}{0}E", level(n))).collect();
    format!(
        "(module (memory 1) (func $_Z1fSt4pairIiiE{doubled} unreachable) (func (export \"_start\") (call 0)))"
    )
    .into_bytes()
}
