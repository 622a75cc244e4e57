//! Passwords, people and standings in Active Directory.

use crate::domain::{Place, config, group, password, user};
use crate::world::{accepted, secret};
use dme_directory::{
    AccessGroups, Admission, DirectoryService, Error, Gate, GateConfig, LdapDirectory, Login,
    RealmSetup, Severity, Standing, Users, Verdict,
};
use dme_model::{Timestamp, UserId};
use dme_testkit::samba::{CORP, Domain, FOLLOWER, LOCKOUT_THRESHOLD, READER, Samba};
use std::collections::BTreeMap;
use std::sync::Arc;

fn realm(domain: Domain, directory: LdapDirectory, users: Users) -> RealmSetup {
    RealmSetup {
        realm: domain.dns.into(),
        aliases: vec![domain.netbios.into()],
        suffixes: Vec::new(),
        directory: Arc::new(directory),
        access: AccessGroups { users, ..AccessGroups::default() },
    }
}

fn gate(setups: Vec<RealmSetup>) -> Arc<Gate> {
    let clock = Arc::new(|| Timestamp::from_seconds(1_700_000_000));
    Gate::new(GateConfig::default(), setups, clock).unwrap()
}

/// Who is let in by a login, or why nobody is.
async fn admitted(gate: &Arc<Gate>, login: &str, password: &str) -> Result<UserId, String> {
    let login = Login::parse(login).unwrap();
    match gate.admit(&login, &secret(password), None).await {
        Admission::Admitted { who, .. } => Ok(who.person.user.clone()),
        Admission::Refused(refusal) => Err(refusal.to_string()),
        other => Err(format!("{other:?}")),
    }
}

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
        suffixes: ["people.example", "example.org", "old.example"].map(str::to_owned).into(),
        ..realm(CORP, place.directory_with(""), Users::Everyone)
    };
    let gate = gate(vec![setup]);
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
        assert_eq!(admitted(&gate, login, &password(owner)).await, Ok(user(owner)), "{login}");
    }
    for login in ["OTHER\\l-ann", "l-ann@elsewhere.test", "l-bob@people.example"] {
        assert!(admitted(&gate, login, "l-ann secret").await.is_err(), "{login}");
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

#[tokio::test]
async fn what_bars_an_account_ends_its_session_at_the_refresh_and_the_reason_is_said() {
    let place = Place::new("sessions");
    place.group("e-phones", &[]);
    let directory = place.directory();
    let users = Users::Groups(vec!["e-phones".into()]);
    let gate = gate(vec![realm(CORP, place.directory(), users)]);
    let reasons = BTreeMap::from([
        ("e-disabled", "no longer allowed: the account is disabled"),
        ("e-expired", "no longer allowed: the account has expired"),
        ("e-must", "no longer allowed: the password must be changed first"),
        ("e-locked", "no longer allowed: the account is locked after too many wrong passwords"),
        ("e-left", "no longer allowed: not in a group that allows it, at any depth"),
        ("e-gone", "no longer in the directory"),
    ]);
    for name in reasons.keys().chain([&"e-stays"]) {
        place.user(name, "");
        place.change("e-phones", "add", name);
        assert_eq!(admitted(&gate, name, &password(name)).await, Ok(user(name)));
    }
    let mut revocations = gate.revocations();
    gate.refresh().await;
    assert!(revocations.try_recv().is_err(), "nothing has changed");

    place.set("e-disabled", "userAccountControl", "514");
    place.set("e-expired", "accountExpires", "133444737000000000");
    place.set("e-must", "pwdLastSet", "0");
    for _ in 0..LOCKOUT_THRESHOLD {
        log_in(&directory, "e-locked", "wrong").await;
    }
    place.change("e-phones", "delete", "e-left");
    place.delete("e-gone");
    gate.refresh().await;
    let mut said = BTreeMap::new();
    while let Ok(revoked) = revocations.try_recv() {
        said.insert(revoked.user.local_part().to_owned(), revoked.why.to_string());
    }
    let said = said.iter().map(|(name, why)| (name.as_str(), why.as_str())).collect();
    assert_eq!(reasons, said);
}

#[tokio::test]
async fn of_several_domains_each_has_its_own_people_and_groups() {
    const BRANCH: Domain = Domain { dns: "branch.example", netbios: "BRANCH" };
    let corp = Place::new("several");
    let branch = Samba::start(BRANCH).unwrap();
    let users = format!("CN=Users,{}", branch.suffix());
    branch.modify(&branch.user(&users, "d-ann", "another secret", "")).unwrap();
    branch.modify(&group(&users, "d-phones", &[format!("CN=d-ann,{users}")])).unwrap();
    for name in ["d-ann", "d-bob"] {
        corp.user(name, "");
    }
    corp.group("d-phones", &["d-bob"]);
    let phones = || Users::Groups(vec!["d-phones".into()]);
    let gate = gate(vec![
        realm(CORP, corp.directory_with(""), phones()),
        realm(BRANCH, LdapDirectory::new(config(&branch, READER, "")).unwrap(), phones()),
    ]);
    let of_branch = Ok(UserId::new("d-ann@branch.example"));
    for login in ["BRANCH\\d-ann", "d-ann@branch.example"] {
        assert_eq!(admitted(&gate, login, "another secret").await, of_branch, "{login}");
    }
    assert_eq!(admitted(&gate, "d-bob", "d-bob secret").await, Ok(user("d-bob")));
    // The one Ann is not the other, and the one group gives no right in the other domain.
    for (login, password, said) in [
        ("CORP\\d-ann", "another secret", "wrong password"),
        ("CORP\\d-ann", "d-ann secret", "not allowed: not in a group that allows it, at any depth"),
        ("BRANCH\\d-ann", "d-ann secret", "wrong password"),
        ("BRANCH\\d-bob", "d-bob secret", "unknown user"),
    ] {
        assert_eq!(admitted(&gate, login, password).await, Err(said.to_owned()), "{login}");
    }
}

#[tokio::test]
async fn the_check_says_how_changes_are_learnt_of_and_what_would_mend_it() {
    let place = Place::new("checked");
    place.user("c-ann", "mail: c-ann@example.org\n");
    place.group("c-1", &["c-ann"]);
    place.group("c-gone", &[]);
    place.delete("c-gone");
    let findings = place.directory_as(FOLLOWER, "").check(Some(&user("c-ann"))).await;
    let said: Vec<&str> = findings.iter().map(|finding| finding.what.as_str()).collect();
    assert!(findings.iter().all(|f| f.severity == Severity::Fine), "{said:?}");
    let base = format!("{}: people can be read", place.samba.suffix());
    assert!(said.contains(&base.as_str()), "{said:?}");
    assert!(said.contains(&"changes of groups are told by DirSync"), "{said:?}");
    assert!(said.iter().any(|what| what.ends_with("c-ann@example.org, in 2 groups")), "{said:?}");

    let findings = place.directory().check(None).await;
    let warning = findings.iter().find(|f| f.severity == Severity::Warning).unwrap();
    assert!(warning.what.contains("read at each refresh"), "{warning:?}");
    assert!(warning.advice.unwrap().contains("Replicating Directory Changes"), "{warning:?}");
}
