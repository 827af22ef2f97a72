//! `--bigkeys`, `--memkeys`, `--hotkeys`, `--keystats`: all keys are scanned and measured, and the extremes told.

use std::collections::BTreeMap;

use super::{Tool, Wish, human_bytes, scan_command, scanned};
use crate::cli::format::Format;
use crate::cli::options::Options;
use crate::cli::split::repr;
use crate::resp::reply::Reply;

/// What is measured of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// Length or cardinality, by the command of its type.
    Elements,
    /// MEMORY USAGE.
    Memory,
    /// Both of them.
    Both,
    /// OBJECT FREQ.
    Frequency,
}

/// Hot keys told.
const HOT_KEYS: usize = 16;
/// Key sizes told by `--keystats` when not said otherwise.
const TOP_SIZES: usize = 10;
const TOP_SIZES_MAX: usize = 10_000;
/// The limits between lengths of names that are counted together.
const NAME_BYTES: [u64; 8] = [1 << 5, 1 << 8, 1 << 16, 1 << 20, 1 << 24, 1 << 27, 1 << 29, u64::MAX];
/// A pause is made each so many SCANs.
const LOOPS_A_PAUSE: u64 = 100;

#[derive(Debug, Default)]
struct Kind {
    name: String,
    count: u64,
    elements: u64,
    memory: u64,
    /// The greatest so far by elements and by memory, with its key in quotes.
    longest: Option<(u64, String)>,
    heaviest: Option<(u64, String)>,
}

/// The command that counts a type's elements, and what they are called.
fn counted(kind: &str) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        "string" => ("STRLEN", "bytes"),
        "list" => ("LLEN", "items"),
        "set" => ("SCARD", "members"),
        "hash" => ("HLEN", "fields"),
        "zset" => ("ZCARD", "members"),
        "stream" => ("XLEN", "entries"),
        _ => return None,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    Nothing,
    Size,
    Keys,
    Types,
    Measures,
}

#[derive(Debug)]
pub(super) struct Keys {
    measure: Measure,
    options: Options,
    /// What is found on the way is printed, as where no screen shows how far it is.
    tells: bool,
    waiting: Waiting,
    total: u64,
    sampled: u64,
    loops: u64,
    key_bytes: u64,
    cursor: Vec<u8>,
    batch: Vec<Vec<u8>>,
    types: Vec<Option<usize>>,
    kinds: Vec<Kind>,
    /// The hottest or heaviest keys, greatest first.
    top: Vec<(u64, String, String)>,
    longest_name: u64,
    /// How many keys have a name of at most so many bytes, and a memory size of about so many.
    lengths: [u64; NAME_BYTES.len()],
    sizes: BTreeMap<u64, u64>,
}

impl Keys {
    pub(super) fn new(measure: Measure, options: &Options, format: Format) -> Keys {
        let kinds = ["string", "list", "set", "hash", "zset", "stream"];
        Keys {
            measure,
            options: options.clone(),
            tells: format != Format::Tty,
            waiting: Waiting::Nothing,
            total: 0,
            sampled: 0,
            loops: 0,
            key_bytes: 0,
            cursor: options.tools.cursor.unwrap_or(0).to_string().into_bytes(),
            batch: Vec::new(),
            types: Vec::new(),
            kinds: kinds.iter().map(|name| Kind { name: (*name).to_owned(), ..Kind::default() }).collect(),
            top: Vec::new(),
            longest_name: 0,
            lengths: [0; NAME_BYTES.len()],
            sizes: BTreeMap::new(),
        }
    }

    fn begin(&mut self) -> Wish {
        let mut wish = Wish::default();
        let what = match self.measure {
            Measure::Frequency => "hot keys",
            Measure::Memory => "the keys that take most memory",
            _ => "biggest keys",
        };
        wish.line("");
        wish.line(format!("# Scanning the entire keyspace to find {what}."));
        wish.line("# With -i 0.1 there are pauses of 0.1 s, one in 100 SCAN commands (rarely needed).");
        wish.line("");
        wish.send(&[b"DBSIZE"]);
        self.waiting = Waiting::Size;
        wish
    }

    fn scan(&mut self, wish: &mut Wish) {
        self.loops += 1;
        self.waiting = Waiting::Keys;
        wish.commands.push(scan_command(&self.cursor, &self.options));
    }

    fn keys_came(&mut self, reply: &Reply) -> Wish {
        let mut wish = Wish::default();
        match scanned(reply) {
            Ok((cursor, keys)) => (self.cursor, self.batch) = (cursor, keys),
            Err(text) => {
                wish.fail(text);
                return wish;
            }
        }
        if self.measure == Measure::Frequency {
            return self.ask_measures();
        }
        self.waiting = Waiting::Types;
        for key in &self.batch {
            wish.send(&[b"TYPE", key]);
        }
        if self.batch.is_empty() { self.batch_done(wish) } else { wish }
    }

    fn types_came(&mut self, replies: &[Reply]) -> Wish {
        self.types.clear();
        for reply in replies {
            let name = reply.text().filter(|_| !reply.is_error()).map(String::from_utf8_lossy);
            let place = name.filter(|name| name != "none").map(|name| self.kind(&name));
            self.types.push(place);
        }
        self.ask_measures()
    }

    fn kind(&mut self, name: &str) -> usize {
        match self.kinds.iter().position(|kind| kind.name == name) {
            Some(place) => place,
            None => {
                self.kinds.push(Kind { name: name.to_owned(), ..Kind::default() });
                self.kinds.len() - 1
            }
        }
    }

    fn ask_measures(&mut self) -> Wish {
        let mut wish = Wish::default();
        self.waiting = Waiting::Measures;
        let samples = self.options.tools.samples.map(|samples| samples.to_string());
        for (at, key) in self.batch.iter().enumerate() {
            if self.measure == Measure::Frequency {
                wish.send(&[b"OBJECT", b"FREQ", key]);
                continue;
            }
            let Some(kind) = self.types.get(at).copied().flatten() else { continue };
            if self.measure != Measure::Memory
                && let Some((command, _)) = counted(&self.kinds[kind].name)
            {
                wish.send(&[command.as_bytes(), key]);
            }
            if self.measure != Measure::Elements {
                match &samples {
                    Some(samples) => wish.send(&[b"MEMORY", b"USAGE", key, b"SAMPLES", samples.as_bytes()]),
                    None => wish.send(&[b"MEMORY", b"USAGE", key]),
                }
            }
        }
        if wish.commands.is_empty() { self.measures_came(&[]) } else { wish }
    }

    fn measures_came(&mut self, replies: &[Reply]) -> Wish {
        let mut wish = Wish::default();
        let mut replies = replies.iter();
        let percent = 100.0 * self.sampled as f64 / self.total.max(1) as f64;
        let tells = self.tells && self.measure != Measure::Both;
        let number =
            |reply: Option<&Reply>| reply.and_then(Reply::integer).and_then(|n| u64::try_from(n).ok());
        for (at, key) in std::mem::take(&mut self.batch).iter().enumerate() {
            let shown = || String::from_utf8(repr(key)).expect("escapes are ASCII");
            if self.measure == Measure::Frequency {
                let reply = replies.next();
                if let Some(Reply::Error(text)) = reply {
                    wish.fail(format!("Error: {}", String::from_utf8_lossy(text)));
                    return wish;
                }
                self.sampled += 1;
                let frequency = number(reply).unwrap_or(0);
                let is_hot = insert_top(&mut self.top, HOT_KEYS, frequency, String::new(), shown);
                if tells && is_hot && frequency > 0 {
                    let key = shown();
                    wish.line(format!(
                        "[{percent:05.2}%] Hot key {key} found so far with counter {frequency}"
                    ));
                }
                continue;
            }
            let Some(place) = self.types[at] else { continue };
            let kind = &mut self.kinds[place];
            self.sampled += 1;
            self.key_bytes += key.len() as u64;
            kind.count += 1;
            let tell = |wish: &mut Wish, name: &str, size: u64, unit: &str| {
                if tells {
                    let key = shown();
                    wish.line(format!(
                        "[{percent:05.2}%] Biggest {name:<6} found so far {key} with {size} {unit}"
                    ));
                }
            };
            if self.measure != Measure::Memory && counted(&kind.name).is_some() {
                let elements = number(replies.next()).unwrap_or(0);
                kind.elements += elements;
                if elements > kind.longest.as_ref().map_or(0, |(most, _)| *most) {
                    kind.longest = Some((elements, shown()));
                    tell(&mut wish, &kind.name, elements, unit_of(kind));
                }
            }
            if self.measure != Measure::Elements {
                let memory = number(replies.next()).unwrap_or(0);
                kind.memory += memory;
                if memory > kind.heaviest.as_ref().map_or(0, |(most, _)| *most) {
                    kind.heaviest = Some((memory, shown()));
                    tell(&mut wish, &kind.name, memory, "bytes");
                }
                let limit = self.options.tools.top.map_or(TOP_SIZES, |top| top as usize).min(TOP_SIZES_MAX);
                insert_top(&mut self.top, limit, memory, kind.name.clone(), shown);
                *self.sizes.entry(rounded(memory)).or_default() += 1;
                let length = key.len() as u64;
                self.longest_name = self.longest_name.max(length);
                let place = NAME_BYTES.iter().position(|limit| length <= *limit);
                self.lengths[place.unwrap_or(NAME_BYTES.len() - 1)] += 1;
            }
        }
        self.batch_done(wish)
    }

    fn batch_done(&mut self, mut wish: Wish) -> Wish {
        if self.cursor == b"0" {
            self.summary(&mut wish);
            return wish;
        }
        let percent = 100.0 * self.sampled as f64 / self.total.max(1) as f64;
        wish.status = Some(format!("{:6.2}% Keys sampled: {}", percent.min(100.0), self.sampled));
        match self.options.interval_ms.filter(|&ms| ms > 0 && self.loops.is_multiple_of(LOOPS_A_PAUSE)) {
            Some(ms) => {
                self.waiting = Waiting::Size;
                wish.wait_ms = Some(ms);
            }
            None => self.scan(&mut wish),
        }
        wish
    }

    // ---- what is told at the end ----

    fn summary(&mut self, wish: &mut Wish) {
        wish.done = true;
        if self.measure == Measure::Both {
            return self.statistics(wish);
        }
        wish.line("");
        wish.line("-------- summary -------");
        wish.line("");
        wish.line(format!("Sampled {} keys in the keyspace!", self.sampled));
        if self.measure == Measure::Frequency {
            for (frequency, _, key) in self.top.iter().filter(|(frequency, ..)| *frequency > 0) {
                wish.line(format!("hot key found with counter: {frequency}\tkeyname: {key}"));
            }
            return;
        }
        let average = self.key_bytes as f64 / self.sampled.max(1) as f64;
        wish.line(format!("Total key length in bytes is {} (avg len {average:.2})", self.key_bytes));
        wish.line("");
        for kind in &self.kinds {
            let (most, unit) = self.most(kind);
            if let Some((size, key)) = most {
                wish.line(format!("Biggest {:>6} found {key} has {size} {unit}", kind.name));
            }
        }
        wish.line("");
        for kind in &self.kinds {
            let sum = if self.measure == Measure::Memory { kind.memory } else { kind.elements };
            wish.line(format!(
                "{} {}s with {sum} {} ({:05.2}% of keys, avg size {:.2})",
                kind.count,
                kind.name,
                self.most(kind).1,
                100.0 * kind.count as f64 / self.sampled.max(1) as f64,
                sum as f64 / kind.count.max(1) as f64
            ));
        }
    }

    fn most<'k>(&self, kind: &'k Kind) -> (&'k Option<(u64, String)>, &'static str) {
        match self.measure {
            Measure::Memory => (&kind.heaviest, "bytes"),
            _ => (&kind.longest, counted(&kind.name).map_or("?", |(_, unit)| unit)),
        }
    }

    fn statistics(&self, wish: &mut Wish) {
        let memory: u64 = self.kinds.iter().map(|kind| kind.memory).sum();
        let percent = 100.0 * self.sampled as f64 / self.total.max(1) as f64;
        wish.line(format!("{:6.2}% keys scanned", percent.min(100.0)));
        wish.line(format!("Keys sampled: {}", self.sampled));
        wish.line(format!("Keys size:    {}", human_bytes(memory)));
        wish.line("");
        wish.line(format!("--- Top {} key sizes ---", self.options.tools.top.unwrap_or(TOP_SIZES as u64)));
        for (at, (size, kind, key)) in self.top.iter().enumerate() {
            wish.line(format!("{:3} {:>8} {kind:<10} {key}", at + 1, human_bytes(*size)));
        }
        wish.line("");
        wish.line("--- Top size per type ---");
        for kind in &self.kinds {
            if let Some((size, key)) = &kind.heaviest {
                wish.line(format!("{:<10} {} is {}", kind.name, bare(key), human_bytes(*size)));
            }
        }
        wish.line("");
        wish.line("--- Top length and cardinality per type ---");
        for kind in &self.kinds {
            if let Some((size, key)) = &kind.longest {
                wish.line(format!("{:<10} {} has {}", kind.name, bare(key), amount(*size, unit_of(kind))));
            }
        }
        wish.line("");
        self.size_table(wish);
        wish.line("");
        self.name_table(wish);
        wish.line("");
        self.type_table(wish);
    }

    /// At which size half of the keys are reached, three quarters, and so on.
    fn size_table(&self, wish: &mut Wish) {
        wish.line("Key size Percentile Total keys");
        wish.line("-------- ---------- -----------");
        let total: u64 = self.sizes.values().sum();
        let (mut sum, mut wanted) = (0, 0.0);
        for (size, count) in &self.sizes {
            sum += count;
            let reached = 100.0 * sum as f64 / total as f64;
            if reached >= wanted || sum == total {
                let level = if sum == total { 100.0 } else { wanted };
                wish.line(format!("{:>8} {level:9.4}% {sum:>11}", human_bytes(*size)));
                while wanted <= reached && wanted < 99.9999 {
                    wanted += (100.0 - wanted) / 2.0;
                }
            }
        }
        let share = |count: u64| count as f64 / total.max(1) as f64;
        let mean: f64 = self.sizes.iter().map(|(size, count)| middle(*size) * share(*count)).sum();
        let spread = self.sizes.iter().map(|(size, count)| (middle(*size) - mean).powi(2) * share(*count));
        let deviation = spread.sum::<f64>().sqrt();
        wish.line(format!(
            "Note: 0.01% size precision, Mean: {}, StdDeviation: {}",
            human_bytes(mean as u64),
            human_bytes(deviation as u64)
        ));
    }

    fn name_table(&self, wish: &mut Wish) {
        wish.line("Key name length Percentile Total keys");
        wish.line("--------------- ---------- -----------");
        let mut sum = 0;
        for (limit, count) in NAME_BYTES.iter().zip(self.lengths).filter(|(_, count)| *count > 0) {
            sum += count;
            let reached = 100.0 * sum as f64 / self.sampled.max(1) as f64;
            let size = human_bytes(self.longest_name.min(*limit));
            wish.line(format!("{size:>15} {reached:9.4}% {sum:>11}"));
        }
        let average = human_bytes(self.key_bytes / self.sampled.max(1));
        wish.line(format!("Total key length is {} ({average} avg)", human_bytes(self.key_bytes)));
    }

    fn type_table(&self, wish: &mut Wish) {
        wish.line("Type        Total keys  Keys % Tot size Avg size  Total length/card Avg ln/card");
        wish.line("--------- ------------ ------- -------- -------- ------------------ -----------");
        for kind in self.kinds.iter().filter(|kind| kind.count > 0) {
            let average = kind.elements as f64 / kind.count as f64;
            let (total, each) = match unit_of(kind) {
                "?" => (" - ".to_owned(), " - ".to_owned()),
                "bytes" => (human_bytes(kind.elements), human_bytes(average.round() as u64)),
                unit => (amount(kind.elements, unit), format!("{average:.2}")),
            };
            wish.line(format!(
                "{:<10} {:>11} {:6.2}% {:>8} {:>8} {total:>18} {each:>11}",
                kind.name,
                kind.count,
                100.0 * kind.count as f64 / self.sampled.max(1) as f64,
                human_bytes(kind.memory),
                human_bytes(kind.memory / kind.count)
            ));
        }
    }
}

fn unit_of(kind: &Kind) -> &'static str {
    counted(&kind.name).map_or("?", |(_, unit)| unit)
}

/// Without its quotes, unless they hide something.
fn bare(key: &str) -> &str {
    if key.contains('\\') { key } else { key.trim_matches('"') }
}

fn amount(size: u64, unit: &str) -> String {
    if unit == "bytes" { human_bytes(size) } else { format!("{size} {unit}") }
}

/// Keeps the greatest, greatest first; whether this is one of them.
fn insert_top(
    top: &mut Vec<(u64, String, String)>,
    limit: usize,
    size: u64,
    kind: String,
    key: impl Fn() -> String,
) -> bool {
    if top.len() >= limit && top.last().is_none_or(|(least, ..)| size <= *least) {
        return false;
    }
    let place = top.partition_point(|(other, ..)| *other >= size);
    top.insert(place, (size, kind, key()));
    top.truncate(limit);
    true
}

/// Sizes that differ by less than a hundredth of a percent are counted together, as their greatest: 15 bits are told apart.
fn rounded(size: u64) -> u64 {
    let lost = (u64::BITS - size.leading_zeros()).saturating_sub(15);
    size | ((1 << lost) - 1)
}

/// The middle of the sizes that [`rounded`] takes together.
fn middle(size: u64) -> f64 {
    let lost = (u64::BITS - size.leading_zeros()).saturating_sub(15);
    (size - ((1 << lost) - 1) / 2) as f64
}

impl Tool for Keys {
    fn go_on(&mut self, replies: Vec<Reply>, _: u64) -> Wish {
        match self.waiting {
            Waiting::Nothing => self.begin(),
            Waiting::Size => {
                if let Some(size) = replies.first().and_then(Reply::integer) {
                    self.total = size.max(0) as u64;
                }
                let mut wish = Wish::default();
                self.scan(&mut wish);
                wish
            }
            Waiting::Keys => self.keys_came(replies.first().unwrap_or(&Reply::Nil)),
            Waiting::Types => self.types_came(&replies),
            Waiting::Measures => self.measures_came(&replies),
        }
    }

    fn stop(&mut self, _: u64) -> Wish {
        let mut wish = Wish::default();
        self.summary(&mut wish);
        wish
    }
}
