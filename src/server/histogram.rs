//! How durations are spread: microseconds in buckets that grow with the value, eight to each doubling.

/// Values up to here have a bucket of their own.
const EXACT: u64 = 16;
const PER_DOUBLING: usize = 8;
/// Everything above this counts as this: about a second.
const MAX: u64 = (1 << 20) - 1;
const BUCKETS: usize = EXACT as usize + 16 * PER_DOUBLING;

#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Box<[u32; BUCKETS]>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { counts: Box::new([0; BUCKETS]), total: 0 }
    }
}

impl Histogram {
    pub fn record(&mut self, microseconds: u64) {
        let count = &mut self.counts[bucket(microseconds)];
        *count = count.saturating_add(1);
        self.total += 1;
    }

    pub fn total(&self) -> u64 {
        self.total
    }

    /// The value that `percent` of all recorded ones do not exceed.
    pub fn percentile(&self, percent: f64) -> u64 {
        let wanted = (libm::ceil(self.total as f64 * percent / 100.0) as u64).max(1);
        let mut seen = 0;
        for (index, &count) in self.counts.iter().enumerate() {
            seen += u64::from(count);
            if seen >= wanted {
                return highest(index);
            }
        }
        MAX
    }

    /// Powers of two with how many values do not exceed each; those that add nothing are left out.
    pub fn cumulative(&self) -> Vec<(u64, u64)> {
        let mut result: Vec<(u64, u64)> = Vec::new();
        let (mut limit, mut seen, mut index) = (1, 0, 0);
        while seen < self.total && limit <= MAX + 1 {
            let before = seen;
            while index < BUCKETS && highest(index) <= limit {
                seen += u64::from(self.counts[index]);
                index += 1;
            }
            if seen > before {
                result.push((limit, seen));
            }
            limit *= 2;
        }
        result
    }
}

fn bucket(value: u64) -> usize {
    let value = value.min(MAX);
    if value < EXACT {
        return value as usize;
    }
    let exponent = value.ilog2() as usize;
    let part = (value >> (exponent - 3)) as usize & (PER_DOUBLING - 1);
    EXACT as usize + (exponent - 4) * PER_DOUBLING + part
}

/// The highest value that falls into a bucket.
fn highest(bucket: usize) -> u64 {
    let Some(above) = bucket.checked_sub(EXACT as usize) else { return bucket as u64 };
    let (exponent, part) = (above / PER_DOUBLING + 4, above % PER_DOUBLING);
    ((PER_DOUBLING + part + 1) as u64) << (exponent - 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_within_its_bucket() {
        for value in (0..5000).chain([65535, 65536, 1_000_000, MAX, u64::MAX]) {
            let index = bucket(value);
            assert!(index < BUCKETS);
            assert!(value.min(MAX) <= highest(index), "{value}");
            assert!(index == 0 || value.min(MAX) >= highest(index - 1), "{value}");
        }
    }

    #[test]
    fn percentiles_and_sums_follow() {
        let mut histogram = Histogram::default();
        for value in 1..=100 {
            histogram.record(value);
        }
        assert_eq!(histogram.percentile(1.0), 1);
        assert!((50..=56).contains(&histogram.percentile(50.0)));
        assert_eq!(histogram.cumulative().first(), Some(&(1, 1)));
        assert_eq!(histogram.cumulative().last(), Some(&(128, 100)));
    }
}
