//! The known answers' questions, to begin with.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

/// A JSON file of `tests/conformance`.
pub(crate) fn suite(path: &Path) -> Json {
    let text = fs::read_to_string(path).expect("the suite is there");
    serde_json::from_str(&text).expect("the suite is JSON")
}

/// The cases of a file of `tests/conformance/rules`, each as the input its fields make.
pub(crate) fn rules(file: &str, input: impl Fn(&Json) -> String) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/rules");
    let suite = suite(&folder.join(file));
    let cases = suite["cases"].as_array().expect("cases");
    cases.iter().map(|case| input(case).into_bytes()).collect()
}

/// A list of texts, a line each.
pub(crate) fn lines(list: &Json) -> String {
    let texts = list
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str);
    texts.collect::<Vec<_>>().join("\n")
}
