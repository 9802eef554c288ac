//! The servers under load: processes of ours, on free ports of the loopback, ended with us.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use crate::drive;
use crate::http::Connection;

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it is asked meanwhile.
const PAUSE: Duration = Duration::from_millis(1);

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    started: Instant,
}

/// How a server is started: what it is told after the port is known.
pub(crate) trait Program {
    /// The command that listens on this address.
    fn command(&self, address: SocketAddr) -> io::Result<Command>;
}

impl Server {
    /// Starts a program without waiting for it. What it logs goes to the file, if there is one.
    pub(crate) fn spawn(program: &impl Program, log: Option<&Path>) -> io::Result<Self> {
        let address = free_address()?;
        let mut command = program.command(address)?;
        let log = log.map(std::fs::File::create).transpose()?;
        command
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.map_or_else(Stdio::null, Stdio::from))
            .kill_on_drop(true);
        let started = Instant::now();
        Ok(Self {
            child: command.spawn()?,
            address,
            started,
        })
    }

    /// Starts a program and waits until it answers this request.
    pub(crate) async fn start(
        program: &impl Program,
        log: Option<&Path>,
        request: &[u8],
    ) -> io::Result<Self> {
        let mut server = Self::spawn(program, log)?;
        server.answering(request).await?;
        Ok(server)
    }

    /// Waits until the server answers this request with 200; gives the time since its start.
    pub(crate) async fn answering(&mut self, request: &[u8]) -> io::Result<Duration> {
        loop {
            if let Ok(mut connection) = Connection::open(self.address).await
                && connection
                    .exchange(request)
                    .await
                    .is_ok_and(|answer| answer.status == 200)
            {
                return Ok(self.started.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("the server ended with {status}")));
            }
            if self.started.elapsed() > PATIENCE {
                return Err(io::Error::other("the server does not answer"));
            }
            drive::pause(PAUSE).await;
        }
    }

    /// Ends the server at once.
    pub(crate) async fn stop(mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// The processor time that the server has used.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        const TICK: Duration = Duration::from_millis(10);
        let stat = self.read("stat")?;
        // The name of the program stands in parentheses and may hold anything.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let mut fields = fields.split_whitespace().skip(11);
        let mut ticks = || fields.next().and_then(|field| field.parse::<u32>().ok());
        let (user, system) = (ticks(), ticks());
        let ticks = user.zip(system).map(|(user, system)| user + system);
        ticks
            .map(|ticks| TICK * ticks)
            .ok_or_else(|| io::Error::other("no times in `stat`"))
    }

    /// The memory that is resident, in MiB.
    pub(crate) fn resident(&self) -> io::Result<f64> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.map(|kib| kib / 1_024.0)
            .ok_or_else(|| io::Error::other("no `VmRSS` in `status`"))
    }

    fn read(&self, file: &str) -> io::Result<String> {
        let id = self
            .child
            .id()
            .ok_or_else(|| io::Error::other("the server ended"))?;
        std::fs::read_to_string(format!("/proc/{id}/{file}"))
    }
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
