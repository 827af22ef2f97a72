//! The measurements with the C library's allocator.

use resplay_table_bench::{Counted, run};
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: Counted<System> = Counted::new(System, usable);

fn usable(at: *mut u8) -> usize {
    // The word in front of a block is the allocator's own.
    unsafe { libc::malloc_usable_size(at.cast()) + 8 }
}

fn main() {
    run("glibc", || ALLOCATOR.bytes(), |on| ALLOCATOR.count(on));
}
