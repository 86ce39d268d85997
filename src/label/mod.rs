//! What a hosted label *means*: the system, environment and tools of GitHub's image behind
//! it, as data, so that lrun can say how the system standing in for it differs.
//!
//! Knows nothing of this machine: whoever asks says which paths exist. The facts come from
//! `runner-images/*.json`, which are generated from actions/runner-images.

mod environment;
mod facts;
mod hosted;

pub use environment::{HOME, TEMP, TOOL_CACHE};
pub use facts::{Architecture, Facts, Label, LabelError, Limits};
pub use hosted::major_minor;
