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
