//! Entries of lock files: what each pins to which version, and where. Pure.
//!
//! Read line by line, because a change is told by its line; a file that is not laid out as its
//! tool writes it has no entries and is compared as any text.

/// What an entry pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    /// From one: where the version stands.
    pub(super) line: u32,
}

/// The entries of a lock file; none where the name is no lock file's, or nothing is found in it.
pub(super) fn entries<'a>(path: &str, text: &'a str) -> Option<Vec<Entry<'a>>> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let read = match name {
        "Cargo.lock" | "poetry.lock" | "uv.lock" | "pdm.lock" => toml_package as Reader<'a>,
        "package-lock.json" | "npm-shrinkwrap.json" => npm_package as Reader<'a>,
        "yarn.lock" => yarn_package as Reader<'a>,
        "Gemfile.lock" => gem as Reader<'a>,
        "go.sum" | "go.mod" => go_module as Reader<'a>,
        _ if is_requirements(name) => requirement as Reader<'a>,
        _ => return None,
    };
    let mut open = None;
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if let Some((name, version)) = read(line, &mut open) {
            found.push(Entry {
                name,
                version,
                line: number,
            });
        }
    }
    (!found.is_empty()).then_some(found)
}

/// A name and its version.
type Pin<'a> = (&'a str, &'a str);

/// Gives the pin that a line completes, and remembers the name that it begins.
type Reader<'a> = fn(&'a str, &mut Option<&'a str>) -> Option<Pin<'a>>;

fn is_requirements(name: &str) -> bool {
    let is_text = name.ends_with(".txt");
    is_text && (name.contains("requirements") || name.contains("constraints"))
}

/// `name = "x"`, then `version = "1"`, in a `[[package]]`.
fn toml_package<'a>(line: &'a str, open: &mut Option<&'a str>) -> Option<Pin<'a>> {
    let value = |key: &str| -> Option<&'a str> {
        let rest = line.strip_prefix(key)?.trim_start();
        quoted(rest.strip_prefix('=')?.trim())
    };
    if line.starts_with('[') {
        *open = None;
    } else if let Some(name) = value("name") {
        *open = Some(name);
    } else if let Some(version) = value("version") {
        return Some((open.take()?, version));
    }
    None
}

/// `"node_modules/x": {`, then `"version": "1",`.
fn npm_package<'a>(line: &'a str, open: &mut Option<&'a str>) -> Option<Pin<'a>> {
    let line = line.trim();
    if let Some(key) = line.strip_suffix(": {") {
        *open = quoted(key)?.strip_prefix("node_modules/");
        return None;
    }
    let version = quoted(
        line.strip_prefix("\"version\":")?
            .trim()
            .trim_end_matches(','),
    )?;
    Some((open.take()?, version))
}

/// `x@^1.0:` at no indent, then `  version "1.0"` (or `  version: 1.0`).
fn yarn_package<'a>(line: &'a str, open: &mut Option<&'a str>) -> Option<Pin<'a>> {
    if !line.starts_with([' ', '#']) {
        let key = line.strip_suffix(':')?.trim_start_matches('"');
        // A scope begins with an `@` of its own.
        let end = key.get(1..)?.find('@')? + 1;
        *open = key.get(..end);
        return None;
    }
    let version = line.strip_prefix("  version")?;
    let version = version.trim_start_matches(':').trim().trim_matches('"');
    Some((open.take()?, version))
}

/// `    x (1.0)`: what it needs in turn is indented deeper.
fn gem<'a>(line: &'a str, _: &mut Option<&'a str>) -> Option<Pin<'a>> {
    let line = line.strip_prefix("    ")?;
    let (name, version) = line.strip_suffix(')')?.split_once(" (")?;
    (!name.starts_with(' ')).then_some((name, version))
}

/// `example.org/x v1.0.0 …`: `go.sum` has every module twice, with its `go.mod` alone once.
fn go_module<'a>(line: &'a str, _: &mut Option<&'a str>) -> Option<Pin<'a>> {
    let line = line.trim().trim_start_matches("require ");
    let mut words = line.split_whitespace();
    let (name, version) = (words.next()?, words.next()?);
    (version.starts_with('v') && !version.ends_with("/go.mod")).then_some((name, version))
}

/// `x==1.0`, with whatever follows: a marker, hashes, a comment.
fn requirement<'a>(line: &'a str, _: &mut Option<&'a str>) -> Option<Pin<'a>> {
    let (name, rest) = line.split_once("==")?;
    let end = rest
        .find(|end: char| end.is_whitespace() || ";\\#,".contains(end))
        .unwrap_or(rest.len());
    let name = name.trim();
    let is_name = !name.is_empty() && !name.contains([' ', '#']);
    is_name.then_some((name, &rest[..end]))
}

fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pins(path: &str, text: &str) -> Vec<String> {
        let found = entries(path, text).unwrap_or_default();
        let pin = |entry: &Entry<'_>| format!("{}:{} {}", entry.line, entry.name, entry.version);
        found.iter().map(pin).collect()
    }

    #[test]
    fn each_tool_s_layout_is_read() {
        let cargo = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[metadata]\nversion = \"x\"\n";
        assert_eq!(pins("Cargo.lock", cargo), ["5:a 1.0.0"]);
        assert_eq!(pins("sub/uv.lock", cargo), ["5:a 1.0.0"]);
        let npm = "{\n  \"name\": \"app\",\n  \"version\": \"9.9.9\",\n  \"packages\": {\n    \"\": {\n      \"version\": \"9.9.9\"\n    },\n    \"node_modules/@s/x\": {\n      \"version\": \"1.2.3\",\n      \"dependencies\": {\n        \"y\": \"1\"\n";
        assert_eq!(pins("package-lock.json", npm), ["9:@s/x 1.2.3"]);
        let yarn = "# yarn\n\n\"@s/x@^1.0\", \"@s/x@^1.1\":\n  version \"1.1.0\"\n  resolved \"u\"\n\ny@npm:2:\n  version: 2.0.0\n";
        assert_eq!(pins("yarn.lock", yarn), ["4:@s/x 1.1.0", "8:y 2.0.0"]);
        let gems = "GEM\n  specs:\n    rake (13.0)\n      other (>= 1)\n";
        assert_eq!(pins("Gemfile.lock", gems), ["3:rake 13.0"]);
        let go = "a.org/x v1.0.0 h1:abc=\na.org/x v1.0.0/go.mod h1:def=\n";
        assert_eq!(pins("go.sum", go), ["1:a.org/x v1.0.0"]);
        let pip = "# a==b c\nsix==1.17.0 ; python_version > '3'\nx[y]==2 \\\n    --hash=sha256:aa\n-r other.txt\n";
        assert_eq!(
            pins("requirements-dev.txt", pip),
            ["2:six 1.17.0", "3:x[y] 2"]
        );
    }

    #[test]
    fn other_files_have_no_entries() {
        assert_eq!(entries("notes.txt", "six==1.17.0\n"), None);
        assert_eq!(entries("Cargo.lock", "<<<<<<< not a lock file\n"), None);
    }
}
