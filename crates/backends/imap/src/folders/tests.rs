use super::*;

fn listed(name: &str, attributes: &str) -> Listed {
    Listed {
        attributes: attributes.split_ascii_whitespace().map(str::to_owned).collect(),
        delimiter: Some('.'),
        name: name::encode(name),
        rights: None,
    }
}

fn place(prefix: &str, delimiter: char) -> Place {
    Place { prefix: prefix.to_owned(), delimiter: Some(delimiter) }
}

fn lines(folders: &[Folder]) -> Vec<String> {
    let line = |folder: &Folder| {
        let it = &folder.collection;
        let parent = it.parent.as_ref().map_or("-", CollectionId::as_str);
        format!("{} in {parent}: {} {:?}", it.id, it.name, it.role)
    };
    folders.iter().map(line).collect()
}

#[test]
fn folders_below_a_prefix_are_at_the_top() {
    let folders = [
        listed("INBOX.Sent", ""),
        listed("INBOX.Kunden.Übersee", ""),
        listed("INBOX", ""),
        listed("INBOX.Papierkorb", ""),
    ];
    let folders = arrange(&place("INBOX.", '.'), folders.into(), &BTreeMap::new());
    assert_eq!(
        lines(&folders),
        [
            "INBOX in -: INBOX Some(Inbox)",
            "INBOX.Kunden in -: Kunden None",
            "INBOX.Kunden.Übersee in INBOX.Kunden: Übersee None",
            "INBOX.Papierkorb in -: Papierkorb Some(Trash)",
            "INBOX.Sent in -: Sent Some(Sent)",
        ]
    );
    assert!(!folders[1].selectable && folders[1].collection.access == Access::ReadOnly);
}

#[test]
fn settings_go_before_marks_and_marks_before_names() {
    let folders = || {
        vec![
            listed("INBOX", ""),
            listed("Trash", ""),
            listed("Bin", "\\trash"),
            listed("Sent", "\\sent"),
            listed("Away", ""),
        ]
    };
    let role_of = |folders: &[Folder], role| {
        let found = folders.iter().find(|folder| folder.collection.role == Some(role));
        found.map(|folder| folder.collection.name.clone())
    };
    let marked = arrange(&place("", '/'), folders(), &BTreeMap::new());
    assert_eq!(role_of(&marked, Role::Trash).as_deref(), Some("Bin"));
    let wanted = [(Role::Sent, "Away".to_owned())].into();
    let set = arrange(&place("", '/'), folders(), &wanted);
    assert_eq!(role_of(&set, Role::Sent).as_deref(), Some("Away"));
}

#[test]
fn a_delimiter_in_a_name_is_replaced_by_what_looks_alike() {
    let place = place("", '/');
    let path = path(&place, None, "a/b").unwrap();
    assert_eq!(path, "a\u{2215}b");
    assert_eq!(shown(&place, &path), "a/b");
}
