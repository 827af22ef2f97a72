//! Configuration parameters: all of Redis's by name, those that the engine reads as typed fields besides.

pub mod file;
pub mod parameter;
mod table;

use crate::data::number;
use crate::data::{array, hash, list, set, sorted_set};
use crate::persist;

use super::notify::Class;
use crate::keyspace::eviction::Policy;
pub use file::Directive;
pub use parameter::Parameter;
pub use table::PARAMETERS;

/// What the engine reads while it runs.
#[derive(Clone, Debug)]
pub struct Config {
    pub list: list::Limits,
    pub hash: hash::Limits,
    pub set: set::Limits,
    pub sorted_set: sorted_set::Limits,
    pub array: array::Limits,
    pub databases: usize,
    pub proto_max_bulk_len: u64,
    pub client_query_buffer_limit: u64,
    pub notify: Class,
    pub requirepass: Vec<u8>,
    pub maxclients: usize,
    pub hz: u32,
    /// `client-output-buffer-limit` of normal clients, replicas and subscribers.
    pub output_limits: [OutputLimit; 3],
    pub tracking_table_max_keys: u64,
    pub maxmemory: u64,
    /// A negative number is a percentage of `maxmemory`.
    pub maxmemory_clients: i64,
    pub eviction: Policy,
    pub eviction_tenacity: u64,
    pub stream_node_max_bytes: u64,
    pub stream_node_max_entries: u64,
    pub stream_idmp_duration: u64,
    pub stream_idmp_maxsize: u64,
    pub hll_sparse_max_bytes: usize,
    /// Microseconds; a negative number logs nothing.
    pub slowlog_slower_than: i64,
    pub slowlog_max_len: usize,
    pub slowlog_max_argc: usize,
    pub slowlog_max_string: usize,
    pub latency_threshold_ms: u64,
    pub latency_tracking: bool,
    pub latency_percentiles: Vec<f64>,
    pub acl_log_max_len: usize,
    /// New users may use all channels.
    pub acl_all_channels: bool,
    pub busy_reply_threshold_ms: u64,
    pub min_replicas_to_write: u64,
    /// `save`: after so many seconds with so many changes.
    pub save_points: Vec<(u64, u64)>,
    /// DEBUG SET-ACTIVE-EXPIRE.
    pub active_expire: bool,
    /// The file the configuration came from, for CONFIG REWRITE.
    pub config_file: Option<String>,
    /// Every parameter's value as CONFIG GET shows it, in the order of the table.
    texts: Vec<Vec<u8>>,
    has_save_lines: bool,
}

/// How much output may wait for a client of one class; 0 is no limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct OutputLimit {
    pub hard_bytes: u64,
    /// More than this for longer than `soft_seconds` is too much.
    pub soft_bytes: u64,
    pub soft_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        let mut config = Config {
            list: list::Limits::default(),
            hash: hash::Limits::default(),
            set: set::Limits::default(),
            sorted_set: sorted_set::Limits::default(),
            array: array::Limits::default(),
            databases: 16,
            proto_max_bulk_len: 0,
            client_query_buffer_limit: 0,
            notify: Class::NONE,
            requirepass: Vec::new(),
            maxclients: 0,
            hz: 10,
            output_limits: [OutputLimit::default(); 3],
            tracking_table_max_keys: 0,
            maxmemory: 0,
            maxmemory_clients: 0,
            eviction: Policy::default(),
            eviction_tenacity: 10,
            stream_node_max_bytes: 0,
            stream_node_max_entries: 0,
            stream_idmp_duration: 100,
            stream_idmp_maxsize: 100,
            hll_sparse_max_bytes: 0,
            slowlog_slower_than: 0,
            slowlog_max_len: 0,
            slowlog_max_argc: 0,
            slowlog_max_string: 0,
            latency_threshold_ms: 0,
            latency_tracking: true,
            latency_percentiles: Vec::new(),
            acl_log_max_len: 0,
            acl_all_channels: false,
            busy_reply_threshold_ms: 0,
            min_replicas_to_write: 0,
            save_points: Vec::new(),
            active_expire: true,
            config_file: None,
            texts: PARAMETERS.iter().map(|parameter| parameter.default.as_bytes().to_vec()).collect(),
            has_save_lines: false,
        };
        for number in 0..PARAMETERS.len() {
            config.apply(number);
        }
        config
    }
}

/// The number of a parameter of this name, in any case.
pub fn find(name: &[u8]) -> Option<usize> {
    PARAMETERS.iter().position(|parameter| {
        parameter.name.as_bytes().eq_ignore_ascii_case(name)
            || parameter.alias.is_some_and(|alias| alias.as_bytes().eq_ignore_ascii_case(name))
    })
}

impl Config {
    /// A parameter's value as CONFIG GET shows it.
    pub fn text(&self, number: usize) -> &[u8] {
        &self.texts[number]
    }

    /// As [`Config::text`], by name; empty where there is no such parameter.
    pub fn text_of(&self, name: &str) -> &[u8] {
        find(name.as_bytes()).map_or(b"", |number| self.text(number))
    }

    /// How loaded values are encoded.
    pub fn limits(&self) -> persist::Limits {
        persist::Limits {
            list: self.list,
            hash: self.hash,
            set: self.set,
            sorted_set: self.sorted_set,
            array: self.array,
        }
    }

    /// Sets a parameter to the value these words spell, fixed or not. Says whether it has changed, or what is wrong.
    pub fn set(&mut self, number: usize, words: &[&[u8]]) -> Result<bool, String> {
        let text = PARAMETERS[number].parse(words, &self.texts[number])?;
        let has_changed = text != self.texts[number];
        self.put(number, text);
        Ok(has_changed)
    }

    /// As CONFIG SET takes it: one string, parted at spaces where a parameter takes many words.
    pub fn set_string(&mut self, number: usize, value: &[u8]) -> Result<bool, String> {
        if !PARAMETERS[number].takes_many {
            return self.set(number, &[value]);
        }
        let words: Vec<&[u8]> = value.split(|byte| *byte == b' ').collect();
        self.set(number, &words)
    }

    /// Puts a value back that CONFIG GET has shown.
    pub fn put(&mut self, number: usize, text: Vec<u8>) {
        self.texts[number] = text;
        self.apply(number);
    }

    /// Says yes to a parameter that takes it.
    pub fn enable(&mut self, name: &str) {
        let number = find(name.as_bytes()).expect("only known parameters are enabled");
        self.put(number, b"yes".to_vec());
    }

    /// Copies a value into the field the engine reads.
    fn apply(&mut self, number: usize) {
        let text = self.texts[number].as_slice();
        let int = number::parse_i64(text).unwrap_or(0);
        let size = usize::try_from(int).unwrap_or(if int < 0 { 0 } else { usize::MAX });
        let (count, small, is_yes) =
            (int.max(0) as u64, u32::try_from(int).unwrap_or(u32::MAX), text == b"yes");
        match PARAMETERS[number].name {
            "list-max-listpack-size" => self.list.max_listpack_size = int as i32,
            "hash-max-listpack-entries" => self.hash.max_listpack_entries = size,
            "hash-max-listpack-value" => self.hash.max_listpack_value = size,
            "set-max-intset-entries" => self.set.max_intset_entries = size,
            "set-max-listpack-entries" => self.set.max_listpack_entries = size,
            "set-max-listpack-value" => self.set.max_listpack_value = size,
            "zset-max-listpack-entries" => self.sorted_set.max_listpack_entries = size,
            "zset-max-listpack-value" => self.sorted_set.max_listpack_value = size,
            "array-slice-size" => self.array.slice_size = small,
            "array-sparse-kmax" => self.array.sparse_max = size,
            "array-sparse-kmin" => self.array.sparse_min = size,
            "databases" => self.databases = size,
            "proto-max-bulk-len" => self.proto_max_bulk_len = count,
            "client-query-buffer-limit" => self.client_query_buffer_limit = count,
            "notify-keyspace-events" => self.notify = Class::parse(text).unwrap_or(Class::NONE),
            "requirepass" => self.requirepass = text.to_vec(),
            "maxclients" => self.maxclients = size,
            "hz" => self.hz = small.clamp(1, 500),
            "client-output-buffer-limit" => {
                let words: Vec<&[u8]> = text.split(|byte| *byte == b' ').collect();
                for (limit, words) in self.output_limits.iter_mut().zip(words.chunks_exact(4)) {
                    let number = |index: usize| number::parse_u64(words[index]).unwrap_or(0);
                    *limit =
                        OutputLimit { hard_bytes: number(1), soft_bytes: number(2), soft_seconds: number(3) };
                }
            }
            "tracking-table-max-keys" => self.tracking_table_max_keys = count,
            "maxmemory" => self.maxmemory = count,
            "maxmemory-clients" => {
                let percent = text.strip_suffix(b"%").and_then(number::parse_i64);
                self.maxmemory_clients = percent.map_or(int, |percent| -percent);
            }
            "maxmemory-policy" => self.eviction.rename(text),
            "maxmemory-samples" => self.eviction.samples = size,
            "maxmemory-eviction-tenacity" => self.eviction_tenacity = count,
            "stream-node-max-bytes" => self.stream_node_max_bytes = count,
            "stream-node-max-entries" => self.stream_node_max_entries = count,
            "stream-idmp-duration" => self.stream_idmp_duration = count,
            "stream-idmp-maxsize" => self.stream_idmp_maxsize = count,
            "hll-sparse-max-bytes" => self.hll_sparse_max_bytes = size,
            "slowlog-log-slower-than" => self.slowlog_slower_than = int,
            "slowlog-max-len" => self.slowlog_max_len = size,
            "slowlog-entry-max-argc" => self.slowlog_max_argc = size,
            "slowlog-entry-max-string-len" => self.slowlog_max_string = size,
            "latency-monitor-threshold" => self.latency_threshold_ms = count,
            "latency-tracking" => self.latency_tracking = is_yes,
            "latency-tracking-info-percentiles" => {
                let words = text.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
                self.latency_percentiles = words.filter_map(number::parse_f64).collect();
            }
            "save" => {
                let numbers = text.split(|byte| *byte == b' ').filter_map(number::parse_u64);
                let numbers: Vec<u64> = numbers.collect();
                self.save_points = numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
            }
            "acllog-max-len" => self.acl_log_max_len = size,
            "acl-pubsub-default" => self.acl_all_channels = text == b"allchannels",
            "min-replicas-to-write" => self.min_replicas_to_write = count,
            "busy-reply-threshold" => self.busy_reply_threshold_ms = count,
            "lfu-log-factor" => self.eviction.log_factor = small,
            "lfu-decay-time" => self.eviction.decay_minutes = small,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_the_parameter_takes() {
        for parameter in PARAMETERS {
            let words: Vec<&[u8]> = match parameter.takes_many && !parameter.default.is_empty() {
                true => parameter.default.as_bytes().split(|byte| *byte == b' ').collect(),
                false => vec![parameter.default.as_bytes()],
            };
            if parameter.name == "replicaof" {
                continue;
            }
            let parsed = parameter.parse(&words, b"");
            assert_eq!(parsed.as_deref(), Ok(parameter.default.as_bytes()), "{}", parameter.name);
        }
    }

    #[test]
    fn no_name_is_given_twice() {
        let mut names: Vec<&str> =
            PARAMETERS.iter().flat_map(|p| [Some(p.name), p.alias]).flatten().collect();
        let count = names.len();
        crate::data::order::sort(&mut names);
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn lines_of_redis_conf_are_read_and_written() {
        let mut config = Config::default();
        for line in ["# comment", "", "maxmemory 100mb", "save 60 1", "save 3600 2", "requirepass \"a b\""] {
            assert_eq!(config.apply_line(line.as_bytes()), Ok(None), "{line}");
        }
        assert_eq!(config.maxmemory, 100 << 20);
        assert_eq!(config.text_of("save"), b"60 1 3600 2");
        assert_eq!(config.requirepass, b"a b");
        let wrong = config.apply_line(b"nonsense 1");
        assert_eq!(wrong, Err("Bad directive or wrong number of arguments".into()));
        let include = config.apply_line(b"include other.conf");
        assert_eq!(include, Ok(Some(Directive::Include(b"other.conf".to_vec()))));
        let text = config.rewrite("# mine\nmaxmemory 1\nport 6379\n");
        assert_eq!(text, "# mine\nmaxmemory 104857600\nport 6379\nrequirepass \"a b\"\nsave 60 1 3600 2\n");
    }
}
