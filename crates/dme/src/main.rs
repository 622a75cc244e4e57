//! The `dme` binary.

fn main() {}
