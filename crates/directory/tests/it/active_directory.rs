//! Passwords, people and standings in Active Directory.

use crate::domain::{Place, config, password, user};
use crate::world::{accepted, secret};
use dme_directory::{
    AccessGroups, Admission, DirectoryService, Error, Gate, GateConfig, LdapDirectory, Login,
    RealmSetup, Standing, Users, Verdict,
};
use dme_model::Timestamp;
use dme_testkit::samba::{LOCKOUT_THRESHOLD, READER};
use std::sync::Arc;

async fn log_in(directory: &LdapDirectory, name: &str, password: &str) -> Verdict {
    directory.authenticate(&user(name), &secret(password)).await.unwrap()
}

#[tokio::test]
async fn the_password_is_checked_over_ldaps_and_start_tls_with_the_certificate_verified() {
    let place = Place::new("transport");
    place.user("t-ann", "");
    let start_tls = format!("urls = ['{}']", place.samba.ldap_url());
    let mut config = config(&place.samba, READER, "");
    for urls in [config.urls.clone(), vec![place.samba.ldap_url()]] {
        config.urls = urls;
        let directory = LdapDirectory::new(config.clone()).unwrap();
        let ann = accepted(log_in(&directory, "t-ann", "t-ann secret").await);
        assert_eq!(ann.user, user("t-ann"), "{start_tls}");
        assert_eq!(log_in(&directory, "t-ann", "wrong").await, Verdict::WrongPassword);
        assert_eq!(log_in(&directory, "t-nobody", "wrong").await, Verdict::Unknown);
    }
    config.ca_file = None;
    let stranger = LdapDirectory::new(config).unwrap();
    let answer = stranger.find(&user("t-ann")).await;
    let refused = matches!(&answer, Err(Error::Unavailable(text)) if text.contains("certificate"));
    assert!(refused, "{answer:?}");
}

#[tokio::test]
async fn every_form_of_a_login_means_its_owner_and_nobody_else() {
    let place = Place::new("logins");
    place.user("l-ann", "mail: Ann.Smith@example.org\nproxyAddresses: smtp:ann@old.example\n");
    // Bob's principal name has Ann's account name before another suffix.
    place.user("l-bob", "");
    place.set("l-bob", "userPrincipalName", "l-ann@people.example");
    let setup = RealmSetup {
        realm: "corp.example".into(),
        aliases: vec!["CORP".into()],
        suffixes: ["people.example", "example.org", "old.example"].map(str::to_owned).into(),
        directory: Arc::new(place.directory_with("")),
        access: AccessGroups { users: Users::Everyone, ..AccessGroups::default() },
    };
    let clock = Arc::new(|| Timestamp::from_seconds(1_700_000_000));
    let gate = Gate::new(GateConfig::default(), vec![setup], clock).unwrap();
    for (login, owner) in [
        ("l-ann", "l-ann"),
        ("CORP\\l-ann", "l-ann"),
        ("corp\\L-Ann", "l-ann"),
        ("l-ann@corp.example", "l-ann"),
        ("l-ann@CORP", "l-ann"),
        ("ann.smith@example.org", "l-ann"),
        ("ann@old.example", "l-ann"),
        ("CORP\\l-bob", "l-bob"),
        ("l-ann@people.example", "l-bob"),
        ("l-bob@corp.example", "l-bob"),
    ] {
        let parsed = Login::parse(login).unwrap();
        let admission = gate.admit(&parsed, &secret(&password(owner)), None).await;
        let Admission::Admitted { who, .. } = admission else { panic!("{login}: {admission:?}") };
        assert_eq!(who.person.user, user(owner), "{login}");
    }
    for login in ["OTHER\\l-ann", "l-ann@elsewhere.test", "l-bob@people.example"] {
        let parsed = Login::parse(login).unwrap();
        let admission = gate.admit(&parsed, &secret("l-ann secret"), None).await;
        assert!(matches!(admission, Admission::Refused(_)), "{login}: {admission:?}");
    }
}

#[tokio::test]
async fn each_reason_to_bar_an_account_is_told_by_the_bind_and_by_the_entry() {
    let place = Place::new("standings");
    let directory = place.directory();
    for name in ["disabled", "expired", "must", "old", "locked", "hours", "good"] {
        place.user(&format!("s-{name}"), "");
    }
    place.set("s-disabled", "userAccountControl", "514");
    // 2023-11-14.
    place.set("s-expired", "accountExpires", "133444737000000000");
    place.set("s-must", "pwdLastSet", "0");
    let since_2023 = format!(
        "dn: {}\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: 133444737000000000\n",
        place.dn("s-old")
    );
    place.samba.modify_as_system(&since_2023).unwrap();
    // No hour of the week.
    place.modify(&format!(
        "dn: {}\nchangetype: modify\nreplace: logonHours\nlogonHours:: {}\n",
        place.dn("s-hours"),
        "A".repeat(28)
    ));
    for _ in 0..LOCKOUT_THRESHOLD {
        log_in(&directory, "s-locked", "wrong").await;
    }
    for (name, by_bind, by_entry) in [
        ("s-good", None, Standing::Active),
        ("s-disabled", Some(Standing::Disabled), Standing::Disabled),
        ("s-expired", Some(Standing::Expired), Standing::Expired),
        ("s-must", Some(Standing::MustChangePassword), Standing::MustChangePassword),
        ("s-old", Some(Standing::PasswordExpired), Standing::PasswordExpired),
        ("s-locked", Some(Standing::LockedOut), Standing::LockedOut),
        // Only the clock of the controller tells this.
        ("s-hours", Some(Standing::OutsideLogonHours), Standing::Active),
    ] {
        let verdict = log_in(&directory, name, &password(name)).await;
        match by_bind {
            None => assert_eq!(accepted(verdict).standing, Standing::Active),
            Some(standing) => assert_eq!(verdict, Verdict::Barred(standing), "{name}"),
        }
        let person = directory.find(&user(name)).await.unwrap().unwrap();
        assert_eq!(person.standing, by_entry, "{name}");
    }
    // Whoever has not the password does not learn how an account stands, but for a lock.
    for name in ["s-disabled", "s-expired", "s-must", "s-old", "s-hours"] {
        assert_eq!(log_in(&directory, name, "wrong").await, Verdict::WrongPassword, "{name}");
    }
}
