//! From the scripts there are to the steps, and what happens when the steps end half way.

use super::*;
use dme_model::Timestamp;
use std::time::Duration;

const OWN: &[u8] = b"require \"fileinto\";\nfileinto \"A\";\n";
const CAN: Abilities =
    Abilities { vacation: true, seconds: false, date: true, envelope: true, include: true };
const NO_INCLUDE: Abilities = Abilities { include: false, ..CAN };

fn answering() -> Answering<'static> {
    Answering { domains: &[], addresses: &[], interval: Duration::from_secs(86_400) }
}

fn away() -> Vacation {
    Vacation {
        state: VacationState::On,
        answers_colleagues: true,
        colleagues: Some(VacationText::Plain("away".into())),
        ..Vacation::default()
    }
}

fn off() -> Vacation {
    Vacation { state: VacationState::Off, ..away() }
}

fn fresh() -> Scripts {
    Scripts { active: Some("mine".into()), ours: None, own: Some(("mine".into(), OWN.to_vec())) }
}

/// A server's disk, on which steps are done, and what would be read of it.
#[derive(Clone)]
struct Disk {
    active: Option<String>,
    ours: Option<Vec<u8>>,
    mine: Vec<u8>,
}

impl Disk {
    fn new() -> Self {
        Self { active: Some("mine".into()), ours: None, mine: OWN.to_vec() }
    }

    fn done(mut self, steps: &[Step]) -> Self {
        for step in steps {
            match step {
                Step::Put(name, script) if name == NAME => self.ours = Some(script.clone()),
                Step::Put(_, script) => self.mine = script.clone(),
                Step::Activate(name) => self.active = name.clone(),
            }
        }
        self
    }

    fn read(&self) -> Scripts {
        let included = self.ours.as_deref().and_then(note_of).and_then(|(note, _)| note.own);
        let name = match self.active.as_deref() {
            Some(NAME) => included,
            active => active.map(str::to_owned),
        };
        let own = name.map(|name| (name, self.mine.clone()));
        Scripts { active: self.active.clone(), ours: self.ours.clone(), own }
    }

    fn set(self, vacation: &Vacation, can: Abilities) -> Self {
        let plan = self.read().plan(vacation, &answering(), can).unwrap();
        assert_eq!(plan.complaint, None);
        self.done(&plan.steps)
    }

    /// Whether the user's own rules are carried out.
    fn files_mail(&self) -> bool {
        let script = match self.active.as_deref() {
            Some(NAME) => self.ours.clone().unwrap_or_default(),
            _ => self.mine.clone(),
        };
        let script = String::from_utf8(script).unwrap();
        script.contains("fileinto \"A\"") || script.contains("include :personal :optional \"mine\"")
    }
}

#[test]
fn steps_that_end_anywhere_leave_the_users_rules_carried_out_and_can_be_done_again() {
    // Every server there was may be another one at the next change.
    for before in [CAN, NO_INCLUDE] {
        for (first, second) in [(away(), off()), (off(), away()), (away(), away())] {
            for after in [CAN, NO_INCLUDE] {
                let disk = Disk::new().set(&first, before);
                let plan = disk.read().plan(&second, &answering(), after).unwrap();
                for done in 0..=plan.steps.len() {
                    let disk = disk.clone().done(&plan.steps[..done]);
                    assert!(disk.files_mail(), "{first:?} {second:?} after {done}");
                    let again = disk.set(&second, after);
                    assert_eq!(again.read().vacation(), second);
                    let plan = again.read().plan(&second, &answering(), after).unwrap();
                    assert_eq!(plan.steps, [], "nothing more to do");
                    let back = again.set(&off(), after);
                    assert_eq!((back.active.as_deref(), &back.mine[..]), (Some("mine"), OWN));
                }
            }
        }
    }
}

#[test]
fn who_was_never_away_and_is_not_gets_no_script() {
    let plan = fresh().plan(&Vacation::default(), &answering(), CAN).unwrap();
    assert_eq!(plan, Plan::default());
}

#[test]
fn known_senders_are_told_nothing_and_that_is_said() {
    let known = Vacation { audience: VacationAudience::Known, ..away() };
    let disk = Disk::new().set(&known, CAN);
    assert_eq!(disk.read().vacation().audience, VacationAudience::None);
}

#[test]
fn what_the_server_cannot_do_is_refused_with_nothing_done() {
    let refused = |vacation: &Vacation, can| fresh().plan(vacation, &answering(), can);
    let no_vacation = Abilities { vacation: false, ..CAN };
    assert_eq!(refused(&away(), no_vacation), Err(Refusal::NoVacation));
    assert!(refused(&off(), no_vacation).is_ok(), "off can always be");
    let (from, to) = (Timestamp::from_seconds(1), Timestamp::from_seconds(2));
    let within = Vacation { state: VacationState::Within { from, to }, ..away() };
    let no_date = Abilities { date: false, ..CAN };
    assert_eq!(refused(&within, no_date), Err(Refusal::NoDate));
    assert!(refused(&away(), no_date).is_ok());
}

#[test]
fn a_rule_that_came_into_the_own_script_later_does_not_keep_ours_on() {
    let mut disk = Disk::new().set(&away(), CAN);
    disk.mine.extend_from_slice(b"vacation \"mine\";\n");
    assert_eq!(disk.read().plan(&away(), &answering(), CAN), Err(Refusal::OwnRule));
    let plan = disk.read().plan(&off(), &answering(), CAN).unwrap();
    assert_eq!(plan.complaint, Some(Refusal::OwnRule));
    let disk = disk.done(&plan.steps);
    assert_eq!(disk.active.as_deref(), Some("mine"));
    assert_eq!(disk.read().vacation().state, VacationState::On, "the own rule answers");
}
