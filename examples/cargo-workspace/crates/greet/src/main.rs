//! Greets whoever is named, and signs it.

fn main() {
    let name = std::env::args().nth(1).unwrap_or_else(|| "world".into());
    let greeting = greeting::greet(&name);
    println!("{greeting} [{}]", fingerprint::fingerprint(&greeting));
}
