//! YAML as GitHub reads it: parser events → one tree of located nodes.
//!
//! Job: the YAML 1.2 core schema by hand, anchors and aliases by replay, the limits of a hostile file.
//! Not its job: what keys mean, duplicate keys (they are collected by the reader in `workflow`), merge keys (GitHub
//! has none: `<<` is a key like any other).
//!
//! Invariants: a tree is never deeper than its [`Limits`] allow, so that recursion over it is safe; every
//! span lies in the source it was read from; a node that came through an alias keeps the place of its definition.
//!
//! The rules are those of `YamlObjectReader.cs` in actions/runner.

mod core_schema;
mod error;
mod locate;
mod node;
mod read;
mod scalar;
mod tabs;

pub use error::{Error, Problem};
pub use locate::locate;
pub use node::{Entry, Node, NodeKind, Scalar};
pub use read::{Limits, read};
