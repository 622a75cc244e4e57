//! Dates of the Gregorian calendar as days counted from 1970-01-01.

/// Days from 1970-01-01 to a date; none where there is no such date. For years of up to fifteen
/// digits.
pub fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=month_length(year, month)?).contains(&day) {
        return None;
    }
    // Years begin in March, so that the leap day is their last; 400 of them make an era.
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// How many days a month has; none where there is no such month.
pub fn month_length(year: i64, month: i64) -> Option<i64> {
    let long = [1, 3, 5, 7, 8, 10, 12].contains(&month);
    match month {
        2 => Some(28 + i64::from(is_leap(year))),
        1..=12 => Some(30 + i64::from(long)),
        _ => None,
    }
}

/// Whether a year has 366 days.
pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Year, month and day of so many days from 1970-01-01.
pub fn date(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_has_a_date_and_every_date_its_day() {
        for (day, (year, month, of_month)) in [
            (0, (1970, 1, 1)),
            (11_016, (2000, 2, 29)),
            (-719_162, (1, 1, 1)),
            (2_932_896, (9999, 12, 31)),
        ] {
            assert_eq!(date(day), (year, month, of_month));
        }
        for day in (-800_000..3_000_000).step_by(7) {
            let (year, month, of_month) = date(day);
            assert_eq!(days(year, month, of_month), Some(day));
        }
    }

    #[test]
    fn a_day_that_is_not_in_the_calendar_has_no_number() {
        for (year, month, day) in
            [(2023, 2, 29), (1900, 2, 29), (2024, 4, 31), (2024, 1, 0), (2024, 0, 1), (2024, 13, 1)]
        {
            assert_eq!(days(year, month, day), None, "{year}-{month}-{day}");
        }
    }
}
