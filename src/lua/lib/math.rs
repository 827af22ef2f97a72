//! `math`, with the libm crate, so that results do not depend on the platform.

use super::super::host::*;
use super::super::number::{power, to_integer};
use super::super::random::Random;
use super::super::value::*;
use super::super::vm::Vm;

pub fn open(vm: &mut Vm) -> Result<()> {
    let t = super::library(
        vm,
        "math",
        &[
            ("abs", |vm, a| one(vm, a, f64::abs)),
            ("acos", |vm, a| one(vm, a, libm::acos)),
            ("asin", |vm, a| one(vm, a, libm::asin)),
            ("atan", |vm, a| one(vm, a, libm::atan)),
            ("atan2", |vm, a| two(vm, a, libm::atan2)),
            ("ceil", |vm, a| one(vm, a, f64::ceil)),
            ("cos", |vm, a| one(vm, a, libm::cos)),
            ("cosh", |vm, a| one(vm, a, libm::cosh)),
            ("deg", |vm, a| one(vm, a, |x| x / (std::f64::consts::PI / 180.0))),
            ("exp", |vm, a| one(vm, a, libm::exp)),
            ("floor", |vm, a| one(vm, a, f64::floor)),
            ("fmod", |vm, a| two(vm, a, fmod)),
            ("frexp", frexp),
            ("ldexp", ldexp),
            ("log", |vm, a| one(vm, a, libm::log)),
            ("log10", |vm, a| one(vm, a, libm::log10)),
            ("max", |vm, a| fold(vm, a, |x, y| if y > x { y } else { x })),
            ("min", |vm, a| fold(vm, a, |x, y| if y < x { y } else { x })),
            ("mod", |vm, a| two(vm, a, fmod)),
            ("modf", modf),
            ("pow", |vm, a| two(vm, a, power)),
            ("rad", |vm, a| one(vm, a, |x| x * (std::f64::consts::PI / 180.0))),
            ("random", random),
            ("randomseed", randomseed),
            ("sin", |vm, a| one(vm, a, libm::sin)),
            ("sinh", |vm, a| one(vm, a, libm::sinh)),
            ("sqrt", |vm, a| one(vm, a, f64::sqrt)),
            ("tan", |vm, a| one(vm, a, libm::tan)),
            ("tanh", |vm, a| one(vm, a, libm::tanh)),
        ],
    )?;
    vm.raw_set_bytes(t, b"pi", Value::Number(std::f64::consts::PI))?;
    vm.raw_set_bytes(t, b"huge", Value::Number(f64::INFINITY))
}

/// Invalid operations give the NaN x86 gives.
fn number(r: f64, x: f64, y: f64) -> Value {
    Value::Number(if r.is_nan() { super::super::meta::nan(x, y) } else { r })
}

fn one(vm: &mut Vm, args: Args, f: fn(f64) -> f64) -> Result<Step> {
    let x = vm.check_number(args, 0)?;
    vm.push(number(f(x), x, 0.0));
    Ok(Step::Return)
}

fn two(vm: &mut Vm, args: Args, f: fn(f64, f64) -> f64) -> Result<Step> {
    // The order in which lua5.1 finds wrong arguments.
    let y = vm.check_number(args, 1)?;
    let x = vm.check_number(args, 0)?;
    vm.push(number(f(x, y), x, y));
    Ok(Step::Return)
}

fn fmod(x: f64, y: f64) -> f64 {
    libm::fmod(x, y)
}

fn fold(vm: &mut Vm, args: Args, f: fn(f64, f64) -> f64) -> Result<Step> {
    let mut best = vm.check_number(args, 0)?;
    for i in 1..args.n {
        best = f(best, vm.check_number(args, i)?);
    }
    vm.push(Value::Number(best));
    Ok(Step::Return)
}

fn frexp(vm: &mut Vm, args: Args) -> Result<Step> {
    let (mantissa, exponent) = libm::frexp(vm.check_number(args, 0)?);
    vm.push(Value::Number(mantissa));
    vm.push(Value::Number(exponent as f64));
    Ok(Step::Return)
}

fn ldexp(vm: &mut Vm, args: Args) -> Result<Step> {
    let exponent = vm.check_integer(args, 1)? as i32;
    let x = vm.check_number(args, 0)?;
    vm.push(Value::Number(libm::ldexp(x, exponent.clamp(-5000, 5000))));
    Ok(Step::Return)
}

fn modf(vm: &mut Vm, args: Args) -> Result<Step> {
    let x = vm.check_number(args, 0)?;
    let whole = x.trunc();
    let fraction = if x.is_infinite() { 0.0_f64.copysign(x) } else { (x - whole).copysign(x) };
    vm.push(Value::Number(whole));
    vm.push(Value::Number(if x.is_nan() { x } else { fraction }));
    Ok(Step::Return)
}

fn random(vm: &mut Vm, args: Args) -> Result<Step> {
    let r = (vm.random.draw() % i32::MAX as u32) as f64 / (i32::MAX as f64);
    let n = match args.n {
        0 => r,
        1 => {
            let high = vm.check_int(args, 0)?;
            if high < 1 {
                return Err(vm.bad_argument(0, b"interval is empty"));
            }
            (r * high as f64).floor() + 1.0
        }
        2 => {
            let (low, high) = (vm.check_int(args, 0)?, vm.check_int(args, 1)?);
            if low > high {
                return Err(vm.bad_argument(1, b"interval is empty"));
            }
            (r * (high as f64 - low as f64 + 1.0)).floor() + low as f64
        }
        _ => return Err(vm.error("wrong number of arguments")),
    };
    vm.push(Value::Number(n));
    Ok(Step::Return)
}

fn randomseed(vm: &mut Vm, args: Args) -> Result<Step> {
    let seed = to_integer(vm.check_number(args, 0)?);
    vm.random = Random::new(seed as u32);
    Ok(Step::Return)
}
