//! The `dme` binary: command line and wiring only.

mod admin;
mod ask;
mod commands;
mod demo;
mod log;
mod settings;

use std::process::ExitCode;

// Parked phones are many small allocations that live long: with the system's allocator they cost
// half as much again, with mimalloc twice (`docs/benchmarks.md`).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // One provider for all of TLS; that another is there already cannot be.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    commands::run()
}
