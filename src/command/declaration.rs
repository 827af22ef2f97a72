//! What a command says about itself: a `const` beside its function. Everything that follows from these fields (arity, full
//! ACL categories, containers, the argument tree, …) is derived elsewhere and never declared. Knows no single command.

use super::Run;
use super::keyspec::Keys;

/// The declaration of a command or subcommand, written as `Command { name: "GETEX", …, ..Command::BASE }`.
#[derive(Clone, Copy)]
pub struct Command {
    /// Upper case; a subcommand carries its container's name: `"XGROUP CREATE"`.
    pub name: &'static str,
    /// The arguments in the notation of [`super::syntax`], without the name.
    pub syntax: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// The Redis version that brought it.
    pub since: &'static str,
    pub complexity: &'static str,
    pub group: Group,
    pub flags: Flags,
    /// Only where Redis counts otherwise than the syntax tells (QUIT takes anything).
    pub arity: Option<i32>,
    /// ACL categories beyond (or short of) those that follow from flags and group.
    pub categories: Exceptions,
    pub keys: &'static [Keys],
    /// The tips of COMMAND INFO: `"request_policy:all_shards"`.
    pub tips: &'static [&'static str],
    /// Later changes as (version, sentence).
    pub history: &'static [(&'static str, &'static str)],
    /// Not for users but for servers among themselves (`syscmd` in COMMAND DOCS).
    pub internal: bool,
    /// The version that deprecated it, or nothing.
    pub deprecated_since: Option<&'static str>,
    /// What to use instead, in words: `` `SET` with the `NX` argument ``.
    pub replaced_by: Option<&'static str>,
    pub run: Run,
}

impl Command {
    /// The fields a declaration may leave out.
    pub const BASE: Command = Command {
        name: "",
        syntax: "",
        summary: "",
        since: "1.0.0",
        complexity: "O(1)",
        group: Group::Generic,
        flags: Flags::NONE,
        arity: None,
        categories: Exceptions::NONE,
        keys: &[],
        tips: &[],
        history: &[],
        internal: false,
        deprecated_since: None,
        replaced_by: None,
        run: super::unreachable_run,
    };

    /// `XGROUP` for `XGROUP CREATE`, nothing for a command of its own.
    pub fn container_name(&self) -> Option<&'static str> {
        self.name.split_once(' ').map(|(container, _)| container)
    }

    /// `config|get`: how Redis names a command in errors and logs. The registry keeps it ready, where a number is at hand.
    pub fn full_name(&self) -> String {
        self.name.to_ascii_lowercase().replace(' ', "|")
    }

    /// `CREATE` for `XGROUP CREATE`, the name itself for a command of its own.
    pub fn last_name(&self) -> &'static str {
        self.name.split_once(' ').map_or(self.name, |(_, subcommand)| subcommand)
    }
}

/// The groups of COMMAND DOCS, HELP and the manual.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Group {
    Generic,
    String,
    List,
    Set,
    SortedSet,
    Hash,
    PubSub,
    Transactions,
    Connection,
    Server,
    Scripting,
    HyperLogLog,
    Cluster,
    Sentinel,
    Geo,
    Stream,
    Bitmap,
    Array,
    Module,
    Json,
    Bloom,
    Cuckoo,
    CountMinSketch,
    TopK,
    TDigest,
    Search,
    Suggestion,
    TimeSeries,
}

impl Group {
    pub const ALL: [Group; 28] = [
        Group::Generic,
        Group::String,
        Group::List,
        Group::Set,
        Group::SortedSet,
        Group::Hash,
        Group::PubSub,
        Group::Transactions,
        Group::Connection,
        Group::Server,
        Group::Scripting,
        Group::HyperLogLog,
        Group::Cluster,
        Group::Sentinel,
        Group::Geo,
        Group::Stream,
        Group::Bitmap,
        Group::Array,
        Group::Module,
        Group::Json,
        Group::Bloom,
        Group::Cuckoo,
        Group::CountMinSketch,
        Group::TopK,
        Group::TDigest,
        Group::Search,
        Group::Suggestion,
        Group::TimeSeries,
    ];

    /// As COMMAND DOCS and `HELP @group` spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::List => "list",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Hash => "hash",
            Group::PubSub => "pubsub",
            Group::Transactions => "transactions",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Scripting => "scripting",
            Group::HyperLogLog => "hyperloglog",
            Group::Cluster => "cluster",
            Group::Sentinel => "sentinel",
            Group::Geo => "geo",
            Group::Stream => "stream",
            Group::Bitmap => "bitmap",
            Group::Array => "array",
            Group::Module => "module",
            Group::Json => "json",
            Group::Bloom => "bf",
            Group::Cuckoo => "cf",
            Group::CountMinSketch => "cms",
            Group::TopK => "topk",
            Group::TDigest => "tdigest",
            Group::Search => "search",
            Group::Suggestion => "suggestion",
            Group::TimeSeries => "timeseries",
        }
    }

    pub fn from_name(name: &[u8]) -> Option<Group> {
        Group::ALL.into_iter().find(|group| group.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// The ACL category that membership alone brings.
    const fn category(self) -> Categories {
        match self {
            Group::Generic => Categories::KEYSPACE,
            Group::String => Categories::STRING,
            Group::List => Categories::LIST,
            Group::Set => Categories::SET,
            Group::SortedSet => Categories::SORTEDSET,
            Group::Hash => Categories::HASH,
            Group::Transactions => Categories::TRANSACTION,
            Group::Connection => Categories::CONNECTION,
            Group::Scripting => Categories::SCRIPTING,
            Group::HyperLogLog => Categories::HYPERLOGLOG,
            Group::Geo => Categories::GEO,
            Group::Stream => Categories::STREAM,
            Group::Bitmap => Categories::BITMAP,
            Group::Array => Categories::ARRAY,
            Group::Json => Categories::JSON,
            Group::Bloom => Categories::BLOOM,
            Group::Cuckoo => Categories::CUCKOO,
            Group::CountMinSketch => Categories::CMS,
            Group::TopK => Categories::TOPK,
            Group::TDigest => Categories::TDIGEST,
            Group::Search | Group::Suggestion => Categories::SEARCH,
            Group::TimeSeries => Categories::TIMESERIES,
            Group::PubSub | Group::Server | Group::Cluster | Group::Sentinel | Group::Module => {
                Categories::NONE
            }
        }
    }
}

/// A set of command flags. The constants are at module level too, so that a declaration reads `WRITE.and(FAST)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flags(u32);

impl Flags {
    pub const NONE: Flags = Flags(0);

    /// Both sets together.
    pub const fn and(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// All of `other` are set.
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// One of `other` is set.
    pub const fn has_any(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }

    /// The names COMMAND INFO shows, in its order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        FLAG_NAMES.into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| name)
    }

    pub fn from_name(name: &str) -> Option<Flags> {
        FLAG_NAMES.into_iter().find(|(_, known)| *known == name).map(|(flag, _)| flag)
    }
}

/// May change keys.
pub const WRITE: Flags = Flags(1 << 0);
/// Reads keys and never changes one.
pub const READONLY: Flags = Flags(1 << 1);
/// Refused when memory is full.
pub const DENYOOM: Flags = Flags(1 << 2);
/// Comes from a module.
pub const MODULE: Flags = Flags(1 << 3);
pub const ADMIN: Flags = Flags(1 << 4);
pub const PUBSUB: Flags = Flags(1 << 5);
/// Not callable from scripts.
pub const NOSCRIPT: Flags = Flags(1 << 6);
/// May keep its client waiting.
pub const BLOCKING: Flags = Flags(1 << 7);
/// Allowed while the data set loads.
pub const LOADING: Flags = Flags(1 << 8);
/// Allowed on a replica that lost its master.
pub const STALE: Flags = Flags(1 << 9);
pub const SKIP_MONITOR: Flags = Flags(1 << 10);
pub const SKIP_SLOWLOG: Flags = Flags(1 << 11);
/// Implies ASKING in a cluster.
pub const ASKING: Flags = Flags(1 << 12);
pub const FAST: Flags = Flags(1 << 13);
/// Allowed before authentication.
pub const NO_AUTH: Flags = Flags(1 << 14);
/// May propagate although it is no write (PUBLISH, EVAL). COMMAND INFO keeps it to itself.
pub const MAY_REPLICATE: Flags = Flags(1 << 15);
/// Its key specs may match nothing.
pub const NO_MANDATORY_KEYS: Flags = Flags(1 << 16);
pub const NO_ASYNC_LOADING: Flags = Flags(1 << 17);
/// Not allowed inside MULTI.
pub const NO_MULTI: Flags = Flags(1 << 18);
/// Its keys cannot be told from first, last and step alone. Derived from the key specs, never declared.
pub const MOVABLEKEYS: Flags = Flags(1 << 19);
/// Allowed while a script runs too long.
pub const ALLOW_BUSY: Flags = Flags(1 << 20);
/// Reads or writes keys its specs do not name (FLUSHALL, SCAN). COMMAND INFO keeps it to itself.
pub const TOUCHES_ARBITRARY_KEYS: Flags = Flags(1 << 21);
/// Runs a script (EVAL, FCALL).
pub const SCRIPT_RUNNER: Flags = Flags(1 << 22);

const FLAG_NAMES: [(Flags, &str); 21] = [
    (WRITE, "write"),
    (READONLY, "readonly"),
    (DENYOOM, "denyoom"),
    (MODULE, "module"),
    (ADMIN, "admin"),
    (PUBSUB, "pubsub"),
    (NOSCRIPT, "noscript"),
    (BLOCKING, "blocking"),
    (LOADING, "loading"),
    (STALE, "stale"),
    (SKIP_MONITOR, "skip_monitor"),
    (SKIP_SLOWLOG, "skip_slowlog"),
    (ASKING, "asking"),
    (FAST, "fast"),
    (NO_AUTH, "no_auth"),
    (NO_MANDATORY_KEYS, "no_mandatory_keys"),
    (NO_ASYNC_LOADING, "no_async_loading"),
    (NO_MULTI, "no_multi"),
    (MOVABLEKEYS, "movablekeys"),
    (ALLOW_BUSY, "allow_busy"),
    (SCRIPT_RUNNER, "script_runner"),
];

/// A set of ACL categories.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Categories(u64);

impl Categories {
    pub const NONE: Categories = Categories(0);
    pub const KEYSPACE: Categories = Categories(1 << 0);
    pub const READ: Categories = Categories(1 << 1);
    pub const WRITE: Categories = Categories(1 << 2);
    pub const SET: Categories = Categories(1 << 3);
    pub const SORTEDSET: Categories = Categories(1 << 4);
    pub const LIST: Categories = Categories(1 << 5);
    pub const HASH: Categories = Categories(1 << 6);
    pub const STRING: Categories = Categories(1 << 7);
    pub const BITMAP: Categories = Categories(1 << 8);
    pub const HYPERLOGLOG: Categories = Categories(1 << 9);
    pub const GEO: Categories = Categories(1 << 10);
    pub const STREAM: Categories = Categories(1 << 11);
    pub const ARRAY: Categories = Categories(1 << 12);
    pub const PUBSUB: Categories = Categories(1 << 13);
    pub const ADMIN: Categories = Categories(1 << 14);
    pub const FAST: Categories = Categories(1 << 15);
    pub const SLOW: Categories = Categories(1 << 16);
    pub const BLOCKING: Categories = Categories(1 << 17);
    pub const DANGEROUS: Categories = Categories(1 << 18);
    pub const CONNECTION: Categories = Categories(1 << 19);
    pub const TRANSACTION: Categories = Categories(1 << 20);
    pub const SCRIPTING: Categories = Categories(1 << 21);
    pub const SEARCH: Categories = Categories(1 << 22);
    pub const JSON: Categories = Categories(1 << 23);
    pub const BLOOM: Categories = Categories(1 << 24);
    pub const CUCKOO: Categories = Categories(1 << 25);
    pub const CMS: Categories = Categories(1 << 26);
    pub const TOPK: Categories = Categories(1 << 27);
    pub const TDIGEST: Categories = Categories(1 << 28);
    pub const TIMESERIES: Categories = Categories(1 << 29);

    /// All names in the order ACL CAT lists them.
    pub const NAMES: [(Categories, &'static str); 30] = [
        (Categories::KEYSPACE, "keyspace"),
        (Categories::READ, "read"),
        (Categories::WRITE, "write"),
        (Categories::SET, "set"),
        (Categories::SORTEDSET, "sortedset"),
        (Categories::LIST, "list"),
        (Categories::HASH, "hash"),
        (Categories::STRING, "string"),
        (Categories::BITMAP, "bitmap"),
        (Categories::HYPERLOGLOG, "hyperloglog"),
        (Categories::GEO, "geo"),
        (Categories::STREAM, "stream"),
        (Categories::ARRAY, "array"),
        (Categories::PUBSUB, "pubsub"),
        (Categories::ADMIN, "admin"),
        (Categories::FAST, "fast"),
        (Categories::SLOW, "slow"),
        (Categories::BLOCKING, "blocking"),
        (Categories::DANGEROUS, "dangerous"),
        (Categories::CONNECTION, "connection"),
        (Categories::TRANSACTION, "transaction"),
        (Categories::SCRIPTING, "scripting"),
        (Categories::SEARCH, "search"),
        (Categories::JSON, "json"),
        (Categories::BLOOM, "bloom"),
        (Categories::CUCKOO, "cuckoo"),
        (Categories::CMS, "cms"),
        (Categories::TOPK, "topk"),
        (Categories::TDIGEST, "tdigest"),
        (Categories::TIMESERIES, "timeseries"),
    ];

    pub const fn and(self, other: Categories) -> Categories {
        Categories(self.0 | other.0)
    }

    pub const fn without(self, other: Categories) -> Categories {
        Categories(self.0 & !other.0)
    }

    /// All of `other` are in it.
    pub const fn has(self, other: Categories) -> bool {
        self.0 & other.0 == other.0
    }

    pub const fn has_any(self, other: Categories) -> bool {
        self.0 & other.0 != 0
    }

    /// The names without `@`, in Redis's order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(category, _)| self.has(*category)).map(|(_, name)| name)
    }

    /// By name without `@`, in any case.
    pub fn from_name(name: &[u8]) -> Option<Categories> {
        let found = Self::NAMES.into_iter().find(|(_, known)| known.as_bytes().eq_ignore_ascii_case(name));
        found.map(|(category, _)| category)
    }
}

/// How a command's ACL categories differ from those that follow from its flags and group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exceptions {
    pub also: Categories,
    /// False where the group's own category does not apply (SORT is in generic and not in `@keyspace`).
    pub of_group: bool,
}

impl Exceptions {
    pub const NONE: Exceptions = Exceptions { also: Categories::NONE, of_group: true };

    /// These besides the group's.
    pub const fn also(also: Categories) -> Exceptions {
        Exceptions { also, of_group: true }
    }

    /// These instead of the group's.
    pub const fn instead(also: Categories) -> Exceptions {
        Exceptions { also, of_group: false }
    }

    /// The full set of categories of a command with these flags in this group.
    pub const fn resolve(self, flags: Flags, group: Group) -> Categories {
        let mut categories = self.also;
        if self.of_group {
            categories = categories.and(group.category());
        }
        if flags.has(WRITE) {
            categories = categories.and(Categories::WRITE);
        }
        // A script that only reads is still no data access of its own.
        if flags.has(READONLY) && !matches!(group, Group::Scripting) {
            categories = categories.and(Categories::READ);
        }
        if flags.has(ADMIN) {
            categories = categories.and(Categories::ADMIN).and(Categories::DANGEROUS);
        }
        if flags.has(PUBSUB) {
            categories = categories.and(Categories::PUBSUB);
        }
        if flags.has(BLOCKING) {
            categories = categories.and(Categories::BLOCKING);
        }
        categories.and(if flags.has(FAST) { Categories::FAST } else { Categories::SLOW })
    }
}
