//! Redis-cli's tools that work beside a session: mass insertion, fetching an RDB file, scripts from files, the machine's
//! own latency. Says of the others that they are missing.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use crate::cli::Settings;
use crate::cli::options::{Options, Tool};
use crate::resp::reply::Reply;

use super::link::{Dial, Stream, Talk, reason};

/// Seconds that `--pipe` waits for the last reply when not told otherwise.
const PIPE_TIMEOUT_SECONDS: i64 = 30;

/// Why an option cannot be had, if so.
pub fn missing(options: &Options) -> Option<String> {
    let what = match &options.tool {
        _ if options.tools.debug.is_some() => "the Lua debugger (--ldb)",
        Some(Tool::Cluster(_)) => "the cluster manager (--cluster)",
        Some(Tool::LruTest { .. }) => "--lru-test",
        Some(Tool::LatencyDistribution) => "--latency-dist",
        Some(Tool::Replica) => "--replica",
        _ => return None,
    };
    Some(format!("This redis-cli is resplay's: it does not have {what}. The original has it."))
}

/// What is said when a tool is asked for that works only as a program of its own.
pub fn not_at_the_prompt(options: &Options) -> String {
    missing(options).unwrap_or_else(|| "This works from the shell only: resplay cli …".to_owned())
}

/// A connection of one's own, authenticated and in the right database.
fn open(settings: &Settings, dial: &Dial) -> Result<Talk, String> {
    let shown = settings.address.shown();
    let stream = Stream::connect(&settings.address, dial)
        .map_err(|reason| format!("Could not connect to Redis at {shown}: {reason}"))?;
    let mut talk = Talk::new(stream);
    let bytes = |text: &str| text.as_bytes().to_vec();
    let failed = |what: &str, reply: &Reply| match reply {
        Reply::Error(text) => Err(format!("{what} failed: {}", String::from_utf8_lossy(text))),
        _ => Ok(()),
    };
    if let Some(password) = &settings.password {
        let mut auth = vec![bytes("AUTH")];
        auth.extend(settings.user.as_deref().map(bytes));
        auth.push(bytes(password));
        failed("AUTH", &talk.ask(&auth)?)?;
    }
    if settings.db != 0 {
        failed(
            &format!("SELECT {}", settings.db),
            &talk.ask(&[bytes("SELECT"), bytes(&settings.db.to_string())])?,
        )?;
    }
    Ok(talk)
}

fn told(result: Result<u8, String>) -> u8 {
    result.unwrap_or_else(|message| {
        eprintln!("{message}");
        1
    })
}

/// `--pipe`: the protocol from standard input to the server; the exit code.
pub fn pipe(settings: &Settings, dial: &Dial, options: &Options) -> u8 {
    told(open(settings, dial).and_then(|talk| pipe_over(talk, options)))
}

fn pipe_over(mut talk: Talk, options: &Options) -> Result<u8, String> {
    let patience = options.tools.pipe_timeout_seconds.unwrap_or(PIPE_TIMEOUT_SECONDS);
    let mut magic = Vec::new();
    for part in 0..3u8 {
        use std::hash::{BuildHasher, Hasher};
        let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
        hasher.write_u8(part);
        magic.extend_from_slice(&hasher.finish().to_le_bytes());
    }
    magic.truncate(20);
    let mut writer = talk.stream.try_clone().map_err(|e| reason(&e))?;
    let (last, sent) = (magic.clone(), std::sync::mpsc::channel());
    let (tell, is_sent) = sent;
    std::thread::spawn(move || {
        let result = transfer(&mut writer, &last);
        // Whoever reads the replies may be gone.
        let _ = tell.send(result);
    });
    talk.stream.set_read_timeout(Some(Duration::from_millis(200))).map_err(|e| reason(&e))?;
    let (mut errors, mut replies) = (0u64, 0u64);
    let mut last_read = Instant::now();
    let mut all_sent = false;
    let mut chunk = vec![0; 64 * 1024];
    'replies: loop {
        if !all_sent && let Ok(result) = is_sent.try_recv() {
            result?;
            all_sent = true;
            last_read = Instant::now();
        }
        while let Some(reply) = talk.decoder.next_reply().map_err(|_| "Error reading replies from server")? {
            last_read = Instant::now();
            match &reply {
                Reply::Error(text) => {
                    eprintln!("{}", String::from_utf8_lossy(text));
                    errors += 1;
                }
                Reply::Bulk(text) if *text == magic => {
                    println!("Last reply received from server.");
                    break 'replies;
                }
                _ => {}
            }
            replies += 1;
        }
        match talk.stream.read(&mut chunk) {
            Ok(0) => {
                eprintln!("Error: Server closed the connection");
                return Ok(1);
            }
            Ok(count) => talk.decoder.feed(&chunk[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let silent = last_read.elapsed().as_secs() as i64;
                if all_sent && patience > 0 && silent > patience {
                    eprintln!("No replies for {patience} seconds: exiting.");
                    errors += 1;
                    break;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(format!("Error: {}", reason(&error))),
        }
    }
    println!("errors: {errors}, replies: {replies}");
    Ok(u8::from(errors > 0))
}

/// Standard input, then an ECHO whose reply can be told from all others.
fn transfer(writer: &mut Stream, magic: &[u8]) -> Result<(), String> {
    io::copy(&mut io::stdin().lock(), writer)
        .map_err(|e| format!("Error writing to the server: {}", reason(&e)))?;
    println!("All data transferred. Waiting for the last reply...");
    // The line break ends whatever garbage came before it; Redis takes an empty line for nothing.
    let echo = [b"\r\n*2\r\n$4\r\nECHO\r\n$20\r\n", magic, b"\r\n"].concat();
    writer.write_all(&echo).map_err(|e| format!("Error writing to the server: {}", reason(&e)))
}

/// `--rdb` and `--functions-rdb`: what a replica would be sent, into a file (`-` is standard output).
pub fn rdb(settings: &Settings, dial: &Dial, path: &str, functions_only: bool) -> u8 {
    told(open(settings, dial).and_then(|talk| rdb_over(talk, path, functions_only)))
}

fn rdb_over(mut talk: Talk, path: &str, functions_only: bool) -> Result<u8, String> {
    let command = |words: &[&str]| words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
    // An old server does not know these; what it sends is an RDB file all the same.
    talk.ask(&command(&["REPLCONF", "rdb-only", "1"]))?;
    if functions_only {
        let reply = talk.ask(&command(&["REPLCONF", "rdb-filter-only", "functions"]))?;
        if reply.is_error() {
            return Err("Failed requesting functions only RDB from server, aborting".to_owned());
        }
    }
    talk.stream.write_all(b"SYNC\r\n").map_err(|e| reason(&e))?;
    let mut header = Vec::new();
    let mut byte = [0];
    loop {
        talk.stream
            .read_exact(&mut byte)
            .map_err(|e| format!("Error reading from the server: {}", reason(&e)))?;
        match byte[0] {
            b'\n' if header.is_empty() => {}
            b'\n' => break,
            other if header.len() < 1024 => header.push(other),
            _ => return Err("The server's answer to SYNC makes no sense".to_owned()),
        }
    }
    let header = String::from_utf8_lossy(&header).trim_end().to_owned();
    let length = header.strip_prefix('$').and_then(|length| length.parse::<u64>().ok());
    let length = length.ok_or_else(|| format!("SYNC with master failed: {header}"))?;
    eprintln!("SYNC sent to master, writing {length} bytes to '{path}'");
    let mut out: Box<dyn Write> = match path {
        "-" => Box::new(io::stdout()),
        path => Box::new(File::create(path).map_err(|e| format!("Error opening '{path}': {}", reason(&e)))?),
    };
    let copied = io::copy(&mut (&mut talk.stream).take(length), &mut out)
        .map_err(|e| format!("Error writing '{path}': {}", reason(&e)))?;
    if copied < length {
        return Err("The connection ended before the file did".to_owned());
    }
    out.flush().map_err(|e| reason(&e))?;
    eprintln!("Transfer finished with success.");
    Ok(0)
}

/// `--intrinsic-latency`: how long the system keeps this program from running.
pub fn intrinsic_latency(seconds: i64) -> u8 {
    let until = Duration::from_secs(seconds.max(0) as u64);
    let began = Instant::now();
    let (mut worst, mut runs) = (Duration::ZERO, 0u64);
    while began.elapsed() < until {
        let start = Instant::now();
        let mut number = runs | 1;
        for _ in 0..1000 {
            number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005).rotate_left(7));
        }
        let took = start.elapsed();
        runs += 1;
        if took > worst {
            worst = took;
            println!("Max latency so far: {} microseconds.", worst.as_micros());
        }
    }
    let average = began.elapsed().as_secs_f64() * 1e6 / runs.max(1) as f64;
    println!(
        "\n{runs} total runs (avg latency: {average:.4} microseconds / {:.2} nanoseconds per run).",
        average * 1000.0
    );
    println!(
        "Worst run took {:.0}x longer than the average latency.",
        worst.as_secs_f64() * 1e6 / average.max(1e-9)
    );
    0
}
