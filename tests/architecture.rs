//! The shape of the program, checked: levels of modules, sizes, names, and who may do what.
//!
//! Every rule is a function from text to violations, tried on small texts at the end, so that
//! each is known to be able to fail. The rules are explained in `CONTRIBUTING.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// Imports between modules of one level that are meant: (who, of whom).
const SIDEWAYS: [(&str, &str); 5] = [
    ("archive", "tree"),
    // One vocabulary in three files.
    ("difference", "outcome"),
    ("lookup", "outcome"),
    ("lookup", "difference"),
    ("outcome", "difference"),
];

const FILE_LINES: usize = 700;
const MEDIAN_FILE_LINES: usize = 200;
const FUNCTION_LINES: usize = 100;
const MOD_LINES: usize = 100;
const MAIN_LINES: usize = 15;

/// Names that say nothing about what is in a file.
const EMPTY_NAMES: [&str; 7] = [
    "util", "utils", "helper", "helpers", "common", "misc", "types",
];

/// Words that belong to some modules alone.
const RESERVED: [(&str, &[&str]); 3] = [
    ("unsafe", &["src/agent/", "src/backend/sandbox/"]),
    ("clap", &["src/cli/"]),
    ("anyhow", &["src/cli/"]),
];

const DOCUMENTS: [&str; 3] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];

/// A Rust file of the repository.
struct Code {
    /// Path from the root, such as `src/plan/matrix.rs`.
    path: String,
    text: String,
    syntax: syn::File,
}

impl Code {
    fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            syntax: syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}")),
        }
    }

    fn tokens(&self) -> TokenStream {
        self.text.parse().expect("what syn parses has tokens")
    }

    /// The module right below the crate that the file belongs to.
    fn module(&self) -> Option<&str> {
        let path = self.path.strip_prefix("src/")?;
        let module = path.split('/').next()?.trim_end_matches(".rs");
        (!matches!(module, "lib" | "main")).then_some(module)
    }

    /// Whether all of it is test code.
    fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("tests.rs")
    }

    /// Lines that are not in a module of tests.
    fn lines(&self) -> usize {
        let in_tests: usize = self.syntax.items.iter().map(lines_of_tests).sum();
        self.text.lines().count() - in_tests
    }
}

fn lines_of_tests(item: &syn::Item) -> usize {
    match item {
        syn::Item::Mod(module) if module.attrs.iter().any(is_cfg_test) => lines_of(item),
        _ => 0,
    }
}

fn is_cfg_test(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute
            .parse_args::<syn::Ident>()
            .is_ok_and(|condition| condition == "test")
}

fn lines_of(part: &impl syn::spanned::Spanned) -> usize {
    let span = part.span();
    span.end().line + 1 - span.start().line
}

/// The level of each module, from the comments between the modules of `src/lib.rs`.
fn levels(lib: &str) -> BTreeMap<String, u32> {
    let mut level = None;
    let mut levels = BTreeMap::new();
    for line in lib.lines() {
        if let Some(rest) = line.strip_prefix("// Level ") {
            level = rest
                .split(':')
                .next()
                .and_then(|number| number.parse().ok());
        } else if let Some(module) = line.strip_prefix("pub mod ") {
            let level = level.unwrap_or_else(|| panic!("`{line}` stands under no level"));
            levels.insert(module.trim_end_matches(';').to_owned(), level);
        }
    }
    levels
}

/// The names that follow `crate::`, in macros too.
fn imported(tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            found.extend(imported(group.stream()));
        }
        let is_path = matches!(token, TokenTree::Ident(ident) if ident == "crate")
            && matches!(tokens.get(at + 1), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
        if is_path {
            found.extend(tokens.get(at + 3).map(first_names).unwrap_or_default());
        }
    }
    found
}

/// `a` of `a::b`, and of `{a::b, c}` both `a` and `c`.
fn first_names(token: &TokenTree) -> Vec<String> {
    match token {
        TokenTree::Ident(ident) => vec![ident.to_string()],
        TokenTree::Group(group) => {
            let items: Vec<_> = group.stream().into_iter().collect();
            items
                .split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ','))
                .filter_map(|item| item.first())
                .flat_map(first_names)
                .collect()
        }
        _ => Vec::new(),
    }
}

fn wrong_imports(code: &Code, levels: &BTreeMap<String, u32>) -> Vec<String> {
    let Some(module) = code.module() else {
        return Vec::new();
    };
    let Some(level) = levels.get(module) else {
        return vec![format!("{}: `{module}` is not in src/lib.rs", code.path)];
    };
    let is_allowed = |other: &str| {
        other == module
            || SIDEWAYS.contains(&(module, other))
            || levels.get(other).is_some_and(|other| other < level)
    };
    imported(code.tokens())
        .into_iter()
        .filter(|other| levels.contains_key(other.as_str()) && !is_allowed(other))
        .map(|other| {
            format!(
                "{}: level {level} imports `{other}` of level {}",
                code.path, levels[&other]
            )
        })
        .collect()
}

fn wrong_sizes(code: &Code) -> Vec<String> {
    let lines = code.lines();
    let limit = match code.path.rsplit('/').next() {
        _ if code.is_test() => usize::MAX,
        Some("main.rs") => MAIN_LINES,
        Some("mod.rs") => MOD_LINES,
        _ => FILE_LINES,
    };
    let mut functions = Functions::default();
    functions.visit_file(&code.syntax);
    let file = (lines > limit).then(|| format!("{}: {lines} lines, {limit} allowed", code.path));
    let functions = functions.found.into_iter().filter_map(|(name, lines)| {
        (lines > FUNCTION_LINES).then(|| format!("{}: `{name}` has {lines} lines", code.path))
    });
    file.into_iter().chain(functions).collect()
}

/// Names and lengths of all functions.
#[derive(Default)]
struct Functions {
    found: Vec<(String, usize)>,
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.found
            .push((function.sig.ident.to_string(), lines_of(&function.block)));
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.found
            .push((function.sig.ident.to_string(), lines_of(&function.block)));
        visit::visit_impl_item_fn(self, function);
    }
}

fn wrong_names(code: &Code) -> Vec<String> {
    let file = code.path.rsplit('/').next().unwrap_or_default();
    let is_empty = EMPTY_NAMES.contains(&file.trim_end_matches(".rs"));
    let mut functions = Functions::default();
    functions.visit_file(&code.syntax);
    let tests = functions.found.into_iter().filter_map(|(name, _)| {
        name.starts_with("test_")
            .then(|| format!("{}: `{name}` says `test` and no behaviour", code.path))
    });
    is_empty
        .then(|| format!("{}: the name says nothing", code.path))
        .into_iter()
        .chain(tests)
        .collect()
}

fn wrong_words(code: &Code) -> Vec<String> {
    let is_program = code.path.starts_with("src/") && !code.is_test();
    RESERVED
        .into_iter()
        .filter(|(word, places)| {
            is_program
                && !places.iter().any(|place| code.path.starts_with(place))
                && has_word(code.tokens(), word)
        })
        .map(|(word, places)| format!("{}: `{word}` belongs to {}", code.path, places.join(", ")))
        .collect()
}

fn has_word(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => has_word(group.stream(), word),
        _ => false,
    })
}

fn undescribed(code: &Code) -> Option<String> {
    let must = code.path.starts_with("src/") && !code.is_test();
    (must && !code.text.starts_with("//!")).then(|| format!("{}: no `//!` on top", code.path))
}

/// Paths of the repository in a document's backquotes: words with a slash whose first part is
/// at the root of the repository.
fn named_paths(document: &str, at_root: impl Fn(&str) -> bool) -> Vec<String> {
    document
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
            word.chars().all(is_plain)
                && word
                    .split_once('/')
                    .is_some_and(|(first, _)| !first.is_empty() && at_root(first))
        })
        .map(str::to_owned)
        .collect()
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files() -> Vec<Code> {
    let mut files = Vec::new();
    let mut open = vec![repository().join("src"), repository().join("tests")];
    while let Some(directory) = open.pop() {
        let entries = fs::read_dir(&directory).expect("a directory of the repository");
        for entry in entries {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(read(&path));
            }
        }
    }
    files
}

fn read(path: &PathBuf) -> Code {
    let text = fs::read_to_string(path).expect("a readable file");
    let path = path.strip_prefix(repository()).expect("it is in there");
    Code::new(&path.to_string_lossy(), &text)
}

fn assert_none(violations: impl IntoIterator<Item = String>) {
    let violations: Vec<_> = violations.into_iter().collect();
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn modules_import_from_levels_above_alone() {
    let levels = levels(&fs::read_to_string(repository().join("src/lib.rs")).expect("readable"));
    assert_none(
        rust_files()
            .iter()
            .flat_map(|code| wrong_imports(code, &levels)),
    );
}

#[test]
fn files_and_functions_are_short() {
    assert_none(rust_files().iter().flat_map(wrong_sizes));
}

#[test]
fn most_files_are_read_at_a_glance() {
    let files = rust_files();
    let mut lines: Vec<_> = files
        .iter()
        .filter(|code| !code.is_test())
        .map(Code::lines)
        .collect();
    lines.sort_unstable();
    assert!(lines[lines.len() / 2] <= MEDIAN_FILE_LINES, "{lines:?}");
}

#[test]
fn names_say_what_is_there() {
    assert_none(rust_files().iter().flat_map(wrong_names));
}

#[test]
fn reserved_words_stay_in_their_modules() {
    assert_none(rust_files().iter().flat_map(wrong_words));
}

#[test]
fn every_module_says_what_it_is_for() {
    assert_none(rust_files().iter().filter_map(undescribed));
}

#[test]
fn documents_name_paths_that_exist() {
    let at_root = |first: &str| repository().join(first).exists();
    for document in DOCUMENTS {
        let text = fs::read_to_string(repository().join(document)).expect(document);
        let missing = named_paths(&text, at_root)
            .into_iter()
            .filter(|path| !repository().join(path).exists());
        assert_none(missing.map(|path| format!("{document}: {path} does not exist")));
    }
}

mod checker {
    use super::*;

    const LIB: &str = "// Level 0: a.\npub mod ids;\n\n// Level 1: b.\npub mod archive;\n\
                       pub mod tree;\npub mod yaml;\n// Level 2: c.\npub mod store;\n";

    fn imports(path: &str, text: &str) -> usize {
        wrong_imports(&Code::new(path, text), &levels(LIB)).len()
    }

    #[test]
    fn imports_upward_and_sideways_are_found() {
        assert_eq!(imports("src/tree/mod.rs", "use crate::ids::RunId;"), 0);
        assert_eq!(imports("src/tree/mod.rs", "use crate::tree::glob;"), 0);
        assert_eq!(imports("src/archive/mod.rs", "use crate::tree::Tree;"), 0);
        assert_eq!(imports("src/tree/mod.rs", "use crate::archive::X;"), 1);
        assert_eq!(
            imports("src/yaml.rs", "use crate::{ids::A, store::{B}, tree};"),
            2
        );
        assert_eq!(imports("src/ids.rs", "fn f() { x!(crate::yaml::y()) }"), 1);
        assert_eq!(imports("src/new.rs", ""), 1);
    }

    #[test]
    fn long_files_and_functions_are_found() {
        let long = "//!\n".repeat(101);
        assert_eq!(wrong_sizes(&Code::new("src/a/mod.rs", &long)).len(), 1);
        assert_eq!(wrong_sizes(&Code::new("src/a/b.rs", &long)).len(), 0);
        assert_eq!(wrong_sizes(&Code::new("src/main.rs", &long)).len(), 1);
        let function = format!("impl A {{ fn f() {{\n{}}} }}", "g();\n".repeat(100));
        assert_eq!(wrong_sizes(&Code::new("src/a/b.rs", &function)).len(), 1);
        let tested = format!("#[cfg(test)]\nmod tests {{\n{}}}", "//\n".repeat(701));
        assert_eq!(wrong_sizes(&Code::new("src/a/b.rs", &tested)).len(), 0);
    }

    #[test]
    fn empty_names_are_found() {
        assert_eq!(wrong_names(&Code::new("src/a/utils.rs", "")).len(), 1);
        let test = "mod tests { #[test] fn test_x() {} }";
        assert_eq!(wrong_names(&Code::new("src/a/b.rs", test)).len(), 1);
        assert_eq!(wrong_names(&Code::new("src/a/b.rs", "fn x() {}")).len(), 0);
    }

    #[test]
    fn reserved_words_elsewhere_are_found() {
        let code = "fn f() { g(|| unsafe { h() }) }";
        assert_eq!(wrong_words(&Code::new("src/a/b.rs", code)).len(), 1);
        assert_eq!(wrong_words(&Code::new("src/agent/b.rs", code)).len(), 0);
        let code = "#[derive(clap::Parser)] struct A;";
        assert_eq!(wrong_words(&Code::new("src/report/b.rs", code)).len(), 1);
        assert_eq!(wrong_words(&Code::new("src/cli/b.rs", code)).len(), 0);
    }

    #[test]
    fn undescribed_modules_are_found() {
        assert!(undescribed(&Code::new("src/a.rs", "fn f() {}")).is_some());
        assert!(undescribed(&Code::new("src/a/tests.rs", "fn f() {}")).is_none());
    }

    #[test]
    fn paths_are_told_from_other_words() {
        let text =
            "See `src/x.rs`, `tests/y`, `a/b`, `cargo test`, `src`, `/src/x`, and `src/<name>`.";
        assert_eq!(
            named_paths(text, |first| ["", "src", "tests"].contains(&first)),
            ["src/x.rs", "tests/y"]
        );
    }
}
