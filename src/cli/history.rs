//! The lines typed so far: bounded, without repetitions, secrets kept apart; searching in them and guessing from them.

use std::collections::VecDeque;

/// How many lines are kept.
pub const LINES_MAX: usize = 1000;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    line: String,
    secret: bool,
}

/// Oldest first.
#[derive(Clone, Debug, Default)]
pub struct History {
    entries: VecDeque<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Ctrl-R: from new to old.
    Back,
    /// Ctrl-S: from old to new.
    Forward,
}

/// A line found: which, and where the words searched for stand in it (bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub index: usize,
    pub start: usize,
    pub end: usize,
}

impl History {
    /// From lines kept of an earlier session, oldest first.
    pub fn from_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> History {
        let mut history = History::default();
        for line in lines {
            history.add(line, false);
        }
        history
    }

    /// Adds a line; false when it repeats the one before it or is blank. A secret line is remembered but never saved.
    pub fn add(&mut self, line: &str, secret: bool) -> bool {
        if line.trim().is_empty() || self.entries.back().is_some_and(|last| last.line == line) {
            return false;
        }
        if self.entries.len() == LINES_MAX {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { line: line.to_owned(), secret });
        true
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn line(&self, index: usize) -> Option<&str> {
        self.entries.get(index).map(|entry| entry.line.as_str())
    }

    /// All lines, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.line.as_str())
    }

    /// The lines that may be kept beyond the session.
    pub fn lines_to_keep(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|entry| !entry.secret).map(|entry| entry.line.as_str())
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// The next line containing the words in any case, starting behind `from` (exclusive) in the direction given; lines equal to the
    /// one at `from` are passed over.
    pub fn search(&self, words: &str, from: Option<usize>, direction: Direction) -> Option<Found> {
        if words.is_empty() {
            return None;
        }
        let seen = from.and_then(|index| self.line(index));
        let found = |index: usize| {
            let line = self.line(index)?;
            if Some(line) == seen {
                return None;
            }
            let mut places = line.as_bytes().windows(words.len());
            let start = places.position(|place| place.eq_ignore_ascii_case(words.as_bytes()))?;
            Some(Found { index, start, end: start + words.len() })
        };
        match direction {
            Direction::Back => (0..from.unwrap_or(self.len()).min(self.len())).rev().find_map(found),
            Direction::Forward => (from.map_or(0, |index| index + 1)..self.len()).find_map(found),
        }
    }

    /// What probably follows the text typed: the rest of the newest line that begins with it.
    pub fn ghost(&self, typed: &str) -> Option<&str> {
        if typed.trim().is_empty() {
            return None;
        }
        let rest = |entry: &'_ Entry| {
            !entry.secret && entry.line.len() > typed.len() && entry.line.starts_with(typed)
        };
        self.entries.iter().rev().find(|entry| rest(entry)).map(|entry| &entry.line[typed.len()..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_and_do_not_repeat() {
        let mut history = History::default();
        assert!(history.add("GET a", false));
        assert!(!history.add("GET a", false));
        assert!(!history.add("  ", false));
        for n in 0..LINES_MAX {
            history.add(&format!("GET {n}"), false);
        }
        assert_eq!(history.len(), LINES_MAX);
        assert_eq!(history.line(0), Some("GET 0"));
    }

    #[test]
    fn secrets_are_not_kept() {
        let mut history = History::default();
        history.add("AUTH x", true);
        history.add("PING", false);
        assert_eq!(history.lines_to_keep().collect::<Vec<_>>(), ["PING"]);
        assert_eq!(history.len(), 2);
        assert_eq!(history.ghost("AU"), None);
    }

    #[test]
    fn search_goes_both_ways() {
        let history = History::from_lines(["keys one", "get x", "keys two", "keys one"]);
        let back = history.search("ey", None, Direction::Back).expect("found");
        assert_eq!(back, Found { index: 3, start: 1, end: 3 });
        let next = history.search("ey", Some(back.index), Direction::Back).expect("found");
        assert_eq!(next.index, 2);
        let forward = history.search("ey", None, Direction::Forward).expect("found");
        assert_eq!(forward.index, 0);
        assert_eq!(history.search("ey", Some(0), Direction::Forward).map(|f| f.index), Some(2));
        assert_eq!(history.search("zzz", None, Direction::Back), None);
        assert_eq!(history.search("GET", None, Direction::Back).map(|f| f.index), Some(1));
    }

    #[test]
    fn the_newest_matching_line_is_the_guess() {
        let history = History::from_lines(["SET a 1", "SET b 2", "GET a"]);
        assert_eq!(history.ghost("SET "), Some("b 2"));
        assert_eq!(history.ghost("SET a"), Some(" 1"));
        assert_eq!(history.ghost(""), None);
        assert_eq!(history.ghost("GET a"), None);
    }
}
