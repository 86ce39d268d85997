//! Arguments to decisions, once; wiring; exit codes; the one error renderer. A subcommand is
//! one file.

mod args;
mod doctor;
mod document;
mod exit;
mod explain;
mod failure;
mod find;
mod given;
mod inputs;
mod matrix;
mod plan;
mod prepare;
mod recorded;
mod replay;
mod run;
mod runs;
mod signals;
mod subject;
mod terminal;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use args::{Arguments, Command};
use failure::{Failure, tell};

use crate::agent::sudo;
use crate::backend::sandbox;
use crate::exec;
use crate::store;

/// Runs the program. Hidden first arguments are how lrun starts itself again.
pub fn main() -> ExitCode {
    if let Some(code) = as_part_of_lrun() {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; neither can fail to be printed in a way to tell.
            let _ = error.print();
            let code = if error.use_stderr() {
                exit::ExitCode::Usage
            } else {
                exit::ExitCode::Success
            };
            return ExitCode::from(code as u8);
        }
    };
    let ended = std::panic::catch_unwind(|| match &arguments.command {
        None => run::run(&arguments.run),
        Some(Command::Run(arguments)) => run::run(arguments),
        Some(Command::Plan(arguments)) => plan::plan(arguments),
        Some(Command::Replay(arguments)) => replay::replay(arguments),
        Some(Command::Runs(arguments)) => runs::runs(arguments),
        Some(Command::Explain(arguments)) => explain::explain(arguments),
        Some(Command::Doctor(arguments)) => doctor::doctor(arguments),
        Some(Command::Matrix(arguments)) => matrix::matrix(arguments),
    });
    // The panic hook has told what it was.
    let code = ended.map_or(exit::ExitCode::Internal, |ended| {
        ended.unwrap_or_else(|Failure { code, text }| {
            tell(text);
            code
        })
    });
    ExitCode::from(code as u8)
}

/// Removes what is in a store, also what belongs to subordinate ids. Users may ask for it as well,
/// so it must be in one.
fn remove(path: &Path) -> i32 {
    if !store::is_in_a_store(path) {
        tell(format!("{} is not in a store of lrun's", path.display()));
        return exit::ExitCode::Usage as i32;
    }
    let code = sandbox::remover_main(path);
    if code != 0 && path.exists() {
        tell(format!("{} could not be removed", path.display()));
    }
    code
}

/// What lrun started itself as, if it did.
fn as_part_of_lrun() -> Option<i32> {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next()?.to_str()? {
        "__place" => Some(sandbox::launcher_main()),
        sandbox::OWN => Some(sandbox::own_main()),
        // After it the kernel puts the path of the script that is `sudo`.
        sudo::SUDO => Some(sudo::sudo_main(arguments.skip(1))),
        store::REMOVER => Some(remove(Path::new(&arguments.next()?))),
        "__janitor" => Some(exec::janitor_main(arguments)),
        _ => None,
    }
}
