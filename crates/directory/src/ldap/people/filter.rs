//! The filters of an address search (RFC 4515): what is looked for stands in them escaped, always.

use super::options::{AddressList, Matching};
use crate::Terms;

/// Fewer characters are looked for at the beginning of names only: no index helps with so short
/// parts, and they are in everybody's name.
const MIN_PART: usize = 3;

/// How well somebody fits whom a filter finds; the steps of a search in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// The whole name or address is it.
    Whole,
    /// Names begin with it, or telephone numbers have its digits.
    Beginning,
    /// It is somewhere.
    Part,
}

impl Step {
    /// The steps for what is looked for, the best first.
    pub(super) fn of(terms: &Terms, matching: Matching) -> Vec<Self> {
        let part = terms.words().iter().any(|word| is_long(word));
        match matching {
            Matching::Contains if part => vec![Self::Whole, Self::Beginning, Self::Part],
            _ => vec![Self::Whole, Self::Beginning],
        }
    }

    /// What must hold for somebody to be found in this step.
    pub(super) fn filter(self, terms: &Terms, list: &AddressList) -> String {
        let text = ldap3::ldap_escape(terms.text());
        let any = |attributes: &[String], assertion: &dyn Fn(&str) -> String| -> String {
            attributes.iter().map(|attribute| assertion(attribute)).collect()
        };
        match self {
            Self::Whole => {
                let names = any(&list.search_in, &|name| format!("({name}={text})"));
                let addresses = any(&list.other_addresses, &|name| {
                    format!("({name}={text})({name}=smtp:{text})")
                });
                format!("(|{names}{addresses})")
            }
            Self::Beginning => {
                let each = each_word(terms, list, &|_, word| begins(word));
                let whole = if terms.words().len() > 1 {
                    any(&list.search_in, &|name| format!("({name}={text}*)"))
                } else {
                    String::new()
                };
                let digits = terms.digits().unwrap_or_default();
                let phones = if digits.is_empty() { &[][..] } else { &list.search_in_phones };
                let phones = any(phones, &|phone| format!("({phone}=*{digits}*)"));
                format!("(|{each}{whole}{phones})")
            }
            Self::Part => each_word(terms, list, &|name, word| match is_long(word) {
                // Everybody has the domain; who looks for it says so with an `@`.
                true if name == list.address && !word.contains('@') => {
                    format!("*{}*@*", ldap3::ldap_escape(word))
                }
                true => format!("*{}*", ldap3::ldap_escape(word)),
                false => begins(word),
            }),
        }
    }
}

fn is_long(word: &str) -> bool {
    word.chars().count() >= MIN_PART
}

fn begins(word: &str) -> String {
    format!("{}*", ldap3::ldap_escape(word))
}

/// That each word is in one of the attributes, in the way that a pattern says.
fn each_word(terms: &Terms, list: &AddressList, pattern: &dyn Fn(&str, &str) -> String) -> String {
    let words = terms.words().iter().map(|word| {
        let names = list.search_in.iter().map(|name| format!("({name}={})", pattern(name, word)));
        format!("(|{})", names.collect::<String>())
    });
    format!("(&{})", words.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ldap::config::Kind;
    use crate::ldap::people::options::{AddressListOptions, Context};
    use proptest::prelude::*;

    fn list() -> AddressList {
        let options = AddressListOptions {
            search_in: Some(vec!["cn".into(), "mail".into()]),
            other_addresses: Some(vec!["proxyAddresses".into()]),
            search_in_phones: Some(vec!["mobile".into()]),
            ..AddressListOptions::default()
        };
        let context = Context {
            kind: Kind::OpenLdap,
            bases: &[],
            people: "(mail=*)",
            name: "uid",
            address: "mail",
            display_name: "displayName",
        };
        options.settings(&context).unwrap()
    }

    fn filter(step: Step, text: &str) -> String {
        step.filter(&Terms::parse(text).unwrap(), &list())
    }

    #[test]
    fn each_step_looks_for_less_than_the_one_before() {
        for (step, text, expected) in [
            (
                Step::Whole,
                "a@x.y",
                "(|(cn=a@x.y)(mail=a@x.y)(proxyAddresses=a@x.y)(proxyAddresses=smtp:a@x.y))",
            ),
            (Step::Beginning, "Ann", "(|(&(|(cn=ann*)(mail=ann*))))"),
            (
                Step::Beginning,
                "a  b",
                "(|(&(|(cn=a*)(mail=a*))(|(cn=b*)(mail=b*)))(cn=a b*)(mail=a b*))",
            ),
            (Step::Beginning, "55-5", "(|(&(|(cn=55-5*)(mail=55-5*)))(mobile=*555*))"),
            (Step::Part, "ann b", "(&(|(cn=*ann*)(mail=*ann*@*))(|(cn=b*)(mail=b*)))"),
            (Step::Part, "n@e", "(&(|(cn=*n@e*)(mail=*n@e*)))"),
        ] {
            assert_eq!(filter(step, text), expected, "{text}");
        }
    }

    #[test]
    fn short_parts_are_looked_for_at_the_beginning_only() {
        let steps = |text, matching| Step::of(&Terms::parse(text).unwrap(), matching).len();
        assert_eq!(steps("an", Matching::Contains), 2);
        assert_eq!(steps("ann", Matching::Contains), 3);
        assert_eq!(steps("ann", Matching::Prefix), 2);
    }

    proptest! {
        #[test]
        fn nothing_looked_for_changes_the_filter(text in "[a-z*()\\\\&|!=<>~:{} \\x00-\\x1f]{1,40}") {
            if let Some(terms) = Terms::parse(&text) {
                for step in [Step::Whole, Step::Beginning, Step::Part] {
                    let filter = step.filter(&terms, &list());
                    prop_assert!(ldap3::parse_filter(&filter).is_ok(), "{}", filter);
                    let plain = step.filter(
                        &Terms::parse(&terms.words().iter().map(|w| "x".repeat(w.chars().count()))
                            .collect::<Vec<_>>().join(" ")).unwrap(),
                        &list(),
                    );
                    let brackets = |text: &str| text.matches(['(', ')']).count();
                    prop_assert_eq!(brackets(&filter), brackets(&plain));
                }
            }
        }
    }
}
