//! What may differ between the versions, or is left open, is made equal before replies are compared.

use resplay::cli::format::{self, Style};
use resplay::resp::reply::Reply;

use crate::Line;

/// Their elements come in an order that Redis leaves open.
const UNORDERED: &[&str] =
    &["SMEMBERS", "SINTER", "SUNION", "SDIFF", "HKEYS", "HVALS", "KEYS", "SPOP", "SRANDMEMBER"];

/// The same in pairs.
const UNORDERED_PAIRS: &[&str] = &["HGETALL"];

/// The fields of XINFO that both have and that rest neither on time nor on how a stream is kept.
const XINFO_FIELDS: &[&str] = &[
    "length",
    "last-generated-id",
    "max-deleted-entry-id",
    "entries-added",
    "recorded-first-entry-id",
    "entries",
    "groups",
    "first-entry",
    "last-entry",
    "name",
    "consumers",
    "pending",
    "pel",
    "pel-count",
    "entries-read",
];

pub fn is_unordered(name: &str) -> bool {
    UNORDERED.contains(&name) || UNORDERED_PAIRS.contains(&name)
}

/// The first line whose replies differ.
pub fn first_difference(lines: &[Line], ours: &[Reply], theirs: &[Reply]) -> Option<usize> {
    let (ours, theirs) = (all_normalized(lines, ours), all_normalized(lines, theirs));
    (0..lines.len()).find(|&index| ours.get(index) != theirs.get(index))
}

fn all_normalized(lines: &[Line], replies: &[Reply]) -> Vec<Reply> {
    let mut queue: Vec<&Line> = Vec::new();
    let mut normal = Vec::with_capacity(replies.len());
    for (line, reply) in lines.iter().zip(with_changes(lines, replies.to_vec())) {
        let is_queued = matches!(&reply, Reply::Status(text) if text == b"QUEUED");
        normal.push(match reply {
            Reply::Array(items) if name_of(line) == "EXEC" => {
                let items = items.into_iter().zip(&queue);
                Reply::Array(items.map(|(item, line)| normalized(line, item)).collect())
            }
            reply => normalized(line, reply),
        });
        match &*name_of(line) {
            _ if is_queued => queue.push(line),
            "MULTI" | "EXEC" | "DISCARD" => queue.clear(),
            _ => {}
        }
    }
    normal
}

/// In place of INFO, how many changes there were since the last one.
pub fn with_changes(lines: &[Line], mut replies: Vec<Reply>) -> Vec<Reply> {
    let (mut last, mut counts_less) = (None, false);
    for (line, reply) in lines.iter().zip(&mut replies) {
        let name = name_of(line);
        // Since 8 a bit that is what it was does not count as a change; 7.0 counts consumers in ways of its own.
        let called =
            if matches!(&*name, "EVAL" | "FCALL") { line.get(3).unwrap_or(&line[0]) } else { &line[0] };
        let counting = [&b"BITFIELD"[..], b"SETBIT", b"XREADGROUP", b"XCLAIM", b"XAUTOCLAIM"];
        counts_less |= counting.contains(&&called[..]);
        if let Reply::Bulk(text) | Reply::Verbatim(_, text) = &*reply
            && name == "INFO"
        {
            let count = changes(text);
            let since = last.replace(count).filter(|_| !counts_less).map_or(0, |last| count - last);
            counts_less = false;
            *reply = Reply::Integer(since);
        }
    }
    replies
}

fn name_of(line: &Line) -> String {
    String::from_utf8_lossy(&line[0]).to_ascii_uppercase()
}

fn changes(info: &[u8]) -> i64 {
    let text = String::from_utf8_lossy(info);
    let count = text.lines().find_map(|line| line.strip_prefix("rdb_changes_since_last_save:"));
    count.and_then(|count| count.parse().ok()).expect("INFO persistence has it")
}

fn text_of(reply: &Reply) -> Vec<u8> {
    format::text(reply, &Style::default())
}

fn sorted(items: &mut [Reply]) {
    items.sort_by_key(text_of);
}

fn sorted_in_pairs(items: &mut Vec<Reply>) {
    let mut pairs: Vec<Vec<Reply>> = items.chunks(2).map(<[Reply]>::to_vec).collect();
    pairs.sort_by_key(|pair| text_of(&pair[0]));
    *items = pairs.concat();
}

fn normalized(line: &Line, mut reply: Reply) -> Reply {
    // Behind its text and the count of its keys, a script has the command that it calls.
    if line.len() > 3 && matches!(&line[0][..], b"EVAL" | b"FCALL") {
        return normalized(&line[3..].to_vec(), reply);
    }
    let name = name_of(line);
    let name = name.as_str();
    if let Reply::Array(items) | Reply::Set(items) = &mut reply {
        if UNORDERED.contains(&name) {
            sorted(items);
        } else if UNORDERED_PAIRS.contains(&name) {
            sorted_in_pairs(items);
        } else if name.ends_with("SCAN") && items.len() == 2 {
            match &mut items[1] {
                Reply::Array(found) if matches!(name, "HSCAN" | "ZSCAN") => sorted_in_pairs(found),
                Reply::Array(found) => sorted(found),
                _ => {}
            }
        } else if matches!(name, "HRANDFIELD" | "ZRANDMEMBER") {
            sorted(items);
        }
    }
    if name == "XINFO" {
        reply = shared_fields(reply);
    }
    each(name, line, reply)
}

/// The parts of a reply that hold others, then the others.
fn each(name: &str, line: &Line, reply: Reply) -> Reply {
    let all = |items: Vec<Reply>| items.into_iter().map(|item| each(name, line, item)).collect();
    match reply {
        // An entry of the list of pending ones: identifier, consumer, how long it has been idle, deliveries.
        Reply::Array(mut items)
            if name == "XPENDING"
                && items.len() == 4
                && matches!((&items[1], &items[2]), (Reply::Bulk(_), Reply::Integer(_))) =>
        {
            items[2] = Reply::Nil;
            Reply::Array(items)
        }
        Reply::Array(items) => Reply::Array(all(items)),
        Reply::Set(mut items) => {
            sorted(&mut items);
            Reply::Set(all(items))
        }
        Reply::Map(mut pairs) => {
            pairs.sort_by_key(|(key, _)| text_of(key));
            let pair = |(key, value)| (each(name, line, key), each(name, line, value));
            Reply::Map(pairs.into_iter().map(pair).collect())
        }
        _ => one(name, line, reply),
    }
}

fn one(name: &str, line: &Line, reply: Reply) -> Reply {
    let is_object = name == "OBJECT";
    let about = line.get(1).map(|word| word.to_ascii_uppercase()).unwrap_or_default();
    match &reply {
        // 7.2 reads the range before it looks at the key, 7.0 does not read it where nothing is.
        Reply::Error(_) | Reply::Integer(-1 | 0) if name == "BITCOUNT" || name == "BITPOS" => {
            Reply::Integer(0)
        }
        // 7.2 brought the listpack encoding of sets, and lists that are listpacks; SORT makes a skiplist.
        Reply::Bulk(text)
            if is_object
                && [&b"listpack"[..], b"quicklist", b"hashtable", b"skiplist"].contains(&&text[..]) =>
        {
            Reply::bulk("(small or big)")
        }
        // 7.0 shares small numbers.
        Reply::Integer(_) if is_object && about == b"REFCOUNT" => Reply::Integer(1),
        // Since 7.4 it names the command and what an identifier may be.
        Reply::Error(text) if text.starts_with(b"ERR Unbalanced ") => Reply::error("ERR Unbalanced"),
        // A second may have passed.
        Reply::Integer(_) if is_object && about == b"IDLETIME" => Reply::Integer(0),
        // The versions of the format differ.
        Reply::Bulk(_) if name == "DUMP" || name == "RANDOMKEY" => Reply::bulk("(something)"),
        // 7.0 shows doubles with seventeen digits, coordinates with twenty, and large ones with an exponent; 8 shows what
        // is needed, and plainly.
        Reply::Bulk(text) | Reply::Double(text)
            if text.contains(&b'e')
                || name.starts_with("GEO")
                || matches!(reply, Reply::Double(_))
                || text.len() > 15 && name.starts_with('Z') =>
        {
            match std::str::from_utf8(text).map(str::parse::<f64>) {
                Ok(Ok(value)) if name.starts_with("GEO") => Reply::bulk(format!("{value:.12}")),
                Ok(Ok(value)) => {
                    let mut plain = Vec::new();
                    resplay::resp::double::write_double(&mut plain, value);
                    match reply {
                        Reply::Double(_) => Reply::Double(plain),
                        _ => Reply::Bulk(plain),
                    }
                }
                _ => reply,
            }
        }
        // Times to live differ by the moment of asking.
        Reply::Integer(value) if name.ends_with("TTL") && *value > 60 => Reply::Integer(1000),
        Reply::Integer(value) if name.ends_with("EXPIRETIME") && *value > 0 => Reply::Integer(1000),
        _ => reply,
    }
}

/// Of XINFO, what both versions have.
fn shared_fields(reply: Reply) -> Reply {
    let is_shared = |name: &Reply| match name {
        Reply::Bulk(name) => XINFO_FIELDS.iter().any(|field| field.as_bytes() == &name[..]),
        _ => false,
    };
    let is_field = |name: &Reply| matches!(name, Reply::Bulk(name) if name.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'-') && name.len() > 2);
    match reply {
        Reply::Map(pairs) => {
            let pairs = pairs.into_iter().filter(|(name, _)| is_shared(name));
            Reply::Map(pairs.map(|(name, value)| (name.clone(), of_pending(&name, value))).collect())
        }
        Reply::Array(items) if items.len() >= 4 && items.iter().step_by(2).all(is_field) => {
            let pairs = items.chunks(2).filter(|pair| is_shared(&pair[0]));
            let values = pairs.flat_map(|pair| {
                let value = pair.get(1).cloned().unwrap_or(Reply::Nil);
                [pair[0].clone(), of_pending(&pair[0], value)]
            });
            Reply::Array(values.collect())
        }
        Reply::Array(items) => Reply::Array(items.into_iter().map(shared_fields).collect()),
        _ => reply,
    }
}

/// The lists of pending entries hold times of delivery, and lists of consumers hold more fields.
fn of_pending(name: &Reply, value: Reply) -> Reply {
    match (name, value) {
        (Reply::Bulk(name), Reply::Array(entries)) if name == b"pending" || name == b"pel" => {
            let without_time = |entry: Reply| match entry {
                Reply::Array(mut parts) if parts.len() >= 3 => {
                    let at = parts.len() - 2;
                    parts[at] = Reply::Nil;
                    Reply::Array(parts)
                }
                entry => entry,
            };
            Reply::Array(entries.into_iter().map(without_time).collect())
        }
        (Reply::Bulk(name), value) if name == b"groups" || name == b"consumers" => shared_fields(value),
        (_, value) => value,
    }
}
