//! The list of an engine's inputs. Because the engine is deterministic, it is the session itself: replaying it gives the
//! same bytes again.

/// One input of an engine. Times are Unix milliseconds; clients are named by their serial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Connect {
        now_ms: u64,
    },
    Disconnect {
        client: u64,
        now_ms: u64,
    },
    Receive {
        client: u64,
        bytes: Vec<u8>,
        now_ms: u64,
    },
    Tick {
        now_ms: u64,
    },
    /// An RDB file to start from.
    Load {
        bytes: Vec<u8>,
        now_ms: u64,
    },
    /// A checkpoint: the state from which the inputs behind it go on.
    Restore {
        state: Vec<u8>,
        now_ms: u64,
    },
}

/// Inputs as bytes: a seed, a start time, then per input a kind, the milliseconds since the last one, and what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    bytes: Vec<u8>,
    last_ms: u64,
    count: usize,
}

const MAGIC: &[u8; 8] = b"RPJOUR01";
const HEADER_BYTES: usize = 24;

impl Journal {
    pub fn new(seed: u64, now_ms: u64) -> Self {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&seed.to_le_bytes());
        bytes.extend_from_slice(&now_ms.to_le_bytes());
        Journal { bytes, last_ms: now_ms, count: 0 }
    }

    /// Reads what [`Journal::bytes`] gave. A torn last input is left out; anything else malformed gives `None`.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < HEADER_BYTES || !bytes.starts_with(MAGIC) {
            return None;
        }
        let whole = Journal { bytes: bytes.to_vec(), last_ms: 0, count: 0 };
        let mut inputs = whole.inputs();
        let (mut count, mut last_ms) = (0, whole.started_at_ms());
        for input in inputs.by_ref() {
            count += 1;
            last_ms = last_ms.max(input.now_ms());
        }
        let end = HEADER_BYTES + inputs.position;
        Some(Journal { bytes: bytes[..end].to_vec(), last_ms, count })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn seed(&self) -> u64 {
        u64::from_le_bytes(self.bytes[8..16].try_into().expect("the header has 24 bytes"))
    }

    pub fn started_at_ms(&self) -> u64 {
        u64::from_le_bytes(self.bytes[16..24].try_into().expect("the header has 24 bytes"))
    }

    pub fn push(&mut self, input: &Input) {
        let now_ms = input.now_ms().max(self.last_ms);
        let elapsed_ms = now_ms - self.last_ms;
        self.last_ms = now_ms;
        self.count += 1;
        let kind = match input {
            Input::Connect { .. } => 0,
            Input::Disconnect { .. } => 1,
            Input::Receive { .. } => 2,
            Input::Tick { .. } => 3,
            Input::Load { .. } => 4,
            Input::Restore { .. } => 5,
        };
        self.bytes.push(kind);
        self.push_number(elapsed_ms);
        match input {
            Input::Disconnect { client, .. } => self.push_number(*client),
            Input::Receive { client, bytes, .. } => {
                self.push_number(*client);
                self.push_number(bytes.len() as u64);
                self.bytes.extend_from_slice(bytes);
            }
            Input::Load { bytes, .. } | Input::Restore { state: bytes, .. } => {
                self.push_number(bytes.len() as u64);
                self.bytes.extend_from_slice(bytes);
            }
            Input::Connect { .. } | Input::Tick { .. } => {}
        }
    }

    fn push_number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    pub fn inputs(&self) -> Inputs<'_> {
        Inputs::of(&self.bytes[HEADER_BYTES..], self.started_at_ms())
    }
}

impl Input {
    pub fn now_ms(&self) -> u64 {
        match self {
            Input::Connect { now_ms }
            | Input::Disconnect { now_ms, .. }
            | Input::Receive { now_ms, .. }
            | Input::Tick { now_ms }
            | Input::Load { now_ms, .. }
            | Input::Restore { now_ms, .. } => *now_ms,
        }
    }
}

/// The inputs of a journal in order.
pub struct Inputs<'a> {
    bytes: &'a [u8],
    position: usize,
    now_ms: u64,
}

impl<'a> Inputs<'a> {
    /// Those in a part of a journal's bytes, with the time of the input before it.
    pub fn of(bytes: &'a [u8], now_ms: u64) -> Inputs<'a> {
        Inputs { bytes, position: 0, now_ms }
    }

    /// The bytes of those that were given out.
    pub fn played(&self) -> &'a [u8] {
        &self.bytes[..self.position]
    }

    fn number(&self, at: &mut usize) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(*at)?;
            *at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

impl Iterator for Inputs<'_> {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        let mut at = self.position;
        let kind = *self.bytes.get(at)?;
        at += 1;
        let now_ms = self.now_ms.checked_add(self.number(&mut at)?)?;
        let input = match kind {
            0 => Input::Connect { now_ms },
            1 => Input::Disconnect { client: self.number(&mut at)?, now_ms },
            2 => {
                let client = self.number(&mut at)?;
                let len = usize::try_from(self.number(&mut at)?).ok()?;
                let bytes = self.bytes.get(at..at.checked_add(len)?)?.to_vec();
                at += len;
                Input::Receive { client, bytes, now_ms }
            }
            3 => Input::Tick { now_ms },
            kind @ (4 | 5) => {
                let len = usize::try_from(self.number(&mut at)?).ok()?;
                let bytes = self.bytes.get(at..at.checked_add(len)?)?.to_vec();
                at += len;
                if kind == 4 {
                    Input::Load { bytes, now_ms }
                } else {
                    Input::Restore { state: bytes, now_ms }
                }
            }
            _ => return None,
        };
        self.position = at;
        self.now_ms = now_ms;
        Some(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_come_back_and_a_torn_end_is_left_out() {
        let mut journal = Journal::new(7, 1000);
        let inputs = [
            Input::Connect { now_ms: 1000 },
            Input::Receive { client: 1, bytes: b"PING\r\n".repeat(40), now_ms: 1300 },
            Input::Tick { now_ms: 100_000 },
            Input::Load { bytes: vec![7; 300], now_ms: 100_000 },
            Input::Disconnect { client: 1, now_ms: 100_000 },
        ];
        inputs.iter().for_each(|input| journal.push(input));
        let bytes = journal.bytes();
        assert_eq!(Journal::from_bytes(bytes).as_ref(), Some(&journal));
        assert_eq!(journal.inputs().collect::<Vec<_>>(), inputs);
        let torn = Journal::from_bytes(&bytes[..bytes.len() - 1]).expect("the header is whole");
        assert_eq!(torn.inputs().collect::<Vec<_>>(), inputs[..4]);
        assert_eq!(Journal::from_bytes(b"nonsense"), None);
    }
}
