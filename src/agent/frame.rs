//! Frames: the pieces in which messages and bulk data cross between lrun and an agent.
//!
//! A frame is a header of nine bytes (length of the payload and stream, both `u32` in
//! little endian, then the kind) and the payload. Many streams share one channel; a
//! stream is one request and all that belongs to it. Knows nothing of what messages say.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The most bytes of bulk data in one frame.
pub const CHUNK: usize = 64 * 1024;

/// How many bytes of bulk data a sender may have on their way, per stream and direction,
/// before the receiver has granted more by [`FrameKind::Credit`].
pub const WINDOW: usize = 1024 * 1024;

const HEADER: usize = 9;

/// No message is longer; a length beyond this is not a frame.
const LONGEST: usize = 256 * 1024 * 1024;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// A message in JSON.
    Control,
    /// Bytes a process wrote to its standard output.
    Out,
    /// Bytes a process wrote to its standard error.
    Err,
    /// Bytes for the standard input of a worker.
    Input,
    /// No more of those.
    EndOfInput,
    /// A decimal number of bytes by which the stream's window grows again.
    Credit,
}

impl FrameKind {
    const ALL: [Self; 6] = [
        Self::Control,
        Self::Out,
        Self::Err,
        Self::Input,
        Self::EndOfInput,
        Self::Credit,
    ];
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The stream it belongs to.
    pub stream: u32,
    /// What it carries.
    pub kind: FrameKind,
    /// The bytes.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A frame of bulk data.
    pub fn new(stream: u32, kind: FrameKind, payload: Vec<u8>) -> Self {
        Self {
            stream,
            kind,
            payload,
        }
    }

    /// A message. Fails if the value has no JSON form.
    pub fn control(stream: u32, message: &impl Serialize) -> io::Result<Self> {
        Ok(Self::new(
            stream,
            FrameKind::Control,
            serde_json::to_vec(message)?,
        ))
    }

    /// A grant of `bytes` more.
    pub fn credit(stream: u32, bytes: usize) -> Self {
        Self::new(stream, FrameKind::Credit, bytes.to_string().into_bytes())
    }

    /// The message of a control frame.
    pub fn message<T: DeserializeOwned>(&self) -> io::Result<T> {
        Ok(serde_json::from_slice(&self.payload)?)
    }

    /// The bytes granted by a credit frame.
    pub fn granted(&self) -> usize {
        std::str::from_utf8(&self.payload)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    }

    /// The frame as it crosses the channel.
    pub fn encode(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(HEADER + self.payload.len());
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&self.stream.to_le_bytes());
        bytes.push(self.kind as u8);
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Reads exactly one frame and not a byte more; `None` at the end of the channel.
    pub async fn read(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let mut header = [0; HEADER];
        match reader.read_exact(&mut header).await {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let (length, stream, kind) = parse_header(&header)?;
        let mut payload = vec![0; length];
        reader.read_exact(&mut payload).await?;
        Ok(Some(Self::new(stream, kind, payload)))
    }

    /// As [`Frame::read`], for a program without an asynchronous runtime.
    pub fn read_blocking(reader: &mut impl io::Read) -> io::Result<Option<Self>> {
        let mut header = [0; HEADER];
        match reader.read_exact(&mut header) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let (length, stream, kind) = parse_header(&header)?;
        let mut payload = vec![0; length];
        reader.read_exact(&mut payload)?;
        Ok(Some(Self::new(stream, kind, payload)))
    }
}

/// Length, stream and kind.
fn parse_header(header: &[u8; HEADER]) -> io::Result<(usize, u32, FrameKind)> {
    let [l0, l1, l2, l3, s0, s1, s2, s3, kind] = *header;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    let stream = u32::from_le_bytes([s0, s1, s2, s3]);
    let kind = FrameKind::ALL.get(usize::from(kind)).copied();
    match kind {
        Some(kind) if length <= LONGEST => Ok((length, stream, kind)),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the agent's channel carries something that is no frame",
        )),
    }
}

/// Cuts a stream of bytes into frames, however the bytes arrive.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    consumed: usize,
}

impl Decoder {
    /// Takes in more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.consumed > CHUNK {
            self.buffer.drain(..self.consumed);
            self.consumed = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, if there is one by now.
    pub fn next_frame(&mut self) -> io::Result<Option<Frame>> {
        let rest = &self.buffer[self.consumed..];
        let Some((header, rest)) = rest.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let (length, stream, kind) = parse_header(header)?;
        let Some(payload) = rest.get(..length) else {
            return Ok(None);
        };
        let frame = Frame::new(stream, kind, payload.to_vec());
        self.consumed += HEADER + length;
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_any_cutting_of_the_bytes() {
        let frames = [
            Frame::new(7, FrameKind::Out, b"hello".to_vec()),
            Frame::credit(8, 65_536),
            Frame::new(9, FrameKind::EndOfInput, Vec::new()),
        ];
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
        for step in 1..bytes.len() {
            let mut decoder = Decoder::default();
            let mut seen = Vec::new();
            for piece in bytes.chunks(step) {
                decoder.push(piece);
                while let Some(frame) = decoder.next_frame().unwrap() {
                    seen.push(frame);
                }
            }
            assert_eq!(seen, frames, "cut every {step} bytes");
        }
        assert_eq!(frames[1].granted(), 65_536);
    }

    #[test]
    fn bytes_that_are_no_frame_are_refused() {
        let mut decoder = Decoder::default();
        decoder.push(b"Segmentation fault");
        assert!(decoder.next_frame().is_err());
    }
}
