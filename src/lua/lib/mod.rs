//! The libraries, one a file. A host opens those it wants and removes what it does not want.

use super::heap::{HostKind, Special};
use super::host::Builtin;
use super::value::*;
use super::vm::Vm;

pub mod base;
pub mod bit;
pub mod cjson;
pub mod cmsgpack;
pub mod coroutines;
mod format;
mod json_text;
pub mod math;
pub mod os;
mod pattern;
mod sort;
pub mod string;
pub mod structs;
pub mod tables;

/// Lua 5.1's own libraries, as far as they do not touch the world outside.
pub fn open_all(vm: &mut Vm) -> Result<()> {
    base::open(vm)?;
    coroutines::open(vm)?;
    string::open(vm)?;
    tables::open(vm)?;
    math::open(vm)?;
    os::open(vm)
}

/// The libraries for data formats: `bit`, `cjson`, `cmsgpack`, `struct`.
pub fn open_formats(vm: &mut Vm) -> Result<()> {
    bit::open(vm)?;
    cjson::open(vm)?;
    cmsgpack::open(vm)?;
    structs::open(vm)
}

/// A global table with functions; the existing one if there is one.
fn library(vm: &mut Vm, name: &str, functions: &[(&str, Builtin)]) -> Result<Table> {
    let table = match vm.global(name) {
        Value::Table(t) => t,
        _ => {
            let t = vm.new_table(0, functions.len())?;
            vm.set_global(name, Value::Table(t))?;
            t
        }
    };
    add(vm, table, functions)?;
    Ok(table)
}

fn add(vm: &mut Vm, table: Table, functions: &[(&str, Builtin)]) -> Result<()> {
    for (name, f) in functions {
        let f = vm.heap.host(HostKind::Builtin(*f), &[])?;
        vm.raw_set_bytes(table, name.as_bytes(), Value::Host(f))?;
    }
    Ok(())
}

fn special(vm: &mut Vm, table: Table, name: &str, which: Special) -> Result<Value> {
    let f = Value::Host(vm.heap.host(HostKind::Special(which), &[])?);
    vm.raw_set_bytes(table, name.as_bytes(), f)?;
    Ok(f)
}
