//! Redis's error texts. The text is the API: clients match on it, so every shared one stands here, once.

use std::borrow::Cow;

/// `CODE message`, as the client reads it after the minus sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Cow<'static, [u8]>);

pub type Result<T = ()> = std::result::Result<T, Error>;

impl Error {
    pub const fn new(text: &'static str) -> Self {
        Error(Cow::Borrowed(text.as_bytes()))
    }

    pub fn bytes(text: Vec<u8>) -> Self {
        Error(Cow::Owned(text))
    }

    pub fn text(&self) -> &[u8] {
        &self.0
    }

    /// The first word: `ERR`, `WRONGTYPE` …
    pub fn code(&self) -> &[u8] {
        self.0.split(|&byte| byte == b' ').next().unwrap_or_default()
    }
}

impl From<String> for Error {
    fn from(text: String) -> Self {
        Error(Cow::Owned(text.into_bytes()))
    }
}

/// Builds an [`Error`] from a format string.
#[macro_export]
macro_rules! format_error {
    ($($argument:tt)*) => { $crate::server::error::Error::from(format!($($argument)*)) };
}

macro_rules! errors {
    ($($name:ident = $text:literal;)*) => { $(pub const $name: Error = Error::new($text);)* };
}

errors! {
    WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";
    SYNTAX = "ERR syntax error";
    NOT_AN_INTEGER = "ERR value is not an integer or out of range";
    NOT_A_FLOAT = "ERR value is not a valid float";
    OUT_OF_RANGE = "ERR value is out of range";
    OUT_OF_RANGE_POSITIVE = "ERR value is out of range, must be positive";
    OUT_OF_RANGE_NEGATABLE = "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
    INCREMENT_OVERFLOW = "ERR increment or decrement would overflow";
    DECREMENT_OVERFLOW = "ERR decrement would overflow";
    NAN_OR_INFINITY = "ERR increment would produce NaN or Infinity";
    NO_SUCH_KEY = "ERR no such key";
    INDEX_OUT_OF_RANGE = "ERR index out of range";
    SAME_OBJECT = "ERR source and destination objects are the same";
    STRING_TOO_LONG = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    OFFSET_OUT_OF_RANGE = "ERR offset is out of range";
    BIT_OFFSET = "ERR bit offset is not an integer or out of range";
    BIT_VALUE = "ERR bit is not an integer or out of range";
    DB_INDEX = "ERR DB index is out of range";
    INVALID_DB_INDEX = "ERR invalid DB index";
    TIMEOUT_NOT_A_FLOAT = "ERR timeout is not a float or out of range";
    TIMEOUT_NEGATIVE = "ERR timeout is negative";
    TIMEOUT_OUT_OF_RANGE = "ERR timeout is out of range";
    INVALID_CURSOR = "ERR invalid cursor";
    MIN_MAX_NOT_FLOAT = "ERR min or max is not a float";
    MIN_MAX_NOT_LEX = "ERR min or max not valid string range item";
    WEIGHT_NOT_FLOAT = "ERR weight value is not a float";
    SCORE_NAN = "ERR resulting score is not a number (NaN)";
    NO_AUTH = "NOAUTH Authentication required.";
    WRONG_PASS = "WRONGPASS invalid username-password pair or user is disabled.";
    NO_PROTO = "NOPROTO unsupported protocol version";
    EXEC_ABORT = "EXECABORT Transaction discarded because of previous errors.";
    NESTED_MULTI = "ERR MULTI calls can not be nested";
    EXEC_WITHOUT_MULTI = "ERR EXEC without MULTI";
    DISCARD_WITHOUT_MULTI = "ERR DISCARD without MULTI";
    WATCH_INSIDE_MULTI = "ERR WATCH inside MULTI is not allowed";
    OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";
    UNBLOCKED_KEY_GONE = "UNBLOCKED the stream key no longer exists";
    LOADING = "LOADING Redis is loading the dataset in memory";
    NO_REPLICAS = "NOREPLICAS Not enough good replicas to write.";
    READ_ONLY = "READONLY You can't write against a read only replica.";
    NUMKEYS = "ERR numkeys should be greater than 0";
    TOO_MANY_KEYS = "ERR Number of keys can't be greater than number of args";
    COUNT_NOT_POSITIVE = "ERR count should be greater than 0";
    BUSY_KEY = "BUSYKEY Target key name already exists.";
}
