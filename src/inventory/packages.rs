//! dpkg's database of this machine (deb-control(5), dpkg(1) "FILES").

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The packages installed on this machine, and which of them the label's image has too.
#[derive(Debug)]
pub(super) struct Packages {
    info: PathBuf,
    installed: HashMap<String, Package>,
    /// Packages whose list of files was not read yet; those of the base stand last, the image's next.
    unread: Vec<String>,
    /// The lists that were read, each between line ends.
    lists: Vec<(String, String)>,
    on_image: HashSet<String>,
}

#[derive(Debug, Default)]
struct Package {
    name: String,
    version: String,
    /// `Multi-Arch: same` packages have their architecture in the name of their list.
    architecture: String,
    is_base: bool,
    /// All alternatives of all dependencies.
    needs: Vec<String>,
    /// Names of virtual packages.
    provides: Vec<String>,
}

impl Packages {
    /// The database of the machine below `root`; none where there is no dpkg. The image has
    /// the packages named in `also`, those of priority required, important or standard, and
    /// whatever these depend on.
    pub(super) fn read<'a>(root: &Path, also: impl Iterator<Item = &'a str>) -> Option<Self> {
        let status = fs::read(root.join("var/lib/dpkg/status")).ok()?;
        let installed: HashMap<_, _> = parse_status(&text(status))
            .map(|package| (package.name.clone(), package))
            .collect();
        let on_image = closure(&installed, also);
        let mut unread: Vec<_> = installed.keys().cloned().collect();
        // Taken from the end: most commands come with the base.
        unread.sort_by_cached_key(|name| {
            let is_base = installed.get(name).is_some_and(|package| package.is_base);
            (is_base, on_image.contains(name))
        });
        Some(Self {
            info: root.join("var/lib/dpkg/info"),
            installed,
            unread,
            lists: Vec::new(),
            on_image,
        })
    }

    /// The package that a file came with.
    pub(super) fn owner(&mut self, path: &str) -> Option<String> {
        let lines = spellings(path).map(|path| format!("\n{path}\n"));
        let owns = |(_, files): &&(String, String)| lines.iter().any(|line| files.contains(line));
        if let Some((package, _)) = self.lists.iter().find(owns) {
            return Some(package.clone());
        }
        // Many commands come with a package of their name.
        let name = path.rsplit('/').next();
        if let Some(at) = self
            .unread
            .iter()
            .position(|package| Some(package.as_str()) == name)
        {
            let package = self.unread.remove(at);
            self.unread.push(package);
        }
        while let Some(package) = self.unread.pop() {
            let files = self.read_list(&package);
            self.lists.push((package, files));
            if let Some((package, _)) = self.lists.last().filter(owns) {
                return Some(package.clone());
            }
        }
        None
    }

    /// Whether the image has the package.
    pub(super) fn is_on_image(&self, package: &str) -> bool {
        self.on_image.contains(package)
    }

    /// The version upstream gave it: without epoch and revision.
    pub(super) fn upstream_version(&self, package: &str) -> Option<&str> {
        let full = &self.installed.get(package)?.version;
        let version = full.split_once(':').map_or(full.as_str(), |(_, rest)| rest);
        Some(
            version
                .rsplit_once('-')
                .map_or(version, |(upstream, _)| upstream),
        )
    }

    fn read_list(&self, package: &str) -> String {
        let architecture = self
            .installed
            .get(package)
            .map_or("", |package| package.architecture.as_str());
        let names = [
            format!("{package}.list"),
            format!("{package}:{architecture}.list"),
        ];
        let files = names
            .iter()
            .find_map(|name| fs::read(self.info.join(name)).ok())
            .unwrap_or_default();
        format!("\n{}", text(files))
    }
}

/// A path as packages spell it: since /bin, /sbin and /lib are links into /usr, either way.
fn spellings(path: &str) -> [&str; 2] {
    let short = path.strip_prefix("/usr").filter(|short| {
        ["/bin/", "/sbin/", "/lib"]
            .iter()
            .any(|merged| short.starts_with(merged))
    });
    [path, short.unwrap_or(path)]
}

/// The packages that are installed, one paragraph each.
fn parse_status(status: &str) -> impl Iterator<Item = Package> {
    let mut lines = status.lines().chain([""]);
    let mut package = Package::default();
    let mut is_installed = false;
    std::iter::from_fn(move || {
        loop {
            let line = lines.next()?;
            if line.is_empty() {
                let package = std::mem::take(&mut package);
                if std::mem::take(&mut is_installed) && !package.name.is_empty() {
                    return Some(package);
                }
            } else if let Some((field, value)) = field(line) {
                is_installed |= field == "Status" && value.ends_with(" installed");
                package.take(field, value);
            }
        }
    })
}

/// A field and its value. Lines that begin with a space continue a field that nobody here asks
/// for.
fn field(line: &str) -> Option<(&str, &str)> {
    let (field, value) = line.split_once(':')?;
    Some((field, value.strip_prefix(' ')?))
}

impl Package {
    fn take(&mut self, field: &str, value: &str) {
        match field {
            "Package" => self.name = value.to_owned(),
            "Version" => self.version = value.to_owned(),
            "Architecture" => self.architecture = value.to_owned(),
            "Priority" => self.is_base |= matches!(value, "required" | "important" | "standard"),
            "Essential" => self.is_base |= value == "yes",
            "Depends" | "Pre-Depends" => self.needs.extend(names(value)),
            "Provides" => self.provides.extend(names(value)),
            _ => {}
        }
    }
}

/// The text of a file; what is not UTF-8 in it is replaced.
fn text(bytes: Vec<u8>) -> String {
    // Almost always at once: looking for what to replace is slower.
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The names in `a (>= 1), b:any | c`.
fn names(relation: &str) -> impl Iterator<Item = String> {
    relation.split([',', '|']).filter_map(|one| {
        let name = one.trim().split([' ', ':']).next()?;
        (!name.is_empty()).then(|| name.to_owned())
    })
}

fn closure<'a>(
    installed: &HashMap<String, Package>,
    also: impl Iterator<Item = &'a str>,
) -> HashSet<String> {
    let mut providers: HashMap<&str, Vec<&str>> = HashMap::new();
    for package in installed.values() {
        providers
            .entry(&package.name)
            .or_default()
            .push(&package.name);
        for name in &package.provides {
            providers.entry(name).or_default().push(&package.name);
        }
    }
    let base = installed.values().filter(|package| package.is_base);
    let mut open: Vec<&str> = base.map(|package| package.name.as_str()).collect();
    open.extend(
        also.filter_map(|name| installed.get(name))
            .map(|p| p.name.as_str()),
    );
    let mut found = HashSet::new();
    while let Some(name) = open.pop() {
        if found.insert(name.to_owned())
            && let Some(package) = installed.get(name)
        {
            let needed = package
                .needs
                .iter()
                .filter_map(|need| providers.get(need.as_str()));
            open.extend(needed.flatten());
        }
    }
    found
}
