//! One element of an array in sixteen bytes: numbers and short strings inside, longer ones outside.

use crate::data::listpack::Entry;
use crate::data::number::parse_i64;
use crate::data::packed::Packed;

const SHORT_MAX: usize = 14;

#[derive(Clone, Default)]
pub(super) enum Slot {
    #[default]
    Empty,
    Int(i64),
    Short {
        len: u8,
        bytes: [u8; SHORT_MAX],
    },
    Long(Packed),
}

const _: () = assert!(size_of::<Slot>() == 16, "a slot takes two words");

impl Slot {
    pub fn of(value: &[u8]) -> Self {
        if let Some(number) = parse_i64(value) {
            return Slot::Int(number);
        }
        if value.len() > SHORT_MAX {
            return Slot::Long(Packed::new(value, None, &[]));
        }
        let mut bytes = [0; SHORT_MAX];
        bytes[..value.len()].copy_from_slice(value);
        Slot::Short { len: value.len() as u8, bytes }
    }

    pub fn is_empty(&self) -> bool {
        matches!(self, Slot::Empty)
    }

    pub fn entry(&self) -> Option<Entry<'_>> {
        match self {
            Slot::Empty => None,
            Slot::Int(number) => Some(Entry::Int(*number)),
            Slot::Short { len, bytes } => Some(Entry::Bytes(&bytes[..usize::from(*len)])),
            Slot::Long(text) => Some(Entry::Bytes(text.key())),
        }
    }

    pub fn heap_bytes(&self) -> usize {
        match self {
            Slot::Long(text) => text.heap_bytes(),
            _ => 0,
        }
    }
}
