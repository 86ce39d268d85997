//! How much memory the values of an evaluation take, counted as the runner counts it
//! (`EvaluationMemory.cs`), so that what GitHub refuses is refused here.

use super::error::EvaluationError;
use super::parser::MAX_DEPTH;
use super::value::Value;

/// Bytes an expression on its own may use.
pub(super) const EXPRESSION_LIMIT: usize = 1 << 20;
/// Bytes an expression in a workflow may use.
pub(super) const TEMPLATE_LIMIT: usize = 10 << 20;

const OBJECT: usize = 24;
const TEXT: usize = 26;
const UNIT: usize = 2;

/// Levels of the deepest tree, and one for what its leaves make.
const LEVELS: usize = MAX_DEPTH + 1;

/// The values alive at each level of the tree.
#[derive(Debug)]
pub(super) struct Memory {
    /// Not a list that grows: evaluating a literal takes no memory of this program's.
    levels: [usize; LEVELS],
    /// Levels from here on are empty.
    used: usize,
    total: usize,
    limit: usize,
}

impl Memory {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            levels: [0; LEVELS],
            used: 0,
            total: 0,
            limit,
        }
    }

    /// Counts the value that a node on `level` gave. One that holds no others frees what is
    /// below it.
    pub(super) fn add(&mut self, level: usize, value: &Value) -> Result<(), EvaluationError> {
        if value.is_primitive() && self.used > level + 1 {
            let freed = &mut self.levels[level + 1..self.used];
            self.total -= freed.iter().sum::<usize>();
            freed.fill(0);
            self.used = level + 1;
        }
        self.grow(level, shallow_size(value))
    }

    /// Counts what is inside a collection that was made on `level`; of one that a context
    /// gave only the reference counts.
    pub(super) fn add_inside(
        &mut self,
        level: usize,
        value: &Value,
    ) -> Result<(), EvaluationError> {
        self.grow(level, inside_size(value))
    }

    /// Adds to a text that is being made, for as long as it can be afforded.
    pub(super) fn append(&self, text: &mut String, piece: &str) -> Result<(), EvaluationError> {
        text.push_str(piece);
        // Exact when the text is done. A unit has three bytes of UTF-8 at the most.
        self.check(text.len() / 3 * UNIT)
    }

    fn grow(&mut self, level: usize, bytes: usize) -> Result<(), EvaluationError> {
        self.used = self.used.max(level + 1);
        self.levels[level] += bytes;
        self.total += bytes;
        self.check(0)
    }

    fn check(&self, more: usize) -> Result<(), EvaluationError> {
        if self.total.saturating_add(more) > self.limit {
            return Err(EvaluationError::Memory);
        }
        Ok(())
    }
}

fn shallow_size(value: &Value) -> usize {
    match value {
        Value::String(text) => text_size(text),
        _ => OBJECT,
    }
}

fn inside_size(value: &Value) -> usize {
    let size = |value: &Value| shallow_size(value) + inside_size(value);
    match value {
        Value::Array(elements) => elements.iter().map(size).sum(),
        Value::Object(object) => object
            .iter()
            .map(|(name, value)| text_size(name) + size(value))
            .sum(),
        _ => 0,
    }
}

fn text_size(text: &str) -> usize {
    TEXT + UNIT * text.chars().map(char::len_utf16).sum::<usize>()
}
