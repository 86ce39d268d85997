//! Text to tokens, each checked against the one before it: a token that may not follow is
//! reported where it stands, as the runner's `LexicalAnalyzer.cs` does.

use super::number;
use super::value::Value;

/// One symbol of an expression.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// As it was written.
    pub(super) text: &'a str,
    /// Bytes before it.
    pub(super) offset: usize,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// `(` around an expression, or after the name of a function.
    Open(Bracket),
    /// The end of the innermost bracket.
    Close(Bracket),
    Separator,
    Dereference,
    Wildcard,
    Not,
    Binary(Binary),
    Literal(Value),
    Property,
    Function,
    NamedValue,
    /// Characters that form no symbol.
    Malformed,
    /// A symbol that may not stand where it does.
    Misplaced,
}

/// What opens and closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bracket {
    Group,
    Parameters,
    Index,
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Or,
    And,
    Compare(Comparison),
}

/// An operator that gives true or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Kind {
    /// Whether a value is complete after this token.
    fn ends_operand(&self) -> bool {
        matches!(self, Self::Literal(_)) || self.can_be_indexed()
    }

    /// Whether `.` and `[` may follow: after all that ends a value but a literal.
    fn can_be_indexed(&self) -> bool {
        matches!(
            self,
            Self::Close(_) | Self::Wildcard | Self::Property | Self::NamedValue
        )
    }

    /// Whether a value may begin after this token.
    fn awaits_operand(&self) -> bool {
        matches!(
            self,
            Self::Open(_) | Self::Separator | Self::Not | Self::Binary(_)
        )
    }

    /// Whether an expression that ends here lacks something.
    pub(super) fn leaves_open(&self) -> bool {
        self.awaits_operand() || matches!(self, Self::Dereference | Self::Function)
    }
}

/// The tokens of an expression, in order.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    last: Option<Kind>,
    open: Vec<Bracket>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            last: None,
            open: Vec::new(),
        }
    }

    /// Whether a bracket has not been closed so far.
    pub(super) fn has_open_bracket(&self) -> bool {
        !self.open.is_empty()
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn read(&mut self, first: char) -> Kind {
        match first {
            '(' if self.last == Some(Kind::Function) => {
                self.single(Kind::Open(Bracket::Parameters))
            }
            '(' => self.single(Kind::Open(Bracket::Group)),
            '[' => self.single(Kind::Open(Bracket::Index)),
            ')' if self.open.last() == Some(&Bracket::Parameters) => {
                self.single(Kind::Close(Bracket::Parameters))
            }
            ')' => self.single(Kind::Close(Bracket::Group)),
            ']' => self.single(Kind::Close(Bracket::Index)),
            ',' => self.single(Kind::Separator),
            '*' => self.single(Kind::Wildcard),
            '\'' => self.string(),
            '!' | '>' | '<' | '=' | '&' | '|' => self.operator(),
            '.' if !self.number_may_begin() => self.single(Kind::Dereference),
            '.' | '-' | '+' | '0'..='9' => self.number(),
            _ => self.keyword(),
        }
    }

    fn number_may_begin(&self) -> bool {
        self.last.as_ref().is_none_or(Kind::awaits_operand)
    }

    fn single(&mut self, kind: Kind) -> Kind {
        self.at += 1;
        kind
    }

    fn string(&mut self) -> Kind {
        let mut value = String::new();
        loop {
            self.at += 1;
            let rest = &self.text[self.at..];
            let Some(length) = rest.find('\'') else {
                self.at = self.text.len();
                return Kind::Malformed;
            };
            value.push_str(&rest[..length]);
            self.at += length + 1;
            if !rest[length + 1..].starts_with('\'') {
                return Kind::Literal(value.into());
            }
            value.push('\'');
        }
    }

    fn operator(&mut self) -> Kind {
        const OPERATORS: [(&str, Kind); 9] = [
            ("!=", Kind::Binary(Binary::Compare(Comparison::NotEqual))),
            (
                ">=",
                Kind::Binary(Binary::Compare(Comparison::GreaterOrEqual)),
            ),
            ("<=", Kind::Binary(Binary::Compare(Comparison::LessOrEqual))),
            ("==", Kind::Binary(Binary::Compare(Comparison::Equal))),
            ("&&", Kind::Binary(Binary::And)),
            ("||", Kind::Binary(Binary::Or)),
            ("!", Kind::Not),
            (">", Kind::Binary(Binary::Compare(Comparison::Greater))),
            ("<", Kind::Binary(Binary::Compare(Comparison::Less))),
        ];
        let rest = &self.text[self.at..];
        let found = OPERATORS.iter().find(|(text, _)| rest.starts_with(text));
        if let Some((text, kind)) = found {
            self.at += text.len();
            return kind.clone();
        }
        self.at += 1;
        self.skip_to(is_boundary);
        Kind::Malformed
    }

    fn number(&mut self) -> Kind {
        let start = self.at;
        self.skip_to(|character| is_boundary(character) && character != '.');
        let number = number::parse(&self.text[start..self.at]);
        if number.is_nan() {
            Kind::Malformed
        } else {
            Kind::Literal(number.into())
        }
    }

    fn keyword(&mut self) -> Kind {
        let start = self.at;
        self.skip_to(is_boundary);
        let word = &self.text[start..self.at];
        if !is_keyword(word) {
            return Kind::Malformed;
        }
        if self.last == Some(Kind::Dereference) {
            return Kind::Property;
        }
        match word {
            "null" => Kind::Literal(Value::Null),
            "true" => Kind::Literal(true.into()),
            "false" => Kind::Literal(false.into()),
            "NaN" => Kind::Literal(f64::NAN.into()),
            "Infinity" => Kind::Literal(f64::INFINITY.into()),
            _ if self.text[self.at..].trim_start().starts_with('(') => Kind::Function,
            _ => Kind::NamedValue,
        }
    }

    /// Moves to the next character for which `ends` holds, past at least one.
    fn skip_to(&mut self, ends: impl Fn(char) -> bool) {
        let mut rest = self.text[self.at..].char_indices();
        rest.next();
        let length = rest
            .find(|&(_, character)| ends(character))
            .map_or(self.text.len() - self.at, |(at, _)| at);
        self.at += length;
    }

    /// Whether a token may follow the last one, inside the brackets that are open.
    fn may_follow(&self, kind: &Kind) -> bool {
        let begins_operand = self.last.as_ref().is_none_or(Kind::awaits_operand);
        let after = |test: fn(&Kind) -> bool| self.last.as_ref().is_some_and(test);
        match kind {
            Kind::Open(Bracket::Parameters) => after(|last| *last == Kind::Function),
            Kind::Open(Bracket::Group) => begins_operand,
            Kind::Open(Bracket::Index) => after(Kind::can_be_indexed),
            Kind::Close(bracket) => {
                let empty_call = *bracket == Bracket::Parameters
                    && self.last == Some(Kind::Open(Bracket::Parameters));
                self.open.last() == Some(bracket) && (empty_call || after(Kind::ends_operand))
            }
            Kind::Separator => {
                self.open.last() == Some(&Bracket::Parameters) && after(Kind::ends_operand)
            }
            Kind::Dereference => after(Kind::can_be_indexed),
            Kind::Wildcard => {
                after(|last| matches!(last, Kind::Open(Bracket::Index) | Kind::Dereference))
            }
            Kind::Binary(_) => after(Kind::ends_operand),
            Kind::Property => after(|last| *last == Kind::Dereference),
            Kind::Not | Kind::Literal(_) | Kind::Function | Kind::NamedValue => begins_operand,
            Kind::Malformed | Kind::Misplaced => false,
        }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        let offset = self.at;
        let first = self.peek()?;
        let read = self.read(first);
        let kind = match read {
            Kind::Malformed => Kind::Malformed,
            read if self.may_follow(&read) => read,
            _ => Kind::Misplaced,
        };
        match kind {
            Kind::Open(bracket) => self.open.push(bracket),
            Kind::Close(_) => {
                self.open.pop();
            }
            _ => {}
        }
        self.last = Some(kind.clone());
        Some(Token {
            kind,
            text: &self.text[offset..self.at],
            offset,
        })
    }
}

/// Characters that end a number, a keyword or a malformed operator.
fn is_boundary(character: char) -> bool {
    "([)],.!><=&|".contains(character) || character.is_whitespace()
}

fn is_keyword(word: &str) -> bool {
    let mut bytes = word.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}
