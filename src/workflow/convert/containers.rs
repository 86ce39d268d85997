//! `container` and `services`: what is written out must name an image.

use crate::workflow::problems::Problems;
use crate::workflow::token::{Key, Token};

/// Checks a job's containers. One with an expression anywhere is checked when it has a value, as on GitHub
/// (`ConvertToJobContainer` of the runner).
pub(super) fn check(container: Option<&Token>, services: Option<&Token>, problems: &mut Problems) {
    let services = services.and_then(Token::as_mapping).unwrap_or_default();
    let services = services.iter().map(|service| &service.value);
    for container in container.into_iter().chain(services) {
        let has_image = container
            .as_mapping()
            .is_none_or(|_| container.get("image").is_some());
        if !has_image && !has_expression(container) {
            problems.add(container.span, "Container image cannot be empty");
        }
    }
}

fn has_expression(token: &Token) -> bool {
    let mut found = false;
    token.for_each_template(&mut |_, _| found = true);
    found || inserts(token)
}

fn inserts(token: &Token) -> bool {
    let pairs = token.as_mapping().unwrap_or_default();
    pairs
        .iter()
        .any(|pair| matches!(pair.key, Key::Insert(_)) || inserts(&pair.value))
}
