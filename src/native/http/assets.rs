//! The files of the page: from inside the binary, or from a folder. Which file a request's path names, and what it is.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_128;

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// Where the page is in a checkout of the project.
const IN_CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/www/dist");

/// Where files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Embedded,
    Folder(PathBuf),
    /// The page was never built.
    Nothing,
}

/// A file and, where there are such, the same compressed.
pub struct Asset {
    pub bytes: Cow<'static, [u8]>,
    pub brotli: Option<Cow<'static, [u8]>>,
    pub gzip: Option<Cow<'static, [u8]>>,
}

impl Source {
    /// The folder asked for, else what the binary holds, else what the checkout holds.
    pub fn find(folder: Option<PathBuf>) -> Source {
        if let Some(folder) = folder {
            return Source::Folder(folder);
        }
        if !EMBEDDED.is_empty() {
            return Source::Embedded;
        }
        let folder = PathBuf::from(IN_CHECKOUT);
        if folder.join("index.html").is_file() { Source::Folder(folder) } else { Source::Nothing }
    }

    /// `name` is one that [`name_of`] gave.
    pub fn asset(&self, name: &str) -> Option<Asset> {
        let file = |name: &str| match self {
            Source::Nothing => None,
            Source::Embedded => {
                let place = EMBEDDED.binary_search_by(|(other, _)| (*other).cmp(name)).ok()?;
                Some(Cow::Borrowed(EMBEDDED[place].1))
            }
            Source::Folder(folder) => read(folder, name).map(Cow::Owned),
        };
        Some(Asset {
            bytes: file(name)?,
            brotli: file(&format!("{name}.br")),
            gzip: file(&format!("{name}.gz")),
        })
    }
}

/// A file of the folder, and of nowhere else, wherever links lead.
fn read(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let folder = folder.canonicalize().ok()?;
    let path = folder.join(name).canonicalize().ok()?;
    if path.starts_with(&folder) && path.is_file() { std::fs::read(path).ok() } else { None }
}

/// Text of an address without its percent signs.
pub fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
                (digit()? * 16 + digit()?) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The file a request's path names, if it can be one of the page's: no part of it begins with a dot.
pub fn name_of(path: &str) -> Option<String> {
    let name = decoded(path.strip_prefix('/')?)?;
    if name.is_empty() {
        return Some("index.html".to_owned());
    }
    let is_plain = !name.chars().any(|c| c.is_control() || c == '\\' || c == ':');
    (is_plain && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))).then_some(name)
}

/// What a page says that it may do, for the header that says the same.
pub fn policy(html: &[u8]) -> Option<&str> {
    let html = std::str::from_utf8(html).ok()?;
    let (_, after) = html.split_once("http-equiv=\"Content-Security-Policy\"")?;
    let (policy, _) = after.split_once("content=\"")?.1.split_once('"')?;
    policy.bytes().all(|byte| matches!(byte, b' '..=b'~')).then_some(policy)
}

pub fn mime(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" | "redis" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Whether the name changes with the content, as `assets/index-BdQ3xk1Z.js` does.
pub fn has_hash(name: &str) -> bool {
    let Some(file) = name.strip_prefix("assets/") else { return false };
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let Some(hash) = stem.len().checked_sub(8).and_then(|at| stem.get(at..)) else { return false };
    let before = &stem[..stem.len() - 8];
    before.ends_with('-')
        && hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// A strong validator: another for other bytes.
pub fn tag(bytes: &[u8]) -> String {
    format!("\"{:032x}\"", xxh3_128(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside() {
        for path in [
            "/../a",
            "/a/../../b",
            "/%2e%2e/a",
            "/a%5c..",
            "/.git/config",
            "/a%00",
            "a",
            "",
            "/%zz",
            "/%f",
            "//a",
            "/a/",
            "/a//b",
            "/c:/x",
            "/%2e",
            "/a/%2e%2e%2fb",
        ] {
            assert_eq!(name_of(path), None, "{path}");
        }
        assert_eq!(name_of("/"), Some("index.html".to_owned()));
        assert_eq!(name_of("/a/b%20c.js"), Some("a/b c.js".to_owned()));
    }

    #[test]
    fn hashed_names_are_known() {
        for name in ["assets/index-BdQ3xk1Z.js", "assets/engine_bg-aB3-_9xy.wasm"] {
            assert!(has_hash(name), "{name}");
        }
        for name in
            ["embed.js", "index.html", "assets/a.js", "assets/indexBdQ3xk1Z.js", "x/index-BdQ3xk1Z.js"]
        {
            assert!(!has_hash(name), "{name}");
        }
    }
}
