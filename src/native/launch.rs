//! From redis-server's command line and redis.conf to a configuration, or to the reason why the server does not start.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::cli::split::repr;
use crate::data::glob;
use crate::server::config::{Config, Directive, find};

/// Files may include files, so deep at most.
const INCLUDES_MAX: usize = 16;

/// What was asked for.
#[derive(Debug)]
pub struct Launch {
    pub config: Config,
    /// The words behind each `user`: a name and rules.
    pub users: Vec<Vec<Vec<u8>>>,
    pub http: Http,
    pub seed: Option<u64>,
}

/// Where the playground page is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// 0 serves none.
    pub port: u16,
    pub address: IpAddr,
    /// Whoever asks for a port by name wants to hear that it is taken.
    pub is_asked_for: bool,
    /// A folder with the page, in place of the one that is built in.
    pub folder: Option<PathBuf>,
    /// Names, in small letters, that the server may be asked by.
    pub names: Vec<String>,
    /// Terminals of the page may attach to servers of this machine.
    pub may_attach: bool,
    /// Servers elsewhere, as `host:port`, that they may attach to.
    pub targets: Vec<String>,
}

/// Why the server does not start.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A line of the configuration, counted from 1.
    Line { number: usize, line: String, reason: String },
    /// Something else about the configuration.
    Config(String),
    /// A line for the log.
    File(String),
}

impl Refusal {
    /// What redis-server says on standard error; nothing for what it says in its log.
    pub fn text(&self) -> Option<String> {
        let heading = format!("\n*** FATAL CONFIG FILE ERROR (Redis {}) ***\n", crate::server::VERSION);
        match self {
            Refusal::Line { number, line, reason } => Some(format!(
                "{heading}Reading the configuration file, at line {number}\n>>> '{line}'\n{reason}\n"
            )),
            Refusal::Config(reason) => Some(format!("{heading}{reason}\n")),
            Refusal::File(_) => None,
        }
    }
}

/// Reads the words behind the program's name. `defaults` are lines that count before all others.
pub fn launch(words: &[Vec<u8>], defaults: &str, http_port: u16) -> Result<Launch, Refusal> {
    let mut launch = Launch {
        config: Config::default(),
        users: Vec::new(),
        http: Http {
            port: http_port,
            address: Ipv4Addr::LOCALHOST.into(),
            is_asked_for: false,
            folder: None,
            names: Vec::new(),
            may_attach: true,
            targets: Vec::new(),
        },
        seed: None,
    };
    if let Ok(folder) = std::env::current_dir()
        && let Some(number) = find(b"dir")
    {
        launch.config.put(number, folder.as_os_str().as_bytes().to_vec());
    }
    launch.take_text(defaults.as_bytes(), 0)?;
    let mut words = words;
    let mut text = Vec::new();
    if let Some((path, rest)) = words.split_first().filter(|(word, _)| !word.starts_with(b"-")) {
        let path = PathBuf::from(std::ffi::OsStr::from_bytes(path));
        let path = std::path::absolute(&path).unwrap_or(path);
        text = read(&path)?;
        launch.config.config_file = Some(path.to_string_lossy().into_owned());
        words = rest;
    }
    if let Some((_, rest)) = words.split_last().filter(|(word, _)| *word == b"-") {
        words = rest;
        if let Err(error) = std::io::stdin().read_to_end(&mut text) {
            return Err(Refusal::File(format!("Fatal error, can't read standard input: {error}")));
        }
    }
    // The command line's options come behind a line break, which is how redis-server counts its lines.
    text.push(b'\n');
    text.extend(option_lines(words));
    launch.take_text(&text, 0)?;
    if launch.config.text_of("tls-port") != b"0" {
        return Err(Refusal::Config("TLS is not available: leave tls-port at 0".to_owned()));
    }
    Ok(launch)
}

/// `--port 7000 --save 60 1` as lines of redis.conf. A word behind the name of an option alone is its value, whatever it
/// begins with; only `--save` may do without.
fn option_lines(words: &[Vec<u8>]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut wants_value = false;
    for (at, word) in words.iter().enumerate() {
        match word.strip_prefix(b"--").filter(|_| !wants_value) {
            Some(option) => {
                if at > 0 {
                    text.push(b'\n');
                }
                text.extend_from_slice(option);
                let name = option.trim_ascii();
                let has_value = words.get(at + 1).is_some_and(|next| !next.starts_with(b"--"));
                let is_empty_save = name.eq_ignore_ascii_case(b"save") && !has_value;
                if is_empty_save {
                    text.extend_from_slice(b" \"\"");
                }
                wants_value = !name.contains(&b' ') && !is_empty_save;
            }
            None => {
                text.push(b' ');
                text.extend(repr(word));
                wants_value = false;
            }
        }
    }
    text
}

fn read(path: &Path) -> Result<Vec<u8>, Refusal> {
    std::fs::read(path).map_err(|error| {
        let reason = super::reason(&error);
        Refusal::File(format!("Fatal error, can't open config file '{}': {reason}", path.display()))
    })
}

impl Launch {
    fn take_text(&mut self, text: &[u8], depth: usize) -> Result<(), Refusal> {
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            let refused = |reason: String| Refusal::Line {
                number: number + 1,
                line: String::from_utf8_lossy(line).into_owned(),
                reason,
            };
            if self.take_own(line).map_err(refused)? {
                continue;
            }
            let folder = self.config.text_of("dir").to_vec();
            match self.config.apply_line(line).map_err(refused)? {
                None => {}
                Some(Directive::User(words)) => {
                    if self.users.iter().any(|known| known.first() == words.first()) {
                        let name = String::from_utf8_lossy(words.first().map_or(b"", Vec::as_slice));
                        return Err(refused(format!(
                            "Error in user declaration '{name}': Duplicate user found. A user can only be defined once in config files"
                        )));
                    }
                    self.users.push(words);
                }
                Some(Directive::Include(path)) => self.include(&path, depth)?,
                Some(Directive::Rename { .. }) => {
                    let reason = "rename-command is not available; take rights away with ACL rules instead";
                    return Err(refused(reason.to_owned()));
                }
                Some(Directive::LoadModule(_)) => {
                    return Err(refused("Modules cannot be loaded".to_owned()));
                }
            }
            if self.config.text_of("dir") != folder {
                self.change_folder().map_err(refused)?;
            }
        }
        Ok(())
    }

    /// Options that redis-server does not have.
    fn take_own(&mut self, line: &[u8]) -> Result<bool, String> {
        let text = String::from_utf8_lossy(line);
        let mut words = text.split_ascii_whitespace();
        let name = words.next().unwrap_or_default().to_ascii_lowercase();
        let value = words.next().unwrap_or_default().trim_matches('"');
        match name.as_str() {
            "http-port" => {
                self.http.port =
                    value.parse().map_err(|_| "argument must be between 0 and 65535 inclusive")?;
                self.http.is_asked_for = self.http.port != 0;
            }
            "http-bind" => self.http.address = value.parse().map_err(|_| "argument must be an IP address")?,
            "http-root" => self.http.folder = std::path::absolute(value).ok(),
            "http-host" => self.http.names.push(value.to_ascii_lowercase()),
            "http-attach" => match value {
                "no" => self.http.may_attach = false,
                target if target.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) => {
                    self.http.targets.push(target.to_owned());
                }
                _ => return Err("argument must be 'no' or HOST:PORT".to_owned()),
            },
            "seed" => {
                self.seed = Some(value.parse().map_err(|_| "argument couldn't be parsed into an integer")?)
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn change_folder(&mut self) -> Result<(), String> {
        let folder = std::ffi::OsStr::from_bytes(self.config.text_of("dir")).to_owned();
        std::env::set_current_dir(folder).map_err(|error| super::reason(&error))?;
        let folder = std::env::current_dir().map_err(|error| super::reason(&error))?;
        if let Some(number) = find(b"dir") {
            self.config.put(number, folder.as_os_str().as_bytes().to_vec());
        }
        Ok(())
    }

    /// A file, or all files of a folder whose names fit a pattern, in the order of their names.
    fn include(&mut self, path: &[u8], depth: usize) -> Result<(), Refusal> {
        let path = PathBuf::from(std::ffi::OsStr::from_bytes(path));
        if depth >= INCLUDES_MAX {
            return Err(Refusal::Config(format!("Files include files too deeply: {}", path.display())));
        }
        let pattern = path.file_name().map(|name| name.as_bytes().to_vec()).unwrap_or_default();
        if !pattern.iter().any(|byte| b"*?[".contains(byte)) {
            let text = read(&path)?;
            return self.take_text(&text, depth + 1);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut found = BTreeMap::new();
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if glob::matches(&pattern, entry.file_name().as_bytes()) {
                found.insert(entry.file_name(), entry.path());
            }
        }
        for path in found.values() {
            let text = read(path)?;
            self.take_text(&text, depth + 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Launch, Refusal> {
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        launch(&words, "bind 127.0.0.1 -::1", 8379)
    }

    #[test]
    fn options_are_lines_of_a_file() {
        let launched = of("--port 7000 --save 60 1 --maxmemory 1mb --http-port 0 --seed 5").expect("valid");
        assert_eq!(launched.config.text_of("port"), b"7000");
        assert_eq!(launched.config.text_of("save"), b"60 1");
        assert_eq!(launched.config.text_of("bind"), b"127.0.0.1 -::1");
        assert_eq!((launched.config.maxmemory, launched.http.port, launched.seed), (1 << 20, 0, Some(5)));
        assert!(!launched.http.is_asked_for);
        let launched = of("--save --bind 127.0.0.1 --http-port 1234").expect("valid");
        assert_eq!(launched.config.text_of("save"), b"");
        assert_eq!(launched.config.text_of("bind"), b"127.0.0.1");
        assert!(launched.http.is_asked_for);
    }

    #[test]
    fn mistakes_are_shown_in_their_line() {
        let refused = of("--port abc").expect_err("no number");
        assert_eq!(
            refused.text().expect("for standard error"),
            format!(
                "\n*** FATAL CONFIG FILE ERROR (Redis {}) ***\nReading the configuration file, at line 2\n\
                 >>> 'port \"abc\"'\nargument couldn't be parsed into an integer\n",
                crate::server::VERSION
            )
        );
        assert!(matches!(of("--nosuch 1"), Err(Refusal::Line { number: 2, .. })));
        assert!(matches!(of("/nonexistent/redis.conf"), Err(Refusal::File(_))));
        assert!(of("--rename-command GET x").is_err());
    }
}
