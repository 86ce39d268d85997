//! Walking the tree.

use std::cmp::Ordering;

use super::Contexts;
use super::coercion::{compare, equals, to_number};
use super::error::{CallError, EvaluationError};
use super::lexer::Comparison;
use super::memory::Memory;
use super::syntax::{Function, Node};
use super::value::Value;

/// Evaluates a tree, in no more than `limit` bytes of values.
pub(super) fn evaluate(
    root: &Node,
    contexts: &dyn Contexts,
    limit: usize,
) -> Result<Value, EvaluationError> {
    let mut evaluation = Evaluation {
        contexts,
        memory: Memory::new(limit),
    };
    Ok(evaluation.node(root, 0)?.value)
}

struct Evaluation<'a> {
    contexts: &'a dyn Contexts,
    memory: Memory,
}

/// A value and whether it came out of `.*`: an index then applies to each element. Parentheses,
/// logical operators and `case` hand on what they are given as it is, other functions make
/// something else of it (`FilteredArray` in `Index.cs`).
#[derive(Clone)]
struct Operand {
    value: Value,
    filtered: bool,
}

impl From<Value> for Operand {
    fn from(value: Value) -> Self {
        Self {
            value,
            filtered: false,
        }
    }
}

impl Evaluation<'_> {
    fn node(&mut self, node: &Node, level: usize) -> Result<Operand, EvaluationError> {
        let below = level + 1;
        let operand = match node {
            Node::Literal(value) => value.clone().into(),
            Node::Context(name) => self.context(name)?.into(),
            Node::Wildcard => Value::from("*").into(),
            Node::Not(operand) => Value::Bool(!self.node(operand, below)?.value.is_truthy()).into(),
            Node::And(operands) => self.decide(operands, below, false)?,
            Node::Or(operands) => self.decide(operands, below, true)?,
            Node::Compare { operator, operands } => {
                let left = self.node(&operands[0], below)?.value;
                let right = self.node(&operands[1], below)?.value;
                Value::Bool(holds(*operator, &left, &right)).into()
            }
            Node::Index { target, key } => self.index(target, key, below)?,
            Node::Call {
                function,
                arguments,
            } => self.call(function, arguments, below)?,
        };
        self.memory.add(level, &operand.value)?;
        Ok(operand)
    }

    fn context(&self, name: &str) -> Result<Value, EvaluationError> {
        self.contexts
            .context(name)
            .map_err(|error| unanswered(name, Vec::new(), error))
    }

    /// The first operand whose truth is `deciding`, else the last one.
    fn decide(
        &mut self,
        operands: &[Node],
        level: usize,
        deciding: bool,
    ) -> Result<Operand, EvaluationError> {
        let mut result = Operand::from(Value::Null);
        for operand in operands {
            result = self.node(operand, level)?;
            if result.value.is_truthy() == deciding {
                break;
            }
        }
        Ok(result)
    }

    fn index(
        &mut self,
        target: &Node,
        key: &Node,
        level: usize,
    ) -> Result<Operand, EvaluationError> {
        let target = self.node(target, level)?;
        if matches!(key, Node::Wildcard) {
            return Ok(filter(&target));
        }
        // What has no members is not asked for one (`Index.cs`): the key may fail unseen.
        if target.value.is_primitive() {
            return Ok(Value::Null.into());
        }
        let key = self.node(key, level)?.value;
        Ok(match &target.value {
            Value::Array(elements) if target.filtered => Operand {
                value: elements
                    .iter()
                    .filter_map(|each| member(each, &key))
                    .collect(),
                filtered: true,
            },
            value => member(value, &key).unwrap_or_default().into(),
        })
    }

    fn call(
        &mut self,
        function: &Function,
        nodes: &[Node],
        level: usize,
    ) -> Result<Operand, EvaluationError> {
        let mut arguments = Arguments {
            values: vec![None; nodes.len()],
            evaluation: self,
            nodes,
            level,
            handed_on: false,
        };
        match function {
            Function::Builtin(builtin) => {
                let value = (builtin.body)(&mut arguments)?;
                Ok(Operand {
                    value,
                    filtered: arguments.handed_on,
                })
            }
            Function::Caller(name) => {
                let arguments = (0..nodes.len())
                    .map(|index| arguments.get(index))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(self.ask(name, arguments)?.into())
            }
        }
    }

    fn ask(&self, name: &str, arguments: Vec<Value>) -> Result<Value, EvaluationError> {
        self.contexts
            .call(name, &arguments)
            .map_err(|error| unanswered(name, arguments, error))
    }
}

/// Why the caller gave no value for a function or, without arguments, for a context.
fn unanswered(name: &str, arguments: Vec<Value>, error: CallError) -> EvaluationError {
    let function = name.to_owned();
    match error {
        CallError::Pending => EvaluationError::Pending {
            function,
            arguments,
        },
        CallError::Failed(message) => EvaluationError::Failed { function, message },
    }
}

/// The arguments of a call, each evaluated when it is first asked for.
pub(super) struct Arguments<'e, 'c> {
    evaluation: &'e mut Evaluation<'c>,
    nodes: &'e [Node],
    values: Vec<Option<Operand>>,
    level: usize,
    /// Whether the result is an argument that came out of `.*`, as it was given.
    handed_on: bool,
}

impl Arguments<'_, '_> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The argument at `index`, which must be one.
    pub(super) fn get(&mut self, index: usize) -> Result<Value, EvaluationError> {
        Ok(self.operand(index)?.value)
    }

    /// The argument at `index` as the result of the function, unchanged.
    pub(super) fn hand_on(&mut self, index: usize) -> Result<Value, EvaluationError> {
        let operand = self.operand(index)?;
        self.handed_on = operand.filtered;
        Ok(operand.value)
    }

    fn operand(&mut self, index: usize) -> Result<Operand, EvaluationError> {
        if let Some(operand) = &self.values[index] {
            return Ok(operand.clone());
        }
        let operand = self.evaluation.node(&self.nodes[index], self.level)?;
        self.values[index] = Some(operand.clone());
        Ok(operand)
    }

    /// Counts the inside of a collection that the function made.
    pub(super) fn count_inside(&mut self, value: &Value) -> Result<(), EvaluationError> {
        self.evaluation.memory.add_inside(self.level, value)
    }

    /// Adds to a text that the function makes.
    pub(super) fn append(&self, text: &mut String, piece: &str) -> Result<(), EvaluationError> {
        self.evaluation.memory.append(text, piece)
    }
}

fn holds(operator: Comparison, left: &Value, right: &Value) -> bool {
    let order = |wanted| compare(left, right) == Some(wanted);
    match operator {
        Comparison::Equal => equals(left, right),
        Comparison::NotEqual => !equals(left, right),
        Comparison::Less => order(Ordering::Less),
        Comparison::LessOrEqual => equals(left, right) || order(Ordering::Less),
        Comparison::Greater => order(Ordering::Greater),
        Comparison::GreaterOrEqual => equals(left, right) || order(Ordering::Greater),
    }
}

/// `target.*`: all members; of a filtered array the members of its elements.
fn filter(target: &Operand) -> Operand {
    let value = match &target.value {
        Value::Array(elements) if target.filtered => elements.iter().flat_map(members).collect(),
        value => Value::from(members(value)),
    };
    Operand {
        value,
        filtered: true,
    }
}

fn members(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(elements) => elements.to_vec(),
        Value::Object(object) => object.iter().map(|(_, value)| value.clone()).collect(),
        _ => Vec::new(),
    }
}

/// `value[key]`; none where there is no such member.
fn member(value: &Value, key: &Value) -> Option<Value> {
    match value {
        Value::Object(object) if key.is_primitive() => object.get(&key.to_text()).cloned(),
        Value::Array(elements) => {
            let index = to_number(key).floor();
            // NaN is in no range; a cast of what is in this one is exact.
            let exists = index >= 0.0 && index < elements.len() as f64;
            exists.then(|| elements[index as usize].clone())
        }
        _ => None,
    }
}
