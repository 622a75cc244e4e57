//! `docs/policy.md` lists every setting as the table has it. `DME_WRITE_POLICY=1` writes its list
//! anew.

#![expect(clippy::unwrap_used, reason = "a page that cannot be read fails the test")]

use dme_policy::{Client, Setting};
use std::fmt::Write as _;
use std::path::Path;

/// What stands before the list is written by hand.
const BEGINS: &str = "<!-- the list of settings: made by crates/policy/tests/page.rs -->\n";

fn list() -> String {
    let mut list = String::from(BEGINS);
    let mut area = None;
    for setting in Setting::ALL {
        let about = setting.about();
        if area.replace(about.area) != Some(about.area) {
            let names: Vec<&str> = Client::ALL.iter().map(|client| client.name()).collect();
            write!(list, "\n### {}\n\n", about.area.title()).unwrap();
            writeln!(list, "| setting | means | values | unless set | {} |", names.join(" | "))
                .unwrap();
            writeln!(list, "|{}", "---|".repeat(4 + names.len())).unwrap();
        }
        let note = if about.note.is_empty() { String::new() } else { format!(" {}", about.note) };
        let unset = about.kind.unset();
        write!(
            list,
            "| `{}` | {}{note} | {} | {unset} |",
            about.name,
            about.meaning,
            about.kind.allowed()
        )
        .unwrap();
        for client in Client::ALL {
            write!(list, " {} |", about.obeyed.by(client).as_str()).unwrap();
        }
        list.push('\n');
    }
    list
}

#[test]
fn the_page_lists_the_settings_as_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (by_hand, _) = page.split_once(BEGINS).unwrap();
    let expected = format!("{by_hand}{}", list());
    if std::env::var_os("DME_WRITE_POLICY").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(
        page == expected,
        "docs/policy.md differs: write its list anew with DME_WRITE_POLICY=1"
    );
}
