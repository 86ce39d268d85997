//! Expressions, beside `@actions/expressions`.

use std::collections::BTreeMap;

use lrun::expr::{Available, CallError, Contexts, EvaluationError, Expression, Value};
use serde_json::{Value as Json, json};

use crate::assert_same;
use crate::grammar::{CONTEXTS, Grammar};
use crate::packages::Packages;
use crate::random::Random;

const EXPRESSIONS: usize = 24_000;

/// Whether a difference that the driver cannot put right follows from a rule, given the
/// expression and the rules the driver met.
type Test = fn(&str, &[&str]) -> bool;
const RULES: [(&str, Test); 2] = [
    (
        // Newtonsoft reads more than JSON (spec: comments, NaN, trailing commas and text).
        "fromJSON is lenient",
        |_, met| met.contains(&"fromJSON"),
    ),
    (
        // The runner's lexer lets operators follow `*`; the package wants the bracket closed.
        "a wildcard is an operand",
        |expression, _| {
            let wildcards = expression.split("[*").skip(1);
            wildcards
                .into_iter()
                .any(|rest| !rest.trim_start().starts_with(']'))
        },
    ),
];

struct Given(Value);

impl Contexts for Given {
    fn context(&self, name: &str) -> Result<Value, CallError> {
        let member = self.0.as_object().and_then(|object| object.get(name));
        Ok(member.cloned().unwrap_or_default())
    }

    fn call(&self, function: &str, _: &[Value]) -> Result<Value, CallError> {
        Err(CallError::Failed(format!("no function {function}")))
    }
}

/// A value in the form of the driver.
fn encode(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => json!(truth),
        // Not a number has many forms, and zero has two that are equal.
        Value::Number(number) if number.is_nan() => json!({"number": "7ff8000000000000"}),
        Value::Number(number) => json!({"number": format!("{:016x}", (number + 0.0).to_bits())}),
        Value::String(text) => json!(&**text),
        Value::Array(elements) => elements.iter().map(encode).collect(),
        Value::Object(object) => {
            let members: Vec<_> = object
                .iter()
                .map(|(name, value)| json!([name, encode(value)]))
                .collect();
            json!({ "object": members })
        }
    }
}

fn evaluate(expression: &str, contexts: &Given, available: &Available) -> Json {
    let value = Expression::parse(expression, available)
        .map_err(|error| error.message)
        .and_then(|parsed| {
            let value = parsed.evaluate(contexts);
            value.map_err(|error: EvaluationError| error.to_string())
        });
    match value {
        Ok(value) => json!({"value": encode(&value)}),
        Err(message) => json!({ "error": message }),
    }
}

/// Whether both refuse, or both give the same value.
fn agree(ours: &Json, theirs: &Json) -> bool {
    match (ours.get("value"), theirs.get("value")) {
        (Some(ours), Some(theirs)) => ours == theirs,
        (None, None) => true,
        _ => false,
    }
}

#[test]
fn expressions_give_what_github_s_own_evaluator_gives() {
    let contexts: Json = serde_json::from_str(CONTEXTS).expect("the contexts are JSON");
    let names: Vec<&String> = contexts.as_object().expect("a mapping").keys().collect();
    let available = Available::contexts(&names);
    let given = Given(Value::from(&contexts));
    let mut random = Random::new(5);
    let expressions: Vec<String> = (0..EXPRESSIONS)
        .map(|_| Grammar::new(&mut random).expression())
        .collect();
    let contexts = json!({ "contexts": CONTEXTS });
    let asked = expressions
        .iter()
        .map(|expression| json!({ "expression": expression }));
    let questions: Vec<Json> = [contexts].into_iter().chain(asked).collect();
    let answers = Packages::installed().ask(include_str!("expressions.mjs"), &questions);

    let mut counts = Counts::default();
    let mut wrong = Vec::new();
    for (expression, answer) in expressions.iter().zip(&answers[1..]) {
        let ours = evaluate(expression, &given, &available);
        if !counts.take(expression, &ours, answer) {
            wrong.push(format!(
                "{expression}\n  lrun    {ours}\n  package {answer}"
            ));
        }
    }
    println!("{EXPRESSIONS} expressions: {counts:#?}");
    assert_same(&wrong);
}

/// How the cases came out.
#[derive(Debug, Default)]
struct Counts {
    same_value: usize,
    both_refuse: usize,
    differ_by_rule: usize,
    /// In how many of them each rule was met; several may be in one.
    rules: BTreeMap<String, usize>,
}

impl Counts {
    /// Counts a case; false when it differs and no rule says so.
    fn take(&mut self, expression: &str, ours: &Json, answer: &Json) -> bool {
        if agree(ours, &answer["plain"]) {
            match ours.get("value") {
                Some(_) => self.same_value += 1,
                None => self.both_refuse += 1,
            }
            return true;
        }
        let met = answer["rules"].as_array().into_iter().flatten();
        let mut met: Vec<&str> = met.filter_map(Json::as_str).collect();
        if !agree(ours, &answer["corrected"]) {
            let rule = RULES.iter().find(|(_, holds)| holds(expression, &met));
            let Some((name, _)) = rule else { return false };
            met = vec![name];
        }
        self.differ_by_rule += 1;
        for rule in met {
            *self.rules.entry(rule.to_owned()).or_default() += 1;
        }
        true
    }
}
