//! What scripts see besides Lua's libraries: the table `redis`, and globals that nobody can change.

use crate::lua::{Result, Table, Value, Vm, lib};
use crate::server::VERSION;
use crate::server::scripting::machines::Machine;

use super::api::Function;

/// Many small scripts in a row leave the heap as small as it is.
const COLLECTION_BYTES_MIN: usize = 48 << 10;

/// `REDIS_VERSION_NUM`: a byte each for major, minor and patch.
fn version_number() -> f64 {
    VERSION.split('.').fold(0.0, |sum, part| sum * 256.0 + part.parse().unwrap_or(0.0))
}

/// EVAL's machine.
pub fn for_scripts(memory_bytes_max: usize) -> Result<Box<Machine>> {
    let mut vm = new_vm(memory_bytes_max)?;
    let redis = redis_table(&mut vm)?;
    add_functions(
        &mut vm,
        redis,
        &[
            ("breakpoint", Function::Breakpoint),
            ("debug", Function::Debug),
            ("replicate_commands", Function::ReplicateCommands),
        ],
    )?;
    let globals = vm.globals();
    add_functions(&mut vm, globals, &[("__redis__err__handler", Function::ErrorHandler)])?;
    lock_globals(&mut vm, globals)?;
    vm.pin(Value::Table(globals));
    Ok(Box::new(Machine { vm, globals, while_loading: None }))
}

/// FCALL's machine. Its functions see empty globals, whose metatable shows either what functions may use or, while a
/// library is loaded, little more than `redis.register_function`.
pub fn for_functions(memory_bytes_max: usize) -> Result<Box<Machine>> {
    let mut vm = new_vm(memory_bytes_max)?;
    redis_table(&mut vm)?;
    let real = vm.globals();
    lock_globals(&mut vm, real)?;
    let loading = vm.new_table(0, 1)?;
    let redis = vm.new_table(0, 8)?;
    add_functions(&mut vm, redis, &[("register_function", Function::Register)])?;
    add_log_and_version(&mut vm, redis)?;
    set_error_metatable(&mut vm, redis)?;
    vm.raw_set_bytes(loading, b"redis", Value::Table(redis))?;
    set_error_metatable(&mut vm, loading)?;
    lock(&mut vm, loading);
    let globals = vm.new_table(0, 0)?;
    let meta = vm.new_table(0, 1)?;
    vm.raw_set_bytes(meta, b"__index", Value::Table(real))?;
    vm.set_metatable(globals, Some(meta));
    vm.set_readonly(meta, true);
    vm.set_readonly(globals, true);
    for table in [real, loading, globals] {
        vm.pin(Value::Table(table));
    }
    vm.set_globals(globals);
    Ok(Box::new(Machine { vm, globals, while_loading: Some((meta, real, loading)) }))
}

fn new_vm(memory_bytes_max: usize) -> Result<Vm> {
    let mut vm = Vm::new(memory_bytes_max)?;
    lib::open_all(&mut vm)?;
    lib::open_formats(&mut vm)?;
    vm.set_collection_min(COLLECTION_BYTES_MIN);
    vm.pcall_gives_text = true;
    Ok(vm)
}

fn redis_table(vm: &mut Vm) -> Result<Table> {
    let redis = vm.new_table(0, 32)?;
    add_functions(
        vm,
        redis,
        &[
            ("call", Function::Call),
            ("pcall", Function::Pcall),
            ("setresp", Function::SetResp),
            ("sha1hex", Function::Sha1Hex),
            ("error_reply", Function::ErrorReply),
            ("status_reply", Function::StatusReply),
            ("set_repl", Function::SetRepl),
            ("acl_check_cmd", Function::AclCheckCmd),
        ],
    )?;
    let targets = [
        ("REPL_NONE", 0.0),
        ("REPL_AOF", 1.0),
        ("REPL_SLAVE", 2.0),
        ("REPL_REPLICA", 2.0),
        ("REPL_ALL", 3.0),
    ];
    for (name, number) in targets {
        vm.raw_set_bytes(redis, name.as_bytes(), Value::Number(number))?;
    }
    add_log_and_version(vm, redis)?;
    vm.set_global("redis", Value::Table(redis))?;
    Ok(redis)
}

fn add_log_and_version(vm: &mut Vm, redis: Table) -> Result<()> {
    add_functions(vm, redis, &[("log", Function::Log)])?;
    let numbers = [
        ("LOG_DEBUG", 0.0),
        ("LOG_VERBOSE", 1.0),
        ("LOG_NOTICE", 2.0),
        ("LOG_WARNING", 3.0),
        ("REDIS_VERSION_NUM", version_number()),
    ];
    for (name, number) in numbers {
        vm.raw_set_bytes(redis, name.as_bytes(), Value::Number(number))?;
    }
    let version = vm.new_string(VERSION.as_bytes())?;
    vm.raw_set_bytes(redis, b"REDIS_VERSION", version)
}

fn add_functions(vm: &mut Vm, table: Table, functions: &[(&str, Function)]) -> Result<()> {
    for (name, function) in functions {
        let function = vm.host_function(*function as u32)?;
        vm.raw_set_bytes(table, name.as_bytes(), function)?;
    }
    Ok(())
}

/// What is not there is an error instead of nil.
fn set_error_metatable(vm: &mut Vm, table: Table) -> Result<()> {
    let meta = vm.new_table(0, 1)?;
    let missing = vm.host_function(Function::MissingGlobal as u32)?;
    vm.raw_set_bytes(meta, b"__index", missing)?;
    vm.set_metatable(table, Some(meta));
    Ok(())
}

fn lock_globals(vm: &mut Vm, globals: Table) -> Result<()> {
    set_error_metatable(vm, globals)?;
    lock(vm, globals);
    if let Some(meta) = vm.string_metatable() {
        lock(vm, meta);
    }
    Ok(())
}

/// Makes a table read-only with all that can be reached from it.
fn lock(vm: &mut Vm, table: Table) {
    let mut found = vec![table];
    while let Some(table) = found.pop() {
        if vm.is_readonly(table) {
            continue;
        }
        vm.set_readonly(table, true);
        found.extend(vm.metatable(table));
        let mut key = Value::Nil;
        while let Some((next, value)) = vm.next(table, key).filter(|(next, _)| !next.is_nil()) {
            if let Value::Table(inner) = value {
                found.push(inner);
            }
            key = next;
        }
    }
}
