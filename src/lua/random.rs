//! The generator behind `math.random`: the 48-bit linear congruential one of POSIX `lrand48`.

pub struct Random(u64);

impl Default for Random {
    /// As the generator is before any seed.
    fn default() -> Random {
        Random(0x1234_abcd_330e)
    }
}

impl Random {
    /// As `srand48`.
    pub fn new(seed: u32) -> Random {
        Random((seed as u64) << 16 | 0x330e)
    }

    /// As `lrand48`: 0 to 2^31 - 1.
    pub fn draw(&mut self) -> u32 {
        self.0 = (self.0.wrapping_mul(0x5deece66d).wrapping_add(0xb)) & ((1 << 48) - 1);
        (self.0 >> 17) as u32
    }
}
