//! The keys of a database as the rows of a tree that folds at every `:`.

use super::Part;
use crate::command::observe;
use crate::data::glob;
use crate::keyspace::db::is_expired;
use crate::keyspace::{Db, Entry};
use crate::server::Server;

/// Rows of one answer.
const ROWS_MAX: usize = 500;
const DEPTH_MAX: usize = 64;
const SEPARATOR: u8 = b':';

pub struct KeysQuery {
    pub db: usize,
    /// The groups that are open, by their whole prefix.
    pub open: Vec<Vec<u8>>,
    /// Only keys that contain this, or match it where it is a pattern.
    pub filter: Vec<u8>,
    /// The window of rows wanted.
    pub from: usize,
    pub count: usize,
}

/// `{total, rows, shown: [row], now}`; a row is `{depth, group, name, keys, open}` or `{depth, key, name, type, …}`.
/// O(keys × log keys), a filter that leaves few aside.
pub fn keys(server: &Server, query: &KeysQuery) -> Part {
    if query.db >= server.keyspace.databases() {
        return Part::Nothing;
    }
    let db = server.keyspace.db(query.db);
    let mut found: Vec<&[u8]> = db
        .iter()
        .filter(|entry| !is_expired(entry, server.now_ms) && fits(entry, &query.filter))
        .map(Entry::key)
        .collect();
    found.sort_unstable();
    let mut tree = Tree { db, query, row: 0, shown: Vec::new() };
    tree.walk(&found, 0, 0);
    Part::Record(vec![
        ("db", Part::count(query.db)),
        ("total", Part::count(db.len())),
        ("found", Part::count(found.len())),
        ("rows", Part::count(tree.row)),
        ("from", Part::count(query.from)),
        ("shown", Part::List(tree.shown)),
        ("now", Part::time(server.now_ms)),
    ])
}

fn fits(entry: &Entry, filter: &[u8]) -> bool {
    if filter.is_empty() {
        return true;
    }
    if filter.iter().any(|byte| b"*?[".contains(byte)) {
        return glob::matches(filter, entry.key());
    }
    memchr::memmem::find(entry.key(), filter).is_some()
}

struct Tree<'a> {
    db: &'a Db,
    query: &'a KeysQuery,
    row: usize,
    shown: Vec<Part>,
}

impl Tree<'_> {
    /// The rows of sorted keys that share their first `prefix` bytes.
    fn walk(&mut self, keys: &[&[u8]], prefix: usize, depth: usize) {
        let mut at = 0;
        while at < keys.len() {
            let key = keys[at];
            let end = key[prefix..].iter().position(|&byte| byte == SEPARATOR).map(|end| prefix + end + 1);
            let Some(end) = end.filter(|_| depth < DEPTH_MAX) else {
                self.key(key, prefix, depth);
                at += 1;
                continue;
            };
            let together = keys[at..].partition_point(|other| other.starts_with(&key[..end]));
            let members = &keys[at..at + together];
            at += together;
            if together == 1 {
                self.key(key, prefix, depth);
                continue;
            }
            // Segments that all members share make one group.
            let last = members[together - 1];
            let common = key.iter().zip(last).take_while(|(one, other)| one == other).count();
            let path = key[..common].iter().rposition(|&byte| byte == SEPARATOR).map_or(end, |at| at + 1);
            let is_open = self.query.open.iter().any(|open| *open == key[..path]);
            if self.wants_row() {
                self.shown.push(Part::Record(vec![
                    ("depth", Part::count(depth)),
                    ("group", Part::bytes(&key[..path])),
                    ("name", Part::bytes(&key[prefix..path])),
                    ("keys", Part::count(together)),
                    ("open", Part::Flag(is_open)),
                ]));
            }
            if is_open {
                self.walk(members, path, depth + 1);
            }
        }
    }

    fn key(&mut self, key: &[u8], prefix: usize, depth: usize) {
        if !self.wants_row() {
            return;
        }
        let Some(entry) = self.db.raw(key) else { return };
        let look = observe::look(entry);
        self.shown.push(Part::Record(vec![
            ("depth", Part::count(depth)),
            ("key", Part::bytes(key)),
            ("name", Part::bytes(&key[prefix..])),
            ("type", Part::text(look.type_name)),
            ("encoding", Part::text(look.encoding)),
            ("size", Part::time(look.size)),
            ("bytes", Part::count(entry.total_bytes())),
            ("expires", Part::time_or_nothing(look.expires_at)),
        ]));
    }

    /// Counts a row; whether it lies in the window.
    fn wants_row(&mut self) -> bool {
        let row = self.row;
        self.row += 1;
        row >= self.query.from && row - self.query.from < self.query.count.min(ROWS_MAX)
    }
}
