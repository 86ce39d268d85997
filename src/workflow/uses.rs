//! What a `uses:` text refers to.

/// An action that lrun answers itself, with the outputs, log lines and failure rules of the
/// original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltIn {
    /// `actions/checkout`
    Checkout,
    /// `actions/cache`
    Cache,
    /// `actions/cache/restore`
    CacheRestore,
    /// `actions/cache/save`
    CacheSave,
    /// `actions/upload-artifact`
    UploadArtifact,
    /// `actions/download-artifact`
    DownloadArtifact,
    /// `actions/setup-go`, where lrun stands in for it.
    SetupGo,
    /// `actions/setup-java`, likewise.
    SetupJava,
    /// `actions/setup-node`, likewise.
    SetupNode,
    /// `actions/setup-python`, likewise.
    SetupPython,
    /// `astral-sh/setup-uv`, likewise.
    SetupUv,
    /// `Swatinem/rust-cache`, likewise.
    RustCache,
    /// `dtolnay/rust-toolchain`, likewise.
    RustToolchain,
}

/// What a `uses:` text refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uses {
    /// One of lrun's own, and the version asked for.
    BuiltIn(ActionRef),
    /// Another action of another repository.
    Remote,
    /// `./path`: an action of the repository in the workspace.
    Local,
    /// `$/path`: an action of the repository the workflow stands in.
    SelfRepository,
    /// `docker://image`.
    Docker,
}

/// A built-in action at a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionRef {
    /// Which one.
    pub action: BuiltIn,
    /// The ref after `@`, such as `v4` or `v4.0.1`.
    pub version: String,
}

impl Uses {
    /// Reads a `uses:` text that the workflow reader accepted.
    pub fn parse(text: &str) -> Self {
        if text.starts_with("docker://") {
            return Self::Docker;
        }
        if text.starts_with("./") || text.starts_with("../") {
            return Self::Local;
        }
        if text.starts_with("$/") {
            return Self::SelfRepository;
        }
        let (path, version) = text.rsplit_once('@').unwrap_or((text, ""));
        match built_in(&path.to_ascii_lowercase()) {
            Some(action) => Self::BuiltIn(ActionRef {
                action,
                version: version.to_owned(),
            }),
            None => Self::Remote,
        }
    }
}

/// Actions that lrun stands in for where they cannot be had, or the user asks for it.
const STAND_INS: [(&str, BuiltIn); 7] = [
    ("actions/setup-go", BuiltIn::SetupGo),
    ("actions/setup-java", BuiltIn::SetupJava),
    ("actions/setup-node", BuiltIn::SetupNode),
    ("actions/setup-python", BuiltIn::SetupPython),
    ("astral-sh/setup-uv", BuiltIn::SetupUv),
    ("swatinem/rust-cache", BuiltIn::RustCache),
    ("dtolnay/rust-toolchain", BuiltIn::RustToolchain),
];

impl BuiltIn {
    /// What stands in for the action of a `uses:` text; none where nothing does.
    pub fn stand_in(uses: &str) -> Option<ActionRef> {
        let (path, version) = uses.rsplit_once('@')?;
        let path = path.to_ascii_lowercase();
        let (_, action) = STAND_INS.iter().find(|(known, _)| *known == path)?;
        Some(ActionRef {
            action: *action,
            version: version.to_owned(),
        })
    }

    /// The repository of an action that lrun stands in for; empty for others.
    pub fn stands_in_for(self) -> &'static str {
        let found = STAND_INS.iter().find(|(_, action)| *action == self);
        found.map_or("", |(repository, _)| repository)
    }
}

fn built_in(path: &str) -> Option<BuiltIn> {
    Some(match path {
        "actions/checkout" => BuiltIn::Checkout,
        "actions/cache" => BuiltIn::Cache,
        "actions/cache/restore" => BuiltIn::CacheRestore,
        "actions/cache/save" => BuiltIn::CacheSave,
        "actions/upload-artifact" => BuiltIn::UploadArtifact,
        "actions/download-artifact" => BuiltIn::DownloadArtifact,
        _ => return None,
    })
}

impl ActionRef {
    /// Why GitHub would not run this version; none when it would, as far as is known here.
    /// Branches other than `main` and tags that are no versions are not known.
    pub fn why_not(&self) -> Option<&'static str> {
        let (oldest, newest) = match self.action {
            BuiltIn::Checkout => (1, 6),
            BuiltIn::Cache | BuiltIn::CacheRestore | BuiltIn::CacheSave => (3, 6),
            BuiltIn::UploadArtifact => (4, 7),
            BuiltIn::DownloadArtifact => (4, 8),
            // Of these the plan knows no versions: GitHub has whatever it has.
            _ => return None,
        };
        let is_commit =
            self.version.len() == 40 && self.version.bytes().all(|byte| byte.is_ascii_hexdigit());
        match self.numbers() {
            Some((major, ..)) if major < oldest => {
                Some("GitHub fails this retired version at once")
            }
            Some((major, ..)) if major > newest => Some("no such version is known"),
            Some(_) => None,
            None if is_commit || self.version == "main" => None,
            None => Some("only versions, commits and main are known of this action"),
        }
    }

    /// The major version; none of branches and commits, which are taken as the newest.
    pub fn major(&self) -> Option<u32> {
        self.numbers().map(|(major, _, _)| major)
    }

    /// The version's numbers where it is a version tag: `v4.1` is `(4, Some(1), None)`.
    /// Branches and commits have none: they are taken as the newest.
    pub fn numbers(&self) -> Option<(u32, Option<u32>, Option<u32>)> {
        let mut parts = self.version.strip_prefix('v')?.split('.').map(str::parse);
        let major = parts.next()?.ok()?;
        let minor = parts.next().transpose().ok()?;
        let patch = parts.next().transpose().ok()?;
        Some((major, minor, patch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_apart() {
        let cache = Uses::parse("Actions/Cache@v4.0.1");
        let Uses::BuiltIn(reference) = cache else {
            panic!("{cache:?}");
        };
        assert_eq!(reference.action, BuiltIn::Cache);
        assert_eq!(reference.numbers(), Some((4, Some(0), Some(1))));
        assert_eq!(Uses::parse("./.github/actions/x"), Uses::Local);
        assert_eq!(Uses::parse("$/.github/actions/x"), Uses::SelfRepository);
        assert_eq!(Uses::parse("docker://alpine:3"), Uses::Docker);
        assert_eq!(Uses::parse("actions/setup-go@v5"), Uses::Remote);
    }

    #[test]
    fn a_commit_has_no_version_numbers() {
        let Uses::BuiltIn(reference) = Uses::parse("actions/checkout@0123456789") else {
            panic!("checkout is built in");
        };
        assert_eq!(reference.numbers(), None);
    }
}
