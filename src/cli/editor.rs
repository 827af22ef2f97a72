//! A line being edited: the text, the cursor, what was cut, walking and searching in the history, cycling through
//! completions. Keys come in by their meaning; how they are pressed and how the line is drawn is the screen's affair.

use super::complete::Completion;
use super::history::{Direction, Found, History};

/// The longest line.
const LINE_MAX_BYTES: usize = 1024 * 1024;

/// A key by its meaning; beside it what a terminal usually calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Char(char),
    /// Text put in at once; it may hold several lines.
    Paste(String),
    Enter,
    /// Backspace, Ctrl-H.
    Backspace,
    Delete,
    /// Left, Ctrl-B.
    Left,
    /// Right, Ctrl-F; at the end it takes the ghost.
    Right,
    /// Up, Ctrl-P.
    Up,
    /// Down, Ctrl-N.
    Down,
    /// Home, Ctrl-A.
    Home,
    /// End, Ctrl-E.
    End,
    /// Alt-B, Ctrl-Left.
    WordLeft,
    /// Alt-F, Ctrl-Right.
    WordRight,
    /// Ctrl-K.
    CutToEnd,
    /// Ctrl-U.
    CutToStart,
    /// Ctrl-W, Alt-Backspace.
    CutWordBack,
    /// Alt-D.
    CutWord,
    /// Ctrl-Y.
    PutBack,
    /// Ctrl-T.
    Exchange,
    Tab,
    BackTab,
    Escape,
    /// Ctrl-R.
    SearchBack,
    /// Ctrl-S.
    SearchForward,
    /// Ctrl-G.
    Abort,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D: deletes, and on an empty line ends.
    DeleteOrEnd,
    /// Ctrl-L.
    Clear,
}

/// What a key came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The line, the cursor or a search changed.
    Changed,
    /// This text was entered; the line is empty again.
    Submit(String),
    /// Offers are wanted for the word at the cursor: hand them to [`Editor::offer`].
    Complete,
    Interrupt,
    End,
    Clear,
    /// Escape, then Tab: the keyboard's focus goes on.
    LeaveField,
    /// Nothing to be done; a screen may ring.
    Nothing,
}

#[derive(Clone, Debug)]
struct Search {
    words: String,
    direction: Direction,
    found: Option<Found>,
    /// The line before the search.
    before: (String, usize),
}

/// Tab's round through the offers: the last place is the line as it was typed.
#[derive(Clone, Debug)]
struct Round {
    completion: Completion,
    at: usize,
    typed: (String, usize),
}

#[derive(Clone, Debug, Default)]
pub struct Editor {
    text: String,
    /// A byte of the text, between characters.
    cursor: usize,
    cut: String,
    /// The place in the history, and the line left for it.
    browsing: Option<(usize, String)>,
    search: Option<Search>,
    round: Option<Round>,
    escaped: bool,
}

/// What to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View<'a> {
    /// Stands in place of the prompt while searching.
    pub prompt: Option<&'static str>,
    pub text: &'a str,
    pub cursor: usize,
    /// Bytes of the text that were searched for.
    pub highlight: Option<(usize, usize)>,
}

impl Editor {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Puts a text in place of the line, as a native text field does that edits by itself.
    pub fn set(&mut self, text: &str, cursor: usize) {
        self.text = text.to_owned();
        self.cursor = floor(&self.text, cursor);
        self.round = None;
        self.browsing = None;
    }

    pub fn is_searching(&self) -> bool {
        self.search.is_some()
    }

    /// The offer in place, while Tab goes round.
    pub fn offered(&self) -> Option<(&Completion, usize)> {
        self.round.as_ref().map(|round| (&round.completion, round.at))
    }

    /// What probably follows the line, from the history; only at its end.
    pub fn ghost<'h>(&self, history: &'h History) -> Option<&'h str> {
        let quiet = self.search.is_none() && self.round.is_none() && self.browsing.is_none();
        if quiet && self.cursor == self.text.len() { history.ghost(&self.text) } else { None }
    }

    pub fn view<'a>(&'a self, history: &'a History) -> View<'a> {
        let Some(search) = &self.search else {
            return View { prompt: None, text: &self.text, cursor: self.cursor, highlight: None };
        };
        let prompt = match search.direction {
            Direction::Back => "(reverse-i-search): ",
            Direction::Forward => "(i-search): ",
        };
        match search.found.and_then(|found| history.line(found.index).map(|line| (found, line))) {
            Some((found, line)) => View {
                prompt: Some(prompt),
                text: line,
                cursor: found.start,
                highlight: Some((found.start, found.end)),
            },
            None => View {
                prompt: Some(prompt),
                text: &search.words,
                cursor: search.words.len(),
                highlight: None,
            },
        }
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key, history: &History) -> Event {
        let escaped = std::mem::take(&mut self.escaped);
        if escaped && key == Key::Tab {
            return Event::LeaveField;
        }
        if self.search.is_some()
            && let Some(event) = self.search_key(&key, history)
        {
            return event;
        }
        if self.round.is_some() {
            match key {
                Key::Tab => return self.turn(1),
                Key::BackTab => return self.turn(-1),
                Key::Escape => {
                    if let Some(round) = self.round.take() {
                        (self.text, self.cursor) = round.typed;
                    }
                    return Event::Changed;
                }
                _ => self.round = None,
            }
        }
        match key {
            Key::Tab | Key::BackTab => Event::Complete,
            Key::Enter => self.submit(),
            Key::Interrupt => {
                self.clear();
                Event::Interrupt
            }
            Key::Clear => Event::Clear,
            Key::Escape => {
                self.escaped = true;
                Event::Nothing
            }
            Key::DeleteOrEnd if self.text.is_empty() => Event::End,
            Key::SearchBack => self.begin_search(Direction::Back),
            Key::SearchForward => self.begin_search(Direction::Forward),
            Key::Up => self.browse(-1, history),
            Key::Down => self.browse(1, history),
            Key::Left | Key::Right | Key::Home | Key::End | Key::WordLeft | Key::WordRight => {
                self.travel(&key, history)
            }
            Key::Abort => Event::Nothing,
            edit => self.edit(edit),
        }
    }

    /// Takes the offers asked for by [`Event::Complete`] and puts the first one in place.
    pub fn offer(&mut self, completion: Completion) -> Event {
        if completion.items.is_empty() {
            return Event::Nothing;
        }
        let alone = completion.items.len() == 1;
        let typed = (self.text.clone(), self.cursor);
        self.round = Some(Round { at: completion.items.len(), completion, typed });
        let event = self.turn(1);
        if alone {
            self.round = None;
            if self.cursor == self.text.len() {
                self.insert(" ");
            }
        }
        event
    }

    fn turn(&mut self, by: isize) -> Event {
        let Some(round) = &mut self.round else { return Event::Nothing };
        let places = round.completion.items.len() as isize + 1;
        round.at = (round.at as isize + by).rem_euclid(places) as usize;
        (self.text, self.cursor) = match round.completion.items.get(round.at) {
            Some(item) => round.completion.apply(&round.typed.0, item),
            None => round.typed.clone(),
        };
        Event::Changed
    }

    fn submit(&mut self) -> Event {
        let text = std::mem::take(&mut self.text);
        self.clear();
        Event::Submit(text)
    }

    fn clear(&mut self) {
        self.text.clear();
        self.cursor = 0;
        self.browsing = None;
        self.search = None;
        self.round = None;
    }

    // ---- moving ----

    fn travel(&mut self, key: &Key, history: &History) -> Event {
        let to = match key {
            Key::Left => self.before(self.cursor),
            Key::Right if self.cursor == self.text.len() => {
                let Some(ghost) = self.ghost(history).map(str::to_owned) else { return Event::Nothing };
                self.insert(&ghost);
                return Event::Changed;
            }
            Key::Right => self.behind(self.cursor),
            Key::Home => 0,
            Key::End => self.text.len(),
            Key::WordLeft => self.word_start(char::is_alphanumeric),
            _ => self.word_end(),
        };
        if to == self.cursor {
            return Event::Nothing;
        }
        self.cursor = to;
        Event::Changed
    }

    fn before(&self, at: usize) -> usize {
        self.text[..at].char_indices().next_back().map_or(0, |(start, _)| start)
    }

    fn behind(&self, at: usize) -> usize {
        self.text[at..].chars().next().map_or(at, |c| at + c.len_utf8())
    }

    fn word_start(&self, in_word: fn(char) -> bool) -> usize {
        let before = &self.text[..self.cursor];
        let end = before.trim_end_matches(|c| !in_word(c)).len();
        before[..end].trim_end_matches(in_word).len()
    }

    fn word_end(&self) -> usize {
        let rest = &self.text[self.cursor..];
        let from_word = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        self.text.len() - from_word.trim_start_matches(char::is_alphanumeric).len()
    }

    // ---- changing ----

    fn edit(&mut self, key: Key) -> Event {
        let length = self.text.len();
        match key {
            Key::Char(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            Key::Paste(text) => self.insert(&text),
            Key::Backspace => {
                self.remove(self.before(self.cursor), self.cursor);
            }
            Key::Delete | Key::DeleteOrEnd => {
                self.remove(self.cursor, self.behind(self.cursor));
            }
            Key::CutToEnd => self.cut = self.remove(self.cursor, length),
            Key::CutToStart => self.cut = self.remove(0, self.cursor),
            Key::CutWordBack => self.cut = self.remove(self.word_start(|c| !c.is_whitespace()), self.cursor),
            Key::CutWord => self.cut = self.remove(self.cursor, self.word_end()),
            Key::PutBack => {
                let cut = self.cut.clone();
                self.insert(&cut);
            }
            Key::Exchange => return self.exchange(),
            _ => return Event::Nothing,
        }
        if self.text.len() == length { Event::Nothing } else { Event::Changed }
    }

    fn insert(&mut self, text: &str) {
        if self.text.len() + text.len() <= LINE_MAX_BYTES {
            self.text.insert_str(self.cursor, text);
            self.cursor += text.len();
        }
    }

    fn remove(&mut self, from: usize, to: usize) -> String {
        self.cursor = from;
        self.text.drain(from..to).collect()
    }

    /// Exchanges the characters around the cursor, at the end the last two.
    fn exchange(&mut self) -> Event {
        let middle = if self.cursor == self.text.len() { self.before(self.cursor) } else { self.cursor };
        if middle == 0 {
            return Event::Nothing;
        }
        let (start, end) = (self.before(middle), self.behind(middle));
        let exchanged = format!("{}{}", &self.text[middle..end], &self.text[start..middle]);
        self.text.replace_range(start..end, &exchanged);
        self.cursor = end;
        Event::Changed
    }

    // ---- history ----

    fn browse(&mut self, by: isize, history: &History) -> Event {
        let present = self.browsing.as_ref().map_or(history.len(), |(index, _)| *index);
        let wanted = present as isize + by;
        if wanted < 0 || wanted > history.len() as isize || (by > 0 && self.browsing.is_none()) {
            return Event::Nothing;
        }
        let kept = self.browsing.take().map_or_else(|| self.text.clone(), |(_, kept)| kept);
        match history.line(wanted as usize) {
            Some(line) => {
                self.text = line.to_owned();
                self.browsing = Some((wanted as usize, kept));
            }
            None => self.text = kept,
        }
        self.cursor = self.text.len();
        Event::Changed
    }

    fn begin_search(&mut self, direction: Direction) -> Event {
        let before = (self.text.clone(), self.cursor);
        self.search = Some(Search { words: String::new(), direction, found: None, before });
        Event::Changed
    }

    /// A key while searching; nothing when the search is over and the key is to be taken as usual.
    fn search_key(&mut self, key: &Key, history: &History) -> Option<Event> {
        let search = self.search.as_mut()?;
        match key {
            Key::Char(c) => {
                search.words.push(*c);
                search.found = history.search(&search.words, None, search.direction);
            }
            Key::Paste(text) => {
                search.words.push_str(text);
                search.found = history.search(&search.words, None, search.direction);
            }
            Key::Backspace => {
                search.words.pop();
                search.found = history.search(&search.words, None, search.direction);
            }
            Key::SearchBack | Key::SearchForward => {
                search.direction = if *key == Key::SearchBack { Direction::Back } else { Direction::Forward };
                let from = search.found.map(|found| found.index);
                let further = history.search(&search.words, from, search.direction);
                search.found = further.or(search.found);
            }
            Key::Enter => {
                self.end_search(history);
                return Some(self.submit());
            }
            Key::Tab => self.end_search(history),
            Key::Abort | Key::Interrupt | Key::Escape | Key::Up | Key::Down | Key::Left | Key::Right => {
                (self.text, self.cursor) = self.search.take()?.before;
            }
            _ => {
                self.end_search(history);
                return None;
            }
        }
        Some(Event::Changed)
    }

    /// Takes what was found, or else the words searched for, as the line.
    fn end_search(&mut self, history: &History) {
        let Some(search) = self.search.take() else { return };
        let line = search.found.and_then(|found| history.line(found.index));
        self.text = line.map_or(search.words, str::to_owned);
        self.cursor = self.text.len();
    }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&n| text.is_char_boundary(n)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::complete::complete;
    use crate::cli::hints::tests::table;

    /// Presses keys: letters as they are, others by one letter after `^`.
    fn press(editor: &mut Editor, history: &History, keys: &str) -> Vec<Event> {
        let mut events = Vec::new();
        let mut chars = keys.chars();
        while let Some(c) = chars.next() {
            let key = match c {
                '^' => match chars.next().expect("a key after ^") {
                    'a' => Key::Home,
                    'e' => Key::End,
                    'b' => Key::Left,
                    'f' => Key::Right,
                    'k' => Key::CutToEnd,
                    'u' => Key::CutToStart,
                    'w' => Key::CutWordBack,
                    'd' => Key::CutWord,
                    'y' => Key::PutBack,
                    't' => Key::Exchange,
                    'h' => Key::Backspace,
                    'p' => Key::Up,
                    'n' => Key::Down,
                    'r' => Key::SearchBack,
                    's' => Key::SearchForward,
                    'g' => Key::Abort,
                    'c' => Key::Interrupt,
                    'D' => Key::DeleteOrEnd,
                    '<' => Key::WordLeft,
                    '>' => Key::WordRight,
                    'i' => Key::Tab,
                    '[' => Key::Escape,
                    'm' => Key::Enter,
                    other => panic!("no key ^{other}"),
                },
                c => Key::Char(c),
            };
            events.push(editor.key(key, history));
        }
        events
    }

    fn typed(keys: &str) -> (String, usize) {
        let mut editor = Editor::default();
        press(&mut editor, &History::from_lines(["SET a 1", "GET é", "keys one", "keys two"]), keys);
        (editor.text().to_owned(), editor.cursor())
    }

    fn line(keys: &str) -> String {
        typed(keys).0
    }

    #[test]
    fn moving_and_cutting() {
        assert_eq!(typed("abc^bX"), ("abXc".to_owned(), 3));
        assert_eq!(typed("añb^b^b^h"), ("ñb".to_owned(), 0));
        assert_eq!(line("GET key one^w^w"), "GET ");
        assert_eq!(line("GET key^u"), "");
        assert_eq!(line("GET key^a^k^y^y"), "GET keyGET key");
        assert_eq!(line("GET user:1:name^<^<X"), "GET user:X1:name");
        assert_eq!(line("GET user name^a^>^d!"), "GET! name");
        assert_eq!(line("ab^t"), "ba");
        assert_eq!(line("abc^a^f^t"), "bac");
        assert_eq!(line("abc^a^D^D"), "c");
    }

    #[test]
    fn walking_in_the_history_keeps_the_line() {
        assert_eq!(line("half^p"), "keys two");
        assert_eq!(line("half^p^p^n^n"), "half");
        assert_eq!(line("^p^p^p^p^p^p"), "SET a 1");
        assert_eq!(line("x^n"), "x");
    }

    #[test]
    fn searching() {
        assert_eq!(line("^rey^i"), "keys two");
        assert_eq!(line("^rey^r^i"), "keys one");
        assert_eq!(line("^sey^s^i"), "keys two");
        assert_eq!(line("half^rey^g"), "half");
        assert_eq!(line("^rnothing^i"), "nothing");
        assert_eq!(line("^rET^isuffix"), "GET ésuffix");
        let history = History::from_lines(["GET blah"]);
        let mut editor = Editor::default();
        press(&mut editor, &history, "^rET b");
        let view = editor.view(&history);
        assert_eq!(
            (view.prompt, view.text, view.highlight),
            (Some("(reverse-i-search): "), "GET blah", Some((1, 5)))
        );
        assert_eq!(press(&mut editor, &history, "^m"), [Event::Submit("GET blah".to_owned())]);
        assert_eq!(editor.view(&history).prompt, None);
    }

    #[test]
    fn the_ghost_is_taken_at_the_end() {
        assert_eq!(line("key^f"), "keys two");
        assert_eq!(line("key^b^f"), "key");
        assert_eq!(line("zzz^f"), "zzz");
    }

    #[test]
    fn tab_goes_round_and_escape_restores() {
        let history = History::default();
        let mut editor = Editor::default();
        let tab = |editor: &mut Editor| {
            if editor.key(Key::Tab, &history) == Event::Complete {
                let completion = complete(&table(), editor.text(), editor.cursor());
                editor.offer(completion);
            }
            editor.text().to_owned()
        };
        editor.set("geo", 3);
        assert_eq!(tab(&mut editor), "GEORADIUS");
        assert_eq!(tab(&mut editor), "GEOSEARCH");
        assert_eq!(tab(&mut editor), "geo");
        assert_eq!(tab(&mut editor), "GEORADIUS");
        editor.key(Key::Escape, &history);
        assert_eq!(editor.text(), "geo");
        editor.set("mg", 2);
        assert_eq!(tab(&mut editor), "MGET ");
    }

    #[test]
    fn leaving() {
        let history = History::default();
        let mut editor = Editor::default();
        assert_eq!(press(&mut editor, &history, "^D"), [Event::End]);
        assert_eq!(press(&mut editor, &history, "^[^i"), [Event::Nothing, Event::LeaveField]);
        press(&mut editor, &history, "abc");
        assert_eq!(press(&mut editor, &history, "^c"), [Event::Interrupt]);
        assert_eq!(editor.text(), "");
    }
}
