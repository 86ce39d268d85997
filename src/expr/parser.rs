//! Tokens to a tree, by a stack of pending operators: brackets as deep as the length allows
//! cost no stack of ours.

use super::available::{Arity, Available};
use super::error::{ParseError, ParseErrorKind};
use super::function::Builtin;
use super::lexer::{Binary, Bracket, Comparison, Kind, Lexer, Token};
use super::syntax::{Function, Node};

/// Characters of an expression, in UTF-16 units (`ExpressionConstants.cs`).
pub(super) const MAX_LENGTH: usize = 21_000;
/// Levels of its tree (`ExpressionConstants.cs`).
pub(super) const MAX_DEPTH: usize = 50;

/// Compiles an expression.
pub(super) fn parse(text: &str, available: &Available) -> Result<Node, ParseError> {
    check_length(text)?;
    let mut parser = Parser {
        text,
        available,
        operands: Vec::new(),
        pending: Vec::new(),
        too_deep: false,
    };
    let mut lexer = Lexer::new(text);
    let mut last = None;
    for token in lexer.by_ref() {
        parser.take(&token)?;
        last = Some(token);
    }
    let Some(last) = last else {
        return Err(plain("An expression was expected"));
    };
    if lexer.has_open_bracket() || last.kind.leaves_open() {
        return Err(located("Unexpected end of expression", &last, text));
    }
    parser.finish()
}

/// Refuses a text longer than any expression may be.
pub(super) fn check_length(text: &str) -> Result<(), ParseError> {
    // A byte is one unit at the most, so that most texts need not be counted.
    if text.len() > MAX_LENGTH && text.encode_utf16().count() > MAX_LENGTH {
        return Err(plain(&format!(
            "Exceeded max expression length {MAX_LENGTH}"
        )));
    }
    Ok(())
}

/// An error about the whole of a text.
pub(super) fn plain(message: &str) -> ParseError {
    ParseError {
        message: message.to_owned(),
        offset: 0,
        position: None,
        kind: ParseErrorKind::Parsing,
    }
}

fn located(what: &str, token: &Token<'_>, text: &str) -> ParseError {
    let position = text[..token.offset].encode_utf16().count() + 1;
    ParseError {
        message: format!(
            "{what}: '{}'. Located at position {position} within expression: {text}",
            token.text
        ),
        offset: token.offset,
        position: Some(position),
        kind: match token.kind {
            Kind::Malformed => ParseErrorKind::Lexing,
            _ => ParseErrorKind::Parsing,
        },
    }
}

struct Operand {
    node: Node,
    depth: usize,
}

/// What waits for operands.
enum Pending<'a> {
    Not,
    Binary(Binary),
    Dereference,
    Group,
    Index,
    Call(Call<'a>),
}

struct Call<'a> {
    token: Token<'a>,
    function: Function,
    arity: Arity,
    arguments: Vec<Operand>,
    /// Operands on the stack that are not its own.
    below: usize,
}

struct Parser<'a> {
    text: &'a str,
    available: &'a Available,
    operands: Vec<Operand>,
    pending: Vec<Pending<'a>>,
    too_deep: bool,
}

impl<'a> Parser<'a> {
    fn take(&mut self, token: &Token<'a>) -> Result<(), ParseError> {
        match &token.kind {
            Kind::Malformed | Kind::Misplaced => {
                return Err(located("Unexpected symbol", token, self.text));
            }
            Kind::Literal(value) => self.push(Node::Literal(value.clone()), 0),
            Kind::NamedValue => self.context(token)?,
            Kind::Function => self.function(token)?,
            // Belongs to the function that came before it.
            Kind::Open(Bracket::Parameters) => {}
            Kind::Open(Bracket::Group) => self.pending.push(Pending::Group),
            Kind::Open(Bracket::Index) => self.pending.push(Pending::Index),
            Kind::Dereference => self.pending.push(Pending::Dereference),
            Kind::Property => self.key(Node::Literal(token.text.into())),
            Kind::Wildcard => self.key(Node::Wildcard),
            Kind::Not => self.pending.push(Pending::Not),
            Kind::Binary(operator) => {
                self.reduce_while(|waiting| precedence(waiting) >= precedence(*operator));
                self.pending.push(Pending::Binary(*operator));
            }
            Kind::Separator => self.argument(),
            Kind::Close(bracket) => return self.close(*bracket),
        }
        Ok(())
    }

    fn push(&mut self, node: Node, depth_below: usize) {
        let depth = depth_below + 1;
        // The tree is refused at the end, as GitHub does; until then it must not grow, or
        // dropping it would take a stack as deep.
        let fits = depth <= MAX_DEPTH;
        self.too_deep |= !fits;
        let node = if fits { node } else { Node::Wildcard };
        self.operands.push(Operand { node, depth });
    }

    /// The operand on top. The lexer lets no operator through that lacks one.
    fn pop(&mut self) -> Operand {
        self.operands.pop().unwrap_or(Operand {
            node: Node::Wildcard,
            depth: 0,
        })
    }

    fn context(&mut self, token: &Token<'a>) -> Result<(), ParseError> {
        let Some(name) = self.available.context(token.text) else {
            return Err(located("Unrecognized named-value", token, self.text));
        };
        self.push(Node::Context(name.clone()), 0);
        Ok(())
    }

    fn function(&mut self, token: &Token<'a>) -> Result<(), ParseError> {
        let (function, arity) = if let Some(builtin) = Builtin::find(token.text) {
            (Function::Builtin(builtin), builtin.arity)
        } else if let Some((name, arity)) = self.available.function(token.text) {
            (Function::Caller(name.clone()), arity)
        } else {
            return Err(located("Unrecognized function", token, self.text));
        };
        self.pending.push(Pending::Call(Call {
            token: token.clone(),
            function,
            arity,
            arguments: Vec::new(),
            below: self.operands.len(),
        }));
        Ok(())
    }

    /// A property name or `*`, behind a dot or in brackets of its own.
    fn key(&mut self, node: Node) {
        self.push(node, 0);
        if matches!(self.pending.last(), Some(Pending::Dereference)) {
            self.pending.pop();
            self.index();
        }
    }

    fn index(&mut self) {
        let key = self.pop();
        let target = self.pop();
        let depth = key.depth.max(target.depth);
        let node = Node::Index {
            target: Box::new(target.node),
            key: Box::new(key.node),
        };
        self.push(node, depth);
    }

    /// An argument is complete.
    fn argument(&mut self) {
        self.reduce_while(|_| true);
        let argument = self.pop();
        if let Some(Pending::Call(call)) = self.pending.last_mut() {
            call.arguments.push(argument);
        }
    }

    fn close(&mut self, bracket: Bracket) -> Result<(), ParseError> {
        self.reduce_while(|_| true);
        match (bracket, self.pending.pop()) {
            (Bracket::Index, _) => self.index(),
            (Bracket::Parameters, Some(Pending::Call(mut call))) => {
                if self.operands.len() > call.below {
                    call.arguments.push(self.pop());
                }
                return self.call(call);
            }
            (Bracket::Group | Bracket::Parameters, _) => {}
        }
        Ok(())
    }

    fn call(&mut self, call: Call<'a>) -> Result<(), ParseError> {
        let count = call.arguments.len();
        let refuse = |what: &str| Err(located(what, &call.token, self.text));
        if count < call.arity.min {
            return refuse("Too few parameters supplied");
        }
        if count > call.arity.max {
            return refuse("Too many parameters supplied");
        }
        if matches!(call.function, Function::Builtin(builtin) if builtin.odd)
            && count.is_multiple_of(2)
        {
            return refuse(
                "Even number of parameters supplied, requires an odd number of parameters",
            );
        }
        let depth = call.arguments.iter().map(|argument| argument.depth).max();
        let node = Node::Call {
            function: call.function,
            arguments: call
                .arguments
                .into_iter()
                .map(|argument| argument.node)
                .collect(),
        };
        self.push(node, depth.unwrap_or(0));
        Ok(())
    }

    /// Applies the operators on top that bind as the test says; none beyond an open bracket.
    fn reduce_while(&mut self, applies: impl Fn(Binary) -> bool) {
        loop {
            match self.pending.last() {
                Some(Pending::Not) => self.not(),
                Some(&Pending::Binary(operator)) if applies(operator) => self.binary(operator),
                _ => return,
            }
            self.pending.pop();
        }
    }

    fn not(&mut self) {
        let operand = self.pop();
        self.push(Node::Not(Box::new(operand.node)), operand.depth);
    }

    fn binary(&mut self, operator: Binary) {
        let right = self.pop();
        let left = self.pop();
        // `a || b || c` is one level.
        let (node, left_depth) = match (operator, left.node) {
            (Binary::Or, Node::Or(operands)) => {
                (Node::Or(with(operands, right.node)), left.depth - 1)
            }
            (Binary::And, Node::And(operands)) => {
                (Node::And(with(operands, right.node)), left.depth - 1)
            }
            (Binary::Or, node) => (Node::Or(vec![node, right.node]), left.depth),
            (Binary::And, node) => (Node::And(vec![node, right.node]), left.depth),
            (Binary::Compare(operator), node) => {
                let operands = Box::new([node, right.node]);
                (Node::Compare { operator, operands }, left.depth)
            }
        };
        self.push(node, left_depth.max(right.depth));
    }

    fn finish(mut self) -> Result<Node, ParseError> {
        self.reduce_while(|_| true);
        if self.too_deep {
            return Err(plain(&format!("Exceeded max expression depth {MAX_DEPTH}")));
        }
        Ok(self.pop().node)
    }
}

fn precedence(operator: Binary) -> u8 {
    match operator {
        Binary::Or => 0,
        Binary::And => 1,
        Binary::Compare(Comparison::Equal | Comparison::NotEqual) => 2,
        Binary::Compare(_) => 3,
    }
}

fn with(mut operands: Vec<Node>, last: Node) -> Vec<Node> {
    operands.push(last);
    operands
}
