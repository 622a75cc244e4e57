//! The starter of Samba: a domain answers, is killed and comes back with its entries.

#![allow(clippy::unwrap_used, reason = "tests")]

use dme_testkit::samba::{CORP, Samba};

#[test]
fn a_domain_keeps_its_entries_over_a_kill() {
    let mut samba = Samba::start(CORP).unwrap();
    let users = format!("CN=Users,{}", samba.suffix());
    samba.modify(&samba.user(&users, "ann", "ann's secret", "mail: ann@example.org\n")).unwrap();
    let mail = |samba: &Samba| samba.values(&samba.suffix(), "sub", "(sAMAccountName=ann)", "mail");
    assert_eq!(mail(&samba).unwrap(), ["ann@example.org"]);
    samba.kill();
    assert!(mail(&samba).is_err());
    samba.restart().unwrap();
    assert_eq!(mail(&samba).unwrap(), ["ann@example.org"]);
}
