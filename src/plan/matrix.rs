//! `strategy.matrix` to the legs of a job, as the runner's `MatrixBuilder.cs` makes them.
//!
//! Pure: a value in, legs or an error out. Evaluating `${{ }}` in the matrix and asking for the
//! names of jobs is the caller's.

use std::sync::Arc;

use crate::expr::{Object, Value, equals, same_text};

/// Jobs a matrix may make (docs: usage limits).
const MAX_LEGS: usize = 256;
/// Characters of a job's name as GitHub shows it, in UTF-16 units (`JobDisplayNameBuilder.cs`).
const MAX_NAME: usize = 100;
const ELLIPSIS: &str = "...";

/// One leg of a matrix; the default is that of a job without one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Leg {
    /// The `matrix` context.
    pub matrix: Arc<Object>,
    /// What the leg's name has in parentheses: the texts of its vectors' values, of an added
    /// leg those of all its values.
    pub segments: Vec<String>,
}

/// A matrix that makes no legs; GitHub's words where they are known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    /// The matrix, an `include` or an `exclude` is of another kind.
    #[error("'{key}' of a matrix must be {expected}")]
    Kind {
        /// `matrix`, `include`, `exclude` or the vector's name.
        key: String,
        /// What it must be.
        expected: &'static str,
    },
    /// There are neither vectors nor legs to add.
    #[error("Matrix must define at least one vector")]
    NoVector,
    /// A vector without values.
    #[error("Matrix vector '{name}' does not contain any values")]
    EmptyVector {
        /// Its name.
        name: String,
    },
    /// An `exclude` that says nothing.
    #[error("Matrix exclude filter must not be empty")]
    EmptyExclude,
    /// An `include` that says nothing.
    #[error("Matrix include mapping must not be empty")]
    EmptyInclude,
    /// An `exclude` about something that is no vector.
    #[error("Matrix exclude key '{key}' does not match any key within the matrix")]
    UnknownExclude {
        /// The key.
        key: String,
    },
    /// More legs than GitHub runs.
    #[error("the matrix makes more than {MAX_LEGS} jobs, which is all that GitHub runs")]
    TooManyLegs,
}

/// The legs of a matrix in GitHub's order: the first vector changes slowest, then what
/// `include` adds. No legs is an answer: everything may be excluded.
///
/// # Errors
/// See [`MatrixError`].
pub fn expand_matrix(matrix: &Value) -> Result<Vec<Leg>, MatrixError> {
    let matrix = Matrix::read(matrix)?;
    let mut legs = matrix.combinations()?;
    let mut added = Vec::new();
    for include in &matrix.includes {
        let mut fits = false;
        for leg in legs.iter_mut().filter(|leg| matrix.fits(leg, include)) {
            fits = true;
            for (name, value) in include.iter().filter(|(name, _)| !matrix.is_vector(name)) {
                Arc::make_mut(&mut leg.matrix).insert(name, value.clone());
            }
        }
        if !fits {
            added.push(Leg::new(Object::clone(include)));
        }
    }
    legs.extend(added);
    if legs.len() > MAX_LEGS {
        return Err(MatrixError::TooManyLegs);
    }
    Ok(legs)
}

/// The `strategy` context of a leg. Without a limit `max-parallel` is the number of legs.
pub fn strategy_context(
    fail_fast: bool,
    max_parallel: Option<u32>,
    index: u32,
    total: u32,
) -> Object {
    let members: [(&str, Value); 4] = [
        ("fail-fast", fail_fast.into()),
        ("job-index", f64::from(index).into()),
        ("job-total", f64::from(total).into()),
        (
            "max-parallel",
            f64::from(max_parallel.unwrap_or(total)).into(),
        ),
    ];
    members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

impl Leg {
    fn new(matrix: Object) -> Self {
        let mut segments = Vec::new();
        for (_, value) in matrix.iter() {
            collect_leaves(value, &mut segments);
        }
        Self {
            matrix: Arc::new(matrix),
            segments,
        }
    }

    /// The leg's name, for a job whose `name:` has no expression: `job (v1, v2)`, cut to 100
    /// characters.
    pub fn name(&self, job: &str) -> String {
        let name = match self.segments.as_slice() {
            [] => job.to_owned(),
            segments => format!("{job} ({})", segments.join(", ")),
        };
        let units: Vec<u16> = name.encode_utf16().collect();
        if units.len() <= MAX_NAME {
            return name;
        }
        String::from_utf16_lossy(&units[..MAX_NAME - ELLIPSIS.len()]) + ELLIPSIS
    }
}

/// A matrix sorted into its parts.
struct Matrix<'a> {
    vectors: Vec<(&'a str, &'a [Value])>,
    excludes: Vec<&'a Object>,
    includes: Vec<&'a Object>,
}

impl<'a> Matrix<'a> {
    fn read(value: &'a Value) -> Result<Self, MatrixError> {
        let mut matrix = Self {
            vectors: Vec::new(),
            excludes: Vec::new(),
            includes: Vec::new(),
        };
        let members = value
            .as_object()
            .ok_or_else(|| kind_error("matrix", "a mapping"))?;
        for (name, value) in members.iter() {
            match name {
                "include" => matrix.includes = mappings(name, value)?,
                "exclude" => matrix.excludes = mappings(name, value)?,
                _ => matrix.vectors.push((name, vector(name, value)?)),
            }
        }
        matrix.check()?;
        Ok(matrix)
    }

    fn check(&self) -> Result<(), MatrixError> {
        if self.vectors.is_empty() && self.includes.is_empty() {
            return Err(MatrixError::NoVector);
        }
        if self.includes.iter().any(|include| include.is_empty()) {
            return Err(MatrixError::EmptyInclude);
        }
        for exclude in &self.excludes {
            if exclude.is_empty() {
                return Err(MatrixError::EmptyExclude);
            }
            if let Some((key, _)) = exclude.iter().find(|(key, _)| !self.is_vector(key)) {
                return Err(MatrixError::UnknownExclude {
                    key: key.to_owned(),
                });
            }
        }
        Ok(())
    }

    fn is_vector(&self, name: &str) -> bool {
        self.vectors
            .iter()
            .any(|(vector, _)| same_text(vector, name))
    }

    /// The product of the vectors without what is excluded.
    fn combinations(&self) -> Result<Vec<Leg>, MatrixError> {
        let mut legs = Vec::new();
        // Without vectors there is no combination, not one empty one.
        let mut next = (!self.vectors.is_empty()).then(|| vec![0; self.vectors.len()]);
        while let Some(mut places) = next {
            let leg: Object = self
                .vectors
                .iter()
                .zip(&places)
                .map(|((name, values), &place)| ((*name).to_owned(), values[place].clone()))
                .collect();
            if !self.excludes.iter().any(|exclude| covers(exclude, &leg)) {
                legs.push(Leg::new(leg));
            }
            if legs.len() > MAX_LEGS {
                return Err(MatrixError::TooManyLegs);
            }
            next = self.advance(&mut places).then_some(places);
        }
        Ok(legs)
    }

    /// Counts on, the last vector fastest; false at the end.
    fn advance(&self, places: &mut [usize]) -> bool {
        for (place, (_, values)) in places.iter_mut().zip(&self.vectors).rev() {
            *place += 1;
            if *place < values.len() {
                return true;
            }
            *place = 0;
        }
        false
    }

    /// Whether an `include` agrees with a leg in all vectors it names.
    fn fits(&self, leg: &Leg, include: &Object) -> bool {
        include
            .iter()
            .filter(|(name, _)| self.is_vector(name))
            .all(|(name, wanted)| matches(leg.matrix.get(name), wanted))
    }
}

fn covers(exclude: &Object, leg: &Object) -> bool {
    exclude
        .iter()
        .all(|(name, wanted)| matches(leg.get(name), wanted))
}

/// Whether every leaf of `wanted` equals what stands in its place; what lacks is null.
fn matches(value: Option<&Value>, wanted: &Value) -> bool {
    match wanted {
        Value::Array(elements) => {
            let given = value.and_then(Value::as_array).unwrap_or_default();
            let mut elements = elements.iter().enumerate();
            elements.all(|(index, wanted)| matches(given.get(index), wanted))
        }
        Value::Object(members) => {
            let given = value.and_then(Value::as_object);
            let member = |name| given.and_then(|object| object.get(name));
            members
                .iter()
                .all(|(name, wanted)| matches(member(name), wanted))
        }
        leaf => equals(value.unwrap_or(&Value::Null), leaf),
    }
}

fn collect_leaves(value: &Value, leaves: &mut Vec<String>) {
    match value {
        Value::Array(elements) => {
            for element in &**elements {
                collect_leaves(element, leaves);
            }
        }
        Value::Object(object) => {
            for (_, value) in object.iter() {
                collect_leaves(value, leaves);
            }
        }
        leaf => leaves.extend(Some(leaf.to_text().to_string()).filter(|text| !text.is_empty())),
    }
}

fn vector<'a>(name: &str, value: &'a Value) -> Result<&'a [Value], MatrixError> {
    match value.as_array() {
        Some([]) => Err(MatrixError::EmptyVector {
            name: name.to_owned(),
        }),
        Some(values) => Ok(values),
        None => Err(kind_error(name, "a sequence")),
    }
}

fn mappings<'a>(key: &str, value: &'a Value) -> Result<Vec<&'a Object>, MatrixError> {
    let elements = value.as_array();
    let elements = elements.ok_or_else(|| kind_error(key, "a sequence of mappings"))?;
    elements
        .iter()
        .map(|element| element.as_object())
        .collect::<Option<_>>()
        .ok_or_else(|| kind_error(key, "a sequence of mappings"))
}

fn kind_error(key: &str, expected: &'static str) -> MatrixError {
    MatrixError::Kind {
        key: key.to_owned(),
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn legs(matrix: serde_json::Value) -> Result<Vec<Leg>, MatrixError> {
        expand_matrix(&matrix.into())
    }

    #[test]
    fn names_have_the_values_of_vectors_and_of_added_legs() {
        let legs = legs(json!({
            "os": ["linux"], "n": [{"v": 14, "e": ""}],
            "include": [{"extra": 1}, {"os": "mac", "n": [1.5, true]}],
        }))
        .expect("there are legs");
        let names: Vec<_> = legs.iter().map(|leg| leg.name("test")).collect();
        assert_eq!(names, ["test (linux, 14)", "test (mac, 1.5, true)"]);
    }

    #[test]
    fn long_names_are_cut_to_a_hundred_characters() {
        let legs = legs(json!({"a": ["x".repeat(92), "x".repeat(93)]})).expect("there are legs");
        assert_eq!(legs[0].name("build"), format!("build ({})", "x".repeat(92)));
        let cut = format!("build ({}...", "x".repeat(90));
        assert_eq!(legs[1].name("build"), cut);
        assert_eq!(cut.len(), 100);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let long: Vec<u32> = (0..17).collect();
        for (matrix, message) in [
            (
                json!({"a": []}),
                "Matrix vector 'a' does not contain any values",
            ),
            (json!({}), "Matrix must define at least one vector"),
            (
                json!({"a": [1], "exclude": [{"b": 1}]}),
                "Matrix exclude key 'b' does not match any key within the matrix",
            ),
            (json!([1]), "'matrix' of a matrix must be a mapping"),
            (json!({"a": 1}), "'a' of a matrix must be a sequence"),
            (
                json!({"include": [1]}),
                "'include' of a matrix must be a sequence of mappings",
            ),
            (
                json!({"a": long, "b": long}),
                "the matrix makes more than 256 jobs, which is all that GitHub runs",
            ),
        ] {
            let error = legs(matrix).expect_err(message);
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn without_a_limit_all_legs_run_at_once() {
        let expected =
            json!({"fail-fast": true, "job-index": 1, "job-total": 4, "max-parallel": 4});
        assert_eq!(
            Value::from(strategy_context(true, None, 1, 4)).to_json(),
            expected
        );
    }
}
