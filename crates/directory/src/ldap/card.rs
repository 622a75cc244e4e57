//! A person's card, from the attributes that LDAP (RFC 4519, RFC 4524, RFC 2798) and Active Directory
//! have for it.

use super::query::Entry;
use crate::Card;

/// The attributes [`of_entry`] looks at. A directory gives those it has and lets be read.
pub(super) const ATTRIBUTES: [&str; 9] = [
    "givenName",
    "sn",
    "title",
    "company",
    "o",
    "physicalDeliveryOfficeName",
    "telephoneNumber",
    "mobile",
    "homePhone",
];

pub(super) fn of_entry(entry: &Entry) -> Card {
    let text = |name: &str| entry.first(name).map(str::to_owned);
    Card {
        first_name: text("givenName"),
        last_name: text("sn"),
        title: text("title"),
        // Active Directory's own, else the organisation.
        company: text("company").or_else(|| text("o")),
        office: text("physicalDeliveryOfficeName"),
        phone: text("telephoneNumber"),
        mobile_phone: text("mobile"),
        home_phone: text("homePhone"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_has_what_the_directory_gives_and_nothing_else() {
        let given = [
            ("givenName", "Ann"),
            ("sn", "Smith"),
            ("title", "Engineer"),
            ("o", "Example"),
            ("physicalDeliveryOfficeName", "Room 1"),
            ("telephoneNumber", "+1 555 1"),
            ("mobile", "+1 555 2"),
            ("homePhone", "  "),
        ];
        let card = of_entry(&Entry::new("uid=ann", given.into_iter()));
        let expected = Card {
            first_name: Some("Ann".into()),
            last_name: Some("Smith".into()),
            title: Some("Engineer".into()),
            company: Some("Example".into()),
            office: Some("Room 1".into()),
            phone: Some("+1 555 1".into()),
            mobile_phone: Some("+1 555 2".into()),
            home_phone: None,
        };
        assert_eq!(card, expected);
        let company =
            Entry::new("uid=ann", [("company", "Example Ltd"), ("o", "Example")].into_iter());
        assert_eq!(of_entry(&company).company.as_deref(), Some("Example Ltd"));
    }
}
