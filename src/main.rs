//! The `lrun` program: everything is in the library.

fn main() {}
