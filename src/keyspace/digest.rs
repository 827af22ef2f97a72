//! A number that two keyspaces share when they hold the same keys, values and times to live, whatever their encodings
//! and the order of their tables.

use crate::data::stream::{Stream, StreamId};
use crate::data::value::Value;

use super::entry::{Entry, ValueRef};
use super::{Db, Keyspace};

/// FNV-1a, 64 bits, over length-prefixed parts: nothing here needs to resist an attacker.
struct Sum(u64);

impl Sum {
    fn new() -> Self {
        Sum(0xcbf2_9ce4_8422_2325)
    }

    fn part(&mut self, bytes: &[u8]) -> &mut Self {
        for &byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self
    }

    fn number(&mut self, number: u64) -> &mut Self {
        self.part(&number.to_le_bytes())
    }
}

/// The digest of every database; keys whose time is up do not count.
pub fn of_keyspace(keyspace: &Keyspace, now_ms: u64) -> u64 {
    let mut sum = Sum::new();
    for (number, db) in keyspace.iter().enumerate().filter(|(_, db)| !db.is_empty()) {
        sum.number(number as u64).number(of_db(db, now_ms));
    }
    sum.0
}

fn of_db(db: &Db, now_ms: u64) -> u64 {
    // Addition does not care for the order of the keys.
    let live = db.iter().filter(|entry| !super::db::is_expired(entry, now_ms));
    live.fold(0, |sum: u64, entry| sum.wrapping_add(of_entry(entry)))
}

fn of_entry(entry: &Entry) -> u64 {
    let mut sum = Sum::new();
    sum.part(entry.key()).number(entry.expires_at().unwrap_or(0));
    sum.number(of_value(entry.value()));
    sum.0
}

/// The digest of one value.
pub fn of_value(value: ValueRef) -> u64 {
    let mut sum = Sum::new();
    match value {
        ValueRef::Int(value) => drop(sum.part(itoa::Buffer::new().format(value).as_bytes())),
        ValueRef::Bytes(bytes) => drop(sum.part(bytes)),
        ValueRef::Boxed(Value::String(bytes)) => drop(sum.part(bytes)),
        ValueRef::Boxed(Value::List(list)) => {
            for element in list.iter() {
                sum.part(&element.to_vec());
            }
        }
        ValueRef::Boxed(Value::Stream(stream)) => add_stream(&mut sum, stream),
        ValueRef::Boxed(Value::Array(array)) => {
            sum.number(array.last_insert().map_or(0, |index| index.wrapping_add(1)));
            for (index, element) in array.iter() {
                sum.number(index).part(&element.to_vec());
            }
        }
        ValueRef::Boxed(value) => sum.0 = of_unordered(value),
    }
    sum.0
}

/// When and how often pending entries were delivered does not count: Redis does not tell replicas of reads of history.
fn add_stream(sum: &mut Sum, stream: &Stream) {
    let add_id = |sum: &mut Sum, id: StreamId| {
        sum.number(id.ms).number(id.seq);
    };
    for entry in stream.iter() {
        add_id(sum, entry.id);
        for (field, value) in entry.pairs() {
            sum.part(&field.to_vec()).part(&value.to_vec());
        }
    }
    add_id(sum, stream.last_id);
    add_id(sum, stream.max_deleted_id);
    sum.number(stream.entries_added);
    for (name, group) in stream.groups() {
        sum.part(name).number(group.entries_read as u64);
        add_id(sum, group.last_id);
        for consumer in group.consumers() {
            sum.part(&consumer.name);
        }
        for (id, pending) in group.pending() {
            add_id(sum, id);
            sum.part(pending.owner.map_or(b"", |owner| &*group.consumer(owner).name));
        }
    }
}

fn of_unordered(value: &Value) -> u64 {
    let mut total: u64 = 0;
    let mut add = |parts: &[&[u8]]| {
        let mut sum = Sum::new();
        for part in parts {
            sum.part(part);
        }
        total = total.wrapping_add(sum.0);
    };
    match value {
        Value::Set(set) => set.iter().for_each(|member| add(&[&member.to_vec()])),
        Value::SortedSet(set) => {
            set.iter().for_each(|(member, score)| add(&[&member.to_vec(), &score.to_bits().to_le_bytes()]));
        }
        Value::Hash(hash) => {
            for item in hash.iter() {
                let expiry = item.expires_at.unwrap_or(0).to_le_bytes();
                add(&[&item.field.to_vec(), &item.value.to_vec(), &expiry]);
            }
        }
        Value::String(_) | Value::List(_) | Value::Stream(_) | Value::Array(_) => {}
    }
    total
}
