//! Addresses as phones see and write them: RFC 5322 lists, already decoded (MS-ASEMAIL 2.2.2.80).

use dme_model::Address;

/// The longest list written (MS-ASEMAIL's schema); a list is cut between two addresses.
const MAX_LIST: usize = 32_768;

/// The most addresses read from one list.
const MAX_ADDRESSES: usize = 5_000;

/// `"Ann Bell" <ann@example.org>`, or the bare address where there is no name.
pub fn format(address: &Address) -> String {
    let email = clean(&address.email);
    match address.name.as_deref().map(clean).filter(|name| !name.is_empty()) {
        Some(name) => {
            let name = name.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{name}\" <{email}>")
        }
        None => email,
    }
}

/// A whole list, with commas between. Addresses that no longer fit are left out.
pub fn format_list(addresses: &[Address]) -> String {
    join(addresses.iter().map(format), ", ")
}

/// The names alone, or addresses where there is none, as `DisplayTo` has them.
pub fn format_names(addresses: &[Address]) -> String {
    let names = addresses.iter().map(|address| {
        address
            .name
            .as_deref()
            .map(clean)
            .filter(|n| !n.is_empty())
            .unwrap_or_else(|| clean(&address.email))
    });
    join(names, ";")
}

fn join(parts: impl Iterator<Item = String>, between: &str) -> String {
    let mut list = String::new();
    for part in parts {
        if list.len() + between.len() + part.len() > MAX_LIST {
            break;
        }
        if !list.is_empty() {
            list.push_str(between);
        }
        list.push_str(&part);
    }
    list
}

/// Without line ends and other control characters, which would let a name make up headers.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

/// Reads a list as a phone writes it: addresses with or without names, quoted or not, with commas
/// or semicolons between. What has no address in it is passed over.
pub fn parse_list(text: &str) -> Vec<Address> {
    let mut addresses = vec![];
    let (mut quoted, mut escaped, mut angle) = (false, false, false);
    let mut begin = 0;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            ',' | ';' if !quoted && !angle => {
                addresses.extend(text.get(begin..at).and_then(parse));
                begin = at + 1;
            }
            _ => {}
        }
        if addresses.len() >= MAX_ADDRESSES {
            return addresses;
        }
    }
    addresses.extend(text.get(begin..).and_then(parse));
    addresses
}

fn parse(text: &str) -> Option<Address> {
    let text = text.trim();
    let bracketed = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    let (name, email) = bracketed.unwrap_or(("", text));
    let email = clean(email);
    if email.is_empty() || email.contains(['"', ' ', '<', '>']) {
        return None;
    }
    let name = clean(&unquote(name.trim()));
    Some(Address { name: (!name.is_empty()).then_some(name), email })
}

fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            out.push(c);
            escaped = false;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(name: &str, email: &str) -> Address {
        Address { name: (!name.is_empty()).then(|| name.to_owned()), email: email.to_owned() }
    }

    #[test]
    fn lists_are_read_as_phones_write_them() {
        for (text, expected) in [
            ("ann@example.org", vec![address("", "ann@example.org")]),
            ("<ann@example.org>;", vec![address("", "ann@example.org")]),
            ("Ann Bell <ann@example.org>", vec![address("Ann Bell", "ann@example.org")]),
            (
                "\"Bell, Ann\" <ann@example.org>, bo@example.org",
                vec![address("Bell, Ann", "ann@example.org"), address("", "bo@example.org")],
            ),
            (
                "\"Ann \\\"Quick\\\" Bell\" <ann@example.org>; 王小明 <wang@example.cn>",
                vec![
                    address("Ann \"Quick\" Bell", "ann@example.org"),
                    address("王小明", "wang@example.cn"),
                ],
            ),
            ("", vec![]),
            (" , ;, ", vec![]),
            ("no address at all", vec![]),
        ] {
            assert_eq!(parse_list(text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_cannot_end_its_line() {
        let text = format(&address("Ann\r\nBcc: eve@example.org", "ann@example.org\n"));
        assert_eq!(text, "\"AnnBcc: eve@example.org\" <ann@example.org>");
    }

    #[test]
    fn a_long_list_is_cut_between_addresses() {
        let all = vec![address("Somebody", "somebody@example.org"); 5_000];
        let list = format_list(&all);
        assert!(list.len() <= MAX_LIST && list.ends_with("<somebody@example.org>"));
        assert!(parse_list(&list).iter().all(|one| *one == all[0]));
    }

    #[test]
    fn names_stand_alone_where_there_are_any() {
        let list = [address("Ann Bell", "ann@example.org"), address("", "bo@example.org")];
        assert_eq!(format_names(&list), "Ann Bell;bo@example.org");
    }

    proptest! {
        #[test]
        fn lists_are_read_as_they_are_written(
            people in proptest::collection::vec(("[^\\pC\\pZ]{0,12}", "[a-z.]{1,8}@[a-z]{1,8}"), 0..6),
        ) {
            let people: Vec<_> = people.iter().map(|(name, email)| address(name, email)).collect();
            prop_assert_eq!(parse_list(&format_list(&people)), people);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            parse_list(&text);
        }
    }
}
