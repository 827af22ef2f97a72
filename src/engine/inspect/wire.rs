//! RESP bytes with a word beside each part. Takes requests and replies of both protocols, and bytes that are neither.

use super::Part;
use crate::resp::quoted::repr;

const PARTS_MAX: usize = 200;
const BODY_BYTES_MAX: usize = 512;

/// `{parts: [{depth, head, body, note}], length, rest}`: `rest` counts the bytes not taken apart.
pub fn wire(bytes: &[u8]) -> Part {
    let mut parts = Vec::new();
    // How many elements each open aggregate still wants.
    let mut open: Vec<u64> = Vec::new();
    let mut at = 0;
    while at < bytes.len() && parts.len() < PARTS_MAX {
        while open.last() == Some(&0) {
            open.pop();
        }
        let depth = open.len();
        if let Some(wanted) = open.last_mut() {
            *wanted -= 1;
        }
        let line_end = memchr::memmem::find(&bytes[at..], b"\r\n").map_or(bytes.len(), |end| at + end);
        let line = &bytes[at..line_end];
        let (kind, rest) = (line.first().copied().unwrap_or(b'\r'), line.get(1..).unwrap_or_default());
        let number = std::str::from_utf8(rest).ok().and_then(|text| text.parse::<i64>().ok());
        let mut next = (line_end + 2).min(bytes.len());
        let (mut head, mut body) = (&line[..line.len().min(1)], rest);
        let wanted = number.and_then(|number| u64::try_from(number).ok());
        let note = match (kind, wanted) {
            (b'*', Some(count)) => aggregate(&mut open, count, 1, "array of", "element"),
            (b'~', Some(count)) => aggregate(&mut open, count, 1, "set of", "member"),
            (b'>', Some(count)) => aggregate(&mut open, count, 1, "push of", "element"),
            (b'%', Some(count)) => aggregate(&mut open, count, 2, "map of", "pair"),
            (b'|', Some(count)) => aggregate(&mut open, count, 2, "attributes,", "pair"),
            (b'$' | b'=' | b'!', Some(length)) => {
                let start = next;
                let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length));
                let end = end.map_or(bytes.len(), |end| end.min(bytes.len()));
                (head, body) = (line, &bytes[start.min(end)..end]);
                next = (end + 2).min(bytes.len());
                let what = match kind {
                    b'$' => "string of",
                    b'=' => "verbatim text of",
                    _ => "error of",
                };
                [what, " ", &length.to_string(), if length == 1 { " byte" } else { " bytes" }].concat()
            }
            (b'$' | b'*', None) if rest == b"-1" => "nothing".to_owned(),
            (b'+', _) => "status".to_owned(),
            (b'-', _) => "error".to_owned(),
            (b':', _) => "integer".to_owned(),
            (b'_', _) => "nothing".to_owned(),
            (b',', _) => "double".to_owned(),
            (b'#', _) => "boolean".to_owned(),
            (b'(', _) => "big number".to_owned(),
            _ => {
                (head, body) = (&line[..0], line);
                "plain line".to_owned()
            }
        };
        parts.push(Part::Record(vec![
            ("depth", Part::count(depth)),
            ("head", shown(head)),
            ("body", shown(body)),
            ("note", Part::Text(note)),
        ]));
        at = next.max(at + 1);
    }
    Part::Record(vec![
        ("parts", Part::List(parts)),
        ("length", Part::count(bytes.len())),
        ("rest", Part::count(bytes.len().saturating_sub(at))),
    ])
}

fn aggregate(open: &mut Vec<u64>, count: u64, each: u64, what: &str, element: &str) -> String {
    open.push(count.saturating_mul(each));
    [what, " ", &count.to_string(), " ", element, if count == 1 { "" } else { "s" }].concat()
}

/// Readable, with escapes and without quotes.
fn shown(bytes: &[u8]) -> Part {
    let quoted = repr(&bytes[..bytes.len().min(BODY_BYTES_MAX)]);
    let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    let mut text = String::from_utf8_lossy(inner).into_owned();
    if bytes.len() > BODY_BYTES_MAX {
        text.push('…');
    }
    Part::Text(text)
}
