//! What a database's table holds: a key, when it was used, when it expires, and its value.

use std::cell::Cell;

use crate::data::table::Element;
use crate::data::value::{INLINE_BYTES_MAX, Value};

pub struct Entry(Box<Inner>);

struct Inner {
    key: Box<[u8]>,
    expires_at: Option<u64>,
    clock: Cell<u32>,
    edited: bool,
    held: Held,
}

enum Held {
    Int(i64),
    Bytes(Vec<u8>),
    Boxed(Box<Value>),
}

/// A look at a value. A string is `Int`, `Bytes` or `Boxed(Value::String)`.
pub enum ValueRef<'a> {
    Int(i64),
    Bytes(&'a [u8]),
    Boxed(&'a Value),
}

/// A value to be changed where it is. An integer is changed with [`Entry::set_int`].
pub enum ValueMut<'a> {
    Int(i64),
    Bytes(&'a mut [u8]),
    Boxed(&'a mut Value),
}

impl Entry {
    fn with(key: &[u8], held: Held) -> Entry {
        Entry(Box::new(Inner { key: key.into(), expires_at: None, clock: Cell::new(0), edited: false, held }))
    }
    /// A string; above [`INLINE_BYTES_MAX`] it goes into a box.
    pub fn with_bytes(key: &[u8], bytes: &[u8]) -> Entry {
        Entry::with(key, hold(bytes))
    }
    pub fn with_int(key: &[u8], int: i64) -> Entry {
        Entry::with(key, Held::Int(int))
    }
    pub fn with_boxed(key: &[u8], value: Box<Value>) -> Entry {
        Entry::with(key, Held::Boxed(value))
    }
    pub fn key(&self) -> &[u8] {
        &self.0.key
    }
    pub fn value(&self) -> ValueRef<'_> {
        match &self.0.held {
            Held::Int(int) => ValueRef::Int(*int),
            Held::Bytes(bytes) => ValueRef::Bytes(bytes),
            Held::Boxed(value) => ValueRef::Boxed(value),
        }
    }
    pub fn value_mut(&mut self) -> ValueMut<'_> {
        match &mut self.0.held {
            Held::Int(int) => ValueMut::Int(*int),
            Held::Bytes(bytes) => ValueMut::Bytes(bytes),
            Held::Boxed(value) => ValueMut::Boxed(value),
        }
    }
    /// Gives the key a new string, whatever it held. Key, expiry and clock stay; it counts as unedited.
    pub fn set_bytes(&mut self, bytes: &[u8]) {
        self.0.held = hold(bytes);
        self.0.edited = false;
    }
    /// Gives the key an integer, whatever it held. Key, expiry and clock stay; it counts as unedited.
    pub fn set_int(&mut self, int: i64) {
        self.0.held = Held::Int(int);
        self.0.edited = false;
    }
    /// Gives the key a boxed value, whatever it held. Key, expiry and clock stay; it counts as unedited.
    pub fn set_boxed(&mut self, value: Box<Value>) {
        self.0.held = Held::Boxed(value);
        self.0.edited = false;
    }
    /// Takes the boxed value out, if there is one, and leaves an empty string.
    pub fn take_boxed(&mut self) -> Option<Box<Value>> {
        match std::mem::replace(&mut self.0.held, Held::Bytes(Vec::new())) {
            Held::Boxed(value) => Some(value),
            held => {
                self.0.held = held;
                None
            }
        }
    }
    /// When the key expires, in ms since 1970.
    pub fn expires_at(&self) -> Option<u64> {
        self.0.expires_at
    }
    pub fn set_expires_at(&mut self, at_ms: Option<u64>) {
        self.0.expires_at = at_ms;
    }
    /// 24 bits for whoever chooses what to evict.
    pub fn clock(&self) -> u32 {
        self.0.clock.get()
    }
    /// Only the lower 24 bits are kept. Reading a key touches its clock, hence `&self`.
    pub fn set_clock(&self, clock: u32) {
        self.0.clock.set(clock & 0xff_ffff);
    }
    /// Whether the string was edited (APPEND, SETRANGE, …): OBJECT ENCODING then says "raw" at any length.
    pub fn is_edited(&self) -> bool {
        self.0.edited
    }
    pub fn set_edited(&mut self, edited: bool) {
        self.0.edited = edited;
    }
    /// The same value, expiry, clock and flags under another key.
    pub fn renamed(mut self, key: &[u8]) -> Entry {
        self.0.key = key.into();
        self
    }
    /// Bytes of the entry's own allocation; a boxed value's come on top.
    pub fn heap_bytes(&self) -> usize {
        let value = match &self.0.held {
            Held::Bytes(bytes) => bytes.len(),
            _ => 8,
        };
        (6 + self.0.key.len() + value + 8 * usize::from(self.0.expires_at.is_some())).next_multiple_of(8)
    }
}

fn hold(bytes: &[u8]) -> Held {
    if bytes.len() <= INLINE_BYTES_MAX {
        Held::Bytes(bytes.to_vec())
    } else {
        Held::Boxed(Box::new(Value::String(bytes.to_vec())))
    }
}

impl Element for Entry {
    fn key(&self) -> &[u8] {
        Entry::key(self)
    }
}
