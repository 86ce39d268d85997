//! One compiled expression.

use std::sync::Arc;

use super::Contexts;
use super::available::Available;
use super::coercion::same_text;
use super::error::{EvaluationError, ParseError};
use super::evaluation;
use super::memory::{EXPRESSION_LIMIT, TEMPLATE_LIMIT};
use super::parser;
use super::syntax::Node;
use super::template::Template;
use super::value::Value;

/// The functions that ask how things stand; a condition without one of them asks `success()`.
const STATUS_FUNCTIONS: [&str; 4] = ["success", "failure", "cancelled", "always"];

/// An expression that names only what it may use. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Expression {
    text: Arc<str>,
    root: Arc<Node>,
    memory_limit: usize,
}

impl Expression {
    /// Compiles what stands between `${{` and `}}`. Values of its evaluation may take 1 MiB.
    ///
    /// # Errors
    /// In GitHub's words, and in the order GitHub finds them: the first one counts.
    pub fn parse(text: &str, available: &Available) -> Result<Self, ParseError> {
        Self::compile(text, available, EXPRESSION_LIMIT)
    }

    /// Compiles an expression of a workflow, whose evaluation may take 10 MiB.
    pub(super) fn in_template(text: &str, available: &Available) -> Result<Self, ParseError> {
        Self::compile(text, available, TEMPLATE_LIMIT)
    }

    /// Compiles the value of an `if:` key, with or without `${{ }}` around it. Empty is
    /// `success()`; one that calls no status function is `success() && (…)`. Text around
    /// `${{ }}` makes it a text, which is always true.
    ///
    /// # Errors
    /// As [`Self::parse`]; positions are those in the condition as it was written.
    pub fn condition(text: &str, available: &Available) -> Result<Self, ParseError> {
        let text = text.trim();
        if text.is_empty() {
            return Self::in_template("success()", available);
        }
        let condition = match Template::parse(text, available)? {
            Some(template) => Self::in_template(&template.to_expression(), available)?,
            None => Self::in_template(text, available)?,
        };
        if STATUS_FUNCTIONS.iter().any(|name| condition.calls(name)) {
            return Ok(condition);
        }
        Self::in_template(&format!("success() && ({})", condition.text()), available)
    }

    fn compile(text: &str, available: &Available, memory_limit: usize) -> Result<Self, ParseError> {
        Ok(Self {
            root: Arc::new(parser::parse(text, available)?),
            text: text.into(),
            memory_limit,
        })
    }

    /// The value over these contexts.
    ///
    /// # Errors
    /// [`EvaluationError::Pending`] when the caller must answer a function first.
    pub fn evaluate(&self, contexts: &dyn Contexts) -> Result<Value, EvaluationError> {
        evaluation::evaluate(&self.root, contexts, self.memory_limit)
    }

    /// The text it was compiled from; of a condition the text GitHub makes of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it calls this function anywhere, by its tree: a name inside a text does not count.
    pub fn calls(&self, function: &str) -> bool {
        self.root
            .any_call(&|called| same_text(called.name(), function))
    }

    /// The contexts it uses, each with the names that follow as far as they are fixed:
    /// `steps.cache.outputs['cache-hit']` gives `["steps", "cache", "outputs", "cache-hit"]`,
    /// `matrix[inputs.x]` gives `["matrix"]` and `["inputs", "x"]`. In the order they are
    /// written, and as often.
    pub fn references(&self) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        self.root.collect_references(&mut found);
        found
    }
}

impl PartialEq for Expression {
    /// The same text, which means the same under the same key.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::CallError;

    fn available() -> Available {
        let list = [
            "steps",
            "inputs",
            "matrix",
            "always(0,0)",
            "success(0,MAX)",
            "hashFiles(1,2)",
        ];
        Available::from_schema(&list)
    }

    fn condition(text: &str) -> String {
        let condition = Expression::condition(text, &available()).expect("it compiles");
        condition.text().to_owned()
    }

    #[test]
    fn a_condition_without_status_function_asks_for_success() {
        assert_eq!(condition(" "), "success()");
        assert_eq!(condition("1 == 2"), "success() && (1 == 2)");
        assert_eq!(
            condition("${{ true || 'always()' }}"),
            "success() && (true || 'always()')"
        );
        assert_eq!(condition("${{ !Always() }}"), "!Always()");
        let text = "success() && (format('{0} && y', matrix.x))";
        assert_eq!(condition("${{ matrix.x }} && y"), text);
    }

    #[test]
    fn references_are_followed_as_far_as_they_are_fixed() {
        let text = "steps.a.outputs['b'] || matrix[inputs.x].y && hashFiles(steps.*.z, 'steps.q')";
        let expression = Expression::parse(text, &available()).expect("it compiles");
        assert_eq!(
            expression.references(),
            [
                vec!["steps", "a", "outputs", "b"],
                vec!["matrix"],
                vec!["inputs", "x"],
                vec!["steps"]
            ]
        );
        assert!(expression.calls("HASHFILES"));
        assert!(!expression.calls("always"));
    }

    #[test]
    fn what_has_no_members_is_not_asked_for_one() {
        let matrix = r#"{"list": [{"a": 1}, {"a": 2}], "long": 0.12345678901234567}"#;
        let matrix: serde_json::Value = serde_json::from_str(matrix).expect("it is JSON");
        let given = Given(Value::from(&matrix));
        let evaluate = |text| {
            let expression = Expression::parse(text, &available()).expect("it compiles");
            expression.evaluate(&given)
        };
        assert_eq!(evaluate("matrix.none[fromJSON('{')]"), Ok(Value::Null));
        assert!(evaluate("matrix.list[fromJSON('{')]").is_err());
        // `case` hands on what `.*` gave, `fromJSON` makes an array of its own.
        let numbers = Ok(vec![1.0.into(), 2.0.into()].into());
        assert_eq!(evaluate("case(true, matrix.list.*, 1).a"), numbers);
        assert_eq!(
            evaluate("fromJSON(toJSON(matrix.list.*)).a"),
            Ok(Value::Null)
        );
        // JSON's numbers are read exactly.
        assert_eq!(
            evaluate("matrix.long == 0.12345678901234567"),
            Ok(true.into())
        );
    }

    struct Given(Value);

    impl Contexts for Given {
        fn context(&self, _: &str) -> Result<Value, CallError> {
            Ok(self.0.clone())
        }

        fn call(&self, _: &str, _: &[Value]) -> Result<Value, CallError> {
            Err(CallError::Pending)
        }
    }

    #[test]
    fn arity_is_that_of_the_schema() {
        let refused = Expression::parse("hashFiles(1,2,3)", &available()).expect_err("too many");
        let message = "Too many parameters supplied: 'hashFiles'. Located at position 1 within expression: hashFiles(1,2,3)";
        assert_eq!(refused.message, message);
        assert!(Expression::parse("success(1,2,3)", &available()).is_ok());
    }

    #[test]
    fn nesting_costs_no_stack() {
        let brackets = 10_000;
        let nested = format!("{}1{}", "(".repeat(brackets), ")".repeat(brackets));
        assert!(Expression::parse(&nested, &available()).is_ok());
        let refused = Expression::parse(&format!("{}1", "!".repeat(20_000)), &available());
        let message = refused.expect_err("it is too deep").message;
        assert_eq!(message, "Exceeded max expression depth 50");
    }
}
