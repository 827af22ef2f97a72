//! Ziplists and zipmaps: how Redis kept small values before listpacks. Old files hold them; none is written.

use crate::data::listpack::{Entry, Listpack};

use super::{Bad, Reader, Result};

const CORRUPT: Bad = Bad::Corrupt("not a ziplist");
const END: u8 = 0xff;

/// A listpack with the elements of a ziplist.
///
/// A ziplist: its size, the place of its last element (four bytes each), their number (two), the elements, 255. An element:
/// the size of the one before (a byte, or 254 and four), its kind and length, its content.
pub fn listpack_of_ziplist(bytes: &[u8]) -> Result<Listpack> {
    let mut reader = Reader::new(bytes);
    if reader.u32()? as usize != bytes.len() {
        return Err(CORRUPT);
    }
    let last_at = reader.u32()? as usize;
    let count = u16::from_le_bytes([reader.byte()?, reader.byte()?]);
    let mut pack = Listpack::with_capacity(bytes.len());
    let (mut before, mut at) = (0, bytes.len() - reader.left());
    let mut last = at;
    loop {
        let first = reader.byte()?;
        if first == END {
            break;
        }
        let before_len = if first == 0xfe { reader.u32()? as usize } else { usize::from(first) };
        if before_len != before {
            return Err(CORRUPT);
        }
        read_element(&mut reader, &mut pack)?;
        last = at;
        before = bytes.len() - reader.left() - at;
        at += before;
    }
    let has_count = count == u16::MAX || usize::from(count) == pack.len();
    if !reader.is_empty() || !has_count || last_at != last {
        return Err(CORRUPT);
    }
    Ok(pack)
}

fn read_element(reader: &mut Reader, pack: &mut Listpack) -> Result {
    let first = reader.byte()?;
    let low = u64::from(first & 0x3f);
    let length = match first >> 6 {
        0 => low,
        1 => low << 8 | u64::from(reader.byte()?),
        2 => {
            let bytes = reader.take(4)?;
            bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        }
        _ => {
            let size = match first {
                0xc0 => 2,
                0xd0 => 4,
                0xe0 => 8,
                0xf0 => 3,
                0xfe => 1,
                0xf1..=0xfd => {
                    pack.push_back_int(i64::from(first & 0x0f) - 1);
                    return Ok(());
                }
                _ => return Err(CORRUPT),
            };
            let bytes = reader.take(size)?;
            let is_negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
            let mut word = [if is_negative { 0xff } else { 0 }; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            pack.push_back_int(i64::from_le_bytes(word));
            return Ok(());
        }
    };
    let bytes = reader.take(length)?;
    pack.insert_entry(pack.end(), Entry::of(bytes));
    Ok(())
}

/// A listpack with the pairs of a zipmap: the number of pairs, then for each a length, the field, a length, how many bytes
/// behind the value are unused, the value and these; 255.
pub fn listpack_of_zipmap(bytes: &[u8]) -> Result<Listpack> {
    let corrupt = Bad::Corrupt("not a zipmap");
    let mut reader = Reader::new(bytes);
    reader.byte()?;
    let mut pack = Listpack::with_capacity(bytes.len());
    loop {
        let first = reader.byte()?;
        if first == END {
            break;
        }
        let field = zipmap_length(&mut reader, first)?;
        pack.push_back(reader.take(field)?);
        let first = reader.byte()?;
        if first == END {
            return Err(corrupt);
        }
        let value = zipmap_length(&mut reader, first)?;
        let unused = reader.byte()?;
        pack.push_back(reader.take(value)?);
        reader.take(u64::from(unused))?;
    }
    if reader.is_empty() { Ok(pack) } else { Err(corrupt) }
}

fn zipmap_length(reader: &mut Reader, first: u8) -> Result<u64> {
    if first == 0xfe { reader.u32().map(u64::from) } else { Ok(u64::from(first)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pack: Result<Listpack>) -> Vec<String> {
        let text = |entry: Entry| String::from_utf8_lossy(&entry.to_vec()).into_owned();
        pack.expect("it is one").iter().map(text).collect()
    }

    #[test]
    fn reads_ziplists() {
        let bytes = b"\x1c\0\0\0\x18\0\0\0\x06\0\x00\x02hi\x04\xf1\x02\xfe\x9c\x03\xc0\xe8\x03\x04\xf0\x01\0\x80\x05\xfd\xff";
        let mut bytes = bytes.to_vec();
        let len = bytes.len();
        bytes[0] = len as u8;
        bytes[4] = len as u8 - 3;
        assert_eq!(shown(listpack_of_ziplist(&bytes)), ["hi", "0", "-100", "1000", "-8388607", "12"]);
        for at in 0..len {
            for bit in 0..8 {
                let mut wrong = bytes.clone();
                wrong[at] ^= 1 << bit;
                let _ = listpack_of_ziplist(&wrong);
                let _ = listpack_of_ziplist(&wrong[..at]);
            }
        }
    }

    #[test]
    fn reads_zipmaps() {
        let bytes = b"\x02\x01a\x02\x01xy-\xfe\x01\0\0\0b\x00\x00\xff";
        assert_eq!(shown(listpack_of_zipmap(bytes)), ["a", "xy", "b", ""]);
        assert!(listpack_of_zipmap(b"\x01\x01a\xff").is_err());
        assert!(listpack_of_zipmap(b"\x01\x01a\x09\0x\xff").is_err());
    }
}
