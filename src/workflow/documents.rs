//! The seam through which the text of called workflows comes.
//!
//! A reader opens no file and asks no network: whatever a job's `uses` leads to is asked of a [`Documents`]. Whoever reads a
//! workflow decides what that is: the working folder, a commit, a store of what was fetched. `plan`, `check` and a run of
//! the same files share one.
//!
//! Files that are to be fetched are had in rounds: read; ask [`Workflow::not_followed`](super::Workflow::not_followed) for what
//! is missing; fetch it into the set; read again, until nothing is missing. Reading is pure, so that the last round is as if
//! everything had been there at first.

use std::sync::Arc;

use super::location::Location;
use crate::source::Source;

/// A `uses` of a job, and the file that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// As written.
    pub text: String,
    /// What that means in the file it stands in.
    pub location: Location,
}

/// What there is of a file that is called.
#[derive(Debug, Clone)]
pub enum Document {
    /// Its text. Its path is what errors in it are told with.
    Found(Arc<Source>),
    /// GitHub would not find it, or could not read it: an error of the file that calls it.
    Missing {
        /// In words that follow a colon.
        why: String,
    },
    /// It may be there on GitHub, and is not here: the call is not followed, which is no error.
    NotHere {
        /// In words that follow a colon.
        why: String,
    },
}

/// Where the text of called workflows comes from.
pub trait Documents {
    /// The file a reference leads to. Asked again for the same location, it gives the same answer.
    fn find(&self, reference: &Reference) -> Document;
}
