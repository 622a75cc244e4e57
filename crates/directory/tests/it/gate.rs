//! The gate before a real directory: what a phone sees when people and the directory come and go.

use crate::world::{config, directory, entries, secret};
use dme_directory::{
    AccessGroups, Admission, Gate, GateConfig, Login, RealmSetup, Reason, Refusal, Revocation,
    Revoked, Source, Standing, Users,
};
use dme_model::{Span, Timestamp};
use dme_testkit::slapd::{Overlays, SUFFIX, Slapd, SlapdOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A gate whose time a test moves on.
struct World {
    slapd: Slapd,
    gate: Arc<Gate>,
    now: Arc<AtomicI64>,
}

impl World {
    fn start(overlays: Overlays) -> Self {
        let options = SlapdOptions { ldif: entries(), overlays, ..SlapdOptions::default() };
        let slapd = Slapd::start(&options).unwrap();
        let now = Arc::new(AtomicI64::new(1_700_000_000));
        let clock = now.clone();
        let setup = RealmSetup {
            realm: "example.org".into(),
            aliases: vec!["CORP".into()],
            suffixes: Vec::new(),
            directory: Arc::new(directory(config(&slapd))),
            access: AccessGroups {
                users: Users::Groups(vec!["mobile".into()]),
                ..AccessGroups::default()
            },
        };
        let gate_config = GateConfig {
            password_life: Span(Duration::from_secs(600)),
            grace: Span(Duration::from_secs(3600)),
            ..GateConfig::default()
        };
        let clock = Arc::new(move || Timestamp::from_seconds(clock.load(Ordering::SeqCst)));
        let gate = Gate::new(gate_config, vec![setup], clock).unwrap();
        Self { slapd, gate, now }
    }

    fn later(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn admit(&self, login: &str, password: &str) -> Admission {
        let login = Login::parse(login).unwrap();
        self.gate.admit(&login, &secret(password), Some(&"phone".into())).await
    }

    async fn source(&self, login: &str, password: &str) -> Option<Source> {
        match self.admit(login, password).await {
            Admission::Admitted { source, .. } => Some(source),
            _ => None,
        }
    }
}

#[tokio::test]
async fn a_member_of_a_nested_group_is_let_in_and_then_from_memory() {
    let world = World::start(Overlays::None);
    assert_eq!(world.source("Ann", "ann's secret").await, Some(Source::Directory));
    assert_eq!(world.source("CORP\\ann", "ann's secret").await, Some(Source::Memory));
    assert_eq!(world.source("ann@example.org", "ann's secret").await, Some(Source::Memory));
    // By mail address it is one person still, but the directory must say so first.
    assert_eq!(world.source("ann.mail", "ann's secret").await, Some(Source::Directory));
    assert_eq!(world.source("ann.mail", "ann's secret").await, Some(Source::Memory));
    world.later(601);
    assert_eq!(world.source("ann", "ann's secret").await, Some(Source::Directory));
}

#[tokio::test]
async fn a_mail_address_given_to_somebody_else_means_somebody_else() {
    let world = World::start(Overlays::None);
    assert_eq!(world.source("ann.mail", "ann's secret").await, Some(Source::Directory));
    let replace = |cn: &str, mail: &str| {
        format!(
            "dn: cn={cn},ou=people,{SUFFIX}\nchangetype: modify\nreplace: mail\n\
             mail: {mail}@example.org\n\n"
        )
    };
    world.slapd.modify(&replace("Ann Smith", "ann.new")).unwrap();
    let mut revocations = world.gate.revocations();
    let answer = world.admit("ann.mail", "wrong").await;
    assert!(matches!(answer, Admission::Refused(Refusal::UnknownUser)), "{answer:?}");
    assert!(revocations.try_recv().is_err(), "Ann is still there");

    world.slapd.modify(&replace("Jürgen Müller", "ann.mail")).unwrap();
    let password = "pä€ßwörd 密码";
    assert_eq!(world.source("ann.mail", password).await, Some(Source::Directory));
    assert_eq!(world.source("jürgen", password).await, Some(Source::Memory));
    assert_eq!(world.source("ann", "ann's secret").await, Some(Source::Memory));
}

#[tokio::test]
async fn a_person_outside_the_group_is_refused_with_the_right_password() {
    let world = World::start(Overlays::None);
    let answer = world.admit("guest", "guest's secret").await;
    assert!(
        matches!(answer, Admission::Refused(Refusal::NotAllowed(Reason::NotInGroup))),
        "{answer:?}"
    );
}

#[tokio::test]
async fn leaving_the_group_ends_the_session_at_the_next_refresh() {
    let world = World::start(Overlays::None);
    let mut revocations = world.gate.revocations();
    world.source("ann", "ann's secret").await.unwrap();
    world.later(60);
    world.gate.refresh().await;
    assert!(revocations.try_recv().is_err());

    let leave = format!(
        "dn: cn=sales,ou=groups,{SUFFIX}\nchangetype: modify\ndelete: member\n\
         member: cn=Ann Smith,ou=people,{SUFFIX}\n"
    );
    world.slapd.modify(&leave).unwrap();
    world.later(60);
    world.gate.refresh().await;
    let why = Revocation::NotAllowed(Reason::NotInGroup);
    assert_eq!(revocations.try_recv(), Ok(Revoked { user: "ann@example.org".into(), why }));
    let answer = world.admit("ann", "ann's secret").await;
    assert!(matches!(answer, Admission::Refused(Refusal::NotAllowed(_))), "{answer:?}");
}

#[tokio::test]
async fn joining_the_group_lets_in_within_a_minute() {
    let world = World::start(Overlays::None);
    world.source("ann", "ann's secret").await.unwrap();
    world.admit("guest", "guest's secret").await;
    let join = format!(
        "dn: cn=mobile,ou=groups,{SUFFIX}\nchangetype: modify\nadd: member\n\
         member: cn=others,ou=groups,{SUFFIX}\n"
    );
    world.slapd.modify(&join).unwrap();
    world.later(61);
    assert_eq!(world.source("guest", "guest's secret").await, Some(Source::Directory));
}

#[tokio::test]
async fn a_locked_account_is_ended_at_the_next_refresh() {
    let world = World::start(Overlays::Lockout);
    let mut revocations = world.gate.revocations();
    world.source("ann", "ann's secret").await.unwrap();
    for wrong in ["one", "two", "three"] {
        assert_eq!(world.source("ann", wrong).await, None);
    }
    // Others locked it; the phone itself has the right password and is in until the refresh.
    assert_eq!(world.source("ann", "ann's secret").await, Some(Source::Memory));
    world.gate.refresh().await;
    let why = Revocation::NotAllowed(Reason::Standing(Standing::LockedOut));
    assert_eq!(revocations.try_recv(), Ok(Revoked { user: "ann@example.org".into(), why }));
}

#[tokio::test]
async fn an_old_phone_does_not_lock_its_owner_out() {
    let world = World::start(Overlays::Lockout);
    for _ in 0..50 {
        let answer = world.admit("ann", "the old password").await;
        assert!(matches!(answer, Admission::Refused(Refusal::WrongPassword)), "{answer:?}");
        world.later(20);
    }
    assert_eq!(world.source("ann", "ann's secret").await, Some(Source::Directory));
}

#[tokio::test]
async fn while_the_directory_is_down_those_known_are_in_for_the_grace_and_nobody_else() {
    let mut world = World::start(Overlays::None);
    let mut revocations = world.gate.revocations();
    world.source("ann", "ann's secret").await.unwrap();
    world.slapd.kill();
    world.later(1000);
    assert_eq!(world.source("ann", "ann's secret").await, Some(Source::Grace));
    for (login, password) in [("ann", "wrong"), ("bob", "bob's secret"), ("nobody", "x")] {
        let answer = world.admit(login, password).await;
        assert!(matches!(answer, Admission::Unavailable { .. }), "{login}: {answer:?}");
    }
    world.gate.refresh().await;
    assert!(revocations.try_recv().is_err());
    assert!(world.gate.states()[0].trouble.is_some());

    world.later(3600);
    assert_eq!(world.source("ann", "ann's secret").await, None);
    world.gate.refresh().await;
    assert_eq!(revocations.try_recv().unwrap().why, Revocation::GraceOver);

    world.slapd.restart().unwrap();
    world.later(10);
    assert_eq!(world.source("ann", "ann's secret").await, Some(Source::Directory));
    assert_eq!(world.source("bob", "bob's secret").await, Some(Source::Directory));
}
