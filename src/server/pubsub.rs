//! Who listens to which channel. Publishing writes straight into the listeners' output.

use std::collections::{BTreeMap, BTreeSet};

use super::clients::ClientId;

pub type Listeners = BTreeMap<Box<[u8]>, BTreeSet<ClientId>>;

#[derive(Default)]
pub struct PubSub {
    pub channels: Listeners,
    pub patterns: Listeners,
    pub shard_channels: Listeners,
}

impl PubSub {
    pub fn is_idle(&self) -> bool {
        self.channels.is_empty() && self.patterns.is_empty()
    }
}

/// Adds a listener; O(log n).
pub fn listen(listeners: &mut Listeners, name: &[u8], id: ClientId) {
    listeners.entry(name.into()).or_default().insert(id);
}

/// Removes a listener, and the name when nobody is left.
pub fn leave(listeners: &mut Listeners, name: &[u8], id: ClientId) {
    if let Some(ids) = listeners.get_mut(name) {
        ids.remove(&id);
        if ids.is_empty() {
            listeners.remove(name);
        }
    }
}
