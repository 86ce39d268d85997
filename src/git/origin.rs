//! Which repository of GitHub's a clone belongs to.

/// A repository on a server, as a remote's URL names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The host, lower-case, without user and port; `github.com` for its ssh hosts too.
    pub host: String,
    /// The owner.
    pub owner: String,
    /// The repository's name, without `.git`.
    pub name: String,
}

impl Origin {
    /// Reads `https://host/owner/name.git`, `ssh://git@host:22/owner/name` and
    /// `git@host:owner/name.git`. Local paths, and URLs that do not have exactly an owner and a
    /// name, name nothing on GitHub.
    pub fn parse(url: &str) -> Option<Self> {
        let (authority, path) = match url.split_once("://") {
            Some(("file", _)) => return None,
            Some((_, rest)) => rest.split_once('/')?,
            None => url
                .split_once(':')
                .filter(|(host, _)| !host.contains('/'))?,
        };
        let host = authority.rsplit('@').next()?;
        let host = host.split(':').next()?.to_ascii_lowercase();
        let path = path.trim_matches('/');
        let (owner, name) = path.strip_suffix(".git").unwrap_or(path).split_once('/')?;
        if host.is_empty() || owner.is_empty() || name.is_empty() || name.contains('/') {
            return None;
        }
        Some(Self {
            host: match host.as_str() {
                "ssh.github.com" | "www.github.com" => "github.com".to_owned(),
                _ => host,
            },
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_every_kind_name_their_repository() {
        let expected = Some(Origin {
            host: "github.com".into(),
            owner: "octo-org".into(),
            name: "hello.world".into(),
        });
        for url in [
            "https://github.com/octo-org/hello.world",
            "https://user:secret@GitHub.com/octo-org/hello.world.git/",
            "git@github.com:octo-org/hello.world.git",
            "github.com:octo-org/hello.world",
            "ssh://git@ssh.github.com:443/octo-org/hello.world.git",
            "git://github.com/octo-org/hello.world.git",
        ] {
            assert_eq!(Origin::parse(url), expected, "{url}");
        }
    }

    #[test]
    fn paths_and_deeper_groups_name_none() {
        for url in [
            "/srv/git/hello.git",
            "../hello",
            "file:///srv/git/hello.git",
            "https://gitlab.com/group/sub/name",
            "https://github.com/owner",
            "./odd:dir/x",
            "",
        ] {
            assert_eq!(Origin::parse(url), None, "{url}");
        }
    }
}
