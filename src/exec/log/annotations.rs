//! Where in the code an annotation belongs (runner `IssueCommandExtension`).

use crate::exec::command::Command;

/// Where in the code an annotation belongs, and its title.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) title: Option<String>,
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) end_line: Option<u32>,
    pub(super) column: Option<u32>,
    pub(super) end_column: Option<u32>,
}

impl Place {
    /// What `error`, `warning` and `notice` say of it: a file below the workspace is named from
    /// there, and lines and columns that contradict each other are left out.
    pub(super) fn of(command: &Command, workspace: &str) -> Self {
        let text = |name: &str| command.property(name).filter(|text| !text.is_empty());
        let number = |name: &str| text(name)?.trim().parse::<u32>().ok();
        let file = text("file").map(|file| {
            let below = file.strip_prefix(workspace);
            let below = below.and_then(|file| file.strip_prefix('/'));
            below.unwrap_or(file).to_owned()
        });
        let mut place = Self {
            title: text("title").map(str::to_owned),
            file,
            line: number("line"),
            end_line: number("endLine"),
            column: number("col"),
            end_column: number("endColumn"),
        };
        place.agree();
        place
    }

    fn agree(&mut self) {
        // An end alone is a beginning too.
        self.line = self.line.or(self.end_line);
        self.column = self.column.or(self.end_column);
        let on_one_line = self.end_line.is_none_or(|end| self.line == Some(end));
        if self.line.is_none() || !on_one_line {
            (self.column, self.end_column) = (None, None);
        }
        if self.end_line < self.line && self.end_line.is_some() {
            (self.line, self.end_line) = (None, None);
        }
        if self.end_column < self.column && self.end_column.is_some() {
            (self.column, self.end_column) = (None, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line, its end, column, its end.
    type Numbers = (Option<u32>, Option<u32>, Option<u32>, Option<u32>);

    fn place(properties: &str) -> Place {
        let line = format!("::error {properties}::x");
        let command = Command::parse(&line, None).expect("it is a command");
        Place::of(&command, "/home/runner/work/r/r")
    }

    fn numbers(properties: &str) -> Numbers {
        let place = place(properties);
        (place.line, place.end_line, place.column, place.end_column)
    }

    #[test]
    fn a_file_is_named_from_the_workspace() {
        let file = |properties| place(properties).file;
        assert_eq!(
            file("file=/home/runner/work/r/r/a/b.c").as_deref(),
            Some("a/b.c")
        );
        assert_eq!(
            file("file=/home/runner/work/r/rest.c").as_deref(),
            Some("/home/runner/work/r/rest.c")
        );
        assert_eq!(file("file=a.c").as_deref(), Some("a.c"));
        assert_eq!(file("file="), None);
    }

    #[test]
    fn lines_and_columns_agree() {
        assert_eq!(numbers("line=1,endLine=2"), (Some(1), Some(2), None, None));
        assert_eq!(numbers("endLine=2"), (Some(2), Some(2), None, None));
        assert_eq!(
            numbers("line=1,endColumn=4"),
            (Some(1), None, Some(4), Some(4))
        );
        assert_eq!(numbers("col=4"), (None, None, None, None));
        assert_eq!(
            numbers("line=1,endLine=2,col=3"),
            (Some(1), Some(2), None, None)
        );
        assert_eq!(
            numbers("line=2,endLine=2,col=3,endColumn=5"),
            (Some(2), Some(2), Some(3), Some(5))
        );
        assert_eq!(numbers("line=3,endLine=2"), (None, None, None, None));
        assert_eq!(
            numbers("line=3,col=5,endColumn=4"),
            (Some(3), None, None, None)
        );
        assert_eq!(numbers("line=x"), (None, None, None, None));
    }
}
