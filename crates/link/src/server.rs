//! The server's side: it accepts connectors and calls them.

mod call;
mod content;
mod countersign;
mod diagnose;
mod directory;
mod edge;
mod gate;
mod guesses;
mod half;
mod handshakes;
mod link;
mod links;
mod listener;
mod mail;
mod not_answered;
mod observe;
mod registrar;

pub use links::{DrainOrder, LinkEvent, LinkState, Links, LinksConfig, WorkLimits};
pub use listener::{ListenConfig, serve};
pub use not_answered::NotAnswered;
pub use observe::{CallObserver, CallSeen};
pub use registrar::Registrar;
