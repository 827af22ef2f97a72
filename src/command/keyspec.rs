//! Where the keys of a command are among its arguments and what happens to them. Knows no single command except those few
//! whose keys only a special rule can find.

/// What a command does to the keys of one spec.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeyFlags(u16);

impl KeyFlags {
    pub const NONE: KeyFlags = KeyFlags(0);
    /// Reads the value and leaves it.
    pub const RO: KeyFlags = KeyFlags(1 << 0);
    /// Changes the value in part.
    pub const RW: KeyFlags = KeyFlags(1 << 1);
    /// Overwrites the value whatever it was.
    pub const OW: KeyFlags = KeyFlags(1 << 2);
    /// Removes the key.
    pub const RM: KeyFlags = KeyFlags(1 << 3);
    /// Returns, copies or uses the user's data in the value.
    pub const ACCESS: KeyFlags = KeyFlags(1 << 4);
    /// Changes data depending on what was there.
    pub const UPDATE: KeyFlags = KeyFlags(1 << 5);
    /// Adds data without changing what was there.
    pub const INSERT: KeyFlags = KeyFlags(1 << 6);
    /// Deletes some data.
    pub const DELETE: KeyFlags = KeyFlags(1 << 7);
    /// Hashed to a slot like a key, but no key (sharded channels).
    pub const NOT_KEY: KeyFlags = KeyFlags(1 << 8);
    /// There may be more keys than the spec finds.
    pub const INCOMPLETE: KeyFlags = KeyFlags(1 << 9);
    /// Other arguments change the flags.
    pub const VARIABLE_FLAGS: KeyFlags = KeyFlags(1 << 10);

    const NAMES: [(KeyFlags, &str); 11] = [
        (KeyFlags::RO, "RO"),
        (KeyFlags::RW, "RW"),
        (KeyFlags::OW, "OW"),
        (KeyFlags::RM, "RM"),
        (KeyFlags::ACCESS, "access"),
        (KeyFlags::UPDATE, "update"),
        (KeyFlags::INSERT, "insert"),
        (KeyFlags::DELETE, "delete"),
        (KeyFlags::NOT_KEY, "not_key"),
        (KeyFlags::INCOMPLETE, "incomplete"),
        (KeyFlags::VARIABLE_FLAGS, "variable_flags"),
    ];

    pub const fn and(self, other: KeyFlags) -> KeyFlags {
        KeyFlags(self.0 | other.0)
    }

    pub const fn without(self, other: KeyFlags) -> KeyFlags {
        KeyFlags(self.0 & !other.0)
    }

    pub const fn has(self, other: KeyFlags) -> bool {
        self.0 & other.0 == other.0
    }

    pub const fn has_any(self, other: KeyFlags) -> bool {
        self.0 & other.0 != 0
    }

    /// The names COMMAND INFO and GETKEYSANDFLAGS show, in their order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| name)
    }

    /// Reads count as reads for ACL key permissions.
    pub const fn needs_read(self) -> bool {
        self.has(KeyFlags::ACCESS)
    }

    pub const fn needs_write(self) -> bool {
        self.has_any(KeyFlags::UPDATE.and(KeyFlags::INSERT).and(KeyFlags::DELETE))
    }
}

/// Where the search for keys begins. Positions count the command's name as 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begin {
    Unknown,
    Index(u16),
    /// After this word, looked for from this position on (backwards from the end when negative).
    Keyword {
        keyword: &'static str,
        from: i16,
    },
}

/// How the keys follow from where the search began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Find {
    Unknown,
    /// Every `step`th argument up to `last`, which counts from the beginning, or from the end when negative. A `limit` of n
    /// takes only the first nth part of the rest.
    Range {
        last: i16,
        step: u16,
        limit: u16,
    },
    /// A count at `count`, the first key at `first`, both from where the search began.
    KeyNum {
        count: u16,
        first: u16,
        step: u16,
    },
}

/// One key spec: `Keys::at(1).read_write().access().update()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keys {
    pub flags: KeyFlags,
    pub begin: Begin,
    pub find: Find,
}

impl Keys {
    /// The single key at a position.
    pub const fn at(position: u16) -> Keys {
        let find = Find::Range { last: 0, step: 1, limit: 0 };
        Keys { flags: KeyFlags::NONE, begin: Begin::Index(position), find }
    }

    /// All from a position to the last argument.
    pub const fn from(position: u16) -> Keys {
        Keys::at(position).range(-1, 1, 0)
    }

    /// A count at a position and that many keys behind it.
    pub const fn counted_at(position: u16) -> Keys {
        Keys::at(position).key_num(0, 1, 1)
    }

    /// The single key after a word, which is looked for from a position on.
    pub const fn after(keyword: &'static str, from: i16) -> Keys {
        let find = Find::Range { last: 0, step: 1, limit: 0 };
        Keys { flags: KeyFlags::NONE, begin: Begin::Keyword { keyword, from }, find }
    }

    /// Only the command itself can tell.
    pub const fn unknown() -> Keys {
        Keys { flags: KeyFlags::NONE, begin: Begin::Unknown, find: Find::Unknown }
    }

    pub const fn range(mut self, last: i16, step: u16, limit: u16) -> Keys {
        self.find = Find::Range { last, step, limit };
        self
    }

    pub const fn key_num(mut self, count: u16, first: u16, step: u16) -> Keys {
        self.find = Find::KeyNum { count, first, step };
        self
    }

    const fn with(mut self, flags: KeyFlags) -> Keys {
        self.flags = self.flags.and(flags);
        self
    }

    pub const fn read_only(self) -> Keys {
        self.with(KeyFlags::RO)
    }

    pub const fn read_write(self) -> Keys {
        self.with(KeyFlags::RW)
    }

    pub const fn overwrite(self) -> Keys {
        self.with(KeyFlags::OW)
    }

    pub const fn remove(self) -> Keys {
        self.with(KeyFlags::RM)
    }

    pub const fn access(self) -> Keys {
        self.with(KeyFlags::ACCESS)
    }

    pub const fn update(self) -> Keys {
        self.with(KeyFlags::UPDATE)
    }

    pub const fn insert(self) -> Keys {
        self.with(KeyFlags::INSERT)
    }

    pub const fn delete(self) -> Keys {
        self.with(KeyFlags::DELETE)
    }

    pub const fn not_key(self) -> Keys {
        self.with(KeyFlags::NOT_KEY)
    }

    pub const fn incomplete(self) -> Keys {
        self.with(KeyFlags::INCOMPLETE)
    }

    pub const fn variable_flags(self) -> Keys {
        self.with(KeyFlags::VARIABLE_FLAGS)
    }
}

/// First, last and step of the old COMMAND format, and whether they fail to tell all keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OldRange {
    pub first: i32,
    pub last: i32,
    pub step: i32,
    pub movable: bool,
}

/// Glues specs that follow each other (RENAME's two keys) into one range.
pub fn old_range(specs: &[Keys]) -> OldRange {
    let mut range = OldRange::default();
    for spec in specs {
        let (Begin::Index(first), Find::Range { last, step, limit: 0 }) = (spec.begin, spec.find) else {
            range.movable = true;
            continue;
        };
        let (first, last, step) = (i32::from(first), i32::from(last), i32::from(step));
        let follows = range.last == 0 || range.last == first - 1;
        if specs.len() > 1 && (step != 1 || !follows) {
            range.movable = true;
            continue;
        }
        range.movable |= spec.flags.has(KeyFlags::INCOMPLETE);
        if range.first == 0 {
            range.first = first;
        }
        // A last key counted from the end lies behind any other.
        range.last = if last < 0 { last } else { last + first };
        range.step = step;
    }
    range
}

/// A stretch of keys in a request: every `step`th word from `first` to `last`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Stretch {
    first: usize,
    last: usize,
    step: usize,
    flags: KeyFlags,
}

/// No command has more key specs.
const SPECS_MAX: usize = 4;

/// The keys of a request, as positions of its words. Holds no memory of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeysFound {
    stretches: [Stretch; SPECS_MAX],
    len: usize,
}

impl KeysFound {
    /// Position and flags of each key, spec by spec.
    pub fn iter(&self) -> impl Iterator<Item = (usize, KeyFlags)> + '_ {
        self.stretches[..self.len].iter().flat_map(|stretch| {
            (stretch.first..=stretch.last).step_by(stretch.step).map(|position| (position, stretch.flags))
        })
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn count(&self) -> usize {
        self.iter().count()
    }

    fn push(&mut self, first: usize, last: usize, step: usize, flags: KeyFlags) {
        if self.len < SPECS_MAX {
            self.stretches[self.len] = Stretch { first, last, step: step.max(1), flags };
            self.len += 1;
        }
    }

    fn one(position: usize, flags: KeyFlags) -> KeysFound {
        let mut found = KeysFound::default();
        found.push(position, position, 1, flags);
        found
    }
}

/// Finds the keys among the `argc` words of a request, the command's name being word 0 (a container's subcommand word 1).
/// Words that make no sense for the command yield no keys; the command itself will complain. Sharded channels are not keys.
pub fn find<'a>(name: &str, specs: &[Keys], argc: usize, word: &dyn Fn(usize) -> &'a [u8]) -> KeysFound {
    let mut found = KeysFound::default();
    let mut exact = true;
    for spec in specs.iter().filter(|spec| !spec.flags.has(KeyFlags::NOT_KEY)) {
        exact &= !spec.flags.has_any(KeyFlags::VARIABLE_FLAGS.and(KeyFlags::INCOMPLETE));
        exact &= find_spec(spec, argc, word, &mut found).is_some();
    }
    if exact { found } else { find_special(name, argc, word).unwrap_or_default() }
}

/// Whether there can be keys at all.
pub fn may_have_keys(specs: &[Keys]) -> bool {
    specs.iter().any(|spec| !spec.flags.has(KeyFlags::NOT_KEY))
}

/// Words that hash to a slot without being keys: the channels of SSUBSCRIBE and its like.
pub fn find_not_keys<'a>(specs: &[Keys], argc: usize, word: &dyn Fn(usize) -> &'a [u8]) -> KeysFound {
    let mut found = KeysFound::default();
    for spec in specs.iter().filter(|spec| spec.flags.has(KeyFlags::NOT_KEY)) {
        // A spec that does not fit finds nothing.
        let _ = find_spec(spec, argc, word, &mut found);
    }
    found
}

/// Adds the keys of one spec; nothing where the words do not fit it.
fn find_spec<'a>(
    spec: &Keys,
    argc: usize,
    word: &dyn Fn(usize) -> &'a [u8],
    found: &mut KeysFound,
) -> Option<()> {
    let begin = match spec.begin {
        Begin::Unknown => return None,
        Begin::Index(index) => usize::from(index),
        Begin::Keyword { keyword, from } => {
            let is_keyword = |index: &usize| word(*index).eq_ignore_ascii_case(keyword.as_bytes());
            let at = if from > 0 {
                (from as usize..argc.saturating_sub(1)).find(is_keyword)
            } else {
                (2..=argc.saturating_sub(from.unsigned_abs().into()).min(argc - 1)).rev().find(is_keyword)
            };
            // Without its word the spec stands for no keys.
            let Some(at) = at else { return Some(()) };
            at + 1
        }
    };
    let (first, last, step) = match spec.find {
        Find::Unknown => return None,
        Find::Range { last, step, .. } if last >= 0 => (begin, begin + last as usize, step),
        Find::Range { last, step, limit: 0 } => (begin, argc.checked_sub(last.unsigned_abs().into())?, step),
        Find::Range { step, limit, .. } => {
            let count = argc.checked_sub(begin)? / usize::from(limit);
            (begin, (begin + count).checked_sub(1)?, step)
        }
        Find::KeyNum { count, first, step } => {
            let at = begin + usize::from(count);
            let count = (at < argc).then(|| number(word(at)))??;
            let first = begin + usize::from(first);
            (first, (first + count.min(argc) * usize::from(step.max(1))).checked_sub(1)?, step)
        }
    };
    if last >= argc || last < first || first >= argc {
        return None;
    }
    found.push(first, last, usize::from(step), spec.flags);
    Some(())
}

fn number(word: &[u8]) -> Option<usize> {
    std::str::from_utf8(word).ok().filter(|text| !text.starts_with('+'))?.parse().ok()
}

const READ: KeyFlags = KeyFlags::RO.and(KeyFlags::ACCESS);
const STORE: KeyFlags = KeyFlags::OW.and(KeyFlags::UPDATE);
const TAKE: KeyFlags = KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE);
const CHANGE: KeyFlags = KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE);

/// The rules for the few commands whose options decide.
fn find_special<'a>(name: &str, argc: usize, word: &dyn Fn(usize) -> &'a [u8]) -> Option<KeysFound> {
    if argc < 2 {
        return None;
    }
    let is = |index: usize, token: &str| word(index).eq_ignore_ascii_case(token.as_bytes());
    Some(match name {
        "SET" => KeysFound::one(1, if (3..argc).any(|index| is(index, "GET")) { CHANGE } else { STORE }),
        "DELEX" => KeysFound::one(1, if argc > 2 { TAKE } else { KeyFlags::RM.and(KeyFlags::DELETE) }),
        "BITFIELD" => KeysFound::one(1, bitfield_flags(argc, &is)),
        "SORT_RO" => KeysFound::one(1, READ),
        "SORT" => find_sort(argc, &is),
        "MIGRATE" => return find_migrate(argc, word, &is),
        "GEORADIUS" | "GEORADIUSBYMEMBER" => find_georadius(argc, &is),
        "XREAD" | "XREADGROUP" => return find_xread(argc, &is),
        _ => return None,
    })
}

/// Only GETs make it a read.
fn bitfield_flags(argc: usize, is: &dyn Fn(usize, &str) -> bool) -> KeyFlags {
    let mut index = 2;
    while index < argc {
        if is(index, "GET") && index + 2 < argc {
            index += 3;
        } else if is(index, "OVERFLOW") && index + 1 < argc {
            index += 2;
        } else {
            return CHANGE;
        }
    }
    READ
}

/// The last STORE counts.
fn find_sort(argc: usize, is: &dyn Fn(usize, &str) -> bool) -> KeysFound {
    let mut found = KeysFound::one(1, READ);
    let mut store = None;
    let mut index = 2;
    while index < argc {
        if is(index, "LIMIT") {
            index += 2;
        } else if is(index, "GET") || is(index, "BY") {
            index += 1;
        } else if is(index, "STORE") && index + 1 < argc {
            store = Some(index + 1);
        }
        index += 1;
    }
    if let Some(store) = store {
        found.push(store, store, 1, STORE);
    }
    found
}

/// Either the third word, or, where that is empty, all behind KEYS.
fn find_migrate<'a>(
    argc: usize,
    word: &dyn Fn(usize) -> &'a [u8],
    is: &dyn Fn(usize, &str) -> bool,
) -> Option<KeysFound> {
    let mut index = 6;
    while index < argc {
        if is(index, "KEYS") {
            let mut found = KeysFound::default();
            // A key and KEYS contradict each other: the command will say so.
            (word(3).is_empty() && index + 1 < argc).then_some(())?;
            found.push(index + 1, argc - 1, 1, TAKE);
            return Some(found);
        }
        index += match () {
            () if is(index, "AUTH") => 2,
            () if is(index, "AUTH2") => 3,
            () => 1,
        };
    }
    (argc > 3).then(|| KeysFound::one(3, TAKE))
}

/// The last of STORE and STOREDIST counts.
fn find_georadius(argc: usize, is: &dyn Fn(usize, &str) -> bool) -> KeysFound {
    let mut found = KeysFound::one(1, READ);
    let mut store = None;
    let mut index = 5;
    while index + 1 < argc {
        if is(index, "STORE") || is(index, "STOREDIST") {
            index += 1;
            store = Some(index);
        }
        index += 1;
    }
    if let Some(store) = store {
        found.push(store, store, 1, STORE);
    }
    found
}

/// STREAMS may be the name of a group, a consumer or a stream as well, so the options are walked over.
fn find_xread(argc: usize, is: &dyn Fn(usize, &str) -> bool) -> Option<KeysFound> {
    let mut index = 1;
    while index < argc {
        if is(index, "STREAMS") {
            let words = argc - index - 1;
            (words > 0 && words.is_multiple_of(2)).then_some(())?;
            let mut found = KeysFound::default();
            found.push(index + 1, index + words / 2, 1, READ);
            return Some(found);
        }
        index += if ["BLOCK", "COUNT", "MAXCOUNT", "MAXSIZE", "CLAIM"].iter().any(|option| is(index, option))
        {
            2
        } else if is(index, "GROUP") {
            3
        } else if is(index, "NOACK") {
            1
        } else {
            return None;
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, specs: &[Keys], line: &str) -> Vec<String> {
        let words: Vec<&[u8]> = line.split(' ').map(|word| word.trim_matches('"').as_bytes()).collect();
        let found = find(name, specs, words.len(), &|index| words[index]);
        let keys = found.iter().map(|(position, _)| String::from_utf8_lossy(words[position]).into_owned());
        keys.collect()
    }

    #[test]
    fn ranges_counts_and_words_find_keys() {
        assert_eq!(found("GET", &[Keys::at(1)], "GET a"), ["a"]);
        assert_eq!(found("MSET", &[Keys::at(1).range(-1, 2, 0)], "MSET a 1 b 2"), ["a", "b"]);
        assert_eq!(found("BLPOP", &[Keys::at(1).range(-2, 1, 0)], "BLPOP a b 0"), ["a", "b"]);
        assert_eq!(found("EVAL", &[Keys::counted_at(2)], "EVAL s 2 a b c"), ["a", "b"]);
        assert!(found("EVAL", &[Keys::counted_at(2)], "EVAL s 0 a").is_empty());
        assert!(found("EVAL", &[Keys::counted_at(2)], "EVAL s 9 a").is_empty());
        assert!(found("EVAL", &[Keys::counted_at(2)], "EVAL s -1 a").is_empty());
        assert!(found("EVAL", &[Keys::counted_at(2)], "EVAL s").is_empty());
        let specs = [Keys::at(1), Keys::counted_at(2)];
        assert_eq!(found("ZUNIONSTORE", &specs, "ZUNIONSTORE d 2 a b WEIGHTS 1 2"), ["d", "a", "b"]);
        let specs = [Keys::at(1).key_num(0, 1, 2)];
        assert_eq!(found("MSETEX", &specs, "MSETEX 2 a 1 b 2 NX"), ["a", "b"]);
        assert!(found("SSUBSCRIBE", &[Keys::from(1).not_key()], "SSUBSCRIBE c").is_empty());
    }

    #[test]
    fn options_decide_for_some_commands() {
        let streams = [Keys::after("STREAMS", 1).range(-1, 1, 2).incomplete()];
        assert_eq!(found("XREAD", &streams, "XREAD COUNT 2 STREAMS a b 0 0"), ["a", "b"]);
        let group = "XREADGROUP GROUP STREAMS STREAMS COUNT 1 STREAMS a >";
        assert_eq!(found("XREADGROUP", &streams, group), ["a"]);
        assert!(found("XREAD", &streams, "XREAD STREAMS a b 0").is_empty());
        let sort = [Keys::at(1), Keys::unknown(), Keys::unknown()];
        assert_eq!(found("SORT", &sort, "SORT a BY STORE x GET STORE STORE c STORE d"), ["a", "d"]);
        let migrate = [Keys::at(3), Keys::after("KEYS", -2).range(-1, 1, 0).incomplete()];
        assert_eq!(found("MIGRATE", &migrate, "MIGRATE h 1 k 0 5"), ["k"]);
        assert_eq!(found("MIGRATE", &migrate, "MIGRATE h 1 \"\" 0 5 AUTH KEYS KEYS a b"), ["a", "b"]);
        let radius =
            [Keys::at(1), Keys::after("STORE", 6).incomplete(), Keys::after("STOREDIST", 6).incomplete()];
        assert_eq!(found("GEORADIUS", &radius, "GEORADIUS k 1 2 3 m STORE x STOREDIST y"), ["k", "y"]);
    }

    #[test]
    fn set_reads_when_it_gets() {
        let specs = [Keys::at(1).read_write().variable_flags()];
        let flags = |words: &[&'static [u8]]| {
            find("SET", &specs, words.len(), &|index| words[index]).iter().next().map(|(_, flags)| flags)
        };
        assert_eq!(flags(&[b"SET", b"k", b"v"]), Some(STORE));
        assert_eq!(flags(&[b"SET", b"k", b"v", b"get"]), Some(CHANGE));
    }

    #[test]
    fn neighbours_glue_into_one_range() {
        let range = |specs: &[Keys]| {
            let range = old_range(specs);
            (range.first, range.last, range.step, range.movable)
        };
        assert_eq!(range(&[]), (0, 0, 0, false));
        assert_eq!(range(&[Keys::at(1)]), (1, 1, 1, false));
        assert_eq!(range(&[Keys::at(1), Keys::at(2)]), (1, 2, 1, false));
        assert_eq!(range(&[Keys::at(2), Keys::from(3)]), (2, -1, 1, false));
        assert_eq!(range(&[Keys::at(1), Keys::counted_at(2)]), (1, 1, 1, true));
        assert_eq!(range(&[Keys::counted_at(1)]), (0, 0, 0, true));
        assert_eq!(range(&[Keys::at(1).range(-1, 2, 0)]), (1, -1, 2, false));
    }
}
