//! Classes of keyspace notifications and the `notify-keyspace-events` setting.

/// A set of event classes, one bit a letter of the setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Class(u32);

impl Class {
    pub const NONE: Class = Class(0);
    pub const KEYSPACE: Class = Class(1);
    pub const KEYEVENT: Class = Class(1 << 1);
    pub const GENERIC: Class = Class(1 << 2);
    pub const STRING: Class = Class(1 << 3);
    pub const LIST: Class = Class(1 << 4);
    pub const SET: Class = Class(1 << 5);
    pub const HASH: Class = Class(1 << 6);
    pub const SORTED_SET: Class = Class(1 << 7);
    pub const EXPIRED: Class = Class(1 << 8);
    pub const EVICTED: Class = Class(1 << 9);
    pub const STREAM: Class = Class(1 << 10);
    pub const KEY_MISS: Class = Class(1 << 11);
    pub const MODULE: Class = Class(1 << 13);
    pub const NEW: Class = Class(1 << 14);
    pub const OVERWRITTEN: Class = Class(1 << 15);
    pub const TYPE_CHANGED: Class = Class(1 << 16);
    pub const SUBKEYSPACE: Class = Class(1 << 17);
    pub const SUBKEYEVENT: Class = Class(1 << 18);
    pub const SUBKEYSPACEITEM: Class = Class(1 << 19);
    pub const SUBKEYSPACEEVENT: Class = Class(1 << 20);
    pub const ARRAY: Class = Class(1 << 21);

    /// The channels that name fields of hashes.
    pub const SUBKEYS: Class =
        Class(Self::SUBKEYSPACE.0 | Self::SUBKEYEVENT.0 | Self::SUBKEYSPACEITEM.0 | Self::SUBKEYSPACEEVENT.0);

    /// What the letter `A` stands for.
    pub const ALL: Class = Class(
        Self::GENERIC.0
            | Self::STRING.0
            | Self::LIST.0
            | Self::SET.0
            | Self::HASH.0
            | Self::SORTED_SET.0
            | Self::EXPIRED.0
            | Self::EVICTED.0
            | Self::STREAM.0
            | Self::ARRAY.0
            | Self::MODULE.0,
    );

    const LETTERS: [(u8, Class); 21] = [
        (b'g', Self::GENERIC),
        (b'$', Self::STRING),
        (b'l', Self::LIST),
        (b's', Self::SET),
        (b'h', Self::HASH),
        (b'z', Self::SORTED_SET),
        (b'x', Self::EXPIRED),
        (b'e', Self::EVICTED),
        (b't', Self::STREAM),
        (b'd', Self::MODULE),
        (b'a', Self::ARRAY),
        (b'K', Self::KEYSPACE),
        (b'E', Self::KEYEVENT),
        (b'm', Self::KEY_MISS),
        (b'n', Self::NEW),
        (b'o', Self::OVERWRITTEN),
        (b'c', Self::TYPE_CHANGED),
        (b'S', Self::SUBKEYSPACE),
        (b'T', Self::SUBKEYEVENT),
        (b'I', Self::SUBKEYSPACEITEM),
        (b'V', Self::SUBKEYSPACEEVENT),
    ];

    pub const fn or(self, other: Class) -> Class {
        Class(self.0 | other.0)
    }

    pub fn has(self, class: Class) -> bool {
        self.0 & class.0 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The setting's letters; `None` where one is unknown.
    pub fn parse(text: &[u8]) -> Option<Class> {
        text.iter().try_fold(Class::NONE, |set, letter| match letter {
            b'A' => Some(set.or(Self::ALL)),
            letter => {
                Self::LETTERS.iter().find(|(known, _)| known == letter).map(|(_, class)| set.or(*class))
            }
        })
    }

    /// The setting as CONFIG GET shows it.
    pub fn letters(self) -> String {
        let all = self.0 & Self::ALL.0 == Self::ALL.0;
        let mut text = String::from(if all { "A" } else { "" });
        for (letter, class) in Self::LETTERS {
            if self.has(class) && !(all && Self::ALL.has(class)) {
                text.push(letter as char);
            }
        }
        text
    }
}
