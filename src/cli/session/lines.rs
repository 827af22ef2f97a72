//! Lines: split, looked at for words meant for the terminal, remembered, run one after another.

use super::{Action, Address, FileUse, Link, Session};
use crate::cli::format::{Class, Format, Style};
use crate::cli::habits;
use crate::cli::help;
use crate::cli::options::{self, Options, Tool, leading_integer};
use crate::cli::split::{self, Repeat};
use crate::cli::teach;
use crate::cli::tools;

impl Session {
    pub(super) fn pump(&mut self) {
        while !self.is_busy() && self.link != Link::Opening && !self.ended {
            let Some(line) = self.waiting.pop_front() else { break };
            self.run_line(&line);
        }
    }

    pub(super) fn run_line(&mut self, line: &str) {
        self.out.push(Action::Echo { prompt: self.ready_prompt(), line: line.to_owned() });
        if split::is_comment(line.as_bytes()) {
            self.remember(line, false);
            return;
        }
        let args = match split::split(line.as_bytes()) {
            Ok(args) if args.is_empty() => return,
            Ok(args) => args,
            Err(error) => {
                self.remember(line, is_secret_so_far(line));
                self.say(Class::Error, "Invalid argument(s)");
                if self.settings.teach {
                    self.teach(teach::bad_quotes(line, error));
                }
                return;
            }
        };
        // Beyond redis-cli, for which these would be bad counts.
        let chooses_protocol = matches!(&args[0][..], b"-2" | b"-3");
        let (args, times) = match split::repeat_prefix(&args) {
            _ if chooses_protocol => (args, None),
            Repeat::Invalid => {
                return self.say(Class::Error, "Invalid redis-cli repeat command option value.");
            }
            Repeat::Times(times) => (args[1..].to_vec(), Some(times)),
            Repeat::None => (args, None),
        };
        self.remember(line, habits::is_secret(&args));
        match times {
            Some(times) => self.run_command(args, &Options::default(), times),
            None if !self.run_own(line, &args) => self.run_command(args, &Options::default(), 1),
            None => {}
        }
    }

    pub(super) fn remember(&mut self, line: &str, secret: bool) {
        if self.history.add(line, secret) && !secret {
            self.out.push(Action::Remember(line.to_owned()));
        }
    }

    /// Lines meant for the terminal itself; false for all others.
    pub(super) fn run_own(&mut self, line: &str, args: &[Vec<u8>]) -> bool {
        let word = String::from_utf8_lossy(&args[0]).to_ascii_lowercase();
        match word.as_str() {
            "quit" | "exit" => {
                self.ended = true;
                self.out.push(Action::Exit);
            }
            "clear" if args.len() == 1 => self.out.push(Action::Clear),
            "restart" => self.say(Class::Notice, "Use 'restart' only in Lua debugging mode."),
            "connect" if args.len() == 3 => self.run_connect(args),
            "redis-cli" | "resplay-cli" => self.run_shell_line(line),
            _ if word.starts_with(':') => self.set_preference(args),
            _ if options::is_flag(&args[0]) => self.run_flags(args, None),
            _ => return false,
        }
        true
    }

    pub(super) fn run_connect(&mut self, args: &[Vec<u8>]) {
        if !self.settings.may_connect {
            return self.say(Class::Notice, "This terminal has one server; CONNECT is not possible here.");
        }
        let host = String::from_utf8_lossy(&args[1]).into_owned();
        let port = leading_integer(&args[2]).clamp(0, i64::from(u16::MAX)) as u16;
        self.settings.address = Address::Tcp { host, port };
        self.connect();
    }

    pub(super) fn set_preference(&mut self, args: &[Vec<u8>]) {
        let shown = |arg: &Vec<u8>| String::from_utf8_lossy(arg).into_owned();
        match args {
            [set, preference, ..] if set.eq_ignore_ascii_case(b":set") => {
                match shown(preference).to_ascii_lowercase().as_str() {
                    "hints" => self.hints = true,
                    "nohints" => self.hints = false,
                    _ => {
                        self.say(
                            Class::Notice,
                            format!("unknown redis-cli preference '{}'", shown(preference)),
                        );
                    }
                }
            }
            [command, ..] => {
                self.say(Class::Notice, format!("unknown redis-cli internal command '{}'", shown(command)));
            }
            [] => {}
        }
    }

    /// A `redis-cli …` line copied from a shell; `< FILE` behind it is the one thing of a shell that is understood.
    pub(super) fn run_shell_line(&mut self, line: &str) {
        let split = match split::shell_split(line.as_bytes()) {
            Err(split::ShellError::Operator { byte: b'<', at }) => split::shell_split(&line.as_bytes()[..at])
                .and_then(|words| {
                    let file = split::shell_split(&line.as_bytes()[at + 1..])?;
                    match &file[..] {
                        [file] => Ok((words, Some(String::from_utf8_lossy(file).into_owned()))),
                        _ => Err(split::ShellError::Operator { byte: b'<', at }),
                    }
                }),
            other => other.map(|words| (words, None)),
        };
        match split {
            Ok((words, input)) => self.run_flags(&words[1..], input),
            Err(split::ShellError::Operator { byte, .. }) => {
                let text =
                    format!("A terminal has no shell behind it: '{}' means nothing here.", char::from(byte));
                self.say(Class::Notice, text);
            }
            Err(split::ShellError::Open { .. }) => self.say(Class::Error, "Invalid argument(s)"),
        }
    }

    /// Flags at the prompt: for one command, or without one for all that follow.
    pub(super) fn run_flags(&mut self, args: &[Vec<u8>], input: Option<String>) {
        let mut options = match options::parse(args) {
            Ok(options) => options,
            Err(message) => return self.say(Class::Error, message),
        };
        if options.help || options.version {
            return self.print_help(&[]);
        }
        let elsewhere = options.host.is_some() || options.port.is_some() || options.socket.is_some();
        if elsewhere && self.settings.may_connect {
            self.change_address(&options);
        }
        if let Some(password) = options.password.take() {
            let mut auth = vec![b"AUTH".to_vec()];
            auth.extend(options.user.take().map(String::into_bytes));
            auth.push(password.into_bytes());
            let rest = unflagged(&mut options);
            if !rest.is_empty() {
                self.waiting.push_front(split::join(&rest));
            }
            return self.run_command(auth, &Options::default(), 1);
        }
        if let Some(tool) = tools::tool(&options, self.settings.style.format) {
            return self.start_tool(tool);
        }
        let (name, use_) = match &options.tool {
            Some(Tool::Eval { file }) => (Some(file.clone()), Some(FileUse::Script)),
            Some(Tool::Pipe) => (input, Some(FileUse::Commands)),
            None if options.stdin_last || options.stdin_tag.is_some() => (input, Some(FileUse::Argument)),
            _ => (None, None),
        };
        if let Some(use_) = use_ {
            self.wanted = Some(Box::new(options));
            return self.out.push(Action::NeedFile { name, use_ });
        }
        if options.tool.is_some() {
            return self.out.push(Action::Run(Box::new(options)));
        }
        if options.command.is_empty() {
            return self.change_defaults(&options);
        }
        let command = std::mem::take(&mut options.command);
        self.run_command(command, &options, 1);
    }

    /// What a file holds that [`Action::NeedFile`] asked for; nothing when there is none, or the reason why.
    pub fn supply(&mut self, bytes: Result<Vec<u8>, Option<String>>, now_ms: u64) -> Vec<Action> {
        self.now_ms = now_ms;
        if let Some(mut options) = self.wanted.take() {
            match bytes {
                Ok(bytes) => self.run_supplied(&mut options, bytes),
                Err(reason) => {
                    let text = reason.unwrap_or_else(|| "No file, so nothing was done.".to_owned());
                    self.say(Class::Error, text);
                }
            }
        }
        self.pump();
        self.take()
    }

    fn run_supplied(&mut self, options: &mut Options, bytes: Vec<u8>) {
        match options.tool {
            Some(Tool::Eval { .. }) => {
                let command = options::eval_command(bytes, &options.command);
                self.run_command(command, options, 1);
            }
            Some(_) => match tools::feed(bytes) {
                Ok(tool) => self.start_tool(tool),
                Err(message) => self.say(Class::Error, message),
            },
            None => match options.arguments(Some(bytes)) {
                Ok(command) => self.run_command(command, options, 1),
                Err(message) => self.say(Class::Error, message),
            },
        }
    }

    pub(super) fn change_address(&mut self, options: &Options) {
        let (host, port) = match &self.settings.address {
            Address::Tcp { host, port } => (host.clone(), *port),
            Address::Socket(_) => ("127.0.0.1".to_owned(), 6379),
        };
        let address = match &options.socket {
            Some(path) => Address::Socket(path.clone()),
            None => Address::Tcp {
                host: options.host.clone().unwrap_or(host),
                port: options.port.unwrap_or(port),
            },
        };
        if address != self.settings.address {
            self.settings.address = address;
            self.connect();
        }
    }

    /// Flags without a command change what follows.
    pub(super) fn change_defaults(&mut self, options: &Options) {
        let style = &mut self.settings.style;
        *style = style_with(style, options);
        if let Some(interval_ms) = options.interval_ms {
            self.settings.interval_ms = interval_ms;
        }
        if let Some(show) = options.show_pushes {
            self.settings.show_pushes = show;
        }
        if let Some(format) = options.format {
            self.say(Class::Notice, format!("Replies are printed as {} from now on.", format.name()));
        }
        let mut lines = Vec::new();
        if let Some(db) = options.db {
            lines.push(format!("SELECT {db}"));
        }
        if options.resp3 || options.resp2 {
            lines.push(format!("HELLO {}", if options.resp3 { 3 } else { 2 }));
        }
        for line in lines.into_iter().rev() {
            self.waiting.push_front(line);
        }
    }

    pub(super) fn print_help(&mut self, args: &[Vec<u8>]) {
        self.out.push(Action::Print(help::help(&self.table, args)));
    }
}

/// Whether a line that cannot be split to its end begins like one with a secret.
fn is_secret_so_far(line: &str) -> bool {
    let mut words = split::cut(line.as_bytes()).texts();
    if matches!(split::repeat_prefix(&words), Repeat::Times(_)) {
        words.remove(0);
    }
    habits::is_secret(&words)
}

/// The options without the password, as flags again in front of their command: what is left to do after AUTH.
fn unflagged(options: &mut Options) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    if let Some(db) = options.db {
        words.extend([b"-n".to_vec(), db.to_string().into_bytes()]);
    }
    let flag = match options.format {
        Some(Format::Raw) => "--raw",
        Some(Format::Csv) => "--csv",
        Some(Format::Json) => "--json",
        Some(Format::QuotedJson) => "--quoted-json",
        Some(Format::Tty) => "--no-raw",
        None => "",
    };
    if !flag.is_empty() {
        words.push(flag.as_bytes().to_vec());
    }
    words.append(&mut options.command);
    words
}

pub(super) fn style_with(style: &Style, options: &Options) -> Style {
    let mut style = style.clone();
    if let Some(format) = options.format {
        style.format = format;
    }
    if let Some(delimiter) = &options.element_delimiter {
        style.element_delimiter = delimiter.clone();
    }
    if let Some(delimiter) = &options.reply_delimiter {
        style.reply_delimiter = delimiter.clone();
    }
    style
}
