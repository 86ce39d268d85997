//! The commands that look into something, by the real program: what they print, what they end
//! with, and every known answer of `tests/conformance/` asked of them.

mod conformance;
mod env_file;
mod expr;
mod filter;
mod hash_files;
mod matrix;
mod parse;
mod program;
