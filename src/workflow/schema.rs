//! GitHub's own schema files: which keys a mapping has, what a value may be, what its expressions may use.
//!
//! The files are embedded as published (`schema/LICENSE`); `schema/additions.json` holds the few keys that GitHub
//! accepts and the published workflow schema lacks. `description`s are not kept.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

/// Every definition of one schema file by name.
#[derive(Debug, Default)]
pub(super) struct Schema {
    definitions: HashMap<String, Definition>,
}

/// What a value must be, and what its expressions may use beside what its parents allow.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) context: Vec<String>,
    pub(super) shape: Shape,
}

#[derive(Debug)]
pub(super) enum Shape {
    Null,
    Boolean,
    Number,
    String(StringRule),
    Sequence {
        item: String,
    },
    Mapping(MappingRule),
    /// Names of the alternatives.
    OneOf(Vec<String>),
}

/// Which strings are allowed.
#[derive(Debug, Default)]
pub(super) struct StringRule {
    pub(super) constant: Option<String>,
    pub(super) non_empty: bool,
}

/// Which keys are allowed.
#[derive(Debug, Default)]
pub(super) struct MappingRule {
    /// The definition of each known key's value.
    pub(super) properties: HashMap<String, String>,
    /// The definitions of any other key and of its value.
    pub(super) loose: Option<(String, String)>,
    /// The required keys in the file's order.
    pub(super) required: Vec<String>,
}

static WORKFLOW: LazyLock<Schema> = LazyLock::new(|| {
    let mut schema = Schema::load(include_str!("schema/workflow-v1.0.json"));
    schema.merge(Schema::load(include_str!("schema/additions.json")));
    schema
});

static ACTION: LazyLock<Schema> =
    LazyLock::new(|| Schema::load(include_str!("schema/action-v1.0.json")));

/// What stands for a name the schema does not have: a schema file that names it is broken, which a test rules out.
static ANYTHING: Definition = Definition {
    context: Vec::new(),
    shape: Shape::OneOf(Vec::new()),
};

impl Schema {
    /// The schema of workflow files.
    pub(super) fn workflow() -> &'static Self {
        &WORKFLOW
    }

    /// The schema of `action.yml`.
    pub(super) fn action() -> &'static Self {
        &ACTION
    }

    /// The definition of a name.
    pub(super) fn get(&self, name: &str) -> &Definition {
        self.definitions.get(name).unwrap_or(&ANYTHING)
    }

    /// Everything a value of this definition may be, alternatives of alternatives included.
    pub(super) fn shapes<'s>(&'s self, definition: &'s Definition) -> Vec<&'s Shape> {
        match &definition.shape {
            Shape::OneOf(names) => names
                .iter()
                .flat_map(|name| self.shapes(self.get(name)))
                .collect(),
            shape => vec![shape],
        }
    }

    /// Embedded text that is not JSON would give an empty schema; a test reads every definition.
    fn load(text: &str) -> Self {
        let json: Value = serde_json::from_str(text).unwrap_or_default();
        let mut schema = Self::built_in();
        for (name, definition) in json["definitions"].as_object().into_iter().flatten() {
            schema.add(name, definition);
        }
        schema
    }

    /// The definitions every schema has (`TemplateSchema.cs`).
    fn built_in() -> Self {
        let mut schema = Self::default();
        let json = serde_json::json!({
            "null": {"null": {}},
            "boolean": {"boolean": {}},
            "number": {"number": {}},
            "string": {"string": {}},
            "sequence": {"sequence": {"item-type": "any"}},
            "mapping": {"mapping": {"loose-key-type": "string", "loose-value-type": "any"}},
            "any": {"one-of": ["null", "boolean", "number", "string", "sequence", "mapping"]},
        });
        for (name, definition) in json.as_object().into_iter().flatten() {
            schema.add(name, definition);
        }
        schema
    }

    fn add(&mut self, name: &str, definition: &Value) {
        let context = strings(&definition["context"]);
        let shape = if let Some(values) = definition.get("allowed-values") {
            Shape::OneOf(self.add_constants(name, &strings(values)))
        } else {
            shape(definition)
        };
        let definition = Definition { context, shape };
        self.definitions.insert(name.to_owned(), definition);
    }

    /// `allowed-values` is a choice of constants.
    fn add_constants(&mut self, name: &str, values: &[String]) -> Vec<String> {
        let names: Vec<String> = values
            .iter()
            .map(|value| format!("{name}-{value}"))
            .collect();
        for (name, value) in names.iter().zip(values) {
            let rule = StringRule {
                constant: Some(value.clone()),
                non_empty: false,
            };
            let definition = Definition {
                context: Vec::new(),
                shape: Shape::String(rule),
            };
            self.definitions.insert(name.clone(), definition);
        }
        names
    }

    /// Adds properties to mappings there are, and whole definitions otherwise.
    fn merge(&mut self, additions: Self) {
        for (name, addition) in additions.definitions {
            let known = self
                .definitions
                .get_mut(&name)
                .map(|known| &mut known.shape);
            match (known, addition.shape) {
                (Some(Shape::Mapping(known)), Shape::Mapping(more)) => {
                    known.properties.extend(more.properties);
                    known.loose = more.loose.or(known.loose.take());
                }
                (_, shape) => {
                    let context = addition.context;
                    self.definitions.insert(name, Definition { context, shape });
                }
            }
        }
    }
}

fn shape(definition: &Value) -> Shape {
    let kind = |name: &str| definition.get(name).and_then(Value::as_object);
    if let Some(mapping) = kind("mapping") {
        Shape::Mapping(mapping_rule(mapping))
    } else if let Some(sequence) = kind("sequence") {
        Shape::Sequence {
            item: string(sequence, "item-type").unwrap_or_else(|| "any".to_owned()),
        }
    } else if let Some(rule) = kind("string") {
        Shape::String(StringRule {
            constant: string(rule, "constant"),
            non_empty: rule.get("require-non-empty") == Some(&Value::Bool(true)),
        })
    } else if kind("boolean").is_some() {
        Shape::Boolean
    } else if kind("number").is_some() {
        Shape::Number
    } else if kind("null").is_some() {
        Shape::Null
    } else {
        Shape::OneOf(strings(&definition["one-of"]))
    }
}

fn mapping_rule(mapping: &Map<String, Value>) -> MappingRule {
    let mut rule = MappingRule {
        loose: string(mapping, "loose-key-type").zip(string(mapping, "loose-value-type")),
        ..MappingRule::default()
    };
    let properties = mapping.get("properties").and_then(Value::as_object);
    for (key, property) in properties.into_iter().flatten() {
        let definition = match property {
            Value::String(definition) => definition.clone(),
            _ => property["type"].as_str().unwrap_or("any").to_owned(),
        };
        if property["required"] == Value::Bool(true) {
            rule.required.push(key.clone());
        }
        rule.properties.insert(key.clone(), definition);
    }
    rule
}

fn string(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn strings(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_a_schema_uses_is_defined() {
        for schema in [Schema::workflow(), Schema::action()] {
            assert!(schema.definitions.len() > 50);
            for (name, definition) in &schema.definitions {
                let used: Vec<&String> = match &definition.shape {
                    Shape::Sequence { item } => vec![item],
                    Shape::OneOf(names) => names.iter().collect(),
                    Shape::Mapping(rule) => {
                        let loose = rule.loose.iter().flat_map(|(key, value)| [key, value]);
                        let values = rule.properties.values();
                        loose.chain(values).collect()
                    }
                    _ => Vec::new(),
                };
                for target in used {
                    assert!(
                        schema.definitions.contains_key(target),
                        "{name} uses {target}"
                    );
                }
                assert!(
                    !matches!(&definition.shape, Shape::OneOf(names) if names.is_empty()),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn additions_leave_the_rest_of_a_mapping() {
        let Shape::Mapping(root) = &Schema::workflow().get("workflow-root-strict").shape else {
            panic!("the root is a mapping");
        };
        assert!(root.properties.contains_key("cache-mode"));
        assert!(root.properties.contains_key("jobs"));
        assert_eq!(root.required, ["on", "jobs"]);
    }
}
