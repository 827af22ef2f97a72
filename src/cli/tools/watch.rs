//! `--stat` and `--latency`: a look at the server again and again, until interrupted.

use super::{Tool, Wish, human_bytes};
use crate::cli::format::Format;
use crate::cli::options::Options;
use crate::resp::reply::Reply;

/// Between two PINGs.
const SAMPLE_MS: u64 = 10;
const HISTORY_MS: u64 = 15_000;
const REPORT_MS: u64 = 1000;
/// The heading of `--stat` comes again after so many lines.
const LINES_A_HEADING: u64 = 20;

/// `--stat`: a line about load and memory every second.
#[derive(Debug)]
pub(super) struct Stat {
    interval_ms: u64,
    lines: u64,
    requests: Option<i64>,
}

impl Stat {
    pub(super) fn new(options: &Options) -> Stat {
        let interval_ms = options.interval_ms.filter(|&ms| ms > 0).unwrap_or(1000);
        Stat { interval_ms, lines: 0, requests: None }
    }

    fn told(&mut self, information: &str, wish: &mut Wish) {
        let number =
            |name: &str| field(information, name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
        if self.lines.is_multiple_of(LINES_A_HEADING) {
            wish.line("------- data ------ --------------------- load -------------------- - child -");
            wish.line("keys       mem      clients blocked requests            connections          ");
        }
        self.lines += 1;
        let keys: i64 = information.lines().filter_map(database_keys).sum();
        let requests = number("total_commands_processed");
        let since = self.requests.replace(requests).map_or(0, |before| requests - before);
        let child = number("rdb_bgsave_in_progress")
            | number("aof_rewrite_in_progress") << 1
            | number("loading") << 2;
        let child = ["", "SAVE", "AOF", "SAVE+AOF", "LOAD"].get(child as usize).copied().unwrap_or_default();
        wish.line(format!(
            "{keys:<11}{:<8} {:<8}{:<8}{:<19} {:<12}{child}",
            human_bytes(number("used_memory").max(0) as u64),
            number("connected_clients"),
            number("blocked_clients"),
            format!("{requests} (+{since})"),
            number("total_connections_received")
        ));
    }
}

fn field<'i>(information: &'i str, name: &str) -> Option<&'i str> {
    information.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// The keys of a line such as `db0:keys=3,expires=0`.
fn database_keys(line: &str) -> Option<i64> {
    let (name, facts) = line.split_once(":keys=")?;
    let number = name.strip_prefix("db")?;
    number.bytes().all(|b| b.is_ascii_digit()).then(|| facts.split(',').next()?.trim().parse().ok())?
}

impl Tool for Stat {
    fn go_on(&mut self, replies: Vec<Reply>, _: u64) -> Wish {
        let mut wish = Wish::default();
        match replies.first().map(Reply::plain) {
            None => wish.send(&[b"INFO"]),
            Some(Reply::Error(text)) => wish.fail(format!("ERROR: {}", String::from_utf8_lossy(text))),
            Some(reply) => {
                let information = String::from_utf8_lossy(reply.text().unwrap_or_default()).into_owned();
                self.told(&information, &mut wish);
                wish.wait_ms = Some(self.interval_ms);
            }
        }
        wish
    }

    fn stop(&mut self, _: u64) -> Wish {
        Wish { done: true, ..Wish::default() }
    }
}

/// `--latency` and `--latency-history`: how long PING takes.
#[derive(Debug)]
pub(super) struct Latency {
    format: Format,
    history: bool,
    interval_ms: u64,
    began_ms: Option<u64>,
    sent_ms: u64,
    least: u64,
    most: u64,
    sum: u64,
    count: u64,
}

impl Latency {
    pub(super) fn new(options: &Options, format: Format, history: bool) -> Latency {
        let default_ms = if history { HISTORY_MS } else { REPORT_MS };
        let interval_ms = options.interval_ms.filter(|&ms| ms > 0).unwrap_or(default_ms);
        Latency {
            format,
            history,
            interval_ms,
            began_ms: None,
            sent_ms: 0,
            least: 0,
            most: 0,
            sum: 0,
            count: 0,
        }
    }

    fn text(&self) -> String {
        let average = self.sum as f64 / self.count.max(1) as f64;
        let (least, most, count) = (self.least, self.most, self.count);
        match self.format {
            Format::Tty => format!("min: {least}, max: {most}, avg: {average:.2} ({count} samples)"),
            Format::Csv => format!("{least},{most},{average:.2},{count}"),
            Format::Raw => format!("{least} {most} {average:.2} {count}"),
            _ => format!("{{\"min\": {least}, \"max\": {most}, \"avg\": {average:.2}, \"count\": {count}}}"),
        }
    }

    fn sampled(&mut self, now_ms: u64) {
        let took_ms = now_ms.saturating_sub(self.sent_ms);
        self.least = if self.count == 0 { took_ms } else { self.least.min(took_ms) };
        self.most = self.most.max(took_ms);
        self.sum += took_ms;
        self.count += 1;
    }
}

impl Tool for Latency {
    fn go_on(&mut self, replies: Vec<Reply>, now_ms: u64) -> Wish {
        let mut wish = Wish::default();
        let began_ms = *self.began_ms.get_or_insert(now_ms);
        if replies.is_empty() {
            self.sent_ms = now_ms;
            wish.send(&[b"PING"]);
            return wish;
        }
        self.sampled(now_ms);
        let tty = self.format == Format::Tty;
        let over = now_ms.saturating_sub(began_ms) > self.interval_ms;
        if tty {
            wish.status = Some(self.text());
        }
        if over && self.history {
            let seconds = now_ms.saturating_sub(began_ms) as f64 / 1000.0;
            wish.line(format!("{} -- {seconds:.2} seconds range", self.text()));
            *self = Latency { began_ms: Some(now_ms), least: 0, most: 0, sum: 0, count: 0, ..*self };
        } else if over && !tty {
            wish.line(self.text());
            wish.done = true;
            return wish;
        }
        wish.wait_ms = Some(SAMPLE_MS);
        wish
    }

    fn stop(&mut self, _: u64) -> Wish {
        let mut wish = Wish { done: true, ..Wish::default() };
        if self.count > 0 {
            wish.line(self.text());
        }
        wish
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_counted() {
        assert_eq!(database_keys("db0:keys=3,expires=0,avg_ttl=0"), Some(3));
        assert_eq!(database_keys("dbx:keys=3"), None);
        assert_eq!(database_keys("used_memory:3"), None);
    }
}
