//! Who may log in.

use super::Server;
use super::client::Flags;
use super::clients::ClientId;
use super::error::{self, Result};

impl Server {
    pub fn default_user_has_no_password(&self) -> bool {
        self.config.requirepass.is_empty()
    }

    pub fn knows_user(&self, user: &[u8]) -> bool {
        user == b"default"
    }

    /// AUTH: from now on the client acts as `user`.
    pub fn log_in(&mut self, id: ClientId, user: &[u8], password: &[u8]) -> Result {
        let required = &self.config.requirepass;
        if !self.knows_user(user) || (!required.is_empty() && !is_equal(required, password)) {
            return Err(error::WRONG_PASS);
        }
        if let Some(client) = self.clients.get_mut(id) {
            client.user = user.to_vec();
            client.flags.remove(Flags::NEEDS_AUTH);
        }
        Ok(())
    }

    /// RESET: the client is what it was when it connected.
    pub fn log_out(&mut self, id: ClientId) {
        let needs_auth = !self.default_user_has_no_password();
        if let Some(client) = self.clients.get_mut(id) {
            client.user = b"default".to_vec();
            client.flags.set(Flags::NEEDS_AUTH, needs_auth);
        }
    }
}

/// Takes the same time wherever the difference is, so that a password cannot be felt out byte by byte.
fn is_equal(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0, |difference, (l, r)| difference | (l ^ r));
    left.len() == right.len() && difference == 0
}
