//! The `lrun` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    lrun::cli::main()
}
