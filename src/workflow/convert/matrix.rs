//! What can be said of a matrix before the run: GitHub refuses an empty one when it reads the file.

use std::collections::HashSet;

use crate::workflow::problems::Problems;
use crate::workflow::token::{Pair, Token};

/// Checks a matrix written out; one with expressions at its top is checked when they have values.
pub(super) fn check(matrix: &Token, problems: &mut Problems) {
    let Some(pairs) = matrix.as_mapping() else {
        return;
    };
    if pairs.iter().any(|pair| pair.key.name().is_none()) {
        return;
    }
    let is_filter = |name: &str| matches!(name, "include" | "exclude");
    let vectors = pairs
        .iter()
        .filter(|pair| !pair.key.name().is_some_and(is_filter));
    for vector in vectors.clone() {
        check_vector(vector, problems);
    }
    let vectors: HashSet<String> = vectors
        .filter_map(|vector| vector.key.name())
        .map(str::to_ascii_uppercase)
        .collect();
    if pairs.is_empty() {
        problems.add(matrix.span, "Matrix must define at least one vector");
    }
    for pair in pairs {
        let Some(kind) = pair.key.name().filter(|name| is_filter(name)) else {
            continue;
        };
        for filter in pair.value.items() {
            check_filter(kind, filter, &vectors, problems);
        }
    }
}

fn check_vector(vector: &Pair, problems: &mut Problems) {
    let is_empty = vector.value.as_sequence().is_some_and(<[Token]>::is_empty);
    if let Some(name) = vector.key.name().filter(|_| is_empty) {
        let message = format!("Matrix vector '{name}' does not contain any values");
        problems.add(vector.value.span, message);
    }
}

fn check_filter(kind: &str, filter: &Token, vectors: &HashSet<String>, problems: &mut Problems) {
    let Some(pairs) = filter.as_mapping() else {
        return;
    };
    if pairs.is_empty() {
        problems.add(
            filter.span,
            format!("Matrix {kind} filter must not be empty"),
        );
    }
    let known = |name: &str| vectors.contains(&name.to_ascii_uppercase());
    let unknown = |pair: &&Pair| pair.key.name().is_some_and(|name| !known(name));
    for pair in pairs.iter().filter(unknown).filter(|_| kind == "exclude") {
        let name = pair.key.name().unwrap_or_default();
        let message =
            format!("Matrix exclude key '{name}' does not match any key within the matrix");
        problems.add(pair.key.span(), message);
    }
}
