//! Attacks on memory and on what the host holds for a guest.

use clockbox_core::model::Outcome;

use crate::attack::Attack;

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new("recursion", "stack-overflow", "calls itself for ever")
            .ends(Outcome::Trapped, &["call stack overflowed", "limits.stack"]),
        Attack::new("memory-bomb", "oom", "takes memory until it is refused")
            .ends(Outcome::OutOfMemory, &["16.0 MiB", "limits.memory"]),
        Attack::new("table-bomb", "hostile/table-bomb", "grows a table until it is refused")
            .ends(Outcome::OutOfMemory, &["100000 at most"]),
        Attack::new("many-instances", "hostile/many-instances", "makes ten thousand instances of one module")
            .ends(Outcome::HostError, &["64 core modules", "no key raises", "10001 core module instances"]),
        Attack::new("pollable-leak", "hostile/pollable-leak", "subscribes to clocks and drops nothing")
            .ends(Outcome::Trapped, &["1000 files, streams", "limits.handles"]),
        Attack::new("pollable-leak-100k", "hostile/pollable-leak", "the same, and may hold 100,000 of them")
            .limited("handles = 100000")
            .ends(Outcome::Trapped, &["100000 files, streams", "limits.handles"]),
        Attack::new(
            "request-hoard",
            "hostile/request-hoard",
            "makes 900 HTTP requests of 2 MiB and sends none",
        )
        .ends(Outcome::Failed, &["exit code 1; during the run: method of an HTTP request refused", "64 B"]),
        Attack::new(
            "listing",
            "hostile/listing",
            "opens a thousand listings of a folder with 100,000 entries",
        )
        .allowed("{ read = { \"/data\" = \"many\" } }")
        .ends(Outcome::OutOfMemory, &["limits.memory", "listing of a folder refused"]),
    ]
}
