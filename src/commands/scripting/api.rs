//! The functions of the table `redis`, as the machine calls them.

use sha1::{Digest as _, Sha1};

use crate::command::call::{self, Rights};
use crate::command::registry::Lookup;
use crate::command::{Args as Words, Registry, acl};
use crate::lua::{Args, Error, Host, Result, Step, Value, Vm};
use crate::resp::double::write_double;
use crate::resp::{Protocol, ReplyWriter, Request};
use crate::server::Server;
use crate::server::event::LogLevel;
use crate::server::scripting::Running;
use crate::server::scripting::machines::Scratch;

use super::convert;
use super::functions::Loading;

/// What the machine knows the functions by.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Function {
    Call,
    Pcall,
    Log,
    SetResp,
    Sha1Hex,
    ErrorReply,
    StatusReply,
    SetRepl,
    AclCheckCmd,
    Breakpoint,
    Debug,
    ReplicateCommands,
    MissingGlobal,
    ErrorHandler,
    Register,
}

/// By their numbers.
const FUNCTIONS: [Function; 15] = [
    Function::Call,
    Function::Pcall,
    Function::Log,
    Function::SetResp,
    Function::Sha1Hex,
    Function::ErrorReply,
    Function::StatusReply,
    Function::SetRepl,
    Function::AclCheckCmd,
    Function::Breakpoint,
    Function::Debug,
    Function::ReplicateCommands,
    Function::MissingGlobal,
    Function::ErrorHandler,
    Function::Register,
];

/// What a command costs of a slice, besides what it reads and writes.
const CALL_STEPS: usize = 100;

/// Redis, as a running script or a library being loaded sees it.
pub struct RedisHost<'a> {
    pub server: &'a mut Server,
    pub registry: &'a Registry,
    pub scratch: Scratch,
    /// The script, or nothing while a library is loaded.
    pub running: Option<&'a mut Running>,
    pub loading: Option<&'a mut Loading>,
}

impl Host for RedisHost<'_> {
    fn call(&mut self, vm: &mut Vm, id: u32, args: Args) -> Result<Step> {
        match FUNCTIONS[id as usize] {
            Function::Call => self.run_command(vm, args, true)?,
            Function::Pcall => self.run_command(vm, args, false)?,
            Function::Log => self.log(vm, args)?,
            Function::SetResp => self.set_resp(vm, args)?,
            Function::Sha1Hex => sha1hex(vm, args)?,
            Function::ErrorReply => reply_of_text(vm, args, true)?,
            Function::StatusReply => reply_of_text(vm, args, false)?,
            Function::SetRepl => self.set_repl(vm, args)?,
            Function::AclCheckCmd => self.acl_check(vm, args)?,
            Function::Breakpoint => vm.push(Value::Bool(false)),
            Function::Debug => {}
            Function::ReplicateCommands => vm.push(Value::Bool(true)),
            Function::MissingGlobal => missing_global(vm, args)?,
            Function::ErrorHandler => handle_error(vm, args)?,
            Function::Register => match &mut self.loading {
                Some(loading) => loading.register(vm, args)?,
                None => {
                    return Err(raised(
                        vm,
                        "redis.register_function can only be called on FUNCTION LOAD command",
                    ));
                }
            },
        }
        Ok(Step::Return)
    }
}

/// A table with the text as its `err`, after the code `ERR`.
pub fn error_value(vm: &mut Vm, text: &str) -> Result<Value> {
    convert::field(vm, b"err", &[b"ERR ", text.as_bytes()].concat())
}

/// The same, raised.
pub fn raised(vm: &mut Vm, text: &str) -> Error {
    match error_value(vm, text) {
        Ok(value) => Error(value),
        Err(error) => error,
    }
}

impl RedisHost<'_> {
    /// redis.call and redis.pcall.
    fn run_command(&mut self, vm: &mut Vm, args: Args, raises: bool) -> Result<()> {
        let Some(running) = self.running.as_deref_mut() else {
            return Err(raised(vm, "redis.call/pcall can only be called inside a script invocation"));
        };
        if let Err(text) = gather(vm, args, &mut self.scratch.request) {
            let value = error_value(vm, text)?;
            if raises {
                return Err(Error(value));
            }
            vm.push(value);
            return Ok(());
        }
        let Scratch { request, reply } = &mut self.scratch;
        reply.buffer().clear();
        reply.set_protocol(if running.is_resp3 { Protocol::Resp3 } else { Protocol::Resp2 });
        let mut rights = Rights {
            may_write: running.may_write,
            ignores_memory: running.ignores_memory,
            has_written: running.has_written,
        };
        let refused =
            call::from_script(self.server, self.registry, running.client, request, &mut rights, reply).err();
        running.has_written = rights.has_written;
        vm.spend(CALL_STEPS + (request.bytes.len() + reply.len()) / 16);
        let value = match &refused {
            Some(error) => convert::error(vm, error.text())?,
            None => convert::to_lua(vm, reply.bytes())?,
        };
        let failed = refused.is_some() || reply.bytes().first() == Some(&b'-');
        shrink(&mut self.scratch);
        if failed && raises {
            return Err(Error(value));
        }
        vm.push(value);
        Ok(())
    }

    fn acl_check(&mut self, vm: &mut Vm, args: Args) -> Result<()> {
        if let Err(text) = gather(vm, args, &mut self.scratch.request) {
            return Err(raised(vm, text));
        }
        let request = &self.scratch.request;
        let words = Words::new(&request.bytes, &request.spans);
        let Lookup::Found(number, command) = self.registry.lookup(&words) else {
            return Err(raised(vm, "Invalid command passed to redis.acl_check_cmd()"));
        };
        let client = self.running.as_ref().and_then(|running| self.server.clients.get(running.client));
        let user = client.and_then(|client| self.server.acl.users.get(&client.user));
        let allowed = user.is_none_or(|user| acl::check_user(user, number, command, &words).is_ok());
        vm.push(Value::Bool(allowed));
        Ok(())
    }

    fn log(&mut self, vm: &mut Vm, args: Args) -> Result<()> {
        if args.n < 2 {
            return Err(raised(vm, "redis.log() requires two arguments or more."));
        }
        let Some(level) = vm.to_number(vm.arg(args, 0)) else {
            return Err(raised(vm, "First argument must be a number (log level)."));
        };
        let level = match level as i64 {
            0 => LogLevel::Debug,
            1 => LogLevel::Verbose,
            2 => LogLevel::Notice,
            3 => LogLevel::Warning,
            _ => return Err(raised(vm, "Invalid log level.")),
        };
        let mut text = Vec::new();
        for i in 1..args.n {
            if let value @ (Value::Str(_) | Value::Number(_)) = vm.arg(args, i) {
                if i > 1 {
                    text.push(b' ');
                }
                text.extend_from_slice(&vm.display(value));
            }
        }
        self.server.log(level, String::from_utf8_lossy(&text));
        Ok(())
    }

    fn set_resp(&mut self, vm: &mut Vm, args: Args) -> Result<()> {
        if args.n != 1 {
            return Err(raised(vm, "redis.setresp() requires one argument."));
        }
        let version = vm.to_number(vm.arg(args, 0)).unwrap_or(0.0) as i64;
        if version != 2 && version != 3 {
            return Err(raised(vm, "RESP version must be 2 or 3."));
        }
        if let Some(running) = &mut self.running {
            running.is_resp3 = version == 3;
        }
        Ok(())
    }

    fn set_repl(&mut self, vm: &mut Vm, args: Args) -> Result<()> {
        if args.n != 1 {
            return Err(raised(vm, "redis.set_repl() requires one argument."));
        }
        let targets = vm.to_number(vm.arg(args, 0)).unwrap_or(0.0) as i64;
        if !(0..=3).contains(&targets) {
            let text = "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.";
            return Err(raised(vm, text));
        }
        if let Some(running) = &mut self.running {
            running.is_muted = targets == 0;
            self.server.propagation.is_muted = targets == 0;
        }
        Ok(())
    }
}

/// Buffers that one large command has blown up are given back.
fn shrink(scratch: &mut Scratch) {
    const KEPT_BYTES_MAX: usize = 256 * 1024;
    if scratch.request.bytes.capacity() > KEPT_BYTES_MAX {
        scratch.request = Request::default();
    }
    if scratch.reply.buffer().capacity() > KEPT_BYTES_MAX {
        scratch.reply = ReplyWriter::default();
    }
}

/// The arguments of redis.call as a request.
fn gather(vm: &Vm, args: Args, request: &mut Request) -> std::result::Result<(), &'static str> {
    if args.n == 0 {
        return Err("Please specify at least one argument for this redis lib call");
    }
    request.clear();
    for i in 0..args.n {
        match vm.arg(args, i) {
            Value::Str(text) => request.push(vm.bytes(text)),
            Value::Number(number) => push_number(request, number),
            _ => return Err("Lua redis lib command arguments must be strings or integers"),
        }
    }
    Ok(())
}

/// Integers never go out with an exponent.
fn push_number(request: &mut Request, number: f64) {
    const INTEGER_MAX: f64 = (i64::MAX / 2) as f64;
    if (-INTEGER_MAX..=INTEGER_MAX).contains(&number) && number == libm::trunc(number) {
        request.push(itoa::Buffer::new().format(number as i64).as_bytes());
    } else {
        let mut text = Vec::with_capacity(32);
        write_double(&mut text, number);
        request.push(&text);
    }
}

/// The SHA-1 digest in hexadecimal.
pub fn hex(digest: &[u8; 20]) -> [u8; 40] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    std::array::from_fn(|i| {
        let byte = digest[i / 2];
        DIGITS[usize::from(if i % 2 == 0 { byte >> 4 } else { byte & 15 })]
    })
}

pub fn digest(text: &[u8]) -> [u8; 20] {
    Sha1::digest(text).into()
}

fn sha1hex(vm: &mut Vm, args: Args) -> Result<()> {
    if args.n != 1 {
        return Err(raised(vm, "wrong number of arguments"));
    }
    let text = match vm.arg(args, 0) {
        value @ (Value::Str(_) | Value::Number(_)) => vm.display(value),
        _ => Vec::new(),
    };
    vm.spend(text.len() / 8);
    vm.push_bytes(&hex(&digest(&text)))
}

/// redis.error_reply and redis.status_reply.
fn reply_of_text(vm: &mut Vm, args: Args, is_error: bool) -> Result<()> {
    let value = match vm.arg(args, 0) {
        Value::Str(text) if args.n == 1 => {
            let text = vm.bytes(text).to_vec();
            match text.strip_prefix(b"-") {
                _ if !is_error => convert::field(vm, b"ok", &text)?,
                Some(rest) => convert::field(vm, b"err", &convert::with_code(rest))?,
                None => convert::field(vm, b"err", &convert::with_code(&text))?,
            }
        }
        _ => error_value(vm, "wrong number or type of arguments")?,
    };
    vm.push(value);
    Ok(())
}

fn missing_global(vm: &mut Vm, args: Args) -> Result<()> {
    if args.n != 2 {
        return Err(vm.error("Wrong number of arguments to luaProtectedTableError"));
    }
    let name = vm.arg(args, 1);
    let (Value::Str(_) | Value::Number(_)) = name else {
        return Err(vm.error("Second argument to luaProtectedTableError must be a string or number"));
    };
    let name = vm.display(name);
    Err(vm.error_bytes(
        &[b"Script attempted to access nonexistent global variable '", &name[..], b"'"].concat(),
    ))
}

/// What Redis keeps among the globals to make tables of errors.
fn handle_error(vm: &mut Vm, args: Args) -> Result<()> {
    let error = vm.arg(args, 0);
    let error = match error {
        Value::Table(_) => error,
        other => {
            let text = [b"ERR ", &vm.display(other)[..]].concat();
            convert::field(vm, b"err", &text)?
        }
    };
    vm.push(error);
    Ok(())
}
