//! What evaluating costs in memory: an expression is compiled once, when its file is read, and a
//! literal in it is at hand from then on.

#[path = "support/allocations.rs"]
mod counting;

use lrun::expr::{Available, CallError, Contexts, Expression, Template, Value};

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

/// Far more than any of these takes.
const LIMIT: usize = 1 << 20;

struct Nothing;

impl Contexts for Nothing {
    fn context(&self, _: &str) -> Result<Value, CallError> {
        Ok(Value::Null)
    }

    fn call(&self, function: &str, _: &[Value]) -> Result<Value, CallError> {
        Err(CallError::Failed(function.to_owned()))
    }
}

/// How often evaluating asks for memory, and the value.
fn evaluated(work: impl Fn() -> Value) -> (usize, Value) {
    let (value, taken) = counting::within(LIMIT, work);
    (taken.count, value)
}

#[test]
fn a_literal_is_evaluated_without_asking_for_memory() {
    let available = Available::contexts(&["github"]);
    for (text, value) in [
        ("1", 1.0.into()),
        (
            "'a text that is longer than most'",
            "a text that is longer than most".into(),
        ),
        ("true", true.into()),
        ("null", Value::Null),
        ("!true", false.into()),
        ("(1 == '1') && 'Linux' == 'linux' || 'no'", true.into()),
        ("github || 'none'", "none".into()),
    ] {
        let expression = Expression::parse(text, &available).expect("it compiles");
        let expected = (0, value);
        assert_eq!(
            evaluated(|| expression.evaluate(&Nothing).expect("a value")),
            expected,
            "{text}"
        );
        let template = Template::parse(&format!("${{{{ {text} }}}}"), &available);
        let template = template
            .expect("it compiles")
            .expect("it has an expression");
        assert_eq!(
            evaluated(|| template.evaluate(&Nothing).expect("a value")),
            expected,
            "{text}"
        );
    }
}

#[test]
fn the_counter_counts() {
    let available = Available::default();
    let joined = Expression::parse("format('{0}-{1}', 1, 2)", &available).expect("it compiles");
    let (count, value) = evaluated(|| joined.evaluate(&Nothing).expect("a value"));
    assert_eq!(value, "1-2".into());
    assert!(count > 0);
    // Compiling asks again and again; evaluating what is compiled does not compile.
    let (compiling, _) = evaluated(|| {
        let again = Expression::parse("format('{0}-{1}', 1, 2)", &available);
        again.expect("it compiles").text().into()
    });
    assert!(compiling > 0);
    let (again, _) = evaluated(|| joined.evaluate(&Nothing).expect("a value"));
    assert_eq!(again, count);
}
