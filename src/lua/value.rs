//! What a Lua variable holds: sixteen bytes, copied freely. Objects are indices into the heap's arenas.

/// A string. The top bit tells long strings, which are not unique and compare by content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Str(pub(crate) u32);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table(pub(crate) u32);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closure(pub(crate) u32);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostFunction(pub(crate) u32);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Userdata(pub(crate) u32);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Coroutine(pub(crate) u32);

const LONG: u32 = 1 << 31;

impl Str {
    pub(crate) fn long(index: usize) -> Str {
        Str(index as u32 | LONG)
    }
    #[inline]
    pub(crate) fn is_long(self) -> bool {
        self.0 & LONG != 0
    }
    #[inline]
    pub(crate) fn index(self) -> usize {
        (self.0 & !LONG) as usize
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Value {
    Nil,
    Bool(bool),
    Number(f64),
    Str(Str),
    Table(Table),
    Function(Closure),
    Host(HostFunction),
    Userdata(Userdata),
    Coroutine(Coroutine),
    /// A value of type userdata with no content, equal to those of the same number (cjson.null is 0).
    Light(u32),
    /// Where a collected key stood; only in tables. Holds the main position of its chain.
    #[doc(hidden)]
    Tombstone(u32),
}

impl Value {
    #[inline]
    pub fn is_nil(self) -> bool {
        matches!(self, Value::Nil)
    }

    #[inline]
    pub fn truthy(self) -> bool {
        !matches!(self, Value::Nil | Value::Bool(false))
    }

    pub fn type_name(self) -> &'static str {
        match self {
            Value::Nil | Value::Tombstone(_) => "nil",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::Str(_) => "string",
            Value::Table(_) => "table",
            Value::Function(_) | Value::Host(_) => "function",
            Value::Userdata(_) | Value::Light(_) => "userdata",
            Value::Coroutine(_) => "thread",
        }
    }

    /// Equality without metamethods, for all but long strings.
    #[inline]
    pub(crate) fn same(self, other: Value) -> bool {
        match (self, other) {
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Table(a), Value::Table(b)) => a == b,
            (Value::Function(a), Value::Function(b)) => a == b,
            (Value::Host(a), Value::Host(b)) => a == b,
            (Value::Userdata(a), Value::Userdata(b)) => a == b,
            (Value::Coroutine(a), Value::Coroutine(b)) => a == b,
            (Value::Light(a), Value::Light(b)) => a == b,
            _ => false,
        }
    }
}

/// A raised error: any value. Not yet on the stack, so it must be delivered before the next collection.
#[derive(Clone, Copy, Debug)]
pub struct Error(pub Value);

/// The memory cap was met. Becomes the error "not enough memory".
#[derive(Clone, Copy, Debug)]
pub struct OutOfMemory;

/// The first string of every heap.
pub(crate) const NOT_ENOUGH_MEMORY: Value = Value::Str(Str(0));

impl From<OutOfMemory> for Error {
    fn from(_: OutOfMemory) -> Error {
        Error(NOT_ENOUGH_MEMORY)
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
