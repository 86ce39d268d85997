//! Tokens → values, when the contexts are there (`TemplateEvaluator.cs` of the runner).

use crate::expr::{Contexts, EvaluationError, Object, Value};
use crate::source::Span;

use super::token::{Key, Pair, Token, TokenKind};

/// Why a token has no value, and where.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{problem}")]
pub struct TokenError {
    /// The place of the key or value.
    pub span: Span,
    /// What is wrong.
    pub problem: TokenProblem,
}

/// What can be wrong with the value of a token, in GitHub's words.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TokenProblem {
    /// The expression failed, or waits for an answer ([`EvaluationError::Pending`]).
    #[error(transparent)]
    Expression(#[from] EvaluationError),
    /// A mapping or a sequence where a string is wanted.
    #[error("Expected a string")]
    ExpectedString,
    /// `${{ insert }}` of something else, or an expression that should have given a mapping.
    #[error("Expected a mapping")]
    ExpectedMapping,
    /// Two keys with one name.
    #[error("'{0}' is already defined")]
    AlreadyDefined(String),
    /// Neither true nor false, or no number, where one is wanted.
    #[error("Unexpected value '{0}'")]
    UnexpectedValue(String),
}

impl Token {
    /// The value: literals as they are, an expression alone with its own type, mappings as objects with
    /// their insertions made.
    ///
    /// # Errors
    /// With the place of the expression or key that has no value.
    pub fn evaluate(&self, contexts: &dyn Contexts) -> Result<Value, TokenError> {
        match &self.kind {
            TokenKind::Expression(template) => template
                .evaluate(contexts)
                .map_err(|error| self.error(error.into())),
            TokenKind::Sequence(items) => {
                items.iter().map(|item| item.evaluate(contexts)).collect()
            }
            TokenKind::Mapping(pairs) => evaluate_pairs(pairs, contexts).map(Value::from),
            _ => Ok(self.scalar().unwrap_or_default()),
        }
    }

    /// The value where GitHub wants a string: null is empty, numbers and booleans are written out.
    ///
    /// # Errors
    /// Collections are errors.
    pub fn evaluate_string(&self, contexts: &dyn Contexts) -> Result<String, TokenError> {
        let value = self.evaluate(contexts)?;
        if value.is_primitive() {
            return Ok(value.to_text().to_string());
        }
        Err(self.error(TokenProblem::ExpectedString))
    }

    /// The value where GitHub wants true or false: nothing is coerced.
    ///
    /// # Errors
    /// Everything else is an unexpected value.
    pub fn evaluate_bool(&self, contexts: &dyn Contexts) -> Result<bool, TokenError> {
        match self.evaluate(contexts)? {
            Value::Bool(value) => Ok(value),
            other => Err(self.unexpected(&other)),
        }
    }

    /// The value where GitHub wants a number: nothing is coerced.
    ///
    /// # Errors
    /// Everything else is an unexpected value.
    pub fn evaluate_number(&self, contexts: &dyn Contexts) -> Result<f64, TokenError> {
        match self.evaluate(contexts)? {
            Value::Number(number) => Ok(number),
            other => Err(self.unexpected(&other)),
        }
    }

    /// The pairs where GitHub wants a mapping of strings (`env`, `with`, `outputs`), in order.
    ///
    /// # Errors
    /// Values that are collections, and a whole that is no mapping.
    pub fn evaluate_strings(
        &self,
        contexts: &dyn Contexts,
    ) -> Result<Vec<(String, String)>, TokenError> {
        if let TokenKind::Mapping(pairs) = &self.kind
            && pairs.iter().all(|pair| !matches!(pair.key, Key::Insert(_)))
        {
            // Each value by itself, so that its error has its own place.
            return pairs
                .iter()
                .map(|pair| {
                    Ok((
                        key_text(&pair.key, contexts)?,
                        pair.value.evaluate_string(contexts)?,
                    ))
                })
                .collect();
        }
        let value = self.evaluate(contexts)?;
        let Some(object) = value.as_object() else {
            return Err(self.error(TokenProblem::ExpectedMapping));
        };
        let text = |value: &Value| match value.is_primitive() {
            true => Ok(value.to_text().to_string()),
            false => Err(self.error(TokenProblem::ExpectedString)),
        };
        object
            .iter()
            .map(|(name, value)| Ok((name.to_owned(), text(value)?)))
            .collect()
    }

    fn error(&self, problem: TokenProblem) -> TokenError {
        let span = self.span;
        TokenError { span, problem }
    }

    fn unexpected(&self, value: &Value) -> TokenError {
        self.error(TokenProblem::UnexpectedValue(value.to_text().to_string()))
    }
}

fn evaluate_pairs(pairs: &[Pair], contexts: &dyn Contexts) -> Result<Object, TokenError> {
    let mut object = Object::default();
    let mut add = |name: String, value: Value, span: Span| match object.get(&name) {
        Some(_) => {
            let problem = TokenProblem::AlreadyDefined(name);
            Err(TokenError { span, problem })
        }
        None => {
            object.insert(name, value);
            Ok(())
        }
    };
    for Pair { key, value } in pairs {
        let evaluated = value.evaluate(contexts)?;
        if !matches!(key, Key::Insert(_)) {
            add(key_text(key, contexts)?, evaluated, key.span())?;
            continue;
        }
        let Some(inserted) = evaluated.as_object() else {
            return Err(value.error(TokenProblem::ExpectedMapping));
        };
        for (name, value) in inserted.iter() {
            add(name.to_owned(), value.clone(), key.span())?;
        }
    }
    Ok(object)
}

fn key_text(key: &Key, contexts: &dyn Contexts) -> Result<String, TokenError> {
    match key {
        Key::Name(name) => Ok(name.value.to_string()),
        Key::Insert(_) => Ok(String::new()),
        Key::Expression(template) => template.value.evaluate_text(contexts).map_err(|error| {
            let (span, problem) = (template.span, error.into());
            TokenError { span, problem }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::CallError;
    use crate::source::Source;
    use crate::workflow::read_workflow;

    /// `github` is an object of a few kinds of values.
    struct Github;

    impl Contexts for Github {
        fn context(&self, name: &str) -> Result<Value, CallError> {
            Ok(match name {
                "github" => serde_json::json!({
                    "none": null, "yes": true, "five": 5, "text": "t", "list": [1],
                    "more": {"A": "1", "B": 2},
                })
                .into(),
                _ => Value::Null,
            })
        }

        fn call(&self, function: &str, _: &[Value]) -> Result<Value, CallError> {
            Err(CallError::Failed(format!("{function} is not asked")))
        }
    }

    /// The `env` of a workflow.
    fn env(text: &str) -> Token {
        let text = format!("on: push\nenv: {text}\njobs: {{j: {{runs-on: x}}}}\n");
        let workflow = read_workflow(Source::new("w.yml", text)).expect("valid");
        workflow.env.expect("it has one")
    }

    fn strings(text: &str) -> Result<Vec<(String, String)>, String> {
        env(text)
            .evaluate_strings(&Github)
            .map_err(|error| error.to_string())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let own = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
        Ok(pairs.iter().map(own).collect())
    }

    #[test]
    fn strings_are_written_out() {
        assert_eq!(
            strings("{N: , F: 3.10, O: 0o17, E: '${{ github.none }}', B: '${{ github.yes }}!'}"),
            pairs(&[
                ("N", ""),
                ("F", "3.1"),
                ("O", "15"),
                ("E", ""),
                ("B", "true!")
            ])
        );
    }

    #[test]
    fn a_collection_is_no_string() {
        assert_eq!(
            strings("{A: '${{ github.list }}'}"),
            Err("Expected a string".into())
        );
        assert_eq!(
            strings("{A: '${{ github.list }}!'}"),
            pairs(&[("A", "Array!")])
        );
    }

    #[test]
    fn one_expression_may_be_the_whole_mapping() {
        assert_eq!(
            strings("${{ github.more }}"),
            pairs(&[("A", "1"), ("B", "2")])
        );
        assert_eq!(
            strings("${{ github.five }}"),
            Err("Expected a mapping".into())
        );
    }

    #[test]
    fn insert_puts_pairs_in_its_place() {
        assert_eq!(
            strings("{X: x, '${{ insert }}': '${{ github.more }}', '${{ github.text }}': y}"),
            pairs(&[("X", "x"), ("A", "1"), ("B", "2"), ("t", "y")])
        );
        assert_eq!(
            strings("{a: x, '${{ insert }}': '${{ github.more }}'}"),
            Err("'A' is already defined".into())
        );
    }

    #[test]
    fn booleans_and_numbers_are_not_coerced() {
        let token = |text: &str| {
            let env = env(&format!("{{A: '${{{{ {text} }}}}'}}"));
            env.get("A").cloned().expect("it has one")
        };
        assert_eq!(token("github.yes").evaluate_bool(&Github), Ok(true));
        assert_eq!(token("github.five").evaluate_number(&Github), Ok(5.0));
        for text in ["github.text", "github.none", "github.five"] {
            assert!(token(text).evaluate_bool(&Github).is_err(), "{text}");
        }
        let error = token("github.text").evaluate_number(&Github);
        assert_eq!(
            error.map_err(|error| error.to_string()),
            Err("Unexpected value 't'".into())
        );
    }
}
