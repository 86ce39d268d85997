//! Reading a table of `lrun.toml`: each key that is asked for is allowed, all others are not.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::inside::inside;
use crate::config::settings::{Origin, Setting};
use crate::source::{Position, Source};

/// Who wrote what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// Whoever wrote the repository.
    Repository,
    /// The user, for every repository.
    User,
    /// The user, for the repository that runs.
    UserForRepository,
}

/// A file, and what is wrong with it.
#[derive(Debug)]
pub(super) struct Document {
    owner: Owner,
    source: Arc<Source>,
    folder: PathBuf,
    problems: RefCell<Vec<(Position, String)>>,
}

impl Document {
    pub(super) fn new(owner: Owner, shown: String, path: &Path, text: String) -> Self {
        Self {
            owner,
            source: Source::new(shown, text),
            folder: path.parent().unwrap_or(Path::new("/")).to_owned(),
            problems: RefCell::default(),
        }
    }

    /// Who wrote it.
    pub(super) fn owner(&self) -> Owner {
        self.owner
    }

    /// The file's entries; none where it is no TOML, which is then a problem.
    pub(super) fn parse(&self) -> Option<Spanned<DeTable<'_>>> {
        match DeTable::parse(&self.source.text) {
            Ok(entries) => Some(entries),
            Err(error) => {
                self.add(error.span().unwrap_or_default(), error.message());
                None
            }
        }
    }

    pub(super) fn whole<'t>(&'t self, entries: &'t DeTable<'t>) -> Table<'t> {
        Table {
            document: self,
            owner: self.owner,
            name: String::new(),
            entries,
            allowed: Vec::new(),
        }
    }

    /// `lrun.toml:3:5: what is wrong`, in the order of the file.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = self.problems.borrow().clone();
        problems.sort();
        problems.dedup();
        let told = |(Position { line, column }, what): (Position, String)| {
            format!("{}:{line}:{column}: {what}", self.source.path)
        };
        problems.into_iter().map(told).collect()
    }

    fn add(&self, span: Range<usize>, what: impl Display) {
        let position = self.source.position(span.start);
        self.problems
            .borrow_mut()
            .push((position, what.to_string()));
    }
}

/// A table that is being read.
#[derive(Debug)]
pub(super) struct Table<'t> {
    document: &'t Document,
    owner: Owner,
    /// `node`, `environments.production`; empty of the file itself.
    name: String,
    entries: &'t DeTable<'t>,
    allowed: Vec<&'static str>,
}

impl<'t> Table<'t> {
    /// Who wrote it.
    pub(super) fn owner(&self) -> Owner {
        self.owner
    }

    /// The folder that its file stands in.
    pub(super) fn folder(&self) -> &'t Path {
        &self.document.folder
    }

    /// Refuses a key that only the user may set, and says why.
    pub(super) fn only_users(&mut self, key: &'static str, why: &str) -> &mut Self {
        self.allowed.push(key);
        if let (Owner::Repository, Some((name, _))) = (self.owner, self.entry(key)) {
            let what = format!(
                "`{key}` is only taken from your own file (lrun/lrun.toml in XDG_CONFIG_HOME or ~/.config), not from a repository's: {why}"
            );
            self.document.add(name.span(), what);
        }
        self
    }

    /// Reads a table of tables with names of their writer's choice.
    pub(super) fn tables(&mut self, key: &'static str, mut read: impl FnMut(&str, &mut Table<'t>)) {
        self.allowed.push(key);
        let Some((_, value)) = self.entry(key) else {
            return;
        };
        let Some(outer) = self.inner(key, value, "a table of tables") else {
            return;
        };
        for (name, value) in outer.in_order() {
            if let Some(mut table) = outer.inner(name.get_ref(), value, "a table") {
                read(name.get_ref(), &mut table);
                table.finish();
            }
        }
    }

    /// Reads a table of values with names of their writer's choice; what `read` cannot take it
    /// refuses with what it wants.
    pub(super) fn values<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&str, Value<'_>) -> Result<T, String>,
    ) -> Vec<(String, Setting<T>)> {
        self.allowed.push(key);
        let inner = self
            .entry(key)
            .and_then(|(_, value)| self.inner(key, value, "a table"));
        let Some(inner) = inner else {
            return Vec::new();
        };
        let mut taken = Vec::new();
        for (name, value) in inner.in_order() {
            match read(name.get_ref(), Value(value.get_ref())) {
                Ok(read) => {
                    let origin = self.origin(value.span());
                    taken.push((name.get_ref().to_string(), Setting::new(read, origin)));
                }
                Err(what) => self.document.add(value.span(), what),
            }
        }
        taken
    }

    /// From here on it is what the user says of one repository.
    pub(super) fn be_of_one_repository(&mut self) {
        self.owner = Owner::UserForRepository;
    }

    /// Refuses what nobody asked for.
    pub(super) fn finish(&mut self) {
        let mut allowed = std::mem::take(&mut self.allowed);
        allowed.sort_unstable();
        let place = match self.name.as_str() {
            "" => String::new(),
            name => format!(" in [{name}]"),
        };
        for (name, _) in self.in_order() {
            let key: &str = name.get_ref();
            if !allowed.contains(&key) {
                let mut known = allowed.clone();
                known.dedup();
                let known = known.join(", ");
                let what = format!("there is no key `{key}`{place}; there are {known}");
                self.document.add(name.span(), what);
            }
        }
    }

    fn refuse(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let kind = value.get_ref().type_str();
        let what = format!("`{key}` has to be {wanted}, not of type {kind}");
        self.document.add(value.span(), what);
    }

    fn entry(
        &self,
        key: &str,
    ) -> Option<(
        &'t Spanned<toml::de::DeString<'t>>,
        &'t Spanned<DeValue<'t>>,
    )> {
        self.entries.get_key_value(key)
    }

    fn in_order(
        &self,
    ) -> Vec<(
        &'t Spanned<toml::de::DeString<'t>>,
        &'t Spanned<DeValue<'t>>,
    )> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        entries
    }

    fn inner(&self, key: &str, value: &'t Spanned<DeValue<'t>>, wanted: &str) -> Option<Table<'t>> {
        let Some(entries) = value.get_ref().as_table() else {
            self.refuse(key, value, wanted);
            return None;
        };
        Some(Table {
            document: self.document,
            owner: self.owner,
            name: match self.name.as_str() {
                "" => key.to_owned(),
                name => format!("{name}.{key}"),
            },
            entries,
            allowed: Vec::new(),
        })
    }

    fn origin(&self, span: Range<usize>) -> Origin {
        Origin::File {
            path: self.document.source.path.clone(),
            position: self.document.source.position(span.start),
        }
    }
}

/// What sections read single keys with.
#[expect(dead_code, reason = "no section has a single key yet")]
impl<'t> Table<'t> {
    /// Takes a text, if the key is there.
    pub(super) fn text(&mut self, key: &'static str, into: &mut Option<Setting<String>>) {
        self.take(key, "a string", into, |value| {
            value.as_str().map(str::to_owned)
        });
    }

    /// Takes a flag, if the key is there.
    pub(super) fn flag(&mut self, key: &'static str, into: &mut Option<Setting<bool>>) {
        self.take(key, "true or false", into, |value| value.as_bool());
    }

    /// Takes a list of texts, if the key is there.
    pub(super) fn texts(&mut self, key: &'static str, into: &mut Option<Setting<Vec<String>>>) {
        self.take(key, "a list of strings", into, |value| {
            let items = value.as_array()?.iter();
            let texts = items.map(|item| item.get_ref().as_str().map(str::to_owned));
            texts.collect()
        });
    }

    /// Takes a path, if the key is there: from the file's folder, and of a repository's file only
    /// of what is there in the repository.
    pub(super) fn path(&mut self, key: &'static str, into: &mut Option<Setting<PathBuf>>) {
        let mut text = None;
        self.text(key, &mut text);
        let (Some(text), Some((_, value))) = (text, self.entry(key)) else {
            return;
        };
        let path = self.document.folder.join(&text.value);
        match self.owner {
            Owner::Repository => match inside(&self.document.folder, &path) {
                Ok(path) => *into = Some(Setting::new(path, text.origin)),
                Err(error) => {
                    let what = format!("`{key}`: cannot use {}: {error}", text.value);
                    self.document.add(value.span(), what);
                }
            },
            _ => *into = Some(Setting::new(path, text.origin)),
        }
    }

    /// Reads a table, if the key is there. What is left over in it is refused.
    pub(super) fn table(&mut self, key: &'static str, read: impl FnOnce(&mut Table<'t>)) {
        self.allowed.push(key);
        if let Some((_, value)) = self.entry(key)
            && let Some(mut table) = self.inner(key, value, "a table")
        {
            read(&mut table);
            table.finish();
        }
    }

    fn take<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        into: &mut Option<Setting<T>>,
        convert: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) {
        self.allowed.push(key);
        let Some((_, value)) = self.entry(key) else {
            return;
        };
        match convert(value.get_ref()) {
            Some(taken) => *into = Some(Setting::new(taken, self.origin(value.span()))),
            None => self.refuse(key, value, wanted),
        }
    }
}

/// A value that may be of several types.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'v>(&'v DeValue<'v>);

impl<'v> Value<'v> {
    /// A text.
    pub(super) fn text(self) -> Option<&'v str> {
        self.0.as_str()
    }

    /// The text of the only key of a table: `{ env = "NAME" }`.
    pub(super) fn only(self) -> Option<(&'v str, &'v str)> {
        let table = self.0.as_table()?;
        let (key, value) = table.iter().next().filter(|_| table.len() == 1)?;
        Some((key.get_ref(), value.get_ref().as_str()?))
    }
}
