//! Words to greet somebody with.

/// A greeting that counts the vowels of the name.
pub fn greet(name: &str) -> String {
    let vowels = name
        .bytes()
        .filter(|&byte| memchr::memchr(byte.to_ascii_lowercase(), b"aeiou").is_some())
        .count();
    let mut buffer = itoa::Buffer::new();
    format!("Hello, {name} of {} vowels!", buffer.format(vowels))
}
