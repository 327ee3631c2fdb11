//! From a failing seed to the shortest list of steps that still fails.

use crate::{Failure, plan::Plan};

/// Lives that are tried for a shorter one.
const TRIES: u32 = 3000;

/// Leaves out steps, many at a time and then fewer, as long as it still fails.
pub(crate) fn shrink(plan: &Plan, fails: impl Fn(&Plan) -> Option<Failure>) -> Plan {
    let mut best = plan.clone();
    let Some(failure) = fails(&best) else { return best };
    best.steps.truncate(failure.step + 1);
    let mut tries = 0;
    let mut size = best.steps.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        let mut has_shrunk = false;
        while at < best.steps.len() && tries < TRIES {
            tries += 1;
            let mut shorter = best.clone();
            shorter.steps.drain(at..(at + size).min(best.steps.len()));
            match fails(&shorter) {
                Some(failure) => {
                    shorter.steps.truncate(failure.step + 1);
                    best = shorter;
                    has_shrunk = true;
                }
                None => at += size,
            }
        }
        if !has_shrunk || size > 1 {
            size /= 2;
        }
        if tries >= TRIES {
            break;
        }
    }
    best
}

/// What to say of a seed that fails.
pub(crate) fn report(plan: &Plan) -> String {
    let fails = |plan: &Plan| crate::run(plan, false).err();
    let short = shrink(plan, fails);
    let Some(Failure { message, trace, .. }) = crate::run(&short, true).err() else {
        return format!(
            "seed {} fails, but not each time: something in it is not decided by the seed",
            plan.seed
        );
    };
    format!(
        "seed {}: {message}\n\n{} of its {} steps are enough:\n{}\n\nreplay with SIMULATION_SEED={} cargo test -p \
         clockbox-core --test simulation",
        plan.seed,
        short.steps.len(),
        plan.steps.len(),
        trace.join("\n"),
        plan.seed
    )
}
