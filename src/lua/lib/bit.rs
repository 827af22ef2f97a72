//! `bit`: operations on 32-bit integers.

use super::super::host::*;
use super::super::value::*;
use super::super::vm::Vm;

pub fn open(vm: &mut Vm) -> Result<()> {
    super::library(
        vm,
        "bit",
        &[
            ("arshift", |vm, a| shift(vm, a, |x, n| (x as i32 >> n) as u32)),
            ("band", |vm, a| fold(vm, a, |x, y| x & y)),
            ("bnot", |vm, a| one(vm, a, |x| !x)),
            ("bor", |vm, a| fold(vm, a, |x, y| x | y)),
            ("bswap", |vm, a| one(vm, a, u32::swap_bytes)),
            ("bxor", |vm, a| fold(vm, a, |x, y| x ^ y)),
            ("lshift", |vm, a| shift(vm, a, |x, n| x << n)),
            ("rol", |vm, a| shift(vm, a, u32::rotate_left)),
            ("ror", |vm, a| shift(vm, a, u32::rotate_right)),
            ("rshift", |vm, a| shift(vm, a, |x, n| x >> n)),
            ("tobit", |vm, a| one(vm, a, |x| x)),
            ("tohex", tohex),
        ],
    )?;
    Ok(())
}

/// The low 32 bits of a number rounded to an integer, found as the low bits of a sum with 2^52 + 2^51.
fn bits(n: f64) -> u32 {
    (n + 6755399441055744.0).to_bits() as u32
}

fn check(vm: &mut Vm, args: Args, i: usize) -> Result<u32> {
    Ok(bits(vm.check_number(args, i)?))
}

fn finish(vm: &mut Vm, bits: u32) -> Result<Step> {
    vm.push(Value::Number(bits as i32 as f64));
    Ok(Step::Return)
}

fn one(vm: &mut Vm, args: Args, f: fn(u32) -> u32) -> Result<Step> {
    let x = check(vm, args, 0)?;
    finish(vm, f(x))
}

fn fold(vm: &mut Vm, args: Args, f: fn(u32, u32) -> u32) -> Result<Step> {
    let mut x = check(vm, args, 0)?;
    // From the last on, as LuaBitOp: it decides which wrong argument is told.
    for i in (1..args.n).rev() {
        x = f(x, check(vm, args, i)?);
    }
    finish(vm, x)
}

fn shift(vm: &mut Vm, args: Args, f: fn(u32, u32) -> u32) -> Result<Step> {
    let x = check(vm, args, 0)?;
    let n = check(vm, args, 1)? & 31;
    finish(vm, f(x, n))
}

fn tohex(vm: &mut Vm, args: Args) -> Result<Step> {
    let mut x = check(vm, args, 0)?;
    let n = if args.n < 2 { 8 } else { check(vm, args, 1)? as i32 };
    let digits: &[u8; 16] = if n < 0 { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let count = n.unsigned_abs().min(8) as usize;
    let mut text = [0u8; 8];
    for place in text[..count].iter_mut().rev() {
        *place = digits[(x & 15) as usize];
        x >>= 4;
    }
    vm.push_bytes(&text[..count])?;
    Ok(Step::Return)
}
