//! Arguments to decisions, once; wiring; exit codes; the one error renderer. A subcommand is
//! one file.

mod actions;
mod args;
mod check;
mod doctor;
mod document;
mod env_file;
mod exit;
mod explain;
mod expr;
mod externals;
mod failure;
mod filter;
mod find;
mod given;
mod hash_files;
mod itself;
mod matrix;
mod names;
mod parse;
mod plan;
mod prepare;
mod read;
mod recorded;
mod replay;
mod run;
mod runs;
mod signals;
mod sought;
mod subject;
mod terminal;
mod vendor;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Arguments, Command};
use failure::{Failure, tell};

/// Runs the program. Hidden first arguments are how lrun starts itself again.
pub fn main() -> ExitCode {
    if let Some(code) = itself::main() {
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
        Some(Command::Check(arguments)) => check::check(arguments),
        Some(Command::Plan(arguments)) => plan::plan(arguments),
        Some(Command::Parse(arguments)) => parse::parse(arguments),
        Some(Command::Replay(arguments)) => replay::replay(arguments),
        Some(Command::Runs(arguments)) => runs::runs(arguments),
        Some(Command::Explain(arguments)) => explain::explain(arguments),
        Some(Command::Doctor(arguments)) => doctor::doctor(arguments),
        Some(Command::Expr(arguments)) => expr::expr(arguments),
        Some(Command::HashFiles(arguments)) => hash_files::hash_files(arguments),
        Some(Command::Filter(arguments)) => filter::filter(arguments),
        Some(Command::EnvFile(arguments)) => env_file::env_file(arguments),
        Some(Command::Matrix(arguments)) => matrix::matrix(arguments),
        Some(Command::Vendor(arguments)) => vendor::vendor(arguments),
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
