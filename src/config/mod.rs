//! Everything lrun is told from outside its arguments: the process environment, and the
//! configuration files of the user and the machine.
//!
//! The only reader of the process environment. Reads files of the user and never writes one;
//! credentials are never taken over.

mod actrc;
mod dotenv;
mod environment;
mod inside;
mod lrun_toml;
pub mod network;
mod settings;
mod value_name;

pub use actrc::{Actrc, ActrcOf};
pub use dotenv::{DotenvError, dotenv};
pub use environment::Environment;
pub use inside::inside;
pub use lrun_toml::{Environments, LrunToml, LrunTomlError, Named, NodeSource, SecretSource};
pub use settings::{ConfigError, Origin, Setting, Settings};
pub use value_name::value_name;
