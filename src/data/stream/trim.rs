//! Cutting off the oldest entries.

use super::{Stream, StreamId};

/// What happens to the groups' references to an entry that goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum References {
    #[default]
    Keep,
    Delete,
    /// Only entries that every group has read and acknowledged go.
    Acked,
}

#[derive(Clone, Copy, Debug)]
pub enum TrimTo {
    Len(u64),
    Id(StreamId),
}

#[derive(Clone, Copy, Debug)]
pub struct Trim {
    pub to: TrimTo,
    /// Whole blocks alone.
    pub is_approximate: bool,
    /// At most this many entries; 0 is no limit.
    pub limit: u64,
    pub references: References,
}

impl Stream {
    /// How many entries went. O(1) for every block that goes as a whole.
    pub fn trim(&mut self, trim: &Trim) -> u64 {
        let mut gone = 0;
        let mut index = 0;
        while let Some(block) = self.blocks.get(index) {
            if matches!(trim.to, TrimTo::Len(len) if self.len <= len) {
                break;
            }
            let live = block.live() as u64;
            if trim.limit > 0 && gone + live > trim.limit {
                break;
            }
            let goes_whole = match trim.to {
                TrimTo::Len(len) => self.len - live >= len,
                TrimTo::Id(min) => block.iter_back().next().is_none_or(|entry| entry.id < min),
            };
            if goes_whole && trim.references == References::Keep {
                self.blocks.remove(index);
                self.len -= live;
                gone += live;
                continue;
            }
            if !goes_whole && trim.is_approximate {
                break;
            }
            let blocks = self.blocks.len();
            gone += self.trim_block(index, trim);
            if self.blocks.len() == blocks {
                index += 1;
            }
            // With references to keep, entries further on may have to go instead.
            if !goes_whole && trim.references != References::Acked {
                break;
            }
        }
        gone
    }

    /// Takes from one block what may go.
    fn trim_block(&mut self, index: usize, trim: &Trim) -> u64 {
        let ids: Vec<StreamId> = self.blocks[index].iter().map(|entry| entry.id).collect();
        let mut gone = 0;
        for id in ids {
            let is_done = match trim.to {
                TrimTo::Len(len) => self.len <= len,
                TrimTo::Id(min) => id >= min,
            };
            if is_done {
                break;
            }
            if trim.references == References::Acked && self.is_referenced(id) {
                continue;
            }
            if self.take(id) {
                gone += 1;
            }
            if trim.references == References::Delete {
                self.release_everywhere(id);
            }
        }
        gone
    }
}
