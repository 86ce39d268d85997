//! Workflows, beside `@actions/workflow-parser`: the verdict, every error's place and words, and of valid ones what the
//! parser concludes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use lrun::source::{Diagnostic, Source};
use lrun::workflow::{Workflow, read_workflow};
use lrun::yaml;
use serde_json::{Value as Json, json};

use crate::packages::Packages;
use crate::random::Random;
use crate::templates;
use crate::workflow_texts::{Grammar, change, known, probes, slip, write};

/// How many are compared; the environment may say another number, for a longer run.
const WORKFLOWS: u64 = 4_000;

/// How many differences a failure shows.
const SHOWN: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    line: u32,
    column: u32,
}

#[derive(Debug, Clone)]
struct Problem {
    message: String,
    place: Place,
    /// Of ours: where its value ends, and where its text begins behind a tag and an anchor.
    end: Place,
    text: Place,
}

impl Problem {
    fn starts(&self, with: &[&str]) -> bool {
        with.iter().any(|start| self.message.starts_with(start))
    }
}

/// One workflow and what both say.
struct Case<'t> {
    text: &'t str,
    ours: Vec<Problem>,
    theirs: Vec<Problem>,
}

/// Rules that end the comparison of a case.
type WholeCase = fn(&Case) -> bool;
const WHOLE_CASES: [(&str, WholeCase); 13] = [
    (
        // Its generator of events gives nothing for the missing value of `? key`, gives keys that are no strings as they
        // are, and stops where an alias is inside its own node.
        "the package loses its place in the file",
        |case| {
            case.theirs.iter().any(|problem| {
                problem.starts(&[
                    "Expected mapping end",
                    "Expected a scalar value, a sequence, or a mapping",
                    "raw.indexOf is not a function",
                    "nextKey.value.toUpperCase is not a function",
                    "Unexpected value type '",
                    "Cannot read properties of",
                ])
            })
        },
    ),
    (
        // `YamlObjectReader.cs`: only five tags, on plain scalars of their form; 32 bits; 50 levels; no recursion.
        "the runner's YAML is stricter with tags, numbers and depth",
        |case| {
            case.ours.iter().any(|problem| {
                problem.starts(&[
                    "Unexpected tag '",
                    "The value '",
                    "The scalar style '",
                    "Maximum object depth exceeded",
                    "Recursive alias",
                    "while scanning a tag",
                    "while scanning a verbatim tag",
                ])
            })
        },
    ),
    (
        // `Scanner.cs` of YamlDotNet, as libyaml's: where a key could begin a tab is no white space, and a `...`
        // ends a document that there must be.
        "the runner's YAML is stricter with tabs and ends",
        |case| {
            case.ours
                .iter()
                .any(|problem| problem.starts(&["While scanning", "While parsing"]))
        },
    ),
    (
        // `Scanner.cs`: `#` begins a comment wherever a token could begin.
        "the runner's YAML wants no space before a comment",
        |case| {
            case.theirs
                .iter()
                .any(|problem| problem.starts(&["Comments must be separated"]))
        },
    ),
    (
        // Spec 3.7: where a mapping is wanted one expression may supply it.
        "an expression may be a whole mapping",
        |case| {
            case.theirs.iter().any(|problem| {
                problem.starts(&["Unexpected type 'BasicExpressionToken'"])
                    && problem.message.contains("The type 'MappingToken' was")
            })
        },
    ),
    (
        // Not yet: what is read when the job runs.
        "lrun has no use for keys that are known later",
        |case| {
            case.ours
                .iter()
                .any(|problem| problem.starts(&["lrun cannot take the keys"]))
        },
    ),
    (
        // `Scanner.cs` knows three more line ends than `\n`; the package not even `\r`.
        "a carriage return alone ends a line",
        |case| case.text.contains("\r\r") || case.text.ends_with('\r'),
    ),
    (
        // Not yet: lrun's YAML parser refuses them by the standard; GitHub's and YamlDotNet do not ask.
        "lrun takes no control characters",
        |case| {
            let mut ours = case.ours.iter();
            ours.any(|problem| problem.starts(&["unexpected character: `\\u{"]))
        },
    ),
    (
        // Spec 3.3.
        "inputs of a dispatch may be null",
        |case| {
            let mut theirs = case.theirs.iter();
            let is_null = theirs.any(|problem| problem.message == "Unexpected value ''");
            is_null && case.text.contains("workflow_dispatch")
        },
    ),
    (
        // Spec 3.3; the published schema is older.
        "the package knows no `cache-mode`",
        |case| {
            let mut theirs = case.theirs.iter();
            theirs.any(|problem| problem.message == "Unexpected value 'cache-mode'")
        },
    ),
    (
        // `YamlObjectReader.cs`: a whole number is a float as well.
        "a tag makes any number a float",
        |case| case.text.contains("!!float"),
    ),
    (
        "the package finds a line below a block that ends the file",
        |case| case.text.trim_end_matches(' ').ends_with("+\n"),
    ),
    (
        // It drops what has no value, and goes on with what follows.
        "the package loses an explicit key",
        |case| {
            let mut lines = case.text.lines();
            let both = !case.ours.is_empty() && !case.theirs.is_empty();
            both && lines.any(|line| line.trim_start().starts_with('?'))
        },
    ),
];

/// Errors that only one of the two has, by rule.
type Lone = fn(&Problem, &Case) -> bool;
const ONLY_OURS: [(&str, Lone); 3] = [
    (
        // The service's converters, as the conformance cases have it.
        "the package checks no references, matrices and numbers of inputs",
        |problem, _| {
            problem.starts(&[
                "invalid value workflow reference",
                "Expected format {org}",
                "Expected format $/path",
                "reusable workflows should be referenced",
                "Matrix ",
                "Expected format '{major-version}",
                "No event triggers defined",
                "you may only define up to",
            ])
        },
    ),
    (
        // `IdBuilder.cs` and `TemplateReader.cs`: names are the same in any letter case, and empty keys are names.
        "the runner's names are unique in any letter case, in groups too",
        |problem, case| {
            problem.message.contains("may not be used more than once")
                || problem.message == "'' is already defined"
                || problem.message.contains("which creates a cycle")
                || problem.message.contains("must contain at least one job")
                || problem.starts(&["Step references unknown"])
                    && case
                        .ours
                        .iter()
                        .any(|other| other.message.contains("more than once"))
        },
    ),
    (
        "the package does not compile the condition of a snapshot",
        |problem, case| {
            case.text.contains("snapshot") && problem.message.contains("Located at position")
        },
    ),
];
const ONLY_THEIRS: [(&str, Lone); 6] = [
    (
        // The errors below a key that is there twice are not looked for.
        "what stands below an empty key that is there twice",
        |_, case| {
            case.ours
                .iter()
                .any(|problem| problem.message == "'' is already defined")
        },
    ),
    ("a job with a service of no known name", |problem, case| {
        problem.message.contains("must contain at least one job")
            && case
                .theirs
                .iter()
                .any(|other| other.message.contains("'service key'"))
    }),
    (
        // Spec 3.7, `StringComparer.OrdinalIgnoreCase` in the runner's converter.
        "the runner finds needs and targets in any letter case",
        |problem, case| {
            let text = case.text.to_lowercase();
            let names = |name: &str| text.matches(&name.to_lowercase()).count() > 1;
            problem.starts(&["Step references unknown", "Job '"])
                && problem.message.split('\'').nth_back(1).is_some_and(names)
        },
    ),
    (
        // Accepted in thousands of workflows: `default: false` without a type.
        "the package wants the default of an input to have its type",
        |problem, _| problem.message.contains("while reading 'input default'"),
    ),
    (
        // `TemplateReader.cs` returns at the first.
        "the runner stops at the first wrong expression of a scalar",
        |problem, case| {
            case.theirs
                .iter()
                .filter(|other| other.place == problem.place && is_expression(other))
                .count()
                > 1
        },
    ),
    (
        // `ConvertToJobServiceContainers` does not look at services with an expression anywhere.
        "a service's name may be an expression",
        |problem, _| problem.message.contains("while reading 'service key'"),
    ),
];

fn is_expression(problem: &Problem) -> bool {
    is_of_expression(&problem.message)
}

fn is_of_expression(message: &str) -> bool {
    const STARTS: [&str; 8] = [
        "Unrecognized ",
        "Unexpected symbol",
        "Unexpected end of expression",
        "Too many parameters",
        "Too few parameters",
        "An expression was expected",
        "The expression is not closed",
        "Exactly ",
    ];
    message.contains("Located at position") || STARTS.iter().any(|start| message.starts_with(start))
}

/// Pairs of words for one thing.
type Words = fn(&str, &str) -> bool;
const WORDS: [(&str, Words); 6] = [
    ("the runner says where in an expression", |ours, theirs| {
        ours.split(". Located at position").next() == Some(theirs)
    }),
    (
        // The runner's parser stops at the first token that is wrong, whatever is wrong with the next.
        "the package's lexer ends before its parser begins",
        |ours, theirs| is_of_expression(ours) && is_of_expression(theirs),
    ),
    (
        // .NET's G15 for numbers.
        "the runner writes numbers as .NET does",
        |ours, theirs| {
            let numbers = |text: &str| text.chars().filter(char::is_ascii_digit).count();
            let words = |text: &str| text.split('\'').next().map(str::to_owned);
            words(ours) == words(theirs) && numbers(ours) > 0 && numbers(theirs) > 0
        },
    ),
    ("an empty key is a name twice", |ours, theirs| {
        ours == "'' is already defined" && theirs == "Unexpected value ''"
    }),
    (
        "directives with parameters are none that is known",
        |ours, theirs| {
            ours.starts_with("Unrecognized named-value: 'insert'") && theirs.starts_with("Exactly ")
        },
    ),
    ("other words for the same", |ours, theirs| {
        let both = |a: &str, b: &str| ours.starts_with(a) && theirs.starts_with(b);
        both("Invalid runs-on group name", "Invalid runs-on group name")
            || both("Step '", "Step references unknown")
            || both("Job '", "Job '") && theirs.contains("unknown")
            || both("Unexpected value ''", "Unexpected value 'null'")
    }),
];

fn place(source: &Source, offset: usize) -> Place {
    let position = source.position(offset);
    Place {
        line: position.line,
        column: position.column,
    }
}

fn ours(read: &Result<Workflow, Vec<Diagnostic>>) -> Vec<Problem> {
    let errors = read.as_ref().err().into_iter().flatten();
    let problem = |error: &Diagnostic| {
        let mut written = &error.source.text[error.span.start..];
        while written.starts_with(['&', '!', '#']) {
            written = match written.starts_with('#') {
                true => written.trim_start_matches(|c| c != '\n'),
                false => written.trim_start_matches(|c: char| !c.is_whitespace()),
            };
            written = written.trim_start_matches([' ', '\n']);
        }
        let text = error.source.text.len() - written.len();
        Problem {
            message: error.message.clone(),
            place: place(&error.source, error.span.start),
            end: place(&error.source, error.span.end),
            text: place(&error.source, text),
        }
    };
    errors.map(problem).collect()
}

fn theirs(answer: &Json) -> Vec<Problem> {
    let errors = answer.get("yaml").or(answer.get("errors"));
    let problem = |error: &Json| {
        let number = |key: &str| error[key].as_u64().unwrap_or_default() as u32;
        let place = Place {
            line: number("line"),
            column: number("col"),
        };
        Problem {
            message: error["message"].as_str().unwrap_or_default().to_owned(),
            place,
            end: place,
            text: place,
        }
    };
    let errors = errors.and_then(Json::as_array).into_iter().flatten();
    errors.map(problem).collect()
}

/// Why a place of theirs is that of ours; none if it is another.
fn same_place(ours: &Problem, theirs: &Problem) -> Option<&'static str> {
    let is_within = theirs.place >= ours.place
        && theirs.place
            <= Place {
                line: ours.end.line + 1,
                ..ours.end
            };
    let names_part = theirs.starts(&["A template expression is not", "Unexpected value '${{"]);
    if ours.place == theirs.place {
        Some("")
    } else if ours.text == theirs.place {
        // `Parser.cs` of YamlDotNet: a node begins with its properties.
        Some("the runner names the tag or the anchor")
    } else if is_within && names_part {
        // `TemplateReader.cs`: the tokens made of a scalar have its place.
        Some("the runner names the scalar, not the expression in it")
    } else if ours.message == "Unexpected value ''"
        && (is_within || theirs.message == "Unexpected value 'null'")
    {
        Some("the runner names the tag or what follows the colon of an empty value")
    } else if theirs.place.line == 1 && theirs.place.column == ours.text.column + 1 {
        Some("a byte order mark is no column")
    } else {
        None
    }
}

/// The rules that were met, by name.
type Met = BTreeMap<&'static str, usize>;

/// How the two differ beyond the rules; none if they do not.
fn difference(text: &str, answer: &Json, met: &mut Met) -> Option<String> {
    let read = read_workflow(Source::new("w.yml", text));
    let case = Case {
        text,
        ours: ours(&read),
        theirs: theirs(answer),
    };
    if let Some(crash) = answer.get("crash") {
        return Some(format!("crash: {crash}"));
    }
    let mut meet = |name: &'static str| *met.entry(name).or_default() += 1;
    let is_yaml = yaml::read(&Source::new("w.yml", text), &yaml::Limits::default()).is_ok();
    if (answer.get("yaml").is_some() || !is_yaml)
        && !case.ours.is_empty()
        && !case.theirs.is_empty()
    {
        meet("both refuse it, one or both of them as no YAML");
        return None;
    }
    if let Some((name, _)) = WHOLE_CASES.iter().find(|(_, rule)| rule(&case)) {
        meet(name);
        return None;
    }
    if let (Ok(workflow), Some(template)) = (&read, answer.get("template")) {
        meet("valid for both");
        if template.is_null() {
            meet("valid for both, and very deep");
            return None;
        }
        return templates::difference(workflow, template, &mut meet);
    }
    if answer.get("yaml").is_some() {
        return Some(format!("only theirs: {}", shape(&case.theirs)));
    }
    compare_problems(&case, &mut meet)
}

fn compare_problems(case: &Case, meet: &mut dyn FnMut(&'static str)) -> Option<String> {
    let mut rest: Vec<(usize, &Problem)> = case.theirs.iter().enumerate().collect();
    let (mut lone, mut order) = (Vec::new(), Vec::new());
    for problem in &case.ours {
        let found = rest
            .iter()
            .position(|(_, other)| {
                other.place == problem.place && same_words(problem, other).is_some()
            })
            .or_else(|| {
                rest.iter().position(|(_, other)| {
                    same_place(problem, other).is_some() && same_words(problem, other).is_some()
                })
            });
        let Some(found) = found else {
            lone.push(problem);
            continue;
        };
        let (index, other) = rest.remove(found);
        order.push(index);
        for rule in [same_place(problem, other), same_words(problem, other)] {
            rule.filter(|name| !name.is_empty())
                .into_iter()
                .for_each(&mut *meet);
        }
    }
    meet("invalid for both");
    let mut explain = |rules: &[(&'static str, Lone)], problem: &Problem| {
        let rule = rules.iter().find(|(_, rule)| rule(problem, case));
        rule.inspect(|(name, _)| meet(name)).is_some()
    };
    lone.retain(|problem| !explain(&ONLY_OURS, problem));
    // GitHub reports ten.
    rest.retain(|(index, problem)| {
        !explain(&ONLY_THEIRS, problem) && (*index < 10 && case.ours.len() < 10)
    });
    if lone.is_empty() && rest.is_empty() {
        let in_order = order.is_sorted();
        return (!in_order).then(|| format!("order: {}", shape(&case.ours)));
    }
    let lone: Vec<Problem> = lone.into_iter().cloned().collect();
    let rest: Vec<Problem> = rest.into_iter().map(|(_, other)| other.clone()).collect();
    Some(format!(
        "only ours: {} // only theirs: {}",
        shape(&lone),
        shape(&rest)
    ))
}

fn same_words(ours: &Problem, theirs: &Problem) -> Option<&'static str> {
    if ours.message == theirs.message {
        return Some("");
    }
    let rule = WORDS
        .iter()
        .find(|(_, rule)| rule(&ours.message, &theirs.message));
    rule.map(|(name, _)| *name)
}

/// Messages without what differs from file to file.
fn shape(problems: &[Problem]) -> String {
    let mut shapes = Vec::new();
    for problem in problems {
        let message = problem.message.lines().next().unwrap_or_default();
        let message = message
            .split(". Located at position")
            .next()
            .unwrap_or_default();
        let outside = message
            .split('\'')
            .step_by(2)
            .collect::<Vec<_>>()
            .join("''");
        let short: String = outside
            .chars()
            .filter(|c| !c.is_ascii_digit())
            .take(90)
            .collect();
        if shapes.last() != Some(&short) {
            shapes.push(short);
        }
    }
    shapes.join(" | ")
}

fn workflows(count: usize, random: &mut Random) -> Vec<String> {
    let grammar = Grammar::new();
    let (known, probes) = (known(), probes());
    let mut texts = known.clone();
    // Every place of the schema with every probe is some twenty thousand: as many as fit.
    let places = grammar.places();
    let all = places.len() * probes.len();
    let wanted = (count / 3).min(all);
    for number in 0..wanted {
        let at = number * all / wanted;
        let (place, probe) = (at / probes.len(), at % probes.len());
        texts.push(write(
            &grammar.fill(&places[place], probes[probe].clone()),
            random,
        ));
    }
    while texts.len() < count {
        let mut text = if random.chance(33) {
            slip(&known[random.below(known.len())], random)
        } else {
            let mut tree = grammar.workflow(random);
            for _ in 0..random.below(3) {
                change(&mut tree, &probes, random);
            }
            write(&tree, random)
        };
        if random.chance(20) {
            text = slip(&text, random);
        }
        texts.push(text);
    }
    texts
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment of the tests themselves"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A number that the environment may say.
pub(crate) fn number(name: &str, otherwise: u64) -> u64 {
    variable(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// `LRUN_WORKFLOWS` and `LRUN_SEED` ask for another number of workflows, or for others; `LRUN_REPORT` is a file for
/// every kind of difference with its shortest workflow.
#[test]
fn workflows_are_read_as_by_github() {
    let mut random = Random::new(number("LRUN_SEED", 5));
    let texts = workflows(number("LRUN_WORKFLOWS", WORKFLOWS) as usize, &mut random);
    let questions: Vec<Json> = texts.iter().map(|text| json!(text)).collect();
    let answers = Packages::installed().ask(include_str!("workflows.mjs"), &questions);
    let mut met = Met::new();
    let mut differences: BTreeMap<String, Vec<(&str, &Json)>> = BTreeMap::new();
    for (text, answer) in texts.iter().zip(&answers) {
        if let Some(difference) = difference(text, answer, &mut met) {
            differences
                .entry(difference)
                .or_default()
                .push((text, answer));
        }
    }
    let mut report = format!("{} workflows, {met:#?}\n", texts.len());
    let mut differences: Vec<_> = differences.into_iter().collect();
    differences.sort_by_key(|(_, cases)| std::cmp::Reverse(cases.len()));
    for (difference, cases) in &differences {
        let (text, answer) = cases
            .iter()
            .min_by_key(|(text, _)| text.len())
            .expect("one");
        let ours = ours(&read_workflow(Source::new("w.yml", *text)));
        let answer: String = answer.to_string().chars().take(1500).collect();
        let _ = write!(
            report,
            "\n=== {} {difference}\n{text}\nOURS {ours:?}\nTHEIRS {answer}\n",
            cases.len()
        );
    }
    if let Some(path) = variable("LRUN_REPORT") {
        fs::write(path, &report).expect("a file");
    }
    println!("{}", report.split("\n===").next().unwrap_or_default());
    assert!(
        differences.is_empty(),
        "{} kinds of differences\n{}",
        differences.len(),
        report
            .split("\n===")
            .skip(1)
            .take(SHOWN)
            .collect::<String>()
    );
}
