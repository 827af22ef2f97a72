//! Redis's patterns: `*`, `?`, `[a-c^]` and `\`. This file must not know what is matched.

/// Redis follows no more stars than this; a pattern that reaches the next one matches nothing.
const STARS_MAX: usize = 1000;
/// Work one match may do: beyond it the pattern is taken not to match, so no pattern can stall the engine.
const STEPS_MAX: usize = 1 << 26;

/// Whether all of `text` matches. O(pattern * text) at worst.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    Matcher { pattern, text, nocase: false }.run()
}

/// [`matches`] with ASCII letters of either case alike, but for escaped ones in brackets.
pub fn matches_nocase(pattern: &[u8], text: &[u8]) -> bool {
    Matcher { pattern, text, nocase: true }.run()
}

struct Matcher<'a> {
    pattern: &'a [u8],
    text: &'a [u8],
    nocase: bool,
}

impl Matcher<'_> {
    /// Only the last star can usefully take more, so one pair of positions is all there is to come back to.
    fn run(&self) -> bool {
        if self.pattern == b"*" {
            return true;
        }
        let (mut at, mut position) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        let (mut stars, mut steps) = (0, 0);
        // A star takes something only when the text is not used up; an empty text matches no `**`.
        while position < self.text.len() {
            steps += 1;
            if steps > STEPS_MAX {
                return false;
            }
            if at < self.pattern.len() && self.pattern[at] == b'*' {
                at = self.behind_stars(at);
                if at == self.pattern.len() {
                    return true;
                }
                stars += 1;
                if stars > STARS_MAX {
                    return false;
                }
                star = Some((at, position));
            } else if at < self.pattern.len()
                && let Some(next) = self.step(at, self.text[position])
            {
                at = next;
                position += 1;
                if position == self.text.len() {
                    at = self.behind_stars(at);
                    if at == self.pattern.len() {
                        return true;
                    }
                    // The pattern wants more than there is: no star can help by taking more.
                    return false;
                }
            } else if let Some((behind, taken)) = star {
                at = behind;
                position = taken + 1;
                star = Some((behind, position));
            } else {
                return false;
            }
        }
        at == self.pattern.len() && self.text.is_empty()
    }

    fn behind_stars(&self, mut at: usize) -> usize {
        while self.pattern.get(at) == Some(&b'*') {
            at += 1;
        }
        at
    }

    /// Position behind the element at `at` when it matches the byte.
    fn step(&self, at: usize, byte: u8) -> Option<usize> {
        match self.pattern[at] {
            b'?' => Some(at + 1),
            b'[' => self.step_class(at + 1, byte),
            b'\\' if at + 1 < self.pattern.len() => self.same(self.pattern[at + 1], byte).then_some(at + 2),
            other => self.same(other, byte).then_some(at + 1),
        }
    }

    /// Brackets; the end of the pattern closes them too.
    fn step_class(&self, mut at: usize, byte: u8) -> Option<usize> {
        let pattern = self.pattern;
        let negated = pattern.get(at) == Some(&b'^');
        at += usize::from(negated);
        let mut matched = false;
        loop {
            match pattern[at.min(pattern.len())..] {
                [] => break,
                [b'\\', escaped, ..] => {
                    matched |= escaped == byte;
                    at += 2;
                }
                [b']', ..] => {
                    at += 1;
                    break;
                }
                [from, b'-', to, ..] => {
                    matched |= self.in_range(from, to, byte);
                    at += 3;
                }
                [other, ..] => {
                    matched |= self.same(other, byte);
                    at += 1;
                }
            }
        }
        (matched != negated).then_some(at)
    }

    /// Bytes compare as signed, as C's `char` does on most machines.
    fn in_range(&self, from: u8, to: u8, byte: u8) -> bool {
        let (low, high) = if (from as i8) <= to as i8 { (from, to) } else { (to, from) };
        let fold = |byte: u8| if self.nocase { byte.to_ascii_lowercase() as i8 } else { byte as i8 };
        (fold(low)..=fold(high)).contains(&fold(byte))
    }

    fn same(&self, left: u8, right: u8) -> bool {
        if self.nocase { left.eq_ignore_ascii_case(&right) } else { left == right }
    }
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
        assert!(matches(b"*", b"") && !matches(b"**", b"") && matches(b"a**", b"a"));
        assert!(matches(b"[^]a", b"xa") && matches(b"[a\\]]", b"]") && matches(b"[\x80-a]", b"\xff"));
    }

    #[test]
    fn many_stars_end_soon() {
        assert!(matches(&b"a*".repeat(100), &b"a".repeat(10_000)));
        assert!(!matches(b"*a*a*a*a*a*a*a*a*a*a*b", &b"a".repeat(10_000)));
    }
}
