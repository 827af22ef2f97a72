//! CRC-64 with the polynomial of Jones, bits reflected, as RDB files and DUMP payloads end with it.

use std::sync::OnceLock;

/// The polynomial's bits in reverse.
const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;

/// Table `n` tells what a byte does that `n` more bytes follow. Made when first needed: two kilobytes each.
fn tables() -> &'static [[u64; 256]; 8] {
    static TABLES: OnceLock<Box<[[u64; 256]; 8]>> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut tables = Box::new([[0; 256]; 8]);
        for byte in 0..256 {
            let mut crc = byte as u64;
            for _ in 0..8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
            }
            tables[0][byte] = crc;
        }
        for byte in 0..256 {
            for number in 1..8 {
                let crc = tables[number - 1][byte];
                tables[number][byte] = tables[0][(crc & 0xff) as usize] ^ crc >> 8;
            }
        }
        tables
    })
}

/// Goes on from `crc`, which is 0 at the start.
pub fn crc64(mut crc: u64, bytes: &[u8]) -> u64 {
    let tables = tables();
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        crc ^= u64::from_le_bytes(*word);
        crc = (0..8).fold(0, |sum, at| sum ^ tables[7 - at][(crc >> (8 * at) & 0xff) as usize]);
    }
    for byte in rest {
        crc = tables[0][((crc ^ u64::from(*byte)) & 0xff) as usize] ^ crc >> 8;
    }
    crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_one_of_jones() {
        assert_eq!(crc64(0, b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(crc64(crc64(0, b"1234"), b"56789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(crc64(0, b""), 0);
    }
}
