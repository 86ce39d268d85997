//! What a secret or a configuration variable may be called.

/// Checks a name (docs: "Naming your secrets"). `GITHUB_TOKEN`, the one that GitHub itself gives, is
/// allowed.
///
/// # Errors
/// What is wrong with it.
pub fn value_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = name.starts_with(|c: char| !c.is_ascii_digit());
    if !begins || !name.chars().all(allowed) {
        return Err(format!(
            "`{name}` cannot be the name of a secret or variable: letters, digits and _ only, no digit first"
        ));
    }
    let upper = name.to_ascii_uppercase();
    match upper.starts_with("GITHUB_") && upper != "GITHUB_TOKEN" {
        true => Err(format!(
            "`{name}` cannot be the name of a secret or variable: GitHub keeps names with GITHUB_ for itself"
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_github_takes() {
        for name in ["A", "_a1", "GITHUB_TOKEN", "GITHUBX"] {
            assert_eq!(value_name(name), Ok(()), "{name}");
        }
        for name in ["", "1A", "A-B", "A B", "É", "GITHUB_X", "github_x"] {
            assert!(value_name(name).is_err(), "{name}");
        }
    }
}
