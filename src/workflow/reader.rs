//! Nodes → tokens, checked against the schema: keys, types, and what each expression may use.
//!
//! It collects errors and goes on, as `TemplateReader.cs` of the runner does, in the same order and with the same
//! words. What the schema cannot say (ids, needs, conditions) is checked later, in `convert`.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::expr::{Available, Template, Value};
use crate::source::{Located, Scope, Span};
use crate::yaml::{Entry, Node, NodeKind, Scalar};

use super::hint;
use super::limits::Budget;
use super::problems::Problems;
use super::schema::{Definition, MappingRule, Schema, Shape, StringRule};
use super::token::{Key, Pair, Token, TokenKind};

const EXPRESSION_NOT_ALLOWED: &str = "A template expression is not allowed in this context";

const NO_MERGE_KEYS: &str =
    "GitHub knows anchors and aliases, but no merge keys: write the keys out";

/// What tokens take, as `TemplateMemory.cs` counts it: a string has two bytes a character besides.
const OBJECT_SIZE: usize = 24;
const STRING_SIZE: usize = 26;

/// Reads a document as the definition of this name; errors are added to `problems`.
pub(super) fn read(
    node: &Node,
    schema: &'static Schema,
    root: &str,
    budget: &mut Budget,
    problems: &mut Problems,
) -> Token {
    let expected = Expected {
        schema,
        definition: schema.get(root),
        context: schema.get(root).context.iter().copied().collect(),
    };
    let mut reader = Reader { problems, budget };
    let token = reader.value(node, &expected);
    if reader.budget.is_exceeded() {
        let message = "Maximum object size exceeded";
        reader
            .problems
            .add_scoped(Scope::File, node.span, message, None);
    }
    token
}

/// A definition, and what its parents and it let expressions use.
#[derive(Clone)]
struct Expected {
    schema: &'static Schema,
    definition: &'static Definition,
    context: Rc<[&'static str]>,
}

impl Expected {
    fn child(&self, name: &str) -> Self {
        let definition = self.schema.get(name);
        let more = definition.context.iter().copied();
        let more: Vec<&str> = more.filter(|name| !self.context.contains(name)).collect();
        let context = match more.is_empty() {
            true => Rc::clone(&self.context),
            false => self.context.iter().copied().chain(more).collect(),
        };
        Self {
            schema: self.schema,
            definition,
            context,
        }
    }

    fn shapes(&self) -> Vec<&'static Shape> {
        self.schema.shapes(self.definition)
    }

    fn allows_expressions(&self) -> bool {
        !self.context.is_empty()
    }
}

/// A scalar with its expressions found.
enum Parsed {
    Literal(Value),
    Expression(Template),
    Insert,
}

struct Reader<'p> {
    problems: &'p mut Problems,
    budget: &'p mut Budget,
}

impl Reader<'_> {
    fn value(&mut self, node: &Node, expected: &Expected) -> Token {
        self.budget.spend(OBJECT_SIZE);
        if self.budget.is_exceeded() {
            return Token::new(node.span, TokenKind::Null);
        }
        let kind = match &node.kind {
            NodeKind::Scalar(scalar) => self.scalar(node.span, scalar, expected),
            NodeKind::Sequence(items) => self.sequence(node.span, items, expected),
            NodeKind::Mapping(entries) => self.mapping(node.span, entries, expected),
        };
        Token::new(node.span, kind)
    }

    fn scalar(&mut self, span: Span, scalar: &Scalar, expected: &Expected) -> TokenKind {
        match self.parse(span, scalar, expected) {
            Parsed::Literal(value) => self.literal(span, &value, expected),
            Parsed::Insert => {
                self.problems.add(span, "Unexpected value '${{ insert }}'");
                TokenKind::Null
            }
            Parsed::Expression(template) => {
                if !expected.allows_expressions() {
                    self.problems.add(span, EXPRESSION_NOT_ALLOWED);
                }
                TokenKind::Expression(template)
            }
        }
    }

    /// A literal of one of the shapes; as text, if only that is allowed.
    fn literal(&mut self, span: Span, value: &Value, expected: &Expected) -> TokenKind {
        let shapes = expected.shapes();
        if shapes.iter().any(|shape| matches_shape(shape, value)) {
            return literal_kind(value);
        }
        let text = value.to_text();
        let as_text = Value::String(Arc::clone(&text));
        if !shapes.iter().any(|shape| matches_shape(shape, &as_text)) {
            let known = shapes.iter().filter_map(|shape| constant(shape));
            // A hint takes longer than all the rest.
            let is_told = !self.problems.is_full();
            let help = is_told.then(|| hint::meant(&text, known)).flatten();
            let message = format!("Unexpected value '{text}'");
            self.problems.add_with_help(span, message, help);
        }
        TokenKind::String(text)
    }

    fn sequence(&mut self, span: Span, items: &[Node], expected: &Expected) -> TokenKind {
        let shapes = expected.shapes();
        let item = shapes.iter().find_map(|shape| match shape {
            Shape::Sequence { item } => Some(expected.child(item)),
            _ => None,
        });
        let Some(item) = item else {
            self.problems.add(span, "A sequence was not expected");
            return TokenKind::Null;
        };
        TokenKind::Sequence(items.iter().map(|node| self.value(node, &item)).collect())
    }

    fn mapping(&mut self, span: Span, entries: &[Entry], expected: &Expected) -> TokenKind {
        let shapes = expected.shapes().into_iter();
        let rules: Vec<&MappingRule> = shapes
            .filter_map(|shape| match shape {
                Shape::Mapping(rule) => Some(rule),
                _ => None,
            })
            .collect();
        if rules.is_empty() {
            self.problems.add(span, "A mapping was not expected");
            return TokenKind::Null;
        }
        let mut mapping = MappingReader {
            rules,
            expected,
            seen: HashMap::new(),
            has_expression: false,
        };
        let pairs = entries
            .iter()
            .filter_map(|entry| self.pair(entry, &mut mapping))
            .collect();
        mapping.finish(span, self.problems);
        TokenKind::Mapping(pairs)
    }

    fn pair(&mut self, entry: &Entry, mapping: &mut MappingReader<'_>) -> Option<Pair> {
        let span = entry.key.span;
        self.budget.spend(OBJECT_SIZE);
        let key = match self.parse(span, &entry.key.value, mapping.expected) {
            Parsed::Literal(value) => return self.named_pair(entry, &value.to_text(), mapping),
            Parsed::Expression(template) => Key::Expression(Located::new(template, span)),
            Parsed::Insert => Key::Insert(span),
        };
        mapping.has_expression = true;
        if !mapping.expected.allows_expressions() {
            self.problems.add(span, EXPRESSION_NOT_ALLOWED);
            return None;
        }
        // Among known keys, a name that comes later may have any value.
        let definition = match mapping.rules[..] {
            [
                MappingRule {
                    properties,
                    loose: Some((_, value)),
                    ..
                },
            ] if properties.is_empty() => value,
            _ => "any",
        };
        let value = self.value(&entry.value, &mapping.expected.child(definition));
        Some(Pair { key, value })
    }

    fn named_pair(
        &mut self,
        entry: &Entry,
        name: &Arc<str>,
        mapping: &mut MappingReader<'_>,
    ) -> Option<Pair> {
        let span = entry.key.span;
        if let Some(&first) = mapping.seen.get(&name.to_uppercase()) {
            self.already_defined(name, span, first);
            return None;
        }
        mapping.seen.insert(name.to_uppercase(), span);
        let definition = if let Some(known) = mapping.known(name) {
            known
        } else if let Some((key, value)) = mapping.rules.iter().find_map(|rule| rule.loose.as_ref())
        {
            self.literal(
                span,
                &Value::String(Arc::clone(name)),
                &mapping.expected.child(key),
            );
            value
        } else {
            let keys = mapping.rules.iter().flat_map(|rule| rule.properties.keys());
            let help = match &**name {
                "<<" => Some(NO_MERGE_KEYS.to_owned()),
                _ if self.problems.is_full() => None,
                _ => hint::meant(name, keys.copied()),
            };
            let message = format!("Unexpected value '{name}'");
            self.problems.add_with_help(span, message, help);
            return None;
        };
        let before = self.problems.len();
        let value = self.value(&entry.value, &mapping.expected.child(definition));
        if &**name == "<<" && self.problems.len() > before {
            self.problems.explain_last(NO_MERGE_KEYS);
        }
        let key = Key::Name(Located::new(Arc::clone(name), span));
        Some(Pair { key, value })
    }

    fn already_defined(&mut self, name: &str, span: Span, first: Span) {
        let source = self.problems.source();
        let line = source.position(first.start).line;
        let is_same = source
            .text
            .get(first.start..first.end)
            .is_some_and(|text| text.contains(name));
        let also = if is_same {
            ""
        } else {
            ", where letter case alone differs"
        };
        let help = format!("it is on line {line} first{also}");
        let message = format!("'{name}' is already defined");
        self.problems.add_with_help(span, message, Some(help));
    }

    /// Finds the expressions of a scalar. One that cannot be compiled is an error and stays text.
    fn parse(&mut self, span: Span, scalar: &Scalar, expected: &Expected) -> Parsed {
        let text = match scalar {
            Scalar::Null => return Parsed::Literal(Value::Null),
            Scalar::Bool(value) => return Parsed::Literal(Value::Bool(*value)),
            Scalar::Number(number) => return Parsed::Literal(Value::Number(*number)),
            Scalar::String(text) => text,
        };
        self.budget.spend(STRING_SIZE + 2 * text.len());
        let literal = Parsed::Literal(Value::String(Arc::clone(text)));
        if !text.contains("${{") {
            return literal;
        }
        if Template::is_insert(text) {
            return Parsed::Insert;
        }
        match Template::parse(text, &Available::from_schema(&expected.context)) {
            Ok(Some(template)) => match escaped_text(&template) {
                Some(text) => Parsed::Literal(Value::String(text)),
                None => Parsed::Expression(template),
            },
            Ok(None) => literal,
            Err(error) => {
                let context = expected.context.iter().copied();
                self.problems.add_expression(span, text, error, context);
                literal
            }
        }
    }
}

/// What of a mapping was seen.
struct MappingReader<'e> {
    /// The shapes it can still have: a known key rules out those that do not have it.
    rules: Vec<&'static MappingRule>,
    expected: &'e Expected,
    /// Where each name is; letter case does not tell names apart.
    seen: HashMap<String, Span>,
    has_expression: bool,
}

impl MappingReader<'_> {
    /// The definition of a known key's value.
    fn known(&mut self, key: &str) -> Option<&'static str> {
        let definition = self
            .rules
            .iter()
            .find_map(|rule| rule.properties.get(key))?;
        self.rules.retain(|rule| rule.properties.contains_key(key));
        Some(definition)
    }

    /// Whether it is one mapping, and a whole one.
    fn finish(self, span: Span, problems: &mut Problems) {
        let [rule] = self.rules[..] else {
            problems.add(span, undecided(&self.rules));
            return;
        };
        if self.has_expression {
            return;
        }
        for key in &rule.required {
            if !self.seen.contains_key(&key.to_uppercase()) {
                problems.add(span, format!("Required property is missing: {key}"));
            }
        }
    }
}

fn undecided(rules: &[&MappingRule]) -> String {
    let has = |key: &str| {
        rules
            .iter()
            .filter(|rule| rule.properties.contains_key(key))
            .count()
    };
    let keys = rules.iter().flat_map(|rule| rule.properties.keys());
    let mut telling: Vec<&str> = keys.copied().filter(|key| has(key) == 1).collect();
    telling.sort_unstable();
    format!(
        "There's not enough info to determine what you meant. Add one of these properties: {}",
        telling.join(", ")
    )
}

fn matches_shape(shape: &Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::Null, Value::Null)
        | (Shape::Boolean, Value::Bool(_))
        | (Shape::Number, Value::Number(_)) => true,
        (Shape::String(rule), Value::String(text)) => matches_string(rule, text),
        _ => false,
    }
}

/// The one text that a shape allows.
fn constant(shape: &'static Shape) -> Option<&'static str> {
    match shape {
        Shape::String(rule) => rule.constant,
        _ => None,
    }
}

fn matches_string(rule: &StringRule, text: &str) -> bool {
    match rule.constant {
        Some(constant) => constant == text,
        None => !(rule.non_empty && text.is_empty()),
    }
}

fn literal_kind(value: &Value) -> TokenKind {
    match value {
        Value::Bool(value) => TokenKind::Bool(*value),
        Value::Number(number) => TokenKind::Number(*number),
        Value::String(text) => TokenKind::String(Arc::clone(text)),
        Value::Null | Value::Array(_) | Value::Object(_) => TokenKind::Null,
    }
}

/// `${{ 'text' }}` is text: that is how `${{` is written literally.
fn escaped_text(template: &Template) -> Option<Arc<str>> {
    let text = template.to_expression();
    let quoted = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let unescaped = quoted.replace("''", "");
    (!unescaped.contains('\'')).then(|| quoted.replace("''", "'").into())
}
