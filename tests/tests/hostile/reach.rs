//! Attacks on what lies outside: files, environment, network.

use clockbox_core::model::Outcome;

use crate::attack::Attack;

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new(
            "traversal-read",
            "hostile/paths",
            "opens `../…`, `/etc/passwd` and links that lead out, under `read`",
        )
        .allowed("{ read = { \"/data\" = \"data\" } }")
        .ends(Outcome::Failed, &["exit code"]),
        Attack::new(
            "traversal-write",
            "hostile/paths",
            "the same, and makes such links itself, under `write`",
        )
        .allowed("{ write = { \"/data\" = \"data\" } }")
        .ends(Outcome::Failed, &["exit code"]),
        Attack::new("no-folder", "hostile/paths", "the same without any right to files")
            .ends(Outcome::Failed, &["exit code 8"]),
        Attack::new("long-path", "hostile/long-path", "opens a path of 8 MiB")
            .allowed("{ read = { \"/data\" = \"data\" } }")
            .ends(Outcome::Failed, &["exit code"]),
        Attack::new("open-files", "hostile/open-files", "opens a file again and again and closes none")
            .allowed("{ read = { \"/data\" = \"data\" } }")
            .ends(Outcome::Trapped, &["1,000"]),
        Attack::new("environment", "hostile/environment", "prints its environment and arguments")
            .ends(Outcome::Succeeded, &[]),
        Attack::new("sockets", "hostile/sockets", "asks for TCP, UDP and the address of a name")
            .ends(Outcome::Failed, &[]),
        Attack::new("panic", "hostile/panic", "traps with fifty files, both streams and half lines open")
            .allowed("{ write = { \"/scratch\" = \"scratch\" } }")
            .ends(Outcome::Trapped, &["unreachable", "half a line"]),
    ]
}
