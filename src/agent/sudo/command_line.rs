//! The command line and environment of `sudo`, as sudo(8) has them.

use std::collections::BTreeMap;

use super::SECURE_PATH;
use crate::agent::protocol::User;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// To run a command.
    Run(Box<Run>),
    /// To print this and succeed.
    Say(&'static str),
}

/// A command to run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) user: User,
    /// Program and arguments.
    pub(super) argv: Vec<String>,
    pub(super) directory: Option<String>,
    /// Nobody waits for it.
    pub(super) in_background: bool,
    environment: Preserved,
    set_home: bool,
    login: bool,
    assignments: Vec<(String, String)>,
}

/// What of the caller's environment the command gets.
#[derive(Debug, PartialEq, Eq)]
enum Preserved {
    /// What is harmless, and these.
    Some(Vec<String>),
    /// `--preserve-env`
    All,
}

const LONG: [(&str, char); 20] = [
    ("background", 'b'),
    ("bell", 'B'),
    ("chdir", 'D'),
    ("close-from", 'C'),
    ("group", 'g'),
    ("help", 'h'),
    ("host", 'X'),
    ("list", 'l'),
    ("login", 'i'),
    ("non-interactive", 'n'),
    ("no-update", 'N'),
    ("preserve-env", 'E'),
    ("preserve-groups", 'P'),
    ("prompt", 'p'),
    ("reset-timestamp", 'k'),
    ("set-home", 'H'),
    ("shell", 's'),
    ("stdin", 'S'),
    ("user", 'u'),
    ("validate", 'v'),
];

const USAGE: &str =
    "usage: sudo [-bEHinPS] [-D directory] [-u user] [VAR=value] [-i | -s] [command [arg ...]]";

/// Reads the arguments; the error is what is wrong with them.
pub(super) fn parse(arguments: Vec<String>) -> Result<Asked, String> {
    let mut reading = Reading::default();
    let mut rest = arguments.into_iter();
    let mut words = Vec::new();
    while let Some(word) = rest.next() {
        if word == "--" {
            break;
        } else if let Some(long) = word.strip_prefix("--") {
            reading.long(long, &mut rest)?;
        } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            reading.letters(letters, &mut rest)?;
        } else if is_assignment(&word) {
            let (name, value) = word.split_once('=').unwrap_or((&word, ""));
            reading
                .assignments
                .push((name.to_owned(), value.to_owned()));
        } else {
            words.push(word);
            break;
        }
    }
    words.extend(rest);
    reading.finish(words)
}

#[derive(Default)]
struct Reading {
    user: Option<User>,
    directory: Option<String>,
    in_background: bool,
    preserves_all: bool,
    preserved: Vec<String>,
    set_home: bool,
    login: bool,
    shell: bool,
    answer: Option<&'static str>,
    assignments: Vec<(String, String)>,
}

impl Reading {
    fn long(&mut self, text: &str, rest: &mut impl Iterator<Item = String>) -> Result<(), String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        if let ("preserve-env", Some(list)) = (name, &value) {
            self.preserved.extend(list.split(',').map(str::to_owned));
            return Ok(());
        }
        if name == "version" {
            self.answer = Some("Sudo of lrun, which asks the agent of the job's place");
            return Ok(());
        }
        let (_, letter) = LONG
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| format!("unrecognized option '--{name}'\n{USAGE}"))?;
        let value = match (takes_value(*letter), value) {
            (true, None) => rest.next(),
            (_, value) => value,
        };
        self.option(*letter, value)
    }

    fn letters(
        &mut self,
        letters: &str,
        rest: &mut impl Iterator<Item = String>,
    ) -> Result<(), String> {
        for (at, letter) in letters.char_indices() {
            if takes_value(letter) {
                let attached = &letters[at + letter.len_utf8()..];
                let value = match attached.is_empty() {
                    true => rest.next(),
                    false => Some(attached.to_owned()),
                };
                return self.option(letter, value);
            }
            self.option(letter, None)?;
        }
        Ok(())
    }

    fn option(&mut self, letter: char, value: Option<String>) -> Result<(), String> {
        let needed = || format!("option requires an argument -- '{letter}'\n{USAGE}");
        match letter {
            'b' => self.in_background = true,
            'D' => self.directory = Some(value.ok_or_else(needed)?),
            'E' => self.preserves_all = true,
            'H' => self.set_home = true,
            'i' => self.login = true,
            's' => self.shell = true,
            'u' => self.user = Some(user(&value.ok_or_else(needed)?)?),
            'g' => drop(user(&value.ok_or_else(needed)?)?),
            'l' => {
                self.answer =
                    Some("User runner may run the following commands:\n    (root) NOPASSWD: ALL")
            }
            'h' => self.answer = Some(USAGE),
            'V' => self.answer = Some("Sudo of lrun, which asks the agent of the job's place"),
            'v' | 'k' | 'K' => self.answer = self.answer.or(Some("")),
            // Nothing is asked, nobody is logged in, groups cannot be changed.
            'A' | 'B' | 'C' | 'n' | 'N' | 'P' | 'p' | 'S' | 'T' => {}
            _ => return Err(format!("invalid option -- '{letter}'\n{USAGE}")),
        }
        Ok(())
    }

    fn finish(self, words: Vec<String>) -> Result<Asked, String> {
        let mut argv = words;
        if self.login || self.shell {
            let mut shell = vec!["/bin/bash".to_owned()];
            shell.extend(self.login.then(|| "-l".to_owned()));
            if !argv.is_empty() {
                shell.extend(["-c".to_owned(), escaped(&argv)]);
            }
            argv = shell;
        } else if argv.is_empty() {
            return self.answer.map(Asked::Say).ok_or_else(|| USAGE.to_owned());
        }
        Ok(Asked::Run(Box::new(Run {
            user: self.user.unwrap_or(User::Root),
            argv,
            directory: self.directory,
            in_background: self.in_background,
            environment: match self.preserves_all {
                true => Preserved::All,
                false => Preserved::Some(self.preserved),
            },
            set_home: self.set_home || self.login,
            login: self.login,
            assignments: self.assignments,
        })))
    }
}

fn takes_value(letter: char) -> bool {
    "CDgpTuRrtUX".contains(letter)
}

/// The users there are: others would need ids that the place does not have.
fn user(name: &str) -> Result<User, String> {
    match name {
        "root" | "#0" => Ok(User::Root),
        "runner" | "#1001" => Ok(User::Job),
        other => Err(format!(
            "unable to become '{other}': the job's place has a single user id, that of root and \
             runner; `lrun doctor` says what gives it more"
        )),
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// Words as one text for a shell: everything but plain characters is escaped.
fn escaped(words: &[String]) -> String {
    let word = |word: &String| -> String {
        let plain = |c: char| c.is_alphanumeric() || "_-$".contains(c);
        word.chars().fold(String::new(), |text, c| match plain(c) {
            true => format!("{text}{c}"),
            false => format!("{text}\\{c}"),
        })
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

impl Run {
    /// The command's environment, from the caller's (sudoers(5), `env_reset`).
    pub(super) fn environment<'a>(
        &self,
        callers: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> BTreeMap<String, String> {
        let is_kept = |name: &str| match &self.environment {
            Preserved::All => !is_dangerous(name),
            Preserved::Some(names) => is_harmless(name) || names.iter().any(|kept| kept == name),
        };
        let mut environment: BTreeMap<String, String> = callers
            .filter(|(name, _)| is_kept(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (name, home, mail) = match self.user {
            User::Root => ("root", "/root", "/var/mail/root"),
            User::Job => ("runner", "/home/runner", "/var/mail/runner"),
        };
        let command = self.argv.join(" ");
        let mut set = vec![
            ("LOGNAME", name),
            ("USER", name),
            ("PATH", SECURE_PATH),
            ("SUDO_COMMAND", &command),
            ("SUDO_GID", "1001"),
            ("SUDO_UID", "1001"),
            ("SUDO_USER", "runner"),
        ];
        if self.set_home {
            set.push(("HOME", home));
        }
        for (name, value) in set {
            environment.insert(name.to_owned(), value.to_owned());
        }
        for (name, value) in [
            ("HOME", home),
            ("MAIL", mail),
            ("SHELL", "/bin/bash"),
            ("TERM", "unknown"),
        ] {
            let entry = environment.entry(name.to_owned());
            entry.or_insert_with(|| value.to_owned());
        }
        environment.extend(self.assignments.iter().cloned());
        environment
    }

    /// Where it is to start, if not where its caller is.
    pub(super) fn start(&self) -> Option<&str> {
        match (&self.directory, self.login, self.user) {
            (Some(directory), ..) => Some(directory),
            (None, true, User::Root) => Some("/root"),
            (None, true, User::Job) => Some("/home/runner"),
            (None, false, _) => None,
        }
    }
}

/// `env_keep` and `env_check` as sudo is built.
fn is_harmless(name: &str) -> bool {
    const NAMES: [&str; 15] = [
        "COLORS",
        "COLORTERM",
        "DISPLAY",
        "HOSTNAME",
        "KRB5CCNAME",
        "LANG",
        "LANGUAGE",
        "LINGUAS",
        "LS_COLORS",
        "PS1",
        "PS2",
        "TERM",
        "TZ",
        "XAUTHORITY",
        "XDG_CURRENT_DESKTOP",
    ];
    NAMES.contains(&name) || name.starts_with("LC_")
}

/// `env_delete` as sudo is built.
fn is_dangerous(name: &str) -> bool {
    const NAMES: [&str; 16] = [
        "BASH_ENV",
        "BASHOPTS",
        "CDPATH",
        "ENV",
        "GLOBIGNORE",
        "IFS",
        "JAVA_TOOL_OPTIONS",
        "PERL5DB",
        "PERL5LIB",
        "PERL5OPT",
        "PERLIO_DEBUG",
        "PERLLIB",
        "PYTHONHOME",
        "PYTHONPATH",
        "RUBYLIB",
        "SHELLOPTS",
    ];
    NAMES.contains(&name) || name.starts_with("LD_") || name.starts_with("BASH_FUNC_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Run {
        match parse(line.split(' ').map(str::to_owned).collect()) {
            Ok(Asked::Run(run)) => *run,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn refused(line: &str) -> String {
        parse(line.split(' ').map(str::to_owned).collect()).expect_err(line)
    }

    #[test]
    fn options_end_where_the_command_begins() {
        for line in [
            "id -u",
            "-n id -u",
            "-nH -- id -u",
            "-u root id -u",
            "-uroot id -u",
            "--user=root id -u",
            "--user root --non-interactive id -u",
            "-p prompt id -u",
        ] {
            let run = run(line);
            assert_eq!(
                (run.user, run.argv.join(" ")),
                (User::Root, "id -u".to_owned()),
                "{line}"
            );
        }
        assert_eq!(run("-u runner id").user, User::Job);
        assert_eq!(run("-D /tmp id").start(), Some("/tmp"));
        assert_eq!(run("-s echo a;b").argv, ["/bin/bash", "-c", "echo a\\;b"]);
        assert_eq!(run("-i").argv, ["/bin/bash", "-l"]);
        assert!(refused("-Z id").starts_with("invalid option"));
        assert!(refused("-u").starts_with("option requires"));
        assert!(refused("-u www-data id").contains("lrun doctor"));
        assert_eq!(refused("-n"), USAGE);
        assert_eq!(parse(vec!["-v".to_owned()]), Ok(Asked::Say("")));
    }

    #[test]
    fn the_environment_is_reset_unless_it_is_to_be_kept() {
        let callers = [
            ("HOME", "/home/runner"),
            ("LANG", "C.UTF-8"),
            ("LD_PRELOAD", "x"),
            ("MINE", "1"),
            ("PATH", "/home/runner/bin"),
        ];
        let of = |line: &str| run(line).environment(callers.into_iter());
        let plain = of("A=b id");
        assert_eq!(plain["HOME"], "/root");
        assert_eq!(plain["LANG"], "C.UTF-8");
        assert_eq!(plain["PATH"], SECURE_PATH);
        assert_eq!(plain["A"], "b");
        assert!(!plain.contains_key("MINE"));
        let kept = of("-E id");
        assert_eq!(
            (&*kept["HOME"], &*kept["MINE"], &*kept["USER"]),
            ("/home/runner", "1", "root")
        );
        assert!(!kept.contains_key("LD_PRELOAD"));
        assert_eq!(of("-EH id")["HOME"], "/root");
        assert_eq!(of("--preserve-env=MINE,NO id")["MINE"], "1");
    }
}
