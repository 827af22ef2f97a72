//! What scripts keep between commands: the machines, the cache of scripts, the libraries, and the script that is paused in
//! the middle. Knows no command; without the feature `scripting` it only remembers that a script was wanted.

use crate::resp::{Request, quoted};

use super::Server;
use super::client::Flags as ClientFlags;
use super::clients::ClientId;
use super::error::Error;

/// A set of the flags that the first line of a script or a function declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    pub const NONE: Flags = Flags(0);
    pub const NO_WRITES: Flags = Flags(1);
    pub const ALLOW_OOM: Flags = Flags(1 << 1);
    pub const ALLOW_STALE: Flags = Flags(1 << 2);
    pub const NO_CLUSTER: Flags = Flags(1 << 3);
    pub const ALLOW_CROSS_SLOT_KEYS: Flags = Flags(1 << 4);
    /// A script without a first line of flags: held to the rules of its commands alone.
    pub const UNDECLARED: Flags = Flags(1 << 5);

    /// In the order in which FUNCTION LIST shows them.
    pub const NAMES: [(Flags, &'static str); 5] = [
        (Flags::NO_WRITES, "no-writes"),
        (Flags::ALLOW_OOM, "allow-oom"),
        (Flags::ALLOW_STALE, "allow-stale"),
        (Flags::NO_CLUSTER, "no-cluster"),
        (Flags::ALLOW_CROSS_SLOT_KEYS, "allow-cross-slot-keys"),
    ];

    pub fn from_name(name: &[u8]) -> Option<Flags> {
        Flags::NAMES.into_iter().find(|(_, known)| known.as_bytes() == name).map(|(flag, _)| flag)
    }

    pub fn has(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
    }

    pub fn add(&mut self, flag: Flags) {
        self.0 |= flag.0;
    }

    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Flags::NAMES.into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| name)
    }
}

/// Which of the two machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Script,
    Function,
}

/// A script from its start to its end.
pub struct Running {
    pub kind: Kind,
    /// The digest of a script, the name of a function.
    pub name: Box<[u8]>,
    pub client: ClientId,
    /// The number of the command that runs it, and the request; the latter once the script is paused.
    pub command: usize,
    pub request: Request,
    /// The database of the client, which the script may leave.
    pub db: usize,
    /// Time stands still for the script.
    pub started_at_ms: u64,
    /// Spent in the slices so far.
    pub microseconds: u64,
    pub may_write: bool,
    pub ignores_memory: bool,
    /// Its replies to the script are in RESP3.
    pub is_resp3: bool,
    /// redis.set_repl(redis.REPL_NONE).
    pub is_muted: bool,
    pub has_written: bool,
    pub is_killed: bool,
    /// The client's connection ended meanwhile.
    pub is_orphan: bool,
    /// CLIENT REPLY kept the reply back when the script began.
    pub is_silent: bool,
    /// The transaction it is part of.
    pub transaction: Option<Transaction>,
}

/// An EXEC that waits for a script among its commands.
pub struct Transaction {
    /// What its commands have answered so far, with the head of the array.
    pub replies: Vec<u8>,
    pub queue: std::vec::IntoIter<Request>,
    pub command: usize,
}

/// What a request may do while a script is paused.
pub enum Meanwhile {
    Run,
    Wait,
    Refuse(Error),
}

pub const BUSY_SCRIPT: Error =
    Error::new("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.");
pub const BUSY_FUNCTION: Error =
    Error::new("BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.");

pub struct Scripting {
    /// The script that is paused.
    pub running: Option<Box<Running>>,
    /// DEBUG SET-DISABLE-DENY-SCRIPTS: scripts may call what they otherwise may not.
    pub allows_everything: bool,
    /// What each of the two machines may hold. Redis has no limit; a page has.
    pub memory_bytes_max: usize,
    pub scripts: machines::Scripts,
    pub functions: machines::Functions,
}

impl Default for Scripting {
    fn default() -> Self {
        Scripting {
            running: None,
            allows_everything: false,
            memory_bytes_max: 512 << 20,
            scripts: Default::default(),
            functions: Default::default(),
        }
    }
}

impl Running {
    /// What everybody else is told from busy-reply-threshold on.
    pub fn busy_error(&self) -> Error {
        match self.kind {
            Kind::Script => BUSY_SCRIPT,
            Kind::Function => BUSY_FUNCTION,
        }
    }
}

impl Server {
    /// Whether the paused script has run so long that others are told so.
    pub fn is_busy(&self) -> bool {
        let threshold_ms = self.config.busy_reply_threshold_ms;
        let Some(running) = &self.scripting.running else { return false };
        threshold_ms > 0 && self.now_ms.saturating_sub(running.started_at_ms) >= threshold_ms
    }

    /// What a client may do while a script is paused, by whether its command is allowed then and whether it ends scripts.
    pub fn meanwhile(&self, allowed: bool, ends_scripts: bool) -> Meanwhile {
        match &self.scripting.running {
            Some(_) if ends_scripts => Meanwhile::Run,
            Some(_) if !self.is_busy() => Meanwhile::Wait,
            Some(running) if !allowed => Meanwhile::Refuse(running.busy_error()),
            _ => Meanwhile::Run,
        }
    }

    /// Whether fewer replicas follow than min-replicas-to-write asks for. None ever follows here.
    pub fn lacks_replicas(&self) -> bool {
        self.config.min_replicas_to_write > 0 && self.config.text_of("min-replicas-max-lag") != b"0"
    }

    /// The flags that the script a request runs has declared, by the name of the command and its first argument.
    pub fn declared_flags(&self, command: &str, word: &[u8]) -> Option<Flags> {
        match command {
            "EVAL" | "EVAL_RO" => read_first_line(word).ok().map(|(flags, _)| flags),
            "EVALSHA" | "EVALSHA_RO" => {
                let scripts = &self.scripting.scripts;
                let index = scripts.find(&machines::digest_of(word)?).ok()?;
                Some(scripts.cache[index].flags)
            }
            "FCALL" | "FCALL_RO" => {
                let functions = &self.scripting.functions;
                functions.find(word).ok().map(|index| functions.functions[index].flags)
            }
            _ => None,
        }
    }

    /// Ends the paused script before its next instruction.
    pub fn kill_script(&mut self, kind: Kind) -> Result<(), Error> {
        let Some(running) = &mut self.scripting.running else {
            return Err(Error::new("NOTBUSY No scripts in execution right now."));
        };
        if running.has_written {
            return Err(Error::new(
                "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait \
                 the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
            ));
        }
        if running.kind != kind {
            return Err(running.busy_error());
        }
        running.is_killed = true;
        Ok(())
    }

    /// The connection of a client has ended. True: a paused script still needs the client.
    pub fn keeps_for_script(&mut self, id: ClientId) -> bool {
        let Some(running) = self.scripting.running.as_mut().filter(|running| running.client == id) else {
            return false;
        };
        running.is_orphan = true;
        self.leave_all(id);
        if let Some(client) = self.clients.get_mut(id) {
            client.flags.add(ClientFlags::CLOSE_AFTER_REPLY);
            client.flags.add(ClientFlags::CLOSE_ASAP);
        }
        true
    }
}

/// For INFO.
#[derive(Default)]
pub struct Figures {
    pub scripts: usize,
    pub functions: usize,
    pub libraries: usize,
    /// What the machines of scripts and of functions hold.
    pub scripts_vm_bytes: u64,
    pub functions_vm_bytes: u64,
    /// What the lists of scripts and of libraries take.
    pub scripts_bytes: u64,
    pub functions_bytes: u64,
}

impl Scripting {
    /// The cached scripts, each with when it was used last, for checkpoints.
    pub fn cached(&self) -> Vec<(&[u8], u64)> {
        self.scripts.cache.iter().map(|script| (&*script.body, script.used)).collect()
    }

    /// Uses of all scripts, and how many scripts were evicted.
    pub fn uses(&self) -> (u64, u64) {
        (self.scripts.uses, self.scripts.evicted)
    }

    pub fn set_uses(&mut self, uses: u64, evicted: u64) {
        (self.scripts.uses, self.scripts.evicted) = (uses, evicted);
    }

    pub fn mark_used(&mut self, body: &[u8], used: u64) {
        if let Some(script) = self.scripts.cache.iter_mut().find(|script| *script.body == *body) {
            script.used = used;
        }
    }

    /// The sources of all libraries.
    pub fn sources(&self) -> Vec<&[u8]> {
        self.functions.libraries.iter().map(|library| &*library.code).collect()
    }

    pub fn figures(&mut self) -> Figures {
        let is_idle = self.running.is_none();
        let held = |machine: &mut Option<Box<machines::Machine>>| {
            machine.as_mut().map_or(0, |machine| {
                if is_idle {
                    machine.vm.collect_garbage();
                }
                machine.vm.memory_used() as u64
            })
        };
        Figures {
            scripts: self.scripts.cache.len(),
            functions: self.functions.functions.len(),
            libraries: self.functions.libraries.len(),
            scripts_vm_bytes: held(&mut self.scripts.machine),
            functions_vm_bytes: held(&mut self.functions.machine),
            scripts_bytes: self.scripts.heap_bytes(),
            functions_bytes: self.functions.heap_bytes(),
        }
    }
}

/// The flags in a first line `#!lua flags=…`, and the script without it; its line end stays, so that lines keep their
/// numbers.
pub fn read_first_line(body: &[u8]) -> Result<(Flags, &[u8]), Error> {
    if !body.starts_with(b"#!") {
        return Ok((Flags::UNDECLARED, body));
    }
    let Some(end) = memchr::memchr(b'\n', body) else {
        return Err(Error::new("ERR Invalid script shebang"));
    };
    let invalid = |_| Error::new("ERR Invalid engine in script shebang");
    let words = quoted::split(&body[..end]).map_err(invalid)?;
    let mut words = words.iter().map(Vec::as_slice);
    let engine = words.next().ok_or(Error::new("ERR Invalid engine in script shebang"))?;
    if engine != b"#!lua" {
        return Err(with_word("ERR Unexpected engine in script shebang: ", engine));
    }
    let mut flags = Flags::NONE;
    for word in words {
        let Some(names) = word.strip_prefix(b"flags=") else {
            return Err(with_word("ERR Unknown lua shebang option: ", word));
        };
        for name in names.split(|byte| *byte == b',').filter(|_| !names.is_empty()) {
            let flag = Flags::from_name(name)
                .ok_or_else(|| with_word("ERR Unexpected flag in script shebang: ", name))?;
            flags.add(flag);
        }
    }
    Ok((flags, &body[end..]))
}

pub fn with_word(text: &str, word: &[u8]) -> Error {
    Error::bytes([text.as_bytes(), word].concat())
}

pub mod machines {
    //! The parts that hold Lua values.

    use super::Flags;
    use crate::lua::{Pin, Table, Vm};
    use crate::resp::{ReplyWriter, Request};

    /// A Lua machine with what its scripts see.
    pub struct Machine {
        pub vm: Vm,
        pub globals: Table,
        /// For functions: the metatable of the globals, and what it shows to functions and to libraries being loaded.
        pub while_loading: Option<(Table, Table, Table)>,
    }

    /// What one call of redis.call after the other writes into.
    #[derive(Default)]
    pub struct Scratch {
        pub request: Request,
        pub reply: ReplyWriter,
    }

    /// What the digests of scripts are to be told apart by.
    pub type Digest = [u8; 20];

    /// Forty hexadecimal digits in any case.
    pub fn digest_of(name: &[u8]) -> Option<Digest> {
        let mut digest = [0; 20];
        if name.len() != 40 {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(name.chunks_exact(2)) {
            let digit = |byte: u8| (byte as char).to_digit(16);
            *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
        }
        Some(digest)
    }

    pub struct Script {
        pub digest: Digest,
        pub body: Box<[u8]>,
        pub flags: Flags,
        pub function: Pin,
        /// When it was used last, in uses of all scripts; 0 for what SCRIPT LOAD brought, which stays.
        pub used: u64,
    }

    /// EVAL's machine and the scripts it has compiled, by their digests.
    #[derive(Default)]
    pub struct Scripts {
        pub machine: Option<Box<Machine>>,
        pub scratch: Scratch,
        pub cache: Vec<Box<Script>>,
        pub uses: u64,
        pub evicted: u64,
    }

    impl Scripts {
        pub fn find(&self, digest: &Digest) -> Result<usize, usize> {
            self.cache.binary_search_by(|script| script.digest.cmp(digest))
        }

        /// An estimate of what the cached scripts take besides what the machine holds.
        pub fn heap_bytes(&self) -> u64 {
            self.cache.iter().map(|script| (script.body.len() + size_of::<Script>() + 40) as u64).sum()
        }
    }

    pub struct Library {
        pub name: Box<[u8]>,
        pub code: Box<[u8]>,
    }

    pub struct Function {
        pub name: Box<[u8]>,
        pub library: Box<[u8]>,
        pub description: Option<Box<[u8]>>,
        pub flags: Flags,
        pub callback: Pin,
    }

    /// FCALL's machine, the libraries by their names, the functions by their names in small letters.
    #[derive(Default)]
    pub struct Functions {
        pub machine: Option<Box<Machine>>,
        pub libraries: Vec<Box<Library>>,
        pub functions: Vec<Box<Function>>,
    }

    impl Functions {
        pub fn find_library(&self, name: &[u8]) -> Result<usize, usize> {
            self.libraries.binary_search_by(|library| (*library.name).cmp(name))
        }

        pub fn find(&self, name: &[u8]) -> Result<usize, usize> {
            let small = |name: &[u8], i: usize| name.get(i).map(u8::to_ascii_lowercase);
            self.functions.binary_search_by(|function| {
                let mut places = 0..=name.len();
                let differing = places.find(|&i| small(&function.name, i) != small(name, i));
                differing.map_or(std::cmp::Ordering::Equal, |i| small(&function.name, i).cmp(&small(name, i)))
            })
        }

        pub fn heap_bytes(&self) -> u64 {
            let libraries = self.libraries.iter().map(|library| library.code.len() + library.name.len() + 64);
            let functions = self.functions.iter().map(|function| function.name.len() + 80);
            (libraries.sum::<usize>() + functions.sum::<usize>()) as u64
        }
    }
}
