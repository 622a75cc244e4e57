//! Offsets from UTC as text.

/// A fixed offset as POSIX rules: `<+0530>-5:30` is five and a half hours ahead of UTC. None from a
/// day on.
pub(crate) fn posix(seconds: i32) -> Option<String> {
    if seconds.unsigned_abs() >= 86_400 {
        return None;
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes, rest) = parts(seconds.abs());
    // POSIX counts what is to be added to get UTC.
    let opposite = if seconds > 0 { "-" } else { "" };
    Some(match (minutes, rest) {
        (0, 0) => format!("<{sign}{hours:02}>{opposite}{hours}"),
        (_, 0) => format!("<{sign}{hours:02}{minutes:02}>{opposite}{hours}:{minutes:02}"),
        _ => format!(
            "<{sign}{hours:02}{minutes:02}{rest:02}>{opposite}{hours}:{minutes:02}:{rest:02}"
        ),
    })
}

/// A time of day as POSIX rules have it after the slash.
pub(crate) fn posix_time(seconds: i32) -> String {
    match parts(seconds) {
        (hours, 0, 0) => format!("{hours}"),
        (hours, minutes, 0) => format!("{hours}:{minutes:02}"),
        (hours, minutes, rest) => format!("{hours}:{minutes:02}:{rest:02}"),
    }
}

fn parts(seconds: i32) -> (i32, i32, i32) {
    (seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// `+01:00`, `-5`, `+0530`, `+01.00`: seconds ahead of UTC. None for anything else, and from a day
/// on.
pub(crate) fn parse(text: &str) -> Option<i32> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-" | "\u{2212}", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest.split_once([':', '.']) {
        Some(parts) => parts,
        None if rest.len() <= 2 => (rest, "00"),
        None => rest.split_at_checked(rest.len() - 2)?,
    };
    let number = |digits: &str, limit: i32| {
        let are_digits =
            (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse::<i32>().ok().filter(|number| are_digits && *number < limit)
    };
    Some(sign * (number(hours, 24)? * 3600 + number(minutes, 60)? * 60))
}
