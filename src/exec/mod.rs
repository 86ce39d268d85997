//! (to be written)

pub mod command;
pub mod file_command;
pub mod mask;
pub mod workspace;
