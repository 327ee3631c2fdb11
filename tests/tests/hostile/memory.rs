//! Attacks on memory and on what the host holds for a guest.

use clockbox_core::model::Outcome;

use crate::attack::{Attack, File};

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new("recursion", "stack-overflow", "calls itself for ever")
            .ends(Outcome::Trapped, &["call stack overflowed"]),
        Attack::new("memory-bomb", "oom", "takes memory until it is refused")
            .ends(Outcome::OutOfMemory, &["16.0 MiB", "limits.memory"]),
        Attack::new("table-bomb", "hostile/table-bomb", "grows a table until it is refused")
            .ends(Outcome::OutOfMemory, &["table"]),
        Attack::new("many-instances", "hostile/many-instances", "makes ten thousand instances of one module")
            .ends(Outcome::HostError, &["instances"]),
        Attack::new("pollable-leak", "hostile/pollable-leak", "subscribes to clocks and drops nothing")
            .ends(Outcome::Trapped, &["1,000"]),
        Attack::new(
            "request-hoard",
            "hostile/request-hoard",
            "makes 900 HTTP requests of 2 MiB and sends none",
        )
        .ends(Outcome::Trapped, &["1,000"]),
        Attack::of(
            "vast-memory",
            File::Made("wat", b"(module (memory i64 0x1000000000) (func (export \"_start\")))".to_vec()),
            "declares a memory of 2^52 bytes",
        )
        .ends(Outcome::HostError, &["memory"]),
    ]
}
