//! One configuration parameter: its names, what values it takes, and how they are written. Knows no parameter by name.

use crate::data::number;
use crate::server::notify::Class;

pub const INT: i64 = i32::MAX as i64;
pub const LONG: i64 = i64::MAX;

/// What values a parameter takes. Every value is kept as the text CONFIG GET shows.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    YesNo,
    Text,
    /// One of these words, or several where the parameter takes many.
    Choice(&'static [&'static str]),
    Number {
        min: i64,
        max: i64,
        form: Form,
    },
    Dir,
    Save,
    OutputLimits,
    OomScores,
    Notifications,
    Bind,
    ReplicaOf,
    Percentiles,
}

/// How numbers are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Plain,
    /// `100mb`
    Memory,
    Octal,
    /// `5%` besides.
    MemoryOrPercent,
}

/// Built by the functions below: `integer("hz", 0, INT, "10").also("…").fixed()`.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub name: &'static str,
    /// An older name that works as well.
    pub alias: Option<&'static str>,
    pub kind: Kind,
    pub default: &'static str,
    /// Set before the start only.
    pub is_fixed: bool,
    /// Set at runtime only if `enable-protected-configs` allows it.
    pub is_protected: bool,
    /// Shown by CONFIG GET only if named in full.
    pub is_hidden: bool,
    /// Not to be seen in MONITOR and logs.
    pub is_secret: bool,
    /// The value may have many words.
    pub takes_many: bool,
}

const fn parameter(name: &'static str, kind: Kind, default: &'static str) -> Parameter {
    Parameter {
        name,
        alias: None,
        kind,
        default,
        is_fixed: false,
        is_protected: false,
        is_hidden: false,
        is_secret: false,
        takes_many: false,
    }
}

pub const fn yes_no(name: &'static str, default: &'static str) -> Parameter {
    parameter(name, Kind::YesNo, default)
}

pub const fn text(name: &'static str, default: &'static str) -> Parameter {
    parameter(name, Kind::Text, default)
}

pub const fn choice(name: &'static str, words: &'static [&'static str], default: &'static str) -> Parameter {
    parameter(name, Kind::Choice(words), default)
}

pub const fn integer(name: &'static str, min: i64, max: i64, default: &'static str) -> Parameter {
    parameter(name, Kind::Number { min, max, form: Form::Plain }, default)
}

pub const fn memory(name: &'static str, min: i64, max: i64, default: &'static str) -> Parameter {
    parameter(name, Kind::Number { min, max, form: Form::Memory }, default)
}

pub const fn memory_or_percent(name: &'static str, min: i64, max: i64, default: &'static str) -> Parameter {
    parameter(name, Kind::Number { min, max, form: Form::MemoryOrPercent }, default)
}

pub const fn octal(name: &'static str, min: i64, max: i64, default: &'static str) -> Parameter {
    parameter(name, Kind::Number { min, max, form: Form::Octal }, default)
}

pub const fn special(name: &'static str, kind: Kind, default: &'static str) -> Parameter {
    parameter(name, kind, default)
}

impl Parameter {
    pub const fn also(self, alias: &'static str) -> Parameter {
        Parameter { alias: Some(alias), ..self }
    }

    pub const fn fixed(self) -> Parameter {
        Parameter { is_fixed: true, ..self }
    }

    pub const fn protected(self) -> Parameter {
        Parameter { is_protected: true, ..self }
    }

    pub const fn hidden(self) -> Parameter {
        Parameter { is_hidden: true, ..self }
    }

    pub const fn secret(self) -> Parameter {
        Parameter { is_secret: true, ..self }
    }

    pub const fn many_words(self) -> Parameter {
        Parameter { takes_many: true, ..self }
    }

    /// The value of these words as it is kept, or what is wrong with them. `old` is the value so far.
    pub fn parse(&self, words: &[&[u8]], old: &[u8]) -> Result<Vec<u8>, String> {
        if !self.takes_many && words.len() != 1 {
            return Err("wrong number of arguments".into());
        }
        let first = words.first().copied().unwrap_or_default();
        match self.kind {
            Kind::YesNo => match () {
                () if first.eq_ignore_ascii_case(b"yes") => Ok(b"yes".to_vec()),
                () if first.eq_ignore_ascii_case(b"no") => Ok(b"no".to_vec()),
                () => Err("argument must be 'yes' or 'no'".into()),
            },
            Kind::Text => check_text(self.name, first).map(|()| first.to_vec()),
            Kind::Choice(choices) => parse_choices(choices, words),
            Kind::Number { min, max, form } => parse_number(first, min, max, form),
            Kind::Dir => Ok(first.to_vec()),
            Kind::Save => parse_save(words),
            Kind::OutputLimits => parse_output_limits(words, old),
            Kind::OomScores => parse_oom_scores(words),
            Kind::Notifications => {
                let class = Class::parse(first);
                let letters = class.map(|class| class.letters().into_bytes());
                letters.ok_or_else(|| "Invalid event class character. Use 'Ag$lshzxeKEtmdnocaSTIV'.".into())
            }
            Kind::Bind => {
                let one_empty = words.len() == 1 && first.is_empty();
                Ok(if one_empty { Vec::new() } else { words.join(&b' ') })
            }
            Kind::ReplicaOf => parse_replica_of(words),
            Kind::Percentiles => parse_percentiles(words),
        }
    }
}

fn check_text(name: &str, value: &[u8]) -> Result<(), String> {
    let is_path = value.contains(&b'/');
    match name {
        "dbfilename" if is_path => Err("dbfilename can't be a path, just a filename".into()),
        "appendfilename" if value.is_empty() => Err("appendfilename can't be empty".into()),
        "appendfilename" if is_path => Err("appendfilename can't be a path, just a filename".into()),
        "appenddirname" if value.is_empty() => Err("appenddirname can't be empty".into()),
        "appenddirname" if is_path => Err("appenddirname can't be a path, just a dirname".into()),
        "proc-title-template" if !is_title_template(value) => {
            Err("template format is invalid or contains unknown variables".into())
        }
        _ => Ok(()),
    }
}

/// Whether all that stands in braces is known.
fn is_title_template(template: &[u8]) -> bool {
    const KNOWN: [&[u8]; 7] =
        [b"title", b"listen-addr", b"server-mode", b"port", b"tls-port", b"unixsocket", b"config-file"];
    let mut rest = template;
    while let Some(open) = memchr::memchr(b'{', rest) {
        let Some(close) = memchr::memchr(b'}', &rest[open..]) else { return false };
        if !KNOWN.contains(&&rest[open + 1..open + close]) {
            return false;
        }
        rest = &rest[open + close + 1..];
    }
    !template.is_empty()
}

fn parse_choices(choices: &[&str], words: &[&[u8]]) -> Result<Vec<u8>, String> {
    let mut chosen: Vec<&str> = Vec::new();
    let wrong = || format!("argument(s) must be one of the following: {}", choices.join(", "));
    for word in words {
        let choice = choices.iter().find(|choice| choice.as_bytes().eq_ignore_ascii_case(word));
        let choice = choice.ok_or_else(wrong)?;
        if !chosen.contains(choice) {
            chosen.push(choice);
        }
    }
    if chosen.is_empty() {
        return Err(wrong());
    }
    if chosen.contains(&"save") && chosen.contains(&"nosave") {
        return Err("shutdown options SAVE and NOSAVE can't be used simultaneously".into());
    }
    // Redis names them in its own order, and nothing is the first choice.
    crate::data::order::sort_by_key(&mut chosen, |word| choices.iter().position(|choice| choice == word));
    if chosen.len() > 1 {
        chosen.retain(|word| *word != "default");
    }
    Ok(chosen.join(" ").into_bytes())
}

fn parse_number(word: &[u8], min: i64, max: i64, form: Form) -> Result<Vec<u8>, String> {
    if form == Form::MemoryOrPercent
        && let Some(percent) = word.strip_suffix(b"%")
    {
        return match number::parse_i64(percent).filter(|percent| *percent >= 0) {
            Some(101..) => Err("percentage argument must be less or equal to 100".into()),
            Some(percent) => Ok(format!("{percent}%").into_bytes()),
            None => Err("argument must be a memory or percent value".into()),
        };
    }
    let (value, wrong) = match form {
        Form::Plain => (number::parse_i64(word), "argument couldn't be parsed into an integer"),
        Form::Memory => (parse_memory(word), "argument must be a memory value"),
        Form::MemoryOrPercent => (parse_memory(word), "argument must be a memory or percent value"),
        Form::Octal => {
            let text = std::str::from_utf8(word).ok();
            let value = text.and_then(|text| i64::from_str_radix(text, 8).ok());
            (value, "argument couldn't be parsed as an octal number")
        }
    };
    let value = value.ok_or(wrong)?;
    if !(min..=max).contains(&value) {
        return Err(match form {
            Form::Octal => format!("argument must be between {min:o} and {max:o} inclusive"),
            _ => format!("argument must be between {min} and {max} inclusive"),
        });
    }
    Ok(if form == Form::Octal { format!("{value:o}").into_bytes() } else { value.to_string().into_bytes() })
}

/// Bytes of `1gb`, `1k` (1000), `1kb` (1024) and their like, in any case.
pub fn parse_memory(word: &[u8]) -> Option<i64> {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let unit: i64 = match word[digits..].to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let number: i64 = std::str::from_utf8(&word[..digits]).ok()?.parse().ok()?;
    number.checked_mul(unit)
}

fn parse_save(words: &[&[u8]]) -> Result<Vec<u8>, String> {
    if words == [b""] {
        return Ok(Vec::new());
    }
    let numbers: Option<Vec<i64>> = words.iter().map(|word| number::parse_i64(word)).collect();
    let is_valid = |numbers: &Vec<i64>| {
        numbers.len().is_multiple_of(2)
            && numbers.chunks(2).all(|pair| (1..=INT).contains(&pair[0]) && (0..=INT).contains(&pair[1]))
    };
    let numbers = numbers.filter(is_valid).ok_or("Invalid save parameters")?;
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    Ok(texts.join(" ").into_bytes())
}

const CLASSES: [&str; 3] = ["normal", "slave", "pubsub"];

/// Classes that are not named keep their limits.
fn parse_output_limits(words: &[&[u8]], old: &[u8]) -> Result<Vec<u8>, String> {
    if !words.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    let old = String::from_utf8_lossy(old);
    let old: Vec<&str> = old.split(' ').collect();
    let mut limits: Vec<String> = CLASSES
        .iter()
        .map(|class| {
            let at = old.iter().position(|word| word == class);
            at.and_then(|at| old.get(at..at + 4))
                .map_or_else(|| format!("{class} 0 0 0"), |words| words.join(" "))
        })
        .collect();
    for limit in words.chunks(4) {
        let class = match limit[0].to_ascii_lowercase().as_slice() {
            b"normal" => 0,
            b"slave" | b"replica" => 1,
            b"pubsub" => 2,
            _ => return Err("Invalid client class specified in buffer limit configuration.".into()),
        };
        let seconds = number::parse_i64(limit[3]).filter(|seconds| *seconds >= 0);
        let (Some(hard), Some(soft), Some(seconds)) =
            (parse_memory(limit[1]), parse_memory(limit[2]), seconds)
        else {
            return Err("Error in hard, soft or soft_seconds setting in buffer limit configuration.".into());
        };
        limits[class] = format!("{} {hard} {soft} {seconds}", CLASSES[class]);
    }
    Ok(limits.join(" ").into_bytes())
}

fn parse_oom_scores(words: &[&[u8]]) -> Result<Vec<u8>, String> {
    if words.len() != 3 {
        return Err("wrong number of arguments".into());
    }
    let in_range =
        |word: &&[u8]| number::parse_i64(word).is_some_and(|score| (-2000..=2000).contains(&score));
    if !words.iter().all(in_range) {
        return Err("Invalid oom-score-adj-values, elements must be between -2000 and 2000.".into());
    }
    Ok(words.join(&b' '))
}

fn parse_replica_of(words: &[&[u8]]) -> Result<Vec<u8>, String> {
    let [host, port] = words else { return Err("wrong number of arguments".into()) };
    if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
        return Ok(Vec::new());
    }
    if !number::parse_i64(port).is_some_and(|port| (0..=65535).contains(&port)) {
        return Err("Invalid master port".into());
    }
    Ok(words.join(&b' '))
}

fn parse_percentiles(words: &[&[u8]]) -> Result<Vec<u8>, String> {
    if words == [b""] {
        return Ok(Vec::new());
    }
    let mut texts = Vec::new();
    for word in words {
        let percentile =
            number::parse_f64(word).ok_or("Invalid latency-tracking-info-percentiles parameters")?;
        if !(0.0..=100.0).contains(&percentile) {
            return Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".into());
        }
        let text = format!("{percentile:.6}");
        texts.push(text.trim_end_matches('0').trim_end_matches('.').to_string());
    }
    Ok(texts.join(" ").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_has_units() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("10", Some(10)),
            ("1b", Some(1)),
            ("2k", Some(2000)),
            ("2KB", Some(2048)),
            ("3mb", Some(3 << 20)),
            ("1Gb", Some(1 << 30)),
            ("-1", None),
            ("gb", None),
            ("1tb", None),
            ("99999999999gb", None),
            ("", None),
        ] {
            assert_eq!(parse_memory(text.as_bytes()), bytes, "{text}");
        }
    }

    #[test]
    fn output_limits_are_merged() {
        let old = b"normal 0 0 0 slave 256 64 60 pubsub 32 8 60";
        let words: Vec<&[u8]> = vec![b"replica", b"1kb", b"2", b"3"];
        let new = parse_output_limits(&words, old).map(|new| String::from_utf8_lossy(&new).into_owned());
        assert_eq!(new.as_deref(), Ok("normal 0 0 0 slave 1024 2 3 pubsub 32 8 60"));
    }
}
