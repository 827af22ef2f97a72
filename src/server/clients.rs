//! Every connected client, addressed in constant time.

use super::client::Client;

/// A client. `serial` is the number CLIENT ID shows: it grows and never returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId {
    pub serial: u64,
    slot: u32,
}

impl ClientId {
    /// The id of a client that was connected when a checkpoint was written.
    pub fn of(serial: u64, slot: u32) -> ClientId {
        ClientId { serial, slot }
    }

    /// A small number for hosts to index by: unique among the clients connected now, given again later.
    pub fn slot(self) -> usize {
        self.slot as usize
    }
}

#[derive(Default)]
pub struct Clients {
    slots: Vec<Option<Box<Client>>>,
    free: Vec<u32>,
    last_serial: u64,
}

impl Clients {
    /// What decides about the next client's id: the last serial, and the free slots, the next one last.
    pub fn layout(&self) -> (u64, &[u32]) {
        (self.last_serial, &self.free)
    }

    /// The clients of a checkpoint; nothing when slots are missing or given twice.
    pub fn of(last_serial: u64, free: Vec<u32>, clients: Vec<Client>) -> Option<Clients> {
        let count = free.len() + clients.len();
        let mut slots: Vec<Option<Box<Client>>> = Vec::new();
        slots.resize_with(count, || None);
        let mut is_taken = vec![false; count];
        let taken = free.iter().copied().chain(clients.iter().map(|client| client.id.slot));
        for slot in taken {
            let place = is_taken.get_mut(slot as usize)?;
            if std::mem::replace(place, true) {
                return None;
            }
        }
        for client in clients {
            let slot = client.id.slot as usize;
            slots[slot] = Some(Box::new(client));
        }
        Some(Clients { slots, free, last_serial })
    }

    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn add(&mut self, now_ms: u64) -> ClientId {
        self.last_serial += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        let id = ClientId { serial: self.last_serial, slot };
        self.slots[slot as usize] = Some(Box::new(Client::new(id, now_ms)));
        id
    }

    pub fn remove(&mut self, id: ClientId) -> Option<Box<Client>> {
        self.get(id)?;
        self.free.push(id.slot);
        self.slots[id.slot as usize].take()
    }

    #[inline]
    pub fn get(&self, id: ClientId) -> Option<&Client> {
        self.slots.get(id.slot as usize)?.as_deref().filter(|client| client.id.serial == id.serial)
    }

    #[inline]
    pub fn get_mut(&mut self, id: ClientId) -> Option<&mut Client> {
        self.slots.get_mut(id.slot as usize)?.as_deref_mut().filter(|client| client.id.serial == id.serial)
    }

    /// O(clients).
    pub fn by_serial(&self, serial: u64) -> Option<ClientId> {
        self.slots.iter().flatten().map(|client| client.id).find(|id| id.serial == serial)
    }

    /// In the order in which they connected. O(n log n).
    pub fn ids(&self) -> Vec<ClientId> {
        let mut ids: Vec<_> = self.slots.iter().flatten().map(|client| client.id).collect();
        crate::data::order::sort(&mut ids);
        ids
    }

    pub fn iter(&self) -> impl Iterator<Item = &Client> {
        self.slots.iter().flatten().map(Box::as_ref)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Client> {
        self.slots.iter_mut().flatten().map(Box::as_mut)
    }
}
