//! `table`.

use super::super::host::*;
use super::super::number::write_number;
use super::super::value::*;
use super::super::vm::Vm;

/// The longest way `table.insert` moves elements.
const SHIFT_MAX: i64 = 1 << 26;

pub fn open(vm: &mut Vm) -> Result<()> {
    super::library(
        vm,
        "table",
        &[
            ("concat", concat),
            ("foreach", foreach),
            ("foreachi", foreachi),
            ("getn", getn),
            ("insert", insert),
            ("maxn", maxn),
            ("remove", remove),
            ("setn", setn),
            ("sort", super::sort::sort),
        ],
    )?;
    Ok(())
}

fn getn(vm: &mut Vm, args: Args) -> Result<Step> {
    let t = vm.check_table(args, 0)?;
    vm.push(Value::Number(vm.length(t) as f64));
    Ok(Step::Return)
}

fn setn(vm: &mut Vm, args: Args) -> Result<Step> {
    vm.check_table(args, 0)?;
    Err(vm.error("'setn' is obsolete"))
}

fn maxn(vm: &mut Vm, args: Args) -> Result<Step> {
    let t = vm.check_table(args, 0)?;
    vm.push(Value::Number(vm.heap.object(t).largest_number()));
    Ok(Step::Return)
}

fn get(vm: &Vm, t: Table, i: i64) -> Value {
    match usize::try_from(i) {
        Ok(i) => vm.raw_get_index(t, i),
        Err(_) => vm.raw_get(t, Value::Number(i as f64)),
    }
}

fn set(vm: &mut Vm, t: Table, i: i64, value: Value) -> Result<()> {
    match usize::try_from(i) {
        Ok(i) => vm.raw_set_index(t, i, value),
        Err(_) => vm.raw_set(t, Value::Number(i as f64), value),
    }
}

fn insert(vm: &mut Vm, args: Args) -> Result<Step> {
    let t = vm.check_table(args, 0)?;
    let mut end = vm.length(t) as i64 + 1;
    let (at, value) = match args.n {
        2 => (end, vm.arg(args, 1)),
        3 => {
            let at = vm.check_int(args, 1)?;
            end = end.max(at);
            (at, vm.arg(args, 2))
        }
        _ => return Err(vm.error("wrong number of arguments to 'insert'")),
    };
    vm.check_writable(t)?;
    let shift = end.saturating_sub(at);
    if shift > SHIFT_MAX {
        return Err(OutOfMemory.into());
    }
    vm.spend(shift as usize / 4);
    for i in (at + 1..=end).rev() {
        let moved = get(vm, t, i - 1);
        set(vm, t, i, moved)?;
    }
    set(vm, t, at, value)?;
    Ok(Step::Return)
}

fn remove(vm: &mut Vm, args: Args) -> Result<Step> {
    let t = vm.check_table(args, 0)?;
    let end = vm.length(t) as i64;
    let at = vm.opt_int(args, 1, end)?;
    if at < 1 || at > end {
        return Ok(Step::Return);
    }
    vm.check_writable(t)?;
    let removed = get(vm, t, at);
    vm.spend((end - at) as usize / 4);
    for i in at..end {
        let moved = get(vm, t, i + 1);
        set(vm, t, i, moved)?;
    }
    set(vm, t, end, Value::Nil)?;
    vm.push(removed);
    Ok(Step::Return)
}

#[cold]
fn not_text(vm: &mut Vm, value: Value, i: i64) -> Error {
    let mut buffer = itoa::Buffer::new();
    let (kind, at) = (value.type_name().as_bytes(), buffer.format(i).as_bytes());
    vm.error_bytes(&join(&[b"invalid value (", kind, b") at index ", at, b" in table for 'concat'"]))
}

fn concat(vm: &mut Vm, args: Args) -> Result<Step> {
    let separator = match vm.arg(args, 1) {
        Value::Nil => Vec::new(),
        _ => {
            let s = vm.check_string(args, 1)?;
            vm.bytes(s).to_vec()
        }
    };
    let t = vm.check_table(args, 0)?;
    let first = vm.opt_int(args, 2, 1)?;
    let last = match vm.arg(args, 3) {
        Value::Nil => vm.length(t) as i64,
        _ => vm.check_int(args, 3)?,
    };
    // Measured first, so that the result is allocated once.
    let mut size = 0usize;
    let mut i = first;
    while i <= last {
        size = size.saturating_add(separator.len()).saturating_add(match get(vm, t, i) {
            Value::Str(s) => vm.bytes(s).len(),
            Value::Number(_) => 24,
            other => return Err(not_text(vm, other, i)),
        });
        i += 1;
    }
    vm.heap.memory.fits(size)?;
    let mut out = Vec::with_capacity(size);
    let mut i = first;
    while i <= last {
        match get(vm, t, i) {
            Value::Str(s) => out.extend_from_slice(vm.bytes(s)),
            Value::Number(n) => write_number(&mut out, n),
            _ => {}
        }
        if i < last {
            out.extend_from_slice(&separator);
        }
        i += 1;
    }
    vm.spend(out.len() / 16);
    vm.push_vec(out)?;
    Ok(Step::Return)
}

/// Calls a function for each entry until it gives something.
struct Each {
    table: Table,
    function: Value,
    key: Value,
    /// The last index, for `foreachi`.
    last: Option<usize>,
}

impl Each {
    fn run(mut self: Box<Self>, vm: &mut Vm) -> Result<Step> {
        let (key, value) = match self.last {
            Some(last) => {
                let i = if let Value::Number(n) = self.key { n as usize + 1 } else { 1 };
                if i > last {
                    return Ok(Step::Return);
                }
                (Value::Number(i as f64), vm.raw_get_index(self.table, i))
            }
            None => match vm.next(self.table, self.key) {
                None => return Err(vm.error("invalid key to 'next'")),
                Some((Value::Nil, _)) => return Ok(Step::Return),
                Some(entry) => entry,
            },
        };
        self.key = key;
        vm.ret.extend([key, value]);
        Ok(vm.call_then(self.function, self))
    }
}

impl Continuation for Each {
    fn resume(self: Box<Self>, vm: &mut Vm, results: Args) -> Result<Step> {
        let value = vm.arg(results, 0);
        if !value.is_nil() {
            vm.push(value);
            return Ok(Step::Return);
        }
        self.run(vm)
    }

    fn trace(&self, mark: &mut dyn FnMut(Value)) {
        mark(Value::Table(self.table));
        mark(self.function);
        mark(self.key);
    }
}

fn each(vm: &mut Vm, args: Args, indexed: bool) -> Result<Step> {
    let table = vm.check_table(args, 0)?;
    let function = vm.arg(args, 1);
    if !matches!(function, Value::Function(_) | Value::Host(_)) {
        return Err(vm.type_error(args, 1, "function"));
    }
    let last = indexed.then(|| vm.length(table));
    Box::new(Each { table, function, key: Value::Nil, last }).run(vm)
}

fn foreach(vm: &mut Vm, args: Args) -> Result<Step> {
    each(vm, args, false)
}

fn foreachi(vm: &mut Vm, args: Args) -> Result<Step> {
    each(vm, args, true)
}
