//! The engines of a sandbox: one for most plugins, and others for those whose limits need them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use crate::{
    PluginError, SandboxError,
    engine::{EngineSettings, Machine},
    ticker::Ticker,
};

/// The most engines beside the usual one. Each takes memory and threads' stacks of its own, and plugins ask for them.
const MOST: usize = 8;

/// Makes engines when they are first needed. All but the usual one end with the last plugin that runs on them.
pub(crate) struct Machines {
    pub(crate) usual: Arc<Machine>,
    others: Mutex<HashMap<EngineSettings, Weak<Machine>>>,
    max_instances: u32,
    coredumps: bool,
}

impl Machines {
    pub(crate) fn new(max_instances: u32, coredumps: bool, ticker: &Ticker) -> Result<Self, SandboxError> {
        let usual = Arc::new(Machine::new(EngineSettings::default(), max_instances, coredumps)?);
        ticker.add(&usual.engine);
        Ok(Self { usual, others: Mutex::default(), max_instances, coredumps })
    }

    /// The engine of these settings.
    pub(crate) fn get(&self, settings: EngineSettings, ticker: &Ticker) -> Result<Arc<Machine>, PluginError> {
        if settings == self.usual.settings {
            return Ok(self.usual.clone());
        }
        // Held while an engine is made: a second one of the same settings would be in vain.
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(machine) = others.get(&settings).and_then(Weak::upgrade) {
            return Ok(machine);
        }
        others.retain(|_, machine| machine.strong_count() > 0);
        if others.len() >= MOST {
            return Err(PluginError::TooManyEngines { most: MOST + 1 });
        }
        let machine = Machine::new(settings, self.max_instances, self.coredumps);
        let machine = Arc::new(machine.map_err(|e| PluginError::Host(e.to_string()))?);
        ticker.add(&machine.engine);
        others.insert(settings, Arc::downgrade(&machine));
        Ok(machine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_shared_while_it_is_in_use_and_there_are_not_too_many() {
        let ticker = Ticker::start().unwrap();
        let machines = Machines::new(1, false, &ticker).unwrap();
        let get = |stack| machines.get(EngineSettings { fuel: false, stack }, &ticker);
        assert!(Arc::ptr_eq(&get(None).unwrap(), &machines.usual));
        let stack = |n: usize| Some((n as u64 + 1) << 20);
        let mut used: Vec<_> = (0..MOST).map(|n| get(stack(n)).unwrap()).collect();
        assert!(Arc::ptr_eq(&get(stack(0)).unwrap(), &used[0]));
        assert_eq!(get(stack(MOST)).err(), Some(PluginError::TooManyEngines { most: MOST + 1 }));
        used.pop();
        assert!(get(stack(MOST)).is_ok(), "the place of one that is no longer used");
    }
}
