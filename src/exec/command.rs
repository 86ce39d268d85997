//! Workflow commands: lines of output that speak to the runner.
//!
//! A line in, a command or nothing out, by the rules of the runner's `ActionCommand.cs`. What a
//! command does is decided elsewhere.

/// A workflow command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Which one.
    pub name: CommandName,
    /// Its properties, unescaped, in order.
    pub properties: Vec<(String, String)>,
    /// What it is about, unescaped.
    pub data: String,
}

/// The commands a runner knows. All others are plain output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandName {
    /// `error`
    Error,
    /// `warning`
    Warning,
    /// `notice`
    Notice,
    /// `debug`
    Debug,
    /// `group`
    Group,
    /// `endgroup`
    EndGroup,
    /// `add-mask`
    AddMask,
    /// `stop-commands`: its data is the token that resumes them.
    StopCommands,
    /// The token of `stop-commands`.
    ResumeCommands,
    /// `echo`
    Echo,
    /// `set-output`
    SetOutput,
    /// `save-state`
    SaveState,
    /// `set-env`, disabled unless allowed.
    SetEnv,
    /// `add-path`, disabled unless allowed.
    AddPath,
    /// `add-matcher`
    AddMatcher,
    /// `remove-matcher`
    RemoveMatcher,
}

impl CommandName {
    /// The command of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match &*name.to_ascii_lowercase() {
            "error" => Self::Error,
            "warning" => Self::Warning,
            "notice" => Self::Notice,
            "debug" => Self::Debug,
            "group" => Self::Group,
            "endgroup" => Self::EndGroup,
            "add-mask" => Self::AddMask,
            "stop-commands" => Self::StopCommands,
            "echo" => Self::Echo,
            "set-output" => Self::SetOutput,
            "save-state" => Self::SaveState,
            "set-env" => Self::SetEnv,
            "add-path" => Self::AddPath,
            "add-matcher" => Self::AddMatcher,
            "remove-matcher" => Self::RemoveMatcher,
            _ => return None,
        })
    }
}

impl Command {
    /// The command on a line, without its line end; none for plain output. While commands are
    /// stopped, `resume_token` is what resumes them, and nothing else is a command.
    pub fn parse(line: &str, resume_token: Option<&str>) -> Option<Self> {
        let known = |name: &str| match resume_token {
            Some(token) => name
                .eq_ignore_ascii_case(token)
                .then_some(CommandName::ResumeCommands),
            None => CommandName::from_name(name),
        };
        COLONS
            .parse(line, known)
            .or_else(|| BRACKETS.parse(line, known))
    }

    /// A property by its name in any case; of several the last one.
    pub fn property(&self, name: &str) -> Option<&str> {
        let mut properties = self.properties.iter().rev();
        let found = properties.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| &**value)
    }
}

/// One of the two ways to write a command.
struct Form {
    open: &'static str,
    close: &'static str,
    /// Whether only white space may stand before it.
    leads_line: bool,
    separator: char,
    data_escapes: &'static [(&'static str, &'static str)],
    property_escapes: &'static [(&'static str, &'static str)],
}

// `%25` comes last: what it gives is not unescaped again.

/// `::name key=value,key=value::data`
const COLONS: Form = Form {
    open: "::",
    close: "::",
    leads_line: true,
    separator: ',',
    data_escapes: &[("%0D", "\r"), ("%0A", "\n"), ("%25", "%")],
    property_escapes: &[
        ("%0D", "\r"),
        ("%0A", "\n"),
        ("%3A", ":"),
        ("%2C", ","),
        ("%25", "%"),
    ],
};

/// `##[name key=value;key=value]data`
const BRACKETS: Form = Form {
    open: "##[",
    close: "]",
    leads_line: false,
    separator: ';',
    data_escapes: BRACKET_ESCAPES,
    property_escapes: BRACKET_ESCAPES,
};

const BRACKET_ESCAPES: &[(&str, &str)] = &[
    ("%3B", ";"),
    ("%0D", "\r"),
    ("%0A", "\n"),
    ("%5D", "]"),
    ("%25", "%"),
];

impl Form {
    fn parse(&self, line: &str, known: impl Fn(&str) -> Option<CommandName>) -> Option<Command> {
        let inner = match self.leads_line {
            true => line.trim_start().strip_prefix(self.open)?,
            false => line.split_once(self.open)?.1,
        };
        let (head, data) = inner.split_once(self.close)?;
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        Some(Command {
            name: known(name)?,
            properties: properties
                .trim()
                .split(self.separator)
                .filter_map(|property| property.split_once('='))
                .map(|(name, value)| (name.to_owned(), unescape(value, self.property_escapes)))
                .collect(),
            data: unescape(data, self.data_escapes),
        })
    }
}

fn unescape(text: &str, escapes: &[(&str, &str)]) -> String {
    escapes
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Command> {
        Command::parse(line, None)
    }

    #[test]
    fn properties_and_data_are_unescaped() {
        let command = parse("  ::ERROR file=a%2Cb%3A.rs,line=3,,x::50%25%0Aoff %3A %250A");
        let command = command.expect("it is a command");
        assert_eq!(command.name, CommandName::Error);
        assert_eq!(command.property("File"), Some("a,b:.rs"));
        assert_eq!(command.property("line"), Some("3"));
        assert_eq!(command.properties.len(), 2);
        assert_eq!(command.data, "50%\noff %3A %0A");
    }

    #[test]
    fn brackets_stand_anywhere_in_a_line() {
        let command = parse("12:00 ##[warning code=1%3B2;col=4]a%5D").expect("it is a command");
        assert_eq!(command.name, CommandName::Warning);
        assert_eq!(command.property("code"), Some("1;2"));
        assert_eq!(command.property("col"), Some("4"));
        assert_eq!(command.data, "a]");
    }

    #[test]
    fn what_the_runner_does_not_know_is_output() {
        for line in [
            "::unknown::x",
            "a ::error::x",
            "::error",
            "##[section]x",
            "##[error x",
            "",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
        let nested = parse("::unknown::##[error]x").expect("the second form is found");
        assert_eq!(nested.name, CommandName::Error);
    }

    #[test]
    fn while_stopped_only_the_token_is_a_command() {
        let token = Some("T0ken");
        assert_eq!(Command::parse("::error::x", token), None);
        let resume = Command::parse("::t0ken::", token).expect("it is a command");
        assert_eq!(resume.name, CommandName::ResumeCommands);
        assert_eq!(parse("::t0ken::"), None);
    }
}
