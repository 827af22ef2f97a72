//! Pattern matching by backtracking, with bounded depth and bounded work. Bytes only; no machine.

pub(super) const CAPTURES_MAX: usize = 32;
const DEPTH_MAX: u32 = 200;
/// About half a second.
const STEPS_MAX: usize = 1 << 26;

#[derive(Clone, Copy)]
pub(super) enum Length {
    Unclosed,
    Position,
    Bytes(usize),
}

#[derive(Clone, Copy)]
pub(super) struct Capture {
    pub start: usize,
    pub length: Length,
}

pub(super) struct Matcher<'a> {
    pub source: &'a [u8],
    pattern: &'a [u8],
    pub captures: [Capture; CAPTURES_MAX],
    pub level: usize,
    depth: u32,
    pub steps: usize,
}

type Outcome<T = Option<usize>> = Result<T, &'static str>;

fn in_class(c: u8, class: u8) -> bool {
    let found = match class.to_ascii_lowercase() {
        b'a' => c.is_ascii_alphabetic(),
        b'c' => c.is_ascii_control(),
        b'd' => c.is_ascii_digit(),
        b'l' => c.is_ascii_lowercase(),
        b'p' => c.is_ascii_punctuation(),
        b's' => matches!(c, b' ' | b'\t'..=b'\r'),
        b'u' => c.is_ascii_uppercase(),
        b'w' => c.is_ascii_alphanumeric(),
        b'x' => c.is_ascii_hexdigit(),
        b'z' => c == 0,
        _ => return class == c,
    };
    found != class.is_ascii_uppercase()
}

impl<'a> Matcher<'a> {
    pub fn new(source: &'a [u8], pattern: &'a [u8]) -> Matcher<'a> {
        let captures = [Capture { start: 0, length: Length::Unclosed }; CAPTURES_MAX];
        Matcher { source, pattern, captures, level: 0, depth: 0, steps: 0 }
    }

    /// Matches at `at` with the pattern from `p` on: the end of the match.
    pub fn match_at(&mut self, at: usize, p: usize) -> Outcome {
        self.level = 0;
        self.depth = 0;
        self.go(at, p)
    }

    fn step(&mut self) -> Outcome<()> {
        self.steps += 1;
        if self.steps > STEPS_MAX { Err("pattern too complex") } else { Ok(()) }
    }

    fn class_end(&self, p: usize) -> Outcome<usize> {
        match self.pattern[p] {
            b'%' if p + 1 >= self.pattern.len() => Err("malformed pattern (ends with '%')"),
            b'%' => Ok(p + 2),
            b'[' => {
                let mut p = p + 1;
                if self.pattern.get(p) == Some(&b'^') {
                    p += 1;
                }
                loop {
                    match self.pattern.get(p) {
                        None => return Err("malformed pattern (missing ']')"),
                        Some(b'%') => p += 2,
                        Some(_) => p += 1,
                    }
                    if self.pattern.get(p) == Some(&b']') {
                        return Ok(p + 1);
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    /// Whether a byte is in the set from `p` (at `[`) to `end` (at `]`).
    fn in_set(&self, c: u8, p: usize, end: usize) -> bool {
        let mut p = p + 1;
        let negated = self.pattern[p] == b'^';
        p += negated as usize;
        while p < end {
            if self.pattern[p] == b'%' {
                if in_class(c, self.pattern[p + 1]) {
                    return !negated;
                }
                p += 2;
            } else if self.pattern.get(p + 1) == Some(&b'-') && p + 2 < end {
                if (self.pattern[p]..=self.pattern[p + 2]).contains(&c) {
                    return !negated;
                }
                p += 3;
            } else {
                if self.pattern[p] == c {
                    return !negated;
                }
                p += 1;
            }
        }
        negated
    }

    fn single(&self, at: usize, p: usize, end: usize) -> bool {
        let Some(&c) = self.source.get(at) else { return false };
        match self.pattern[p] {
            b'.' => true,
            b'%' => in_class(c, self.pattern[p + 1]),
            b'[' => self.in_set(c, p, end - 1),
            other => other == c,
        }
    }

    fn go(&mut self, at: usize, p: usize) -> Outcome {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("pattern too complex");
        }
        let result = self.run(at, p);
        self.depth -= 1;
        result
    }

    fn run(&mut self, mut at: usize, mut p: usize) -> Outcome {
        loop {
            self.step()?;
            let Some(&c) = self.pattern.get(p) else { return Ok(Some(at)) };
            match c {
                b'(' if self.pattern.get(p + 1) == Some(&b')') => {
                    return self.open(at, p + 2, Length::Position);
                }
                b'(' => return self.open(at, p + 1, Length::Unclosed),
                b')' => return self.close(at, p + 1),
                b'$' if p + 1 == self.pattern.len() => {
                    return Ok((at == self.source.len()).then_some(at));
                }
                b'%' => match self.pattern.get(p + 1) {
                    Some(b'b') => match self.balanced(at, p + 2)? {
                        Some(end) => {
                            at = end;
                            p += 4;
                            continue;
                        }
                        None => return Ok(None),
                    },
                    Some(b'f') => {
                        p += 2;
                        if self.pattern.get(p) != Some(&b'[') {
                            return Err("missing '[' after '%f' in pattern");
                        }
                        let end = self.class_end(p)?;
                        let before = if at == 0 { 0 } else { self.source[at - 1] };
                        let here = self.source.get(at).copied().unwrap_or(0);
                        if self.in_set(before, p, end - 1) || !self.in_set(here, p, end - 1) {
                            return Ok(None);
                        }
                        p = end;
                        continue;
                    }
                    Some(digit @ b'0'..=b'9') => match self.back_reference(at, *digit)? {
                        Some(end) => {
                            at = end;
                            p += 2;
                            continue;
                        }
                        None => return Ok(None),
                    },
                    _ => {}
                },
                _ => {}
            }
            let end = self.class_end(p)?;
            match self.pattern.get(end) {
                Some(b'?') => {
                    if self.single(at, p, end)
                        && let found @ Some(_) = self.go(at + 1, end + 1)?
                    {
                        return Ok(found);
                    }
                    p = end + 1;
                }
                Some(b'*') => return self.longest(at, p, end),
                Some(b'+') => {
                    return if self.single(at, p, end) { self.longest(at + 1, p, end) } else { Ok(None) };
                }
                Some(b'-') => return self.shortest(at, p, end),
                _ => {
                    if !self.single(at, p, end) {
                        return Ok(None);
                    }
                    at += 1;
                    p = end;
                }
            }
        }
    }

    fn longest(&mut self, at: usize, p: usize, end: usize) -> Outcome {
        let mut n = 0;
        while self.single(at + n, p, end) {
            n += 1;
        }
        self.steps += n;
        loop {
            self.step()?;
            if let found @ Some(_) = self.go(at + n, end + 1)? {
                return Ok(found);
            }
            if n == 0 {
                return Ok(None);
            }
            n -= 1;
        }
    }

    fn shortest(&mut self, mut at: usize, p: usize, end: usize) -> Outcome {
        loop {
            self.step()?;
            if let found @ Some(_) = self.go(at, end + 1)? {
                return Ok(found);
            }
            if !self.single(at, p, end) {
                return Ok(None);
            }
            at += 1;
        }
    }

    fn open(&mut self, at: usize, p: usize, length: Length) -> Outcome {
        if self.level >= CAPTURES_MAX {
            return Err("too many captures");
        }
        self.captures[self.level] = Capture { start: at, length };
        self.level += 1;
        let found = self.go(at, p)?;
        if found.is_none() {
            self.level -= 1;
        }
        Ok(found)
    }

    fn close(&mut self, at: usize, p: usize) -> Outcome {
        let open = self.captures[..self.level].iter().rposition(|c| matches!(c.length, Length::Unclosed));
        let Some(i) = open else { return Err("invalid pattern capture") };
        self.captures[i].length = Length::Bytes(at - self.captures[i].start);
        let found = self.go(at, p)?;
        if found.is_none() {
            self.captures[i].length = Length::Unclosed;
        }
        Ok(found)
    }

    fn balanced(&mut self, at: usize, p: usize) -> Outcome {
        let (Some(&open), Some(&close)) = (self.pattern.get(p), self.pattern.get(p + 1)) else {
            return Err("unbalanced pattern");
        };
        if self.source.get(at) != Some(&open) {
            return Ok(None);
        }
        let mut depth = 1;
        for (i, &c) in self.source.iter().enumerate().skip(at + 1) {
            self.steps += 1;
            if c == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(i + 1));
                }
            } else if c == open {
                depth += 1;
            }
        }
        Ok(None)
    }

    fn back_reference(&mut self, at: usize, digit: u8) -> Outcome {
        let i = (digit as usize).wrapping_sub(b'1' as usize);
        let Some(Capture { start, length }) = self.captures[..self.level].get(i).copied() else {
            return Err("invalid capture index");
        };
        let n = match length {
            Length::Unclosed => return Err("invalid capture index"),
            // A position capture has a length no text has.
            Length::Position => return Ok(None),
            Length::Bytes(n) => n,
        };
        self.steps += n / 16;
        let same = self.source.len() - at >= n && self.source[start..start + n] == self.source[at..at + n];
        Ok(same.then_some(at + n))
    }
}

/// Whether a text has no character that is special in patterns. Looks as far as a C string reaches.
pub(super) fn is_plain(pattern: &[u8]) -> bool {
    let end = pattern.iter().position(|c| *c == 0).unwrap_or(pattern.len());
    !pattern[..end].iter().any(|c| b"^$*+?.([%-".contains(c))
}
