//! Who may log in, and as whom. What users may run is checked where commands are called.

pub mod log;
pub mod user;

use std::collections::BTreeMap;

use super::Server;
use super::client::Flags;
use super::clients::ClientId;
use super::error::{self, Result};
pub use log::{Log, Reason};
pub use user::{Selector, User};

/// All users by name, and what was refused to them.
pub struct Acl {
    pub users: BTreeMap<Vec<u8>, User>,
    pub log: Log,
}

pub const DEFAULT: &[u8] = b"default";

impl Default for Acl {
    fn default() -> Self {
        Acl { users: BTreeMap::from([(DEFAULT.to_vec(), User::unlimited())]), log: Log::default() }
    }
}

impl Acl {
    pub fn default_user(&self) -> &User {
        self.users.get(DEFAULT).expect("the default user is never removed")
    }
}

impl Server {
    pub fn default_user_has_no_password(&self) -> bool {
        self.acl.default_user().no_password
    }

    pub fn knows_user(&self, user: &[u8]) -> bool {
        self.acl.users.contains_key(user)
    }

    /// Whether a new connection must log in first.
    pub fn needs_auth(&self) -> bool {
        let user = self.acl.default_user();
        !(user.enabled && user.no_password)
    }

    /// AUTH: from now on the client acts as `name`.
    pub fn log_in(&mut self, id: ClientId, name: &[u8], password: &[u8]) -> Result {
        if !self.acl.users.get(name).is_some_and(|user| user.accepts(password)) {
            self.log_denied(id, Reason::Auth, "toplevel", b"AUTH", Some(name));
            return Err(error::WRONG_PASS);
        }
        if let Some(client) = self.clients.get_mut(id) {
            client.user = name.to_vec();
            client.flags.remove(Flags::NEEDS_AUTH);
        }
        self.limit_client(id);
        Ok(())
    }

    /// RESET: the client is what it was when it connected.
    pub fn log_out(&mut self, id: ClientId) {
        let needs_auth = self.needs_auth();
        if let Some(client) = self.clients.get_mut(id) {
            client.user = DEFAULT.to_vec();
            client.flags.set(Flags::NEEDS_AUTH, needs_auth);
        }
        self.limit_client(id);
    }

    /// Marks a client whose commands must be checked; others pay nothing.
    fn limit_client(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(id) else { return };
        let is_limited = self.acl.users.get(&client.user).is_none_or(|user| !user.is_unlimited());
        client.flags.set(Flags::ACL_LIMITED, is_limited);
    }

    /// Puts a user with its new rights in place. Clients that listen to what they may not hear any more are closed.
    pub fn put_user(&mut self, name: &[u8], user: User) {
        self.acl.users.insert(name.to_vec(), user);
        for id in self.clients_of(name) {
            self.limit_client(id);
            if self.may_not_listen(id) {
                self.close_for_acl(id);
            }
        }
    }

    /// Removes a user and closes its connections.
    pub fn remove_user(&mut self, name: &[u8]) -> bool {
        let was_there = self.acl.users.remove(name).is_some();
        for id in self.clients_of(name) {
            self.log_out(id);
            self.close_for_acl(id);
        }
        was_there
    }

    fn clients_of(&self, name: &[u8]) -> Vec<ClientId> {
        let ids = self.clients.ids().into_iter();
        ids.filter(|&id| self.clients.get(id).is_some_and(|client| client.user == name)).collect()
    }

    /// The client whose command runs still reads its reply.
    fn close_for_acl(&mut self, id: ClientId) {
        if self.current == Some(id) { self.close_after_reply(id) } else { self.kill(id) }
    }

    fn may_not_listen(&self, id: ClientId) -> bool {
        let Some(client) = self.clients.get(id) else { return false };
        let Some(user) = self.acl.users.get(&client.user) else { return true };
        let allowed = |name: &[u8], is_pattern| {
            user.all_selectors().any(|selector| selector.allows_channel(name, is_pattern))
        };
        !client.channels.iter().chain(&client.shard_channels).all(|name| allowed(name, false))
            || !client.patterns.iter().all(|name| allowed(name, true))
    }

    /// `requirepass`: the password of the default user, or none.
    pub fn follow_requirepass(&mut self) {
        let password = self.config.requirepass.clone();
        let user = self.acl.users.get_mut(DEFAULT).expect("the default user is never removed");
        user.no_password = password.is_empty();
        user.passwords = if password.is_empty() { Vec::new() } else { vec![user::hashed(&password)] };
    }

    /// Counts and logs a refusal. `user` is given where it is not the client's own.
    pub fn log_denied(
        &mut self,
        id: ClientId,
        reason: Reason,
        context: &'static str,
        object: &[u8],
        user: Option<&[u8]>,
    ) {
        let stats = &mut self.stats;
        *match reason {
            Reason::Command => &mut stats.acl_denied_command,
            Reason::Key => &mut stats.acl_denied_key,
            Reason::Channel => &mut stats.acl_denied_channel,
            Reason::Auth => &mut stats.acl_denied_auth,
        } += 1;
        let client = self.describe_client(id, 0).unwrap_or_default();
        let own = self.clients.get(id).map(|client| client.user.clone()).unwrap_or_default();
        let entry = log::Entry {
            id: 0,
            count: 1,
            reason,
            context,
            object: object.to_vec(),
            user: user.map_or(own, <[u8]>::to_vec),
            client,
            created_ms: self.now_ms,
            updated_ms: self.now_ms,
        };
        self.acl.log.add(entry, self.config.acl_log_max_len);
    }
}
