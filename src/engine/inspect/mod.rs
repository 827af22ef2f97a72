//! Looks into an engine without leaving a trace: keys as a tree, values by type, what a command did, the past. Answers are
//! plain nested values, bounded in size, for hosts to draw. It must not know what draws them.

mod keys;
mod value;
mod wire;
mod step;
mod edit;
mod past;
mod timeline;
mod facts;

pub use edit::edit;
pub use facts::facts;
pub use keys::{KeysQuery, keys};
pub use past::Past;
pub use timeline::timeline;
pub use value::value;
pub use wire::wire;

/// A nested value on its way to a host.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Nothing,
    Flag(bool),
    /// Counts, positions, milliseconds, scores.
    Number(f64),
    /// Where every digit counts.
    Integer(i64),
    Text(String),
    /// What a user stored: any bytes.
    Bytes(Vec<u8>),
    List(Vec<Part>),
    Record(Vec<(&'static str, Part)>),
}

impl Part {
    pub fn count(number: usize) -> Part {
        Part::Number(number as f64)
    }

    pub fn time(ms: u64) -> Part {
        Part::Number(ms as f64)
    }

    pub fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    pub fn bytes(bytes: &[u8]) -> Part {
        Part::Bytes(bytes.to_vec())
    }

    /// At most so many bytes, and how many there are.
    pub fn cut(bytes: &[u8], bytes_max: usize) -> Part {
        if bytes.len() <= bytes_max {
            return Part::bytes(bytes);
        }
        Part::Record(vec![("bytes", Part::bytes(&bytes[..bytes_max])), ("length", Part::count(bytes.len()))])
    }

    pub fn time_or_nothing(ms: Option<u64>) -> Part {
        ms.map_or(Part::Nothing, Part::time)
    }

    /// A field of a record.
    pub fn get(&self, name: &str) -> Option<&Part> {
        match self {
            Part::Record(fields) => fields.iter().find(|(known, _)| *known == name).map(|(_, part)| part),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
