//! `os.clock`, the only part of `os` that a sandbox keeps. The host sets the time.

use super::super::host::*;
use super::super::value::*;
use super::super::vm::Vm;

pub fn open(vm: &mut Vm) -> Result<()> {
    super::library(vm, "os", &[("clock", clock)])?;
    Ok(())
}

fn clock(vm: &mut Vm, _: Args) -> Result<Step> {
    vm.push(Value::Number(vm.clock_now()));
    Ok(Step::Return)
}
