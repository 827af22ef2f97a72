//! Tools at work in a session: their commands go out and their replies come back beside the user's.

use super::{Action, Link, Pending, Purpose, Session};
use crate::cli::tools::{Tool, Wish};
use crate::resp::reply::Reply;

/// A tool and what it waits for.
#[derive(Debug)]
pub(super) struct Running {
    tool: Box<dyn Tool>,
    begun: bool,
    awaited: usize,
    replies: Vec<Reply>,
    due_ms: Option<u64>,
}

impl Session {
    pub(super) fn start_tool(&mut self, tool: Box<dyn Tool>) {
        self.tool = Some(Running { tool, begun: false, awaited: 0, replies: Vec::new(), due_ms: None });
        match self.link {
            Link::Up => self.begin_tool(),
            Link::Down => self.connect(),
            Link::Opening => {}
        }
    }

    /// Once the connection stands.
    pub(super) fn begin_tool(&mut self) {
        if let Some(running) = self.tool.as_mut().filter(|running| !running.begun) {
            running.begun = true;
            self.tool_goes_on();
        }
    }

    pub(super) fn tool_answered(&mut self, reply: Reply) {
        let Some(running) = &mut self.tool else { return };
        running.replies.push(reply);
        if running.replies.len() >= running.awaited {
            self.tool_goes_on();
        }
    }

    pub(super) fn tool_tick(&mut self) {
        let now_ms = self.now_ms;
        if self.tool.as_ref().and_then(|running| running.due_ms).is_some_and(|due_ms| due_ms <= now_ms) {
            self.tool_goes_on();
        }
    }

    /// Ends the tool early; replies still on their way are dropped when they come.
    pub(super) fn stop_tool(&mut self) {
        let Some(mut running) = self.tool.take() else { return };
        for pending in &mut self.sent {
            if pending.purpose == Purpose::Tool {
                pending.purpose = Purpose::Quiet;
            }
        }
        if running.begun {
            let wish = running.tool.stop(self.now_ms);
            self.grant(wish);
        }
        self.out.push(Action::Status(None));
    }

    fn tool_goes_on(&mut self) {
        let now_ms = self.now_ms;
        let Some(running) = &mut self.tool else { return };
        running.due_ms = None;
        let replies = std::mem::take(&mut running.replies);
        let wish = running.tool.go_on(replies, now_ms);
        if wish.done {
            self.tool = None;
            self.out.push(Action::Status(None));
        } else {
            running.awaited = wish.commands.len();
            running.due_ms = wish.wait_ms.map(|wait_ms| now_ms + wait_ms);
        }
        self.grant(wish);
    }

    fn grant(&mut self, wish: Wish) {
        self.out.extend(wish.printed.into_iter().map(Action::Print));
        if let Some(status) = wish.status {
            self.out.push(Action::Status(Some(status)));
        }
        if let Some(after_ms) = wish.wait_ms.filter(|_| !wish.done) {
            self.out.push(Action::Wake { after_ms });
        }
        let tool_commands = if wish.done { Vec::new() } else { wish.commands };
        for args in tool_commands {
            let pending = Pending { purpose: Purpose::Tool, ..self.quiet(Purpose::Quiet, args) };
            self.send(pending);
        }
    }
}
