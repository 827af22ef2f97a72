//! POSIX extended regular expressions over bytes, as ARGREP knows them: only whether there is a match. No pattern makes
//! it slow: all ways to match are followed at once (K. Thompson, 1968), so time is at most the program's length times
//! the text's, and that product has a limit.

/// Instructions one pattern may become; repetitions multiply.
const PROGRAM_MAX: usize = 1 << 14;
/// Work one match may do: beyond it the pattern is taken not to match, so no pattern can stall the engine.
const STEPS_MAX: usize = 1 << 26;
/// Groups inside groups.
const DEPTH_MAX: usize = 100;
/// The largest bound of a repetition.
const REPEAT_MAX: u32 = 255;

/// Why a pattern is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    BackReference,
    Invalid(&'static str),
}

const PARENTHESIS: Fault = Fault::Invalid("Missing ')'");
const BRACKET: Fault = Fault::Invalid("Missing ']'");
const BRACE: Fault = Fault::Invalid("Invalid contents of {}");
const OPEN_BRACE: Fault = Fault::Invalid("Missing '}'");
const CLASS: Fault = Fault::Invalid("Unknown character class name");
const RANGE: Fault = Fault::Invalid("Invalid character range");
const REPETITION: Fault = Fault::Invalid("Invalid use of repetition operators");
const TOO_LARGE: Fault = Fault::Invalid("Out of memory");
const COLLATION: Fault = Fault::Invalid("Unknown collating element");
const BACKSLASH: Fault = Fault::Invalid("Trailing backslash");
const EXPRESSION: Fault = Fault::Invalid("Invalid regexp");

/// A set of bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Bytes([u64; 4]);

impl Bytes {
    const NONE: Bytes = Bytes([0; 4]);
    const ALL: Bytes = Bytes([u64::MAX; 4]);

    fn of(accept: impl Fn(u8) -> bool) -> Self {
        let mut set = Bytes::NONE;
        (0..=u8::MAX).filter(|byte| accept(*byte)).for_each(|byte| set.add(byte));
        set
    }

    fn add(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    fn join(&mut self, other: Bytes) {
        self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
    }

    fn inverted(self) -> Self {
        Bytes(self.0.map(|word| !word))
    }

    fn any_case(self) -> Self {
        Bytes::of(|byte| self.has(byte.to_ascii_lowercase()) || self.has(byte.to_ascii_uppercase()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    End,
    WordEdge,
    NoWordEdge,
    WordStart,
    WordEnd,
}

enum Node {
    Empty,
    One(Bytes),
    At(Place),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat { node: Box<Node>, min: u32, max: Option<u32> },
}

enum Step {
    One(Bytes),
    At(Place),
    /// To both.
    Fork(usize, usize),
    Jump(usize),
    Match,
}

pub struct Pattern {
    program: Vec<Step>,
}

impl Pattern {
    pub fn parse(text: &[u8], nocase: bool) -> Result<Self, Fault> {
        let mut parser = Parser { text, at: 0, nocase };
        let node = parser.alternatives(0)?;
        if parser.at < text.len() {
            return Err(PARENTHESIS);
        }
        let mut program = Vec::new();
        compile(&node, &mut program)?;
        program.push(Step::Match);
        Ok(Pattern { program })
    }

    /// Whether any part of `text` matches.
    pub fn is_match(&self, text: &[u8]) -> bool {
        let mut now = Threads::new(self.program.len());
        let mut next = Threads::new(self.program.len());
        for at in 0..=text.len() {
            // A match may start anywhere.
            if self.follow(0, text, at, &mut now) {
                return true;
            }
            let Some(&byte) = text.get(at) else { break };
            if now.visits + next.visits > STEPS_MAX {
                return false;
            }
            next.clear();
            for index in 0..now.list.len() {
                let here = now.list[index];
                if matches!(&self.program[here], Step::One(set) if set.has(byte))
                    && self.follow(here + 1, text, at + 1, &mut next)
                {
                    return true;
                }
            }
            std::mem::swap(&mut now, &mut next);
        }
        false
    }

    /// Adds all that is reached from a step without taking a byte; true when that is the end.
    fn follow(&self, from: usize, text: &[u8], at: usize, threads: &mut Threads) -> bool {
        let mut open = std::mem::take(&mut threads.open);
        open.clear();
        open.push(from);
        let mut found = false;
        while let Some(here) = open.pop() {
            if !threads.visit(here) {
                continue;
            }
            match &self.program[here] {
                Step::One(_) => threads.list.push(here),
                Step::At(place) if place.is_at(text, at) => open.push(here + 1),
                Step::At(_) => {}
                Step::Fork(one, other) => open.extend([*other, *one]),
                Step::Jump(to) => open.push(*to),
                Step::Match => {
                    found = true;
                    break;
                }
            }
        }
        threads.open = open;
        found
    }
}

/// The steps at which the next byte is awaited, each once.
struct Threads {
    list: Vec<usize>,
    seen: Vec<u32>,
    round: u32,
    visits: usize,
    open: Vec<usize>,
}

impl Threads {
    fn new(steps: usize) -> Self {
        Threads { list: Vec::new(), seen: vec![0; steps], round: 1, visits: 0, open: Vec::new() }
    }

    /// True the first time in a round.
    fn visit(&mut self, step: usize) -> bool {
        self.visits += 1;
        std::mem::replace(&mut self.seen[step], self.round) != self.round
    }

    fn clear(&mut self) {
        self.list.clear();
        // The limit on steps keeps this from wrapping around.
        self.round += 1;
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl Place {
    fn is_at(self, text: &[u8], at: usize) -> bool {
        let before = at > 0 && is_word(text[at - 1]);
        let after = text.get(at).is_some_and(|byte| is_word(*byte));
        match self {
            Place::Start => at == 0,
            Place::End => at == text.len(),
            Place::WordEdge => before != after,
            Place::NoWordEdge => before == after,
            Place::WordStart => !before && after,
            Place::WordEnd => before && !after,
        }
    }
}

fn compile(node: &Node, program: &mut Vec<Step>) -> Result<(), Fault> {
    if program.len() >= PROGRAM_MAX {
        return Err(TOO_LARGE);
    }
    match node {
        Node::Empty => {}
        Node::One(set) => program.push(Step::One(*set)),
        Node::At(place) => program.push(Step::At(*place)),
        Node::Sequence(nodes) => nodes.iter().try_for_each(|node| compile(node, program))?,
        Node::Either(nodes) => {
            let mut jumps = Vec::new();
            for (number, node) in nodes.iter().enumerate() {
                let fork = program.len();
                if number + 1 < nodes.len() {
                    program.push(Step::Fork(fork + 1, 0));
                }
                compile(node, program)?;
                if number + 1 < nodes.len() {
                    jumps.push(program.len());
                    program.push(Step::Jump(0));
                    program[fork] = Step::Fork(fork + 1, program.len());
                }
            }
            let end = program.len();
            jumps.into_iter().for_each(|jump| program[jump] = Step::Jump(end));
        }
        Node::Repeat { node, min, max } => {
            (0..*min).try_for_each(|_| compile(node, program))?;
            let Some(max) = max else {
                let fork = program.len();
                program.push(Step::Fork(fork + 1, 0));
                compile(node, program)?;
                program.push(Step::Jump(fork));
                program[fork] = Step::Fork(fork + 1, program.len());
                return Ok(());
            };
            let mut forks = Vec::new();
            for _ in *min..*max {
                forks.push(program.len());
                program.push(Step::Fork(0, 0));
                compile(node, program)?;
            }
            let end = program.len();
            forks.into_iter().for_each(|fork| program[fork] = Step::Fork(fork + 1, end));
        }
    }
    Ok(())
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    nocase: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let is_it = self.peek() == Some(byte);
        self.at += usize::from(is_it);
        is_it
    }

    fn alternatives(&mut self, depth: usize) -> Result<Node, Fault> {
        if depth > DEPTH_MAX {
            return Err(TOO_LARGE);
        }
        let mut branches = vec![self.branch(depth)?];
        while self.accept(b'|') {
            branches.push(self.branch(depth)?);
        }
        Ok(if branches.len() == 1 { branches.remove(0) } else { Node::Either(branches) })
    }

    fn branch(&mut self, depth: usize) -> Result<Node, Fault> {
        let mut nodes = Vec::new();
        while let Some(byte) = self.peek() {
            if matches!(byte, b'|' | b')') {
                break;
            }
            let node = self.atom(depth)?;
            nodes.push(self.repetitions(node)?);
        }
        Ok(Node::Sequence(nodes))
    }

    fn atom(&mut self, depth: usize) -> Result<Node, Fault> {
        let Some(byte) = self.peek() else { return Ok(Node::Empty) };
        self.at += 1;
        match byte {
            b'(' => {
                if self.text[self.at..].starts_with(b"?:") {
                    self.at += 2;
                }
                let node = self.alternatives(depth + 1)?;
                if self.accept(b')') { Ok(node) } else { Err(PARENTHESIS) }
            }
            b'[' => self.brackets().map(|set| self.one(set)),
            b'.' => Ok(Node::One(Bytes::ALL)),
            b'^' => Ok(Node::At(Place::Start)),
            b'$' => Ok(Node::At(Place::End)),
            b'\\' => self.escape(),
            b'*' | b'+' | b'?' => Err(REPETITION),
            byte => Ok(self.one(Bytes::of(|other| other == byte))),
        }
    }

    fn one(&self, set: Bytes) -> Node {
        Node::One(if self.nocase { set.any_case() } else { set })
    }

    fn escape(&mut self) -> Result<Node, Fault> {
        let byte = self.peek().ok_or(BACKSLASH)?;
        self.at += 1;
        let set = match byte {
            b'b' => return Ok(Node::At(Place::WordEdge)),
            b'B' => return Ok(Node::At(Place::NoWordEdge)),
            b'<' => return Ok(Node::At(Place::WordStart)),
            b'>' => return Ok(Node::At(Place::WordEnd)),
            b'1'..=b'9' => return Err(Fault::BackReference),
            b'w' => Bytes::of(is_word),
            b'W' => Bytes::of(is_word).inverted(),
            b's' => Bytes::of(is_space),
            b'S' => Bytes::of(is_space).inverted(),
            b'd' => Bytes::of(|byte| byte.is_ascii_digit()),
            b'D' => Bytes::of(|byte| byte.is_ascii_digit()).inverted(),
            b'x' => self.hexadecimal()?,
            byte => {
                let named = match byte {
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b'f' => 12,
                    b'a' => 7,
                    b'e' => 27,
                    other => other,
                };
                Bytes::of(|other| other == named)
            }
        };
        Ok(self.one(set))
    }

    /// `\x4` and `\x41`, or any number of digits in braces.
    fn hexadecimal(&mut self) -> Result<Bytes, Fault> {
        let (braced, mut value, mut digits) = (self.accept(b'{'), 0u32, 0);
        while let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) {
            if digits == if braced { 8 } else { 2 } {
                break;
            }
            (value, digits) = (value << 4 | digit, digits + 1);
            self.at += 1;
        }
        if braced && !self.accept(b'}') {
            return Err(OPEN_BRACE);
        }
        let byte = u8::try_from(value).map_err(|_| EXPRESSION)?;
        Ok(Bytes::of(|other| other == byte))
    }

    fn repetitions(&mut self, mut node: Node) -> Result<Node, Fault> {
        let mut depth = 0;
        loop {
            let (min, max) = match self.peek() {
                Some(b'*') => (0, None),
                Some(b'+') => (1, None),
                Some(b'?') => (0, Some(1)),
                Some(b'{') => {
                    self.at += 1;
                    let bounds = self.bounds()?;
                    self.at -= 1;
                    bounds
                }
                _ => return Ok(node),
            };
            self.at += 1;
            // A question mark asks for the shortest match, which matches no less.
            self.accept(b'?');
            depth += 1;
            if depth > DEPTH_MAX {
                return Err(TOO_LARGE);
            }
            node = Node::Repeat { node: Box::new(node), min, max };
        }
    }

    /// What stands in braces; the position is then behind the closing one.
    fn bounds(&mut self) -> Result<(u32, Option<u32>), Fault> {
        let min = self.number()?;
        let max = if self.accept(b',') { self.number()? } else { min };
        if !self.text[self.at..].contains(&b'}') {
            return Err(OPEN_BRACE);
        }
        let is_open = self.text[self.at - 1] == b',';
        if !self.accept(b'}') || min.is_none() && max.is_none() {
            return Err(BRACE);
        }
        let least = min.unwrap_or(0);
        if least > REPEAT_MAX || max.is_some_and(|max| max < least || max > REPEAT_MAX) {
            return Err(BRACE);
        }
        Ok((least, if is_open { None } else { max }))
    }

    fn number(&mut self) -> Result<Option<u32>, Fault> {
        let mut value = None;
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            value = Some(value.unwrap_or(0u32) * 10 + u32::from(byte - b'0')).filter(|value| *value <= 9999);
            self.at += 1;
            if value.is_none() {
                return Err(BRACE);
            }
        }
        Ok(value)
    }

    fn brackets(&mut self) -> Result<Bytes, Fault> {
        let inverted = self.accept(b'^');
        let mut set = Bytes::NONE;
        let mut is_first = true;
        loop {
            let byte = self.peek().ok_or(BRACKET)?;
            self.at += 1;
            if byte == b']' && !is_first {
                break;
            }
            is_first = false;
            if byte == b'[' && matches!(self.peek(), Some(b':' | b'=' | b'.')) {
                set.join(self.class()?);
                continue;
            }
            let ends =
                self.peek() == Some(b'-') && self.text.get(self.at + 1).is_some_and(|next| *next != b']');
            if !ends {
                set.add(byte);
                continue;
            }
            let last = self.text[self.at + 1];
            self.at += 2;
            if last < byte {
                return Err(RANGE);
            }
            (byte..=last).for_each(|byte| set.add(byte));
        }
        let set = if self.nocase { set.any_case() } else { set };
        Ok(if inverted { set.inverted() } else { set })
    }

    /// `[:alpha:]` and its like, inside brackets.
    fn class(&mut self) -> Result<Bytes, Fault> {
        if self.peek() != Some(b':') {
            return Err(COLLATION);
        }
        let rest = &self.text[self.at + 1..];
        let len = rest.windows(2).position(|pair| pair == b":]").ok_or(CLASS)?;
        self.at += len + 3;
        let accept: fn(u8) -> bool = match &rest[..len] {
            b"alnum" => |byte| byte.is_ascii_alphanumeric(),
            b"alpha" => |byte| byte.is_ascii_alphabetic(),
            b"blank" => |byte| matches!(byte, b' ' | b'\t'),
            b"cntrl" => |byte| byte.is_ascii_control(),
            b"digit" => |byte| byte.is_ascii_digit(),
            b"graph" => |byte| byte.is_ascii_graphic(),
            b"lower" => |byte| byte.is_ascii_lowercase(),
            b"print" => |byte| byte.is_ascii_graphic() || byte == b' ',
            b"punct" => |byte| byte.is_ascii_punctuation(),
            b"space" => is_space,
            b"upper" => |byte| byte.is_ascii_uppercase(),
            b"xdigit" => |byte| byte.is_ascii_hexdigit(),
            _ => return Err(CLASS),
        };
        Ok(Bytes::of(accept))
    }
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 11
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern.as_bytes(), false)
            .unwrap_or_else(|fault| panic!("{pattern}: {fault:?}"))
            .is_match(text.as_bytes())
    }

    #[test]
    fn patterns_match_as_posix_says() {
        let yes = [
            ("a", "xay"),
            ("^ab+c?$", "abbb"),
            ("foo|bar", "a bar"),
            ("^(foo|bar)$", "foo"),
            ("x{2,3}y", "axxy"),
            ("^x{3}$", "xxx"),
            ("^x{2,}$", "xxxxx"),
            ("^x{,2}$", "xx"),
            ("[a-c]+[^a-c]", "abcd"),
            ("[]x]", "]"),
            ("[^]x]", "a"),
            ("[a-]", "-"),
            ("[[:digit:]]{3}", "a123"),
            ("\\d+\\.\\d", "v1.2"),
            ("\\bcat\\b", "a cat!"),
            ("\\<a", "b a"),
            ("(a|b|)c$", "c"),
            ("a||b", ""),
            ("(a*)*b", "aaaab"),
            ("^.*[0-9]{3}$", "foo123"),
            ("\\x41", "A"),
            ("\\x{41}", "A"),
            (".", "\n"),
            ("^$", ""),
            ("(^a|b$)", "xb"),
            ("a+?", "a"),
            ("((a)(b))+", "abab"),
            ("", "x"),
        ];
        let no = [
            ("^b", "ab"),
            ("^(foo|bar)$", "foobar"),
            ("^x{2,3}$", "xxxx"),
            ("[^a]", "a"),
            ("\\bcat\\b", "concat"),
            ("a\\.b", "axb"),
            ("^x{,2}$", "xxx"),
            ("a{0}b$", "c"),
        ];
        yes.iter().for_each(|(pattern, text)| assert!(is_match(pattern, text), "{pattern} {text}"));
        no.iter().for_each(|(pattern, text)| assert!(!is_match(pattern, text), "{pattern} {text}"));
        assert!(Pattern::parse(b"^[a-f]O$", true).expect("valid").is_match(b"Bo"));
    }

    #[test]
    fn faults_have_names() {
        for (pattern, fault) in [
            ("(", PARENTHESIS),
            (")", PARENTHESIS),
            ("[a", BRACKET),
            ("a{", OPEN_BRACE),
            ("a{x}", BRACE),
            ("a{3,2}", BRACE),
            ("a{256}", BRACE),
            ("*", REPETITION),
            ("a|*", REPETITION),
            ("\\", BACKSLASH),
            ("[b-a]", RANGE),
            ("[[:no:]]", CLASS),
            ("(a)\\1", Fault::BackReference),
            ("((((a{255}){255}){255}){255}){255}", TOO_LARGE),
            ("\\x{1", OPEN_BRACE),
        ] {
            assert_eq!(Pattern::parse(pattern.as_bytes(), false).err(), Some(fault), "{pattern}");
        }
        assert_eq!(Pattern::parse(&[b'('; 2000], false).err(), Some(TOO_LARGE));
        let stars = [b"a".as_slice(), &[b'*'; 2000]].concat();
        assert_eq!(Pattern::parse(&stars, false).err(), Some(TOO_LARGE));
    }

    #[test]
    fn hard_patterns_end_soon() {
        let text = vec![b'a'; 20_000];
        let pattern = Pattern::parse(b"(a|aa)+(a*)*(a?){200}$b", false).expect("valid");
        assert!(!pattern.is_match(&text));
    }
}
