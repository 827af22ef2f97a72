//! LCS: the longest common subsequence of two strings, by the usual table.

use crate::command::declaration::{Command, Group, READONLY};
use crate::command::{Args, Ctx, Keys};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};

pub const COMMANDS: &[Command] = &[LCS];

/// Lengths of the common subsequences of all prefixes, a row for each prefix of the first string.
struct Table {
    lengths: Vec<u32>,
    width: usize,
}

impl Table {
    fn of(first: &[u8], second: &[u8]) -> Self {
        let width = second.len() + 1;
        let mut lengths = vec![0u32; (first.len() + 1) * width];
        for (row, a) in first.iter().enumerate() {
            for (column, b) in second.iter().enumerate() {
                let above = row * width + column;
                lengths[above + width + 1] =
                    if a == b { lengths[above] + 1 } else { lengths[above + 1].max(lengths[above + width]) };
            }
        }
        Table { lengths, width }
    }

    fn at(&self, row: usize, column: usize) -> u32 {
        self.lengths[row * self.width + column]
    }
}

/// A run of bytes common to both strings: where it starts in each, and its length.
#[derive(Clone, Copy)]
struct Match {
    first: usize,
    second: usize,
    len: usize,
}

/// The matches from the last to the first, and the subsequence itself.
fn walk_back(table: &Table, first: &[u8], second: &[u8]) -> (Vec<Match>, Vec<u8>) {
    let mut matches: Vec<Match> = Vec::new();
    let mut common = Vec::new();
    let (mut row, mut column) = (first.len(), second.len());
    while row > 0 && column > 0 {
        if first[row - 1] == second[column - 1] {
            (row, column) = (row - 1, column - 1);
            common.push(first[row]);
            match matches.last_mut().filter(|last| last.first == row + 1 && last.second == column + 1) {
                Some(last) => *last = Match { first: row, second: column, len: last.len + 1 },
                None => matches.push(Match { first: row, second: column, len: 1 }),
            }
        } else if table.at(row - 1, column) > table.at(row, column - 1) {
            row -= 1;
        } else {
            column -= 1;
        }
    }
    common.reverse();
    (matches, common)
}

pub const LCS: Command = Command {
    name: "LCS",
    syntax: "key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]",
    summary: "Finds the longest common subsequence of two strings.",
    since: "7.0.0",
    complexity: "O(N*M) with N and M the lengths of the strings",
    group: Group::String,
    flags: READONLY,
    keys: &[Keys::at(1).range(1, 1, 0).read_only().access()],
    run: lcs,
    ..Command::BASE
};

fn lcs(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (first, second) = (args.next()?, args.next()?);
    let not_strings = |_| Error::new("ERR The specified keys must contain string values");
    let first = ctx.string(first).map_err(not_strings)?.unwrap_or_default().into_owned();
    let second = ctx.string(second).map_err(not_strings)?.unwrap_or_default().into_owned();
    let (mut only_len, mut as_indexes, mut with_len, mut len_min) = (false, false, false, 0);
    while !args.is_empty() {
        if args.accept("IDX") {
            as_indexes = true;
        } else if args.accept("LEN") {
            only_len = true;
        } else if args.accept("WITHMATCHLEN") {
            with_len = true;
        } else if args.accept_with("MINMATCHLEN", 1) {
            len_min = args.integer()?.max(0) as usize;
        } else {
            return Err(error::SYNTAX);
        }
    }
    if as_indexes && only_len {
        return Err(Error::new("ERR If you want both the length and indexes, please just use IDX."));
    }
    let cells = (first.len() as u64 + 1).saturating_mul(second.len() as u64 + 1);
    if cells.saturating_mul(4) > ctx.server.config.proto_max_bulk_len {
        return Err(Error::new(
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
        ));
    }
    let table = Table::of(&first, &second);
    let len = table.at(first.len(), second.len()) as usize;
    if only_len {
        reply.count(len);
        return Ok(());
    }
    let (matches, common) = walk_back(&table, &first, &second);
    if !as_indexes {
        reply.bulk(&common);
        return Ok(());
    }
    reply.map(2);
    reply.bulk(b"matches");
    let mark = reply.mark();
    let mut shown = 0;
    for found in matches.iter().filter(|found| found.len >= len_min) {
        reply.array(if with_len { 3 } else { 2 });
        for start in [found.first, found.second] {
            reply.array(2);
            reply.count(start);
            reply.count(start + found.len - 1);
        }
        if with_len {
            reply.count(found.len);
        }
        shown += 1;
    }
    reply.close_array(mark, shown);
    reply.bulk(b"len");
    reply.count(len);
    Ok(())
}
