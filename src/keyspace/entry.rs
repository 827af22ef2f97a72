//! What a database's table holds: a key, when it was used, when it expires, and its value, in one allocation.
//! It must not know what boxed values are.

use std::marker::PhantomData;

use crate::data::packed::Block;
use crate::data::table::Element;
use crate::data::value::{INLINE_BYTES_MAX, Value};

/// The block's stamp is the expiry, its three extra bytes are the clock, its mark is the kind and the flag below,
/// its payload is the string, the integer (little-endian) or the pointer to the boxed value.
pub struct Entry(Block<3>, PhantomData<Box<Value>>);

const KIND: u8 = 3;
const BYTES: u8 = 0;
const INT: u8 = 1;
const BOXED: u8 = 2;
const EDITED: u8 = 4;

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
    /// A string; above [`INLINE_BYTES_MAX`] it goes into a box.
    pub fn with_bytes(key: &[u8], bytes: &[u8]) -> Entry {
        if bytes.len() > INLINE_BYTES_MAX {
            return Entry::with_boxed(key, Box::new(Value::String(bytes.to_vec())));
        }
        Entry(Block::new(key, None, bytes), PhantomData)
    }

    pub fn with_int(key: &[u8], int: i64) -> Entry {
        let mut block = Block::new(key, None, &int.to_le_bytes());
        block.set_mark(INT);
        Entry(block, PhantomData)
    }

    pub fn with_boxed(key: &[u8], value: Box<Value>) -> Entry {
        let mut entry = Entry(Block::new(key, None, &[]), PhantomData);
        entry.set_boxed(value);
        entry
    }

    #[inline]
    pub fn key(&self) -> &[u8] {
        self.0.key()
    }

    #[inline]
    pub fn value(&self) -> ValueRef<'_> {
        match self.0.mark() & KIND {
            BYTES => ValueRef::Bytes(self.0.payload()),
            INT => ValueRef::Int(self.int()),
            // SAFETY: the payload is a pointer that came from a box, and is ours alone.
            _ => ValueRef::Boxed(unsafe { &*self.pointer() }),
        }
    }

    pub fn value_mut(&mut self) -> ValueMut<'_> {
        match self.0.mark() & KIND {
            BYTES => ValueMut::Bytes(self.0.payload_mut()),
            INT => ValueMut::Int(self.int()),
            // SAFETY: as above, and `self` is borrowed mutably.
            _ => ValueMut::Boxed(unsafe { &mut *self.pointer() }),
        }
    }

    /// Gives the key a new string, whatever it held. Key, expiry and clock stay; it counts as unedited.
    pub fn set_bytes(&mut self, bytes: &[u8]) {
        if bytes.len() > INLINE_BYTES_MAX {
            return self.set_boxed(Box::new(Value::String(bytes.to_vec())));
        }
        drop(self.take_boxed());
        self.0.set_payload(bytes);
        self.0.set_mark(BYTES);
    }

    /// Gives the key an integer, whatever it held. Key, expiry and clock stay; it counts as unedited.
    pub fn set_int(&mut self, int: i64) {
        drop(self.take_boxed());
        self.0.set_payload(&int.to_le_bytes());
        self.0.set_mark(INT);
    }

    /// Gives the key a boxed value, whatever it held. Key, expiry and clock stay; it counts as unedited.
    pub fn set_boxed(&mut self, value: Box<Value>) {
        drop(self.take_boxed());
        self.0.set_payload(&[0; size_of::<*mut Value>()]);
        // SAFETY: the payload has the size of a pointer.
        unsafe { self.0.payload_ptr_mut().cast::<*mut Value>().write_unaligned(Box::into_raw(value)) }
        self.0.set_mark(BOXED);
    }

    /// Takes the boxed value out, if there is one, and leaves an empty string.
    pub fn take_boxed(&mut self) -> Option<Box<Value>> {
        if self.0.mark() & KIND != BOXED {
            return None;
        }
        let pointer = self.pointer();
        self.0.set_mark(BYTES);
        self.0.set_payload(&[]);
        // SAFETY: the pointer came from a box, and the entry has forgotten it.
        Some(unsafe { Box::from_raw(pointer) })
    }

    /// When the key expires, in ms since 1970.
    #[inline]
    pub fn expires_at(&self) -> Option<u64> {
        self.0.stamp()
    }

    pub fn set_expires_at(&mut self, at_ms: Option<u64>) {
        self.0.set_stamp(at_ms);
    }

    /// 24 bits for whoever chooses what to evict.
    #[inline]
    pub fn clock(&self) -> u32 {
        let [low, middle, high] = self.0.extra();
        u32::from_le_bytes([low, middle, high, 0])
    }

    /// Only the lower 24 bits are kept. Reading a key touches its clock, hence `&self`.
    #[inline]
    pub fn set_clock(&self, clock: u32) {
        let [low, middle, high, _] = clock.to_le_bytes();
        self.0.set_extra([low, middle, high]);
    }

    /// Whether the string was edited (APPEND, SETRANGE, …): OBJECT ENCODING then says "raw" at any length.
    pub fn is_edited(&self) -> bool {
        self.0.mark() & EDITED != 0
    }

    pub fn set_edited(&mut self, edited: bool) {
        let mark = self.0.mark() & !EDITED | (u8::from(edited) * EDITED);
        self.0.set_mark(mark);
    }

    /// The same value, expiry, clock and flags under another key.
    pub fn renamed(mut self, key: &[u8]) -> Entry {
        let block = self.0.with_key(key);
        // A boxed value now belongs to the new entry.
        self.0.set_mark(BYTES);
        Entry(block, PhantomData)
    }

    /// Bytes of the entry's own allocation; a boxed value's come on top.
    pub fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }

    /// Bytes of the key and all of its value, the same on every machine: see [`Value::heap_bytes`].
    pub fn total_bytes(&self) -> usize {
        const POINTER: usize = 8;
        match self.value() {
            ValueRef::Boxed(value) => self.0.heap_bytes_with(POINTER) + value.heap_bytes(),
            ValueRef::Int(_) | ValueRef::Bytes(_) => self.heap_bytes(),
        }
    }

    fn int(&self) -> i64 {
        self.0.payload().try_into().map_or(0, i64::from_le_bytes)
    }

    /// Of a boxed value only.
    fn pointer(&self) -> *mut Value {
        debug_assert!(self.0.mark() & KIND == BOXED);
        // SAFETY: the payload of a boxed entry is a pointer.
        unsafe { self.0.payload_ptr().cast::<*mut Value>().read_unaligned() }
    }
}

impl Drop for Entry {
    #[inline]
    fn drop(&mut self) {
        if self.0.mark() & KIND == BOXED {
            // SAFETY: the pointer came from a box, and nobody sees the entry again.
            drop(unsafe { Box::from_raw(self.pointer()) });
        }
    }
}

impl Element for Entry {
    #[inline]
    fn key(&self) -> &[u8] {
        self.0.key()
    }

    #[inline]
    fn prefetch(&self) {
        self.0.prefetch();
    }

    #[inline]
    fn hint(&self) -> u16 {
        self.0.hint()
    }

    #[inline]
    fn set_hint(&mut self, hint: u16) {
        self.0.set_hint(hint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(entry: &Entry) -> String {
        match entry.value() {
            ValueRef::Int(int) => format!("int {int}"),
            ValueRef::Bytes(bytes) => format!("bytes {}", bytes.len()),
            ValueRef::Boxed(Value::String(string)) => format!("boxed {}", string.len()),
            #[allow(unreachable_patterns)]
            ValueRef::Boxed(_) => "another".into(),
        }
    }

    #[test]
    fn holds_a_value_of_any_kind_after_any_other() {
        let kinds: [fn(&mut Entry); 5] = [
            |e| e.set_bytes(b"short"),
            |e| e.set_bytes(&[7; INLINE_BYTES_MAX]),
            |e| e.set_bytes(&[7; INLINE_BYTES_MAX + 1]),
            |e| e.set_int(i64::MIN),
            |e| e.set_boxed(Box::new(Value::String(vec![1; 3]))),
        ];
        let shown = ["bytes 5", "bytes 1024", "boxed 1025", "int -9223372036854775808", "boxed 3"];
        let mut entry = Entry::with_bytes(b"key", b"");
        for first in 0..kinds.len() {
            for second in 0..kinds.len() {
                for expiry in [None, Some(1_700_000_000_000)] {
                    kinds[first](&mut entry);
                    entry.set_edited(true);
                    entry.set_expires_at(expiry);
                    entry.set_clock(0x1fe_dcba);
                    assert!(entry.is_edited());
                    kinds[second](&mut entry);
                    assert!(!entry.is_edited());
                    entry.set_edited(true);
                    entry = entry.renamed(b"another key");
                    assert_eq!(show(&entry), shown[second]);
                    assert_eq!((entry.key(), entry.clock()), (&b"another key"[..], 0xfe_dcba));
                    assert_eq!((entry.expires_at(), entry.is_edited()), (expiry, true));
                }
            }
        }
    }

    #[test]
    fn lends_and_gives_back_a_boxed_value() {
        let mut entry = Entry::with_boxed(b"key", Box::new(Value::String(vec![1])));
        if let ValueMut::Boxed(Value::String(string)) = entry.value_mut() {
            string.push(2);
        }
        let taken = entry.take_boxed().map(|value| *value);
        assert!(matches!(taken, Some(Value::String(string)) if string == [1, 2]));
        assert_eq!(show(&entry), "bytes 0");
        assert!(entry.take_boxed().is_none());
    }

    #[test]
    fn is_as_small_as_promised() {
        assert_eq!(size_of::<Option<Entry>>(), size_of::<usize>());
        let mut entry = Entry::with_bytes(b"0123456789", &[0; 32]);
        assert_eq!(entry.heap_bytes(), 48);
        entry.set_expires_at(Some(1));
        assert_eq!(entry.heap_bytes(), 56);
    }
}
