//! Attacks on files.

use clockbox_core::model::Outcome;

use crate::attack::Attack;

const READ: &str = "{ read = { \"/data\" = \"data\" } }";

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new(
            "traversal-read",
            "hostile/paths",
            "opens `../…`, `/etc/passwd` and links that lead out, under `read`",
        )
        .allowed(READ)
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
            .allowed(READ)
            .ends(Outcome::Failed, &["exit code 37"]),
        Attack::new("open-files", "hostile/open-files", "opens a file again and again and closes none")
            .allowed(READ)
            .limited("handles = 200")
            .ends(Outcome::Trapped, &["200 files, streams", "limits.handles"]),
        Attack::new("panic", "hostile/panic", "traps with fifty files, both streams and half lines open")
            .allowed("{ write = { \"/scratch\" = \"scratch\" } }")
            .ends(Outcome::Trapped, &["unreachable", "half a line"]),
    ]
}
