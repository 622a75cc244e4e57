//! Amounts of bytes, as pages tell them.

/// In the unit that leaves one to three digits before the point (IEC 80000-13).
pub(super) fn bytes(count: u64) -> String {
    let mut unit = "B";
    let mut whole = count as f64;
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if whole < 1024.0 {
            break;
        }
        whole /= 1024.0;
        unit = larger;
    }
    if unit == "B" { format!("{count} B") } else { format!("{whole:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_in_the_unit_that_fits() {
        for (count, told) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (15_728_640, "15.0 MiB"),
            (u64::MAX, "16777216.0 TiB"),
        ] {
            assert_eq!(bytes(count), told);
        }
    }
}
