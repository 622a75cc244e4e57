//! Libraries that others wrote in Python: Debian's `python3-dateutil`, `python3-icalendar`,
//! `python3-recurring-ical-events` and `python3-vobject`.

use std::io::Write;
use std::process::{Command, Stdio};

/// What a script prints of its input. Debian's own Python, for it has Debian's packages.
pub fn python(script: &str, input: &str) -> String {
    let mut child = Command::new("/usr/bin/python3")
        .args(["-W", "ignore", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writing = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "are the packages there? {errors}");
    writing.join().unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
