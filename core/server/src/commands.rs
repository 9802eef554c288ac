//! What the commands of the command line do.

mod access;
mod outbox;
mod plugin;
mod users;

use std::io::{self, Write};

use roster_engine::Secret;
use roster_sdk::Linked;
use roster_storage::{Store, migrate};

use crate::cli::{
    self, Admin, AdminArgs, Cli, Command, ConfigCommand, Exit, MailCommand, Migrate, NewPassword,
    Plugin, PreviewArgs, Users,
};
use crate::config::{self, Config, Sources};
use crate::server::{self, Server};
use crate::telemetry::{self, Metrics, Traces};
use crate::{signals, wiring};

/// Runs a command to its end.
///
/// # Errors
/// When the output cannot be written or signals cannot be waited for.
pub(crate) async fn execute(cli: Cli, linked: Vec<Linked>) -> io::Result<Exit> {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let command = cli.command.clone().unwrap_or_default();
    let sources = cli.sources();
    match command {
        Command::Config(ConfigCommand::Check) => {
            return plugin::check(sources, linked, &mut out, &mut err).await;
        }
        Command::Config(ConfigCommand::Keys) => return cli::keys(&mut out),
        Command::Openapi => return openapi(&mut out),
        _ => {}
    }
    if let Command::Plugin(command) = &command
        && let Some(exit) = plugin::alone(command, &mut out, &mut err).await?
    {
        return Ok(exit);
    }
    let config = match config::load(sources.clone()) {
        Ok(config) => config,
        Err(mistakes) => {
            cli::report(&mistakes, &mut err)?;
            return Ok(Exit::Usage);
        }
    };
    if !matches!(command, Command::Serve) {
        telemetry::start_logging(&config.log, None);
    }
    match command {
        Command::Migrate { direction } => {
            run_migration(&config, direction.unwrap_or_default(), &mut out, &mut err).await
        }
        Command::Admin(admin) => run_admin(&config, admin, linked, &mut out, &mut err).await,
        Command::Access(command) => access::run(&config, command, linked, &mut out, &mut err).await,
        Command::Users(Users::Import(args)) => {
            users::import(&config, &args, linked, &mut out, &mut err).await
        }
        Command::Mail(MailCommand::Preview(args)) => preview(&config, &args, &mut out, &mut err),
        Command::Plugin(Plugin::Reload) => plugin::reload(&config, &mut out, &mut err).await,
        Command::Plugin(_) => plugin::list(&config, linked, &mut out, &mut err).await,
        Command::Outbox(command) => outbox::run(&config, command, &mut out, &mut err).await,
        Command::Serve | Command::Openapi | Command::Config(_) => {
            serve(&config, sources, linked, &mut out, &mut err).await
        }
    }
}

async fn serve(
    config: &Config,
    sources: Sources,
    linked: Vec<Linked>,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let traces = match Traces::open(&config.traces) {
        Ok(traces) => traces,
        Err(error) => return refuse(err, &error),
    };
    telemetry::start_logging(&config.log, traces.as_ref());
    let exit = serve_until_told(config, sources, linked, out, err).await;
    if let Some(traces) = traces {
        traces.close().await;
    }
    exit
}

async fn serve_until_told(
    config: &Config,
    sources: Sources,
    linked: Vec<Linked>,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let server = match Server::start_from(config, Some(sources), linked).await {
        Ok(server) => server,
        Err(error) => return refuse(err, &error),
    };
    let upkeep = tokio::spawn(Metrics::install().keep_up());
    if let Some(first) = server.first_administrator() {
        match &first.password {
            Some(password) => writeln!(
                out,
                "first administrator: {} with password {} (shown once, change it)",
                first.email,
                password.expose()
            )?,
            None => writeln!(out, "first administrator: {}", first.email)?,
        }
    }
    telemetry::log_started(
        server.address(),
        &config.server.public_url,
        &config.database.url,
    );
    let mut reload = signals::reload()?;
    let stop = signals::stop();
    let mut stop = std::pin::pin!(stop);
    let signal = loop {
        tokio::select! {
            signal = &mut stop => break signal?,
            // What cannot be loaded is in the log, and the plugins stay as they are.
            Some(()) = reload.recv() => drop(server.reload_plugins().await),
        }
    };
    telemetry::log_stopping(signal);
    server.stop().await;
    upkeep.abort();
    telemetry::log_stopped();
    Ok(Exit::Ok)
}

fn openapi(out: &mut impl Write) -> io::Result<Exit> {
    // Of a fresh installation: no custom fields, and the address it would have.
    let model = roster_domain::Model::built_in();
    let document = roster_api::document(&model, "http://127.0.0.1:8055");
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)?;
    Ok(Exit::Ok)
}

fn preview(
    config: &Config,
    args: &PreviewArgs,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let folder = config.mail.templates.as_deref();
    let mail = match roster_engine::preview(folder, &args.name, &args.language) {
        Ok(mail) => mail,
        Err(error) => return failed(err, &error),
    };
    let (subject, body) = if args.html {
        (String::new(), mail.html)
    } else {
        (format!("Subject: {}\n\n", mail.subject), mail.text)
    };
    write!(out, "{subject}{body}")?;
    Ok(Exit::Ok)
}

async fn run_migration(
    config: &Config,
    direction: Migrate,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let settings = roster_storage::Settings::new(wiring::location(config));
    let store = match Store::open(&settings).await {
        Ok(store) => store,
        Err(error) => return failed(err, &error),
    };
    let done = match direction {
        Migrate::Up => migrate::up(&store).await,
        Migrate::Down { steps } => down(&store, steps).await,
        Migrate::Status => Ok(()),
    };
    let steps = match done {
        Ok(()) => migrate::status(&store).await,
        Err(error) => Err(error),
    };
    store.close().await;
    match steps {
        Ok(steps) => {
            for step in steps {
                let state = if step.is_applied {
                    "applied"
                } else {
                    "pending"
                };
                writeln!(out, "{:04} {} {state}", step.version, step.name)?;
            }
            Ok(Exit::Ok)
        }
        Err(error) => failed(err, &error),
    }
}

/// The database, its schema up to date.
async fn opened(config: &Config) -> roster_domain::Result<Store> {
    let settings = roster_storage::Settings::new(wiring::location(config));
    let store = Store::open(&settings).await?;
    migrate::up(&store).await?;
    Ok(store)
}

async fn down(store: &Store, steps: u32) -> roster_domain::Result<()> {
    let status = migrate::status(store).await?;
    let applied: Vec<i64> = status
        .iter()
        .filter(|s| s.is_applied)
        .map(|s| s.version)
        .collect();
    let kept = applied
        .len()
        .saturating_sub(usize::try_from(steps).unwrap_or(usize::MAX));
    let target = kept.checked_sub(1).map_or(0, |last| applied[last]);
    migrate::down(store, target).await
}

async fn run_admin(
    config: &Config,
    admin: Admin,
    linked: Vec<Linked>,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let (Admin::Create(args) | Admin::Passwd(args)) = &admin;
    let (password, is_generated) = password(args)?;
    let engine = match server::engine(config, linked).await {
        Ok((engine, _)) => engine,
        Err(error) => return refuse(err, &error),
    };
    let done = match &admin {
        Admin::Create(args) => engine.create_administrator(&args.email, &password).await,
        Admin::Passwd(args) => engine.set_password(&args.email, &password).await,
    };
    engine.close(config.server.shutdown_timeout).await;
    if let Err(error) = done {
        return failed(err, &error);
    }
    if is_generated {
        writeln!(out, "{} with password {}", args.email, password.expose())?;
    } else {
        writeln!(out, "{}", args.email)?;
    }
    Ok(Exit::Ok)
}

/// The password, and whether it was made up.
fn password(args: &AdminArgs) -> io::Result<(Secret, bool)> {
    match args.password(&mut io::stdin().lock())? {
        NewPassword::Given(password) => Ok((password, false)),
        NewPassword::Generated => roster_engine::random_secret()
            .map(|secret| (secret, true))
            .map_err(io::Error::other),
    }
}

fn refuse(err: &mut impl Write, error: &server::StartError) -> io::Result<Exit> {
    writeln!(err, "roster: {error}")?;
    Ok(Exit::Failed)
}

fn failed(err: &mut impl Write, error: &roster_domain::Error) -> io::Result<Exit> {
    refuse(err, &server::StartError::engine("failed", error))
}
