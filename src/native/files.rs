//! Files that a server reads and writes beside its data: users, the configuration it was started with.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::cli::session::encode;
use crate::command::acl::from_file;
use crate::engine::Engine;
use crate::resp::reply::{Decoder, Reply};
use crate::server::config::Config;

/// The path a parameter names, if any.
pub fn path(config: &Config, parameter: &str) -> Option<PathBuf> {
    let text = config.text_of(parameter);
    (!text.is_empty()).then(|| PathBuf::from(std::ffi::OsStr::from_bytes(text)))
}

/// The users of the configuration, or of the ACL file it names.
pub fn load_users(engine: &mut Engine, users: Vec<Vec<Vec<u8>>>, now_ms: u64) -> Result<(), String> {
    if let Some(path) = path(&engine.server().config, "aclfile") {
        if !users.is_empty() {
            return Err("Configuring Redis with users defined in redis.conf and at the same setting an ACL file path \
                        is invalid. Use either."
                .to_owned());
        }
        let text = read_users(path.as_os_str().as_bytes())?;
        let registry = engine.registry();
        return from_file(engine.server_mut(), registry, path.as_os_str().as_bytes(), &text);
    }
    let needs_auth = engine.server().needs_auth();
    for words in users {
        let name = String::from_utf8_lossy(words.first().map_or(b"", Vec::as_slice)).into_owned();
        // A user of a file starts from nothing, as ACL LOAD makes it.
        let mut command = vec![b"ACL".to_vec(), b"SETUSER".to_vec()];
        let (head, rules) = words.split_at(1.min(words.len()));
        command.extend_from_slice(head);
        command.push(b"reset".to_vec());
        command.extend_from_slice(rules);
        if let Reply::Error(text) = run(engine, &command, needs_auth, now_ms) {
            return Err(format!("Error in user declaration '{name}': {}", String::from_utf8_lossy(&text)));
        }
    }
    Ok(())
}

/// The text of an ACL file.
pub fn read_users(path: &[u8]) -> Result<Vec<u8>, String> {
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    std::fs::read(path).map_err(|error| {
        format!("Error loading ACLs, opening file '{}': {}", path.display(), super::reason(&error))
    })
}

/// Runs one command as the host itself.
fn run(engine: &mut Engine, command: &[Vec<u8>], needs_auth: bool, now_ms: u64) -> Reply {
    let id = engine.connect(now_ms);
    if needs_auth && let Some(client) = engine.server_mut().clients.get_mut(id) {
        client.flags.remove(crate::server::client::Flags::NEEDS_AUTH);
    }
    engine.receive(id, &encode(command), now_ms);
    let mut decoder = Decoder::new();
    decoder.feed(&engine.take_output(id));
    engine.disconnect(id, now_ms);
    decoder.next_reply().ok().flatten().unwrap_or(Reply::Nil)
}

/// CONFIG REWRITE: the values in force, among the lines that are there.
pub fn rewrite_config(config: &Config) -> io::Result<()> {
    let Some(path) = &config.config_file else { return Ok(()) };
    let old = match std::fs::read_to_string(path) {
        Ok(old) => old,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    replace(Path::new(path), config.rewrite(&old).as_bytes())
}

/// Puts a file in the place of another in one step.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let written = std::fs::write(&beside, bytes)
        .and_then(|()| match std::fs::metadata(path) {
            Ok(meta) => std::fs::set_permissions(&beside, meta.permissions()),
            Err(_) => Ok(()),
        })
        .and_then(|()| std::fs::File::open(&beside)?.sync_all())
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}
