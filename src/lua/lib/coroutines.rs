//! `coroutine`.

use super::super::coroutine::{MAIN, Status};
use super::super::heap::{HostKind, Special};
use super::super::host::*;
use super::super::value::*;
use super::super::vm::Vm;

pub fn open(vm: &mut Vm) -> Result<()> {
    let functions: [(&str, Builtin); 4] =
        [("create", create), ("running", running), ("status", status), ("wrap", wrap)];
    let t = super::library(vm, "coroutine", &functions)?;
    super::special(vm, t, "resume", Special::Resume)?;
    super::special(vm, t, "yield", Special::Yield)?;
    Ok(())
}

fn new(vm: &mut Vm, args: Args) -> Result<Value> {
    let f @ Value::Function(_) = vm.arg(args, 0) else {
        return Err(vm.bad_argument(0, b"Lua function expected"));
    };
    vm.new_coroutine(f)
}

fn create(vm: &mut Vm, args: Args) -> Result<Step> {
    let co = new(vm, args)?;
    vm.push(co);
    Ok(Step::Return)
}

fn wrap(vm: &mut Vm, args: Args) -> Result<Step> {
    let co = new(vm, args)?;
    let f = vm.heap.host(HostKind::Special(Special::Wrapped), &[co])?;
    vm.push(Value::Host(f));
    Ok(Step::Return)
}

fn running(vm: &mut Vm, _: Args) -> Result<Step> {
    vm.push(if vm.current == MAIN { Value::Nil } else { Value::Coroutine(Coroutine(vm.current)) });
    Ok(Step::Return)
}

fn status(vm: &mut Vm, args: Args) -> Result<Step> {
    let Value::Coroutine(co) = vm.arg(args, 0) else {
        return Err(vm.bad_argument(0, b"coroutine expected"));
    };
    let status =
        if co.0 == vm.current { Status::Running } else { vm.heap.threads.items[co.0 as usize].status };
    vm.push_bytes(match status {
        Status::Suspended => b"suspended",
        Status::Running => b"running",
        Status::Normal => b"normal",
        Status::Dead => b"dead",
    })?;
    Ok(Step::Return)
}
