//! One word that owns one allocation: a key, an optional stamp of eight bytes, a payload. As [`Packed`] it is a
//! field and its value (stamp: expiry in ms), a set's member, a sorted set's member (stamp: the bits of its
//! score). Databases build their entries on the same [`Block`]. It must not know what payloads mean.
//!
//! The allocation: flags (1 byte), `EXTRA` bytes for the owner, the lengths of key and payload (a byte
//! each, or four each if one of them needs it), the stamp if there is one, the key, the payload. Nothing is aligned.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::ptr::{self, NonNull};

use super::table::Element;

pub type Packed = Block<0>;

/// The upper sixteen bits of the pointer, which no allocation's address has on 64-bit machines, keep the table's
/// hint, so only [`Block::start`] may look at it.
pub struct Block<const EXTRA: usize>(NonNull<u8>);

#[cfg(target_pointer_width = "64")]
const HINT_SHIFT: u32 = 48;

const STAMPED: u8 = 1;
const WIDE: u8 = 2;
const MARK_SHIFT: u32 = 2;

/// Sizes are rounded up to this, so that a change of a few bytes often happens in place.
const GRAIN: usize = 8;

// SAFETY: a block owns its allocation alone, and that holds plain bytes.
unsafe impl<const EXTRA: usize> Send for Block<EXTRA> {}

/// The lengths that say where everything in a block is.
#[derive(Clone, Copy)]
struct Shape {
    flags: u8,
    key: usize,
    payload: usize,
}

impl Shape {
    fn new(stamped: bool, key: usize, payload: usize) -> Shape {
        let wide = key > 0xff || payload > 0xff;
        assert!(key <= u32::MAX as usize && payload <= u32::MAX as usize, "no request is that long");
        Shape { flags: (u8::from(stamped) * STAMPED) | (u8::from(wide) * WIDE), key, payload }
    }

    fn layout<const EXTRA: usize>(self) -> Layout {
        let size = payload_at::<EXTRA>(self) + self.payload;
        // No alignment is asked for: some allocators (mimalloc 3) then give the next size.
        Layout::from_size_align(size.next_multiple_of(GRAIN), 1)
            .expect("half the address space is not to be had")
    }
}

#[inline]
fn stamp_at<const EXTRA: usize>(flags: u8) -> usize {
    1 + EXTRA + 2 + usize::from(flags & WIDE) * 3
}

#[inline]
fn key_at<const EXTRA: usize>(flags: u8) -> usize {
    stamp_at::<EXTRA>(flags) + usize::from(flags & STAMPED) * 8
}

#[inline]
fn payload_at<const EXTRA: usize>(shape: Shape) -> usize {
    key_at::<EXTRA>(shape.flags) + shape.key
}

impl<const EXTRA: usize> Block<EXTRA> {
    /// Extra bytes and mark are zero.
    pub fn new(key: &[u8], stamp: Option<u64>, payload: &[u8]) -> Self {
        let shape = Shape::new(stamp.is_some(), key.len(), payload.len());
        let layout = shape.layout::<EXTRA>();
        // SAFETY: the layout is never of size zero, there is a header. All writes are inside it, by construction
        // of the shape; pointers hidden in a payload survive, the copy being untyped.
        unsafe {
            let at = alloc(layout);
            let mut block = Block(own(at, layout));
            ptr::write_bytes(at.add(1), 0, EXTRA);
            block.write_shape(shape, 0);
            if let Some(stamp) = stamp {
                at.add(stamp_at::<EXTRA>(shape.flags)).cast::<u64>().write_unaligned(stamp.to_le());
            }
            ptr::copy_nonoverlapping(key.as_ptr(), at.add(key_at::<EXTRA>(shape.flags)), key.len());
            ptr::copy_nonoverlapping(payload.as_ptr(), block.payload_ptr_mut(), payload.len());
            block
        }
    }

    #[inline]
    pub fn key(&self) -> &[u8] {
        let shape = self.shape();
        // SAFETY: the key lies there, inside the allocation, and is not written to while `self` is borrowed.
        unsafe { std::slice::from_raw_parts(self.at(key_at::<EXTRA>(shape.flags)), shape.key) }
    }

    #[inline]
    pub fn payload(&self) -> &[u8] {
        // SAFETY: as for the key.
        unsafe { std::slice::from_raw_parts(self.payload_ptr(), self.shape().payload) }
    }

    pub fn payload_mut(&mut self) -> &mut [u8] {
        let len = self.shape().payload;
        // SAFETY: as for the key, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.payload_ptr_mut(), len) }
    }

    #[inline]
    pub fn stamp(&self) -> Option<u64> {
        let flags = self.flags();
        // SAFETY: a stamped block has eight bytes there.
        (flags & STAMPED != 0).then(|| {
            u64::from_le(unsafe { self.at(stamp_at::<EXTRA>(flags)).cast::<u64>().read_unaligned() })
        })
    }

    /// Changes the stamp; in place when there was one before and is one after.
    pub fn set_stamp(&mut self, stamp: Option<u64>) {
        let shape = self.shape();
        let key_len_payload_len = shape.key + shape.payload;
        let from = key_at::<EXTRA>(shape.flags);
        let stamped =
            Shape { flags: shape.flags & !STAMPED | (u8::from(stamp.is_some()) * STAMPED), ..shape };
        let to = key_at::<EXTRA>(stamped.flags);
        // SAFETY: the block is as large as both shapes need while key and payload are moved as one; the
        // stamp is written only where the new shape has it.
        unsafe {
            if to > from {
                self.resize(shape, stamped);
            }
            if to != from {
                let start = self.start();
                ptr::copy(start.add(from), start.add(to), key_len_payload_len);
                *start = self.flags() & !STAMPED | stamped.flags & STAMPED;
            }
            if to < from {
                self.resize(shape, stamped);
            }
            if let Some(stamp) = stamp {
                let at = self.start().add(stamp_at::<EXTRA>(stamped.flags));
                at.cast::<u64>().write_unaligned(stamp.to_le());
            }
        }
    }

    /// Changes the payload; in place when the new one needs the same room.
    pub fn set_payload(&mut self, payload: &[u8]) {
        let old = self.shape();
        let new = Shape::new(old.flags & STAMPED != 0, old.key, payload.len());
        if (new.flags ^ old.flags) & WIDE != 0 {
            let block = Self::new(self.key(), self.stamp(), payload);
            // SAFETY: both have extra bytes and flags at the start, and they differ as to `WIDE` alone.
            unsafe {
                ptr::copy_nonoverlapping(self.at(1), block.start().add(1), EXTRA);
                *block.start() |= self.mark() << MARK_SHIFT;
            }
            *self = block;
            return;
        }
        // SAFETY: the payload is last, so the rest stays where it is, and the block is resized to hold it.
        unsafe {
            self.resize(old, new);
            self.write_shape(new, self.mark());
            ptr::copy_nonoverlapping(payload.as_ptr(), self.payload_ptr_mut(), payload.len());
        }
    }

    /// The same block with another key.
    pub fn with_key(&self, key: &[u8]) -> Self {
        let mut block = Self::new(key, self.stamp(), self.payload());
        block.set_mark(self.mark());
        block.set_extra(self.extra());
        block
    }

    /// Bytes of the allocation.
    pub fn heap_bytes(&self) -> usize {
        self.shape().layout::<EXTRA>().size()
    }

    /// As [`Block::heap_bytes`], with a payload of another length.
    pub fn heap_bytes_with(&self, payload: usize) -> usize {
        Shape { payload, ..self.shape() }.layout::<EXTRA>().size()
    }

    /// Six bits for the owner.
    #[inline]
    pub fn mark(&self) -> u8 {
        self.flags() >> MARK_SHIFT
    }

    pub fn set_mark(&mut self, mark: u8) {
        debug_assert!(mark < 1 << (8 - MARK_SHIFT));
        let flags = self.flags() & (STAMPED | WIDE) | mark << MARK_SHIFT;
        // SAFETY: the first byte is the flags.
        unsafe { *self.start() = flags }
    }

    #[inline]
    pub fn extra(&self) -> [u8; EXTRA] {
        // SAFETY: the extra bytes lie behind the flags.
        unsafe { self.at(1).cast::<[u8; EXTRA]>().read() }
    }

    /// Through a shared reference: a block is not `Sync`, and nobody is ever lent its extra bytes.
    #[inline]
    pub fn set_extra(&self, extra: [u8; EXTRA]) {
        // SAFETY: as above; the write goes through the raw pointer the block owns.
        unsafe { self.start().add(1).cast::<[u8; EXTRA]>().write(extra) }
    }

    /// Where the payload starts. It is not aligned.
    #[inline]
    pub fn payload_ptr(&self) -> *const u8 {
        self.at(payload_at::<EXTRA>(self.shape()))
    }

    #[inline]
    pub fn payload_ptr_mut(&mut self) -> *mut u8 {
        self.payload_ptr().cast_mut()
    }

    #[inline]
    fn start(&self) -> *mut u8 {
        #[cfg(target_pointer_width = "64")]
        return self.0.as_ptr().map_addr(|address| address & ((1 << HINT_SHIFT) - 1));
        #[cfg(not(target_pointer_width = "64"))]
        self.0.as_ptr()
    }

    #[inline]
    fn at(&self, offset: usize) -> *const u8 {
        // SAFETY: callers stay inside the allocation.
        unsafe { self.start().add(offset) }
    }

    #[inline]
    fn flags(&self) -> u8 {
        // SAFETY: the first byte is the flags.
        unsafe { *self.start() }
    }

    #[inline]
    fn shape(&self) -> Shape {
        let flags = self.flags();
        let lengths = self.at(1 + EXTRA);
        // SAFETY: the lengths lie there, four bytes each in a wide block, one byte each in others.
        let (key, payload) = unsafe {
            if flags & WIDE == 0 {
                (usize::from(*lengths), usize::from(*lengths.add(1)))
            } else {
                let [key, payload] = lengths.cast::<[u32; 2]>().read_unaligned();
                (key as usize, payload as usize)
            }
        };
        Shape { flags: flags & (STAMPED | WIDE), key, payload }
    }

    /// # Safety
    /// The allocation must be large enough for the shape.
    unsafe fn write_shape(&mut self, shape: Shape, mark: u8) {
        let start = self.start();
        // SAFETY: flags and lengths are part of every shape.
        unsafe {
            *start = shape.flags | mark << MARK_SHIFT;
            let lengths = start.add(1 + EXTRA);
            if shape.flags & WIDE == 0 {
                lengths.cast::<[u8; 2]>().write([shape.key as u8, shape.payload as u8]);
            } else {
                lengths.cast::<[u32; 2]>().write_unaligned([shape.key as u32, shape.payload as u32]);
            }
        }
    }

    /// # Safety
    /// The block must be allocated as `old` says, and the caller must make it of the shape `new`.
    unsafe fn resize(&mut self, old: Shape, new: Shape) {
        let (old, new) = (old.layout::<EXTRA>(), new.layout::<EXTRA>());
        if old.size() != new.size() {
            // SAFETY: the allocation is of the old layout, and the new one is not empty.
            let at = unsafe { realloc(self.start(), old, new.size()) };
            let hint = self.hint();
            self.0 = own(at, new);
            self.set_hint(hint);
        }
    }
}

/// An allocation as a block keeps it.
#[inline]
fn own(at: *mut u8, layout: Layout) -> NonNull<u8> {
    let Some(start) = NonNull::new(at) else { handle_alloc_error(layout) };
    #[cfg(target_pointer_width = "64")]
    assert!(at.addr() >> HINT_SHIFT == 0, "addresses of programs have 47 bits, 48 on some machines");
    start
}

impl<const EXTRA: usize> Drop for Block<EXTRA> {
    fn drop(&mut self) {
        // SAFETY: the block owns the allocation, and its shape tells the layout it was made with.
        unsafe { dealloc(self.start(), self.shape().layout::<EXTRA>()) }
    }
}

impl Clone for Packed {
    fn clone(&self) -> Packed {
        self.with_key(self.key())
    }
}

impl<const EXTRA: usize> Element for Block<EXTRA> {
    #[inline]
    fn key(&self) -> &[u8] {
        Block::key(self)
    }

    #[inline]
    fn prefetch(&self) {
        super::table::prefetch(self.start());
    }

    #[inline]
    #[cfg(target_pointer_width = "64")]
    fn hint(&self) -> u16 {
        (self.0.addr().get() >> HINT_SHIFT) as u16
    }

    #[inline]
    #[cfg(target_pointer_width = "64")]
    fn set_hint(&mut self, hint: u16) {
        let pointer = self.start().map_addr(|address| address | usize::from(hint) << HINT_SHIFT);
        self.0 = NonNull::new(pointer).expect("an address is not zero and a hint does not make it so");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_it_is_given_through_every_change() {
        let lengths = [0, 1, 7, 10, 100, 255, 256, 300, 70_000];
        let stamps = [None, Some(0), Some(u64::MAX)];
        let bytes: Vec<u8> = (0..70_000u32).map(|n| n as u8 ^ (n >> 8) as u8).collect();
        for key in lengths {
            let mut block = Block::<3>::new(&bytes[..key], None, b"");
            block.set_mark(0x2a);
            block.set_extra([1, 2, 3]);
            for payload in lengths.into_iter().chain(lengths.into_iter().rev()) {
                for stamp in stamps {
                    block.set_stamp(stamp);
                    block.set_payload(&bytes[bytes.len() - payload..]);
                    assert_eq!(block.key(), &bytes[..key]);
                    assert_eq!(block.payload(), &bytes[bytes.len() - payload..]);
                    assert_eq!((block.stamp(), block.mark(), block.extra()), (stamp, 0x2a, [1, 2, 3]));
                    let other = block.with_key(b"other");
                    assert_eq!((other.key(), other.payload()), (&b"other"[..], block.payload()));
                    assert_eq!((other.stamp(), other.mark(), other.extra()), (stamp, 0x2a, [1, 2, 3]));
                }
            }
        }
    }

    #[test]
    fn is_as_small_as_promised() {
        assert_eq!(size_of::<Option<Packed>>(), size_of::<usize>());
        assert_eq!(Packed::new(b"0123456789", None, b"").heap_bytes(), 16);
        assert_eq!(Packed::new(b"0123456789", Some(1), b"").heap_bytes(), 24);
    }
}
