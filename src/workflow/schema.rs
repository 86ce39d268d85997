//! GitHub's own schema files: which keys a mapping has, what a value may be, what its expressions may use.
//!
//! The files are embedded as published (`schema/LICENSE`); `schema/additions.json` holds the few keys that GitHub
//! accepts and the published workflow schema lacks. `description`s are not kept.

use std::collections::HashMap;
use std::sync::LazyLock;

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Every definition of one schema file by name. Names are parts of the embedded text: nothing of it is copied.
#[derive(Debug, Default)]
pub(super) struct Schema {
    definitions: HashMap<&'static str, Definition>,
}

/// What a value must be, and what its expressions may use beside what its parents allow.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) context: Vec<&'static str>,
    pub(super) shape: Shape,
}

#[derive(Debug)]
pub(super) enum Shape {
    Null,
    Boolean,
    Number,
    String(StringRule),
    Sequence {
        item: &'static str,
    },
    Mapping(MappingRule),
    /// Names of the alternatives.
    OneOf(Vec<&'static str>),
    /// One of these texts.
    Constants(Vec<Shape>),
}

/// Which strings are allowed.
#[derive(Debug, Default)]
pub(super) struct StringRule {
    pub(super) constant: Option<&'static str>,
    pub(super) non_empty: bool,
}

/// Which keys are allowed.
#[derive(Debug, Default)]
pub(super) struct MappingRule {
    /// The definition of each known key's value.
    pub(super) properties: HashMap<&'static str, &'static str>,
    /// The definitions of any other key and of its value.
    pub(super) loose: Option<(&'static str, &'static str)>,
    /// The required keys in the file's order.
    pub(super) required: Vec<&'static str>,
}

/// A schema file as it is written; descriptions are passed over.
#[derive(Deserialize)]
struct Written<'s> {
    #[serde(borrow)]
    definitions: IndexMap<&'s str, WrittenDefinition<'s>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct WrittenDefinition<'s> {
    #[serde(borrow)]
    context: Vec<&'s str>,
    #[serde(borrow)]
    allowed_values: Option<Vec<&'s str>>,
    #[serde(borrow)]
    one_of: Vec<&'s str>,
    #[serde(borrow)]
    mapping: Option<WrittenMapping<'s>>,
    #[serde(borrow)]
    sequence: Option<WrittenSequence<'s>>,
    #[serde(borrow)]
    string: Option<WrittenString<'s>>,
    boolean: Option<IgnoredAny>,
    number: Option<IgnoredAny>,
    null: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct WrittenMapping<'s> {
    #[serde(borrow)]
    properties: IndexMap<&'s str, WrittenProperty<'s>>,
    #[serde(borrow)]
    loose_key_type: Option<&'s str>,
    #[serde(borrow)]
    loose_value_type: Option<&'s str>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenProperty<'s> {
    Definition(#[serde(borrow)] &'s str),
    Detailed {
        #[serde(rename = "type", borrow)]
        definition: &'s str,
        #[serde(default)]
        required: bool,
    },
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct WrittenSequence<'s> {
    #[serde(borrow)]
    item_type: Option<&'s str>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct WrittenString<'s> {
    #[serde(borrow)]
    constant: Option<&'s str>,
    require_non_empty: bool,
}

static WORKFLOW: LazyLock<Schema> = LazyLock::new(|| {
    let mut schema = Schema::load(include_str!("schema/workflow-v1.0.json"));
    schema.merge(Schema::load(include_str!("schema/additions.json")));
    schema
});

static ACTION: LazyLock<Schema> =
    LazyLock::new(|| Schema::load(include_str!("schema/action-v1.0.json")));

/// The definitions every schema has (`TemplateSchema.cs`).
const BUILT_IN: &str = r#"{"definitions": {
    "null": {"null": {}},
    "boolean": {"boolean": {}},
    "number": {"number": {}},
    "string": {"string": {}},
    "sequence": {"sequence": {"item-type": "any"}},
    "mapping": {"mapping": {"loose-key-type": "string", "loose-value-type": "any"}},
    "any": {"one-of": ["null", "boolean", "number", "string", "sequence", "mapping"]}
}}"#;

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
        let mut shapes = Vec::new();
        self.collect(definition, &mut shapes);
        shapes
    }

    fn collect<'s>(&'s self, definition: &'s Definition, shapes: &mut Vec<&'s Shape>) {
        match &definition.shape {
            Shape::OneOf(names) => names
                .iter()
                .for_each(|name| self.collect(self.get(name), shapes)),
            Shape::Constants(constants) => shapes.extend(constants),
            shape => shapes.push(shape),
        }
    }

    /// Embedded text that is not JSON would give an empty schema; a test reads every definition.
    fn load(text: &'static str) -> Self {
        let mut schema = Self::default();
        for text in [BUILT_IN, text] {
            let written: Option<Written<'static>> = serde_json::from_str(text).ok();
            let definitions = written.into_iter().flat_map(|written| written.definitions);
            schema
                .definitions
                .extend(definitions.map(|(name, written)| (name, definition(written))));
        }
        schema
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

fn definition(written: WrittenDefinition<'static>) -> Definition {
    let shape = if let Some(values) = written.allowed_values {
        Shape::Constants(values.into_iter().map(constant).collect())
    } else if let Some(mapping) = written.mapping {
        Shape::Mapping(mapping_rule(mapping))
    } else if let Some(sequence) = written.sequence {
        Shape::Sequence {
            item: sequence.item_type.unwrap_or("any"),
        }
    } else if let Some(rule) = written.string {
        Shape::String(StringRule {
            constant: rule.constant,
            non_empty: rule.require_non_empty,
        })
    } else if written.boolean.is_some() {
        Shape::Boolean
    } else if written.number.is_some() {
        Shape::Number
    } else if written.null.is_some() {
        Shape::Null
    } else {
        Shape::OneOf(written.one_of)
    };
    Definition {
        context: written.context,
        shape,
    }
}

fn constant(value: &'static str) -> Shape {
    Shape::String(StringRule {
        constant: Some(value),
        non_empty: false,
    })
}

fn mapping_rule(written: WrittenMapping<'static>) -> MappingRule {
    let mut rule = MappingRule {
        loose: written.loose_key_type.zip(written.loose_value_type),
        ..MappingRule::default()
    };
    for (key, property) in written.properties {
        let definition = match property {
            WrittenProperty::Definition(definition) => definition,
            WrittenProperty::Detailed {
                definition,
                required,
            } => {
                rule.required.extend(required.then_some(key));
                definition
            }
        };
        rule.properties.insert(key, definition);
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_a_schema_uses_is_defined() {
        for schema in [Schema::workflow(), Schema::action()] {
            assert!(schema.definitions.len() > 40);
            for (name, definition) in &schema.definitions {
                let used: Vec<&&str> = match &definition.shape {
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
                        schema.definitions.contains_key(*target),
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
