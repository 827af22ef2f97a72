//! `resplay doctest` as a tutorial's CI runs it: what it prints, what it writes, and how it exits.

use std::path::PathBuf;
use std::process::Command;

const GOOD: &str = "```redis\n> INCR n\n(integer) 1\n```\n";
const WRONG: &str = "Text.\n\n```redis\n> INCR n\n(integer) 7\n```\n\nMore.\n";

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("resplay-doctest-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        Folder(folder)
    }

    fn with(self, name: &str, text: &str) -> Folder {
        std::fs::write(self.0.join(name), text).expect("the folder is ours");
        self
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).expect("it was written")
    }

    /// What it prints to both streams, and its exit code.
    fn run(&self, words: &[&str]) -> (String, String, Option<i32>) {
        let output = Command::new(env!("CARGO_BIN_EXE_resplay"))
            .arg("doctest")
            .args(words)
            .current_dir(&self.0)
            .output();
        let output = output.expect("it runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
        (text(output.stdout), text(output.stderr), output.status.code())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_differs_is_shown_with_its_place() {
    let folder = Folder::new("differs").with("good.md", GOOD).with("wrong.md", WRONG);
    let (printed, _, code) = folder.run(&["good.md", "wrong.md"]);
    assert_eq!(printed, "wrong.md:4: INCR n\n  - (integer) 7\n  + (integer) 1\n1 passed, 1 failed\n");
    assert_eq!(code, Some(1));
}

#[test]
fn bless_writes_only_what_differs() {
    // No line end at the end: it would get one.
    let folder = Folder::new("bless").with("wrong.md", WRONG).with("good.md", GOOD.trim_end());
    let (printed, _, code) = folder.run(&["--bless", "--quiet", "wrong.md", "good.md"]);
    assert_eq!((printed.as_str(), code), ("1 passed, 0 failed, 1 written anew\n", Some(0)));
    assert_eq!(folder.text("wrong.md"), WRONG.replace('7', "1"));
    assert_eq!(folder.text("good.md"), GOOD.trim_end());
}

#[test]
fn a_test_of_nothing_is_no_success() {
    let folder =
        Folder::new("nothing").with("plain.md", "# Title\n").with("open.md", "```redis\n> PING\nPONG\n");
    let (printed, said, code) = folder.run(&["plain.md"]);
    assert_eq!((printed.as_str(), code), ("", Some(2)));
    assert!(said.contains("no transcripts found"), "{said}");
    let (printed, _, code) = folder.run(&["--bless", "open.md"]);
    assert_eq!(
        (printed.as_str(), code),
        ("open.md:1: this block is never closed\n0 passed, 1 failed\n", Some(1))
    );
    assert_eq!(folder.run(&["missing.md"]).2, Some(2));
}
