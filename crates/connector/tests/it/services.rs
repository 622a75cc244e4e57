//! What a connector's settings mean together.

use dme_connector::config::EmbeddedConfig;
use dme_connector::{Offered, services};
use dme_link::CredentialsNeeded::{self, Bearer, None, Password};
use dme_testkit::process::Folder;

#[test]
fn what_users_must_show_follows_from_all_systems_together() {
    let folder = Folder::new("services").unwrap();
    let people = folder.path().join("people.toml");
    std::fs::write(&people, "realm = 'example.org'\n").unwrap();
    let master = "{ master = { user = 'm', secret = 's' } }";
    let outcomes: [(&str, &str, Result<CredentialsNeeded, &str>); 8] = [
        ("'password'", "'password'", Ok(Password)),
        ("'bearer'", "'bearer'", Ok(Bearer)),
        (master, master, Ok(None)),
        (master, "'password'", Ok(Password)),
        ("'bearer'", master, Ok(Bearer)),
        ("'bearer'", "'password'", Err("do not fit together")),
        // Nobody could say whether a phone's token is good.
        ("'password'", "'bearer'", Err("needs mail.imap.auth = \"bearer\"")),
        (master, "'bearer'", Err("needs mail.imap.auth = \"bearer\"")),
    ];
    for (mail, dav, outcome) in outcomes {
        let config = format!(
            "[mail.imap]\nauth = {mail}\nserver.host = 'imap.example.org'\n\
             smtp = {{ server = {{ host = 'smtp.example.org' }}, auth = 'none' }}\n\
             [dav]\nurl = 'https://dav.example.org/'\nprincipal = '/{{login}}/'\nauth = {dav}\n\
             [people.file]\nrealm = 'example.org'\npath = {people:?}\n"
        );
        let config: EmbeddedConfig = toml::from_str(&config).unwrap();
        let services = services(&Offered::from(&config));
        match (services, outcome) {
            (Ok(services), Ok(needs)) => {
                assert_eq!(services.mailboxes.unwrap().needs, needs, "{mail} {dav}")
            }
            (Err(error), Err(told)) => assert!(error.to_string().contains(told), "{error}"),
            (services, _) => panic!("{mail} {dav}: {:?}", services.err().map(|it| it.to_string())),
        }
    }
}

#[test]
fn what_lacks_another_service_beside_it_is_refused() {
    let mail = |auth: &str| {
        format!(
            "[mail.imap]\nauth = {auth}\nserver.host = 'imap.example.org'\n\
             smtp = {{ server = {{ host = 'smtp.example.org' }}, auth = 'none' }}\n"
        )
    };
    let list = "[address_list]\nurl = 'https://dav.example.org/all/'\nuser = 'u'\npassword = 'p'\n";
    for (settings, told) in [
        ("[sieve]\nhost = 'sieve.example.org'\n".to_owned(), "[sieve] needs [mail.imap]"),
        (format!("{}{list}", mail("'password'")), "[address_list] needs [people]"),
        (format!("{}[address_book]\n", mail("'password'")), "[address_book] needs [mail] and"),
        (mail("'bearer'"), "mail.imap.auth = \"bearer\" needs [people]"),
    ] {
        let config: EmbeddedConfig = toml::from_str(&settings).unwrap();
        let error = services(&Offered::from(&config)).err().unwrap().to_string();
        assert!(error.starts_with(told), "{told}: {error}");
    }
}
