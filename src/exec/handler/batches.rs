//! Items on their way to the agent.

use tokio::sync::mpsc;

use crate::agent::Batch;
use crate::event::Transfer;
use crate::tree::TreeItem;

/// How much is sent to the agent at a time.
const BATCH_BYTES: usize = 256 * 1024;
const BATCH_ITEMS: usize = 256;

/// The receiver has gone: the place is.
#[derive(Debug)]
pub(super) struct Gone;

/// Sends items in batches and counts their content. What is left must be sent by
/// [`Batches::finish`].
pub(super) struct Batches<'t> {
    sender: mpsc::Sender<Batch>,
    moved: &'t Transfer,
    batch: Batch,
    bytes: usize,
}

impl<'t> Batches<'t> {
    pub(super) fn new(sender: mpsc::Sender<Batch>, moved: &'t Transfer) -> Self {
        Self {
            sender,
            moved,
            batch: Batch::new(),
            bytes: 0,
        }
    }

    /// Takes the next item; waits for the receiver where it is behind.
    pub(super) fn push(&mut self, item: TreeItem) -> Result<(), Gone> {
        self.bytes += item.content_length();
        self.batch.push(item);
        match self.bytes < BATCH_BYTES && self.batch.len() < BATCH_ITEMS {
            true => Ok(()),
            false => self.send(),
        }
    }

    /// Sends the rest.
    pub(super) fn finish(mut self) -> Result<(), Gone> {
        self.send()
    }

    fn send(&mut self) -> Result<(), Gone> {
        let batch = std::mem::take(&mut self.batch);
        self.sender.blocking_send(batch).map_err(|_| Gone)?;
        self.moved.add(std::mem::take(&mut self.bytes));
        Ok(())
    }
}
