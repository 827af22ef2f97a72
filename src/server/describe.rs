//! A client as CLIENT LIST shows it.

use std::fmt::Write;

use super::Server;
use super::client::{Client, Flags as ClientFlags};
use super::clients::ClientId;

/// Redis keeps so much of a client's output in one buffer, and counts only what does not fit.
pub const STATIC_OUTPUT_BYTES: usize = 16 * 1024;

/// The letters of a client's flags in CLIENT LIST.
fn letters(client: &Client) -> String {
    const LETTERS: [(ClientFlags, char); 12] = [
        (ClientFlags::MONITOR, 'O'),
        (ClientFlags::REPLICA, 'S'),
        (ClientFlags::MASTER, 'M'),
        (ClientFlags::SUBSCRIBED, 'P'),
        (ClientFlags::MULTI, 'x'),
        (ClientFlags::BLOCKED, 'b'),
        (ClientFlags::TRACKING, 't'),
        (ClientFlags::DIRTY_CAS, 'd'),
        (ClientFlags::CLOSE_AFTER_REPLY, 'c'),
        (ClientFlags::READONLY, 'r'),
        (ClientFlags::NO_EVICT, 'e'),
        (ClientFlags::NO_TOUCH, 'T'),
    ];
    let mut letters = String::new();
    for (flag, letter) in LETTERS {
        if client.flags.has(flag) {
            letters.push(letter);
        }
        if let Some(mode) = client.tracking.as_ref().filter(|_| flag == ClientFlags::TRACKING) {
            letters.push_str(if mode.is_broken { "R" } else { "" });
            letters.push_str(if mode.broadcast { "B" } else { "" });
        }
    }
    if letters.is_empty() { "N".into() } else { letters }
}

impl Server {
    /// The fields of a client in a line; nothing for one that has been closed already. `running` are the bytes of its reply
    /// that are still with its command.
    pub fn describe_client(&self, id: ClientId, running: usize) -> Option<String> {
        let client = self.clients.get(id).filter(|client| !client.flags.has(ClientFlags::CLOSE_ASAP))?;
        let output = self.unsent_bytes(client) + if self.has_journal { 0 } else { running };
        let listed = output.saturating_sub(STATIC_OUTPUT_BYTES);
        let queue = if client.flags.has(ClientFlags::MULTI) { client.queue.len() as i64 } else { -1 };
        let seconds_since = |then_ms: u64| self.now_ms.saturating_sub(then_ms) / 1000;
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let memory = client.memory_bytes() + output;
        let command = client.last_command.to_ascii_lowercase().replace(' ', "|");
        let command = if client.last_command == "NULL" { "NULL".to_string() } else { command };
        let fields = [
            ("id", id.serial.to_string()),
            ("addr", client.address.clone()),
            ("laddr", client.local_address.clone()),
            ("fd", (8 + id.slot()).to_string()),
            ("name", shown(&client.identity.name)),
            ("age", seconds_since(client.connected_at_ms).to_string()),
            ("idle", seconds_since(client.active_at_ms).to_string()),
            ("flags", letters(client)),
            ("db", client.db.to_string()),
            ("sub", client.channels.len().to_string()),
            ("psub", client.patterns.len().to_string()),
            ("ssub", client.shard_channels.len().to_string()),
            ("multi", queue.to_string()),
            ("watch", client.watched.len().to_string()),
            ("qbuf", (client.input.len() + client.reading).to_string()),
            ("qbuf-free", "0".into()),
            ("argv-mem", "0".into()),
            ("multi-mem", client.queue_bytes.to_string()),
            ("rbs", "16384".into()),
            ("rbp", "16384".into()),
            ("obl", output.min(STATIC_OUTPUT_BYTES).to_string()),
            ("oll", listed.div_ceil(STATIC_OUTPUT_BYTES).to_string()),
            ("omem", listed.to_string()),
            ("tot-mem", memory.to_string()),
            ("events", "r".into()),
            ("cmd", command),
            ("user", shown(&client.user)),
            ("redir", client.redirection().to_string()),
            ("resp", if client.reply.is_resp3() { "3" } else { "2" }.into()),
            ("lib-name", shown(&client.identity.library_name)),
            ("lib-ver", shown(&client.identity.library_version)),
            ("io-thread", "0".into()),
            ("tot-net-in", client.input_bytes.to_string()),
            ("tot-net-out", client.output_bytes.to_string()),
            ("tot-cmds", client.commands.to_string()),
            ("read-events", client.reads.to_string()),
            ("parse-batch-cmd-sum", client.commands.to_string()),
            ("parse-batch-cnt", client.reads.to_string()),
        ];
        let mut text = String::new();
        for (index, (name, value)) in fields.iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            let _ = write!(text, "{space}{name}={value}");
        }
        Some(text)
    }

    /// Output the host has not taken yet. A replayed session must say the same as the first, whatever its host takes when:
    /// there it counts as nothing.
    pub fn unsent_bytes(&self, client: &Client) -> usize {
        if self.has_journal { 0 } else { client.reply.len().saturating_sub(client.sent) }
    }
}
