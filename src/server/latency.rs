//! The latency monitor: for each kind of event the spikes above `latency-monitor-threshold`.

use std::collections::{BTreeMap, VecDeque};

/// Spikes kept for one event.
const SAMPLES_MAX: usize = 160;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Unix time in seconds.
    pub time: u64,
    pub milliseconds: u64,
}

#[derive(Default)]
pub struct Series {
    samples: VecDeque<Sample>,
    pub milliseconds_max: u64,
}

impl Series {
    /// The oldest first.
    pub fn samples(&self) -> impl ExactSizeIterator<Item = Sample> + DoubleEndedIterator {
        self.samples.iter().copied()
    }
}

#[derive(Default)]
pub struct Latency {
    pub events: BTreeMap<&'static str, Series>,
}

impl Latency {
    /// Of several spikes within a second the worst is kept.
    pub fn add(&mut self, event: &'static str, time: u64, milliseconds: u64) {
        let series = self.events.entry(event).or_default();
        series.milliseconds_max = series.milliseconds_max.max(milliseconds);
        match series.samples.back_mut().filter(|last| last.time == time) {
            Some(last) => last.milliseconds = last.milliseconds.max(milliseconds),
            None => {
                series.samples.push_back(Sample { time, milliseconds });
                if series.samples.len() > SAMPLES_MAX {
                    series.samples.pop_front();
                }
            }
        }
    }
}
