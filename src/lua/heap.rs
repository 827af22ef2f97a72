//! Where objects live: one arena a kind, every byte counted against the cap before it is allocated.
//! Knows nothing of execution; the collector is in `gc.rs`.

use std::rc::Rc;

use super::coroutine::Thread;
use super::host::Builtin;
use super::proto::Proto;
use super::table::TableObject;
use super::value::*;

pub(crate) struct Memory {
    pub bytes: usize,
    pub cap: usize,
    /// Allocated since the last collection, and how much starts the next one.
    pub since: usize,
    pub threshold: usize,
    /// The least that starts one.
    pub threshold_min: usize,
    /// A script asked for no collection; only need brings one.
    pub stopped: bool,
}

impl Memory {
    #[inline]
    pub fn charge(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        if bytes > self.cap.saturating_sub(self.bytes) {
            return Err(OutOfMemory);
        }
        self.bytes += bytes;
        self.since = self.since.saturating_add(bytes);
        Ok(())
    }

    #[inline]
    pub fn release(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Whether so many bytes more would fit; for buffers that live within one host function.
    pub fn fits(&self, bytes: usize) -> Result<(), OutOfMemory> {
        if bytes > self.cap.saturating_sub(self.bytes) { Err(OutOfMemory) } else { Ok(()) }
    }

    pub fn wants_collection(&self) -> bool {
        (self.since >= self.threshold && !self.stopped)
            || (self.bytes > self.cap / 4 * 3 && self.since > self.cap / 16)
    }
}

pub(crate) struct Arena<T> {
    pub items: Vec<T>,
    pub free: Vec<u32>,
}

impl<T> Arena<T> {
    fn new() -> Arena<T> {
        Arena { items: Vec::new(), free: Vec::new() }
    }

    pub fn add(&mut self, item: T, memory: &mut Memory) -> Result<u32, OutOfMemory> {
        if let Some(i) = self.free.pop() {
            memory.since += size_of::<T>();
            self.items[i as usize] = item;
            return Ok(i);
        }
        if self.items.len() == self.items.capacity() {
            let more = (self.items.len() / 2).max(32);
            // The free list can come to hold every index.
            memory.charge(more * (size_of::<T>() + 4))?;
            memory.since -= more * (size_of::<T>() + 4);
            self.items.reserve_exact(more);
        }
        memory.since += size_of::<T>();
        self.items.push(item);
        Ok(self.items.len() as u32 - 1)
    }
}

impl<T> Arena<T> {
    /// Gives back the end of an arena that is mostly free.
    pub fn trim(&mut self, used: fn(&T) -> bool, memory: &mut Memory) {
        let end = self.items.iter().rposition(used).map_or(0, |i| i + 1);
        let before = self.items.capacity();
        if before < 1024 || end > before / 2 {
            return;
        }
        self.items.truncate(end);
        self.items.shrink_to(end + end / 4);
        self.free.retain(|i| (*i as usize) < end);
        self.free.shrink_to_fit();
        memory.release((before - self.items.capacity()) * (size_of::<T>() + 4));
    }
}

pub(crate) struct StringObject {
    pub bytes: Box<[u8]>,
    pub hash: u32,
    next: u32,
    pub mark: u8,
}

const NO_STRING: u32 = u32::MAX;
/// Longer strings are not unique: making one costs a copy and no search.
const SHORT_MAX: usize = 40;

pub(crate) struct Strings {
    pub arena: Arena<StringObject>,
    buckets: Vec<u32>,
    shorts: usize,
}

/// Lua 5.1's hash: at most 32 bytes of the string take part, from the end.
pub(crate) fn string_hash(bytes: &[u8]) -> u32 {
    let mut h = bytes.len() as u32;
    let step = (bytes.len() >> 5) + 1;
    let mut i = bytes.len();
    while i >= step {
        h ^= (h << 5).wrapping_add(h >> 2).wrapping_add(bytes[i - 1] as u32);
        i -= step;
    }
    h
}

impl Strings {
    #[inline]
    pub fn bytes(&self, s: Str) -> &[u8] {
        &self.arena.items[s.index()].bytes
    }

    #[inline]
    pub fn hash(&self, s: Str) -> u32 {
        self.arena.items[s.index()].hash
    }

    #[inline]
    pub fn equal(&self, a: Str, b: Str) -> bool {
        a == b || (a.is_long() && b.is_long() && self.bytes(a) == self.bytes(b))
    }

    /// Equality without metamethods.
    #[inline]
    pub fn raw_equal(&self, a: Value, b: Value) -> bool {
        match (a, b) {
            (Value::Str(a), Value::Str(b)) => self.equal(a, b),
            _ => a.same(b),
        }
    }

    fn find(&self, bytes: &[u8], hash: u32) -> Option<Str> {
        let bucket = hash as usize & self.buckets.len().wrapping_sub(1);
        let mut i = *self.buckets.get(bucket)?;
        while i != NO_STRING {
            let item = &self.arena.items[i as usize];
            if item.hash == hash && *item.bytes == *bytes {
                return Some(Str(i));
            }
            i = item.next;
        }
        None
    }

    fn grow(&mut self, memory: &mut Memory) -> Result<(), OutOfMemory> {
        let size = (self.buckets.len() * 2).max(256);
        memory.charge(size * 4)?;
        memory.release(self.buckets.len() * 4);
        self.buckets.clear();
        self.buckets.reserve_exact(size);
        self.buckets.resize(size, NO_STRING);
        for i in 0..self.arena.items.len() {
            let item = &mut self.arena.items[i];
            if item.mark != 0 && item.bytes.len() <= SHORT_MAX {
                let bucket = item.hash as usize & (size - 1);
                item.next = self.buckets[bucket];
                self.buckets[bucket] = i as u32;
            }
        }
        Ok(())
    }

    fn add_short(&mut self, bytes: &[u8], mark: u8, memory: &mut Memory) -> Result<Str, OutOfMemory> {
        let hash = string_hash(bytes);
        if let Some(found) = self.find(bytes, hash) {
            return Ok(found);
        }
        if self.shorts >= self.buckets.len() {
            self.grow(memory)?;
        }
        memory.charge(bytes.len() + 8)?;
        let bucket = hash as usize & (self.buckets.len() - 1);
        let next = self.buckets[bucket];
        let index = self.arena.add(StringObject { bytes: bytes.into(), hash, next, mark }, memory)?;
        self.buckets[bucket] = index;
        self.shorts += 1;
        Ok(Str(index))
    }

    fn add_long(&mut self, bytes: Box<[u8]>, mark: u8, memory: &mut Memory) -> Result<Str, OutOfMemory> {
        memory.charge(bytes.len() + 8)?;
        let hash = string_hash(&bytes);
        let object = StringObject { bytes, hash, next: NO_STRING, mark };
        Ok(Str::long(self.arena.add(object, memory)? as usize))
    }

    /// Frees what does not bear the mark.
    pub fn sweep(&mut self, mark: u8, memory: &mut Memory) {
        for bucket in 0..self.buckets.len() {
            let mut i = self.buckets[bucket];
            let mut kept = NO_STRING;
            while i != NO_STRING {
                let next = self.arena.items[i as usize].next;
                if self.arena.items[i as usize].mark == mark {
                    self.arena.items[i as usize].next = kept;
                    kept = i;
                }
                i = next;
            }
            self.buckets[bucket] = kept;
        }
        for (i, item) in self.arena.items.iter_mut().enumerate() {
            if item.mark != mark && item.mark != 0 {
                memory.release(item.bytes.len() + 8);
                self.shorts -= (item.bytes.len() <= SHORT_MAX) as usize;
                item.bytes = Box::default();
                item.mark = 0;
                self.arena.free.push(i as u32);
            }
        }
        self.arena.trim(|s| s.mark != 0, memory);
    }
}

/// A Lua function's unchanging part, shared with the frames that run it.
pub(crate) struct Body {
    pub proto: Rc<Proto>,
    pub upvalues: Box<[u32]>,
}

pub(crate) struct ClosureObject {
    pub body: Option<Rc<Body>>,
    pub env: u32,
    pub mark: u8,
}

#[derive(Clone, Copy)]
pub(crate) enum HostKind {
    Builtin(Builtin),
    /// Answered by `Host::call` with this number.
    External(u32),
    /// Needs the machine's frames.
    Special(Special),
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Special {
    Pcall,
    Xpcall,
    Resume,
    Wrapped,
    Yield,
    Next,
    IpairsStep,
    CollectGarbage,
}

pub(crate) struct HostObject {
    pub kind: HostKind,
    pub upvalues: Box<[Value]>,
    pub mark: u8,
}

#[derive(Clone, Copy)]
pub(crate) enum Upvalue {
    /// On the stack of a coroutine, at an index.
    Open(u32, u32),
    Closed(Value),
}

pub(crate) struct UpvalueObject {
    pub at: Upvalue,
    pub mark: u8,
}

pub(crate) struct UserdataObject {
    pub meta: u32,
    pub mark: u8,
}

pub(crate) struct Heap {
    pub memory: Memory,
    pub strings: Strings,
    pub tables: Arena<TableObject>,
    pub closures: Arena<ClosureObject>,
    pub hosts: Arena<HostObject>,
    pub upvalues: Arena<UpvalueObject>,
    pub userdata: Arena<UserdataObject>,
    pub threads: Arena<Thread>,
    pub protos: Vec<Rc<Proto>>,
    /// What survivors of the last collection, and objects since then, are marked with: 1 or 2.
    pub mark: u8,
}

impl Heap {
    pub fn new(cap: usize) -> Heap {
        let mut heap = Heap {
            memory: Memory {
                bytes: 0,
                cap: usize::MAX,
                since: 0,
                threshold: 1 << 20,
                threshold_min: 1 << 20,
                stopped: false,
            },
            strings: Strings { arena: Arena::new(), buckets: Vec::new(), shorts: 0 },
            tables: Arena::new(),
            closures: Arena::new(),
            hosts: Arena::new(),
            upvalues: Arena::new(),
            userdata: Arena::new(),
            threads: Arena::new(),
            protos: Vec::new(),
            mark: 1,
        };
        let first = heap.string(b"not enough memory");
        debug_assert!(matches!(first, Ok(Str(0))));
        heap.memory.cap = cap;
        heap
    }

    pub fn string(&mut self, bytes: &[u8]) -> Result<Str, OutOfMemory> {
        if bytes.len() <= SHORT_MAX {
            self.strings.add_short(bytes, self.mark, &mut self.memory)
        } else {
            self.memory.fits(bytes.len())?;
            self.strings.add_long(bytes.into(), self.mark, &mut self.memory)
        }
    }

    #[inline(never)]
    pub fn string_from(&mut self, bytes: Vec<u8>) -> Result<Str, OutOfMemory> {
        if bytes.len() <= SHORT_MAX {
            self.string(&bytes)
        } else {
            self.strings.add_long(bytes.into_boxed_slice(), self.mark, &mut self.memory)
        }
    }

    #[inline(never)]
    pub fn table(&mut self, array: usize, hash: usize) -> Result<Table, OutOfMemory> {
        let mut object = TableObject::new();
        object.mark = self.mark;
        let index = self.tables.add(object, &mut self.memory)?;
        if array > 0 || hash > 0 {
            self.tables.items[index as usize].resize(array, hash, &self.strings, &mut self.memory)?;
        }
        Ok(Table(index))
    }

    pub fn closure(&mut self, body: Body, env: u32) -> Result<Closure, OutOfMemory> {
        self.memory.charge(size_of::<Body>() + 16 + body.upvalues.len() * 4)?;
        let object = ClosureObject { body: Some(Rc::new(body)), env, mark: self.mark };
        Ok(Closure(self.closures.add(object, &mut self.memory)?))
    }

    pub fn host(&mut self, kind: HostKind, upvalues: &[Value]) -> Result<HostFunction, OutOfMemory> {
        self.memory.charge(size_of_val(upvalues))?;
        let object = HostObject { kind, upvalues: upvalues.into(), mark: self.mark };
        Ok(HostFunction(self.hosts.add(object, &mut self.memory)?))
    }

    #[inline]
    pub fn object(&self, t: Table) -> &TableObject {
        &self.tables.items[t.0 as usize]
    }

    #[inline]
    pub fn object_mut(&mut self, t: Table) -> &mut TableObject {
        &mut self.tables.items[t.0 as usize]
    }

    pub fn get(&self, t: Table, key: Value) -> Value {
        self.object(t).get(key, &self.strings)
    }

    pub fn set(&mut self, t: Table, key: Value, value: Value) -> Result<(), OutOfMemory> {
        self.tables.items[t.0 as usize].set(key, value, &self.strings, &mut self.memory)
    }

    pub fn set_index(&mut self, t: Table, i: usize, value: Value) -> Result<(), OutOfMemory> {
        self.tables.items[t.0 as usize].set_index(i, value, &self.strings, &mut self.memory)
    }
}
