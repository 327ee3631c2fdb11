//! The timetable against a model store, under random orders of events: fires, ends, commits that come late, crashes,
//! clock jumps, reloads, pauses and cancellations. Whatever happens, the promises hold; a failing seed is printed and
//! can be run alone with `SIMULATION_SEED=n cargo test -p clockbox-core --test simulation`; `SIMULATION_SEEDS=n` tries more
//! of them.

mod store;
mod world;

use world::World;

const SEEDS: u64 = 400;
const STEPS: u32 = 300;

fn simulate(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    world.settle();
}

#[test]
fn the_promises_hold_under_every_order_of_events() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = number("SIMULATION_SEED")
        .map_or(0..number("SIMULATION_SEEDS").unwrap_or(SEEDS), |seed| seed..seed + 1);
    for seed in seeds {
        let run = std::panic::catch_unwind(|| simulate(seed));
        assert!(
            run.is_ok(),
            "replay with SIMULATION_SEED={seed} cargo test -p clockbox-core --test simulation"
        );
    }
}

#[test]
fn a_seed_replays_to_the_same_history() {
    let history = |seed| {
        let mut world = World::new(seed);
        (0..STEPS).for_each(|_| world.step());
        world.settle();
        world.history()
    };
    assert_eq!(history(7), history(7));
    assert_ne!(history(7), history(8));
}
