//! Mappings whose keys GitHub wants to know when it reads the file.

use crate::workflow::problems::Problems;
use crate::workflow::token::{Key, Token};

/// Reports a key that is an expression, though the schema lets it pass. `what` is GitHub's name for the key.
pub(super) fn check(mapping: Option<&Token>, what: &str, problems: &mut Problems) {
    for pair in mapping.and_then(Token::as_mapping).unwrap_or_default() {
        let kind = match pair.key {
            Key::Name(_) => continue,
            Key::Expression(_) => "BasicExpressionToken",
            Key::Insert(_) => "InsertExpressionToken",
        };
        let message = format!(
            "Unexpected type '{kind}' encountered while reading '{what}'. The type 'StringToken' was expected."
        );
        let help = "write the key out and use an expression for its value".to_owned();
        problems.add_with_help(pair.key.span(), message, Some(help));
        // GitHub stops at the first.
        return;
    }
}
