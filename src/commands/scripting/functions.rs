//! Libraries of functions: FUNCTION and FCALL.

use crate::command::{Args, Ctx, Registry};
use crate::data::glob;
use crate::format_error;
use crate::lua::{Args as LuaArgs, Outcome, Pin, Result as LuaResult, Table, Value, Vm};
use crate::persist::{Reader, dump, file};
use crate::resp::ReplyWriter;
use crate::resp::quoted;
use crate::server::Server;
use crate::server::error::{Error, Result};
use crate::server::scripting::machines::{Function, Library, Machine};
use crate::server::scripting::{Flags, Kind, with_word};

use super::api::{RedisHost, raised};
use super::scripts::{key_count, out_of_memory, table_of};
use super::{environment, run};

/// Instructions that loading a library may take.
const LOAD_STEPS_MAX: u64 = 20_000_000;

const NAME_RULE: &str = "Library names can only contain letters, numbers, or underscores(_) and must be at least one \
                         character long";

pub fn call(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, read_only: bool) -> Result {
    ctx.show_to_monitors();
    let name = args.next()?;
    let Ok(index) = ctx.server.scripting.functions.find(name) else {
        return Err(Error::new("ERR Function not found"));
    };
    let keys = key_count(args, Error::new("ERR Bad number of keys provided"))?;
    let function = &ctx.server.scripting.functions.functions[index];
    let (flags, callback, name) = (function.flags, function.callback, function.name.clone());
    run::check(ctx, flags, read_only)?;
    let mut machine = take_machine(ctx.server)?;
    let vm = &mut machine.vm;
    vm.set_globals(machine.globals);
    let mut words = args.rest();
    let mut table = |vm: &mut Vm, count: usize| table_of(vm, words.by_ref().take(count));
    let prepared = table(vm, keys).and_then(|keys| {
        let arguments = table(vm, usize::MAX)?;
        let callback = vm.pinned(callback);
        vm.start(callback, &[keys, arguments])
    });
    if let Err(error) = prepared {
        ctx.server.scripting.functions.machine = Some(machine);
        return Err(out_of_memory(error));
    }
    run::start(ctx, reply, machine, Kind::Function, &name, (flags, read_only))
}

fn take_machine(server: &mut Server) -> Result<Box<Machine>> {
    match server.scripting.functions.machine.take() {
        Some(machine) => Ok(machine),
        None => environment::for_functions(server.scripting.memory_bytes_max).map_err(out_of_memory),
    }
}

// Loading.

/// The functions that a library registers while it is loaded.
#[derive(Default)]
pub struct Loading {
    functions: Vec<Function>,
}

/// A library that has been compiled and is in no list yet.
pub struct Loaded {
    library: Library,
    functions: Vec<Function>,
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// The name in a first line `#!lua name=…`, and the code after it, which begins with its line end.
fn read_first_line(code: &[u8]) -> Result<(Box<[u8]>, &[u8])> {
    if !code.starts_with(b"#!") {
        return Err(Error::new("ERR Missing library metadata"));
    }
    const INVALID: Error = Error::new("ERR Invalid library metadata");
    let end = memchr::memchr(b'\n', code).ok_or(INVALID)?;
    let invalid = |_| INVALID;
    let words = quoted::split(&code[..end]).map_err(invalid)?;
    let mut words = words.iter().map(Vec::as_slice);
    let engine = words.next().ok_or(INVALID)?;
    let mut name: Option<Box<[u8]>> = None;
    for word in words {
        let is_name = word.len() >= 5 && word[..5].eq_ignore_ascii_case(b"name=");
        if !is_name {
            return Err(with_word("ERR Invalid metadata value given: ", word));
        }
        if name.is_some() {
            return Err(Error::new("ERR Invalid metadata value, name argument was given multiple times"));
        }
        name = Some(word[5..].into());
    }
    let name = name.ok_or(Error::new("ERR Library name was not given"))?;
    if !self::is_name(&name) {
        return Err(format_error!("ERR {NAME_RULE}"));
    }
    let engine = engine.get(2..).unwrap_or_default();
    if !engine.eq_ignore_ascii_case(b"lua") {
        return Err(Error::bytes([b"ERR Engine '", engine, b"' not found"].concat()));
    }
    Ok((name, &code[end..]))
}

/// Compiles a library and lets it register its functions.
fn compile(server: &mut Server, registry: &Registry, code: &[u8], is_known: bool) -> Result<Loaded> {
    let (name, body) = read_first_line(code)?;
    if is_known {
        already_there(server, &name)?;
    }
    let mut machine = take_machine(server)?;
    let mut loading = Loading::default();
    let outcome = register_all(server, registry, &mut machine, body, &mut loading);
    machine.vm.abort();
    let failed = outcome
        .err()
        .or_else(|| loading.functions.is_empty().then_some(Error::new("ERR No functions registered")));
    for function in &mut loading.functions {
        function.library = name.clone();
        if failed.is_some() {
            machine.vm.unpin(function.callback);
        }
    }
    server.scripting.functions.machine = Some(machine);
    match failed {
        Some(error) => Err(error),
        None => Ok(Loaded { library: Library { name, code: code.into() }, functions: loading.functions }),
    }
}

fn already_there(server: &Server, name: &[u8]) -> Result {
    match server.scripting.functions.find_library(name) {
        Ok(_) => Err(Error::bytes([b"ERR Library '", name, b"' already exists"].concat())),
        Err(_) => Ok(()),
    }
}

fn register_all(
    server: &mut Server,
    registry: &Registry,
    machine: &mut Machine,
    body: &[u8],
    loading: &mut Loading,
) -> Result {
    let Machine { vm, globals, while_loading } = machine;
    vm.set_globals(*globals);
    let text = |prefix: &str, text: &[u8]| Error::bytes([prefix.as_bytes(), text].concat());
    let function = match vm.load(b"@user_function", body) {
        Ok(function) => function,
        Err(error) => return Err(text("ERR Error compiling function: ", &vm.display(error.0))),
    };
    show(vm, *while_loading, true).map_err(out_of_memory)?;
    let outcome = match vm.start(function, &[]) {
        Ok(()) => {
            let mut host = RedisHost {
                server,
                registry,
                scratch: Default::default(),
                running: None,
                loading: Some(loading),
            };
            vm.run(&mut host, LOAD_STEPS_MAX)
        }
        Err(error) => Outcome::Failed(error.0),
    };
    show(vm, *while_loading, false).map_err(out_of_memory)?;
    const FAILED: &str = "ERR Error registering functions: ";
    match outcome {
        Outcome::Done => Ok(()),
        Outcome::Paused => Err(text(FAILED, b"ERR FUNCTION LOAD timeout")),
        Outcome::Failed(Value::Table(table)) => {
            let message = vm.raw_get_bytes(table, b"err");
            Err(text(FAILED, &vm.display(message)))
        }
        Outcome::Failed(message) => Err(text(FAILED, &[b"ERR ", &vm.display(message)[..]].concat())),
    }
}

/// Turns the globals that functions see into those that a library being loaded sees, or back.
fn show(vm: &mut Vm, tables: Option<(Table, Table, Table)>, is_loading: bool) -> LuaResult<()> {
    let Some((meta, real, loading)) = tables else { return Ok(()) };
    vm.raw_set_bytes(meta, b"__index", Value::Table(if is_loading { loading } else { real }))
}

impl Loading {
    /// redis.register_function.
    pub fn register(&mut self, vm: &mut Vm, args: LuaArgs) -> LuaResult<()> {
        let function = match args.n {
            1 => named(vm, args),
            2 => positional(vm, args),
            _ => Err("wrong number of arguments to redis.register_function"),
        };
        let function = function.and_then(|function| {
            if !is_name(&function.name) {
                return Err(NAME_RULE);
            }
            if self.functions.iter().any(|known| known.name == function.name) {
                return Err("Function already exists in the library");
            }
            Ok(function)
        });
        match function {
            Ok(function) => {
                self.functions.push(function);
                Ok(())
            }
            Err(text) => Err(raised(vm, text)),
        }
    }
}

fn text_of(vm: &Vm, value: Value) -> Option<Box<[u8]>> {
    match value {
        Value::Str(_) | Value::Number(_) => Some(vm.display(value).into()),
        _ => None,
    }
}

fn is_function(value: Value) -> bool {
    matches!(value, Value::Function(_) | Value::Host(_))
}

fn positional(vm: &mut Vm, args: LuaArgs) -> std::result::Result<Function, &'static str> {
    let name =
        text_of(vm, vm.arg(args, 0)).ok_or("first argument to redis.register_function must be a string")?;
    let callback = vm.arg(args, 1);
    if !is_function(callback) {
        return Err("second argument to redis.register_function must be a function");
    }
    let callback = vm.pin(callback);
    Ok(Function { name, library: Box::default(), description: None, flags: Flags::NONE, callback })
}

fn named(vm: &mut Vm, args: LuaArgs) -> std::result::Result<Function, &'static str> {
    let Value::Table(table) = vm.arg(args, 0) else {
        return Err(
            "calling redis.register_function with a single argument is only applicable to Lua table (representing \
             named arguments).",
        );
    };
    let (mut name, mut description, mut callback, mut flags) = (None, None, None, Flags::NONE);
    let mut key = Value::Nil;
    while let Some((next, value)) = vm.next(table, key).filter(|(next, _)| !next.is_nil()) {
        key = next;
        let argument = text_of(vm, key)
            .ok_or("named argument key given to redis.register_function is not a string")?
            .to_ascii_lowercase();
        match argument.as_slice() {
            b"function_name" => {
                let text = text_of(vm, value);
                name = Some(
                    text.ok_or("function_name argument given to redis.register_function must be a string")?,
                );
            }
            b"description" => {
                let text = text_of(vm, value);
                description = Some(
                    text.ok_or("description argument given to redis.register_function must be a string")?,
                );
            }
            b"callback" if is_function(value) => callback = Some(value),
            b"callback" => {
                return Err("callback argument given to redis.register_function must be a function");
            }
            b"flags" => {
                let Value::Table(list) = value else {
                    return Err(
                        "flags argument to redis.register_function must be a table representing function flags",
                    );
                };
                flags = flags_of(vm, list).ok_or("unknown flag given")?;
            }
            _ => return Err("unknown argument given to redis.register_function"),
        }
    }
    let name = name.ok_or("redis.register_function must get a function name argument")?;
    let callback = callback.ok_or("redis.register_function must get a callback argument")?;
    let callback = vm.pin(callback);
    Ok(Function { name, library: Box::default(), description, flags, callback })
}

fn flags_of(vm: &Vm, list: Table) -> Option<Flags> {
    let mut flags = Flags::NONE;
    for index in 1.. {
        let value = vm.raw_get_index(list, index);
        if value.is_nil() {
            break;
        }
        flags.add(Flags::from_name(&text_of(vm, value)?.to_ascii_lowercase())?);
    }
    Some(flags)
}

/// Puts a library into the lists; `replace` takes another of the same name away.
fn link(server: &mut Server, loaded: Loaded, replace: bool) -> Result {
    let name = &loaded.library.name;
    let functions = &server.scripting.functions;
    let taken = loaded.functions.iter().find(|function| {
        let known = functions.find(&function.name).ok().map(|index| &functions.functions[index]);
        known.is_some_and(|known| !(replace && known.library == *name))
    });
    let error =
        taken.map(|taken| Error::bytes([b"ERR Function ", &*taken.name, b" already exists"].concat()));
    if let Some(error) = error {
        forget(server, loaded.functions);
        return Err(error);
    }
    if replace {
        remove(server, &loaded.library.name);
    }
    let functions = &mut server.scripting.functions;
    for function in loaded.functions {
        let index = functions.find(&function.name).unwrap_or_else(|index| index);
        functions.functions.insert(index, Box::new(function));
    }
    let index = functions.find_library(&loaded.library.name).unwrap_or_else(|index| index);
    functions.libraries.insert(index, Box::new(loaded.library));
    Ok(())
}

/// Lets the machine collect what no list holds any more.
fn forget(server: &mut Server, functions: Vec<Function>) {
    unpin(server, functions.into_iter().map(|function| function.callback));
}

fn unpin(server: &mut Server, callbacks: impl Iterator<Item = Pin>) {
    if let Some(machine) = &mut server.scripting.functions.machine {
        callbacks.for_each(|callback| machine.vm.unpin(callback));
    }
}

/// Takes a library away; false when there is none of this name.
fn remove(server: &mut Server, name: &[u8]) -> bool {
    let functions = &mut server.scripting.functions;
    let Ok(index) = functions.find_library(name) else { return false };
    functions.libraries.remove(index);
    let mut callbacks = Vec::new();
    functions.functions.retain(|function| {
        let stays = *function.library != *name;
        if !stays {
            callbacks.push(function.callback);
        }
        stays
    });
    unpin(server, callbacks.into_iter());
    true
}

/// Loads the code of a library: FUNCTION LOAD, and what a snapshot brings. The library's name.
pub fn load_library(
    server: &mut Server,
    registry: &Registry,
    code: &[u8],
    replace: bool,
) -> Result<Box<[u8]>> {
    let loaded = compile(server, registry, code, !replace)?;
    let name = loaded.library.name.clone();
    link(server, loaded, replace)?;
    Ok(name)
}

pub fn load(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let mut replace = false;
    while args.left() > 1 {
        let word = args.next()?;
        if !word.eq_ignore_ascii_case(b"replace") {
            return Err(with_word("ERR Unknown option given: ", word));
        }
        replace = true;
    }
    let code = args.next()?;
    let name = load_library(ctx.server, ctx.registry, code, replace)?;
    ctx.propagate_always();
    reply.bulk(&name);
    Ok(())
}

// Managing.

pub fn delete(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if !remove(ctx.server, args.next()?) {
        return Err(Error::new("ERR Library not found"));
    }
    ctx.propagate_always();
    reply.ok();
    Ok(())
}

pub fn flush(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if args.left() > 1 {
        return Err(syntax_error(ctx));
    }
    if !(args.is_empty() || args.accept("ASYNC") || args.accept("SYNC")) {
        return Err(Error::new("ERR FUNCTION FLUSH only supports SYNC|ASYNC option"));
    }
    flush_all(ctx.server);
    ctx.propagate_always();
    reply.ok();
    Ok(())
}

/// Removes all libraries.
pub fn flush_all(server: &mut Server) {
    server.scripting.functions = Default::default();
}

/// What precedes a library in a snapshot.
const LIBRARY: u8 = 245;
/// What preceded one before Redis 7.0 was done.
const OLD_LIBRARY: u8 = 246;

pub fn dump(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let compresses = ctx.server.config.text_of("rdbcompression") == b"yes";
    reply.bulk(&file::libraries(&ctx.server.scripting.sources(), compresses));
    Ok(())
}

pub fn restore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let payload = args.next()?;
    if args.left() > 1 {
        return Err(syntax_error(ctx));
    }
    let (flushes, replaces) = match args.peek().map(<[u8]>::to_ascii_lowercase).as_deref() {
        None | Some(b"append") => (false, false),
        Some(b"replace") => (false, true),
        Some(b"flush") => (true, false),
        Some(_) => {
            return Err(Error::new(
                "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
            ));
        }
    };
    let payload = dump::open(payload, !ctx.server.persistence.skips_checksums)
        .map_err(|_| Error::new("ERR DUMP payload version or checksum are wrong"))?;
    let codes = codes_of(payload)?;
    let mut loaded: Vec<Loaded> = Vec::new();
    for code in &codes {
        let one = compile(ctx.server, ctx.registry, code, false);
        let one = one.and_then(|one| match clash(&loaded, &one) {
            None => Ok(one),
            Some(error) => {
                forget(ctx.server, one.functions);
                Err(error)
            }
        });
        match one {
            Ok(one) => loaded.push(one),
            Err(error) => return give_up(ctx.server, loaded, error),
        }
    }
    if !flushes && let Err(error) = check_join(ctx.server, &loaded, replaces) {
        return give_up(ctx.server, loaded, error);
    }
    let old: Vec<Box<[u8]>> = match flushes {
        true => ctx.server.scripting.functions.libraries.iter().map(|library| library.name.clone()).collect(),
        false => loaded.iter().map(|one| one.library.name.clone()).collect(),
    };
    for name in old {
        remove(ctx.server, &name);
    }
    for one in loaded {
        link(ctx.server, one, false)?;
    }
    ctx.propagate_always();
    reply.ok();
    Ok(())
}

fn give_up(server: &mut Server, loaded: Vec<Loaded>, error: Error) -> Result {
    for one in loaded {
        forget(server, one.functions);
    }
    Err(error)
}

/// The codes of the libraries in an opened payload.
fn codes_of(payload: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut reader = Reader::new(payload);
    let mut codes = Vec::new();
    while !reader.is_empty() {
        match reader.byte() {
            Ok(LIBRARY) => {}
            Ok(OLD_LIBRARY) => return Err(Error::new("ERR Pre-GA function format not supported")),
            Ok(_) => return Err(Error::new("ERR given type is not a function")),
            Err(_) => return Err(Error::new("ERR can not read data type")),
        }
        let code = reader.string();
        codes.push(code.map_err(|_| Error::new("ERR Failed loading library code"))?.into_owned());
    }
    Ok(codes)
}

/// What two libraries of one payload may not share.
fn clash(loaded: &[Loaded], one: &Loaded) -> Option<Error> {
    if loaded.iter().any(|other| other.library.name == one.library.name) {
        return Some(Error::bytes([b"ERR Library '", &*one.library.name, b"' already exists"].concat()));
    }
    let taken = |function: &&Function| {
        let mut others = loaded.iter().flat_map(|other| &other.functions);
        others.any(|other| other.name.eq_ignore_ascii_case(&function.name))
    };
    let taken = one.functions.iter().find(taken)?;
    Some(Error::bytes([b"ERR Function ", &*taken.name, b" already exists"].concat()))
}

/// Whether libraries may stand beside those that are there, taking the place of those of their names if that is wanted.
fn check_join(server: &Server, loaded: &[Loaded], replaces: bool) -> Result {
    let functions = &server.scripting.functions;
    let is_new = |name: &[u8]| loaded.iter().any(|one| *one.library.name == *name);
    if !replaces && let Some(known) = functions.libraries.iter().find(|known| is_new(&known.name)) {
        return Err(Error::bytes([b"ERR Library ", &*known.name, b" already exists"].concat()));
    }
    for function in loaded.iter().flat_map(|one| &one.functions) {
        if let Ok(index) = functions.find(&function.name)
            && !is_new(&functions.functions[index].library)
        {
            return Err(Error::bytes([b"ERR Function ", &*function.name, b" already exists"].concat()));
        }
    }
    Ok(())
}

/// For a subcommand with too many arguments, under the name by which it was called.
fn syntax_error(ctx: &Ctx) -> Error {
    let request = ctx.request();
    let name = request.iter().nth(1).unwrap_or_default();
    format_error!(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try FUNCTION HELP.",
        String::from_utf8_lossy(name)
    )
}

pub fn list(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (mut pattern, mut with_code) = (None, false);
    while let Some(word) = args.peek() {
        if !with_code && args.accept("WITHCODE") {
            with_code = true;
        } else if pattern.is_none() && args.accept("LIBRARYNAME") {
            if args.is_empty() {
                return Err(Error::new("ERR library name argument was not given"));
            }
            pattern = Some(args.next()?.to_ascii_lowercase());
        } else {
            return Err(with_word("ERR Unknown argument ", word));
        }
    }
    let functions = &ctx.server.scripting.functions;
    let fits = |library: &&Library| {
        let name = library.name.to_ascii_lowercase();
        pattern.as_ref().is_none_or(|pattern| glob::matches(pattern, &name))
    };
    let libraries: Vec<&Library> =
        functions.libraries.iter().map(|library| &**library).filter(fits).collect();
    reply.array(libraries.len());
    for library in libraries {
        reply.map(3 + usize::from(with_code));
        reply.bulk_str("library_name");
        reply.bulk(&library.name);
        reply.bulk_str("engine");
        reply.bulk_str("LUA");
        reply.bulk_str("functions");
        let of_library = || functions.functions.iter().filter(|function| function.library == library.name);
        reply.array(of_library().count());
        for function in of_library() {
            reply.map(3);
            reply.bulk_str("name");
            reply.bulk(&function.name);
            reply.bulk_str("description");
            reply.bulk_or_null(function.description.as_deref());
            reply.bulk_str("flags");
            reply.set(function.flags.names().count());
            for name in function.flags.names() {
                reply.simple(name);
            }
        }
        if with_code {
            reply.bulk_str("library_code");
            reply.bulk(&library.code);
        }
    }
    Ok(())
}

pub fn stats(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    if let Some(running) =
        ctx.server.scripting.running.as_ref().filter(|running| running.kind == Kind::Script)
    {
        return Err(running.busy_error());
    }
    reply.map(2);
    reply.bulk_str("running_script");
    match &ctx.server.scripting.running {
        None => reply.null(),
        Some(running) => {
            reply.map(3);
            reply.bulk_str("name");
            reply.bulk(&running.name);
            reply.bulk_str("command");
            reply.array(running.request.spans.len());
            running.request.iter().for_each(|word| reply.bulk(word));
            reply.bulk_str("duration_ms");
            reply.integer((ctx.server.now_ms - running.started_at_ms) as i64);
        }
    }
    let functions = &ctx.server.scripting.functions;
    reply.bulk_str("engines");
    reply.map(1);
    reply.bulk_str("LUA");
    reply.map(2);
    reply.bulk_str("libraries_count");
    reply.count(functions.libraries.len());
    reply.bulk_str("functions_count");
    reply.count(functions.functions.len());
    Ok(())
}
