//! A window on one value, by type.

use super::Part;
use crate::command::observe;
use crate::data::geohash::Place;
use crate::data::hyperloglog;
use crate::data::listpack;
use crate::data::sorted_set::SortedSet;
use crate::data::stream::Stream;
use crate::data::stream::group::Group;
use crate::data::stream::id::StreamId;
use crate::data::value::Value;
use crate::keyspace::{Entry, ValueRef};
use crate::server::Server;

/// Elements of one answer.
const ELEMENTS_MAX: usize = 500;
/// Bytes shown of one element.
const CELL_BYTES_MAX: usize = 256;
/// Bytes shown of a string.
const STRING_BYTES_MAX: usize = 4096;
const GROUPS_MAX: usize = 20;
const CONSUMERS_MAX: usize = 50;
const PENDING_MAX: usize = 50;
/// Coordinates fill their 52 bits: smaller scores are more likely numbers.
const COORDINATES_LEAST: f64 = (1u64 << 44) as f64;
const COORDINATES_MOST: f64 = (1u64 << 52) as f64;

/// The value of a key from element (or byte) `from` on; nothing where there is no such key.
pub fn value(server: &Server, db: usize, key: &[u8], from: usize, count: usize) -> Part {
    if db >= server.keyspace.databases() {
        return Part::Nothing;
    }
    let Some(entry) = server.keyspace.db(db).peek(key, server.now_ms) else { return Part::Nothing };
    let look = observe::look(entry);
    let mut fields = vec![
        ("db", Part::count(db)),
        ("key", Part::bytes(key)),
        ("type", Part::text(look.type_name)),
        ("encoding", Part::text(look.encoding)),
        ("size", Part::time(look.size)),
        ("bytes", Part::count(entry.total_bytes())),
        ("expires", Part::time_or_nothing(look.expires_at)),
        ("now", Part::time(server.now_ms)),
        ("from", Part::count(from)),
    ];
    contents(server.now_ms, entry, from, count.min(ELEMENTS_MAX), &mut fields);
    Part::Record(fields)
}

type Fields = Vec<(&'static str, Part)>;

fn contents(now_ms: u64, entry: &Entry, from: usize, count: usize, fields: &mut Fields) {
    let rows: Vec<Part> = match entry.value() {
        ValueRef::Int(int) => {
            fields.push(("number", Part::Integer(int)));
            return fields.push(("text", Part::Bytes(int.to_string().into_bytes())));
        }
        ValueRef::Bytes(bytes) => return string(bytes, from, fields),
        ValueRef::Boxed(value) => match value {
            Value::String(bytes) => return string(bytes, from, fields),
            Value::List(list) => {
                let left = list.len().saturating_sub(from).min(count);
                list.range(from.min(list.len()), left).map(cell).collect()
            }
            Value::Hash(hash) => {
                let live = hash.iter().filter(|item| item.is_live(now_ms));
                let row = |item: crate::data::hash::Item| {
                    Part::List(vec![
                        cell(item.field),
                        cell(item.value),
                        Part::time_or_nothing(item.expires_at),
                    ])
                };
                live.skip(from).take(count).map(row).collect()
            }
            Value::Set(set) => set.iter().skip(from).take(count).map(cell).collect(),
            Value::SortedSet(set) => sorted_set(set, from, count, fields),
            Value::Stream(stream) => stream_rows(stream, from, count, fields),
            Value::Array(array) => {
                let row = |(index, element)| Part::List(vec![Part::time(index), cell(element)]);
                array.iter().skip(from).take(count).map(row).collect()
            }
        },
    };
    fields.push(("rows", Part::List(rows)));
}

fn cell(entry: listpack::Entry) -> Part {
    Part::cut(&entry.to_vec(), CELL_BYTES_MAX)
}

fn string(bytes: &[u8], from: usize, fields: &mut Fields) {
    let shown = bytes.get(from..).unwrap_or_default();
    fields.push(("text", Part::bytes(&shown[..shown.len().min(STRING_BYTES_MAX)])));
    if bytes.len() <= STRING_BYTES_MAX * 4
        && hyperloglog::encoding(bytes).is_ok()
        && let Ok(estimate) = hyperloglog::count(bytes)
    {
        fields.push(("estimate", Part::Integer(estimate as i64)));
    }
}

fn sorted_set(set: &SortedSet, from: usize, count: usize, fields: &mut Fields) -> Vec<Part> {
    let end = from.saturating_add(count).min(set.len());
    let window = || set.iter_ranks(from.min(end)..end);
    let is_place =
        |score: f64| (COORDINATES_LEAST..COORDINATES_MOST).contains(&score) && score == libm::floor(score);
    let places = window().all(|(_, score)| is_place(score)) && !set.is_empty();
    for (name, rank) in [("least", 0), ("most", set.len().saturating_sub(1))] {
        fields.push((name, set.at(rank).map_or(Part::Nothing, |(_, score)| Part::Number(score))));
    }
    let row = |(member, score): (listpack::Entry, f64)| {
        let mut row = vec![cell(member), Part::Number(score)];
        if places {
            let place = Place::of_score(score);
            row.extend([Part::Number(place.longitude), Part::Number(place.latitude)]);
        }
        Part::List(row)
    };
    window().map(row).collect()
}

fn id(id: StreamId) -> Part {
    Part::Text(String::from_utf8_lossy(&id.to_text()).into_owned())
}

fn stream_rows(stream: &Stream, from: usize, count: usize, fields: &mut Fields) -> Vec<Part> {
    fields.push(("lastId", id(stream.last_id)));
    fields.push(("added", Part::time(stream.entries_added)));
    let groups = stream.groups().iter().take(GROUPS_MAX).map(|(name, group)| group_of(stream, name, group));
    fields.push(("groups", Part::List(groups.collect())));
    let row = |entry: crate::data::stream::block::Entry| {
        let pairs = entry
            .pairs()
            .take(CELL_BYTES_MAX)
            .map(|(field, value)| Part::List(vec![cell(field), cell(value)]));
        Part::List(vec![id(entry.id), Part::time(entry.id.ms), Part::List(pairs.collect())])
    };
    stream.iter().skip(from).take(count).map(row).collect()
}

fn group_of(stream: &Stream, name: &[u8], group: &Group) -> Part {
    let consumers = group.consumers().take(CONSUMERS_MAX).map(|consumer| {
        Part::Record(vec![
            ("name", Part::bytes(&consumer.name)),
            ("pending", Part::count(consumer.pending().len())),
            ("seen", Part::Number(consumer.seen_ms as f64)),
        ])
    });
    let pending = group.pending().take(PENDING_MAX).map(|(entry, pending)| {
        let owner = pending.owner.map(|number| Part::bytes(&group.consumer(number).name));
        Part::Record(vec![
            ("id", id(entry)),
            ("consumer", owner.unwrap_or(Part::Nothing)),
            ("delivered", Part::Number(pending.delivered_ms as f64)),
            ("deliveries", Part::time(pending.deliveries)),
        ])
    });
    Part::Record(vec![
        ("name", Part::bytes(name)),
        ("lastId", id(group.last_id)),
        ("lag", stream.lag(group).map_or(Part::Nothing, |lag| Part::Number(lag as f64))),
        ("waiting", Part::count(group.pending_len())),
        ("consumers", Part::List(consumers.collect())),
        ("pending", Part::List(pending.collect())),
    ])
}
