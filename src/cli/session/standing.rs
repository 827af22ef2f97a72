//! A session between two commands, as a few numbers: enough to go on over a connection that outlived the session, as it
//! does when a host plays an engine's journal back.

use super::{Link, Session};

/// The state a prompt shows and replies depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub db: i64,
    pub db_before_multi: i64,
    pub in_multi: bool,
    pub subscribed: bool,
    pub monitoring: bool,
    pub resp3: bool,
    pub hints: bool,
}

impl Session {
    /// `None` while a reply is awaited: then nothing but the connection knows what comes next.
    pub fn standing(&self) -> Option<Standing> {
        let settled = self.link == Link::Up && !self.is_busy() && self.unfinished.is_none() && !self.ended;
        settled.then_some(Standing {
            db: self.db,
            db_before_multi: self.db_before_multi,
            in_multi: self.in_multi,
            subscribed: self.subscribed,
            monitoring: self.monitoring,
            resp3: self.resp3,
            hints: self.hints,
        })
    }

    /// Goes on where another session stood, over the same connection. For a session that has not started.
    pub fn resume(&mut self, standing: Standing) {
        self.link = Link::Up;
        self.db = standing.db;
        self.wanted_db = standing.db;
        self.db_before_multi = standing.db_before_multi;
        self.in_multi = standing.in_multi;
        self.subscribed = standing.subscribed;
        self.monitoring = standing.monitoring;
        self.resp3 = standing.resp3;
        self.hints = standing.hints;
    }
}
