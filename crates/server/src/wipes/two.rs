//! Whether an order to wipe and its confirmation are two people's: a name is not a person, as one
//! person has a session, tokens, and perhaps the server's command line.

use dme_model::UserId;
use dme_store::{Behind, Refused, WipeRecord};

/// That whoever confirms an order is certainly another person than who gave it; else why it cannot
/// be told.
pub(super) fn people(
    order: &WipeRecord,
    (name, confirming): (&str, &Behind),
) -> Result<(), Refused> {
    let ordering = behind(order);
    let is_another = match (person(&ordering), person(confirming)) {
        (Some(one), Some(other)) if is_same(one.as_str(), other.as_str()) => {
            return Err(Refused::OrderedByThem(other.to_string()));
        }
        // What has nobody behind it is answered for by whoever confirms it by their own name.
        (_, Some(_)) => true,
        // Everybody at the server is one and the same administrator, and another than those of the
        // directory; but what a program did may have been theirs.
        (Some(_), None) => {
            matches!((&ordering, confirming), (Behind::Person(_), Behind::Server))
        }
        (None, None) if is_same(&order.by, name) => {
            return Err(Refused::OrderedByThem(name.to_owned()));
        }
        (None, None) => false,
    };
    match is_another {
        true => Ok(()),
        false => Err(Refused::PerhapsTheSame(name.to_owned())),
    }
}

/// Who ordered it. Orders of older releases have the name alone: of whoever is in a directory that is
/// who they are.
fn behind(order: &WipeRecord) -> Behind {
    match &order.behind {
        Some(behind) => behind.clone(),
        None if order.by.contains('@') => Behind::Person(UserId::from(order.by.trim())),
        None => Behind::Nobody,
    }
}

fn person(behind: &Behind) -> Option<&UserId> {
    match behind {
        Behind::Person(user) | Behind::TokenOf(user) => Some(user),
        Behind::Server | Behind::Nobody => None,
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_store::WipeKind;

    fn order(by: &str, behind: Option<Behind>) -> WipeRecord {
        WipeRecord {
            kind: WipeKind::Device,
            by: by.to_owned(),
            behind,
            own: false,
            client: Default::default(),
            foretold: String::new(),
            needs_second: true,
            confirmed: None,
            cancelled: None,
            told: None,
            failed: None,
            acknowledged: None,
        }
    }

    #[test]
    fn an_order_is_confirmed_by_whoever_is_certainly_another_person() {
        use Behind::{Nobody, Person, Server, TokenOf};
        let [ada, alan] = ["ada@example.org", "alan@example.org"].map(UserId::from);
        let all = [
            ("ada", Person(ada.clone())),
            ("ada's token", TokenOf(ada)),
            ("alan", Person(alan.clone())),
            ("alan's token", TokenOf(alan)),
            ("server", Server),
            ("nobody's token", Nobody),
        ];
        let persons = ["ada", "ada's token", "alan", "alan's token"];
        for (one, ordering) in &all {
            let order = order(one, Some(ordering.clone()));
            let confirm = |(other, confirming): &(&'static str, Behind)| {
                people(&order, (other, confirming)).is_ok().then_some(*other)
            };
            let confirmed: Vec<_> = all.iter().filter_map(confirm).collect();
            let wanted: &[_] = match *one {
                "ada" => &["alan", "alan's token", "server"],
                "ada's token" => &["alan", "alan's token"],
                "alan" => &["ada", "ada's token", "server"],
                "alan's token" => &["ada", "ada's token"],
                _ => &persons,
            };
            assert_eq!(confirmed, wanted, "ordered by {one}");
        }
    }

    #[test]
    fn orders_of_older_releases_are_their_names() {
        let [ada, alan] = ["Ada@example.org", "alan@example.org"].map(UserId::from);
        let old = order("ada@example.org", None);
        for ada in [Behind::Person(ada.clone()), Behind::TokenOf(ada)] {
            assert!(matches!(people(&old, ("x", &ada)), Err(Refused::OrderedByThem(_))));
        }
        assert!(people(&old, ("alan", &Behind::Person(alan))).is_ok());
        let old = order("admin.token", None);
        assert!(people(&old, ("administrator at the server", &Behind::Server)).is_err());
    }
}
