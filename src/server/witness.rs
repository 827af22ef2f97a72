//! What a host that looks on is told: which keys changed and, when it looks closely, what every command did. Plain data,
//! bounded; nothing is written down unless somebody asked.

/// Changed keys kept between two looks.
const CHANGES_MAX: usize = 256;
/// Commands kept of one input: a script may run millions.
const STEPS_MAX: usize = 200;
const NOTICES_MAX: usize = 50;

#[derive(Default)]
pub struct Witness {
    /// Database and key, the latest last, each once.
    pub changes: Vec<(usize, Box<[u8]>)>,
    /// Keys changed that are not in `changes`.
    pub missed_changes: bool,
    /// What commands did, if somebody looks closely.
    pub steps: Option<Vec<Step>>,
    /// The steps that run now, the innermost last; `None` for one that was not kept.
    running: Vec<Option<usize>>,
    /// Commands that were not kept.
    pub missed_steps: u64,
}

/// One run of a command.
pub struct Step {
    pub name: &'static str,
    pub client: u64,
    /// Why it ran: "client", "exec", "script", "resumed" or "stream".
    pub origin: &'static str,
    pub depth: usize,
    /// The first words of the request, each cut.
    pub words: Vec<Vec<u8>>,
    pub word_count: usize,
    pub keys: Vec<KeyStep>,
    pub notices: Vec<Notice>,
    /// Changes to the data that it counted.
    pub changes: u64,
    /// Keys that it looked up to read them.
    pub lookups: u64,
    pub is_blocked: bool,
}

/// A key that the key specs of a command name.
pub struct KeyStep {
    pub key: Vec<u8>,
    /// Which word of the request it is.
    pub position: usize,
    pub flags: Vec<&'static str>,
    pub before: Option<Look>,
    pub after: Option<Look>,
}

/// How a value is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    pub type_name: &'static str,
    pub encoding: &'static str,
    /// Elements, or bytes of a string.
    pub size: u64,
    pub expires_at: Option<u64>,
}

/// A keyspace notification.
pub struct Notice {
    pub event: String,
    pub key: Vec<u8>,
    /// The configuration lets it out.
    pub is_sent: bool,
}

impl Witness {
    pub fn changed(&mut self, db: usize, key: &[u8]) {
        let known = self.changes.iter().rposition(|(at, changed)| *at == db && **changed == *key);
        match known {
            Some(place) => {
                let change = self.changes.remove(place);
                self.changes.push(change);
            }
            None if self.changes.len() < CHANGES_MAX => self.changes.push((db, key.into())),
            None => self.missed_changes = true,
        }
    }

    pub fn noticed(&mut self, key: &[u8], event: &str, is_sent: bool) {
        let Some(Some(number)) = self.running.last() else { return };
        let step = self.steps.as_mut().and_then(|steps| steps.get_mut(*number));
        if let Some(step) = step.filter(|step| step.notices.len() < NOTICES_MAX) {
            step.notices.push(Notice { event: event.to_owned(), key: key.to_vec(), is_sent });
        }
    }

    /// How deep the next step stands, or nothing if it is not to be kept.
    pub fn next_depth(&self) -> Option<usize> {
        self.steps.as_ref().filter(|steps| steps.len() < STEPS_MAX).map(|_| self.running.len())
    }

    /// A command begins; every call is followed by one of [`Witness::end`].
    pub fn begin(&mut self, step: Option<Step>) {
        let steps = self.steps.as_mut();
        let number = step.zip(steps).map(|(step, steps)| {
            steps.push(step);
            steps.len() - 1
        });
        self.missed_steps += u64::from(number.is_none());
        self.running.push(number);
    }

    /// The innermost command has ended: its step, if it was kept.
    pub fn end(&mut self) -> Option<&mut Step> {
        let number = self.running.pop().flatten()?;
        self.steps.as_mut()?.get_mut(number)
    }
}
