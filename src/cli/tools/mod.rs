//! Redis-cli's tools that need nothing but a connection: scanning keys, finding big, heavy and hot ones, watching load
//! and latency. Each is a machine that asks for commands to be sent and is given their replies.

mod feed;
mod keys;
mod watch;

use super::format::{Class, Format, Span};
use super::options::{Options, Tool as Asked};
use super::printed::Printed;
use super::split::repr;
use crate::resp::reply::Reply;

/// What a tool wants next.
#[derive(Debug, Default)]
pub struct Wish {
    /// Commands to send together; the tool goes on when all are answered.
    pub commands: Vec<Vec<Vec<u8>>>,
    /// Go on after so long, when no command is sent.
    pub wait_ms: Option<u64>,
    pub printed: Vec<Printed>,
    /// A line that is shown in place and replaced by the next.
    pub status: Option<String>,
    pub done: bool,
}

impl Wish {
    fn line(&mut self, text: impl AsRef<str>) {
        self.printed.push(Printed::words(Class::Notice, text));
    }

    fn fail(&mut self, text: impl AsRef<str>) {
        self.printed.push(Printed::words(Class::Error, text));
        self.done = true;
    }

    fn send(&mut self, words: &[&[u8]]) {
        self.commands.push(words.iter().map(|word| word.to_vec()).collect());
    }
}

pub use feed::feed;

pub trait Tool: std::fmt::Debug + Send {
    /// Goes on with the replies to the commands last wished for; none at the start and after waiting.
    fn go_on(&mut self, replies: Vec<Reply>, now_ms: u64) -> Wish;

    /// Ends early; what is known so far is printed.
    fn stop(&mut self, now_ms: u64) -> Wish;
}

/// The tool asked for, when it is one of these.
pub fn tool(options: &Options, format: Format) -> Option<Box<dyn Tool>> {
    let format = options.format.unwrap_or(format);
    Some(match options.tool.as_ref()? {
        Asked::Scan => Box::new(Scan { options: options.clone(), format }),
        Asked::BigKeys => Box::new(keys::Keys::new(keys::Measure::Elements, options, format)),
        Asked::MemKeys => Box::new(keys::Keys::new(keys::Measure::Memory, options, format)),
        Asked::HotKeys => Box::new(keys::Keys::new(keys::Measure::Frequency, options, format)),
        Asked::KeyStats => Box::new(keys::Keys::new(keys::Measure::Both, options, format)),
        Asked::Stat => Box::new(watch::Stat::new(options)),
        Asked::Latency => Box::new(watch::Latency::new(options, format, false)),
        Asked::LatencyHistory => Box::new(watch::Latency::new(options, format, true)),
        _ => return None,
    })
}

/// `SCAN cursor [MATCH pattern] [COUNT count]` as the options say.
fn scan_command(cursor: &[u8], options: &Options) -> Vec<Vec<u8>> {
    let mut command = vec![b"SCAN".to_vec(), cursor.to_vec()];
    if let Some(pattern) = &options.tools.pattern {
        command.extend([b"MATCH".to_vec(), pattern.clone()]);
    }
    if let Some(count) = options.tools.count {
        command.extend([b"COUNT".to_vec(), count.to_string().into_bytes()]);
    }
    command
}

/// The next cursor and the keys of a SCAN's reply.
fn scanned(reply: &Reply) -> Result<(Vec<u8>, Vec<Vec<u8>>), String> {
    if let Reply::Error(text) = reply.plain() {
        return Err(format!("ERROR: {}", String::from_utf8_lossy(text)));
    }
    let cursor = reply.part(0).and_then(Reply::text);
    let keys = reply.part(1).and_then(Reply::elements);
    let (Some(cursor), Some(keys)) = (cursor, keys) else {
        return Err("Invalid response from SCAN!".to_owned());
    };
    Ok((cursor.to_vec(), keys.iter().filter_map(|key| key.text().map(<[u8]>::to_vec)).collect()))
}

/// `--scan`: all keys, one a line.
#[derive(Debug)]
struct Scan {
    options: Options,
    format: Format,
}

impl Tool for Scan {
    fn go_on(&mut self, replies: Vec<Reply>, _: u64) -> Wish {
        let mut wish = Wish::default();
        let Some(reply) = replies.first() else {
            wish.commands.push(scan_command(b"0", &self.options));
            return wish;
        };
        let (cursor, keys) = match scanned(reply) {
            Ok(scanned) => scanned,
            Err(text) => {
                wish.fail(text);
                return wish;
            }
        };
        for key in keys {
            let shown = if self.format == Format::Tty { repr(&key) } else { key };
            let span = |class: Class, text: Vec<u8>| Span { class, text, path: Vec::new() };
            let line = vec![span(Class::Key, shown), span(Class::Plain, b"\n".to_vec())];
            wish.printed.push(Printed::Words(line));
        }
        match &cursor[..] {
            b"0" => wish.done = true,
            cursor => wish.commands.push(scan_command(cursor, &self.options)),
        }
        wish
    }

    fn stop(&mut self, _: u64) -> Wish {
        Wish { done: true, ..Wish::default() }
    }
}

/// `1003B`, `4.03K`, `100.00M`.
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.2}{}", UNITS[unit])
}
