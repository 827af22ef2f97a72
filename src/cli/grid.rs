//! A reply as a table: rows and columns with a heading, for replies that have such a shape.

use super::format::{self, Style};
use super::split::repr;
use crate::resp::reply::Reply;

/// More columns than these make no table.
const COLUMNS_MAX: usize = 32;
/// A wider text is cut in [`Grid::text`].
const WIDTH_MAX: usize = 60;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    pub heading: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    pub text: String,
    /// Leads to the value in the reply; nothing for an empty cell.
    pub path: Option<Vec<u32>>,
    pub is_number: bool,
}

/// What a flat list of pairs holds, when the command that was asked tells.
pub type Pairs = Option<(&'static str, &'static str)>;

/// The reply as a table of at most so many rows; nothing for what is no aggregate.
pub fn grid(reply: &Reply, pairs: Pairs, rows_max: usize) -> Option<Grid> {
    let reply = reply.plain();
    if reply.is_empty() {
        return None;
    }
    if let Reply::Map(entries) = reply {
        let (left, right) = pairs.unwrap_or(("key", "value"));
        let row = |(index, (key, value)): (usize, &(Reply, Reply))| {
            vec![cell(key, vec![index as u32 * 2]), cell(value, vec![index as u32 * 2 + 1])]
        };
        let rows = entries.iter().enumerate().take(rows_max).map(row).collect();
        return Some(Grid { heading: vec![left.to_owned(), right.to_owned()], rows });
    }
    let items = reply.elements()?;
    let shown = &items[..items.len().min(rows_max)];
    if let Some((left, right)) = pairs
        && items.len().is_multiple_of(2)
        && items.iter().all(|item| item.elements().is_none())
    {
        let row = |(index, pair): (usize, &[Reply])| {
            pair.iter().zip(0..).map(|(item, side)| cell(item, vec![index as u32 * 2 + side])).collect()
        };
        let rows = items.chunks_exact(2).enumerate().take(rows_max).map(row).collect();
        return Some(Grid { heading: vec![left.to_owned(), right.to_owned()], rows });
    }
    Some(records(shown).or_else(|| lists(shown, pairs)).unwrap_or_else(|| single(shown)))
}

/// Elements that are maps, or flat lists of names and values: a column for each name.
fn records(items: &[Reply]) -> Option<Grid> {
    let mut heading: Vec<String> = Vec::new();
    for item in items {
        for (name, _) in fields(item)? {
            if !heading.contains(&name) {
                heading.push(name);
            }
        }
        if heading.len() > COLUMNS_MAX {
            return None;
        }
    }
    let row = |(index, item): (usize, &Reply)| {
        let mut row = vec![Cell::default(); heading.len()];
        for (at, (name, value)) in fields(item).unwrap_or_default().into_iter().enumerate() {
            let column = heading.iter().position(|known| *known == name);
            if let Some(column) = column {
                row[column] = cell(value, vec![index as u32, at as u32 * 2 + 1]);
            }
        }
        row
    };
    let rows = items.iter().enumerate().map(row).collect();
    Some(Grid { heading, rows })
}

/// Names and values of a map, or of a flat list whose every other part is a plain name.
fn fields(item: &Reply) -> Option<Vec<(String, &Reply)>> {
    let flat =
        matches!(item.plain(), Reply::Array(parts) if parts.len() >= 4 && parts.len().is_multiple_of(2));
    if !(flat || matches!(item.plain(), Reply::Map(pairs) if !pairs.is_empty())) {
        return None;
    }
    let is_name = |text: &[u8]| {
        text.first().is_some_and(u8::is_ascii_lowercase)
            && text.iter().all(|b| b.is_ascii_alphanumeric() || b"-_. ".contains(b))
    };
    let named = |(key, value)| {
        let text = Reply::text(key).filter(|text| is_name(text))?;
        Some((String::from_utf8_lossy(text).into_owned(), value))
    };
    item.pairs().into_iter().map(named).collect()
}

/// Elements that are lists themselves: a column for each place.
fn lists(items: &[Reply], pairs: Pairs) -> Option<Grid> {
    let mut width = 0;
    for item in items {
        width = width.max(item.elements()?.len());
    }
    if width == 0 || width > COLUMNS_MAX {
        return None;
    }
    let heading = match pairs {
        Some((left, right)) if width == 2 => vec![left.to_owned(), right.to_owned()],
        _ => (1..=width).map(|n| n.to_string()).collect(),
    };
    let row = |(index, item): (usize, &Reply)| {
        let parts = item.elements().unwrap_or_default();
        (0..width)
            .map(|at| {
                parts.get(at).map_or_else(Cell::default, |part| cell(part, vec![index as u32, at as u32]))
            })
            .collect()
    };
    Some(Grid { heading, rows: items.iter().enumerate().map(row).collect() })
}

fn single(items: &[Reply]) -> Grid {
    let row = |(index, item): (usize, &Reply)| {
        let number = Cell { text: (index + 1).to_string(), path: None, is_number: true };
        vec![number, cell(item, vec![index as u32])]
    };
    Grid {
        heading: vec!["#".to_owned(), "value".to_owned()],
        rows: items.iter().enumerate().map(row).collect(),
    }
}

/// Texts as they are when they can be read, else in quotes; aggregates as JSON.
fn cell(reply: &Reply, path: Vec<u32>) -> Cell {
    let readable = |text: &[u8]| match std::str::from_utf8(text) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => String::from_utf8(repr(text)).expect("escapes are ASCII"),
    };
    let (text, is_number) = match reply.plain() {
        Reply::Integer(n) => (n.to_string(), true),
        Reply::Double(text) | Reply::BigNumber(text) => (readable(text), true),
        Reply::Nil => ("(nil)".to_owned(), false),
        Reply::Error(text) => (format!("(error) {}", readable(text)), false),
        other => match other.text() {
            Some(text) => (readable(text), std::str::from_utf8(text).is_ok_and(|t| t.parse::<f64>().is_ok())),
            None => {
                let json = format::text(other, &Style::of(format::Format::Json));
                (String::from_utf8_lossy(json.trim_ascii_end()).into_owned(), false)
            }
        },
    };
    Cell { text, path: Some(path), is_number }
}

impl Grid {
    /// The table in plain characters, numbers to the right.
    pub fn text(&self) -> String {
        let cut = |text: &str| match text.chars().count() > WIDTH_MAX {
            true => text.chars().take(WIDTH_MAX - 1).chain(['…']).collect(),
            false => text.to_owned(),
        };
        let mut lines: Vec<Vec<(String, bool)>> =
            vec![self.heading.iter().map(|name| (cut(name), false)).collect()];
        lines.extend(
            self.rows.iter().map(|row| row.iter().map(|cell| (cut(&cell.text), cell.is_number)).collect()),
        );
        let width =
            |column: usize| lines.iter().map(|line| line[column].0.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.heading.len()).map(width).collect();
        let mut out = String::new();
        for (at, line) in lines.iter().enumerate() {
            let padded = line.iter().zip(&widths).map(|((text, right), width)| match right {
                true => format!("{text:>width$}"),
                false => format!("{text:<width$}"),
            });
            out.push_str(padded.collect::<Vec<_>>().join(" | ").trim_end());
            out.push('\n');
            if at == 0 {
                out.push_str(&widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("-+-"));
                out.push('\n');
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(texts: &[&str]) -> Reply {
        Reply::Array(texts.iter().map(Reply::bulk).collect())
    }

    #[test]
    fn shapes() {
        let text =
            |reply: &Reply, pairs: Pairs| grid(reply, pairs, 100).map(|grid| grid.text()).unwrap_or_default();
        assert_eq!(
            text(&strings(&["name", "Ann", "age", "41"]), Some(("field", "value"))),
            "field | value\n------+------\nname  | Ann\nage   |    41\n"
        );
        assert_eq!(text(&strings(&["a", "b\n"]), None), "# | value\n--+------\n1 | a\n2 | \"b\\n\"\n");
        let map = Reply::Map(vec![(Reply::bulk("k"), strings(&["x"]))]);
        assert_eq!(text(&map, None), "key | value\n----+------\nk   | [\"x\"]\n");
        let groups = Reply::Array(vec![
            Reply::Array(vec![
                Reply::bulk("name"),
                Reply::bulk("g"),
                Reply::bulk("pending"),
                Reply::Integer(2),
            ]),
            Reply::Map(vec![(Reply::bulk("name"), Reply::bulk("h")), (Reply::bulk("lag"), Reply::Nil)]),
        ]);
        assert_eq!(
            text(&groups, None),
            "name | pending | lag\n-----+---------+------\ng    |       2 |\nh    |         | (nil)\n"
        );
        let nested = Reply::Array(vec![strings(&["1-0", "x"]), strings(&["2-0"])]);
        assert_eq!(text(&nested, None), "1   | 2\n----+--\n1-0 | x\n2-0 |\n");
        assert_eq!(grid(&Reply::Integer(1), None, 100), None);
        assert_eq!(grid(&Reply::Array(Vec::new()), None, 100), None);
    }

    #[test]
    fn cells_lead_to_their_values() {
        let reply = Reply::Map(vec![(Reply::bulk("k"), Reply::Integer(5))]);
        let grid = grid(&reply, None, 100).expect("a table");
        let path = grid.rows[0][1].path.as_deref().expect("a value");
        assert_eq!(reply.at(path), Some(&Reply::Integer(5)));
        let list = strings(&["a", "1", "b", "2"]);
        let grid = super::grid(&list, Some(("member", "score")), 1).expect("a table");
        assert_eq!(grid.rows.len(), 1);
        assert_eq!(list.at(grid.rows[0][1].path.as_deref().expect("a value")), Some(&Reply::bulk("1")));
    }
}
