//! `[node]`: where Node.js for JavaScript actions comes from.

use std::path::PathBuf;

use super::table::Table;
use crate::config::settings::Setting;

/// Where Node.js comes from. Only the user's to say: what is fetched runs on this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeSource {
    /// `mirror`: the URL of a copy of Node.js's distribution (`v24.19.0/SHASUMS256.txt` and
    /// the archives beside it), asked in its place.
    pub mirror: Option<Setting<String>>,
    /// `musl`: an archive of a Node.js for musl, for containers whose C library that is.
    pub musl: Option<Setting<PathBuf>>,
}

impl NodeSource {
    pub(super) fn take(&mut self, whole: &mut Table<'_>) {
        whole.table("node", |node| {
            let why = "what it names runs on your machine";
            node.only_users("mirror", why).only_users("musl", why);
            node.text("mirror", &mut self.mirror);
            node.path("musl", &mut self.musl);
        });
    }
}
