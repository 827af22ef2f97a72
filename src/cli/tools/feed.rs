//! `--pipe` at the prompt: what a file holds is sent, many commands at a time, and what was answered is counted.

use super::{Tool, Wish};
use crate::cli::split;
use crate::resp::reply::Reply;
use crate::resp::request::{Parsed, RequestLimits, RequestParser};

/// How many commands are on their way at once.
const BATCH: usize = 1000;

type Command = Vec<Vec<u8>>;

#[derive(Debug)]
struct Feed {
    commands: std::vec::IntoIter<Command>,
    errors: u64,
    replies: u64,
}

/// The tool for a file of commands: lines as they are typed, or the protocol itself.
pub fn feed(bytes: Vec<u8>) -> Result<Box<dyn Tool>, String> {
    Ok(Box::new(Feed { commands: commands(bytes)?.into_iter(), errors: 0, replies: 0 }))
}

fn commands(mut bytes: Vec<u8>) -> Result<Vec<Command>, String> {
    bytes.push(b'\n');
    let limits = RequestLimits { bulk_bytes_max: 512 << 20, authenticated: true };
    let mut parser = RequestParser::default();
    let mut commands = Vec::new();
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        if split::is_comment(&rest[..memchr::memchr(b'\n', rest).unwrap_or(0)]) {
            rest = &rest[memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1)..];
            continue;
        }
        let parsed = parser.parse(rest, &limits);
        let (command, consumed): (Command, usize) = match parsed {
            Ok(Parsed::Multibulk { consumed }) => {
                (parser.spans().iter().map(|span| span.of(rest).to_vec()).collect(), consumed)
            }
            Ok(Parsed::Inline { consumed }) => {
                (parser.inline().iter().map(<[u8]>::to_vec).collect(), consumed)
            }
            Ok(Parsed::Incomplete) => {
                return Err("The last command is not whole; nothing was sent.".to_owned());
            }
            Err(error) => {
                let text = String::from_utf8_lossy(&error.text()).into_owned();
                return Err(format!("{text} in command {}; nothing was sent.", commands.len() + 1));
            }
        };
        if !command.is_empty() {
            commands.push(command);
        }
        rest = &rest[consumed..];
    }
    Ok(commands)
}

impl Tool for Feed {
    fn go_on(&mut self, replies: Vec<Reply>, _: u64) -> Wish {
        let mut wish = Wish::default();
        self.replies += replies.len() as u64;
        for reply in replies {
            if let Reply::Error(text) = reply.plain() {
                self.errors += 1;
                wish.line(String::from_utf8_lossy(text));
            }
        }
        wish.commands.extend(self.commands.by_ref().take(BATCH));
        if wish.commands.is_empty() {
            self.end(&mut wish);
        } else if self.commands.len() > 0 {
            wish.status = Some(format!("{} replies, {} commands to go", self.replies, self.commands.len()));
        }
        wish
    }

    fn stop(&mut self, _: u64) -> Wish {
        let mut wish = Wish::default();
        self.end(&mut wish);
        wish
    }
}

impl Feed {
    fn end(&self, wish: &mut Wish) {
        wish.line(format!("errors: {}, replies: {}", self.errors, self.replies));
        wish.done = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_protocol_mix() {
        let words = |text: &str| {
            commands(text.as_bytes().to_vec()).map(|commands| {
                commands.iter().map(|command| split::join(command)).collect::<Vec<_>>().join("; ")
            })
        };
        assert_eq!(
            words("# two keys\nSET a \"1 2\"\r\n\n*2\r\n$3\r\nGET\r\n$1\r\na\r\nPING"),
            Ok("SET a \"1 2\"; GET a; PING".to_owned())
        );
        assert!(words("*2\r\n$3\r\nGET\r\n").is_err());
        assert!(words("SET \"a").is_err());
        assert_eq!(words(""), Ok(String::new()));
    }
}
