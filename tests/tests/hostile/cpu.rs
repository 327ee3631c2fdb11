//! Attacks on time: guests that do not end.

use clockbox_core::model::Outcome;

use crate::attack::Attack;

const TIMEOUT: &[&str] = &["300ms", "limits.timeout"];

pub(crate) fn attacks() -> Vec<Attack> {
    let endless =
        |name, file, tries| Attack::new(name, file, tries).briefly().ends(Outcome::TimedOut, TIMEOUT);
    vec![
        endless("spin", "spin", "never ends and never calls the host"),
        endless("start-spin", "start-spin", "never ends in its start function, before its entry is called"),
        endless("park-sleep", "sleep", "sleeps for an hour in one call of the host"),
        endless("park-poll", "hostile/park-poll", "polls 5,000 clocks, none of which rings within an age"),
        endless("park-stdin", "hostile/park-stdin", "reads standard input beyond its end, for ever"),
        Attack::new(
            "random-flood",
            "hostile/random-flood",
            "asks for 12 MiB of random bytes a call, for ever",
        )
        .ends(Outcome::Trapped, &["more than 1.0 MiB of random bytes", "no key raises"]),
    ]
}
