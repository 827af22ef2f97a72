//! `table.sort`: quicksort with the median of three, comparing in the order Lua 5.1 does, since an
//! unstable sort shows it. A comparison may call Lua, so the sort stands between comparisons as a state.

use super::super::host::*;
use super::super::value::*;
use super::super::vm::Vm;

/// Which comparison's answer is awaited.
#[derive(Clone, Copy)]
enum At {
    /// last < first
    Ends,
    /// middle < first
    MiddleFirst,
    /// last < middle
    LastMiddle,
    /// element < pivot, from the left
    Left,
    /// pivot < element, from the right
    Right,
}

struct Sort {
    table: Table,
    compare: Value,
    /// The range at work and those put off, larger ones first.
    low: usize,
    high: usize,
    later: Vec<(usize, usize)>,
    i: usize,
    j: usize,
    pivot: Value,
    /// The elements under comparison: those at i (or first) and j (or last).
    x: Value,
    y: Value,
    at: At,
}

pub(super) fn sort(vm: &mut Vm, args: Args) -> Result<Step> {
    let table = vm.check_table(args, 0)?;
    let compare = vm.arg(args, 1);
    if !matches!(compare, Value::Nil | Value::Function(_) | Value::Host(_)) {
        return Err(vm.type_error(args, 1, "function"));
    }
    vm.check_writable(table)?;
    let mut sort = Box::new(Sort {
        table,
        compare,
        low: 1,
        high: vm.length(table),
        later: Vec::new(),
        i: 0,
        j: 0,
        pivot: Value::Nil,
        x: Value::Nil,
        y: Value::Nil,
        at: At::Ends,
    });
    if !sort.begin(vm) {
        return Ok(Step::Return);
    }
    sort.run(vm)
}

impl Sort {
    fn get(&self, vm: &Vm, i: usize) -> Value {
        vm.raw_get_index(self.table, i)
    }

    fn set(&self, vm: &mut Vm, i: usize, value: Value) -> Result<()> {
        vm.raw_set_index(self.table, i, value)
    }

    /// The pair to compare: is the first less than the second?
    fn question(&self) -> (Value, Value) {
        match self.at {
            At::Ends | At::MiddleFirst | At::LastMiddle => (self.y, self.x),
            At::Left => (self.x, self.pivot),
            At::Right => (self.pivot, self.y),
        }
    }

    fn run(mut self: Box<Self>, vm: &mut Vm) -> Result<Step> {
        loop {
            let (a, b) = self.question();
            let less = if self.compare.is_nil() {
                match vm.less(a, b) {
                    Ok(less) => less,
                    Err(Value::Nil) => return Err(vm.compare_error_plain(a, b)),
                    Err(handler) => {
                        vm.ret.extend([a, b]);
                        return Ok(vm.call_then(handler, self));
                    }
                }
            } else {
                vm.ret.extend([a, b]);
                return Ok(vm.call_then(self.compare, self));
            };
            vm.spend(1);
            if !self.answer(vm, less)? {
                return Ok(Step::Return);
            }
        }
    }

    /// Takes the first question of the next range; false when all are sorted.
    fn begin(&mut self, vm: &Vm) -> bool {
        while self.low >= self.high {
            match self.later.pop() {
                Some(range) => (self.low, self.high) = range,
                None => return false,
            }
        }
        self.x = self.get(vm, self.low);
        self.y = self.get(vm, self.high);
        self.at = At::Ends;
        true
    }

    fn range_done(&mut self, vm: &Vm) -> bool {
        self.low = self.high;
        self.begin(vm)
    }

    fn partition(&mut self, vm: &mut Vm) -> Result<bool> {
        if self.high - self.low == 2 {
            return Ok(self.range_done(vm));
        }
        // The pivot waits next to the last element.
        self.pivot = self.get(vm, self.i);
        let other = self.get(vm, self.high - 1);
        self.set(vm, self.i, other)?;
        self.set(vm, self.high - 1, self.pivot)?;
        self.i = self.low;
        self.j = self.high - 1;
        self.next_left(vm);
        Ok(true)
    }

    fn next_left(&mut self, vm: &Vm) {
        self.i += 1;
        self.x = self.get(vm, self.i);
        self.at = At::Left;
    }

    fn next_right(&mut self, vm: &Vm) {
        self.j -= 1;
        self.y = self.get(vm, self.j);
        self.at = At::Right;
    }

    /// Goes on to the next question; false when all is sorted.
    fn answer(&mut self, vm: &mut Vm, less: bool) -> Result<bool> {
        match self.at {
            At::Ends => {
                if less {
                    self.set(vm, self.low, self.y)?;
                    self.set(vm, self.high, self.x)?;
                }
                if self.high - self.low == 1 {
                    return Ok(self.range_done(vm));
                }
                self.i = (self.low + self.high) / 2;
                self.y = self.get(vm, self.i);
                self.x = self.get(vm, self.low);
                self.at = At::MiddleFirst;
                Ok(true)
            }
            At::MiddleFirst => {
                if less {
                    self.set(vm, self.i, self.x)?;
                    self.set(vm, self.low, self.y)?;
                    return self.partition(vm);
                }
                self.x = self.y;
                self.y = self.get(vm, self.high);
                self.at = At::LastMiddle;
                Ok(true)
            }
            At::LastMiddle => {
                if less {
                    self.set(vm, self.i, self.y)?;
                    self.set(vm, self.high, self.x)?;
                }
                self.partition(vm)
            }
            At::Left => {
                if less {
                    if self.i > self.high {
                        return Err(vm.error("invalid order function for sorting"));
                    }
                    self.next_left(vm);
                } else {
                    self.next_right(vm);
                }
                Ok(true)
            }
            At::Right => {
                if less {
                    if self.j < self.low || self.j == 0 {
                        return Err(vm.error("invalid order function for sorting"));
                    }
                    self.next_right(vm);
                    return Ok(true);
                }
                if self.j >= self.i {
                    self.set(vm, self.i, self.y)?;
                    self.set(vm, self.j, self.x)?;
                    self.next_left(vm);
                    return Ok(true);
                }
                self.divide(vm)
            }
        }
    }

    /// Puts the pivot in its place and goes on with the smaller side.
    fn divide(&mut self, vm: &mut Vm) -> Result<bool> {
        let (pivot, other) = (self.get(vm, self.high - 1), self.get(vm, self.i));
        self.set(vm, self.high - 1, other)?;
        self.set(vm, self.i, pivot)?;
        let (left, right) = ((self.low, self.i - 1), (self.i + 1, self.high));
        let (now, later) = if self.i - self.low + self.i < self.high { (left, right) } else { (right, left) };
        self.later.push(later);
        (self.low, self.high) = now;
        Ok(self.begin(vm))
    }
}

impl Continuation for Sort {
    fn resume(mut self: Box<Self>, vm: &mut Vm, results: Args) -> Result<Step> {
        let less = vm.arg(results, 0).truthy();
        if !self.answer(vm, less)? {
            return Ok(Step::Return);
        }
        self.run(vm)
    }

    fn trace(&self, mark: &mut dyn FnMut(Value)) {
        for value in [Value::Table(self.table), self.compare, self.pivot, self.x, self.y] {
            mark(value);
        }
    }
}
