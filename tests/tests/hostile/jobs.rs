//! Attacks on what outlives a run: the state of a job, and jobs that runs add.

use clockbox_core::model::Outcome;

use crate::attack::Attack;

/// The state that `state-flood` may keep, in bytes.
pub(crate) const STATE: u64 = 64 << 10;
/// The jobs that the runs of each of these plugins may have added at one time.
pub(crate) const MOST_JOBS: &[(&str, usize)] = &[("jobs-storm", 10), ("jobs-rate", 20), ("fork-bomb", 5)];

pub(crate) fn attacks() -> Vec<Attack> {
    let spawns = |name, right: &str, tries| {
        Attack::new(name, "hostile/spawn", tries).allowed(&format!("{{ jobs = {{ {right} }} }}"))
    };
    vec![
        Attack::new("state-flood", "hostile/state-flood", "fills its job's state with 32 MiB and succeeds")
            .allowed("{ state = true }")
            .limited(&format!("state = \"{}KiB\"", STATE >> 10))
            .ends(Outcome::Succeeded, &["limit of 64.0 KiB", "limits.state"]),
        spawns(
            "jobs-storm",
            "max_jobs = 10, per_minute = 100000",
            "adds 2,000 jobs that run every second and do the same",
        )
        .ends(Outcome::Succeeded, &["the limit is 10 (allow.jobs.max_jobs)", "look at 1000 jobs at most"]),
        spawns(
            "jobs-rate",
            "max_jobs = 20, per_minute = 20",
            "the same, under a right of 20 changes a minute",
        )
        .ends(Outcome::Succeeded, &["20 changes within a minute", "allow.jobs.per_minute"]),
        spawns(
            "fork-bomb",
            "max_jobs = 5, per_minute = 100000",
            "the same from a job that runs every second itself",
        )
        .each_second()
        .ends(Outcome::Succeeded, &["the limit is 5 (allow.jobs.max_jobs)"]),
    ]
}
