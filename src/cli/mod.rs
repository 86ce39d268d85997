//! (to be written)

use std::process::ExitCode;

/// Runs the program.
pub fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("__place") {
        let code = crate::backend::sandbox::launcher_main();
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    ExitCode::from(2)
}
