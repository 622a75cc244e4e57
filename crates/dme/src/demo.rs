//! `dme demo`: the embedded default. A server, a connector on local files and an in-file directory
//! in one process, with sample mail, and a simulated phone that goes through the real front over
//! TLS and shows what it gets.

mod account;
mod tour;
mod world;

use crate::ask::say_line;
use crate::commands::server::terminated;
use crate::log::{self, LogConfig};
use anyhow::{Context, Result};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use world::World;

/// How the demo runs.
#[derive(Args)]
pub struct Options {
    /// Where it keeps its data; made if it is not there.
    #[arg(long, default_value = "demo-data")]
    directory: PathBuf,
    /// Where phones connect.
    #[arg(long, default_value = "0.0.0.0:8443", conflicts_with = "once")]
    listen: SocketAddr,
    /// The name or address by which a real phone reaches this machine.
    #[arg(long, default_value = "localhost", conflicts_with = "once")]
    host: String,
    /// Messages in each mailbox.
    #[arg(long, default_value_t = 200)]
    messages: usize,
    /// End after the tour; the exit code is 0 only if all of it was right.
    #[arg(long)]
    once: bool,
}

pub async fn run(options: Options) -> Result<ExitCode> {
    log::begin(&LogConfig::quiet());
    let listen = if options.once { private_port()? } else { options.listen };
    say_line("Making a server with a connector, a directory and sample mail …");
    let world =
        World::start(&options.directory, listen, &options.host, options.messages).await.context(
            "the demo did not start; --listen takes another address, --directory another place",
        )?;
    if !options.once {
        world.explain();
    }
    let tour = tour::run(&world).await;
    if let Err(error) = &tour {
        say_line(format_args!("\n✗ {error:#}"));
    }
    if !options.once {
        say_line("\nThe server stays up for a real phone. Ctrl-C ends it.");
        terminated().await?;
    }
    world.server.stop().await;
    Ok(if tour.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A free port on loopback: nobody else is to meet a demo that only runs its tour.
fn private_port() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}
