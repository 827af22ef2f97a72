//! A printed thing on its way to the page: its text, flat, with the ends and classes of its spans, given out in slices.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::object;
use crate::cli::format::{Class, Format};
use crate::cli::grid::Cell;
use crate::cli::printed;

/// Longer texts are not kept for other views of the same reply.
const VIEWED_BYTES_MAX: usize = 1024 * 1024;
const TABLE_ROWS_MAX: usize = 1000;

#[wasm_bindgen]
pub struct Printed {
    text: Vec<u8>,
    /// Where a span ends in `text`, and its class.
    spans: Vec<(usize, u8)>,
    /// For other views.
    source: Option<printed::Printed>,
}

impl Printed {
    pub(super) fn new(printed: printed::Printed) -> Printed {
        let (mut text, mut spans) = (Vec::new(), Vec::<(usize, u8)>::new());
        for piece in printed.pieces() {
            text.extend_from_slice(&piece.text);
            let class = piece.class as u8;
            match spans.last_mut() {
                Some(last) if last.1 == class => last.0 = text.len(),
                _ => spans.push((text.len(), class)),
            }
        }
        let source = Some(printed).filter(|_| text.len() <= VIEWED_BYTES_MAX);
        Printed { text, spans, source }
    }
}

#[wasm_bindgen]
impl Printed {
    /// The ways to show this reply; none for what reads the same in all of them.
    pub fn views(&self) -> Vec<String> {
        let Some(source) = &self.source else { return Vec::new() };
        let Some(reply) = source.value(&[]) else { return Vec::new() };
        if source.is_error() || (reply.elements().is_none() && self.spans.iter().all(|span| !is_text(span.1)))
        {
            return Vec::new();
        }
        let mut formats = vec![Format::Tty, Format::Raw, Format::Csv, Format::Json];
        if let printed::Printed::Reply(printed) = source {
            formats.retain(|format| *format != printed.style.format);
            formats.insert(0, printed.style.format);
        }
        let table = source.grid(1).map(|_| "table");
        formats.into_iter().map(Format::name).chain(table).map(str::to_owned).collect()
    }

    /// The value that a view shows at a UTF-16 unit of its text, as `{text, key?}`; nothing where it shows none.
    pub fn value_at(&self, view: &str, unit: usize) -> JsValue {
        let Some((source, format)) = self.source.as_ref().zip(Format::named(view)) else {
            return JsValue::NULL;
        };
        let mut units = 0;
        for piece in source.in_format(format).pieces() {
            units += String::from_utf8_lossy(&piece.text).encode_utf16().count();
            if units > unit {
                return value(source, &piece.path, piece.class);
            }
        }
        JsValue::NULL
    }

    /// The same for a cell of the table.
    pub fn value_in(&self, row: usize, column: usize) -> JsValue {
        let Some(source) = &self.source else { return JsValue::NULL };
        let grid = source.grid(TABLE_ROWS_MAX);
        let cell = grid.as_ref().and_then(|grid| grid.rows.get(row)?.get(column));
        match (source, cell.and_then(|cell| cell.path.as_deref())) {
            (printed::Printed::Reply(printed), Some(path)) => {
                value(source, path, (printed.roles)(path, &printed.reply).unwrap_or(Class::Plain))
            }
            _ => JsValue::NULL,
        }
    }

    /// The same reply otherwise: the name of a format, of those in `views`.
    pub fn view(&self, name: &str) -> Option<Printed> {
        Some(Printed::new(self.source.as_ref()?.in_format(Format::named(name)?)))
    }

    /// The reply as `{heading, rows}`, each cell a text; nothing where it has no such shape.
    pub fn table(&self) -> JsValue {
        let Some(grid) = self.source.as_ref().and_then(|source| source.grid(TABLE_ROWS_MAX)) else {
            return JsValue::NULL;
        };
        let texts = |row: Vec<Cell>| -> js_sys::Array {
            row.into_iter().map(|cell| JsValue::from(cell.text)).collect()
        };
        let heading: js_sys::Array = grid.heading.into_iter().map(JsValue::from).collect();
        let rows: js_sys::Array = grid.rows.into_iter().map(texts).collect();
        object([("heading", heading.into()), ("rows", rows.into())])
    }

    /// The value itself, unquoted.
    pub fn copy(&self) -> Option<String> {
        let bytes = self.source.as_ref()?.copy(&[])?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// From byte `from` at most so many lines and bytes, as `{text, spans, fold?}`; `fold` tells of what comes after.
    pub fn slice(&self, from: usize, lines_max: usize, bytes_max: usize) -> JsValue {
        let from = self.boundary(from);
        let to = self.boundary(self.end_of_slice(from, lines_max, bytes_max));
        let (text, spans) = self.decoded(from, to);
        let (text, spans) = (JsValue::from(text), js_sys::Uint32Array::from(&spans[..]).into());
        if to == self.text.len() {
            return object([("text", text), ("spans", spans)]);
        }
        let lines = memchr::memchr_iter(b'\n', &self.text[to..]).count();
        let number = |number: usize| JsValue::from(number as f64);
        let fold = [
            ("id", number(0)),
            ("shown", number(to)),
            ("length", number(self.text.len())),
            ("lines", number(lines)),
        ];
        object([("text", text), ("spans", spans), ("fold", object(fold))])
    }

    fn end_of_slice(&self, from: usize, lines_max: usize, bytes_max: usize) -> usize {
        let to = from.saturating_add(bytes_max).min(self.text.len());
        memchr::memchr_iter(b'\n', &self.text[from..to])
            .nth(lines_max.saturating_sub(1))
            .map_or(to, |newline| from + newline + 1)
    }

    /// The place itself, or a little before it when it lies inside a character.
    fn boundary(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        let is_inside = |at: usize| self.text.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
        (at.saturating_sub(3)..=at).rev().find(|&at| !is_inside(at)).unwrap_or(at)
    }

    /// The text as JavaScript has it, and pairs of a span's end in UTF-16 units and its class.
    fn decoded(&self, from: usize, to: usize) -> (String, Vec<u32>) {
        let (mut text, mut spans) = (String::with_capacity(to - from), Vec::new());
        let (mut units, mut start) = (0, from);
        let first = self.spans.partition_point(|&(end, _)| end <= from);
        for &(end, class) in &self.spans[first..] {
            let end = end.min(to);
            let part = String::from_utf8_lossy(&self.text[start..end]);
            units += if part.is_ascii() { part.len() } else { part.encode_utf16().count() };
            text.push_str(&part);
            spans.extend([units as u32, u32::from(class)]);
            start = end;
            if end == to {
                break;
            }
        }
        (text, spans)
    }
}

/// A value as a copy of it gives it, and the bytes of a key.
fn value(source: &printed::Printed, path: &[u32], class: Class) -> JsValue {
    let Some(bytes) = source.copy(path) else { return JsValue::NULL };
    let text = ("text", String::from_utf8_lossy(&bytes).into_owned().into());
    match class {
        Class::Key => object([text, ("key", js_sys::Uint8Array::from(&bytes[..]).into())]),
        _ => object([text]),
    }
}

fn is_text(class: u8) -> bool {
    [Class::String, Class::Verbatim, Class::Key, Class::Field].iter().any(|text| *text as u8 == class)
}
