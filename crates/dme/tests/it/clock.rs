//! Programs on another clock, by libfaketime.
//!
//! Its wrapper, `faketime`, is not used: it names a semaphore for its process id, and does not start
//! where a killed program of that id left one. The library itself takes it over.

/// What stands before a command to run it on the clock of a setting: `FAKETIME=-1d`, or
/// `FAKETIME_TIMESTAMP_FILE=PATH`, which is read whenever the time is asked for. Waits last as long
/// as they do.
pub fn on_clock(setting: &str) -> [&str; 5] {
    let library = "LD_PRELOAD=/usr/$LIB/faketime/libfaketime.so.1";
    ["env", library, "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_NO_CACHE=1", setting]
}
