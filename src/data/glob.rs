//! Redis's glob patterns: `*`, `?`, `[a-z]`, `[^a]`, `\x`.

/// Work one match may do: beyond it the pattern is taken not to match, so no pattern can stall the engine.
const STEPS_MAX: usize = 1_000_000;

/// Whether `text` matches all of `pattern`.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    matches_folded(pattern, text, false)
}

/// As [`matches`], in any case.
pub fn matches_nocase(pattern: &[u8], text: &[u8]) -> bool {
    matches_folded(pattern, text, true)
}

/// Only the last star can need another try, since an earlier one took the shortest text that let the rest go on: two
/// positions to fall back to are enough, and the work is at most pattern times text.
fn matches_folded(pattern: &[u8], text: &[u8], nocase: bool) -> bool {
    if pattern == b"*" {
        return true;
    }
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut steps = 0;
    loop {
        steps += 1;
        if steps > STEPS_MAX {
            return false;
        }
        if pattern.get(p) == Some(&b'*') {
            while pattern.get(p) == Some(&b'*') {
                p += 1;
            }
            if p == pattern.len() {
                return true;
            }
            star = Some((p, t));
            continue;
        }
        if t == text.len() {
            return p == pattern.len();
        }
        if let Some(next) = match_one(&pattern[p..], text[t], nocase) {
            p += next;
            t += 1;
            continue;
        }
        match star {
            Some((after, at)) if at < text.len() => {
                star = Some((after, at + 1));
                (p, t) = (after, at + 1);
            }
            _ => return false,
        }
    }
}

/// How much of the pattern matches one byte, if it does.
fn match_one(pattern: &[u8], byte: u8, nocase: bool) -> Option<usize> {
    let fold = |byte: u8| if nocase { byte.to_ascii_lowercase() } else { byte };
    match *pattern.first()? {
        b'?' => Some(1),
        b'[' => match_class(pattern, fold(byte), &fold),
        b'\\' if pattern.len() > 1 => (fold(pattern[1]) == fold(byte)).then_some(2),
        other => (fold(other) == fold(byte)).then_some(1),
    }
}

/// A class; one that never closes ends with the pattern.
fn match_class(pattern: &[u8], byte: u8, fold: &dyn Fn(u8) -> u8) -> Option<usize> {
    let mut at = 1;
    let negated = pattern.get(at) == Some(&b'^');
    at += usize::from(negated);
    let mut found = false;
    loop {
        match pattern.get(at) {
            None => break,
            Some(b']') => {
                at += 1;
                break;
            }
            Some(b'\\') if at + 1 < pattern.len() => {
                found |= fold(pattern[at + 1]) == byte;
                at += 2;
            }
            Some(&low) if pattern.get(at + 1) == Some(&b'-') && at + 2 < pattern.len() => {
                let (low, high) = (fold(low), fold(pattern[at + 2]));
                found |= (low.min(high)..=low.max(high)).contains(&byte);
                at += 3;
            }
            Some(&other) => {
                found |= fold(other) == byte;
                at += 1;
            }
        }
    }
    (found != negated).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::{matches, matches_nocase};

    #[test]
    fn patterns_match_as_redis_matches_them() {
        assert!(matches(b"h?llo", b"hello"));
        assert!(matches(b"h*llo", b"hllo"));
        assert!(matches(b"h[ae]llo", b"hallo"));
        assert!(!matches(b"h[^e]llo", b"hello"));
        assert!(matches(b"h[a-c]llo", b"hbllo"));
        assert!(matches(b"h[c-a]llo", b"hbllo"));
        assert!(matches(b"a\\*", b"a*"));
        assert!(!matches(b"a\\*", b"ab"));
        assert!(matches(b"*a*b", b"xaxxb"));
        assert!(!matches(b"*a*b", b"xaxx"));
        assert!(matches(b"", b""));
        assert!(!matches(b"", b"x"));
        assert!(matches(b"[", b"x") == matches(b"[]", b"x"));
        assert!(matches_nocase(b"HE*", b"hello"));
    }

    #[test]
    fn many_stars_end_soon() {
        assert!(matches(&b"a*".repeat(100), &b"a".repeat(10_000)));
        assert!(!matches(b"*a*a*a*a*a*a*a*a*a*a*b", &b"a".repeat(10_000)));
    }
}
