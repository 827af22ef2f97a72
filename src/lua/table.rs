//! Tables: an array for 1..n and a chained scatter table in which a colliding key that is not at home
//! moves away (Brent's variation). Sizes, hash positions and the order of the free slots follow Lua 5.1,
//! because `pairs` and `#` show them to scripts.

use super::heap::{Memory, Strings};
use super::value::{OutOfMemory, Str, Value};

const NONE: u32 = u32::MAX;
/// The largest array part is 2^26 values.
const ARRAY_BITS: usize = 26;

#[derive(Clone, Copy)]
pub(crate) struct Node {
    pub key: Value,
    pub value: Value,
    next: u32,
}

const EMPTY_NODE: Node = Node { key: Value::Nil, value: Value::Nil, next: NONE };

pub(crate) struct TableObject {
    pub array: Vec<Value>,
    pub nodes: Box<[Node]>,
    /// Slots at or above this one have been handed out.
    free: u32,
    /// Index of the metatable, or `NO_META`.
    pub meta: u32,
    /// One bit for each metamethod known to be absent from this table; see `meta.rs`.
    pub absent: u32,
    pub readonly: bool,
    pub mark: u8,
}

pub(crate) const NO_META: u32 = NONE;

fn number_hash(n: f64) -> u32 {
    if n == 0.0 {
        return 0;
    }
    let bits = n.to_bits();
    (bits as u32).wrapping_add((bits >> 32) as u32)
}

#[inline]
fn array_index(n: f64, len: usize) -> Option<usize> {
    let i = n as u32;
    if i as f64 == n && (i as usize).wrapping_sub(1) < len { Some(i as usize - 1) } else { None }
}

/// The key as an index an array part could hold.
fn as_array_key(key: Value) -> Option<usize> {
    match key {
        Value::Number(n) => {
            let i = n as u32;
            (i as f64 == n && i >= 1 && i as usize <= 1 << ARRAY_BITS).then_some(i as usize)
        }
        _ => None,
    }
}

impl TableObject {
    pub fn new() -> TableObject {
        TableObject {
            array: Vec::new(),
            nodes: Box::default(),
            free: 0,
            meta: NO_META,
            absent: 0,
            readonly: false,
            mark: 0,
        }
    }

    /// Bytes outside the arena slot.
    pub fn bytes(&self) -> usize {
        self.array.capacity() * size_of::<Value>() + self.nodes.len() * size_of::<Node>()
    }

    #[inline]
    fn by_number(&self, hash: u32) -> usize {
        (hash % ((self.nodes.len() as u32 - 1) | 1)) as usize
    }

    pub fn main_position(&self, key: Value, strings: &Strings) -> usize {
        let mask = self.nodes.len() - 1;
        match key {
            Value::Str(s) => strings.hash(s) as usize & mask,
            Value::Bool(b) => b as usize & mask,
            Value::Number(n) => self.by_number(number_hash(n)),
            Value::Tombstone(at) => at as usize,
            Value::Table(t) => self.by_number(t.0.wrapping_mul(5)),
            Value::Function(c) => self.by_number(c.0.wrapping_mul(5) + 1),
            Value::Host(h) => self.by_number(h.0.wrapping_mul(5) + 2),
            Value::Userdata(u) => self.by_number(u.0.wrapping_mul(5) + 3),
            Value::Coroutine(c) => self.by_number(c.0.wrapping_mul(5) + 4),
            Value::Light(n) => self.by_number(n),
            Value::Nil => 0,
        }
    }

    /// The value under a short string whose hash is known.
    #[inline]
    pub fn get_short(&self, key: Str, hash: u32) -> Value {
        match self.find_short(key, hash) {
            Some(i) => self.nodes[i].value,
            None => Value::Nil,
        }
    }

    #[inline]
    pub fn find_short(&self, key: Str, hash: u32) -> Option<usize> {
        let mut i = hash as usize & self.nodes.len().wrapping_sub(1);
        while let Some(node) = self.nodes.get(i) {
            if let Value::Str(s) = node.key
                && s == key
            {
                return Some(i);
            }
            i = node.next as usize;
        }
        None
    }

    #[inline]
    pub fn get_number(&self, n: f64) -> Value {
        match array_index(n, self.array.len()) {
            Some(i) => self.array[i],
            None => self.get_number_hashed(n),
        }
    }

    fn get_number_hashed(&self, n: f64) -> Value {
        if self.nodes.is_empty() {
            return Value::Nil;
        }
        let mut i = self.by_number(number_hash(n));
        while let Some(node) = self.nodes.get(i) {
            if let Value::Number(k) = node.key
                && k == n
            {
                return node.value;
            }
            i = node.next as usize;
        }
        Value::Nil
    }

    pub fn get_index(&self, i: usize) -> Value {
        match self.array.get(i.wrapping_sub(1)) {
            Some(v) => *v,
            None => self.get_number_hashed(i as f64),
        }
    }

    fn find_node(&self, key: Value, strings: &Strings) -> Option<usize> {
        if self.nodes.is_empty() {
            return None;
        }
        let mut i = self.main_position(key, strings);
        while let Some(node) = self.nodes.get(i) {
            if strings.raw_equal(node.key, key) {
                return Some(i);
            }
            i = node.next as usize;
        }
        None
    }

    pub fn get(&self, key: Value, strings: &Strings) -> Value {
        match key {
            Value::Number(n) => self.get_number(n),
            Value::Str(s) if !s.is_long() => self.get_short(s, strings.hash(s)),
            Value::Nil => Value::Nil,
            _ => self.find_node(key, strings).map_or(Value::Nil, |i| self.nodes[i].value),
        }
    }

    /// Where the value of an existing key is kept.
    pub fn slot(&mut self, key: Value, strings: &Strings) -> Option<&mut Value> {
        if let Value::Number(n) = key
            && let Some(i) = array_index(n, self.array.len())
        {
            return Some(&mut self.array[i]);
        }
        let i = self.find_node(key, strings)?;
        Some(&mut self.nodes[i].value)
    }

    /// Sets without metamethods. The key is neither nil nor NaN.
    pub fn set(
        &mut self,
        key: Value,
        value: Value,
        strings: &Strings,
        memory: &mut Memory,
    ) -> Result<(), OutOfMemory> {
        self.absent = 0;
        if let Some(slot) = self.slot(key, strings) {
            *slot = value;
            return Ok(());
        }
        // A nil makes an entry too, as in Lua 5.1: it counts when the sizes are chosen.
        self.insert(key, value, strings, memory)
    }

    pub fn set_index(
        &mut self,
        i: usize,
        value: Value,
        strings: &Strings,
        memory: &mut Memory,
    ) -> Result<(), OutOfMemory> {
        match self.array.get_mut(i.wrapping_sub(1)) {
            Some(slot) => {
                *slot = value;
                Ok(())
            }
            None => self.set(Value::Number(i as f64), value, strings, memory),
        }
    }

    fn take_free(&mut self) -> Option<usize> {
        while self.free > 0 {
            self.free -= 1;
            if self.nodes[self.free as usize].key.is_nil() {
                return Some(self.free as usize);
            }
        }
        None
    }

    /// Adds a key that is not there.
    #[inline(never)]
    pub fn insert(
        &mut self,
        key: Value,
        value: Value,
        strings: &Strings,
        memory: &mut Memory,
    ) -> Result<(), OutOfMemory> {
        self.absent = 0;
        if self.nodes.is_empty() {
            self.rehash(key, strings, memory)?;
            return self.set(key, value, strings, memory);
        }
        let home = self.main_position(key, strings);
        if self.nodes[home].value.is_nil() {
            self.nodes[home].key = key;
            self.nodes[home].value = value;
            return Ok(());
        }
        let Some(free) = self.take_free() else {
            self.rehash(key, strings, memory)?;
            return self.set(key, value, strings, memory);
        };
        let other = self.main_position(self.nodes[home].key, strings);
        if other != home {
            // The node here belongs to another chain: it moves, the new key takes its home.
            let mut previous = other;
            while self.nodes[previous].next as usize != home {
                previous = self.nodes[previous].next as usize;
            }
            self.nodes[previous].next = free as u32;
            self.nodes[free] = self.nodes[home];
            self.nodes[home] = Node { key, value, next: NONE };
        } else {
            let next = self.nodes[home].next;
            self.nodes[free] = Node { key, value, next };
            self.nodes[home].next = free as u32;
        }
        Ok(())
    }

    /// Chooses new sizes so that more than half of the array part is in use.
    #[inline(never)]
    fn rehash(&mut self, key: Value, strings: &Strings, memory: &mut Memory) -> Result<(), OutOfMemory> {
        // counts[b]: keys k with 2^(b-1) < k <= 2^b
        let mut counts = [0usize; ARRAY_BITS + 1];
        let mut integers = 0;
        let mut total = 1;
        let mut i = 0;
        for (bit, count) in counts.iter_mut().enumerate() {
            let end = (1usize << bit).min(self.array.len());
            if i >= end && i >= self.array.len() {
                break;
            }
            let n = self.array[i..end].iter().filter(|v| !v.is_nil()).count();
            *count += n;
            integers += n;
            i = end;
        }
        total += integers;
        let mut count_key = |key: Value| {
            if let Some(k) = as_array_key(key) {
                counts[k.next_power_of_two().trailing_zeros() as usize] += 1;
                integers += 1;
            }
        };
        for node in self.nodes.iter() {
            if !node.value.is_nil() {
                count_key(node.key);
                total += 1;
            }
        }
        count_key(key);
        let (mut size, mut used, mut seen) = (0, 0, 0);
        for (bit, count) in counts.iter().enumerate() {
            let limit = 1usize << bit;
            if limit / 2 >= integers {
                break;
            }
            if *count > 0 {
                seen += count;
                if seen > limit / 2 {
                    size = limit;
                    used = seen;
                }
            }
            if seen == integers {
                break;
            }
        }
        self.resize(size, total - used, strings, memory)
    }

    #[inline(never)]
    pub fn resize(
        &mut self,
        array: usize,
        hash: usize,
        strings: &Strings,
        memory: &mut Memory,
    ) -> Result<(), OutOfMemory> {
        let nodes = if hash == 0 { 0 } else { hash.next_power_of_two() };
        let before = self.bytes();
        // Old and new exist at once while the contents move.
        let array_bytes = if array > self.array.len() { array * size_of::<Value>() } else { 0 };
        memory.charge(array_bytes + nodes * size_of::<Node>())?;
        if array > self.array.len() {
            self.array.reserve_exact(array - self.array.len());
            self.array.resize(array, Value::Nil);
        }
        let old = std::mem::replace(&mut self.nodes, vec![EMPTY_NODE; nodes].into_boxed_slice());
        self.free = nodes as u32;
        let mut inner = Ok(());
        if array < self.array.len() {
            let cut = self.array.split_off(array);
            self.array.shrink_to_fit();
            for (i, value) in cut.into_iter().enumerate() {
                if !value.is_nil() {
                    let key = Value::Number((array + i + 1) as f64);
                    inner = inner.and(self.set(key, value, strings, memory));
                }
            }
        }
        for node in old.iter().rev() {
            if !node.value.is_nil() {
                inner = inner.and(self.set(node.key, node.value, strings, memory));
            }
        }
        // What was charged and is not held any more.
        let charged = array_bytes + nodes * size_of::<Node>();
        memory.release((before + charged).saturating_sub(self.bytes()));
        inner
    }

    /// A border: `t[n]` is not nil and `t[n + 1]` is. Which one, when there are several, is Lua 5.1's choice.
    pub fn border(&self) -> usize {
        let len = self.array.len();
        if len > 0 && self.array[len - 1].is_nil() {
            let (mut low, mut high) = (0, len);
            while high - low > 1 {
                let middle = (low + high) / 2;
                if self.array[middle - 1].is_nil() { high = middle } else { low = middle }
            }
            return low;
        }
        if self.nodes.is_empty() {
            return len;
        }
        let (mut low, mut high) = (len, len + 1);
        while !self.get_index(high).is_nil() {
            low = high;
            high *= 2;
            if high > 1 << 30 {
                let mut i = 1;
                while !self.get_index(i).is_nil() {
                    i += 1;
                }
                return i - 1;
            }
        }
        while high - low > 1 {
            let middle = (low + high) / 2;
            if self.get_index(middle).is_nil() { high = middle } else { low = middle }
        }
        low
    }

    /// The entry after `key` (nil: the first); `None` when the key is unknown, a nil key at the end.
    pub fn next(&self, key: Value, strings: &Strings) -> Option<(Value, Value)> {
        let start = match key {
            Value::Nil => 0,
            Value::Number(n) if array_index(n, self.array.len()).is_some() => n as usize,
            _ => self.array.len() + self.find_node(key, strings)? + 1,
        };
        Some(self.next_from(start).map_or((Value::Nil, Value::Nil), |(_, k, v)| (k, v)))
    }

    /// The first entry at or after a position, with the position after it.
    pub fn next_from(&self, start: usize) -> Option<(usize, Value, Value)> {
        for i in start..self.array.len() {
            if !self.array[i].is_nil() {
                return Some((i + 1, Value::Number((i + 1) as f64), self.array[i]));
            }
        }
        for i in start.saturating_sub(self.array.len())..self.nodes.len() {
            let node = &self.nodes[i];
            if !node.value.is_nil() {
                return Some((self.array.len() + i + 1, node.key, node.value));
            }
        }
        None
    }

    /// The largest positive number key.
    pub fn largest_number(&self) -> f64 {
        let in_array = self.array.iter().rposition(|v| !v.is_nil()).map_or(0.0, |i| (i + 1) as f64);
        self.nodes.iter().fold(in_array, |max, node| match node.key {
            Value::Number(n) if !node.value.is_nil() && n > max => n,
            _ => max,
        })
    }
}
