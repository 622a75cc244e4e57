//! The user's own script is left as it is, and carried out whatever is set.

use crate::world::{Scripts, account, context, service, users};
use dme_mailbox::{ErrorKind, VacationService};
use dme_model::{Vacation, VacationAudience, VacationState, VacationText};
use dme_sieve::SieveVacations;
use dme_testkit::dovecot::{Dovecot, DovecotOptions};

const WITHOUT_INCLUDE: &str = "plugin {\n sieve_extensions = -include\n}\n";
/// As people write them: with line ends of two kinds, and words that look like ours.
const OWN: &str = "/* require */ # dme-vacation end\nrequire \"fileinto\";\r\nrequire [\"variables\"]; # \
     and more\n# dme-vacation begin\nif header :contains \"subject\" \"list\" {\n  fileinto \"Junk\";\n  \
     stop;\n}\nset \"x\" text:\n# dme-vacation begin {}\n..\n.\n;\n\n";

fn away() -> Vacation {
    Vacation {
        state: VacationState::On,
        answers_colleagues: true,
        colleagues: Some(VacationText::Plain("In ${x} until \"Monday\".".into())),
        audience: VacationAudience::All,
        others: Some(VacationText::Plain("Away.".into())),
    }
}

fn off() -> Vacation {
    Vacation { state: VacationState::Off, ..away() }
}

async fn set(service: &SieveVacations, vacation: &Vacation) -> dme_mailbox::Result<()> {
    let account = account(0);
    let addresses = [account.address.clone(), "ann@example.net".to_owned()];
    service.set_vacation(&account, &addresses, vacation, &context()).await
}

async fn get(service: &SieveVacations) -> Vacation {
    service.vacation(&account(0), &context()).await.unwrap()
}

fn message(subject: &str) -> String {
    format!(
        "From: sender@example.net\r\nTo: user0@example.org\r\nSubject: {subject}\r\n\
         Message-ID: <{subject}@example.net>\r\n\r\ntext\r\n"
    )
}

fn holds(dovecot: &Dovecot, folder: &str, subject: &str) -> bool {
    let new = dovecot.maildir("user0@example.org").join(folder).join("new");
    let files = std::fs::read_dir(new).into_iter().flatten().flatten();
    let read = |file: std::fs::DirEntry| std::fs::read_to_string(file.path()).unwrap();
    files.map(read).any(|mail| mail.contains(&format!("Subject: {subject}\n")))
}

/// Mail is filed by the user's script, in the inbox and in the folder it names.
fn files_mail(dovecot: &Dovecot, round: &str) {
    for (subject, folder) in [(format!("plain{round}"), ""), (format!("list{round}"), ".Junk")] {
        dovecot.deliver("user0@example.org", message(&subject).as_bytes()).unwrap();
        assert!(holds(dovecot, folder, &subject), "{subject}: {}", dovecot.log());
    }
    let errors = dovecot.dir().join("mail/user0@example.org/.dovecot.sieve.log");
    let errors = std::fs::read_to_string(errors).unwrap_or_default();
    // That what answers goes nowhere is told.
    let others = |line: &&str| line.starts_with("error") && !line.contains("sendmail");
    assert_eq!(errors.lines().find(others), None);
}

async fn keeps_the_own_script(extra: &str, active_while_away: &str) {
    // What answers goes nowhere: who is answered what is for the test of the whole.
    let extra = format!("sendmail_path = /bin/true\n{extra}");
    let dovecot = Dovecot::start(DovecotOptions { extra, ..users(1) }).unwrap();
    let (service, scripts) = (service(&dovecot), Scripts::of(&dovecot, 0));
    scripts.write("mine", OWN);
    scripts.activate("mine");
    files_mail(&dovecot, "before");
    for round in ["first", "second"] {
        set(&service, &away()).await.unwrap();
        assert_eq!(get(&service).await, away());
        assert_eq!(scripts.active().as_deref(), Some(active_while_away));
        files_mail(&dovecot, &format!("{round}away"));
        set(&service, &off()).await.unwrap();
        assert_eq!(get(&service).await, off());
        assert_eq!(scripts.active().as_deref(), Some("mine"));
        assert_eq!(scripts.read("mine"), OWN);
        files_mail(&dovecot, &format!("{round}back"));
    }
}

#[tokio::test]
async fn a_script_that_is_included_stays_as_it_is() {
    keeps_the_own_script("", "dme-vacation").await;
}

#[tokio::test]
async fn a_script_that_holds_the_rule_is_given_back_byte_for_byte() {
    keeps_the_own_script(WITHOUT_INCLUDE, "mine").await;
}

#[tokio::test]
async fn without_a_script_of_the_users_own_none_is_active_again() {
    let dovecot = Dovecot::start(users(1)).unwrap();
    let (service, scripts) = (service(&dovecot), Scripts::of(&dovecot, 0));
    set(&service, &away()).await.unwrap();
    assert_eq!(scripts.active().as_deref(), Some("dme-vacation"));
    set(&service, &off()).await.unwrap();
    assert_eq!(scripts.active(), None);
    assert_eq!(get(&service).await, off());
}

#[tokio::test]
async fn an_own_script_that_is_deleted_meanwhile_loses_no_mail() {
    let extra = "sendmail_path = /bin/true\n".to_owned();
    let dovecot = Dovecot::start(DovecotOptions { extra, ..users(1) }).unwrap();
    let (service, scripts) = (service(&dovecot), Scripts::of(&dovecot, 0));
    scripts.write("mine", OWN);
    scripts.activate("mine");
    set(&service, &away()).await.unwrap();
    let home = dovecot.dir().join("mail/user0@example.org");
    std::fs::remove_file(home.join("sieve/mine.sieve")).unwrap();
    dovecot.deliver("user0@example.org", message("listless").as_bytes()).unwrap();
    assert!(holds(&dovecot, "", "listless"));
    set(&service, &off()).await.unwrap();
    assert_eq!(scripts.active(), None);
}

/// Two answers to one mail are one too many (RFC 5230 §4.7): Dovecot then keeps the mail.
#[tokio::test]
async fn mail_that_an_own_script_rejects_is_not_lost_while_away() {
    let dovecot = Dovecot::start(users(1)).unwrap();
    let (service, scripts) = (service(&dovecot), Scripts::of(&dovecot, 0));
    scripts.write("mine", "require \"reject\";\nreject \"No.\";\n");
    scripts.activate("mine");
    set(&service, &away()).await.unwrap();
    dovecot.deliver("user0@example.org", message("unwanted").as_bytes()).unwrap();
    assert!(holds(&dovecot, "", "unwanted"), "{}", dovecot.log());
}

#[tokio::test]
async fn another_script_that_the_user_makes_active_ends_it_and_is_the_own_one_from_then_on() {
    let dovecot = Dovecot::start(users(1)).unwrap();
    let (service, scripts) = (service(&dovecot), Scripts::of(&dovecot, 0));
    scripts.write("mine", OWN);
    scripts.activate("mine");
    set(&service, &away()).await.unwrap();
    scripts.write("other", "keep;\n");
    scripts.activate("other");
    assert_eq!(get(&service).await, off());
    set(&service, &away()).await.unwrap();
    assert!(scripts.read("dme-vacation").contains("include :personal :optional \"other\";"));
    set(&service, &off()).await.unwrap();
    assert_eq!(scripts.active().as_deref(), Some("other"));
}

#[tokio::test]
async fn a_vacation_rule_of_the_users_own_is_told_and_left_alone() {
    let dovecot = Dovecot::start(users(1)).unwrap();
    let (service, scripts) = (service(&dovecot), Scripts::of(&dovecot, 0));
    let own = "require \"vacation\";\nif true { vacation :days 3 \"Gone fishing\"; }\n";
    scripts.write("mine", own);
    scripts.activate("mine");
    let text = Some(VacationText::Plain("Gone fishing".into()));
    let told = Vacation { colleagues: text.clone(), others: text, ..away() };
    assert_eq!(get(&service).await, told);
    for wanted in [away(), off()] {
        let error = set(&service, &wanted).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden);
        assert!(error.to_string().contains("vacation rule"), "{error}");
        assert_eq!((scripts.active().as_deref(), &*scripts.read("mine")), (Some("mine"), own));
    }
}

#[tokio::test]
async fn a_change_by_another_client_shows() {
    for extra in ["", WITHOUT_INCLUDE] {
        let options = DovecotOptions { extra: extra.to_owned(), ..users(1) };
        let dovecot = Dovecot::start(options).unwrap();
        let (service, scripts) = (service(&dovecot), Scripts::of(&dovecot, 0));
        scripts.write("mine", OWN);
        scripts.activate("mine");
        set(&service, &away()).await.unwrap();
        let active = scripts.active().unwrap();
        let changed = scripts.read(&active).replace("Away.\";", "Back soon.\";");
        scripts.write(&active, &changed);
        let others = Some(VacationText::Plain("Back soon.".into()));
        assert_eq!(get(&service).await, Vacation { others, ..away() });
        set(&service, &off()).await.unwrap();
        assert_eq!((scripts.active().as_deref(), &*scripts.read("mine")), (Some("mine"), OWN));
    }
}

#[tokio::test]
async fn a_script_of_our_name_that_is_not_ours_is_left_alone() {
    let dovecot = Dovecot::start(users(1)).unwrap();
    let (service, scripts) = (service(&dovecot), Scripts::of(&dovecot, 0));
    scripts.write("dme-vacation", "keep;\n");
    let error = set(&service, &away()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert_eq!(scripts.read("dme-vacation"), "keep;\n");
}
