//! Lines with a place marked by carets below them: as much of a line as the smallest screen shows without wrapping it.

/// A line with carets below it is kept this short, or it would wrap on a small screen and part them from their place.
const MARKED_CHARS: usize = 28;
/// So much of what stands before the mark is kept.
const BEFORE_CHARS: usize = 10;
/// Stands for what is cut off.
pub const CUT: char = '…';

/// As much of a line as there is room for, with the place of a mark in it.
pub struct Shown {
    text: Vec<char>,
    pub column: usize,
    pub width: usize,
    pub starts_late: bool,
    pub is_cut: bool,
}

impl Shown {
    pub fn part(&self, from: usize, to: usize) -> String {
        self.text.iter().take(to).skip(from).collect()
    }
}

/// Cuts words off on both sides of a mark.
pub fn around(line: &str, column: usize, width: usize) -> Shown {
    let line: Vec<char> = line.chars().collect();
    let width = width.clamp(1, MARKED_CHARS / 2);
    if line.len() <= MARKED_CHARS {
        return Shown { text: line, column, width, starts_late: false, is_cut: false };
    }
    let is_space = |at: usize| line[at] == ' ';
    let mut start = 0;
    if column + width + 2 > MARKED_CHARS {
        let least =
            (column + width + 4).saturating_sub(MARKED_CHARS).max(column.saturating_sub(BEFORE_CHARS));
        start = (least..column).find(|&at| is_space(at)).map_or(least, |space| space + 1);
    }
    let mut text: Vec<char> = if start > 0 { vec![CUT, ' '] } else { Vec::new() };
    let shift = text.len();
    let most = start + MARKED_CHARS - 2 - shift;
    let end = match line.len() <= most + 2 {
        true => line.len(),
        false => (column + width..=most).rev().find(|&at| is_space(at)).unwrap_or(most),
    };
    text.extend(&line[start..end]);
    if end < line.len() {
        text.extend([' ', CUT]);
    }
    Shown { text, column: column - start + shift, width, starts_late: start > 0, is_cut: true }
}
