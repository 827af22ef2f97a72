//! Strings as arrays of bits.

use crate::command::ctx::Ttl;
use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::commands::string::edit::edit_string;
use crate::data::bits::{self, Field, Operation, Overflow};
use crate::data::number;
use crate::data::value::Value;
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] = &[BITCOUNT, BITFIELD, BITFIELD_RO, BITOP, BITPOS, GETBIT, SETBIT];

/// A bit's place in a string; `#n` counts in fields of `bits` bits.
fn parse_offset(ctx: &Ctx, text: &[u8], bits: Option<u32>) -> Result<u64> {
    let (text, unit) = match (text.strip_prefix(b"#"), bits) {
        (Some(text), Some(bits)) => (text, u64::from(bits)),
        _ => (text, 1),
    };
    let number =
        number::parse_i64(text).and_then(|n| u64::try_from(n).ok()).and_then(|n| n.checked_mul(unit));
    number.filter(|offset| offset / 8 < ctx.server.config.proto_max_bulk_len).ok_or(error::BIT_OFFSET)
}

pub const SETBIT: Command = Command {
    name: "SETBIT",
    syntax: "key offset value:integer",
    summary: "Sets or clears the bit at an offset of a string.",
    since: "2.2.0",
    group: Group::Bitmap,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).read_write().access().update()],
    run: setbit,
    ..Command::BASE
};

fn setbit(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let offset = parse_offset(ctx, args.next()?, None)?;
    let bit = match args.integer_or(error::BIT_VALUE)? {
        0 => false,
        1 => true,
        _ => return Err(error::BIT_VALUE),
    };
    let value = ctx.string_to_write(key)?;
    let (len, old) = value.as_deref().map_or((0, false), |value| (value.len(), bits::get(value, offset)));
    let len_needed = (offset / 8 + 1) as usize;
    if len < len_needed || old != bit {
        edit_string(ctx, key, |value| {
            if value.len() < len_needed {
                value.resize(len_needed, 0);
            }
            bits::set(value, offset, bit);
        });
        ctx.changed(key, Class::STRING, "setbit");
    } else {
        // Even a bit that stays makes a text of a number.
        edit_string(ctx, key, |_| {});
    }
    reply.integer(i64::from(old));
    Ok(())
}

pub const GETBIT: Command = Command {
    name: "GETBIT",
    syntax: "key offset",
    summary: "Gets the bit at an offset of a string.",
    since: "2.2.0",
    group: Group::Bitmap,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: getbit,
    ..Command::BASE
};

fn getbit(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let offset = parse_offset(ctx, args.next()?, None)?;
    let bit = ctx.string(key)?.is_some_and(|value| bits::get(&value, offset));
    reply.integer(i64::from(bit));
    Ok(())
}

/// A range as BITCOUNT and BITPOS take it, in bytes or bits.
#[derive(Clone, Copy)]
struct BitRange {
    start: i64,
    end: i64,
    in_bits: bool,
}

impl BitRange {
    fn parse_unit(args: &mut Args) -> Result<bool> {
        let in_bits = args.accept("BIT");
        if !in_bits && !args.is_empty() && !args.accept("BYTE") {
            return Err(error::SYNTAX);
        }
        args.end()?;
        Ok(in_bits)
    }

    /// Whether it runs backwards from the end, which BITCOUNT refuses and BITPOS takes to the beginning if both ends lie
    /// before it.
    fn is_backwards(self) -> bool {
        self.start < 0 && self.end < 0 && self.start > self.end
    }

    /// The offsets of bits it covers in a string of `len` bytes; empty when it runs backwards.
    fn offsets(self, len: usize) -> std::ops::Range<u64> {
        let total = if self.in_bits { len as i64 * 8 } else { len as i64 };
        let from_front = |at: i64| if at < 0 { total.saturating_add(at).max(0) } else { at };
        let (start, end) = (from_front(self.start), from_front(self.end).min(total - 1));
        if start > end {
            return 0..0;
        }
        let unit = if self.in_bits { 1 } else { 8 };
        start as u64 * unit..(end as u64 + 1) * unit
    }
}

pub const BITCOUNT: Command = Command {
    name: "BITCOUNT",
    syntax: "key [start end [BYTE | BIT]@7.0.0]",
    summary: "Counts the bits that are set in a string or a part of it.",
    since: "2.6.0",
    complexity: "O(N) with N the number of bytes counted",
    group: Group::Bitmap,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    history: &[("7.0.0", "Knows `BYTE` and `BIT`.")],
    run: bitcount,
    ..Command::BASE
};

fn bitcount(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let mut range = BitRange { start: 0, end: -1, in_bits: false };
    if !args.is_empty() {
        if args.left() < 2 {
            return Err(error::SYNTAX);
        }
        (range.start, range.end) = (args.integer()?, args.integer()?);
        range.in_bits = BitRange::parse_unit(args)?;
    }
    let value = ctx.string(key)?.unwrap_or_default();
    let count = if range.is_backwards() { 0 } else { bits::count_range(&value, range.offsets(value.len())) };
    reply.integer(count as i64);
    Ok(())
}

pub const BITPOS: Command = Command {
    name: "BITPOS",
    syntax: "key bit [start end-unit-block=[end [BYTE | BIT]@7.0.0]]",
    summary: "Finds the first bit of a string that is set, or that is clear.",
    since: "2.8.7",
    complexity: "O(N) with N the number of bytes searched",
    group: Group::Bitmap,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    history: &[("7.0.0", "Knows `BYTE` and `BIT`.")],
    run: bitpos,
    ..Command::BASE
};

fn bitpos(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let bit = match args.integer()? {
        0 => false,
        1 => true,
        _ => return Err(Error::new("ERR The bit argument must be 1 or 0.")),
    };
    let mut range = BitRange { start: 0, end: -1, in_bits: false };
    if args.left() > 3 {
        return Err(error::SYNTAX);
    }
    if !args.is_empty() {
        range.start = args.integer()?;
    }
    let has_end = !args.is_empty();
    if has_end {
        // What is wrong with the unit is told before what is wrong with the end.
        let mut unit = args.clone();
        unit.next()?;
        range.in_bits = BitRange::parse_unit(&mut unit)?;
        range.end = args.integer()?;
    }
    let Some(value) = ctx.string(key)? else {
        reply.integer(if bit { -1 } else { 0 });
        return Ok(());
    };
    let offsets = range.offsets(value.len());
    let position = match bits::find(&value, bit, offsets.clone()) {
        Some(position) => position as i64,
        // Without an end, zeros go on behind the string.
        None if !bit && !has_end && !offsets.is_empty() => value.len() as i64 * 8,
        None => -1,
    };
    reply.integer(position);
    Ok(())
}

pub const BITOP: Command = Command {
    name: "BITOP",
    syntax: "operation=<AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE> destkey key ...",
    summary: "Combines strings bit by bit and stores the outcome.",
    since: "2.6.0",
    complexity: "O(N) with N the length of the longest string",
    group: Group::Bitmap,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(2).overwrite().update(), Keys::from(3).read_only().access()],
    run: bitop,
    ..Command::BASE
};

fn bitop(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    const OPERATIONS: [(&str, Operation, usize); 8] = [
        ("AND", Operation::And, 1),
        ("OR", Operation::Or, 1),
        ("XOR", Operation::Xor, 1),
        ("NOT", Operation::Not, 1),
        ("DIFF", Operation::Diff, 2),
        ("DIFF1", Operation::Diff1, 2),
        ("ANDOR", Operation::AndOr, 2),
        ("ONE", Operation::One, 1),
    ];
    let chosen = OPERATIONS.into_iter().find(|(name, _, _)| args.accept(name));
    let (name, operation, sources_min) = chosen.ok_or(error::SYNTAX)?;
    let destination = args.next()?;
    if operation == Operation::Not && args.left() != 1 {
        return Err(Error::new("ERR BITOP NOT must be called with a single source key."));
    }
    if args.left() < sources_min {
        return Err(format_error!("ERR BITOP {name} must be called with at least two source keys."));
    }
    let mut sources = Vec::with_capacity(args.left());
    for key in args.rest() {
        sources.push(ctx.string(key)?.unwrap_or_default().into_owned());
    }
    let sources: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
    let result = bits::combine(operation, &sources);
    let len = result.len();
    if result.is_empty() {
        ctx.delete(destination);
    } else {
        ctx.set_value(destination, Value::String(result), Ttl::Clear);
        ctx.changed(destination, Class::STRING, "set");
    }
    reply.count(len);
    Ok(())
}

/// One operation of BITFIELD.
struct FieldOperation {
    field: Field,
    offset: u64,
    action: Action,
}

enum Action {
    Get,
    Set(i64, Overflow),
    IncreaseBy(i64, Overflow),
}

fn parse_field_operations(ctx: &Ctx, args: &mut Args) -> Result<Vec<FieldOperation>> {
    let mut operations = Vec::new();
    let mut overflow = Overflow::Wrap;
    while !args.is_empty() {
        let is_get = args.accept_with("GET", 2);
        let is_set = !is_get && args.accept_with("SET", 3);
        let is_increase = !is_get && !is_set && args.accept_with("INCRBY", 3);
        if !is_get && !is_set && !is_increase {
            if !args.accept_with("OVERFLOW", 1) {
                return Err(error::SYNTAX);
            }
            overflow = if args.accept("WRAP") {
                Overflow::Wrap
            } else if args.accept("SAT") {
                Overflow::Saturate
            } else if args.accept("FAIL") {
                Overflow::Fail
            } else {
                return Err(Error::new("ERR Invalid OVERFLOW type specified"));
            };
            continue;
        }
        const TYPE: Error = Error::new(
            "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
        );
        let field = Field::parse(args.next()?).ok_or(TYPE)?;
        let offset = parse_offset(ctx, args.next()?, Some(field.bits()))?;
        let action = if is_get {
            Action::Get
        } else if is_set {
            Action::Set(args.integer()?, overflow)
        } else {
            Action::IncreaseBy(args.integer()?, overflow)
        };
        operations.push(FieldOperation { field, offset, action });
    }
    Ok(operations)
}

pub const BITFIELD: Command = Command {
    name: "BITFIELD",
    syntax: "key operation=[GET get-block=(encoding offset) | write=([OVERFLOW overflow-block=<WRAP | SAT | FAIL>] write-operation=<SET set-block=(encoding offset value:integer) | INCRBY incrby-block=(encoding offset increment)>)]...",
    summary: "Reads and changes integers of any width inside a string.",
    since: "3.2.0",
    complexity: "O(1) for each operation",
    group: Group::Bitmap,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).read_write().access().update().variable_flags()],
    run: bitfield,
    ..Command::BASE
};

fn bitfield(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let operations = parse_field_operations(ctx, args)?;
    let writes = operations.iter().filter(|operation| !matches!(operation.action, Action::Get));
    let len_needed = writes.map(|op| (op.offset + u64::from(op.field.bits()) - 1) / 8 + 1).max();
    let Some(len_needed) = len_needed else {
        return read_fields(ctx, key, &operations, reply);
    };
    let old_len = ctx.string_to_write(key)?.map_or(0, |value| value.len());
    let has_grown = (old_len as u64) < len_needed;
    let mut changes = 0;
    reply.array(operations.len());
    edit_string(ctx, key, |value| {
        if (value.len() as u64) < len_needed {
            value.resize(len_needed as usize, 0);
        }
        for FieldOperation { field, offset, action } in &operations {
            let old = field.read(value, *offset);
            let (written, shown) = match action {
                Action::Get => (None, Some(old)),
                Action::Set(new, overflow) => {
                    let new = field.fit(*new, *overflow);
                    (new, new.map(|_| old))
                }
                Action::IncreaseBy(by, overflow) => {
                    let new = field.increase(old, *by, *overflow);
                    (new, new)
                }
            };
            if let Some(new) = written {
                changes += usize::from(has_grown || new != old);
                field.write(value, *offset, new);
            }
            match shown {
                Some(shown) => reply.integer(shown),
                None => reply.null(),
            }
        }
    });
    if changes > 0 {
        ctx.changed_times(key, Class::STRING, "setbit", changes);
    }
    Ok(())
}

pub const BITFIELD_RO: Command = Command {
    name: "BITFIELD_RO",
    syntax: "key [GET get-block=(encoding offset)]...",
    summary: "Reads integers of any width from inside a string.",
    since: "6.0.0",
    complexity: "O(1) for each operation",
    group: Group::Bitmap,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: bitfield_ro,
    ..Command::BASE
};

fn bitfield_ro(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let operations = parse_field_operations(ctx, args)?;
    if operations.iter().any(|operation| !matches!(operation.action, Action::Get)) {
        return Err(Error::new("ERR BITFIELD_RO only supports the GET subcommand"));
    }
    read_fields(ctx, key, &operations, reply)
}

fn read_fields(ctx: &mut Ctx, key: &[u8], operations: &[FieldOperation], reply: &mut ReplyWriter) -> Result {
    let value = ctx.string(key)?.unwrap_or_default();
    reply.array(operations.len());
    for operation in operations {
        reply.integer(operation.field.read(&value, operation.offset));
    }
    Ok(())
}
