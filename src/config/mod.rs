//! Everything lrun is told from outside its arguments: the process environment, and the
//! configuration files of the user and the machine.
//!
//! The only reader of the process environment. Reads files of the user and never writes one;
//! credentials are never taken over.

mod environment;
mod inside;
mod lrun_toml;
pub mod network;
mod settings;

pub use environment::Environment;
pub use inside::inside;
pub use lrun_toml::{Environments, LrunToml, LrunTomlError, Named, SecretSource};
pub use settings::{ConfigError, Origin, Setting, Settings};
