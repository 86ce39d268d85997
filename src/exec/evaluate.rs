//! Evaluating what a step, or a job, says in `${{ }}` while the job runs.
//!
//! Two kinds of failure are kept apart everywhere here: the outer error is an agent that
//! cannot be spoken to, the inner one a text for the log that fails the step.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::bearing::Sources;
use super::contexts::{Changing, GithubOfStep, HashAnswers, Hashed, StepContexts};
use super::job::Leading;
use super::paths;
use crate::agent::AgentError;
use crate::agent::protocol::HashSpec;
use crate::expr::{EvaluationError, Piece, Value};
use crate::lookup::{Bearing, KeyOrigin, KeyPart};
use crate::outcome::Outcome;
use crate::source::{Code, Diagnostic, Source};
use crate::tree::{Links, hash_files_arguments};
use crate::workflow::{Condition, Token, TokenError, TokenKind, TokenProblem};

/// What evaluating gave: a value, or why there is none.
pub(super) type Evaluated<T> = Result<Result<T, String>, AgentError>;

/// What an evaluation sees besides what is the same for all of a job's steps.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    /// The `env` context.
    pub(super) env: &'a IndexMap<String, String>,
    /// Members of the `github` context; those of the steps around it if none.
    pub(super) github: Option<&'a GithubOfStep>,
    /// The file that what is evaluated stands in; that of the steps around it if none.
    pub(super) source: Option<&'a Arc<Source>>,
}

impl<'a> From<&'a IndexMap<String, String>> for Seen<'a> {
    fn from(env: &'a IndexMap<String, String>) -> Self {
        Self {
            env,
            github: None,
            source: None,
        }
    }
}

impl Leading<'_> {
    /// Evaluates something under this `env` context. `hashFiles` runs inside the place: when
    /// one is met whose answer is not known yet it is asked for, and the evaluation starts again.
    pub(super) async fn evaluate<T>(
        &self,
        seen: impl Into<Seen<'_>>,
        work: impl Fn(&StepContexts<'_>) -> Result<T, TokenError>,
    ) -> Evaluated<T> {
        self.evaluate_as(self.job_status(), seen.into(), work).await
    }

    /// The same in a job of another status.
    async fn evaluate_as<T>(
        &self,
        job_status: Outcome,
        seen: Seen<'_>,
        work: impl Fn(&StepContexts<'_>) -> Result<T, TokenError>,
    ) -> Evaluated<T> {
        let mut hashes: HashAnswers = HashMap::new();
        loop {
            let changing = Changing {
                github: seen.github.unwrap_or(&self.frame.github),
                env: seen.env,
                steps: &self.state.steps,
                // The main parts of a composite action's steps look at the action's own.
                status: match self.frame.has_own_status() {
                    true => self.state.status,
                    false => job_status,
                },
                job_status,
            };
            let contexts = StepContexts::new(&self.contexts, &changing, &hashes);
            let error = match work(&contexts) {
                Ok(value) => return Ok(Ok(value)),
                Err(error) => error,
            };
            let TokenProblem::Expression(EvaluationError::Pending { arguments, .. }) =
                &error.problem
            else {
                let source = seen.source.unwrap_or(&self.frame.source);
                return Ok(Err(placed(source, &error)));
            };
            let patterns = texts(arguments);
            let answer = self.hash_files(&patterns).await?;
            hashes.insert(patterns, answer);
        }
    }

    /// Whether a condition holds in a job of this status.
    pub(super) async fn holds(
        &self,
        condition: &Condition,
        job_status: Outcome,
        seen: impl Into<Seen<'_>>,
    ) -> Evaluated<bool> {
        self.evaluate_as(job_status, seen.into(), |contexts| {
            let value = condition.expression.evaluate(contexts);
            let value = value.map_err(|error| TokenError {
                span: condition.span,
                problem: error.into(),
            })?;
            Ok(value.is_truthy())
        })
        .await
    }

    /// A mapping whose values are text, such as `env`; empty where there is none.
    pub(super) async fn text_map(
        &self,
        token: Option<&Token>,
        seen: impl Into<Seen<'_>>,
    ) -> Evaluated<IndexMap<String, String>> {
        match token {
            None => Ok(Ok(IndexMap::new())),
            Some(token) => {
                self.evaluate(seen, |contexts| text_map(token, contexts))
                    .await
            }
        }
    }

    async fn hash_files(&self, patterns: &[String]) -> Result<Result<Hashed, String>, AgentError> {
        let (links, patterns) = match hash_files_arguments(patterns) {
            Ok((links, patterns)) => (links, patterns.to_vec()),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let workspace = self.place.paths.workspace.clone();
        let failed = format!(
            "hashFiles('{}') failed. Fail to hash files under directory '{workspace}'",
            patterns.join(", ")
        );
        let spec = HashSpec {
            patterns,
            workspace,
            home: paths::HOME.to_owned(),
            follow_links: links == Links::Follow,
        };
        match self.place.agent.hash_files(spec).await {
            Ok(report) => Ok(Ok(Hashed {
                digest: report
                    .digest
                    .map(|digest| digest.to_string())
                    .unwrap_or_default(),
                files: report.files,
            })),
            Err(error @ AgentError::Refused { .. }) => Ok(Err(format!("{failed}: {error}"))),
            Err(error) => Err(error),
        }
    }
}

/// An error as GitHub places it.
fn placed(source: &Arc<Source>, error: &TokenError) -> String {
    let message = error.problem.to_string();
    Diagnostic::new(source, error.span, Code::Expression, message).to_string()
}

/// A mapping token's members as text.
pub(super) fn text_map(
    token: &Token,
    contexts: &StepContexts<'_>,
) -> Result<IndexMap<String, String>, TokenError> {
    let value = token.evaluate(contexts)?;
    let members = value
        .as_object()
        .into_iter()
        .flat_map(|object| object.iter());
    Ok(members
        .map(|(name, value)| (name.to_owned(), value.to_text().to_string()))
        .collect())
}

/// How a key came about: its pieces, each with its bearing and the files its `hashFiles` read.
pub(super) fn origin(
    token: &Token,
    contexts: &StepContexts<'_>,
    sources: Sources<'_>,
) -> Result<KeyOrigin, TokenError> {
    let pieces = match &token.kind {
        TokenKind::Expression(template) => {
            let pieces = template.evaluate_pieces(contexts);
            pieces.map_err(|error| TokenError {
                span: token.span,
                problem: error.into(),
            })?
        }
        _ => vec![Piece {
            expression: None,
            value: token.evaluate_string(contexts)?,
            calls: Vec::new(),
        }],
    };
    let mut expressions = match &token.kind {
        TokenKind::Expression(template) => Some(template.expressions()),
        _ => None,
    };
    let mut next_expression = || expressions.as_mut()?.next();
    let parts = pieces.into_iter().map(|piece| {
        let expression = piece.expression.as_ref().and_then(|_| next_expression());
        let (bearing, hosted) = match expression {
            Some(expression) => sources.of(expression, &piece.value),
            None => (Bearing::Portable, None),
        };
        let hashed = piece
            .calls
            .iter()
            .filter(|(function, _)| function == "hashFiles")
            .filter_map(|(_, arguments)| contexts.hashes.get(&texts(arguments))?.as_ref().ok());
        KeyPart {
            files: hashed.flat_map(|hashed| hashed.files.clone()).collect(),
            expression: piece.expression,
            value: piece.value,
            bearing: Some(bearing),
            hosted,
            made: Vec::new(),
        }
    });
    Ok(KeyOrigin {
        parts: parts.collect(),
    })
}

fn texts(values: &[Value]) -> Vec<String> {
    values
        .iter()
        .map(|value| value.to_text().to_string())
        .collect()
}
