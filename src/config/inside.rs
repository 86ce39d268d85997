//! Which files a repository may name.

use std::io;
use std::path::{Path, PathBuf};

/// The file that `path` is, taken from `root`, if it is below `root` wherever links lead.
///
/// What comes with a repository was written by its author: a name in it, or a link, must not make
/// lrun read the user's other files and hand them to a job.
///
/// # Errors
/// That of looking; [`io::ErrorKind::PermissionDenied`] where it leads out of `root`.
pub fn inside(root: &Path, path: &Path) -> io::Result<PathBuf> {
    let real = root.join(path).canonicalize()?;
    if real.starts_with(root.canonicalize()?) {
        return Ok(real);
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!(
            "it is {}, outside of {}: what comes with a repository may not name the user's other files",
            real.display(),
            root.display()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_name_nor_a_link_leads_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("repository");
        std::fs::create_dir(&root).expect("created");
        std::fs::write(folder.path().join("private"), "").expect("written");
        std::fs::write(root.join("own"), "").expect("written");
        std::os::unix::fs::symlink("own", root.join("link")).expect("linked");
        std::os::unix::fs::symlink("../private", root.join("out")).expect("linked");
        let kind = |name: &str| inside(&root, Path::new(name)).map_err(|error| error.kind());
        let own = root.canonicalize().expect("it is there").join("own");
        assert_eq!(kind("own"), Ok(own.clone()));
        assert_eq!(kind("link"), Ok(own));
        for name in ["out", "../private", "/etc/passwd"] {
            assert_eq!(kind(name), Err(io::ErrorKind::PermissionDenied), "{name}");
        }
        assert_eq!(kind("absent"), Err(io::ErrorKind::NotFound));
    }
}
