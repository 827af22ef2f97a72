//! A walk over a reply's parts without recursion, which can stop anywhere and go on later.

use crate::resp::reply::Reply;

/// Where a part stands in the aggregate around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    Root,
    Element(usize),
    Key(usize),
    Value(usize),
}

impl Slot {
    /// The position among its like: of the element, or of the pair.
    pub fn index(self) -> usize {
        match self {
            Slot::Root => 0,
            Slot::Element(index) | Slot::Key(index) | Slot::Value(index) => index,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    Leaf(Slot, &'a Reply),
    /// An aggregate begins; its parts follow, then its `Close`.
    Open(Slot, &'a Reply),
    Close(Slot, &'a Reply),
}

#[derive(Debug)]
struct Frame<'a> {
    slot: Slot,
    reply: &'a Reply,
    next: usize,
}

/// Visits the parts of a reply in order. Attributes are left out.
#[derive(Debug)]
pub struct Walk<'a> {
    root: Option<&'a Reply>,
    stack: Vec<Frame<'a>>,
    path: Vec<u32>,
}

impl<'a> Walk<'a> {
    pub fn new(reply: &'a Reply) -> Walk<'a> {
        Walk { root: Some(reply), stack: Vec::new(), path: Vec::new() }
    }

    /// The path of the part the last step was about.
    pub fn path(&self) -> &[u32] {
        &self.path
    }

    fn enter(&mut self, slot: Slot, reply: &'a Reply) -> Step<'a> {
        let reply = reply.plain();
        match reply {
            Reply::Array(_) | Reply::Set(_) | Reply::Push(_) | Reply::Map(_) => {
                self.stack.push(Frame { slot, reply, next: 0 });
                Step::Open(slot, reply)
            }
            leaf => Step::Leaf(slot, leaf),
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        if let Some(root) = self.root.take() {
            return Some(self.enter(Slot::Root, root));
        }
        let depth = self.stack.len();
        let frame = self.stack.last_mut()?;
        let index = frame.next;
        let part = frame.reply.part(index);
        frame.next += 1;
        self.path.truncate(depth - 1);
        match part {
            Some(part) => {
                self.path.push(index as u32);
                let slot = match frame.reply {
                    Reply::Map(_) if index.is_multiple_of(2) => Slot::Key(index / 2),
                    Reply::Map(_) => Slot::Value(index / 2),
                    _ => Slot::Element(index),
                };
                Some(self.enter(slot, part))
            }
            None => {
                let frame = self.stack.pop().expect("its top was just read");
                Some(Step::Close(frame.slot, frame.reply))
            }
        }
    }
}
