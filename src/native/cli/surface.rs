//! What the terminal's user sees: replies and words on standard output, and on a real terminal the line being edited
//! below them, redrawn in place.

use std::io::{BufWriter, IsTerminal, Stdout, Write};

use unicode_width::UnicodeWidthChar;

use crate::cli::editor::View;
use crate::cli::format::Class;
use crate::cli::printed::Printed;

/// Widest terminal assumed when the system does not tell.
const COLUMNS: usize = 80;

pub struct Surface {
    out: BufWriter<Stdout>,
    coloured: bool,
    /// The terminal is in raw mode: lines end with CR LF.
    pub is_raw: bool,
    columns: usize,
    drawn: Option<Drawn>,
    status: bool,
    at_line_start: bool,
}

/// What stands in the edited place.
#[derive(PartialEq, Eq)]
struct Drawn {
    prompt: String,
    text: String,
    cursor: usize,
    highlight: Option<(usize, usize)>,
    grey: String,
    /// The cursor's row, counted from the first.
    row: usize,
}

/// A place on the screen, counted from where the prompt begins.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    row: usize,
    column: usize,
}

impl Place {
    fn pass(&mut self, width: usize, columns: usize) {
        if self.column + width > columns {
            *self = Place { row: self.row + 1, column: 0 };
        }
        self.column += width;
    }

    /// A cursor behind the last column stands in the next row.
    fn settled(self, columns: usize) -> Place {
        if self.column >= columns { Place { row: self.row + 1, column: 0 } } else { self }
    }
}

/// Whether standard output may be coloured.
pub fn may_colour() -> bool {
    std::io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

impl Surface {
    pub fn new() -> Surface {
        let mut surface = Surface {
            out: BufWriter::with_capacity(64 * 1024, std::io::stdout()),
            coloured: may_colour(),
            is_raw: false,
            columns: COLUMNS,
            drawn: None,
            status: false,
            at_line_start: true,
        };
        surface.resize();
        surface
    }

    pub fn resize(&mut self) {
        let size = crossterm::terminal::size().map_or(0, |(columns, _)| usize::from(columns));
        self.columns = if size == 0 { COLUMNS } else { size };
    }

    /// A reply or words, above the line being edited.
    pub fn print(&mut self, printed: &Printed) {
        self.erase();
        for span in printed.pieces() {
            match colour(span.class).filter(|_| self.coloured && !span.text.is_empty()) {
                Some(colour) => {
                    self.write(format!("\x1b[{colour}m").as_bytes());
                    self.text(&span.text);
                    self.write(b"\x1b[0m");
                }
                None => self.text(&span.text),
            }
        }
    }

    pub fn line(&mut self, text: &str) {
        self.erase();
        self.text(text.as_bytes());
        self.text(b"\n");
    }

    fn text(&mut self, text: &[u8]) {
        let Some(&last) = text.last() else { return };
        self.at_line_start = last == b'\n';
        if !self.is_raw {
            return self.write(text);
        }
        let mut from = 0;
        for at in memchr::memchr_iter(b'\n', text) {
            self.write(&text[from..at]);
            self.write(b"\r\n");
            from = at + 1;
        }
        self.write(&text[from..]);
    }

    /// A screen that is gone is noticed by reading, not here.
    fn write(&mut self, bytes: &[u8]) {
        let _ = self.out.write_all(bytes);
    }

    pub fn flush(&mut self) {
        let _ = self.out.flush();
    }

    /// Takes the edited line or the status away.
    pub fn erase(&mut self) {
        if let Some(drawn) = self.drawn.take() {
            if drawn.row > 0 {
                self.write(format!("\x1b[{}A", drawn.row).as_bytes());
            }
            self.write(b"\r\x1b[J");
        }
        if std::mem::take(&mut self.status) {
            self.write(b"\r\x1b[K");
        }
    }

    /// A line in place that the next one replaces; nothing where standard output is no terminal.
    pub fn status(&mut self, text: Option<&str>) {
        let Some(text) = text else { return self.erase() };
        if !std::io::stdout().is_terminal() {
            return;
        }
        self.erase();
        self.fresh_line();
        let shown: String = text.chars().take(self.columns.saturating_sub(1)).collect();
        let (on, off) = if self.coloured { ("\x1b[90m", "\x1b[0m") } else { ("", "") };
        self.write(format!("{on}{shown}{off}\r").as_bytes());
        self.status = true;
    }

    fn fresh_line(&mut self) {
        if !self.at_line_start {
            self.text(b"\n");
        }
    }

    pub fn clear(&mut self) {
        self.drawn = None;
        self.status = false;
        self.at_line_start = true;
        self.write(b"\x1b[H\x1b[2J");
    }

    /// The line being edited; `grey` follows it, cut at the end of the row.
    pub fn draw(&mut self, prompt: &str, view: &View<'_>, grey: &str) {
        let drawn = Drawn {
            prompt: prompt.to_owned(),
            text: view.text.to_owned(),
            cursor: view.cursor,
            highlight: view.highlight,
            grey: grey.to_owned(),
            row: 0,
        };
        if self.drawn.as_ref().is_some_and(|last| *last == Drawn { row: last.row, ..clone(&drawn) }) {
            return;
        }
        self.erase();
        self.fresh_line();
        let (end, cursor) = self.put_line(prompt, view);
        let room = self.columns.saturating_sub(end.column + 1);
        if !grey.is_empty() && end.column > 0 && room > 1 {
            let mut left = room;
            let fits = |c: &char| {
                let width = c.width().unwrap_or(0);
                let fits = !c.is_control() && width <= left;
                left = left.saturating_sub(width);
                fits
            };
            let shown: String = grey.chars().take_while(fits).collect();
            let (on, off) = if self.coloured { ("\x1b[90m", "\x1b[0m") } else { ("", "") };
            self.write(format!("{on}{shown}{off}").as_bytes());
        }
        let end = if end.column >= self.columns {
            self.write(b"\r\n");
            end.settled(self.columns)
        } else {
            end
        };
        if end.row > cursor.row {
            self.write(format!("\x1b[{}A", end.row - cursor.row).as_bytes());
        }
        self.write(b"\r");
        if cursor.column > 0 {
            self.write(format!("\x1b[{}C", cursor.column).as_bytes());
        }
        self.drawn = Some(Drawn { row: cursor.row, ..drawn });
    }

    /// The line as it was entered, left on the screen.
    pub fn leave(&mut self, prompt: &str, text: &str) {
        self.erase();
        self.fresh_line();
        let view = View { prompt: None, text, cursor: text.len(), highlight: None };
        self.put_line(prompt, &view);
        self.write(b"\r\n");
        self.at_line_start = true;
    }

    /// Writes prompt and text; where they end and where the cursor belongs.
    fn put_line(&mut self, prompt: &str, view: &View<'_>) -> (Place, Place) {
        let columns = self.columns;
        let mut place = Place::default();
        let mut out = String::new();
        for c in prompt.chars() {
            put_char(c, &mut place, columns, &mut out);
        }
        let mut cursor = place;
        for (at, c) in view.text.char_indices() {
            if at == view.cursor {
                cursor = place;
            }
            if let Some((start, end)) = view.highlight {
                out.push_str(if at == start { "\x1b[7m" } else { "" });
                out.push_str(if at == end { "\x1b[0m" } else { "" });
            }
            put_char(c, &mut place, columns, &mut out);
        }
        if view.highlight.is_some() {
            out.push_str("\x1b[0m");
        }
        if view.cursor >= view.text.len() {
            cursor = place;
        }
        self.write(out.as_bytes());
        (place, cursor.settled(columns))
    }
}

fn clone(drawn: &Drawn) -> Drawn {
    Drawn { prompt: drawn.prompt.clone(), text: drawn.text.clone(), grey: drawn.grey.clone(), ..*drawn }
}

/// One character of the edited line; what is no picture is shown as `^X`.
fn put_char(c: char, place: &mut Place, columns: usize, out: &mut String) {
    if c == '\n' {
        out.push_str("\r\n");
        *place = Place { row: place.row + 1, column: 0 };
    } else if c.is_control() {
        let shown = char::from((c as u32 as u8 ^ 0x40) & 0x7f);
        for c in ['^', shown] {
            place.pass(1, columns);
            out.push(c);
        }
    } else {
        place.pass(c.width().unwrap_or(0), columns);
        out.push(c);
    }
}

fn colour(class: Class) -> Option<&'static str> {
    Some(match class {
        Class::Error => "31",
        Class::Integer | Class::Double | Class::Boolean => "33",
        Class::Key => "36",
        Class::Field => "35",
        Class::Status => "32",
        Class::Nil | Class::Empty | Class::Index | Class::Arrow | Class::Timing | Class::Cut => "90",
        Class::HelpArguments => "90",
        Class::HelpName => "1",
        Class::HelpLabel | Class::Lesson => "33",
        Class::Plain | Class::String | Class::Verbatim | Class::Notice => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_wrap() {
        let mut place = Place::default();
        let mut out = String::new();
        for c in "abcde界\u{1}".chars() {
            put_char(c, &mut place, 6, &mut out);
        }
        assert_eq!(out, "abcde界^A");
        assert_eq!((place.row, place.column), (1, 4));
        assert_eq!(Place { row: 0, column: 6 }.settled(6).row, 1);
    }
}
