//! An allocator that counts what each thread takes, for tests about memory.

#![expect(
    unsafe_code,
    reason = "an allocator has no safe interface; this one hands everything to the system's"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write as _;

/// The allocator: `#[global_allocator] static COUNTING: Counting = Counting;`.
pub(crate) struct Counting;

struct Counters {
    /// Bytes taken and not given back; below zero where another thread took them.
    live: Cell<isize>,
    peak: Cell<isize>,
    limit: Cell<isize>,
    count: Cell<usize>,
}

thread_local! {
    // Neither made nor dropped by code that would allocate.
    static COUNTERS: Counters = const {
        Counters {
            live: Cell::new(0),
            peak: Cell::new(0),
            limit: Cell::new(isize::MAX),
            count: Cell::new(0),
        }
    };
}

/// What a piece of work took of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// How often it asked for some.
    pub(crate) count: usize,
    /// Bytes it had at one time.
    pub(crate) peak: usize,
}

/// Does the work on this thread, in no more than `limit` bytes: more ends the process.
pub(crate) fn within<T>(limit: usize, work: impl FnOnce() -> T) -> (T, Taken) {
    let (before, count) = COUNTERS.with(|counters| {
        let live = counters.live.get();
        counters.peak.set(live);
        let limit = isize::try_from(limit).unwrap_or(isize::MAX);
        counters.limit.set(live.saturating_add(limit));
        (live, counters.count.get())
    });
    let result = work();
    let taken = COUNTERS.with(|counters| {
        counters.limit.set(isize::MAX);
        Taken {
            count: counters.count.get() - count,
            peak: counters.peak.get().abs_diff(before),
        }
    });
    (result, taken)
}

/// Counts, and says whether that much may be had.
fn take(size: usize) -> bool {
    let counted = COUNTERS.try_with(|counters| {
        let live = counters.live.get().saturating_add_unsigned(size);
        if live > counters.limit.get() {
            counters.limit.set(isize::MAX);
            // What asked for it aborts; what it was working on is on standard error already, or
            // in the name of the test.
            let _ = writeln!(std::io::stderr(), "more memory than the test allows");
            return false;
        }
        counters.live.set(live);
        counters.peak.set(counters.peak.get().max(live));
        counters.count.set(counters.count.get() + 1);
        true
    });
    // A thread that ends counts no more.
    counted.unwrap_or(true)
}

fn give_back(size: usize) {
    let _ = COUNTERS.try_with(|counters| {
        counters
            .live
            .set(counters.live.get().saturating_sub_unsigned(size));
    });
}

// SAFETY: every block is the system allocator's, asked for and given back with the layout the
// caller names; null is a refusal, as the trait says.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !take(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        give_back(layout.size());
        // SAFETY: the block came from `alloc` or `realloc` here, so from the system's.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !take(size) {
            return std::ptr::null_mut();
        }
        give_back(layout.size());
        // SAFETY: as for `dealloc`; the caller vouches for the size.
        unsafe { System.realloc(block, layout, size) }
    }
}
