//! SORT: the elements of a list, set or sorted set, ordered by themselves or by other keys.

use std::cmp::Ordering;

use crate::command::ctx::{Origin, Ttl, string_of};
use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys, acl};
use crate::data::list::{End, List};
use crate::data::number;
use crate::data::value::Value;
use crate::format_error;
use crate::keyspace::ValueRef;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] = &[SORT, SORT_RO];

#[derive(Default)]
struct SortOptions<'a> {
    by: Option<&'a [u8]>,
    limit: Option<(i64, i64)>,
    get: Vec<&'a [u8]>,
    is_descending: bool,
    is_alpha: bool,
    store: Option<&'a [u8]>,
}

impl<'a> SortOptions<'a> {
    fn parse(args: &mut Args<'a>, may_store: bool) -> Result<Self> {
        let mut options = SortOptions::default();
        while !args.is_empty() {
            if args.accept("ASC") {
                options.is_descending = false;
            } else if args.accept("DESC") {
                options.is_descending = true;
            } else if args.accept("ALPHA") {
                options.is_alpha = true;
            } else if args.accept_with("LIMIT", 2) {
                options.limit = Some((args.integer()?, args.integer()?));
            } else if may_store && args.accept_with("STORE", 1) {
                options.store = Some(args.next()?);
            } else if args.accept_with("BY", 1) {
                options.by = Some(args.next()?);
            } else if args.accept_with("GET", 1) {
                options.get.push(args.next()?);
            } else {
                return Err(error::SYNTAX);
            }
        }
        Ok(options)
    }

    /// Patterns reach keys that the arguments do not name: only who may read all keys may use them.
    fn check_rights(&self, ctx: &mut Ctx) -> Result {
        let reaches_by = self.by.is_some_and(|pattern| pattern.contains(&b'*'));
        // GET # reaches no key, but Redis makes no difference.
        if (!reaches_by && self.get.is_empty()) || acl::reads_every_key(ctx) {
            return Ok(());
        }
        let option = if reaches_by { "BY" } else { "GET" };
        Err(format_error!("ERR {option} option of SORT denied due to insufficient ACL permissions."))
    }

    /// BY a pattern without a star: every element would have the same weight.
    fn keeps_order(&self) -> bool {
        self.by.is_some_and(|pattern| !pattern.contains(&b'*'))
    }
}

/// What an element is ordered by.
enum Weight {
    Number(f64),
    Text(Option<Vec<u8>>),
}

struct Item {
    element: Vec<u8>,
    weight: Weight,
}

pub const SORT: Command = Command {
    name: "SORT",
    syntax: "key [BY by-pattern#1{pattern}] [LIMIT (offset count)] [GET get-pattern#1{pattern}]... [ASC | DESC] [sorting=ALPHA] [STORE destination#2]",
    summary: "Sorts a list, set or sorted set, and may store the outcome.",
    complexity: "O(N+M*log(M)) with N the number of elements and M the number returned; O(N) when not sorting",
    flags: WRITE.and(DENYOOM),
    categories: Exceptions::instead(
        Categories::DANGEROUS.and(Categories::LIST.and(Categories::SET.and(Categories::SORTEDSET))),
    ),
    keys: &[
        Keys::at(1).read_only().access(),
        Keys::unknown().read_only().access(),
        Keys::unknown().overwrite().update(),
    ],
    run: sort,
    ..Command::BASE
};

fn sort(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    sort_elements(ctx, args, reply, true)
}

pub const SORT_RO: Command = Command {
    name: "SORT_RO",
    syntax: "key [BY by-pattern#1{pattern}] [LIMIT (offset count)] [GET get-pattern#1{pattern}]... [ASC | DESC] [sorting=ALPHA]",
    summary: "Sorts a list, set or sorted set without storing anything.",
    since: "7.0.0",
    complexity: "O(N+M*log(M)) with N the number of elements and M the number returned; O(N) when not sorting",
    flags: READONLY,
    categories: Exceptions::instead(
        Categories::DANGEROUS.and(Categories::LIST.and(Categories::SET.and(Categories::SORTEDSET))),
    ),
    keys: &[Keys::at(1).read_only().access(), Keys::unknown().read_only().access()],
    run: sort_ro,
    ..Command::BASE
};

fn sort_ro(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    sort_elements(ctx, args, reply, false)
}

fn sort_elements(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, may_store: bool) -> Result {
    let key = args.next()?;
    let mut options = SortOptions::parse(args, may_store)?;
    options.check_rights(ctx)?;
    let (elements, is_set) = elements_of(ctx, key, options.keeps_order() && options.is_descending)?;
    let mut keeps_order = options.keeps_order();
    if keeps_order && is_set && (options.store.is_some() || ctx.origin == Origin::Script) {
        // A set has no order of its own that a replica would share.
        (keeps_order, options.is_alpha, options.by) = (false, true, None);
    }
    let mut items = Vec::with_capacity(elements.len());
    for element in elements {
        let weight = if keeps_order { Weight::Number(0.0) } else { weigh(ctx, &element, &options)? };
        items.push(Item { element, weight });
    }
    if !keeps_order {
        let compares_elements = options.by.is_none() || !options.is_alpha;
        crate::data::order::sort_by(&mut items, |a, b| {
            let order = compare(a, b, compares_elements);
            if options.is_descending { order.reverse() } else { order }
        });
    }
    let chosen = limited(items.len(), options.limit);
    let outputs = output_of(ctx, &items[chosen], &options);
    match options.store {
        Some(destination) => store(ctx, destination, &outputs, reply),
        None => {
            reply.array(outputs.len());
            outputs.iter().for_each(|output| reply.bulk_or_null(output.as_deref()));
        }
    }
    Ok(())
}

/// The elements in the order of the value itself, and whether it is a set.
fn elements_of(ctx: &mut Ctx, key: &[u8], backwards: bool) -> Result<(Vec<Vec<u8>>, bool)> {
    let Some(entry) = ctx.read(key) else { return Ok((Vec::new(), false)) };
    let (mut elements, is_set, is_sorted): (Vec<Vec<u8>>, bool, bool) = match entry.value() {
        ValueRef::Boxed(Value::List(list)) => (list.iter().map(|e| e.to_vec()).collect(), false, false),
        ValueRef::Boxed(Value::Set(set)) => (set.iter().map(|e| e.to_vec()).collect(), true, false),
        ValueRef::Boxed(Value::SortedSet(set)) => {
            (set.iter().map(|(e, _)| e.to_vec()).collect(), false, true)
        }
        _ => return Err(error::WRONG_TYPE),
    };
    if backwards && is_sorted {
        elements.reverse();
    }
    Ok((elements, is_set))
}

fn weigh(ctx: &mut Ctx, element: &[u8], options: &SortOptions) -> Result<Weight> {
    let text = match options.by {
        Some(pattern) => look_up(ctx, pattern, element),
        None => Some(element.to_vec()),
    };
    if options.is_alpha {
        return Ok(Weight::Text(text));
    }
    const NOT_DOUBLE: Error = Error::new("ERR One or more scores can't be converted into double");
    // Redis reads the number up to a zero byte.
    let number = text.map_or(Some(0.0), |text| {
        match text.split(|&byte| byte == 0).next().unwrap_or_default().trim_ascii_start() {
            b"" => Some(0.0),
            text => number::parse_f64(text),
        }
    });
    number.map(Weight::Number).ok_or(NOT_DOUBLE)
}

/// Numbers that are equal leave the order to the elements, so that it is always the same.
fn compare(a: &Item, b: &Item, compares_elements: bool) -> Ordering {
    let order = match (&a.weight, &b.weight) {
        (Weight::Number(a), Weight::Number(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
        (Weight::Text(a), Weight::Text(b)) => a.cmp(b),
        _ => Ordering::Equal,
    };
    if order.is_eq() && compares_elements { a.element.cmp(&b.element) } else { order }
}

fn limited(len: usize, limit: Option<(i64, i64)>) -> std::ops::Range<usize> {
    let Some((offset, count)) = limit else { return 0..len };
    let start = offset.max(0).min(len as i64) as usize;
    let count = if count < 0 { len } else { count.min(len as i64) as usize };
    start..(start + count).min(len)
}

/// What GET asks for, or the elements themselves.
fn output_of(ctx: &mut Ctx, items: &[Item], options: &SortOptions) -> Vec<Option<Vec<u8>>> {
    let mut outputs = Vec::with_capacity(items.len() * options.get.len().max(1));
    for item in items {
        if options.get.is_empty() {
            outputs.push(Some(item.element.clone()));
        }
        for pattern in &options.get {
            outputs.push(look_up(ctx, pattern, &item.element));
        }
    }
    outputs
}

/// The value a pattern names for an element: `#` is the element, `key*` another key, `key*->field` a field of a hash.
fn look_up(ctx: &mut Ctx, pattern: &[u8], element: &[u8]) -> Option<Vec<u8>> {
    if pattern == b"#" {
        return Some(element.to_vec());
    }
    let star = memchr::memchr(b'*', pattern)?;
    let tail = &pattern[star + 1..];
    let arrow = memchr::memmem::find(tail, b"->").filter(|at| at + 2 < tail.len());
    let (tail, field) = match arrow {
        Some(at) => (&tail[..at], Some(&tail[at + 2..])),
        None => (tail, None),
    };
    let key = [&pattern[..star], element, tail].concat();
    match field {
        Some(field) => {
            let now_ms = ctx.now_ms();
            let hash = ctx.hash(&key).ok()??;
            hash.get(field, now_ms).map(|value| value.to_vec())
        }
        None => string_of(ctx.read(&key)?).ok().map(|value| value.into_owned()),
    }
}

fn store(ctx: &mut Ctx, key: &[u8], outputs: &[Option<Vec<u8>>], reply: &mut ReplyWriter) {
    if outputs.is_empty() {
        ctx.delete(key);
    } else {
        let limits = ctx.server.config.list;
        let mut list = List::new();
        for output in outputs {
            list.push(End::Back, output.as_deref().unwrap_or_default(), limits);
        }
        ctx.set_value(key, Value::List(list), Ttl::Clear);
        ctx.changed_times(key, Class::LIST, "sortstore", outputs.len());
    }
    reply.count(outputs.len());
}
