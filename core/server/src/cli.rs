//! The command line: what can be asked of `roster`.

mod access;
mod outbox;
mod plugin;
mod users;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use self::access::{Access, Explain};
pub use self::outbox::Outbox;
pub use self::plugin::{Kind, Plugin};
pub use self::users::{Import, Users};
use crate::config::{self, Mistake, Secret, Sources};

/// A users platform: users, roles, policies, credentials, sessions, hooks and plugins.
#[derive(Clone, Debug, Parser)]
#[command(name = "roster", version, about, propagate_version = true)]
pub struct Cli {
    /// The configuration file; without it `roster.toml` is read if it is there.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Sets a key over the file and the environment, as in `server.bind=0.0.0.0:8055`.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = parse_override)]
    pub overrides: Vec<(String, String)>,
    /// What to do; `serve` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serves until it is told to stop.
    #[default]
    Serve,
    /// Changes the schema of the database, or says where it stands.
    Migrate {
        /// Which way; `up` when nothing is said.
        #[command(subcommand)]
        direction: Option<Migrate>,
    },
    /// Makes administrators and sets their passwords.
    #[command(subcommand)]
    Admin(Admin),
    /// Says why somebody may do something, and gives policies recommended rules.
    #[command(subcommand)]
    Access(Access),
    /// Takes users in.
    #[command(subcommand)]
    Users(Users),
    /// Makes, builds, tries and lists plugins.
    #[command(subcommand)]
    Plugin(Plugin),
    /// What is to be told after commits: what waits, what was given up, telling it again.
    #[command(subcommand)]
    Outbox(Outbox),
    /// Prints the OpenAPI document.
    Openapi,
    /// Looks at mails.
    #[command(subcommand)]
    Mail(MailCommand),
    /// Looks at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// `roster migrate`
#[derive(Clone, Debug, Default, PartialEq, Eq, Subcommand)]
pub enum Migrate {
    /// Applies every migration that is not applied yet.
    #[default]
    Up,
    /// Reverts the migrations that were applied last.
    Down {
        /// How many to revert.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        steps: u32,
    },
    /// Lists the migrations and which are applied.
    Status,
}

/// `roster admin`
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Admin {
    /// Makes an administrator.
    Create(AdminArgs),
    /// Sets the password of a user.
    Passwd(AdminArgs),
}

/// Who, and with which password.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct AdminArgs {
    /// The address of the user.
    #[arg(long, value_name = "ADDRESS")]
    pub email: String,
    /// The password; `-` reads it from standard input. Without it one is generated and printed.
    #[arg(long, value_name = "PASSWORD")]
    password: Option<Secret>,
}

/// Where a new password comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewPassword {
    /// It is known.
    Given(Secret),
    /// It is made up, and printed once.
    Generated,
}

/// `roster mail`
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum MailCommand {
    /// Prints a mail with values made up, from the templates of the configuration.
    Preview(PreviewArgs),
}

/// Which mail, and how.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct PreviewArgs {
    /// The name of the mail.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(roster_engine::MAILS))]
    pub name: String,
    /// The language of its reader.
    #[arg(long, value_name = "TAG", default_value = "en-US")]
    pub language: String,
    /// Prints the HTML instead of the text.
    #[arg(long)]
    pub html: bool,
}

/// `roster config`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum ConfigCommand {
    /// Prints every mistake in the configuration, or `ok`.
    Check,
    /// Lists every key with its default and its meaning, as a Markdown table.
    Keys,
}

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Ok,
    /// It was tried and failed.
    Failed,
    /// The command line or the configuration is wrong.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
        })
    }
}

impl Cli {
    /// Parses the arguments of the process; ends it with status 2 when they make no sense.
    pub fn from_process() -> Self {
        Self::parse()
    }

    /// Where the configuration comes from: the flags, and the environment of the process.
    ///
    /// This is the only place that reads the environment.
    pub fn sources(&self) -> Sources {
        #[expect(
            clippy::disallowed_methods,
            reason = "here the environment becomes a value"
        )]
        let variables = std::env::vars_os();
        let text = |bytes: OsString| bytes.to_string_lossy().into_owned();
        Sources {
            file: self.config.clone(),
            environment: variables
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
            overrides: self.overrides.clone(),
        }
    }
}

impl AdminArgs {
    /// Where the password comes from; reads the first line of `input` when it is asked to.
    ///
    /// # Errors
    /// When `input` cannot be read or its first line is empty.
    pub fn password(&self, input: &mut impl io::BufRead) -> io::Result<NewPassword> {
        match &self.password {
            None => Ok(NewPassword::Generated),
            Some(given) if given.expose() == "-" => {
                let mut line = String::new();
                input.read_line(&mut line)?;
                match line.trim_end_matches(['\r', '\n']) {
                    "" => Err(io::Error::new(
                        io::ErrorKind::InvalidInput,
                        "expected a password on standard input, got an empty line",
                    )),
                    line => Ok(NewPassword::Given(Secret::new(line))),
                }
            }
            Some(given) => Ok(NewPassword::Given(given.clone())),
        }
    }
}

/// Runs `roster config keys`.
///
/// # Errors
/// When the output cannot be written.
pub fn keys(out: &mut impl Write) -> io::Result<Exit> {
    writeln!(out, "| key | default | meaning |\n|---|---|---|")?;
    for key in config::reference() {
        let default = match key.default {
            "" => "none".to_owned(),
            text => format!("`{text}`"),
        };
        writeln!(out, "| `{}` | {default} | {} |", key.key, key.meaning)?;
    }
    Ok(Exit::Ok)
}

/// Writes every mistake, each on a line of its own.
///
/// # Errors
/// When the output cannot be written.
pub fn report(mistakes: &[Mistake], err: &mut impl Write) -> io::Result<()> {
    mistakes
        .iter()
        .try_for_each(|mistake| writeln!(err, "roster: {mistake}"))
}

fn parse_override(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err("expected `KEY=VALUE`, as in `server.bind=0.0.0.0:8055`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_a_command_it_serves() {
        let cli = Cli::try_parse_from(["roster", "--set", "server.bind=[::]:1"]).expect("parses");

        assert_eq!(cli.command.unwrap_or_default(), Command::Serve);
        assert_eq!(
            cli.overrides,
            [("server.bind".to_owned(), "[::]:1".to_owned())]
        );
    }

    #[test]
    fn global_flags_stand_on_either_side_of_a_command() {
        let after = Cli::try_parse_from(["roster", "migrate", "down", "--config", "a.toml"]);
        let before = Cli::try_parse_from(["roster", "--config", "a.toml", "migrate", "down"]);

        for cli in [after, before] {
            let cli = cli.expect("parses");
            assert_eq!(cli.config, Some(PathBuf::from("a.toml")));
            let direction = Some(Migrate::Down { steps: 1 });
            assert_eq!(cli.command, Some(Command::Migrate { direction }));
        }
    }

    #[test]
    fn a_password_is_given_read_or_generated() {
        let password = |extra: &[&str], mut input: &[u8]| {
            let line = ["roster", "admin", "create", "--email", "a@example.com"];
            let cli = Cli::try_parse_from(line.iter().chain(extra)).expect("parses");
            match cli.command {
                Some(Command::Admin(Admin::Create(args))) => args.password(&mut input).ok(),
                _ => None,
            }
        };

        let given = |text: &str| Some(NewPassword::Given(Secret::new(text)));
        assert_eq!(password(&[], b""), Some(NewPassword::Generated));
        assert_eq!(password(&["--password", "one"], b""), given("one"));
        assert_eq!(
            password(&["--password", "-"], b"two words \n"),
            given("two words ")
        );
        assert_eq!(password(&["--password", "-"], b""), None);
    }

    #[test]
    fn every_mistake_is_a_line() {
        let overrides = ["query.max_limit=none", "serve.bind=1"].map(parse_override);
        let overrides = overrides
            .into_iter()
            .map(|one| one.expect("parses"))
            .collect();
        let sources = Sources {
            overrides,
            ..Sources::default()
        };
        let mut err = Vec::new();

        let mistakes = config::load(sources).expect_err("mistakes");
        report(&mistakes, &mut err).expect("writes");

        assert_eq!(String::from_utf8_lossy(&err).lines().count(), 2);
    }
}
