//! Passwords, people, groups.

use crate::world::{
    accepted, config, directory, entries, found, group, groups, person, secret, user,
};
use dme_directory::{
    DirectoryService, Error, GroupGraph, GroupId, Memberships, Severity, Standing, Verdict,
};
use dme_testkit::slapd::{Overlays, SERVICE_DN, SUFFIX, Slapd, SlapdOptions};
use std::time::{Duration, Instant};

fn slapd(options: SlapdOptions) -> Slapd {
    Slapd::start(&options).unwrap()
}

fn small() -> Slapd {
    slapd(SlapdOptions { ldif: entries(), ..SlapdOptions::default() })
}

fn group_id(cn: &str) -> GroupId {
    GroupId(format!("cn={cn},ou=groups,{SUFFIX}"))
}

#[tokio::test]
async fn the_right_password_is_accepted_and_the_person_is_as_in_the_directory() {
    let slapd = small();
    let directory = directory(config(&slapd));
    let ann = directory.authenticate(&user("ann"), &secret("ann's secret")).await.unwrap();
    let ann = accepted(ann);
    assert_eq!(ann.user, user("ann"));
    assert_eq!(ann.address, "ann.mail@example.org");
    assert_eq!(ann.display_name.as_deref(), Some("Ann Smith"));
    assert_eq!(ann.groups, [group_id("sales")]);
    assert_eq!(ann.standing, Standing::Active);
    assert_eq!(directory.find(&user("ann")).await.unwrap(), Some(ann));
}

#[tokio::test]
async fn other_passwords_and_other_people_are_not() {
    let slapd = small();
    let directory = directory(config(&slapd));
    for (name, password, verdict) in [
        ("ann", "bob's secret", Verdict::WrongPassword),
        ("ann", "Ann's secret", Verdict::WrongPassword),
        ("ann", "", Verdict::WrongPassword),
        ("nobody", "ann's secret", Verdict::Unknown),
        ("*", "ann's secret", Verdict::Unknown),
        ("ann*", "ann's secret", Verdict::Unknown),
        ("*)(uid=*", "ann's secret", Verdict::Unknown),
        ("x)(|(uid=ann", "ann's secret", Verdict::Unknown),
        ("ann\\", "ann's secret", Verdict::Unknown),
        ("{user}", "ann's secret", Verdict::Unknown),
    ] {
        let answer = directory.authenticate(&user(name), &secret(password)).await;
        assert_eq!(answer, Ok(verdict), "{name}");
    }
    let elsewhere = "ann@elsewhere.test".into();
    let answer = directory.authenticate(&elsewhere, &secret("ann's secret")).await;
    assert_eq!(answer, Ok(Verdict::Unknown));
}

#[tokio::test]
async fn names_and_passwords_of_any_script_work() {
    let slapd = small();
    let directory = directory(config(&slapd));
    let juergen = directory.authenticate(&user("jürgen"), &secret("pä€ßwörd 密码")).await.unwrap();
    assert_eq!(accepted(juergen).display_name.as_deref(), Some("Jürgen Müller"));
    // The DN has a comma, which the server escapes one way and the group another.
    let bob = directory.authenticate(&user("bob"), &secret("bob's secret")).await.unwrap();
    assert_eq!(accepted(bob).groups, [group_id("sales")]);
}

#[tokio::test]
async fn a_login_by_mail_address_is_the_same_user() {
    let slapd = small();
    let directory = directory(config(&slapd));
    let ann = directory.authenticate(&user("ann.mail"), &secret("ann's secret")).await.unwrap();
    assert_eq!(accepted(ann).user, user("ann"));
}

#[tokio::test]
async fn a_person_with_two_names_is_one_user() {
    let two =
        person("people", "zoe", "Zoe", "zoe's secret").replace("uid: zoe", "uid: zoe\nuid: Amy");
    let slapd = slapd(SlapdOptions { ldif: entries() + &two, ..SlapdOptions::default() });
    let directory = directory(config(&slapd));
    for name in ["zoe", "amy"] {
        let verdict = directory.authenticate(&user(name), &secret("zoe's secret")).await.unwrap();
        assert_eq!(accepted(verdict).user, user("amy"));
    }
}

#[tokio::test]
async fn two_entries_for_one_login_let_nobody_in() {
    let ldif = entries() + &person("guests", "ann", "Another Ann", "another secret");
    let slapd = slapd(SlapdOptions { ldif, ..SlapdOptions::default() });
    let directory = directory(config(&slapd));
    for password in ["ann's secret", "another secret"] {
        let answer = directory.authenticate(&user("ann"), &secret(password)).await;
        assert!(matches!(answer, Err(Error::Refused(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn nested_groups_are_read_with_their_cycle() {
    let slapd = small();
    let directory = directory(config(&slapd));
    let snapshot = directory.groups().await.unwrap();
    assert_eq!(snapshot.groups.len(), 4);
    let graph = GroupGraph::new(&[snapshot]);
    let ann = directory.find(&user("ann")).await.unwrap().unwrap();
    let guest = directory.find(&user("guest")).await.unwrap().unwrap();
    assert_eq!(
        graph.explain(&ann.groups, &group_id("mobile")),
        Some(vec![group_id("sales"), group_id("staff"), group_id("mobile")])
    );
    assert!(!graph.reaches(&guest.groups, &group_id("mobile")));
}

#[tokio::test]
async fn member_of_gives_the_same_groups_as_searching() {
    let people = entries().replace(&groups(), "");
    let slapd = slapd(SlapdOptions {
        ldif: people,
        overlays: Overlays::MemberOf,
        ..SlapdOptions::default()
    });
    // The overlay sees only groups that are made while it runs.
    let adding = groups().replace("objectClass:", "changetype: add\nobjectClass:");

    slapd.modify(&adding).unwrap();
    for memberships in [Memberships::Auto, Memberships::MemberOf, Memberships::Search] {
        let mut config = config(&slapd);
        config.users.memberships = memberships;
        let directory = directory(config);
        let ann = directory.find(&user("ann")).await.unwrap().unwrap();
        assert_eq!(ann.groups, [group_id("sales")], "{memberships:?}");
    }
}

#[tokio::test]
async fn several_bases_are_all_searched_and_nothing_else() {
    let slapd = small();
    let mut config = config(&slapd);
    config.bases = vec![format!("ou=people,{SUFFIX}"), format!("ou=guests,{SUFFIX}")];
    config.groups.bases = vec![format!("ou=groups,{SUFFIX}")];
    let both = directory(config.clone());
    for (name, password) in [("ann", "ann's secret"), ("guest", "guest's secret")] {
        accepted(both.authenticate(&user(name), &secret(password)).await.unwrap());
    }
    config.bases.pop();
    let one = directory(config);
    assert_eq!(one.find(&user("guest")).await, Ok(None));
}

#[tokio::test]
async fn bases_that_overlap_count_an_entry_once() {
    let slapd = small();
    let mut config = config(&slapd);
    config.bases = vec![SUFFIX.into(), format!("ou=people,{SUFFIX}")];
    config.groups.bases = vec![SUFFIX.into(), format!("ou=groups,{SUFFIX}")];
    let directory = directory(config);
    accepted(directory.authenticate(&user("ann"), &secret("ann's secret")).await.unwrap());
    assert_eq!(directory.groups().await.unwrap().groups.len(), 4);
    assert_eq!(found(&directory, "ann").await.len(), 1);
}

#[tokio::test]
async fn without_a_base_the_server_is_asked_for_it() {
    let slapd = small();
    let mut config = config(&slapd);
    config.bases = Vec::new();
    let directory = directory(config);
    accepted(directory.authenticate(&user("ann"), &secret("ann's secret")).await.unwrap());
    assert_eq!(directory.groups().await.unwrap().groups.len(), 4);
}

#[tokio::test]
async fn a_name_in_another_domain_is_an_address_and_nothing_else() {
    let elsewhere = person("people", "zoe", "Zoe", "zoe's secret")
        .replace("zoe.mail@example.org", "ann@elsewhere.test");
    let slapd = slapd(SlapdOptions { ldif: entries() + &elsewhere, ..SlapdOptions::default() });
    let directory = directory(config(&slapd));
    let login = "ann@elsewhere.test".into();
    let zoe = directory.authenticate(&login, &secret("zoe's secret")).await.unwrap();
    assert_eq!(accepted(zoe).user, user("zoe"));
    let ann = directory.authenticate(&login, &secret("ann's secret")).await;
    assert_eq!(ann, Ok(Verdict::WrongPassword));
}

#[tokio::test]
async fn a_base_that_is_not_there_is_told_as_such() {
    let slapd = small();
    let mut config = config(&slapd);
    config.bases = vec!["ou=gone,dc=example,dc=org".into()];
    let error = directory(config).find(&user("ann")).await.unwrap_err();
    assert!(matches!(&error, Error::Refused(text) if text.contains("ou=gone")), "{error}");
}

#[tokio::test]
async fn references_to_other_servers_are_passed_over() {
    // Port 9 of this machine: whoever follows it gets an error instead of an answer.
    let referral = format!(
        "dn: ou=elsewhere,{SUFFIX}\nobjectClass: referral\nobjectClass: extensibleObject\n\
         ou: elsewhere\nref: ldap://127.0.0.1:9/ou=elsewhere,{SUFFIX}\n\n"
    );
    let slapd = slapd(SlapdOptions { ldif: entries() + &referral, ..SlapdOptions::default() });
    let directory = directory(config(&slapd));
    accepted(directory.authenticate(&user("ann"), &secret("ann's secret")).await.unwrap());
    assert_eq!(directory.find(&user("nobody")).await, Ok(None));
    assert_eq!(directory.groups().await.unwrap().groups.len(), 4);

    let mut into_it = config(&slapd);
    into_it.bases = vec![format!("ou=elsewhere,{SUFFIX}")];
    let error = crate::world::directory(into_it).find(&user("ann")).await.unwrap_err();
    assert!(matches!(&error, Error::Refused(text) if text.contains("another server")), "{error}");
}

#[tokio::test]
async fn a_locked_account_is_told_from_a_wrong_password() {
    let slapd = slapd(SlapdOptions {
        ldif: entries(),
        overlays: Overlays::Lockout,
        ..SlapdOptions::default()
    });
    let directory = directory(config(&slapd));
    let ann = user("ann");
    for _ in 0..3 {
        let answer = directory.authenticate(&ann, &secret("wrong")).await;
        assert_eq!(answer, Ok(Verdict::WrongPassword));
    }
    let answer = directory.authenticate(&ann, &secret("ann's secret")).await;
    assert_eq!(answer, Ok(Verdict::Barred(Standing::LockedOut)));
    assert_eq!(directory.find(&ann).await.unwrap().unwrap().standing, Standing::LockedOut);
}

#[tokio::test]
async fn a_server_that_was_restarted_is_used_again_at_once() {
    let mut slapd = small();
    let directory = directory(config(&slapd));
    let ann = user("ann");
    let password = secret("ann's secret");
    accepted(directory.authenticate(&ann, &password).await.unwrap());

    slapd.kill();
    let answer = directory.authenticate(&ann, &password).await;
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");

    slapd.restart().unwrap();
    accepted(directory.authenticate(&ann, &password).await.unwrap());
    // Killed and restarted between two calls: the connections that lie ready are all dead.
    slapd.restart().unwrap();
    accepted(directory.authenticate(&ann, &password).await.unwrap());
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_is_down() {
    let slapd = small();
    let mut config = config(&slapd);
    config.urls.insert(0, "ldap://127.0.0.1:9".into());
    let directory = directory(config);
    accepted(directory.authenticate(&user("ann"), &secret("ann's secret")).await.unwrap());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let slapd = small();
    let mut config = config(&slapd);
    config.urls = vec![format!("ldap://{}", silent.local_addr().unwrap())];
    config.timeout.0 = Duration::from_millis(300);
    let start = Instant::now();
    let answer = directory(config).find(&user("ann")).await;
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_server_that_answers_nonsense_is_an_error_and_nothing_worse() {
    use tokio::io::AsyncWriteExt;
    let slapd = small();
    for nonsense in [
        // Not BER; a message that is no sequence; a bind answer without its parts; an answer to a
        // question never asked; a length that never comes.
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"\x04\x02hi",
        b"\x30\x05\x02\x01\x01\x61\x00",
        b"\x30\x05\x02\x01\x63\x64\x00",
        b"\x30\x84\x7f\xff\xff\xff\x02",
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = config(&slapd);
        config.urls = vec![format!("ldap://{}", listener.local_addr().unwrap())];
        config.timeout.0 = Duration::from_millis(500);
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(nonsense).await.unwrap();
            // Until the client has had enough.
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        });
        let answer = directory(config).find(&user("ann")).await;
        assert!(matches!(answer, Err(Error::Unavailable(_) | Error::Protocol(_))), "{answer:?}");
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_service_account_that_is_refused_is_told_apart_from_a_server_that_is_down() {
    let slapd = small();
    let mut config = config(&slapd);
    config.bind_password = secret("wrong");
    let error = directory(config).find(&user("ann")).await.unwrap_err();
    assert!(matches!(&error, Error::Refused(text) if text.contains(SERVICE_DN)), "{error}");
}

#[tokio::test]
async fn many_at_once_share_a_few_connections() {
    let slapd = small();
    let mut config = config(&slapd);
    config.connections = 2;
    let directory = std::sync::Arc::new(directory(config));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..40 {
        let directory = directory.clone();
        tasks.spawn(async move {
            let password = secret(if n % 2 == 0 { "ann's secret" } else { "wrong" });
            (n, directory.authenticate(&user("ann"), &password).await.unwrap())
        });
    }
    while let Some(done) = tasks.join_next().await {
        let (n, verdict) = done.unwrap();
        assert_eq!(matches!(verdict, Verdict::Accepted(_)), n % 2 == 0);
    }
}

#[tokio::test]
async fn the_check_says_what_works_and_what_to_do_about_the_rest() {
    let slapd = small();
    let worst = |findings: &[dme_directory::Finding]| findings.iter().map(|f| f.severity).max();

    let good = directory(config(&slapd)).check(Some(&user("ann"))).await;
    let text: Vec<&str> = good.iter().map(|finding| finding.what.as_str()).collect();
    assert!(text.iter().any(|what| what.contains("connected and bound")), "{text:?}");
    assert!(text.iter().any(|what| what.contains("4 groups, 3 of them in another")), "{text:?}");
    assert!(text.iter().any(|what| what.contains("ann@example.org: found as")), "{text:?}");
    // Plain LDAP is worth a word, even here.
    assert_eq!(worst(&good), Some(Severity::Warning));

    for (change, told) in [
        ("urls = ['ldap://127.0.0.1:9']", "127.0.0.1:9"),
        ("bind_password = 'wrong'", "does not take the account"),
        ("bases = ['ou=gone,dc=example,dc=org']", "ou=gone"),
    ] {
        let mut table: toml::Table = toml::from_str(&format!(
            "realm = 'example.org'\nurls = ['{}']\ntransport = 'plain_on_loopback'\n\
             bases = ['{SUFFIX}']\nbind_dn = '{SERVICE_DN}'\nbind_password = 'reader secret'\n",
            slapd.ldap_url()
        ))
        .unwrap();
        table.extend(change.parse::<toml::Table>().unwrap());
        let findings = directory(table.try_into().unwrap()).check(None).await;
        assert_eq!(worst(&findings), Some(Severity::Failure), "{change}");
        let failure = findings.iter().find(|f| f.severity == Severity::Failure).unwrap();
        assert!(failure.what.contains(told), "{failure:?}");
        assert!(failure.advice.is_some());
    }
}

#[tokio::test]
async fn a_group_without_people_does_no_harm() {
    let ldif = entries() + &group("empty", &["cn=nobody,ou=people"]);
    let slapd = slapd(SlapdOptions { ldif, ..SlapdOptions::default() });
    assert_eq!(directory(config(&slapd)).groups().await.unwrap().groups.len(), 5);
}
