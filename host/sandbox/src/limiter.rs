//! The memory limit of a run: one sum over memories, tables and GC heap.

use wasmtime::ResourceLimiter;

use crate::error::LARGEST_TABLE;

/// The most memories, tables and core instances that one run may have; far beyond what real guests need.
const MOST_OF_EACH: usize = 1_000;

/// Sums what a run holds and refuses what goes beyond the limit.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: u64,
    held: u64,
    peak: u64,
    /// What the run would have held with the latest refused request.
    denied: Option<u64>,
    /// The elements of the latest table that was refused for its size.
    table: Option<usize>,
}

impl Limiter {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, held: 0, peak: 0, denied: None, table: None }
    }

    /// The most that the run held at one time, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.peak
    }

    /// What the run would have held had its latest refused request been granted; `None` when none was refused.
    pub(crate) fn denied(&self) -> Option<u64> {
        self.denied
    }

    /// The elements of the latest table that was refused because no table may have so many.
    pub(crate) fn table(&self) -> Option<usize> {
        self.table
    }

    /// Counts what the host holds for the run, unless that is more than it may have.
    pub(crate) fn hold(&mut self, bytes: u64) -> bool {
        let wanted = self.held.saturating_add(bytes);
        if wanted > self.limit {
            self.denied = Some(wanted);
            return false;
        }
        self.held = wanted;
        self.peak = self.peak.max(wanted);
        true
    }

    /// Gives back what was held.
    pub(crate) fn release(&mut self, bytes: u64) {
        self.held = self.held.saturating_sub(bytes);
    }

    fn grow(&mut self, current: usize, desired: usize, each: u64, maximum: Option<usize>) -> bool {
        let more = (desired.saturating_sub(current) as u64).saturating_mul(each);
        let wanted = self.held.saturating_add(more);
        if wanted > self.limit {
            self.denied = Some(wanted);
            return false;
        }
        // A request beyond the type's own maximum fails whatever is answered here, and then nothing is held.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return false;
        }
        self.hold(more)
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, 1, maximum))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > LARGEST_TABLE {
            self.table = Some(desired);
        }
        Ok(self.grow(current, desired, size_of::<usize>() as u64, maximum))
    }

    fn instances(&self) -> usize {
        MOST_OF_EACH
    }

    fn tables(&self) -> usize {
        MOST_OF_EACH
    }

    fn memories(&self) -> usize {
        MOST_OF_EACH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_count_into_one_sum() {
        let mut limiter = Limiter::new(200_000);
        assert!(limiter.memory_growing(0, 65_536, None).unwrap());
        assert!(limiter.memory_growing(0, 65_536, None).unwrap());
        assert!(limiter.table_growing(0, 8_000, None).unwrap());
        assert!(!limiter.memory_growing(65_536, 131_072, None).unwrap());
        assert_eq!(limiter.peak(), 2 * 65_536 + 8 * 8_000);
        assert_eq!(limiter.denied(), Some(3 * 65_536 + 8 * 8_000));
    }

    #[test]
    fn a_request_beyond_the_types_own_maximum_is_not_the_limits_doing() {
        let mut limiter = Limiter::new(1 << 30);
        assert!(!limiter.memory_growing(0, 131_072, Some(65_536)).unwrap());
        assert_eq!(limiter.denied(), None);
    }
}
