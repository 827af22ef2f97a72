//! Transcripts: sessions written down with several clients and a clock. Parsing and printing; running them is another's.
//!
//! ```text
//! # A comment.
//! > RPUSH r a            a command of client 1; `redis> …` and `127.0.0.1:6379> …` are client 1 too
//! (integer) 1            what it printed, to the next step or blank line
//! 2> BLPOP q 5           a command of client 2
//! 2: 1) "q"              what client 2 received later
//! @ +4s                  the clock moves on
//! @ resp 3               a directive: any word and its arguments
//! \# Server              a line of output that would read as something else, or is blank, has `\` in front
//! ```
//! A command whose quote stays open goes on in the lines below.

use super::split::{self, SplitError};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it begins, from 1.
    pub line: usize,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Blank,
    /// The text after `#`, as it stands.
    Comment(String),
    Command {
        /// `1` when the prompt names none.
        client: String,
        /// As written, without the space behind it: `>`, `2>`, `127.0.0.1:6379[1]>`.
        prompt: String,
        text: String,
        output: Vec<String>,
    },
    /// What a client received without asking just then.
    Received {
        client: String,
        output: Vec<String>,
    },
    /// The clock moves on by so many milliseconds.
    Clock {
        ms: u64,
    },
    Directive {
        name: String,
        arguments: String,
    },
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    pub line: usize,
    pub message: String,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

/// What one line says by itself.
enum Read<'a> {
    Blank,
    Comment(&'a str),
    Command { client: &'a str, prompt: &'a str, text: &'a str },
    Received { client: &'a str, text: &'a str },
    At(&'a str),
    Output(&'a str),
}

pub fn parse(text: &str) -> Result<Vec<Step>, ParseError> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let number = index + 1;
        let what = match read(line) {
            Read::Blank => What::Blank,
            Read::Comment(text) => What::Comment(text.to_owned()),
            Read::Command { client, prompt, text } => {
                let mut text = text.to_owned();
                while is_open(&text) {
                    let Some((_, next)) = lines.next() else {
                        return Err(ParseError { line: number, message: "a quote never closes".to_owned() });
                    };
                    text.push('\n');
                    text.push_str(next);
                }
                let (client, prompt) = (client.to_owned(), prompt.to_owned());
                What::Command { client, prompt, text, output: Vec::new() }
            }
            Read::Received { client, text } => match steps.last_mut() {
                Some(Step { what: What::Received { client: same, output }, .. }) if same == client => {
                    output.push(text.to_owned());
                    continue;
                }
                _ => What::Received { client: client.to_owned(), output: vec![text.to_owned()] },
            },
            Read::At(text) => at(text).map_err(|message| ParseError { line: number, message })?,
            Read::Output(text) => match steps.last_mut() {
                Some(Step { what: What::Command { output, .. }, .. }) => {
                    output.push(text.to_owned());
                    continue;
                }
                _ => {
                    let message = "output stands here without a command above it".to_owned();
                    return Err(ParseError { line: number, message });
                }
            },
        };
        steps.push(Step { line: number, what });
    }
    Ok(steps)
}

pub fn print(steps: &[Step]) -> String {
    let mut out = String::new();
    for step in steps {
        match &step.what {
            What::Blank => out.push('\n'),
            What::Comment(text) => out.push_str(&format!("#{text}\n")),
            What::Command { prompt, text, output, .. } => {
                out.push_str(&format!("{prompt} {text}\n"));
                for line in output {
                    out.push_str(if matches!(read(line), Read::Output(same) if same == line) {
                        ""
                    } else {
                        "\\"
                    });
                    out.push_str(line);
                    out.push('\n');
                }
            }
            What::Received { client, output } => {
                for line in output {
                    let space = if line.is_empty() { "" } else { " " };
                    out.push_str(&format!("{client}:{space}{line}\n"));
                }
            }
            What::Clock { ms } => out.push_str(&format!("@ +{}\n", print_duration(*ms))),
            What::Directive { name, arguments } => {
                out.push_str(format!("@ {name} {arguments}").trim_end());
                out.push('\n');
            }
        }
    }
    out
}

fn read(line: &str) -> Read<'_> {
    if line.trim().is_empty() {
        return Read::Blank;
    }
    if let Some(output) = line.strip_prefix('\\') {
        return Read::Output(output);
    }
    if let Some(comment) = line.strip_prefix('#') {
        return Read::Comment(comment);
    }
    if let Some(text) = line.strip_prefix("@ ") {
        return Read::At(text.trim());
    }
    if let Some((client, text)) = prompt(line) {
        let prompt = &line[..line.len() - text.len()];
        return Read::Command { client, prompt, text: text.trim_start_matches(' ') };
    }
    if let Some((client, text)) = line.split_once(':')
        && is_client(client)
        && (text.is_empty() || text.starts_with(' '))
    {
        return Read::Received { client, text: text.strip_prefix(' ').unwrap_or(text) };
    }
    Read::Output(line)
}

/// A client is named by a number or a capital letter.
fn is_client(name: &str) -> bool {
    let number = !name.is_empty() && name.len() <= 4 && name.bytes().all(|b| b.is_ascii_digit());
    number || matches!(name.as_bytes(), [b'A'..=b'Z'])
}

/// The client and the rest of a line that begins with a prompt.
fn prompt(line: &str) -> Option<(&str, &str)> {
    let (head, rest) = line.split_once('>')?;
    if !(rest.is_empty() || rest.starts_with(' ')) {
        return None;
    }
    if head.is_empty() {
        return Some(("1", rest));
    }
    if is_client(head) {
        return Some((head, rest));
    }
    let head = head.strip_suffix("(subscribed mode)").unwrap_or(head);
    let head = head.strip_suffix("(TX)").unwrap_or(head);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let head = match head.strip_suffix(']').and_then(|head| head.rsplit_once('[')) {
        Some((head, db)) if is_number(db) => head,
        _ => head,
    };
    let address = head.rsplit_once(':').is_some_and(|(host, port)| {
        let host_like = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
        !host.is_empty() && host.chars().all(host_like) && is_number(port)
    });
    let known = matches!(head, "redis" | "not connected" | "valkey" | "resplay");
    (address || known || head.starts_with("redis /")).then_some(("1", rest))
}

fn is_open(text: &str) -> bool {
    !split::is_comment(text.as_bytes())
        && matches!(split::cut(text.as_bytes()).broken, Some((_, SplitError::Open { .. })))
}

fn at(text: &str) -> Result<What, String> {
    if let Some(duration) = text.strip_prefix('+') {
        let ms = parse_duration(duration)
            .ok_or_else(|| format!("'{duration}' is no duration such as 4s or 1500ms"))?;
        return Ok(What::Clock { ms });
    }
    let (name, arguments) = text.split_once(' ').unwrap_or((text, ""));
    if name.is_empty() {
        return Err("@ wants +duration or a word".to_owned());
    }
    Ok(What::Directive { name: name.to_owned(), arguments: arguments.trim().to_owned() })
}

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// `4s`, `1500ms`, `1h30m`, `0.5s`: milliseconds.
pub fn parse_duration(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut sum: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let (_, unit_ms) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        let ms = match number.split_once('.') {
            None => number.parse::<u64>().ok()?.checked_mul(unit_ms)?,
            Some(_) => {
                let ms = number.parse::<f64>().ok()? * unit_ms as f64;
                if !(0.0..1e15).contains(&ms) {
                    return None;
                }
                ms as u64
            }
        };
        sum = sum.checked_add(ms)?;
        rest = tail.trim_start();
    }
    Some(sum)
}

fn print_duration(ms: u64) -> String {
    let (unit, unit_ms) = UNITS
        .into_iter()
        .find(|(_, unit_ms)| ms >= *unit_ms && ms.is_multiple_of(*unit_ms))
        .unwrap_or(("ms", 1));
    format!("{}{unit}", ms / unit_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
# BLPOP waits for the first of its keys to hold an element.
2> BLPOP q r 5
> RPUSH r a b
(integer) 2
2: 1) \"r\"
2: 2) \"a\"
@ +4s

A> EVAL \"return {
  1}\" 0
1) (integer) 1
@ resp 3
127.0.0.1:6379[2](TX)> INFO
\\# Server
\\
redis_version:8.0
\\\\ odd
redis> GET a
";

    #[test]
    fn a_session_is_read() {
        let steps = parse(SAMPLE).expect("valid");
        let lines: Vec<usize> = steps.iter().map(|step| step.line).collect();
        assert_eq!(lines, [1, 2, 3, 5, 7, 8, 9, 12, 13, 18]);
        let command = |client: &str, prompt: &str, text: &str, output: &[&str]| What::Command {
            client: client.to_owned(),
            prompt: prompt.to_owned(),
            text: text.to_owned(),
            output: output.iter().map(|line| (*line).to_owned()).collect(),
        };
        assert_eq!(steps[1].what, command("2", "2>", "BLPOP q r 5", &[]));
        assert_eq!(steps[2].what, command("1", ">", "RPUSH r a b", &["(integer) 2"]));
        assert_eq!(
            steps[3].what,
            What::Received {
                client: "2".to_owned(),
                output: vec!["1) \"r\"".to_owned(), "2) \"a\"".to_owned()]
            }
        );
        assert_eq!(steps[4].what, What::Clock { ms: 4000 });
        assert_eq!(steps[6].what, command("A", "A>", "EVAL \"return {\n  1}\" 0", &["1) (integer) 1"]));
        assert_eq!(steps[7].what, What::Directive { name: "resp".to_owned(), arguments: "3".to_owned() });
        assert_eq!(
            steps[8].what,
            command("1", "127.0.0.1:6379[2](TX)>", "INFO", &["# Server", "", "redis_version:8.0", "\\ odd"])
        );
    }

    #[test]
    fn printing_is_the_inverse() {
        let steps = parse(SAMPLE).expect("valid");
        assert_eq!(print(&steps), SAMPLE);
        // Output that looks like anything else survives.
        let odd = [
            "> x",
            "2> x",
            "2: x",
            "# x",
            "@ +4s",
            "",
            "\\",
            "  ",
            "redis> GET",
            "plain",
            "a> b",
            "1) \"x\"",
        ];
        let what = What::Command {
            client: "1".to_owned(),
            prompt: ">".to_owned(),
            text: "PING".to_owned(),
            output: odd.iter().map(|line| (*line).to_owned()).collect(),
        };
        let step = Step { line: 1, what };
        assert_eq!(parse(&print(std::slice::from_ref(&step))), Ok(vec![step]));
    }

    #[test]
    fn mistakes_name_their_line() {
        let error = parse("# x\n\noutput\n").expect_err("no command");
        assert_eq!(error.line, 3);
        assert_eq!(parse("> GET \"a\n").expect_err("open").line, 1);
        assert_eq!(parse("@ +4x\n").expect_err("unit").line, 1);
    }

    #[test]
    fn durations() {
        for (text, ms) in
            [("4s", 4000), ("1500ms", 1500), ("1h30m", 5_400_000), ("0.5s", 500), ("2d", 172_800_000)]
        {
            assert_eq!(parse_duration(text), Some(ms), "{text}");
        }
        for bad in ["", "4", "s", "4 s", "x4s", "99999999999999999999s"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
        assert_eq!(print_duration(4000), "4s");
        assert_eq!(print_duration(1500), "1500ms");
        assert_eq!(print_duration(0), "0ms");
    }
}
