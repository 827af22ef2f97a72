//! EVAL, EVALSHA and the cache of scripts.

use crate::command::{Args, Ctx};
use crate::lua::{Error as LuaError, Value};
use crate::resp::ReplyWriter;
use crate::server::error::{Error, Result};
use crate::server::scripting::machines::{Digest, Machine, Script, digest_of};
use crate::server::scripting::{Kind, read_first_line};

use super::{api, environment, run};

const NO_SCRIPT: Error = Error::new("NOSCRIPT No matching script. Please use EVAL.");

/// Scripts that came with EVAL and not with SCRIPT LOAD: so many stay, those used last.
const EVAL_SCRIPTS_MAX: usize = 500;

/// A memory cap met outside of any script.
pub fn out_of_memory(_: LuaError) -> Error {
    Error::new("ERR not enough memory for scripts")
}

/// How many of the words that follow are keys.
pub fn key_count(args: &mut Args, otherwise: Error) -> Result<usize> {
    let count = args.integer_or(otherwise)?;
    if count > args.left() as i64 {
        return Err(Error::new("ERR Number of keys can't be greater than number of args"));
    }
    usize::try_from(count).map_err(|_| Error::new("ERR Number of keys can't be negative"))
}

pub fn eval(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, read_only: bool) -> Result {
    ctx.show_to_monitors();
    let body = args.next()?;
    let keys = key_count(args, crate::server::error::NOT_AN_INTEGER)?;
    let digest = api::digest(body);
    let index = match ctx.server.scripting.scripts.find(&digest) {
        Ok(index) => index,
        Err(_) => compile(ctx, &digest, body, true)?,
    };
    run_script(ctx, args, reply, index, keys, read_only)
}

pub fn evalsha(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, read_only: bool) -> Result {
    ctx.show_to_monitors();
    let name = args.next()?;
    if name.len() != 40 {
        return Err(NO_SCRIPT);
    }
    let keys = key_count(args, crate::server::error::NOT_AN_INTEGER)?;
    let index = digest_of(name).and_then(|digest| ctx.server.scripting.scripts.find(&digest).ok());
    run_script(ctx, args, reply, index.ok_or(NO_SCRIPT)?, keys, read_only)
}

fn run_script(
    ctx: &mut Ctx,
    args: &mut Args,
    reply: &mut ReplyWriter,
    index: usize,
    keys: usize,
    read_only: bool,
) -> Result {
    let scripts = &mut ctx.server.scripting.scripts;
    let script = &mut scripts.cache[index];
    let (flags, function, digest) = (script.flags, script.function, script.digest);
    if script.used > 0 {
        scripts.uses += 1;
        script.used = scripts.uses;
    }
    run::check(ctx, flags, read_only)?;
    let mut machine = take_machine(ctx)?;
    let prepared = prepare(&mut machine, args, keys, function);
    if let Err(error) = prepared {
        ctx.server.scripting.scripts.machine = Some(machine);
        return Err(out_of_memory(error));
    }
    run::start(ctx, reply, machine, Kind::Script, &api::hex(&digest), (flags, read_only))
}

fn prepare(
    machine: &mut Machine,
    args: &mut Args,
    keys: usize,
    function: crate::lua::Pin,
) -> crate::lua::Result<()> {
    let vm = &mut machine.vm;
    vm.set_globals(machine.globals);
    let mut words = args.rest();
    for (name, count) in [("KEYS", keys), ("ARGV", usize::MAX)] {
        let table = table_of(vm, words.by_ref().take(count))?;
        vm.set_global(name, table)?;
    }
    let function = vm.pinned(function);
    vm.start(function, &[])
}

/// A table of strings.
pub fn table_of<'a>(
    vm: &mut crate::lua::Vm,
    words: impl Iterator<Item = &'a [u8]>,
) -> crate::lua::Result<Value> {
    let table = vm.new_table(words.size_hint().0, 0)?;
    for (index, word) in words.enumerate() {
        let word = vm.new_string(word)?;
        vm.raw_set_index(table, index + 1, word)?;
    }
    Ok(Value::Table(table))
}

/// EVAL's machine, to be put back.
fn take_machine(ctx: &mut Ctx) -> Result<Box<Machine>> {
    match ctx.server.scripting.scripts.machine.take() {
        Some(machine) => Ok(machine),
        None => environment::for_scripts(ctx.server.scripting.memory_bytes_max).map_err(out_of_memory),
    }
}

/// Compiles a script and caches it; its place in the cache.
fn compile(ctx: &mut Ctx, digest: &Digest, body: &[u8], from_eval: bool) -> Result<usize> {
    let (flags, code) = read_first_line(body)?;
    let mut machine = take_machine(ctx)?;
    machine.vm.set_globals(machine.globals);
    let compiled = machine.vm.load(b"@user_script", code);
    let compiled = match compiled {
        Ok(function) => Ok(machine.vm.pin(function)),
        Err(LuaError(message)) => Err(machine.vm.display(message)),
    };
    let scripts = &mut ctx.server.scripting.scripts;
    let function = match compiled {
        Ok(function) => function,
        Err(message) => {
            scripts.machine = Some(machine);
            let mut text = b"ERR Error compiling script (new function): ".to_vec();
            text.extend_from_slice(&message);
            return Err(Error::bytes(text));
        }
    };
    if from_eval {
        evict(scripts, &mut machine);
        scripts.uses += 1;
    }
    let used = if from_eval { scripts.uses } else { 0 };
    let index = scripts.find(digest).unwrap_or_else(|index| index);
    let script = Script { digest: *digest, body: body.into(), flags, function, used };
    scripts.cache.insert(index, Box::new(script));
    scripts.machine = Some(machine);
    Ok(index)
}

/// Makes room for one more script of EVAL.
fn evict(scripts: &mut crate::server::scripting::machines::Scripts, machine: &mut Machine) {
    let of_eval = scripts.cache.iter().enumerate().filter(|(_, script)| script.used > 0);
    if of_eval.clone().count() < EVAL_SCRIPTS_MAX {
        return;
    }
    if let Some((oldest, _)) = of_eval.min_by_key(|(_, script)| script.used) {
        machine.vm.unpin(scripts.cache.remove(oldest).function);
        scripts.evicted += 1;
    }
}

pub fn load(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let body = args.next()?;
    let digest = api::digest(body);
    let index = match ctx.server.scripting.scripts.find(&digest) {
        Ok(index) => index,
        Err(_) => compile(ctx, &digest, body, false)?,
    };
    // Who loads a script relies on it.
    ctx.server.scripting.scripts.cache[index].used = 0;
    reply.bulk(&api::hex(&digest));
    Ok(())
}

pub fn exist(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.array(args.left());
    for name in args.rest() {
        let found = digest_of(name).is_some_and(|digest| ctx.server.scripting.scripts.find(&digest).is_ok());
        reply.integer(i64::from(found));
    }
    Ok(())
}

pub fn flush(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let is_known = args.is_empty() || args.accept("ASYNC") || args.accept("SYNC");
    if !is_known || !args.is_empty() {
        return Err(Error::new("ERR SCRIPT FLUSH only support SYNC|ASYNC option"));
    }
    let scripts = &mut ctx.server.scripting.scripts;
    scripts.machine = None;
    scripts.cache = Vec::new();
    reply.ok();
    Ok(())
}

pub fn debug(_: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if args.accept("NO") {
        reply.ok();
        return Ok(());
    }
    if args.accept("YES") || args.accept("SYNC") {
        return Err(Error::new("ERR this server has no debugger for scripts"));
    }
    Err(Error::new("ERR Use SCRIPT DEBUG YES/SYNC/NO"))
}
