//! Which of several like lines fills which place.
//!
//! A line that an earlier edit gave a place (`X-DME-SLOT`) has it. The others follow in order of
//! preference, then as they stand in the card: first each takes a place that its own types name (a
//! telephone `TYPE=CELL` the mobile one), then lines that are left over take what places remain
//! near (a second mobile telephone at work one of the business numbers), at last those of no known
//! type take what is free. A line without a place is not shown and stays.

use super::{
    card::{Card, Version},
    line::Line,
};
use dme_model::ContactText::{self, *};
use std::collections::{BTreeMap, BTreeSet};

/// The parameter that says which place a line has.
pub(super) const PARAMETER: &str = "X-DME-SLOT";

/// The place of a line that is to have none.
pub(super) const NONE: &str = "None";

/// Lines of one kind and their places.
#[derive(Debug)]
pub(super) struct Family {
    names: &'static [&'static str],
    places: &'static [(ContactText, &'static [&'static str])],
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Phone,
    Mail,
    Messaging,
    Address,
}

/// Which lines fill each place, by their ids: mostly one, several where they say the same.
pub(super) type Filled = BTreeMap<ContactText, Vec<usize>>;

/// `TEL`.
pub(super) static PHONE: Family = Family {
    names: &["TEL", "X-MS-TEL"],
    places: &[
        (BusinessPhone, &["WORK", "VOICE"]),
        (BusinessPhone2, &["WORK", "VOICE"]),
        (BusinessFax, &["WORK", "FAX"]),
        (HomePhone, &["HOME", "VOICE"]),
        (HomePhone2, &["HOME", "VOICE"]),
        (HomeFax, &["HOME", "FAX"]),
        (MobilePhone, &["CELL"]),
        (CarPhone, &["CAR"]),
        (Pager, &["PAGER"]),
        (RadioPhone, &["X-EVOLUTION-RADIO"]),
        (AssistantPhone, &["X-EVOLUTION-ASSISTANT"]),
        (CompanyMainPhone, &["X-EVOLUTION-COMPANY"]),
        (Mms, &["X-DME-MMS"]),
    ],
    kind: Kind::Phone,
};

/// `EMAIL`.
pub(super) static MAIL: Family = Family {
    names: &["EMAIL"],
    places: &[(Email1, &["INTERNET"]), (Email2, &["INTERNET"]), (Email3, &["INTERNET"])],
    kind: Kind::Mail,
};

/// `IMPP` and what was there before it.
pub(super) static MESSAGING: Family = Family {
    names: &[
        "IMPP",
        "X-JABBER",
        "X-AIM",
        "X-MSN",
        "X-SKYPE",
        "X-SKYPE-USERNAME",
        "X-ICQ",
        "X-YAHOO",
        "X-GADUGADU",
        "X-GROUPWISE",
        "X-GOOGLE-TALK",
        "X-MATRIX",
        "X-MS-IMADDRESS",
    ],
    places: &[(Im1, &[]), (Im2, &[]), (Im3, &[])],
    kind: Kind::Messaging,
};

/// `ADR`; each place stands for the whole address.
pub(super) static ADDRESS: Family = Family {
    names: &["ADR"],
    places: &[(BusinessStreet, &["WORK"]), (HomeStreet, &["HOME"]), (OtherStreet, &["OTHER"])],
    kind: Kind::Address,
};

/// The families whose lines each say one text.
pub(super) static SINGLE: [&Family; 3] = [&PHONE, &MAIL, &MESSAGING];

impl Family {
    /// Whether the text is one of its places.
    pub(super) fn has(&self, text: ContactText) -> bool {
        self.places.iter().any(|(place, _)| *place == text)
    }

    /// The lines of the family, preferred ones first.
    fn lines<'a>(&self, card: &'a Card) -> Vec<&'a Line> {
        let mut lines: Vec<&Line> =
            card.lines().filter(|line| self.names.contains(&line.name.as_str())).collect();
        // Sorting is stable: else the order of the card counts.
        lines.sort_by_key(|line| line.preference().unwrap_or(u8::MAX));
        lines
    }

    /// Which lines fill each place.
    pub(super) fn filled(&self, card: &Card) -> Filled {
        let mut filled = Filled::new();
        let mut left = Vec::new();
        for line in self.lines(card) {
            match line.slot() {
                Some(slot) if slot == NONE => {}
                Some(slot) => match self.places.iter().find(|(place, _)| word(*place) == slot) {
                    Some((place, _)) if !filled.contains_key(place) => {
                        filled.insert(*place, vec![line.id]);
                    }
                    _ => left.push(line),
                },
                None => left.push(line),
            }
        }
        let mut candidates: Vec<_> =
            left.into_iter().map(|line| (line, self.candidates(card, line))).collect();
        for level in 0..3 {
            candidates.retain(|(line, levels)| {
                if filled.len() == self.places.len() && self.kind == Kind::Phone {
                    return false;
                }
                if let Some(place) = self.same(card, line, &filled) {
                    filled.entry(place).or_default().push(line.id);
                    return false;
                }
                let places = levels.get(level).copied().unwrap_or_default();
                let Some(place) = places.iter().find(|place| !filled.contains_key(place)) else {
                    return true;
                };
                filled.insert(*place, vec![line.id]);
                false
            });
        }
        filled
    }

    /// The place that a line which says the same fills: Apple writes every messaging address twice.
    fn same(&self, card: &Card, line: &Line, filled: &Filled) -> Option<ContactText> {
        if !matches!(self.kind, Kind::Mail | Kind::Messaging) {
            return None;
        }
        let text = self.text(card, line);
        filled.iter().find_map(|(place, ids)| {
            let other = ids.first().and_then(|id| card.line(*id))?;
            (self.text(card, other) == text).then_some(*place)
        })
    }

    /// The places a line may fill, level by level.
    fn candidates(&self, card: &Card, line: &Line) -> [&'static [ContactText]; 3] {
        const BUSINESS: &[ContactText] = &[BusinessPhone, BusinessPhone2];
        const HOME: &[ContactText] = &[HomePhone, HomePhone2];
        let (types, label) = (line.types(), card.label(line));
        let is = |name: &str| {
            let ends = |one: &String| one.strip_suffix(name).is_some_and(|it| it.ends_with('-'));
            label == name || types.iter().any(|one| one == name || ends(one))
        };
        match self.kind {
            Kind::Mail => [&[Email1, Email2, Email3], &[], &[]],
            Kind::Messaging => [&[Im1, Im2, Im3], &[], &[]],
            Kind::Address if is("WORK") => [&[BusinessStreet], &[OtherStreet], &[]],
            Kind::Address if is("HOME") => [&[HomeStreet], &[OtherStreet], &[]],
            Kind::Address => [&[OtherStreet], &[], &[]],
            Kind::Phone if is("FAX") && is("HOME") => [&[HomeFax], &[], &[]],
            Kind::Phone if is("FAX") && is("WORK") => [&[BusinessFax], &[], &[]],
            Kind::Phone if is("FAX") => [&[], &[BusinessFax, HomeFax], &[]],
            Kind::Phone if is("PAGER") => [&[Pager], &[], &[]],
            Kind::Phone if is("CAR") => [&[CarPhone], &[], &[]],
            Kind::Phone if is("RADIO") => [&[RadioPhone], &[], &[]],
            Kind::Phone if is("ASSISTANT") => [&[AssistantPhone], &[], &[]],
            Kind::Phone if is("COMPANY") || is("MAIN") => [&[CompanyMainPhone], &[], &[]],
            Kind::Phone if is("MMS") => [&[Mms], &[], &[]],
            Kind::Phone if is("CELL") || is("IPHONE") || is("MOBILE") => {
                let near: &[ContactText] = if is("WORK") {
                    BUSINESS
                } else if is("HOME") {
                    HOME
                } else {
                    &[]
                };
                [&[MobilePhone], near, &[]]
            }
            Kind::Phone if is("WORK") => [BUSINESS, &[], &[]],
            Kind::Phone if is("HOME") => [HOME, &[], &[]],
            // No telephones one talks on.
            Kind::Phone if is("MODEM") || is("BBS") || is("TLX") || is("TELEX") => [&[], &[], &[]],
            Kind::Phone => {
                [&[], &[], &[HomePhone, BusinessPhone, MobilePhone, HomePhone2, BusinessPhone2]]
            }
        }
    }

    /// What a line says, as a phone is shown it.
    pub(super) fn text(&self, card: &Card, line: &Line) -> String {
        let text = line.text(card.version).trim().to_owned();
        match self.kind {
            Kind::Phone => without_scheme(&text, &["tel:"]).to_owned(),
            Kind::Mail => without_scheme(&text, &["mailto:"]).to_owned(),
            Kind::Messaging => without_scheme(&text, MESSAGING_SCHEMES).to_owned(),
            Kind::Address => text,
        }
    }

    /// Gives the places new texts; an empty one is taken out. The lines of other places keep them.
    pub(super) fn write(&self, card: &mut Card, texts: &BTreeMap<ContactText, String>) {
        let before = self.filled(card);
        let mut wanted: BTreeMap<usize, ContactText> = BTreeMap::new();
        for (place, ids) in &before {
            wanted.extend(ids.iter().map(|id| (*id, *place)));
        }
        for (place, text) in texts {
            let ids = before.get(place).map(Vec::as_slice).unwrap_or_default();
            if text.is_empty() {
                ids.iter().for_each(|id| card.remove(*id));
            } else if ids.is_empty() {
                wanted.insert(self.append(card, *place, text), *place);
            } else {
                ids.iter().for_each(|id| self.replace(card, *id, text));
            }
        }
        self.settle(card, &wanted);
    }

    /// Marks the lines that would else change their places.
    pub(super) fn settle(&self, card: &mut Card, wanted: &BTreeMap<usize, ContactText>) {
        // To mark one line can shift another; at the last turn all are marked.
        for turn in 0..4 {
            let filled = self.filled(card);
            let has = |id: usize| filled.iter().find(|(_, ids)| ids.contains(&id));
            let ids: Vec<usize> = self.lines(card).iter().map(|line| line.id).collect();
            let moved: BTreeSet<usize> = ids
                .into_iter()
                .filter(|id| turn == 3 || has(*id).map(|(place, _)| place) != wanted.get(id))
                .collect();
            if moved.is_empty() {
                return;
            }
            for id in moved {
                let slot = wanted.get(&id).map_or_else(|| NONE.to_owned(), |place| word(*place));
                card.set_slot(id, &slot);
            }
        }
    }

    /// Adds a line for a place; returns its id.
    pub(super) fn append(&self, card: &mut Card, place: ContactText, text: &str) -> usize {
        let found = self.places.iter().find(|(one, _)| *one == place);
        let types = found.map(|(_, types)| *types).unwrap_or_default();
        // 4.0 knows no type for mail addresses of the internet, for there are no others.
        let types =
            if self.kind == Kind::Mail && card.version == Version::V4 { &[] } else { types };
        let types: Vec<String> = match card.version {
            _ if types.is_empty() => Vec::new(),
            Version::V2 => types.iter().map(|one| (*one).to_owned()).collect(),
            Version::V3 => vec![format!("TYPE={}", types.join(","))],
            Version::V4 if types.len() > 1 => {
                vec![format!("TYPE=\"{}\"", types.join(",").to_lowercase())]
            }
            Version::V4 => vec![format!("TYPE={}", types.join(",").to_lowercase())],
        };
        let parameters: Vec<&str> = types.iter().map(String::as_str).collect();
        let parameters = parameters.as_slice();
        match self.kind {
            Kind::Messaging if has_scheme(text) => card.append("IMPP", parameters, text),
            Kind::Messaging if is_uri(text) => {
                card.append("IMPP", parameters, &format!("im:{text}"))
            }
            Kind::Messaging => {
                let value = card.version.escape(text);
                card.append("X-MS-IMADDRESS", parameters, &value)
            }
            // The value of an address is a structure already.
            Kind::Address => card.append("ADR", parameters, text),
            Kind::Phone | Kind::Mail => {
                let value = card.version.escape(text);
                let name = self.names.first().copied().unwrap_or_default();
                card.append(name, parameters, &value)
            }
        }
    }

    /// Puts another text into a line.
    fn replace(&self, card: &mut Card, id: usize, text: &str) {
        let Some(line) = card.line(id) else { return };
        let old = line.value().trim().to_owned();
        let schemes = match self.kind {
            Kind::Phone => &["tel:"],
            Kind::Mail => &["mailto:"],
            Kind::Messaging | Kind::Address => MESSAGING_SCHEMES,
        };
        let scheme = old.get(..old.len() - without_scheme(&old, schemes).len()).unwrap_or_default();
        let impp = line.name == "IMPP";
        if (!scheme.is_empty() || impp) && is_uri(text) {
            let value =
                if has_scheme(text) && impp { text.to_owned() } else { scheme.to_owned() + text };
            return card.set_value(id, &value);
        }
        card.set_parameter(id, "VALUE", None);
        let value = card.version.escape(text);
        card.set_value(id, &value);
    }
}

/// Schemes that say less than the address behind them.
const MESSAGING_SCHEMES: &[&str] = &[
    "im:", "xmpp:", "aim:", "msnim:", "skype:", "icq:", "ymsgr:", "x-apple:", "matrix:", "gg:",
    "msn:", "jabber:",
];

/// The name of a place as it stands in a card.
fn word(place: ContactText) -> String {
    format!("{place:?}")
}

fn without_scheme<'a>(text: &'a str, schemes: &[&str]) -> &'a str {
    let rest = schemes.iter().find_map(|scheme| {
        let (begin, rest) = text.split_at_checked(scheme.len())?;
        (begin.eq_ignore_ascii_case(scheme) && !rest.is_empty()).then_some(rest)
    });
    rest.unwrap_or(text)
}

/// Whether the text is a URI by itself.
fn has_scheme(text: &str) -> bool {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    let letters = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    !scheme.is_empty() && letters && is_uri(text) && without_scheme(text, MESSAGING_SCHEMES) == text
}

/// Whether the text can stand in a URI as it is.
fn is_uri(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~@+!$&'()*=:/?#".contains(&byte))
}
