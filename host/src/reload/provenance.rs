//! Where the code of a loaded plugin came from, in words for the log.

use std::time::Duration;

use clockbox_core::model::{Timestamp, format_roughly};
use clockbox_sandbox::{Compilation, Plugin};

/// So many digits of a digest tell plugins apart, and fit a line.
const SHORT: usize = 12;

/// What was loaded, and how: `5f1d64c9a0b2 (job component), compiled in 1s 240ms`.
pub(crate) fn provenance(plugin: &Plugin, now: Timestamp) -> String {
    let digest = plugin.digest().get(..SHORT).unwrap_or_default();
    format!("{digest} ({}), {}", plugin.kind(), origin(plugin.from_cache(), plugin.compilation(), now))
}

fn origin(from_cache: bool, compilation: Compilation, now: Timestamp) -> String {
    let took = compilation.took.map(|took| format!(" in {}", format_roughly(in_millis(took))));
    let took = took.unwrap_or_default();
    if !from_cache {
        return format!("compiled{took}");
    }
    match compilation.at.map(|at| now - at) {
        // A clock that was set back since makes no age.
        Some(age) if age >= chrono::TimeDelta::zero() => {
            let age = Duration::from_secs(age.num_seconds().unsigned_abs());
            format!("taken from the cache: compiled {} ago{took}", format_roughly(age))
        }
        _ => format!("taken from the cache: compiled{took} at a time that is not known"),
    }
}

fn in_millis(took: Duration) -> Duration {
    Duration::from_millis(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_compiled_code_from_kept_code() {
        let now: Timestamp = "2030-01-02T03:04:05Z".parse().unwrap();
        let compilation = |at: &str| Compilation {
            at: Some(at.parse().unwrap()),
            took: Some(Duration::from_micros(1_240_999)),
        };
        let before = compilation("2030-01-01T01:04:05.9Z");
        assert_eq!(origin(false, before, now), "compiled in 1s 240ms");
        assert_eq!(origin(true, before, now), "taken from the cache: compiled 1day 1h ago in 1s 240ms");
        let later = compilation("2030-01-02T03:04:06Z");
        let unknown = "taken from the cache: compiled in 1s 240ms at a time that is not known";
        assert_eq!(origin(true, later, now), unknown);
        assert_eq!(origin(false, Compilation::default(), now), "compiled");
    }
}
