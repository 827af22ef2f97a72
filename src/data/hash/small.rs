//! Fields in listpacks of pairs (field, value) or triples (field, value, expiry in ms or 0).

use crate::data::listpack::{Entry, Listpack, Position};

/// What stands for "no expiry" in a listpack of triples.
pub(super) const NEVER: i64 = 0;

pub(super) fn expiry_of(entry: Entry<'_>) -> Option<u64> {
    match entry {
        Entry::Int(at) if at != NEVER => u64::try_from(at).ok(),
        _ => None,
    }
}

/// Length of the longest field or value, if the tuples are whole and no field comes twice.
pub(super) fn distinct_fields(pack: &Listpack, arity: usize) -> Option<usize> {
    if !pack.len().is_multiple_of(arity) {
        return None;
    }
    let mut longest = 0;
    let mut names = Vec::with_capacity(pack.len() / arity);
    for (index, entry) in pack.iter().enumerate() {
        match index % arity {
            0 => names.push(entry.to_vec()),
            1 => {}
            _ => continue,
        }
        longest = longest.max(entry.text_len());
    }
    crate::data::order::sort(&mut names);
    names.windows(2).all(|pair| pair[0] != pair[1]).then_some(longest)
}

pub(super) fn triples_of(pairs: &Listpack) -> Listpack {
    // An expiry of "never" takes two bytes.
    let mut triples = Listpack::with_capacity(pairs.size_bytes() + pairs.len());
    for (index, entry) in pairs.iter().enumerate() {
        triples.insert_entry(triples.end(), entry);
        if index % 2 == 1 {
            triples.push_back_int(NEVER);
        }
    }
    triples
}

pub(super) fn put_pair(pack: &mut Listpack, field: &[u8], value: &[u8]) -> bool {
    if let Some(at) = pack.first().and_then(|first| pack.find(first, field, 1))
        && let Some(value_at) = pack.next(at)
    {
        pack.replace(value_at, value);
        return false;
    }
    pack.push_back(field);
    pack.push_back(value);
    true
}

pub(super) fn put_triple(pack: &mut Listpack, field: &[u8], value: &[u8], keep_expiry: bool) -> bool {
    if let Some(at) = pack.first().and_then(|first| pack.find(first, field, 2))
        && let Some(value_at) = pack.next(at)
    {
        pack.replace(value_at, value);
        let expires = pack.next(value_at).is_some_and(|at| pack.get(at) != Entry::Int(NEVER));
        if expires && !keep_expiry {
            pack.remove_many(at, 3);
            insert_triple(pack, field, value, NEVER);
        }
        return false;
    }
    insert_triple(pack, field, value, NEVER);
    true
}

/// Puts a triple in its place: before the first that expires no sooner, or last.
pub(super) fn insert_triple(pack: &mut Listpack, field: &[u8], value: &[u8], expires: i64) {
    let mut at = pack.end();
    if expires != NEVER {
        let mut tuple = pack.first();
        while let Some(start) = tuple {
            let Some(expiry_at) = pack.next(start).and_then(|value_at| pack.next(value_at)) else { break };
            if !matches!(pack.get(expiry_at), Entry::Int(other) if other != NEVER && other < expires) {
                at = start;
                break;
            }
            tuple = pack.next(expiry_at);
        }
    }
    at = pack.insert_entry(at, Entry::of(field));
    at = pack.insert_entry(at, Entry::of(value));
    pack.insert_entry(at, Entry::Int(expires));
}

pub(super) fn set_triple_expiry(pack: &mut Listpack, field: &[u8], expires: i64) -> bool {
    let Some(at) = pack.first().and_then(|first| pack.find(first, field, 2)) else { return false };
    let value = pack.next(at).map(|value_at| pack.get(value_at).to_vec()).unwrap_or_default();
    pack.remove_many(at, 3);
    insert_triple(pack, field, &value, expires);
    true
}

pub(super) fn remove_tuple(pack: &mut Listpack, field: &[u8], arity: usize) -> bool {
    let found: Option<Position> = pack.first().and_then(|first| pack.find(first, field, arity - 1));
    if let Some(at) = found {
        pack.remove_many(at, arity);
    }
    found.is_some()
}
