//! An allocator that counts.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// The system's allocator, with a count of what is handed out.
pub(crate) struct Heap {
    live: AtomicUsize,
    peak: AtomicUsize,
}

impl Heap {
    pub(crate) const fn new() -> Self {
        Self { live: AtomicUsize::new(0), peak: AtomicUsize::new(0) }
    }

    /// Bytes that are in use.
    pub(crate) fn live(&self) -> usize {
        self.live.load(Relaxed)
    }

    /// The most bytes that were in use since [`Self::restart_peak`].
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Relaxed)
    }

    pub(crate) fn restart_peak(&self) {
        self.peak.store(self.live(), Relaxed);
    }

    fn add(&self, size: usize) {
        let live = self.live.fetch_add(chunk(size), Relaxed) + chunk(size);
        self.peak.fetch_max(live, Relaxed);
    }

    fn remove(&self, size: usize) {
        self.live.fetch_sub(chunk(size), Relaxed);
    }
}

/// What glibc sets aside for a piece of this size.
const fn chunk(size: usize) -> usize {
    let rounded = (size + 8).next_multiple_of(16);
    if rounded < 32 { 32 } else { rounded }
}

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe by its nature; this one only counts what it passes on"
)]
// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.add(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.add(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.add(size);
        self.remove(layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(place, layout, size) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        self.remove(layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}
