//! What else than its status a flag says: the task it makes of a mail. Mail systems keep none of it,
//! yet what contradicts itself is refused, as the item would be by a task folder.

use crate::date;
use crate::error::{Error, Result};
use crate::fields::Fields;
use dme_wbxml::{Element, Tag, pages::email, pages::tasks as page};

/// The status of a flag that is set.
const SET: u8 = 2;

/// Checks the task within a `Flag`.
///
/// # Errors
/// Where a flag is set with some of its four dates and not all, where it is due before it begins
/// (MS-ASEMAIL 2.2.2.31, 2.2.2.86), or where it shall remind without a time to do so
/// (`ReminderTime`): answer status 6.
pub(super) fn check(flag: &Element) -> Result<()> {
    let dates = [page::START_DATE, page::DUE_DATE, page::UTC_START_DATE, page::UTC_DUE_DATE];
    let missing = dates.into_iter().find(|date| flag.child(*date).is_none());
    if let Some(element) = missing
        && flag.number_of(email::STATUS)? == Some(SET)
        && dates.into_iter().any(|date| flag.child(date).is_some())
    {
        return Err(Error::Missing { parent: flag.tag, element });
    }
    for (start, due) in
        [(page::START_DATE, page::DUE_DATE), (page::UTC_START_DATE, page::UTC_DUE_DATE)]
    {
        if let (Some(begin), Some(end)) = (moment(flag, start)?, moment(flag, due)?)
            && end < begin
        {
            return Err(Error::Conflict(start, due));
        }
    }
    if flag.boolean_of(page::REMINDER_SET)? == Some(true)
        && flag.child(page::REMINDER_TIME).is_none()
    {
        return Err(Error::Missing { parent: flag.tag, element: page::REMINDER_TIME });
    }
    Ok(())
}

fn moment(flag: &Element, tag: Tag) -> Result<Option<dme_model::Timestamp>> {
    let wrong = Error::Value { element: tag, expected: "a date and time" };
    flag.text_of(tag)?.map(|text| date::parse(text).ok_or(wrong)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(children: &[(Tag, &str)]) -> bool {
        let children = children.iter().map(|(tag, text)| Element::text(*tag, *text));
        check(&Element::parent(email::FLAG, children.collect())).is_ok()
    }

    #[test]
    fn a_task_ends_no_sooner_than_it_begins() {
        let (one, two) = ("2026-12-01T00:00:00.000Z", "2026-12-02T00:00:00.000Z");
        for (start, due) in
            [(page::START_DATE, page::DUE_DATE), (page::UTC_START_DATE, page::UTC_DUE_DATE)]
        {
            assert!(holds(&[(start, one), (due, two)]));
            assert!(holds(&[(start, one), (due, one)]));
            assert!(holds(&[(due, one)]));
            assert!(!holds(&[(start, two), (due, one)]));
            assert!(!holds(&[(start, "tomorrow"), (due, one)]));
        }
    }

    #[test]
    fn a_flag_is_set_with_all_its_dates_or_with_none() {
        let time = "2026-12-01T00:00:00.000Z";
        let all = [page::START_DATE, page::DUE_DATE, page::UTC_START_DATE, page::UTC_DUE_DATE];
        let set = |count: usize| {
            let dates = all.into_iter().take(count).map(|date| (date, time));
            [(email::STATUS, "2")].into_iter().chain(dates).collect::<Vec<_>>()
        };
        assert!(holds(&set(0)) && holds(&set(4)));
        assert!(!holds(&set(1)) && !holds(&set(2)) && !holds(&set(3)));
    }

    #[test]
    fn a_reminder_has_a_time() {
        let time = (page::REMINDER_TIME, "2026-12-01T09:00:00.000Z");
        assert!(holds(&[(page::REMINDER_SET, "1"), time]));
        assert!(holds(&[(page::REMINDER_SET, "0")]));
        assert!(!holds(&[(page::REMINDER_SET, "1")]));
    }
}
