//! How much of a `tar.zst` a file takes: an estimate where no archive is made.
//!
//! The toolkit compresses with zstd's level 3. A content up to a mebibyte is compressed whole;
//! of a longer one the first 64 KiB of each mebibyte stand for the rest.

use zstd::bulk::Compressor;

const LEVEL: i32 = 3;
const WINDOW: usize = 1024 * 1024;
const SAMPLE: usize = 64 * 1024;

/// Measures contents, one after another, each given piece by piece.
#[derive(Default)]
pub(super) struct Packing {
    compressor: Option<Compressor<'static>>,
    /// What of the present window is to be compressed: all of the first one, until there is a
    /// second.
    buffer: Vec<u8>,
    /// Bytes of the content so far.
    seen: usize,
    /// Of these, how many were compressed, and to how many.
    sampled: u64,
    compressed: u64,
}

impl Packing {
    pub(super) fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let at = self.seen % WINDOW;
            if at == 0 && self.seen > 0 {
                // There is a second window: the first one's sample is enough.
                self.buffer.truncate(SAMPLE);
                self.compress();
            }
            let length = bytes.len().min(WINDOW - at);
            let (piece, rest) = bytes.split_at(length);
            let most = if self.seen < WINDOW { WINDOW } else { SAMPLE };
            let room = most.saturating_sub(self.buffer.len()).min(length);
            self.buffer.extend_from_slice(&piece[..room]);
            self.seen += length;
            bytes = rest;
        }
    }

    /// What the content takes; ready for the next one.
    pub(super) fn finish(&mut self) -> u64 {
        self.compress();
        let (seen, sampled) = (self.seen as u64, self.sampled);
        let packed = match sampled {
            0 => 0,
            sampled => (self.compressed as f64 * (seen as f64 / sampled as f64)) as u64,
        };
        (self.seen, self.sampled, self.compressed) = (0, 0, 0);
        packed
    }

    fn compress(&mut self) {
        if !self.buffer.is_empty() {
            self.sampled += self.buffer.len() as u64;
            self.compressed += self.compressed_length();
            self.buffer.clear();
        }
    }

    fn compressed_length(&mut self) -> u64 {
        if self.compressor.is_none() {
            self.compressor = Compressor::new(LEVEL).ok();
        }
        let packed = self
            .compressor
            .as_mut()
            .and_then(|compressor| compressor.compress(&self.buffer).ok());
        // Nothing makes zstd fail on bytes in memory; uncompressed is the safe guess.
        packed.map_or(self.buffer.len(), |packed| {
            packed.len().min(self.buffer.len())
        }) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(content: &[u8]) -> u64 {
        let mut packing = Packing::default();
        // Something before, which must not count.
        packing.write(b"something else");
        packing.finish();
        content
            .chunks(100_000)
            .for_each(|piece| packing.write(piece));
        packing.finish()
    }

    /// Text that compresses, though not to nothing.
    fn lines(count: u32) -> Vec<u8> {
        let line = |number: u32| format!("{number} {}\n", number.wrapping_mul(2_654_435_761));
        (0..count)
            .flat_map(|number| line(number).into_bytes())
            .collect()
    }

    #[test]
    fn a_short_content_takes_what_zstd_makes_of_it() {
        let content = lines(1_000);
        let exact = zstd::bulk::compress(&content, LEVEL).unwrap().len() as u64;
        assert_eq!(packed(&content), exact);
        assert_eq!(packed(b""), 0);
        assert_eq!(packed(b"x"), 1, "never more than the content itself");
    }

    #[test]
    fn a_long_content_is_estimated_by_samples() {
        let content = lines(300_000);
        let exact = zstd::bulk::compress(&content, LEVEL).unwrap().len() as f64;
        let estimate = packed(&content) as f64;
        assert!(content.len() > 4 * WINDOW);
        assert!(
            (0.8..1.3).contains(&(estimate / exact)),
            "{estimate} for {exact}"
        );
    }
}
