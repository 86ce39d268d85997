//! A short name for a text.

/// The FNV-1a hash of the text (64 bits), in hexadecimal.
pub fn fingerprint(text: &str) -> String {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let hash = text.bytes().fold(BASIS, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    });
    hex::encode(hash.to_be_bytes())
}
