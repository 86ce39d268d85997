//! What agents have workers do: removing, hashing, packing and unpacking, as the job's user.

use std::future::Future;
use std::io;

use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::agent::Agent;
use super::error::AgentError;
use super::process::Process;
use super::wire::Exchange;
use crate::agent::frame::{CHUNK, Decoder, Frame, FrameKind};
use crate::agent::message::{Complaint, Piece, Removal, Reply, Request, Work};
use crate::agent::protocol::{
    ArtifactSpec, HashReport, HashSpec, PackReport, PackSpec, Signal, UnpackReport, User,
};
use crate::archive::{FoundFiles, Sent};
use crate::tree::TreeItem;

/// Items of a tree that travel together: waking whoever receives them costs more than an item.
pub type Batch = Vec<TreeItem>;

/// Batches that may wait for whoever receives them.
const WAITING: usize = 8;

impl Agent {
    /// Removes whatever is at `path`, as `user`. Nothing there is fine too.
    pub async fn remove(&self, user: User, path: String) -> Result<(), AgentError> {
        let removal = Removal::Whole;
        self.work(user, "remove files", Work::Remove { path, removal })
            .await
    }

    /// Removes all that is in the directory `path`, as `user`; the directory stays.
    pub async fn empty_directory(&self, user: User, path: String) -> Result<(), AgentError> {
        let removal = Removal::Contents;
        self.work(user, "empty a directory", Work::Remove { path, removal })
            .await
    }

    /// `hashFiles`, as the job's user. [`AgentError::Refused`] says why GitHub would fail
    /// the step.
    pub async fn hash_files(&self, spec: HashSpec) -> Result<HashReport, AgentError> {
        self.work(User::Job, "hash files", Work::HashFiles(spec))
            .await
    }

    /// Packs what a cache's paths name, as the job's user. The items are to be received
    /// as they come (packing waits for it, nothing else does) until there are no more;
    /// then the report is ready. Dropping the receiver ends the packing.
    pub async fn pack(
        &self,
        spec: PackSpec,
    ) -> Result<
        (
            mpsc::Receiver<Batch>,
            impl Future<Output = Result<PackReport, AgentError>> + Send + use<>,
        ),
        AgentError,
    > {
        self.receive("pack files", Work::Pack(spec)).await
    }

    /// Finds the files of an artifact, as the job's user. [`AgentError::Refused`] says why
    /// the action would fail.
    pub async fn find_artifact(&self, spec: ArtifactSpec) -> Result<FoundFiles, AgentError> {
        let work = Work::FindArtifact(spec);
        self.work(User::Job, "find an artifact's files", work).await
    }

    /// Sends the files of an artifact; otherwise as [`Agent::pack`].
    pub async fn send_artifact(
        &self,
        found: FoundFiles,
    ) -> Result<
        (
            mpsc::Receiver<Batch>,
            impl Future<Output = Result<Sent, AgentError>> + Send + use<>,
        ),
        AgentError,
    > {
        self.receive("send an artifact's files", Work::SendArtifact(found))
            .await
    }

    /// Starts a worker that sends items, and gives them and its report.
    async fn receive<T: DeserializeOwned + Send + 'static>(
        &self,
        what: &'static str,
        work: Work,
    ) -> Result<
        (
            mpsc::Receiver<Batch>,
            impl Future<Output = Result<T, AgentError>> + Send + use<T>,
        ),
        AgentError,
    > {
        let process = Process::new(self.start(User::Job, what, work).await?);
        let (sender, items) = mpsc::channel(WAITING);
        let report = tokio::spawn(receive_tree(process, sender, what));
        let report = async { report.await.unwrap_or(Err(AgentError::Gone)) };
        Ok((items, report))
    }

    /// Unpacks a tree below `workspace`, as the job's user, merging as `tar -x` does.
    pub async fn unpack(
        &self,
        workspace: String,
        mut items: mpsc::Receiver<Batch>,
    ) -> Result<UnpackReport, AgentError> {
        const WHAT: &str = "unpack files";
        let exchange = self
            .start(User::Job, WHAT, Work::Unpack { workspace })
            .await?;
        let mut bytes = Vec::new();
        while let Some(batch) = items.recv().await {
            for item in batch {
                let frame = Piece::Item(item).into_frame();
                bytes.extend(frame.map_err(|_| AgentError::Gone)?.encode());
            }
            if bytes.len() >= CHUNK || items.is_empty() {
                send_input(&exchange, &bytes).await?;
                bytes.clear();
            }
        }
        let end = Frame::new(exchange.link.stream, FrameKind::EndOfInput, Vec::new());
        exchange.link.send(end)?;
        report_of(Process::new(exchange), WHAT).await
    }

    /// Has a worker do something and report it.
    async fn work<T: DeserializeOwned>(
        &self,
        user: User,
        what: &'static str,
        work: Work,
    ) -> Result<T, AgentError> {
        report_of(Process::new(self.start(user, what, work).await?), what).await
    }

    async fn start(
        &self,
        user: User,
        what: &'static str,
        work: Work,
    ) -> Result<Exchange, AgentError> {
        let mut exchange = self.ask(&Request::Work { user, work })?;
        match exchange.reply().await? {
            Reply::Started => Ok(exchange),
            other => Err(AgentError::confused(what, &other)),
        }
    }
}

/// Sends bytes as fast as the worker takes them.
async fn send_input(exchange: &Exchange, bytes: &[u8]) -> Result<(), AgentError> {
    for chunk in bytes.chunks(CHUNK) {
        let size = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        let permits = exchange.window.acquire_many(size).await;
        permits.map_err(|_| AgentError::Gone)?.forget();
        let stream = exchange.link.stream;
        exchange
            .link
            .send(Frame::new(stream, FrameKind::Input, chunk.to_vec()))?;
    }
    Ok(())
}

/// Hands on the items that a worker finds, and returns its report.
async fn receive_tree<T: DeserializeOwned>(
    mut process: Process,
    items: mpsc::Sender<Batch>,
    what: &'static str,
) -> Result<T, AgentError> {
    let mut decoder = Decoder::default();
    let confused = |error: io::Error| AgentError::Confused {
        request: what,
        answer: error.to_string(),
    };
    while let Some((_, bytes)) = process.output.recv().await {
        decoder.push(&bytes);
        let mut batch = Batch::new();
        let mut last = None;
        while let Some(frame) = decoder.next_frame().map_err(confused)? {
            match Piece::from_frame(frame).map_err(confused)? {
                Piece::Item(item) => batch.push(item),
                Piece::Report(frame) => last = Some(frame),
            }
        }
        if !batch.is_empty() && items.send(batch).await.is_err() {
            // Nobody wants the rest.
            process.signal(Signal::Kill)?;
        }
        if let Some(frame) = last {
            let report: Result<T, Complaint> = frame.message().map_err(confused)?;
            return Ok(report?);
        }
    }
    Err(AgentError::Worker {
        request: what,
        code: process.wait().await?.code,
    })
}

/// Reads the one thing that a worker without items says.
async fn report_of<T: DeserializeOwned>(
    process: Process,
    what: &'static str,
) -> Result<T, AgentError> {
    let (items, _) = mpsc::channel(1);
    receive_tree(process, items, what).await
}
