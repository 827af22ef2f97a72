//! Redis-cli's flags, read from a shell's arguments or from a line typed at the prompt. It reads them and does nothing.

use super::format::Format;
use super::split;

/// What was asked for by flags; `command` is what follows them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub socket: Option<String>,
    pub db: Option<i64>,
    pub user: Option<String>,
    pub password: Option<String>,
    pub ask_password: bool,
    pub no_auth_warning: bool,
    pub connect_timeout_ms: Option<u64>,
    pub prefer_ipv4: bool,
    pub prefer_ipv6: bool,
    pub tls: Tls,
    pub format: Option<Format>,
    pub element_delimiter: Option<Vec<u8>>,
    pub reply_delimiter: Option<Vec<u8>>,
    pub resp2: bool,
    pub resp3: bool,
    /// Negative: for ever.
    pub repeat: Option<i64>,
    pub interval_ms: Option<u64>,
    pub show_pushes: Option<bool>,
    pub quoted_input: bool,
    /// `-x`: the last argument comes from standard input.
    pub stdin_last: bool,
    /// `-X tag`: the argument that equals the tag does.
    pub stdin_tag: Option<Vec<u8>>,
    pub cluster: bool,
    /// `-e`: an error reply makes a bad exit code.
    pub exit_on_error: bool,
    pub verbose: bool,
    pub tool: Option<Tool>,
    pub tools: ToolOptions,
    pub help: bool,
    pub version: bool,
    pub command: Vec<Vec<u8>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    pub on: bool,
    pub sni: Option<String>,
    pub ca_directory: Option<String>,
    pub ca_file: Option<String>,
    pub certificate: Option<String>,
    pub key: Option<String>,
    pub ciphers: Option<String>,
    pub cipher_suites: Option<String>,
    pub insecure: bool,
}

/// What to run instead of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tool {
    Scan,
    BigKeys,
    MemKeys,
    KeyStats,
    HotKeys,
    Stat,
    Latency,
    LatencyHistory,
    LatencyDistribution,
    IntrinsicLatency {
        seconds: i64,
    },
    LruTest {
        keys: i64,
    },
    Eval {
        file: String,
    },
    Pipe,
    Rdb {
        file: String,
    },
    FunctionsRdb {
        file: String,
    },
    Replica,
    /// `--cluster` and everything after it.
    Cluster(Vec<String>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolOptions {
    pub pattern: Option<Vec<u8>>,
    pub count: Option<i64>,
    /// `--memkeys-samples`, `--keystats-samples`.
    pub samples: Option<i64>,
    pub cursor: Option<u64>,
    pub top: Option<u64>,
    pub pipe_timeout_seconds: Option<i64>,
    /// `--mono`.
    pub mono: bool,
    /// `--ldb`, `--ldb-sync-mode`.
    pub debug: Option<Debug>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Debug {
    Fork,
    Sync,
}

/// Whether the word is a flag this file knows; a line at the prompt that begins with one is no command.
pub fn is_flag(word: &[u8]) -> bool {
    let Ok(word) = std::str::from_utf8(word) else { return false };
    FLAGS.contains(&word) || word.starts_with("--cluster")
}

const FLAGS: &[&str] = &[
    "-h",
    "--help",
    "-x",
    "-X",
    "-p",
    "-t",
    "-s",
    "-r",
    "-i",
    "-n",
    "--no-auth-warning",
    "--askpass",
    "-a",
    "--pass",
    "--user",
    "-u",
    "--raw",
    "--no-raw",
    "--quoted-input",
    "--csv",
    "--json",
    "--quoted-json",
    "--latency",
    "--latency-dist",
    "--mono",
    "--latency-history",
    "--lru-test",
    "--slave",
    "--replica",
    "--stat",
    "--scan",
    "--pattern",
    "--count",
    "--quoted-pattern",
    "--intrinsic-latency",
    "--rdb",
    "--functions-rdb",
    "--pipe",
    "--pipe-timeout",
    "--bigkeys",
    "--memkeys",
    "--memkeys-samples",
    "--hotkeys",
    "--keystats",
    "--keystats-samples",
    "--cursor",
    "--top",
    "--eval",
    "--ldb",
    "--ldb-sync-mode",
    "-c",
    "-d",
    "-D",
    "-e",
    "--verbose",
    "-4",
    "-6",
    "--tls",
    "--sni",
    "--cacertdir",
    "--cacert",
    "--cert",
    "--key",
    "--tls-ciphers",
    "--insecure",
    "--tls-ciphersuites",
    "-v",
    "--version",
    "-2",
    "-3",
    "--show-pushes",
];

/// Reads the arguments after the program's name. An error is redis-cli's message for standard error.
pub fn parse(args: &[Vec<u8>]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut at = 0;
    while at < args.len() {
        let flag = String::from_utf8_lossy(&args[at]).into_owned();
        if !flag.starts_with('-') {
            break;
        }
        let value = args.get(at + 1).map(Vec::as_slice);
        if flag == "--cluster" && value.is_some() {
            let rest = args[at + 1..].iter().map(|arg| String::from_utf8_lossy(arg).into_owned());
            options.tool = Some(Tool::Cluster(rest.collect()));
            return check(options);
        }
        // `-h` alone at the end asks for help.
        if flag == "-h" && value.is_none() {
            options.help = true;
            return Ok(options);
        }
        at += match simple(&mut options, &flag) {
            true => 1,
            false => {
                let unrecognized = || format!("Unrecognized option or bad number of args for: '{flag}'");
                let value = value.ok_or_else(unrecognized)?;
                if !valued(&mut options, &flag, value)? {
                    return Err(unrecognized());
                }
                2
            }
        };
        if options.help || options.version {
            return Ok(options);
        }
    }
    options.command = args[at..].to_vec();
    check(options)
}

impl Options {
    /// The command's arguments as they are sent: quoted input unquoted, standard input where it was asked for.
    pub fn arguments(&self, standard_input: Option<Vec<u8>>) -> Result<Vec<Vec<u8>>, String> {
        let mut args = self.command.clone();
        if self.quoted_input {
            for arg in &mut args {
                if matches!(arg.first(), Some(b'"' | b'\'')) {
                    let words = split::split(arg).ok().filter(|words| words.len() == 1);
                    *arg = words.and_then(|mut words| words.pop()).ok_or("Invalid quoted string")?;
                }
            }
        }
        let Some(input) = standard_input else { return Ok(args) };
        match &self.stdin_tag {
            Some(tag) => {
                let place = args.iter().position(|arg| arg == tag);
                args[place.ok_or("Using -X option but stdin tag not match.")?] = input;
            }
            None if self.stdin_last => args.push(input),
            None => {}
        }
        Ok(args)
    }
}

/// `EVAL` of a script with the words behind `--eval file`: keys, then a comma, then arguments.
pub fn eval_command(script: Vec<u8>, words: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let comma = words.iter().position(|word| word == b",");
    let (keys, args) = words.split_at(comma.unwrap_or(words.len()));
    let mut command = vec![b"EVAL".to_vec(), script, keys.len().to_string().into_bytes()];
    command.extend(keys.iter().chain(args.iter().skip(1)).cloned());
    command
}

fn check(options: Options) -> Result<Options, String> {
    let exclusive = |a: &str, b: &str| Err(format!("Options {a} and {b} are mutually exclusive."));
    if options.socket.is_some() && options.cluster {
        return exclusive("-c", "-s");
    }
    if options.resp2 && options.resp3 {
        return exclusive("-2", "-3");
    }
    if options.stdin_last && options.stdin_tag.is_some() {
        return exclusive("-x", "-X");
    }
    if options.prefer_ipv4 && options.prefer_ipv6 {
        return exclusive("-4", "-6");
    }
    if options.tools.debug.is_some() && !matches!(options.tool, Some(Tool::Eval { .. })) {
        return Err("Options --ldb and --ldb-sync-mode require --eval.".to_owned());
    }
    Ok(options)
}

/// Flags without a value.
fn simple(options: &mut Options, flag: &str) -> bool {
    let mut tool = |tool: Tool| options.tool = Some(tool);
    match flag {
        "--help" => options.help = true,
        "-v" | "--version" => options.version = true,
        "-x" => options.stdin_last = true,
        "--no-auth-warning" => options.no_auth_warning = true,
        "--askpass" => options.ask_password = true,
        "--raw" => options.format = Some(Format::Raw),
        "--no-raw" => options.format = Some(Format::Tty),
        "--csv" => options.format = Some(Format::Csv),
        "--json" => options.format = Some(Format::Json),
        "--quoted-json" => options.format = Some(Format::QuotedJson),
        "--quoted-input" => options.quoted_input = true,
        "--latency" => tool(Tool::Latency),
        "--latency-history" => tool(Tool::LatencyHistory),
        "--latency-dist" => tool(Tool::LatencyDistribution),
        "--mono" => options.tools.mono = true,
        "--slave" | "--replica" => tool(Tool::Replica),
        "--stat" => tool(Tool::Stat),
        "--scan" => tool(Tool::Scan),
        "--pipe" => tool(Tool::Pipe),
        "--bigkeys" => tool(Tool::BigKeys),
        "--memkeys" => tool(Tool::MemKeys),
        "--hotkeys" => tool(Tool::HotKeys),
        "--keystats" => tool(Tool::KeyStats),
        "--ldb" => options.tools.debug = Some(Debug::Fork),
        "--ldb-sync-mode" => options.tools.debug = Some(Debug::Sync),
        "-c" => options.cluster = true,
        "-e" => options.exit_on_error = true,
        "--verbose" => options.verbose = true,
        "-4" => options.prefer_ipv4 = true,
        "-6" => options.prefer_ipv6 = true,
        "-2" => options.resp2 = true,
        "-3" => options.resp3 = true,
        "--tls" => options.tls.on = true,
        "--insecure" => options.tls.insecure = true,
        _ => return false,
    }
    true
}

/// Flags with a value.
fn valued(options: &mut Options, flag: &str, value: &[u8]) -> Result<bool, String> {
    let text = || String::from_utf8_lossy(value).into_owned();
    match flag {
        "-h" => options.host = Some(text()),
        "-p" => options.port = Some(port(leading_integer(value))?),
        "-t" => {
            let seconds = text().parse::<f64>().ok().filter(|s| s.is_finite() && *s >= 0.0);
            let seconds = seconds.ok_or("Invalid connection timeout for -t.")?;
            options.connect_timeout_ms = Some((seconds * 1000.0) as u64);
        }
        "-s" => options.socket = Some(text()),
        "-r" => options.repeat = Some(leading_integer(value)),
        "-i" => {
            let seconds = text().parse::<f64>().ok().filter(|s| s.is_finite() && *s >= 0.0).unwrap_or(0.0);
            options.interval_ms = Some((seconds * 1000.0) as u64);
        }
        "-n" => options.db = Some(leading_integer(value)),
        "-a" | "--pass" => options.password = Some(text()),
        "--user" => options.user = Some(text()),
        "-u" => uri(options, &text())?,
        "-X" => options.stdin_tag = Some(value.to_vec()),
        "-d" => options.element_delimiter = Some(value.to_vec()),
        "-D" => options.reply_delimiter = Some(value.to_vec()),
        "--show-pushes" => {
            options.show_pushes = match value.first() {
                Some(b'y' | b'Y') => Some(true),
                Some(b'n' | b'N') => Some(false),
                _ => {
                    return Err(format!("Unknown --show-pushes value '{}' (valid: '[y]es', '[n]o')", text()));
                }
            }
        }
        "--sni" => options.tls.sni = Some(text()),
        "--cacertdir" => options.tls.ca_directory = Some(text()),
        "--cacert" => options.tls.ca_file = Some(text()),
        "--cert" => options.tls.certificate = Some(text()),
        "--key" => options.tls.key = Some(text()),
        "--tls-ciphers" => options.tls.ciphers = Some(text()),
        "--tls-ciphersuites" => options.tls.cipher_suites = Some(text()),
        _ => return tool_valued(options, flag, value),
    }
    Ok(true)
}

fn tool_valued(options: &mut Options, flag: &str, value: &[u8]) -> Result<bool, String> {
    let text = || String::from_utf8_lossy(value).into_owned();
    match flag {
        "--pattern" => options.tools.pattern = Some(value.to_vec()),
        "--quoted-pattern" => {
            let unquoted = split::split(value).ok().filter(|words| words.len() == 1);
            let words = unquoted.ok_or("Invalid quoted string specified for --quoted-pattern.")?;
            options.tools.pattern = words.into_iter().next();
        }
        "--count" => options.tools.count = Some(leading_integer(value)),
        "--memkeys-samples" | "--keystats-samples" => {
            let samples = text().parse::<i64>().map_err(|_| format!("{flag} conversion error."))?;
            if samples < 0 {
                return Err(format!("{flag} value should be positive."));
            }
            options.tools.samples = Some(samples);
            let is_memory = flag == "--memkeys-samples";
            options.tool = Some(if is_memory { Tool::MemKeys } else { Tool::KeyStats });
        }
        "--cursor" | "--top" => {
            if value.starts_with(b"-") && value != b"-0" {
                return Err(format!("{flag} should be followed by a positive integer."));
            }
            let number = text().parse::<u64>().map_err(|_| format!("{flag} conversion error."))?;
            let target = if flag == "--top" { &mut options.tools.top } else { &mut options.tools.cursor };
            *target = Some(number);
        }
        "--pipe-timeout" => options.tools.pipe_timeout_seconds = Some(leading_integer(value)),
        "--eval" => options.tool = Some(Tool::Eval { file: text() }),
        "--rdb" => options.tool = Some(Tool::Rdb { file: text() }),
        "--functions-rdb" => options.tool = Some(Tool::FunctionsRdb { file: text() }),
        "--lru-test" => options.tool = Some(Tool::LruTest { keys: leading_integer(value) }),
        "--intrinsic-latency" => {
            options.tool = Some(Tool::IntrinsicLatency { seconds: leading_integer(value) });
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// C's `atoi`: the number the text begins with, or 0.
pub fn leading_integer(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let digits_from = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let digits = text[digits_from..].iter().take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(&text[..digits_from + digits]).ok().and_then(|t| t.parse().ok()).unwrap_or(0)
}

fn port(number: i64) -> Result<u16, String> {
    u16::try_from(number).map_err(|_| "Invalid server port.".to_owned())
}

/// `redis[s]://[user[:password]@]host[:port][/db]`.
fn uri(options: &mut Options, uri: &str) -> Result<(), String> {
    let lower = uri.to_ascii_lowercase();
    let rest = if lower.starts_with("rediss://") {
        options.tls.on = true;
        &uri[9..]
    } else if lower.starts_with("redis://") {
        &uri[8..]
    } else {
        return Err("Invalid URI scheme".to_owned());
    };
    let rest = match rest.split_once('@') {
        Some((credentials, rest)) => {
            let password = match credentials.split_once(':') {
                Some((user, password)) => {
                    options.user = Some(percent_decode(user)?).filter(|user| !user.is_empty());
                    password
                }
                None => credentials,
            };
            options.password = Some(percent_decode(password)?);
            rest
        }
        None => rest,
    };
    let (place, db) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port_text) = match place.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, after)) => (host, after.strip_prefix(':').unwrap_or("")),
        None => place.split_once(':').unwrap_or((place, "")),
    };
    if !host.is_empty() {
        options.host = Some(host.to_owned());
    }
    if !port_text.is_empty() {
        options.port = Some(port(leading_integer(port_text.as_bytes()))?);
    }
    if !db.is_empty() {
        options.db = Some(leading_integer(db.as_bytes()));
    }
    Ok(())
}

fn percent_decode(text: &str) -> Result<String, String> {
    let bad = || "Incomplete URI encoding".to_owned();
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16)).ok_or_else(bad);
        out.push((digit()? * 16 + digit()?) as u8);
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Options, String> {
        parse(&split::shell_split(line.as_bytes()).expect("splits"))
    }

    #[test]
    fn flags_and_the_command_behind_them() {
        let options = of("-n 3 -r 5 -i 0.5 --json -p 7000 SET a -n").expect("valid");
        assert_eq!((options.db, options.repeat, options.interval_ms), (Some(3), Some(5), Some(500)));
        assert_eq!((options.format, options.port), (Some(Format::Json), Some(7000)));
        assert_eq!(options.command, [b"SET".to_vec(), b"a".to_vec(), b"-n".to_vec()]);
        let options = of("--scan --pattern 'a*' --count 10").expect("valid");
        assert_eq!(options.tool, Some(Tool::Scan));
        assert_eq!((options.tools.pattern, options.tools.count), (Some(b"a*".to_vec()), Some(10)));
    }

    #[test]
    fn addresses() {
        let options = of("-u redis://me:p%40ss@example.com:7001/5").expect("valid");
        assert_eq!(options.host.as_deref(), Some("example.com"));
        assert_eq!((options.port, options.db), (Some(7001), Some(5)));
        assert_eq!((options.user.as_deref(), options.password.as_deref()), (Some("me"), Some("p@ss")));
        let options = of("-u rediss://[::1]:1/").expect("valid");
        assert!(options.tls.on);
        assert_eq!((options.host.as_deref(), options.port), (Some("::1"), Some(1)));
        assert_eq!(of("-u http://x"), Err("Invalid URI scheme".to_owned()));
    }

    #[test]
    fn arguments_from_elsewhere() {
        let args = |line: &str, input: Option<&str>| {
            of(line)
                .expect("valid")
                .arguments(input.map(|text| text.as_bytes().to_vec()))
                .map(|args| split::join(&args))
        };
        assert_eq!(args("-x SET a", Some("in put")), Ok("SET a \"in put\"".to_owned()));
        assert_eq!(args("-X @ SET @ b", Some("k")), Ok("SET k b".to_owned()));
        assert_eq!(
            args("-X @ SET a b", Some("k")),
            Err("Using -X option but stdin tag not match.".to_owned())
        );
        assert_eq!(args("--quoted-input SET '\"\\x41\"' 'b'", None), Ok("SET A b".to_owned()));
        assert!(args("--quoted-input SET '\"a'", None).is_err());
        let words = split::split(b"k1 k2 , a1 ,").expect("splits");
        assert_eq!(
            split::join(&eval_command(b"return 1".to_vec(), &words)),
            "EVAL \"return 1\" 2 k1 k2 a1 ,"
        );
        assert_eq!(split::join(&eval_command(b"s".to_vec(), &words[..2])), "EVAL s 2 k1 k2");
    }

    #[test]
    fn mistakes_are_told_as_redis_cli_does() {
        assert_eq!(of("--nope"), Err("Unrecognized option or bad number of args for: '--nope'".to_owned()));
        assert_eq!(of("-n"), Err("Unrecognized option or bad number of args for: '-n'".to_owned()));
        assert_eq!(of("-p 70000 PING"), Err("Invalid server port.".to_owned()));
        assert_eq!(of("-2 -3 PING"), Err("Options -2 and -3 are mutually exclusive.".to_owned()));
        assert!(of("-h").expect("asks for help").help);
    }
}
