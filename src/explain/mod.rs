//! Why a cache did what it did, in words: any lookup, live or out of a record. Pure.
//!
//! One wording for each reason, so that the report of a run and `lrun explain` long after it
//! say the same. Nothing is looked up here: what the record does not say is not told.

mod part;
mod reason;
mod recorded;
mod text;
mod version;

pub use part::{hosted, part, unmatched};
pub use reason::{Line, basis, matched_by, not_saved, reasons};
pub use recorded::{NoSuchStep, RecordedRun, RecordedStep, Save};
pub use text::{count, shorten};
