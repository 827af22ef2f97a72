//! The measurements with mimalloc.

use mimalloc::MiMalloc;
use resplay_table_bench::{Counted, run};

#[global_allocator]
static ALLOCATOR: Counted<MiMalloc> = Counted::new(MiMalloc, usable);

fn usable(at: *mut u8) -> usize {
    unsafe { libmimalloc_sys::mi_usable_size(at.cast()) }
}

fn main() {
    run("mimalloc", || ALLOCATOR.bytes(), |on| ALLOCATOR.count(on));
}
