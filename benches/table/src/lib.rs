//! Measures the table of a database: bytes a key, all told, and the time of lookups and insertions.

mod chained;

use std::alloc::{GlobalAlloc, Layout};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use chained::Chained;
use resplay::data::table::Table;
use resplay::keyspace::entry::Entry;

/// An allocator that can tell what it has given out, its own overhead included.
pub struct Counted<A> {
    inner: A,
    usable: fn(*mut u8) -> usize,
    bytes: AtomicUsize,
    on: AtomicBool,
}

impl<A> Counted<A> {
    pub const fn new(inner: A, usable: fn(*mut u8) -> usize) -> Self {
        Counted { inner, usable, bytes: AtomicUsize::new(0), on: AtomicBool::new(false) }
    }
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }
    pub fn count(&self, on: bool) {
        self.on.store(on, Relaxed);
    }
    fn add(&self, at: *mut u8) {
        if self.on.load(Relaxed) && !at.is_null() {
            self.bytes.fetch_add((self.usable)(at), Relaxed);
        }
    }
    fn sub(&self, at: *mut u8) {
        if self.on.load(Relaxed) {
            self.bytes.fetch_sub((self.usable)(at), Relaxed);
        }
    }
}

unsafe impl<A: GlobalAlloc> GlobalAlloc for Counted<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let at = unsafe { self.inner.alloc(layout) };
        self.add(at);
        at
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        self.sub(at);
        unsafe { self.inner.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.sub(at);
        let at = unsafe { self.inner.realloc(at, layout, size) };
        self.add(at);
        at
    }
}

trait Design {
    fn make() -> Self;
    fn put(&mut self, entry: Entry);
    fn find(&self, key: &[u8]) -> Option<&Entry>;
    fn hint(&self, _key: &[u8]) {}
    fn hint_element(&self, _key: &[u8]) {}
    fn heap(&self) -> usize;
}

impl Design for Table<Entry> {
    fn make() -> Self {
        Table::new(42)
    }
    fn put(&mut self, entry: Entry) {
        self.insert(entry);
    }
    fn find(&self, key: &[u8]) -> Option<&Entry> {
        self.get(key)
    }
    fn hint(&self, key: &[u8]) {
        self.prefetch(key);
    }
    fn hint_element(&self, key: &[u8]) {
        self.prefetch_element(key);
    }
    fn heap(&self) -> usize {
        self.heap_bytes()
    }
}

impl Design for Chained<Entry> {
    fn make() -> Self {
        Chained::new(42)
    }
    fn put(&mut self, entry: Entry) {
        if self.get(entry.key()).is_none() {
            self.insert_new(entry);
        }
    }
    fn find(&self, key: &[u8]) -> Option<&Entry> {
        self.get(key)
    }
    fn heap(&self) -> usize {
        self.array_bytes()
    }
}

const VALUE: [u8; 32] = [b'v'; 32];

/// A key of ten bytes.
fn key(n: u64) -> [u8; 10] {
    let mut key = *b"k000000000";
    let mut rest = n;
    for digit in key[1..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    key
}

fn dice(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

/// Of this thread: others may be busy too.
fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

struct Row {
    bytes: f64,
    table: f64,
    resident: f64,
    hit: f64,
    batched: f64,
    miss: f64,
    insert: f64,
    slowest_us: f64,
    over_20_us: usize,
}

/// The cost of `each` in ns, the making of keys apart.
fn time(count: u64, keys: u64, mut each: impl FnMut(u64)) -> f64 {
    let mut state = 1;
    let start = cpu_time();
    for _ in 0..count {
        black_box(key(dice(&mut state) % keys));
    }
    let empty = cpu_time() - start;
    let start = cpu_time();
    for _ in 0..count {
        each(dice(&mut state) % keys);
    }
    ((cpu_time() - start).as_nanos() as f64 - empty.as_nanos() as f64) / count as f64
}

fn measure<D: Design>(keys: u64, ttl: bool, bytes: &dyn Fn() -> usize, count: &dyn Fn(bool)) -> Row {
    let entry = |n| {
        let mut entry = Entry::with_bytes(&key(n), &VALUE);
        if ttl {
            entry.set_expires_at(Some(1 << 40));
        }
        entry
    };
    let repeats = (300_000 / keys).max(1);
    let mut insert = 0.0;
    for _ in 0..repeats {
        let mut table = D::make();
        let start = cpu_time();
        (0..keys).for_each(|n| table.put(entry(n)));
        insert += (cpu_time() - start).as_nanos() as f64;
        std::mem::forget(table);
    }
    let resident_before = resident();
    let before = bytes();
    let mut table = D::make();
    count(true);
    (0..keys).for_each(|n| table.put(entry(n)));
    count(false);
    let all = (bytes() - before) as f64 / keys as f64;
    let resident = (resident() - resident_before) as f64 / keys as f64;
    let lookups = 4_000_000;
    let hit = time(lookups, keys, |n| {
        black_box(table.find(&key(n)).is_some());
    });
    let miss = time(lookups, keys, |n| {
        black_box(table.find(&key(n + 500_000_000)).is_some());
    });
    let mut batch = Vec::with_capacity(16);
    let batched = time(lookups, keys, |n| {
        batch.push(key(n));
        if batch.len() == 16 {
            batch.iter().for_each(|key| table.hint(key));
            batch.iter().for_each(|key| table.hint_element(key));
            batch.iter().for_each(|key| assert!(black_box(table.find(key)).is_some()));
            batch.clear();
        }
    });
    let heap = table.heap() as f64 / keys as f64;
    let mut slow = D::make();
    let (mut slowest_us, mut over_20_us) = (0f64, 0);
    for n in 0..keys {
        let entry = entry(n);
        let start = cpu_time();
        slow.put(entry);
        let us = (cpu_time() - start).as_nanos() as f64 / 1000.0;
        slowest_us = slowest_us.max(us);
        over_20_us += usize::from(us > 20.0);
    }
    std::mem::forget((table, slow));
    Row {
        bytes: all,
        table: heap,
        resident,
        hit,
        batched,
        miss,
        insert: insert / (keys * repeats) as f64,
        slowest_us,
        over_20_us,
    }
}

/// With arguments `design keys ttl` measures one case; without, all of them, each in a process of its own.
pub fn run(allocator: &str, bytes: impl Fn() -> usize, count: impl Fn(bool)) {
    let args: Vec<String> = std::env::args().collect();
    if args.len() < 4 {
        println!(
            "| design | allocator | keys | TTL | bytes a key | of it table | resident | hit ns | hit, batched | miss ns | insert ns | slowest insert µs | over 20 µs |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        for keys in ["1000", "50000", "1000000", "1400000", "10000000"] {
            for design in ["segmented", "chained"] {
                for ttl in ["no", "yes"] {
                    if ttl == "yes" && keys != "1000000" {
                        continue;
                    }
                    let case = std::process::Command::new(&args[0]).args([design, keys, ttl]).status();
                    assert!(case.is_ok_and(|status| status.success()));
                }
            }
        }
        return;
    }
    let keys = args[2].parse().expect("a number of keys");
    let ttl = args[3] == "yes";
    let row = match args[1].as_str() {
        "chained" => measure::<Chained<Entry>>(keys, ttl, &bytes, &count),
        _ => measure::<Table<Entry>>(keys, ttl, &bytes, &count),
    };
    println!(
        "| {} | {allocator} | {keys} | {} | {:.1} | {:.1} | {:.1} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {} |",
        args[1],
        args[3],
        row.bytes,
        row.table,
        row.resident,
        row.hit,
        row.batched,
        row.miss,
        row.insert,
        row.slowest_us,
        row.over_20_us
    );
}
