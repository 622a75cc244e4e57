//! Which folder is for what: as configured, as the server marks it (RFC 6154), else by name.

use dme_model::Role;

/// Names that mail programs give, lower case.
const NAMES: [(Role, &[&str]); 5] = [
    (
        Role::Drafts,
        &[
            "drafts",
            "draft",
            "entwürfe",
            "entwurf",
            "brouillons",
            "kladder",
            "udkast",
            "utkast",
            "borradores",
            "bozze",
            "concepten",
            "luonnokset",
            "rascunhos",
            "черновики",
            "草稿",
            "草稿箱",
        ],
    ),
    (
        Role::Sent,
        &[
            "sent",
            "sent items",
            "sent messages",
            "sent mail",
            "gesendet",
            "gesendete objekte",
            "gesendete elemente",
            "envoyés",
            "éléments envoyés",
            "messages envoyés",
            "sendt",
            "sendt post",
            "sendte elementer",
            "skickat",
            "enviados",
            "inviata",
            "posta inviata",
            "verzonden",
            "verzonden items",
            "lähetetyt",
            "отправленные",
            "已发送",
            "已发送邮件",
        ],
    ),
    (
        Role::Trash,
        &[
            "trash",
            "deleted items",
            "deleted messages",
            "deleted",
            "papierkorb",
            "gelöschte objekte",
            "gelöschte elemente",
            "corbeille",
            "éléments supprimés",
            "papirkurv",
            "slettet post",
            "slettede elementer",
            "papperskorgen",
            "papelera",
            "cestino",
            "prullenbak",
            "verwijderde items",
            "roskakori",
            "lixeira",
            "корзина",
            "удаленные",
            "已删除",
            "已删除邮件",
        ],
    ),
    (
        Role::Junk,
        &[
            "junk",
            "spam",
            "junk e-mail",
            "junk email",
            "bulk mail",
            "junk-e-mail",
            "pourriel",
            "courrier indésirable",
            "indésirables",
            "uønsket",
            "uønsket mail",
            "uønsket post",
            "skräppost",
            "correo no deseado",
            "posta indesiderata",
            "ongewenste e-mail",
            "roskaposti",
            "спам",
            "垃圾邮件",
        ],
    ),
    (
        Role::Archive,
        &[
            "archive",
            "archives",
            "archiv",
            "arkiv",
            "archivio",
            "archivo",
            "archief",
            "arkisto",
            "архив",
            "归档",
        ],
    ),
];

/// The role a server marks by a LIST attribute, lower case.
pub(crate) fn by_attribute(attribute: &str) -> Option<Role> {
    Some(match attribute {
        "\\drafts" => Role::Drafts,
        "\\sent" => Role::Sent,
        "\\trash" => Role::Trash,
        "\\junk" | "\\spam" => Role::Junk,
        "\\archive" => Role::Archive,
        _ => return None,
    })
}

/// The role that a name suggests, and how well: the first name known is the best.
pub(crate) fn by_name(name: &str) -> Option<(Role, usize)> {
    let name = name.trim().to_lowercase();
    NAMES.iter().find_map(|(role, names)| {
        names.iter().position(|known| *known == name).map(|place| (*role, place))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_several_languages_are_known() {
        for (name, role) in [
            ("Sent Items", Role::Sent),
            ("Gesendete Objekte", Role::Sent),
            ("ENTWÜRFE", Role::Drafts),
            ("Éléments supprimés", Role::Trash),
            ("Papirkurv", Role::Trash),
            ("Uønsket post", Role::Junk),
        ] {
            assert_eq!(by_name(name).map(|(role, _)| role), Some(role), "{name}");
        }
        assert_eq!(by_name("Projects"), None);
    }

    #[test]
    fn no_name_stands_for_two_roles() {
        let mut all: Vec<_> = NAMES.iter().flat_map(|(_, names)| names.iter()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
