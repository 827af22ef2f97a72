//! Output to clients: who has some that the host has not been told of, and how much of it may wait.

use crate::resp::ReplyWriter;

use super::Server;
use super::client::Flags;
use super::clients::ClientId;
use super::describe::STATIC_OUTPUT_BYTES;
use super::event::{Event, LogLevel};

/// Output that a client does not read may take so much before it is closed, whatever the configuration says.
const UNREAD_BYTES_MAX: u64 = 1 << 30;

/// How often clients are looked at that leave too much unread.
const OUTPUT_CHECK_INTERVAL_MS: u64 = 1000;

impl Server {
    /// Writes out of band to a client and tells the host that there is something to send.
    pub fn write_to(&mut self, id: ClientId, write: impl FnOnce(&mut ReplyWriter)) {
        if let Some(client) = self.clients.get_mut(id) {
            if client.flags.has(Flags::CLOSE_AFTER_REPLY) {
                return;
            }
            write(&mut client.reply);
            self.announce(id);
            self.limit_output(id);
        }
    }

    /// Closes a client that leaves too much unread, at once or for too long. A session that may be replayed has no such
    /// limits: its replay takes no output.
    pub fn limit_output(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(id).filter(|_| !self.has_journal) else { return };
        let unsent = client.reply.len().saturating_sub(client.sent);
        if unsent <= STATIC_OUTPUT_BYTES {
            client.over_soft_limit_since_ms = None;
            return;
        }
        let class = match client.flags {
            flags if flags.has(Flags::REPLICA) => 1,
            flags if flags.has(Flags::SUBSCRIBED) => 2,
            _ => 0,
        };
        let limit = self.config.output_limits[class];
        let waiting = (unsent - STATIC_OUTPUT_BYTES) as u64;
        let is_soft = limit.soft_bytes > 0 && waiting >= limit.soft_bytes;
        let since_ms = client.over_soft_limit_since_ms.unwrap_or(self.now_ms);
        client.over_soft_limit_since_ms = is_soft.then_some(since_ms);
        let is_over = waiting >= UNREAD_BYTES_MAX
            || (limit.hard_bytes > 0 && waiting >= limit.hard_bytes)
            || (is_soft && self.now_ms - since_ms > limit.soft_seconds * 1000);
        if is_soft {
            if self.over_soft_limit.is_empty() {
                self.next_output_check_ms = self.now_ms + OUTPUT_CHECK_INTERVAL_MS;
            }
            self.over_soft_limit.insert(id);
        }
        if is_over && !client.flags.has(Flags::CLOSE_AFTER_REPLY) {
            client.reply = ReplyWriter::default();
            client.sent = 0;
            let text = format!(
                "Client id={} addr={} closed for overcoming of output buffer limits.",
                id.serial, client.address
            );
            self.stats.output_buffer_limit_disconnections += 1;
            self.log(LogLevel::Warning, text);
            self.kill(id);
        }
    }

    /// Looks again at those who have left too much unread for some time.
    pub fn limit_waiting_output(&mut self) {
        if self.output_deadline().is_some_and(|deadline_ms| deadline_ms <= self.now_ms) {
            for id in std::mem::take(&mut self.over_soft_limit) {
                self.limit_output(id);
            }
        }
    }

    /// When [`Server::limit_waiting_output`] is worth a call.
    pub fn output_deadline(&self) -> Option<u64> {
        (!self.over_soft_limit.is_empty()).then_some(self.next_output_check_ms)
    }

    /// Puts a client on the list of those with output.
    pub fn announce(&mut self, id: ClientId) {
        self.count_client(id);
        if let Some(client) = self.clients.get_mut(id).filter(|client| !client.is_announced) {
            client.is_announced = true;
            self.announced.push_back(id);
        }
    }

    /// A client with output that the host has not been told of yet.
    pub fn next_announced(&mut self) -> Option<ClientId> {
        while let Some(id) = self.announced.pop_front() {
            if let Some(client) = self.clients.get_mut(id) {
                client.is_announced = false;
                return Some(id);
            }
        }
        None
    }

    /// Closes a client once it has read its replies.
    pub fn close_after_reply(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(id).filter(|c| !c.flags.has(Flags::CLOSE_AFTER_REPLY)) {
            client.flags.add(Flags::CLOSE_AFTER_REPLY);
            self.emit(Event::Close(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server and a client of it that leaves so much unread.
    fn unread(bytes: usize, flags: Option<Flags>, limits: &str) -> (Server, ClientId) {
        let mut server = Server::new(1, 1000);
        let line = format!("client-output-buffer-limit {limits}");
        assert_eq!(server.config.apply_line(line.as_bytes()), Ok(None));
        let id = server.clients.add(1000);
        let client = server.clients.get_mut(id).expect("it was added");
        client.flags.add(flags.unwrap_or_default());
        client.reply.raw(&vec![b'x'; STATIC_OUTPUT_BYTES + bytes]);
        server.limit_output(id);
        (server, id)
    }

    fn is_closed(server: &Server, id: ClientId) -> bool {
        server.clients.get(id).is_none_or(|client| client.flags.has(Flags::CLOSE_AFTER_REPLY))
    }

    #[test]
    fn classes_have_limits_of_their_own() {
        let limits = "normal 1000 0 0 pubsub 2000 0 0";
        for (bytes, flags, closes) in [
            (999, None, false),
            (1000, None, true),
            (1000, Some(Flags::SUBSCRIBED), false),
            (2000, Some(Flags::SUBSCRIBED), true),
            (2000, Some(Flags::REPLICA), false),
        ] {
            let (server, id) = unread(bytes, flags, limits);
            assert_eq!(is_closed(&server, id), closes, "{bytes} {flags:?}");
        }
    }

    #[test]
    fn a_soft_limit_takes_its_time() {
        let (mut server, id) = unread(500, None, "normal 0 100 3");
        assert_eq!(server.output_deadline(), Some(2000));
        for (now_ms, closes) in [(2000, false), (3000, false), (4000, false), (5000, true)] {
            server.set_now(now_ms);
            server.limit_waiting_output();
            assert_eq!(is_closed(&server, id), closes, "{now_ms}");
        }
        let (mut server, id) = unread(500, None, "normal 0 100 3");
        server.clients.get_mut(id).expect("it is open").sent = STATIC_OUTPUT_BYTES + 500;
        server.set_now(9000);
        server.limit_waiting_output();
        assert!(!is_closed(&server, id) && server.output_deadline().is_none());
    }
}
