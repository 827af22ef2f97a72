//! `resplay cli`: redis-cli, with the terminal's own layer behind a real screen, a pipe, or one command.

mod files;
mod host;
mod interactive;
mod keys;
mod link;
mod surface;
mod tls;
mod tools;
mod usage;

use std::ffi::OsString;
use std::io::{IsTerminal, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use crate::cli::format::{Format, Style};
use crate::cli::options::{self, Options, Tool};
use crate::cli::split::{self, SplitError};
use crate::cli::table::Table;
use crate::cli::{Address, Settings, State};

use host::{Host, Message};
use link::{Dial, Family};

const PASSWORD_WARNING: &str = "Warning: Using a password with '-a' or '-u' option on the command line interface may \
                                not be safe.";

/// Runs with the arguments behind the program's name; the exit code.
pub fn cli(arguments: Vec<OsString>) -> u8 {
    let words: Vec<Vec<u8>> = arguments.into_iter().map(OsStringExt::into_vec).collect();
    let mut options = match options::parse(&words) {
        Ok(options) => options,
        Err(message) => return complain(&message),
    };
    if options.version {
        println!("redis-cli {} (resplay {})", crate::server::VERSION, env!("CARGO_PKG_VERSION"));
        return 0;
    }
    if options.help {
        print!("{}", usage::text());
        return 0;
    }
    if let Some(message) = tools::missing(&options) {
        return complain(&message);
    }
    if options.password.is_some() && !options.no_auth_warning {
        eprintln!("{PASSWORD_WARNING}");
    }
    if options.password.is_none() {
        options.password = std::env::var("REDISCLI_AUTH").ok().filter(|password| !password.is_empty());
    }
    if options.ask_password {
        options.password = Some(ask_password());
    }
    let tls = match options.tls.on.then(|| tls::Tls::new(&options.tls)).transpose() {
        Ok(tls) => tls,
        Err(message) => return complain(&format!("Could not negotiate a TLS connection: {message}")),
    };
    let dial = Dial {
        tls,
        timeout: options.connect_timeout_ms.filter(|ms| *ms > 0).map(Duration::from_millis),
        family: match () {
            () if options.prefer_ipv6 => Family::Ipv6,
            () if options.prefer_ipv4 => Family::Ipv4,
            () => Family::Any,
        },
    };
    dispatch(&options, dial)
}

fn dispatch(options: &Options, dial: Dial) -> u8 {
    let settings = settings(options);
    match &options.tool {
        Some(Tool::Pipe) => tools::pipe(&settings, &dial, options),
        Some(Tool::Rdb { file }) => tools::rdb(&settings, &dial, file, false),
        Some(Tool::FunctionsRdb { file }) => tools::rdb(&settings, &dial, file, true),
        Some(Tool::IntrinsicLatency { seconds }) => tools::intrinsic_latency(*seconds),
        Some(Tool::Eval { file }) => match std::fs::read(file) {
            Ok(script) => once(settings, dial, options, options::eval_command(script, &options.command)),
            Err(error) => complain(&format!("Can't open file '{file}': {}", link::reason(&error))),
        },
        Some(_) => once(settings, dial, options, Vec::new()),
        None if options.command.is_empty() => prompt(settings, dial),
        None => {
            let reads = options.stdin_last || options.stdin_tag.is_some();
            let mut input = Vec::new();
            if reads && let Err(error) = std::io::stdin().read_to_end(&mut input) {
                return complain(&format!("Reading from standard input: {}", link::reason(&error)));
            }
            match options.arguments(reads.then_some(input)) {
                Ok(args) => once(settings, dial, options, args),
                // Redis-cli says this one on standard output.
                Err(message) if message == "Invalid quoted string" => {
                    println!("{message}");
                    1
                }
                Err(message) => complain(&message),
            }
        }
    }
}

fn complain(message: &str) -> u8 {
    eprintln!("{message}");
    1
}

fn settings(options: &Options) -> Settings {
    let is_screen = std::io::stdout().is_terminal() || std::env::var_os("FAKETTY").is_some();
    let format = options.format.unwrap_or(if is_screen { Format::Tty } else { Format::Raw });
    let mut style = Style::of(format);
    if let Some(delimiter) = &options.element_delimiter {
        style.element_delimiter = delimiter.clone();
    }
    if let Some(delimiter) = &options.reply_delimiter {
        style.reply_delimiter = delimiter.clone();
    }
    let is_json = matches!(format, Format::Json | Format::QuotedJson);
    let address = match &options.socket {
        Some(path) => Address::Socket(path.clone()),
        None => Address::Tcp {
            host: options.host.clone().unwrap_or_else(|| "127.0.0.1".to_owned()),
            port: options.port.unwrap_or(6379),
        },
    };
    Settings {
        address,
        db: options.db.unwrap_or(0),
        user: options.user.clone(),
        password: options.password.clone(),
        resp3: options.resp3 || (is_json && !options.resp2),
        style,
        interval_ms: options.interval_ms.unwrap_or(0),
        show_pushes: options.show_pushes.unwrap_or(is_screen),
        cluster: options.cluster,
        teach: false,
        teach_may_ask: false,
        may_connect: true,
        fetch_docs: false,
    }
}

/// One command, or one tool.
fn once(settings: Settings, dial: Dial, options: &Options, args: Vec<Vec<u8>>) -> u8 {
    let asks_for_help = args.first().is_some_and(|name| name.eq_ignore_ascii_case(b"help") || name == b"?");
    let is_tool = args.is_empty();
    let mut host = Host::new(settings, dial);
    host.ends_on_error = options.exit_on_error;
    if asks_for_help {
        host.session.set_table(Table::builtin());
    }
    host.is_tool = is_tool;
    if is_tool {
        interrupt_by_signal(&host);
    }
    // What the session would do before the command is in its settings already.
    let run = Options { db: None, resp2: false, resp3: false, ..options.clone() };
    let actions = host.session.execute(args, &run, host.now_ms());
    host.perform(actions);
    while host.exit_code.is_none() && !host.is_idle() {
        if matches!(host.wait(), Some(Message::Interrupt)) {
            host.interrupt();
            host.exit_code.get_or_insert(0);
        }
    }
    host.surface.flush();
    host.exit_code.unwrap_or(u8::from(host.has_failed))
}

/// Ctrl-C ends a tool with what it has found so far.
fn interrupt_by_signal(host: &Host) {
    let sender = host.sender();
    if let Ok(mut signals) = signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT]) {
        std::thread::spawn(move || {
            for count in signals.forever().enumerate().map(|(count, _)| count) {
                if count > 0 || sender.send(Message::Interrupt).is_err() {
                    std::process::exit(130);
                }
            }
        });
    }
}

/// Line after line: with an editor on a terminal, else as they come.
fn prompt(mut settings: Settings, dial: Dial) -> u8 {
    let is_typed = std::io::stdin().is_terminal();
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if is_typed && std::io::stdout().is_terminal() && !is_dumb {
        settings.teach = true;
        settings.teach_may_ask = true;
        settings.fetch_docs = true;
        return interactive::run(Host::new(settings, dial));
    }
    lines(Host::new(settings, dial), is_typed)
}

/// Commands from standard input, each run when the one before it is answered.
fn lines(mut host: Host, is_typed: bool) -> u8 {
    if is_typed {
        host.session.set_table(Table::builtin());
    }
    let ask = host.read_lines();
    let mut is_asked = false;
    let mut is_over = false;
    host.start();
    loop {
        if let Some(code) = host.exit_code {
            host.surface.flush();
            return code;
        }
        let may_ask = host.is_idle() || host.session.state() == State::Reading;
        if is_over && host.is_idle() {
            host.surface.flush();
            return 0;
        }
        if may_ask && !is_asked && !is_over {
            if is_typed {
                host.surface.flush();
                let _ = std::io::stdout().write_all(host.session.prompt().as_bytes());
                let _ = std::io::stdout().flush();
            }
            is_asked = ask.send(()).is_ok();
        }
        match host.wait() {
            Some(Message::Line(Some(line))) => {
                is_asked = false;
                run_line(&mut host, line);
            }
            Some(Message::Line(None)) => is_over = true,
            _ => {}
        }
    }
}

fn run_line(host: &mut Host, line: Vec<u8>) {
    let broken = split::cut(&line).broken;
    if matches!(broken, Some((_, SplitError::Open { .. }))) && !split::is_comment(&line) {
        // At a prompt the next line would go on; in a file every line is whole.
        return host.surface.line("Invalid argument(s)");
    }
    match String::from_utf8(line) {
        Ok(line) => host.submit(&line),
        Err(error) => match split::split(error.as_bytes()) {
            Ok(args) => {
                let actions = host.session.execute(args, &Options::default(), host.now_ms());
                host.perform(actions);
            }
            Err(_) => host.surface.line("Invalid argument(s)"),
        },
    }
}

/// A password from the terminal, shown as stars; a line from elsewhere.
fn ask_password() -> String {
    use crossterm::event::{Event, KeyCode, KeyModifiers, read};
    print!("Please input password: ");
    let _ = std::io::stdout().flush();
    let mut password = String::new();
    if !std::io::stdin().is_terminal() || crossterm::terminal::enable_raw_mode().is_err() {
        let _ = std::io::stdin().read_line(&mut password);
        return password.trim_end_matches(['\n', '\r']).to_owned();
    }
    while let Ok(event) = read() {
        let Event::Key(key) = event else { continue };
        match key.code {
            KeyCode::Enter => break,
            KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                let _ = crossterm::terminal::disable_raw_mode();
                println!();
                std::process::exit(1);
            }
            KeyCode::Char(c) => {
                password.push(c);
                print!("*");
            }
            KeyCode::Backspace if password.pop().is_some() => print!("\x08 \x08"),
            _ => {}
        }
        let _ = std::io::stdout().flush();
    }
    let _ = crossterm::terminal::disable_raw_mode();
    println!();
    password
}
