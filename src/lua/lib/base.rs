//! The functions without a library name.

use super::super::coroutine::Kind;
use super::super::heap::{HostKind, Special, UserdataObject};
use super::super::host::*;
use super::super::meta::TOSTRING;
use super::super::number::parse_in_base;
use super::super::table::NO_META;
use super::super::value::*;
use super::super::vm::Vm;

/// `unpack` and other makers of many values stop here, as Lua 5.1's C stack does.
pub(super) const VALUES_MAX: usize = 8000;

pub fn open(vm: &mut Vm) -> Result<()> {
    let g = vm.globals();
    super::add(
        vm,
        g,
        &[
            ("assert", assert),
            ("error", error),
            ("gcinfo", gcinfo),
            ("getfenv", getfenv),
            ("getmetatable", getmetatable),
            ("ipairs", ipairs),
            ("load", load),
            ("loadstring", loadstring),
            ("newproxy", newproxy),
            ("pairs", pairs),
            ("rawequal", rawequal),
            ("rawget", rawget),
            ("rawset", rawset),
            ("select", select),
            ("setfenv", setfenv),
            ("setmetatable", setmetatable),
            ("tonumber", tonumber),
            ("tostring", tostring),
            ("type", type_),
            ("unpack", unpack),
        ],
    )?;
    super::special(vm, g, "pcall", Special::Pcall)?;
    super::special(vm, g, "xpcall", Special::Xpcall)?;
    super::special(vm, g, "collectgarbage", Special::CollectGarbage)?;
    let next = super::special(vm, g, "next", Special::Next)?;
    with_upvalues(vm, g, "pairs", pairs, &[next])?;
    let step = Value::Host(vm.heap.host(HostKind::Special(Special::IpairsStep), &[])?);
    with_upvalues(vm, g, "ipairs", ipairs, &[step])?;
    // Remembers which tables are metatables of proxies.
    let known = vm.new_table(0, 0)?;
    let meta = vm.new_table(0, 1)?;
    let mode = vm.new_string(b"k")?;
    vm.raw_set_bytes(meta, b"__mode", mode)?;
    vm.set_metatable(known, Some(meta));
    with_upvalues(vm, g, "newproxy", newproxy, &[Value::Table(known)])?;
    vm.set_global("_G", Value::Table(g))?;
    let version = vm.new_string(b"Lua 5.1")?;
    vm.set_global("_VERSION", version)
}

fn with_upvalues(vm: &mut Vm, t: Table, name: &str, f: Builtin, upvalues: &[Value]) -> Result<()> {
    let f = vm.heap.host(HostKind::Builtin(f), upvalues)?;
    vm.raw_set_bytes(t, name.as_bytes(), Value::Host(f))
}

fn assert(vm: &mut Vm, args: Args) -> Result<Step> {
    if !vm.check_any(args, 0)?.truthy() {
        if vm.arg(args, 1).is_nil() {
            return Err(vm.error("assertion failed!"));
        }
        let text = vm.check_string(args, 1)?;
        let text = vm.bytes(text).to_vec();
        return Err(vm.error_bytes(&text));
    }
    for i in 0..args.n {
        vm.push(vm.arg(args, i));
    }
    Ok(Step::Return)
}

fn error(vm: &mut Vm, args: Args) -> Result<Step> {
    let level = vm.opt_int(args, 1, 1)?;
    let value = vm.arg(args, 0);
    if level > 0
        && let Value::Str(_) | Value::Number(_) = value
    {
        let text = join(&[&vm.position(level as usize), &vm.display(value)]);
        return Err(vm.error_plain(&text));
    }
    Err(Error(value))
}

pub(crate) fn collect_garbage(vm: &mut Vm, args: Args) -> Result<Value> {
    let option = match vm.arg(args, 0) {
        Value::Nil => b"collect".to_vec(),
        _ => {
            let s = vm.check_string(args, 0)?;
            vm.bytes(s).to_vec()
        }
    };
    vm.opt_int(args, 1, 0)?;
    let limit = args.base + args.n;
    Ok(match &option[..] {
        b"collect" => {
            vm.collect(limit);
            Value::Number(0.0)
        }
        b"count" => Value::Number(vm.memory_used() as f64 / 1024.0),
        b"step" => {
            vm.collect(limit);
            Value::Bool(true)
        }
        b"stop" | b"restart" => {
            vm.heap.memory.stopped = option == b"stop";
            Value::Number(0.0)
        }
        b"setpause" | b"setstepmul" => Value::Number(200.0),
        _ => return Err(vm.bad_argument(0, &join(&[b"invalid option '", &option, b"'"]))),
    })
}

fn gcinfo(vm: &mut Vm, _: Args) -> Result<Step> {
    vm.push(Value::Number((vm.memory_used() >> 10) as f64));
    Ok(Step::Return)
}

/// The closure an argument of getfenv and setfenv means; `None`: none in Lua. Level 0 is not handled here.
fn function_at(vm: &mut Vm, args: Args, default: bool) -> Result<Option<u32>> {
    if let Value::Function(c) = vm.arg(args, 0) {
        return Ok(Some(c.0));
    }
    if let Value::Host(_) = vm.arg(args, 0) {
        return Ok(None);
    }
    let level = if default { vm.opt_int(args, 0, 1)? } else { vm.check_int(args, 0)? };
    if level < 0 {
        return Err(vm.bad_argument(0, b"level must be non-negative"));
    }
    match vm.frame_at(level as usize) {
        None => Err(vm.bad_argument(0, b"invalid level")),
        Some(Err(())) => Err(vm.error("no function environment for tail call at level")),
        Some(Ok(i)) => Ok((vm.frames[i].kind == Kind::Lua).then_some(vm.frames[i].closure)),
    }
}

fn is_level_zero(vm: &Vm, args: Args) -> bool {
    matches!(vm.arg(args, 0), v @ (Value::Number(_) | Value::Str(_)) if vm.to_number(v) == Some(0.0))
}

fn getfenv(vm: &mut Vm, args: Args) -> Result<Step> {
    let env = match is_level_zero(vm, args) {
        true => vm.globals,
        false => match function_at(vm, args, true)? {
            Some(c) => vm.heap.closures.items[c as usize].env,
            None => vm.globals,
        },
    };
    vm.push(Value::Table(Table(env)));
    Ok(Step::Return)
}

fn setfenv(vm: &mut Vm, args: Args) -> Result<Step> {
    let env = vm.check_table(args, 1)?;
    if is_level_zero(vm, args) {
        vm.globals = env.0;
        return Ok(Step::Return);
    }
    match function_at(vm, args, false)? {
        Some(c) => {
            vm.heap.closures.items[c as usize].env = env.0;
            vm.push(Value::Function(Closure(c)));
            Ok(Step::Return)
        }
        None => Err(vm.error("'setfenv' cannot change environment of given object")),
    }
}

fn getmetatable(vm: &mut Vm, args: Args) -> Result<Step> {
    let value = vm.check_any(args, 0)?;
    let meta = vm.meta_of(value);
    if meta == NO_META {
        vm.push(Value::Nil);
        return Ok(Step::Return);
    }
    let shown = vm.raw_get_bytes(Table(meta), b"__metatable");
    vm.push(if shown.is_nil() { Value::Table(Table(meta)) } else { shown });
    Ok(Step::Return)
}

fn setmetatable(vm: &mut Vm, args: Args) -> Result<Step> {
    let t = vm.check_table(args, 0)?;
    let meta = match vm.arg(args, 1) {
        Value::Table(m) => Some(m),
        Value::Nil if args.n > 1 => None,
        _ => return Err(vm.bad_argument(1, b"nil or table expected")),
    };
    if let Some(old) = vm.metatable(t)
        && !vm.raw_get_bytes(old, b"__metatable").is_nil()
    {
        return Err(vm.error("cannot change a protected metatable"));
    }
    vm.check_writable(t)?;
    vm.set_metatable(t, meta);
    vm.push(Value::Table(t));
    Ok(Step::Return)
}

fn pairs(vm: &mut Vm, args: Args) -> Result<Step> {
    let t = vm.check_table(args, 0)?;
    let next = vm.host_upvalue(args, 0);
    vm.ret.extend([next, Value::Table(t), Value::Nil]);
    Ok(Step::Return)
}

fn ipairs(vm: &mut Vm, args: Args) -> Result<Step> {
    let t = vm.check_table(args, 0)?;
    let step = vm.host_upvalue(args, 0);
    vm.ret.extend([step, Value::Table(t), Value::Number(0.0)]);
    Ok(Step::Return)
}

fn push_loaded(vm: &mut Vm, name: &[u8], source: &[u8]) -> Result<Step> {
    let env = vm.globals;
    vm.spend(source.len());
    match vm.load_with(name, source, env) {
        Ok(f) => vm.push(f),
        Err(Error(message)) => vm.ret.extend([Value::Nil, message]),
    }
    Ok(Step::Return)
}

fn loadstring(vm: &mut Vm, args: Args) -> Result<Step> {
    let s = vm.check_string(args, 0)?;
    let source = vm.bytes(s).to_vec();
    let name = match vm.arg(args, 1) {
        Value::Nil => source.iter().take_while(|c| **c != 0).copied().collect(),
        _ => {
            let name = vm.check_string(args, 1)?;
            vm.bytes(name).to_vec()
        }
    };
    push_loaded(vm, &name, &source)
}

/// Collects the pieces a reader function gives.
struct Loading {
    reader: Value,
    name: Vec<u8>,
    source: Vec<u8>,
}

impl Continuation for Loading {
    fn resume(mut self: Box<Self>, vm: &mut Vm, results: Args) -> Result<Step> {
        let piece = match vm.arg(results, 0) {
            Value::Nil => return push_loaded(vm, &self.name, &self.source),
            value @ (Value::Str(_) | Value::Number(_)) => vm.display(value),
            _ => return Err(vm.error("reader function must return a string")),
        };
        if piece.is_empty() {
            return push_loaded(vm, &self.name, &self.source);
        }
        vm.heap.memory.fits(self.source.len() + piece.len())?;
        self.source.extend_from_slice(&piece);
        Ok(vm.call_then(self.reader, self))
    }

    fn trace(&self, mark: &mut dyn FnMut(Value)) {
        mark(self.reader);
    }
}

fn load(vm: &mut Vm, args: Args) -> Result<Step> {
    let name = match vm.arg(args, 1) {
        Value::Nil => b"=(load)".to_vec(),
        _ => {
            let name = vm.check_string(args, 1)?;
            vm.bytes(name).to_vec()
        }
    };
    let reader = vm.arg(args, 0);
    if !matches!(reader, Value::Function(_) | Value::Host(_)) {
        return Err(vm.type_error(args, 0, "function"));
    }
    Ok(vm.call_then(reader, Box::new(Loading { reader, name, source: Vec::new() })))
}

fn newproxy(vm: &mut Vm, args: Args) -> Result<Step> {
    let Value::Table(known) = vm.host_upvalue(args, 0) else { return Ok(Step::Return) };
    let meta = match vm.arg(args, 0) {
        Value::Nil | Value::Bool(false) => NO_META,
        Value::Bool(true) => {
            let meta = vm.new_table(0, 0)?;
            vm.raw_set(known, Value::Table(meta), Value::Bool(true))?;
            meta.0
        }
        other => {
            let meta = vm.meta_of(other);
            let valid = matches!(other, Value::Userdata(_))
                && meta != NO_META
                && vm.raw_get(known, Value::Table(Table(meta))).truthy();
            if !valid {
                return Err(vm.bad_argument(0, b"boolean or proxy expected"));
            }
            meta
        }
    };
    let mark = vm.heap.mark;
    let index = vm.heap.userdata.add(UserdataObject { meta, mark }, &mut vm.heap.memory)?;
    vm.push(Value::Userdata(Userdata(index)));
    Ok(Step::Return)
}

fn rawequal(vm: &mut Vm, args: Args) -> Result<Step> {
    let (a, b) = (vm.check_any(args, 0)?, vm.check_any(args, 1)?);
    vm.push(Value::Bool(vm.heap.strings.raw_equal(a, b)));
    Ok(Step::Return)
}

fn rawget(vm: &mut Vm, args: Args) -> Result<Step> {
    let t = vm.check_table(args, 0)?;
    let key = vm.check_any(args, 1)?;
    vm.push(vm.raw_get(t, key));
    Ok(Step::Return)
}

fn rawset(vm: &mut Vm, args: Args) -> Result<Step> {
    let t = vm.check_table(args, 0)?;
    let key = vm.check_any(args, 1)?;
    let value = vm.check_any(args, 2)?;
    vm.check_writable(t)?;
    match key {
        Value::Nil => return Err(vm.error_plain(b"table index is nil")),
        Value::Number(n) if n.is_nan() => return Err(vm.error_plain(b"table index is NaN")),
        _ => vm.raw_set(t, key, value)?,
    }
    vm.push(Value::Table(t));
    Ok(Step::Return)
}

fn select(vm: &mut Vm, args: Args) -> Result<Step> {
    if let Value::Str(s) = vm.arg(args, 0)
        && vm.bytes(s).first() == Some(&b'#')
    {
        vm.push(Value::Number(args.n as f64 - 1.0));
        return Ok(Step::Return);
    }
    let i = vm.check_int(args, 0)?;
    let n = args.n as i64;
    let first = if i < 0 { n + i } else { i.min(n) };
    if first < 1 {
        return Err(vm.bad_argument(0, b"index out of range"));
    }
    for i in first as usize..args.n {
        vm.push(vm.arg(args, i));
    }
    Ok(Step::Return)
}

fn tonumber(vm: &mut Vm, args: Args) -> Result<Step> {
    let base = vm.opt_int(args, 1, 10)?;
    let n = if base == 10 {
        let value = vm.check_any(args, 0)?;
        vm.to_number(value)
    } else {
        let s = vm.check_string(args, 0)?;
        if !(2..=36).contains(&base) {
            return Err(vm.bad_argument(1, b"base out of range"));
        }
        parse_in_base(vm.bytes(s), base as u32)
    };
    vm.push(n.map_or(Value::Nil, Value::Number));
    Ok(Step::Return)
}

fn tostring(vm: &mut Vm, args: Args) -> Result<Step> {
    let value = vm.check_any(args, 0)?;
    match value {
        Value::Str(_) => {
            vm.push(value);
            return Ok(Step::Return);
        }
        Value::Number(n) => {
            let s = vm.number_string(n)?;
            vm.push(Value::Str(s));
            return Ok(Step::Return);
        }
        _ => {}
    }
    let handler = vm.metamethod(value, TOSTRING);
    if !handler.is_nil() {
        vm.push(value);
        return Ok(vm.call_last(handler));
    }
    let text = vm.display(value);
    vm.push_vec(text)?;
    Ok(Step::Return)
}

fn type_(vm: &mut Vm, args: Args) -> Result<Step> {
    let name = vm.check_any(args, 0)?.type_name();
    vm.push_bytes(name.as_bytes())?;
    Ok(Step::Return)
}

fn unpack(vm: &mut Vm, args: Args) -> Result<Step> {
    let t = vm.check_table(args, 0)?;
    let first = vm.opt_int(args, 1, 1)?;
    let last = match vm.arg(args, 2) {
        Value::Nil => vm.length(t) as i64,
        _ => vm.check_int(args, 2)?,
    };
    if first > last {
        return Ok(Step::Return);
    }
    let n = last.wrapping_sub(first).wrapping_add(1);
    if n <= 0 || n >= VALUES_MAX as i64 {
        return Err(vm.error("too many results to unpack"));
    }
    for i in first..=last {
        let value = match usize::try_from(i) {
            Ok(i) => vm.raw_get_index(t, i),
            Err(_) => vm.raw_get(t, Value::Number(i as f64)),
        };
        vm.push(value);
    }
    Ok(Step::Return)
}
