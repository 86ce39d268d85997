//! The root file system of a place, put together below the state directory.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sys::statfs::{OVERLAYFS_SUPER_MAGIC, statfs};

use super::error::{During, SandboxError};
use super::etc;
use super::inhabit::Ground;
use super::kernel::make_read_only;
use super::layers::{Piece, Uppers, is_apart, survey};
use super::recipe::{JOB, Recipe};
use super::secrets::Secret;
use super::skeleton::Skeleton;
use super::system::{self, Processes, bind, mount_small_tmpfs, mount_tmpfs};
use crate::agent::protocol::FileSpec;
use crate::agent::{EnvironmentSpec, Mount};
use crate::backend::Shortcoming;

/// What a job may write to a directory in memory: far more than command files are read of.
const IN_MEMORY_BYTES: u64 = 256 << 20;

/// Directories that are empty in every place: what users of this machine keep there is
/// none of a job's business.
const EMPTY: &[(&str, u32)] = &[("root", 0o700), ("srv", 0o755), ("snap", 0o755)];

/// A root file system under construction.
pub(super) struct RootFs<'a> {
    spec: &'a EnvironmentSpec,
    recipe: Recipe,
    secrets: &'a [Secret],
    skeleton: Option<&'a Skeleton>,
    root: PathBuf,
    shortcomings: Vec<Shortcoming>,
}

impl<'a> RootFs<'a> {
    /// Where it will be. The state directory exists and is empty. The ground's secrets will be empty.
    pub(super) fn new(ground: Ground<'a>) -> Result<Self, SandboxError> {
        let Ground {
            spec,
            recipe,
            secrets,
            skeleton,
        } = ground;
        let mut shortcomings = Vec::new();
        let state = &spec.state;
        let kind = statfs(state).during("look at the file system of", state)?;
        if kind.filesystem_type() == OVERLAYFS_SUPER_MAGIC {
            // The kernel takes no upper layer from an overlay, such as a container's root.
            mount_tmpfs(state, MsFlags::MS_NODEV, 0o755)?;
            shortcomings.push(Shortcoming::InMemory);
        }
        let root = state.join("root");
        fs::create_dir_all(&root).during("make", &root)?;
        Ok(Self {
            spec,
            recipe,
            secrets,
            skeleton,
            root,
            shortcomings,
        })
    }

    /// An empty directory until [`RootFs::build`].
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Mounts everything.
    pub(super) fn build(
        mut self,
        processes: Processes,
    ) -> Result<(PathBuf, Vec<Shortcoming>), SandboxError> {
        let pieces = survey(self.recipe)?;
        let uppers = Uppers::create(self.recipe, self.skeleton, &self.spec.state, &pieces)?;
        let loose = self.fill(&uppers)?;
        self.mount_pieces(&pieces, &uppers)?;
        let tmp = self.spec.state.join("tmp");
        system::mount_all(&self.root, &tmp, self.recipe, processes)?;
        self.show_program()?;
        self.hide()?;
        self.mount_home()?;
        for directory in &self.spec.in_memory {
            let path = self.inside(directory);
            self.make_for_job(&path)?;
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
            mount_small_tmpfs(&path, flags, (0o755, IN_MEMORY_BYTES))?;
            self.give_to_job(&path)?;
        }
        self.place(&loose)?;
        for mount in &self.spec.mounts {
            self.mount_extra(mount)?;
        }
        Ok((self.root, self.shortcomings))
    }

    /// Fills the upper layers. Returns the files that no overlay covers.
    fn fill(&self, uppers: &Uppers<'_>) -> Result<Vec<FileSpec>, SandboxError> {
        etc::empty_secrets(uppers, self.secrets, &self.hidden())?;
        etc::furnish(uppers)?;
        let mut loose = Vec::new();
        let own = etc::files(self.recipe, &self.spec.hostname);
        for file in own.into_iter().chain(self.spec.files.iter().cloned()) {
            if !uppers.put(&file)? {
                loose.push(file);
            }
        }
        for mount in &self.spec.mounts {
            if mount.source.is_dir() {
                uppers.put_directory(&mount.target, None)?;
            } else if let Some(parent) = mount.target.parent() {
                uppers.put_directory(parent, None)?;
            }
        }
        Ok(loose)
    }

    fn mount_pieces(&mut self, pieces: &[Piece], uppers: &Uppers<'_>) -> Result<(), SandboxError> {
        if self.recipe != Recipe::Root {
            mount_tmpfs(
                &self.root,
                MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
                self.recipe.mode_of_roots(0o755),
            )?;
        }
        for piece in pieces {
            match piece {
                Piece::Overlay(path) => self.mount_overlay(path, uppers)?,
                Piece::Directory(path) => {
                    let target = self.inside(path);
                    fs::create_dir_all(&target).during("make", &target)?;
                }
                Piece::Link(path) => {
                    let link = fs::read_link(path).during("read", path)?;
                    let target = self.inside(path);
                    std::os::unix::fs::symlink(link, &target).during("link", &target)?;
                }
                Piece::File(path) => {
                    let target = self.inside(path);
                    File::create(&target).during("make", &target)?;
                    bind(path, &target)?;
                    make_read_only(&target, false).during("make read-only", &target)?;
                }
            }
        }
        Ok(())
    }

    fn mount_overlay(&mut self, over: &Path, uppers: &Uppers<'_>) -> Result<(), SandboxError> {
        let Some((upper, between)) = uppers.of(over) else {
            return Ok(());
        };
        let skeleton = self.skeleton.and_then(|skeleton| skeleton.over(over));
        let lower = between.into_iter().chain(skeleton.as_deref()).chain([over]);
        let target = self.inside(over);
        fs::create_dir_all(&target).during("make", &target)?;
        let work = upper.with_extension("work");
        fs::create_dir_all(&work).during("make", &work)?;
        let options = format!(
            "lowerdir={},upperdir={},workdir={},{}",
            lower.map(escape).collect::<Vec<_>>().join(":"),
            escape(upper),
            escape(&work),
            self.recipe.overlay_options()
        );
        let mounted = mount(
            Some("overlay"),
            &target,
            Some("overlay"),
            MsFlags::empty(),
            Some(options.as_str()),
        );
        match (mounted, self.recipe) {
            (Ok(()), _) => Ok(()),
            (failed, Recipe::Root) => failed.during("mount an overlay on", &target),
            (Err(_), _) => self.stand_in(over, upper, &target),
        }
    }

    /// Without an overlay a directory is this machine's own, read-only, and only what it
    /// has can be covered.
    fn stand_in(&mut self, over: &Path, upper: &Path, target: &Path) -> Result<(), SandboxError> {
        bind(over, target)?;
        make_read_only(target, false).during("make read-only", target)?;
        self.shortcomings.push(Shortcoming::ReadOnly {
            path: over.to_owned(),
        });
        let mut directories = vec![PathBuf::new()];
        while let Some(below) = directories.pop() {
            for entry in fs::read_dir(upper.join(&below))
                .into_iter()
                .flatten()
                .flatten()
            {
                let name = below.join(entry.file_name());
                if entry.path().is_dir() {
                    directories.push(name);
                } else if bind(&entry.path(), &target.join(&name)).is_err() {
                    self.shortcomings.push(Shortcoming::NotPlaced {
                        path: over.join(name),
                    });
                }
            }
        }
        Ok(())
    }

    /// lrun itself, for what in an ordinary user's place calls it.
    fn show_program(&self) -> Result<(), SandboxError> {
        if self.recipe == Recipe::Root {
            return Ok(());
        }
        let path = self.inside(Path::new(etc::PROGRAM));
        if let Some(parent) = path.parent() {
            fs::create_dir(parent).during("make", parent)?;
            let mode = fs::Permissions::from_mode(self.recipe.mode_of_roots(0o755));
            fs::set_permissions(parent, mode).during("set the mode of", parent)?;
        }
        File::create(&path).during("make", &path)?;
        let this = Path::new("/proc/self/exe");
        // By its name: the link itself leads to a mount of another namespace.
        let named = fs::read_link(this).during("read", this)?;
        if bind(&named, &path).is_ok() {
            return make_read_only(&path, true).during("make read-only", &path);
        }
        // Replaced meanwhile by a newer one, or out of reach.
        fs::copy(this, &path).during("copy", this)?;
        let mode = fs::Permissions::from_mode(self.recipe.mode_of_roots(0o755));
        fs::set_permissions(&path, mode).during("set the mode of", &path)
    }

    /// Covers what must not be seen: other users' files, lrun's own, what the caller names.
    fn hide(&self) -> Result<(), SandboxError> {
        for (name, mode) in EMPTY {
            let path = self.root.join(name);
            if *name != "snap" {
                fs::create_dir_all(&path).during("make", &path)?;
            }
            if path.is_dir() {
                let mode = self.recipe.mode_of_roots(*mode);
                mount_tmpfs(&path, MsFlags::MS_NOSUID | MsFlags::MS_NODEV, mode)?;
            }
        }
        for path in self.hidden() {
            let inside = self.inside(&path);
            if !is_apart(&path) && inside.is_dir() {
                mount_tmpfs(&inside, MsFlags::MS_RDONLY, 0o755)?;
            }
        }
        Ok(())
    }

    /// What is covered because lrun or its caller says so, by canonical path.
    fn hidden(&self) -> Vec<PathBuf> {
        [&self.spec.state, &self.spec.home]
            .into_iter()
            .chain(&self.spec.hidden)
            .map(|path| fs::canonicalize(path).unwrap_or_else(|_| path.clone()))
            .collect()
    }

    fn mount_home(&self) -> Result<(), SandboxError> {
        let job_home = self.spec.home.join("runner");
        if !job_home.is_dir() {
            fs::create_dir_all(&job_home).during("make", &job_home)?;
        }
        self.give_to_job(&job_home)?;
        let target = self.root.join("home");
        fs::create_dir_all(&target).during("make", &target)?;
        let mode = fs::Permissions::from_mode(self.recipe.mode_of_roots(0o755));
        fs::set_permissions(&self.spec.home, mode).during("set the mode of", &self.spec.home)?;
        bind(&self.spec.home, &target)
    }

    /// Writes files where there is no upper layer to put them in.
    fn place(&mut self, files: &[FileSpec]) -> Result<(), SandboxError> {
        for file in files {
            let path = self.inside(Path::new(&file.path));
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).during("make", parent)?;
            }
            fs::write(&path, &file.content).during("write", &path)?;
            let mode = self.recipe.mode_of_roots(file.mode);
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))
                .during("set the mode of", &path)?;
        }
        Ok(())
    }

    fn mount_extra(&mut self, mount: &Mount) -> Result<(), SandboxError> {
        let target = self.inside(&mount.target);
        let is_directory = mount.source.is_dir();
        let directory = if is_directory {
            Some(target.as_path())
        } else {
            target.parent()
        };
        self.make_for_job(directory.unwrap_or(&self.root))?;
        if !is_directory && !target.exists() {
            File::create(&target).during("make", &target)?;
        }
        bind(&mount.source, &target)?;
        make_read_only(&target, true).during("make read-only", &target)
    }

    /// Makes directories that are missing; those in the job's home are the job's.
    fn make_for_job(&self, directory: &Path) -> Result<(), SandboxError> {
        let missing: Vec<&Path> = directory
            .ancestors()
            .take_while(|path| !path.exists())
            .collect();
        for path in missing.into_iter().rev() {
            fs::create_dir(path).during("make", path)?;
            if path.starts_with(self.root.join("home")) {
                self.give_to_job(path)?;
            }
        }
        Ok(())
    }

    fn give_to_job(&self, path: &Path) -> Result<(), SandboxError> {
        // Where there is but one id, it is the job's already.
        match self.recipe.has_ids() {
            true => chown(path, Some(JOB), Some(JOB)).during("give to the job's user", path),
            false => Ok(()),
        }
    }

    /// Where a path of the place is while it is being built.
    fn inside(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }
}

/// Commas and colons separate options and layers.
fn escape(path: &Path) -> String {
    let mut escaped = String::new();
    for character in path.to_string_lossy().chars() {
        if matches!(character, '\\' | ',' | ':') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_in_a_path_are_escaped() {
        assert_eq!(escape(Path::new("/a:b/c,d\\e")), "/a\\:b/c\\,d\\\\e");
    }
}
