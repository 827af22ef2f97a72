//! Cuts the engine's module in two: what a first session needs, and the rest, which the page loads behind its back.
//!
//! A function that moves to the rest and can be reached from the first part leaves a stub there. The stub has the rest
//! loaded, unless it is already, and goes on through a slot of the function table, which the rest fills when it is
//! instantiated. Memory, tables and globals are shared, so to the program both parts are the one module it was.
//! Must not know what the functions do: which of them run in a first session is found by running one (`watched`).

use std::ops::Range;

use wasmparser::{
    ElementItems, ElementKind, ExternalKind, FunctionBody, GlobalType, Operator, Parser, Payload, RefType,
    TableType, TypeRef, ValType,
};

use crate::Result;

/// The import that loads the rest: `load_rest` in `src/wasm/mod.rs`, as wasm-bindgen names it.
const LOADER: &str = "load_rest_of_engine";

/// What `watched` calls the flag of a function, before its number.
pub const FLAG: &str = "ran";

/// A function smaller than this that calls nothing stays: a stub would hardly be smaller.
const SMALL: usize = 16;

pub struct Module<'a> {
    bytes: &'a [u8],
    sections: Vec<(u8, Range<usize>)>,
    types: Vec<(usize, usize)>,
    /// The types of all functions, imported ones first.
    functions: Vec<u32>,
    imported: usize,
    tables: Vec<TableType>,
    globals: Vec<GlobalType>,
    exports: Vec<(&'a str, ExternalKind, u32)>,
    start: Option<u32>,
    /// Where the functions of each segment go in the table.
    elements: Vec<(u32, Vec<u32>)>,
    bodies: Vec<Body>,
    loader: u32,
}

struct Body {
    range: Range<usize>,
    /// Where the code begins, after the locals.
    code: usize,
    /// The numbers of other functions in the code, and where they stand.
    calls: Vec<(Range<usize>, u32)>,
    /// Uses what only the part with the segments has.
    pinned: bool,
}

impl<'a> Module<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut module = Module {
            bytes,
            sections: Vec::new(),
            types: Vec::new(),
            functions: Vec::new(),
            imported: 0,
            tables: Vec::new(),
            globals: Vec::new(),
            exports: Vec::new(),
            start: None,
            elements: Vec::new(),
            bodies: Vec::new(),
            loader: u32::MAX,
        };
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(said)?;
            if let Some((id, range)) = payload.as_section() {
                module.sections.push((id, range));
            }
            module.take(payload).map_err(said)?;
        }
        if module.loader == u32::MAX {
            return Err(format!("the module does not import `{LOADER}`"));
        }
        Ok(module)
    }

    fn take(&mut self, payload: Payload<'a>) -> wasmparser::Result<()> {
        match payload {
            Payload::TypeSection(types) => {
                for ty in types.into_iter_err_on_gc_types() {
                    let ty = ty?;
                    self.types.push((ty.params().len(), ty.results().len()));
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    match import.ty {
                        TypeRef::Func(ty) => {
                            if import.name.contains(LOADER) {
                                self.loader = self.functions.len() as u32;
                            }
                            self.functions.push(ty);
                        }
                        TypeRef::Global(ty) => self.globals.push(ty),
                        TypeRef::Table(ty) => self.tables.push(ty),
                        _ => {}
                    }
                }
                self.imported = self.functions.len();
            }
            Payload::FunctionSection(functions) => {
                for ty in functions {
                    self.functions.push(ty?);
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    self.tables.push(table?.ty);
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals {
                    self.globals.push(global?.ty);
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    self.exports.push((export.name, export.kind, export.index));
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(elements) => {
                for element in elements {
                    let element = element?;
                    let ElementKind::Active { table_index: None | Some(0), offset_expr } = element.kind
                    else {
                        continue;
                    };
                    let ElementItems::Functions(functions) = element.items else { continue };
                    let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else {
                        continue;
                    };
                    self.elements
                        .push((value as u32, functions.into_iter().collect::<wasmparser::Result<_>>()?));
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(Body::parse(&body, self.bytes)?),
            _ => {}
        }
        Ok(())
    }

    /// The whole module with an exported global for each function of its own that says whether it ran.
    pub fn watched(&self) -> Vec<u8> {
        let flags = self.globals.len() as u32;
        let count = self.bodies.len() as u32;
        let same = |function: u32| function;
        let mut out = Writer::new();
        for (id, range) in &self.sections {
            match id {
                6 => out.section(6, self.grown(6, count, |bytes, _| bytes.extend([0x7f, 1, 0x41, 0, 0x0b]))),
                7 => {
                    let export = |bytes: &mut Vec<u8>, at: u32| {
                        name(bytes, &format!("{FLAG}{at}"));
                        bytes.push(3);
                        leb(bytes, flags + at);
                    };
                    out.section(7, self.grown(7, count, export));
                }
                10 => {
                    let mut bytes = Vec::new();
                    leb(&mut bytes, count);
                    for (at, body) in self.bodies.iter().enumerate() {
                        let mut code = self.bytes[body.range.start..body.code].to_vec();
                        code.extend([0x41, 1, 0x24]);
                        leb(&mut code, flags + at as u32);
                        self.code(&mut code, body.code, body, &same);
                        sized(&mut bytes, &code);
                    }
                    out.section(10, bytes);
                }
                0 => {}
                _ => out.section(*id, self.bytes[range.clone()].to_vec()),
            }
        }
        out.bytes
    }

    /// The two parts; `ran` has the functions of the module's own that a first session needs.
    pub fn split(&self, ran: &[bool]) -> Result<(Vec<u8>, Vec<u8>)> {
        if ran.len() != self.bodies.len()
            || self.tables.first().is_none_or(|ty| ty.element_type != RefType::FUNCREF)
        {
            return Err("the module is not what was watched".to_owned());
        }
        let plan = Plan::new(self, ran);
        Ok((self.first(&plan), self.rest(&plan)))
    }

    fn first(&self, plan: &Plan) -> Vec<u8> {
        let loaded = self.globals.len() as u32;
        let ensure = plan.in_first.iter().filter(|at| at.is_some()).count() as u32;
        let map = |function: u32| {
            plan.in_first[function as usize].expect("a function of the first part, or a stub")
        };
        let present: Vec<usize> = (self.imported..self.functions.len())
            .filter(|&function| plan.in_first[function].is_some())
            .collect();
        let mut out = Writer::new();
        for (id, range) in &self.sections {
            match id {
                3 => {
                    let mut bytes = Vec::new();
                    leb(&mut bytes, present.len() as u32 + 1);
                    present.iter().for_each(|&function| leb(&mut bytes, self.functions[function]));
                    leb(&mut bytes, self.functions[self.loader as usize]);
                    out.section(3, bytes);
                }
                4 => out.section(4, self.tables_section(plan.slots_end)),
                6 => out.section(6, self.grown(6, 1, |bytes, _| bytes.extend([0x7f, 1, 0x41, 0, 0x0b]))),
                7 => out.section(7, self.exports_section(plan, &map)),
                8 => {
                    let mut bytes = Vec::new();
                    leb(&mut bytes, map(self.start.expect("there is a start section")));
                    out.section(8, bytes);
                }
                9 => {
                    let mut bytes = Vec::new();
                    leb(&mut bytes, self.elements.len() as u32);
                    for (offset, functions) in &self.elements {
                        segment(&mut bytes, *offset, functions.iter().map(|&function| map(function)));
                    }
                    out.section(9, bytes);
                }
                10 => {
                    let mut bytes = Vec::new();
                    leb(&mut bytes, present.len() as u32 + 1);
                    for &function in &present {
                        let mut code = Vec::new();
                        if plan.moved[function] {
                            self.stub(&mut code, function, ensure, plan.slots[function]);
                        } else {
                            let body = &self.bodies[function - self.imported];
                            self.code(&mut code, body.range.start, body, &map);
                        }
                        sized(&mut bytes, &code);
                    }
                    // if !loaded { load() }
                    let mut code = vec![0, 0x23];
                    leb(&mut code, loaded);
                    code.extend([0x45, 0x04, 0x40, 0x10]);
                    leb(&mut code, self.loader);
                    code.extend([0x0b, 0x0b]);
                    sized(&mut bytes, &code);
                    out.section(10, bytes);
                }
                0 => {}
                _ => out.section(*id, self.bytes[range.clone()].to_vec()),
            }
        }
        out.bytes
    }

    fn rest(&self, plan: &Plan) -> Vec<u8> {
        let mut imports = Vec::new();
        let mut import = |called: String, kind: &[u8], ty: Option<u32>| {
            name(&mut imports, "");
            name(&mut imports, &called);
            imports.extend(kind);
            ty.inspect(|&ty| leb(&mut imports, ty));
        };
        let mut map = vec![u32::MAX; self.functions.len()];
        for (at, &function) in plan.shared.iter().enumerate() {
            import(short(at), &[0], Some(self.functions[function as usize]));
            map[function as usize] = at as u32;
        }
        for (at, ty) in self.tables.iter().enumerate() {
            import(format!("t{at}"), &[1, reference(ty.element_type), 0, 0], None);
        }
        import("m".to_owned(), &[2, 0, 0], None);
        for (at, ty) in self.globals.iter().enumerate() {
            import(format!("g{at}"), &[3, value_type(ty.content_type), u8::from(ty.mutable)], None);
        }
        import(format!("g{}", self.globals.len()), &[3, 0x7f, 1], None);
        let count = plan.shared.len() + self.tables.len() + 1 + self.globals.len() + 1;
        let moved: Vec<usize> =
            (self.imported..self.functions.len()).filter(|&function| plan.moved[function]).collect();
        for (at, &function) in moved.iter().enumerate() {
            map[function] = (plan.shared.len() + at) as u32;
        }
        let map = |function: u32| map[function as usize];
        let mut out = Writer::new();
        let types = self.sections.iter().find(|(id, _)| *id == 1).map_or(0..0, |(_, range)| range.clone());
        out.section(1, self.bytes[types].to_vec());
        out.section(2, counted(count, imports));
        let mut bytes = Vec::new();
        moved.iter().for_each(|&function| leb(&mut bytes, self.functions[function]));
        leb(&mut bytes, self.functions[self.loader as usize]);
        out.section(3, counted(moved.len() + 1, bytes));
        let mut bytes = Vec::new();
        leb(&mut bytes, (plan.shared.len() + moved.len()) as u32);
        out.section(8, bytes);
        let mut bytes = Vec::new();
        let runs = plan.runs();
        runs.iter()
            .for_each(|run| segment(&mut bytes, run[0].0, run.iter().map(|&(_, function)| map(function))));
        out.section(9, counted(runs.len(), bytes));
        let mut bytes = Vec::new();
        for &function in &moved {
            let body = &self.bodies[function - self.imported];
            let mut code = Vec::new();
            self.code(&mut code, body.range.start, body, &map);
            sized(&mut bytes, &code);
        }
        // loaded = 1
        let mut code = vec![0, 0x41, 1, 0x24];
        leb(&mut code, self.globals.len() as u32);
        code.push(0x0b);
        sized(&mut bytes, &code);
        out.section(10, counted(moved.len() + 1, bytes));
        out.bytes
    }

    fn exports_section(&self, plan: &Plan, map: &dyn Fn(u32) -> u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut export = |called: &str, kind: u8, index: u32| {
            name(&mut bytes, called);
            bytes.push(kind);
            leb(&mut bytes, index);
        };
        for &(called, kind, index) in &self.exports {
            let index = if kind == ExternalKind::Func { map(index) } else { index };
            export(called, kind as u8, index);
        }
        for (at, &function) in plan.shared.iter().enumerate() {
            export(&short(at), 0, map(function));
        }
        for at in 0..self.tables.len() {
            export(&format!("t{at}"), 1, at as u32);
        }
        export("m", 2, 0);
        for at in 0..=self.globals.len() {
            export(&format!("g{at}"), 3, at as u32);
        }
        counted(self.exports.len() + plan.shared.len() + self.tables.len() + 2 + self.globals.len(), bytes)
    }

    fn tables_section(&self, slots_end: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (at, ty) in self.tables.iter().enumerate() {
            bytes.push(reference(ty.element_type));
            let (initial, maximum) = if at == 0 {
                (slots_end, ty.maximum.map(|maximum| slots_end.max(maximum as u32)))
            } else {
                (ty.initial as u32, ty.maximum.map(|maximum| maximum as u32))
            };
            bytes.push(u8::from(maximum.is_some()));
            leb(&mut bytes, initial);
            maximum.inspect(|&maximum| leb(&mut bytes, maximum));
        }
        counted(self.tables.len(), bytes)
    }

    fn stub(&self, code: &mut Vec<u8>, function: usize, ensure: u32, slot: u32) {
        code.extend([0, 0x10]);
        leb(code, ensure);
        let ty = self.functions[function];
        for parameter in 0..self.types[ty as usize].0 {
            code.push(0x20);
            leb(code, parameter as u32);
        }
        code.push(0x41);
        signed_leb(code, slot);
        code.push(0x11);
        leb(code, ty);
        code.extend([0, 0x0b]);
    }

    /// The code from a place on, with other functions under other numbers.
    fn code(&self, to: &mut Vec<u8>, from: usize, body: &Body, map: &dyn Fn(u32) -> u32) {
        let mut at = from;
        for (range, function) in &body.calls {
            to.extend(&self.bytes[at..range.start]);
            leb(to, map(*function));
            at = range.end;
        }
        to.extend(&self.bytes[at..body.range.end]);
    }

    /// A section with more entries at its end.
    fn grown(&self, id: u8, more: u32, entry: impl Fn(&mut Vec<u8>, u32)) -> Vec<u8> {
        let range =
            self.sections.iter().find(|(found, _)| *found == id).map_or(0..0, |(_, range)| range.clone());
        let (count, length) = read_leb(&self.bytes[range.start..]);
        let mut bytes = Vec::new();
        leb(&mut bytes, count + more);
        bytes.extend(&self.bytes[range.start + length..range.end]);
        (0..more).for_each(|at| entry(&mut bytes, at));
        bytes
    }
}

impl Body {
    fn parse(body: &FunctionBody, bytes: &[u8]) -> wasmparser::Result<Body> {
        let operators = body.get_operators_reader()?;
        let code = operators.original_position();
        let (mut calls, mut pinned) = (Vec::new(), false);
        for operator in operators.into_iter_with_offsets() {
            let (operator, offset) = operator?;
            match operator {
                Operator::Call { function_index }
                | Operator::ReturnCall { function_index }
                | Operator::RefFunc { function_index } => {
                    let (_, length) = read_leb(&bytes[offset + 1..]);
                    calls.push((offset + 1..offset + 1 + length, function_index));
                }
                Operator::MemoryInit { .. }
                | Operator::DataDrop { .. }
                | Operator::TableInit { .. }
                | Operator::ElemDrop { .. }
                | Operator::TableGrow { .. } => pinned = true,
                _ => {}
            }
        }
        Ok(Body { range: body.range(), code, calls, pinned })
    }
}

/// Where each function goes. All lists are by the number it has in the whole module.
struct Plan {
    moved: Vec<bool>,
    /// The number in the first part, of a function, an import or a stub.
    in_first: Vec<Option<u32>>,
    /// The slot in the table of a function with a stub.
    slots: Vec<u32>,
    slots_end: u32,
    /// Slots that the rest fills.
    filled: Vec<(u32, u32)>,
    /// What the rest needs of the first part.
    shared: Vec<u32>,
}

impl Plan {
    fn new(module: &Module, ran: &[bool]) -> Plan {
        let count = module.functions.len();
        let mut moved = vec![false; count];
        for (at, body) in module.bodies.iter().enumerate() {
            let small = body.calls.is_empty() && body.range.len() < SMALL;
            moved[module.imported + at] = !(ran[at] || body.pinned || small);
        }
        let mut reached = vec![false; count];
        let mut shared = vec![false; count];
        for (at, body) in module.bodies.iter().enumerate() {
            let from_rest = moved[module.imported + at];
            for &(_, function) in &body.calls {
                let crosses = moved[function as usize] != from_rest;
                reached[function as usize] |= crosses && !from_rest;
                shared[function as usize] |= crosses && from_rest;
            }
        }
        let exported = module.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Func);
        exported.for_each(|&(_, _, function)| reached[function as usize] = true);
        module.start.inspect(|&function| reached[function as usize] = true);
        let mut slots = vec![u32::MAX; count];
        let mut slots_end = module.tables[0].initial as u32;
        let mut filled = Vec::new();
        for (offset, functions) in &module.elements {
            for (slot, &function) in (*offset..).zip(functions) {
                reached[function as usize] = true;
                if moved[function as usize] {
                    slots[function as usize] = slot;
                    filled.push((slot, function));
                }
            }
        }
        let (mut in_first, mut next) = (vec![None; count], 0);
        for function in 0..count {
            if moved[function] && !reached[function] {
                continue;
            }
            in_first[function] = Some(next);
            next += 1;
            if moved[function] && slots[function] == u32::MAX {
                slots[function] = slots_end;
                filled.push((slots_end, function as u32));
                slots_end += 1;
            }
        }
        let shared = (0..count as u32).filter(|&function| shared[function as usize]).collect();
        Plan { moved, in_first, slots, slots_end, filled, shared }
    }

    /// The slots to fill, in runs without gaps.
    fn runs(&self) -> Vec<&[(u32, u32)]> {
        self.filled.chunk_by(|left, right| left.0 + 1 == right.0).collect()
    }
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn new() -> Writer {
        Writer { bytes: b"\0asm\x01\0\0\0".to_vec() }
    }

    fn section(&mut self, id: u8, content: Vec<u8>) {
        self.bytes.push(id);
        sized(&mut self.bytes, &content);
    }
}

fn counted(count: usize, entries: Vec<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    leb(&mut bytes, count as u32);
    bytes.extend(entries);
    bytes
}

/// An active segment of the first table.
fn segment(to: &mut Vec<u8>, offset: u32, functions: impl ExactSizeIterator<Item = u32>) {
    to.extend([0, 0x41]);
    signed_leb(to, offset);
    to.push(0x0b);
    leb(to, functions.len() as u32);
    functions.for_each(|function| leb(to, function));
}

fn sized(to: &mut Vec<u8>, content: &[u8]) {
    leb(to, content.len() as u32);
    to.extend(content);
}

fn name(to: &mut Vec<u8>, text: &str) {
    sized(to, text.as_bytes());
}

/// The name under which the first part lends a function to the rest; none of wasm-bindgen's is so short.
fn short(at: usize) -> String {
    format!("{at:x}")
}

fn leb(to: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

/// A constant that is read with its sign.
fn signed_leb(to: &mut Vec<u8>, mut value: u32) {
    while value >= 0x40 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn read_leb(bytes: &[u8]) -> (u32, usize) {
    let length = bytes.iter().position(|byte| byte & 0x80 == 0).map_or(bytes.len(), |last| last + 1);
    let value = bytes[..length].iter().rev().fold(0, |value, byte| value << 7 | u32::from(byte & 0x7f));
    (value, length)
}

fn reference(ty: RefType) -> u8 {
    if ty == RefType::FUNCREF { 0x70 } else { 0x6f }
}

fn value_type(ty: ValType) -> u8 {
    match ty {
        ValType::I32 => 0x7f,
        ValType::I64 => 0x7e,
        ValType::F32 => 0x7d,
        ValType::F64 => 0x7c,
        ValType::V128 => 0x7b,
        ValType::Ref(ty) => reference(ty),
    }
}

fn said(error: wasmparser::BinaryReaderError) -> String {
    format!("the module does not read: {error}")
}
