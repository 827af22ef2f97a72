//! Mark and sweep. Runs only between instructions and before host functions, when everything alive is
//! on a stack, pinned, or reachable from there. One cycle's work is bounded by the memory cap.

use std::rc::Rc;

use super::coroutine::{Kind, Thread};
use super::heap::{Heap, Upvalue};
use super::proto::Proto;
use super::table::NO_META;
use super::value::*;
use super::vm::Vm;

#[derive(Clone, Copy, PartialEq)]
enum Weak {
    None,
    Keys,
    Values,
    Both,
}

struct Marker {
    mark: u8,
    grey: Vec<Value>,
    weak: Vec<(u32, Weak)>,
    /// Tables with keys that have no value.
    unused_keys: Vec<u32>,
    mode: Str,
}

impl Vm {
    /// Frees what is not reachable. The running stack is alive below `limit`.
    #[inline(never)]
    pub(crate) fn collect(&mut self, limit: usize) {
        let mut limit = limit.min(self.stack.len());
        if let Some(frame) = self.frames.last() {
            limit = limit.max(frame.func as usize + 1);
        }
        // Nothing above may ever be seen again.
        self.stack[limit..].fill(Value::Nil);
        let mark = 3 - self.heap.mark;
        self.heap.mark = mark;
        let mut marker =
            Marker { mark, grey: Vec::new(), weak: Vec::new(), unused_keys: Vec::new(), mode: self.mode };
        let heap = &mut self.heap;
        marker.value(heap, NOT_ENOUGH_MEMORY);
        for name in self.events.iter().chain([&self.mode]) {
            marker.value(heap, Value::Str(*name));
        }
        marker.table(heap, self.globals);
        marker.table(heap, self.string_meta);
        for id in [self.current, self.resumer] {
            marker.thread(heap, id);
        }
        for value in self.stack[..limit].iter() {
            marker.value(heap, *value);
        }
        for frame in self.frames.iter().filter(|f| f.kind == Kind::Lua) {
            marker.value(heap, Value::Function(Closure(frame.closure)));
        }
        for rest in &self.continuations {
            rest.trace(&mut |v| marker.value(heap, v));
        }
        if let Some(main) = &mut self.main {
            marker.stack(heap, main);
        }
        for value in &self.ret {
            marker.value(heap, *value);
        }
        marker.spread(&mut self.heap);
        self.mark_pins(&mut marker);
        marker.finish(&mut self.heap);
        self.heap.sweep(mark);
    }

    fn mark_pins(&mut self, marker: &mut Marker) {
        let held: Vec<Value> = self.pins_and_results().collect();
        for value in held {
            marker.value(&mut self.heap, value);
        }
        marker.spread(&mut self.heap);
    }
}

impl Marker {
    #[inline(never)]
    fn value(&mut self, heap: &mut Heap, value: Value) {
        let mark = match value {
            Value::Str(s) => {
                heap.strings.arena.items[s.index()].mark = self.mark;
                return;
            }
            Value::Table(t) => &mut heap.tables.items[t.0 as usize].mark,
            Value::Function(c) => &mut heap.closures.items[c.0 as usize].mark,
            Value::Host(h) => &mut heap.hosts.items[h.0 as usize].mark,
            Value::Userdata(u) => &mut heap.userdata.items[u.0 as usize].mark,
            Value::Coroutine(c) => &mut heap.threads.items[c.0 as usize].mark,
            _ => return,
        };
        if *mark != self.mark {
            *mark = self.mark;
            self.grey.push(value);
        }
    }

    fn table(&mut self, heap: &mut Heap, index: u32) {
        if index != NO_META {
            self.value(heap, Value::Table(Table(index)));
        }
    }

    fn thread(&mut self, heap: &mut Heap, id: u32) {
        if id != super::coroutine::MAIN {
            self.value(heap, Value::Coroutine(Coroutine(id)));
        }
    }

    fn spread(&mut self, heap: &mut Heap) {
        while let Some(value) = self.grey.pop() {
            match value {
                Value::Table(t) => self.scan_table(heap, t.0),
                Value::Function(c) => {
                    let object = &heap.closures.items[c.0 as usize];
                    let env = object.env;
                    if let Some(body) = object.body.clone() {
                        self.proto(heap, &body.proto);
                        for id in body.upvalues.iter() {
                            self.upvalue(heap, *id);
                        }
                    }
                    self.table(heap, env);
                }
                Value::Host(h) => {
                    for i in 0..heap.hosts.items[h.0 as usize].upvalues.len() {
                        let value = heap.hosts.items[h.0 as usize].upvalues[i];
                        self.value(heap, value);
                    }
                }
                Value::Userdata(u) => {
                    let meta = heap.userdata.items[u.0 as usize].meta;
                    self.table(heap, meta);
                }
                Value::Coroutine(c) => {
                    let mut thread = std::mem::replace(
                        &mut heap.threads.items[c.0 as usize],
                        Thread::empty(super::coroutine::Status::Dead),
                    );
                    self.stack(heap, &mut thread);
                    heap.threads.items[c.0 as usize] = thread;
                }
                _ => {}
            }
        }
    }

    #[inline(never)]
    fn proto(&mut self, heap: &mut Heap, proto: &Rc<Proto>) {
        if proto.mark.replace(self.mark) == self.mark {
            return;
        }
        for value in &proto.constants {
            self.value(heap, *value);
        }
        self.value(heap, Value::Str(proto.source));
        for name in proto.locals.iter().map(|l| &l.name).chain(&proto.upvalue_names) {
            self.value(heap, Value::Str(*name));
        }
        // As deep as the source nests functions, which the parser bounds.
        for inner in &proto.protos {
            self.proto(heap, inner);
        }
    }

    fn upvalue(&mut self, heap: &mut Heap, id: u32) {
        let object = &mut heap.upvalues.items[id as usize];
        if object.mark == self.mark {
            return;
        }
        object.mark = self.mark;
        match object.at {
            Upvalue::Closed(value) => self.value(heap, value),
            Upvalue::Open(thread, _) => self.thread(heap, thread),
        }
    }

    /// A stack that is not running.
    #[inline(never)]
    fn stack(&mut self, heap: &mut Heap, thread: &mut Thread) {
        let mut limit = if thread.frames.is_empty() { 1 } else { 0 };
        for frame in thread.frames.iter() {
            if frame.kind == Kind::Lua {
                self.value(heap, Value::Function(Closure(frame.closure)));
            }
        }
        for frame in thread.frames.iter().rev() {
            limit = limit.max(frame.func as usize + 1);
            if frame.kind == Kind::Lua {
                if let Some(body) = &heap.closures.items[frame.closure as usize].body {
                    limit = limit.max(frame.base as usize + body.proto.registers as usize);
                }
                break;
            }
        }
        let limit = limit.min(thread.stack.len());
        for value in &thread.stack[..limit] {
            self.value(heap, *value);
        }
        thread.stack[limit..].fill(Value::Nil);
        for rest in &thread.continuations {
            rest.trace(&mut |v| self.value(heap, v));
        }
        let resumer = thread.resumer;
        self.thread(heap, resumer);
    }

    fn weakness(&self, heap: &Heap, meta: u32) -> Weak {
        if meta == NO_META {
            return Weak::None;
        }
        let mode = heap.tables.items[meta as usize].get_short(self.mode, heap.strings.hash(self.mode));
        let Value::Str(s) = mode else { return Weak::None };
        let text = heap.strings.bytes(s);
        match (text.contains(&b'k'), text.contains(&b'v')) {
            (false, false) => Weak::None,
            (true, false) => Weak::Keys,
            (false, true) => Weak::Values,
            (true, true) => Weak::Both,
        }
    }

    #[inline(never)]
    fn scan_table(&mut self, heap: &mut Heap, index: u32) {
        let meta = heap.tables.items[index as usize].meta;
        self.table(heap, meta);
        let weak = self.weakness(heap, meta);
        if weak != Weak::None {
            self.weak.push((index, weak));
        }
        // The table's parts leave the heap while their values are marked in it.
        let object = &mut heap.tables.items[index as usize];
        let (array, nodes) = (std::mem::take(&mut object.array), std::mem::take(&mut object.nodes));
        let values = matches!(weak, Weak::None | Weak::Keys);
        let keys = matches!(weak, Weak::None | Weak::Values);
        let held = |v: Value, strong: bool| strong || matches!(v, Value::Str(_));
        for value in &array {
            if held(*value, values) {
                self.value(heap, *value);
            }
        }
        let mut unused = false;
        for node in nodes.iter() {
            if node.value.is_nil() {
                unused |= !node.key.is_nil();
                continue;
            }
            if held(node.key, keys) {
                self.value(heap, node.key);
            }
            if held(node.value, values) {
                self.value(heap, node.value);
            }
        }
        if unused {
            self.unused_keys.push(index);
        }
        let object = &mut heap.tables.items[index as usize];
        object.array = array;
        object.nodes = nodes;
    }

    fn is_dead(&self, heap: &Heap, value: Value) -> bool {
        let mark = match value {
            Value::Str(s) => heap.strings.arena.items[s.index()].mark,
            Value::Table(t) => heap.tables.items[t.0 as usize].mark,
            Value::Function(c) => heap.closures.items[c.0 as usize].mark,
            Value::Host(h) => heap.hosts.items[h.0 as usize].mark,
            Value::Userdata(u) => heap.userdata.items[u.0 as usize].mark,
            Value::Coroutine(c) => heap.threads.items[c.0 as usize].mark,
            _ => return false,
        };
        mark != self.mark
    }

    /// Empties weak entries, then gives dead keys a tombstone.
    #[inline(never)]
    fn finish(&mut self, heap: &mut Heap) {
        let mut tables = std::mem::take(&mut self.unused_keys);
        for (index, _) in std::mem::take(&mut self.weak) {
            let object = &mut heap.tables.items[index as usize];
            let mut array = std::mem::take(&mut object.array);
            let mut nodes = std::mem::take(&mut object.nodes);
            for value in array.iter_mut() {
                if self.is_dead(heap, *value) {
                    *value = Value::Nil;
                }
            }
            for node in nodes.iter_mut() {
                if self.is_dead(heap, node.key) || self.is_dead(heap, node.value) {
                    node.value = Value::Nil;
                }
            }
            let object = &mut heap.tables.items[index as usize];
            object.array = array;
            object.nodes = nodes;
            tables.push(index);
        }
        for index in tables {
            for i in 0..heap.tables.items[index as usize].nodes.len() {
                let object = &heap.tables.items[index as usize];
                let node = object.nodes[i];
                if node.value.is_nil() && self.is_dead(heap, node.key) {
                    let home = object.main_position(node.key, &heap.strings) as u32;
                    heap.tables.items[index as usize].nodes[i].key = Value::Tombstone(home);
                }
            }
        }
    }
}

impl Heap {
    fn sweep(&mut self, mark: u8) {
        let memory = &mut self.memory;
        self.strings.sweep(mark, memory);
        for (i, t) in self.tables.items.iter_mut().enumerate() {
            if t.mark != mark && t.mark != 0 {
                memory.release(t.bytes());
                *t = super::table::TableObject::new();
                self.tables.free.push(i as u32);
            }
        }
        for (i, c) in self.closures.items.iter_mut().enumerate() {
            if c.mark != mark && c.mark != 0 {
                if let Some(body) = c.body.take() {
                    memory.release(size_of_val(&*body) + 16 + body.upvalues.len() * 4);
                }
                c.mark = 0;
                self.closures.free.push(i as u32);
            }
        }
        for (i, h) in self.hosts.items.iter_mut().enumerate() {
            if h.mark != mark && h.mark != 0 {
                memory.release(size_of_val(&*h.upvalues));
                h.upvalues = Box::default();
                h.mark = 0;
                self.hosts.free.push(i as u32);
            }
        }
        for (i, u) in self.upvalues.items.iter_mut().enumerate() {
            // An open upvalue is in its stack's list as well.
            if u.mark != mark && u.mark != 0 && matches!(u.at, Upvalue::Closed(_)) {
                u.mark = 0;
                self.upvalues.free.push(i as u32);
            } else if u.mark != 0 {
                u.mark = mark;
            }
        }
        for (i, u) in self.userdata.items.iter_mut().enumerate() {
            if u.mark != mark && u.mark != 0 {
                u.mark = 0;
                self.userdata.free.push(i as u32);
            }
        }
        for (i, t) in self.threads.items.iter_mut().enumerate() {
            if t.mark != mark && t.mark != 0 {
                memory.release(t.bytes());
                for id in std::mem::take(&mut t.open) {
                    self.upvalues.items[id as usize].at = Upvalue::Closed(Value::Nil);
                }
                *t = Thread::empty(super::coroutine::Status::Dead);
                self.threads.free.push(i as u32);
            }
        }
        self.tables.trim(|t| t.mark != 0, memory);
        self.closures.trim(|c| c.mark != 0, memory);
        self.hosts.trim(|h| h.mark != 0, memory);
        self.upvalues.trim(|u| u.mark != 0, memory);
        self.userdata.trim(|u| u.mark != 0, memory);
        self.threads.trim(|t| t.mark != 0, memory);
        let mut freed = 0;
        self.protos.retain(|p| {
            let held = Rc::strong_count(p) > 1;
            freed += if held { 0 } else { p.bytes };
            held
        });
        memory.release(freed);
        memory.since = 0;
        memory.threshold = (memory.bytes / 2).max(memory.threshold_min);
    }
}
