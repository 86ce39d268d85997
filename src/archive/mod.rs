//! What the toolkit puts into archives and how it reads them back, on real directories and as
//! the calling user: `tar` for caches, `zip` for artifacts.
//!
//! No tar file is written: a cache travels as [`TreeItem`](crate::tree::TreeItem)s, with the
//! members, modes, times and failures that GNU tar would have had under the toolkit's options.
//! Nothing here is asynchronous and nothing knows of keys or stores.

mod artifact;
mod artifact_rules;
mod boolean;
mod content;
mod download_rules;
mod manifest;
mod pack;
mod problem;
mod unpack;
mod unzip;
mod zip;

pub use artifact::{FoundFile, FoundFiles, Sent, find_artifact, send_artifact};
pub use artifact_rules::{
    ArtifactInputs, ArtifactRefusal, IfNoFilesFound, Uploaded, VALID_LINES, artifact_name,
    count_line, no_files_line, retention, search_lines, upload_lines,
};
pub use boolean::NotABoolean;
pub use download_rules::{Choice, DownloadInputs, DownloadRefusal, Offered};
pub use manifest::Manifest;
pub use pack::{PackError, PackRequest, Packed, pack};
pub use problem::FAILED;
pub use unpack::Unpacker;
pub(crate) use unpack::{set_time, time};
pub use unzip::{UnzipError, send_file, unzip};
pub use zip::{CompressionLevel, ZipError, ZipWriter, Zipped};
