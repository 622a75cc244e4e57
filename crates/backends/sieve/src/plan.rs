//! What is to be done with the scripts of a user so that a message is answered by, and what they
//! say now. Pure: the scripts there are go in, steps come out.
//!
//! The order of the steps is such that, whichever is the last one done, the user's own script is
//! carried out, and doing all of them again ends the same.

use crate::script::foreign::{self, Found};
use crate::script::note::Note;
use crate::script::rule::{Abilities, Answering};
use crate::script::{NAME, note_of, whole, with_block, without_block};
use dme_model::{Vacation, VacationAudience, VacationState, VacationText};

/// The scripts of a user, as far as they matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Scripts {
    /// The one that is carried out.
    pub(crate) active: Option<String>,
    /// Ours.
    pub(crate) ours: Option<Vec<u8>>,
    /// The user's own, with its name: the active one, or the one that ours includes.
    pub(crate) own: Option<(String, Vec<u8>)>,
}

/// One step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// Write a script.
    Put(String, Vec<u8>),
    /// Make this the one that is carried out, or none.
    Activate(Option<String>),
}

/// Why something cannot be set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// The user's own script answers by itself.
    OwnRule,
    /// There is a script of our name that is not ours.
    NotOurs,
    /// The server has no `vacation`.
    NoVacation,
    /// The server cannot tell the time.
    NoDate,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Plan {
    /// In this order.
    pub(crate) steps: Vec<Step>,
    /// What then still is not as it was to be.
    pub(crate) complaint: Option<Refusal>,
}

impl Refusal {
    /// In words for people.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::OwnRule => {
                "the user's own Sieve script has a vacation rule, which must be taken out of it \
                 where it was made"
            }
            Self::NotOurs => "there is a Sieve script \"dme-vacation\" that DME did not write",
            Self::NoVacation => "the server's Sieve has no vacation",
            Self::NoDate => "the server's Sieve has no date: it cannot begin and end by itself",
        }
    }
}

impl Scripts {
    fn is_ours_active(&self) -> bool {
        self.active.as_deref() == Some(NAME)
    }

    /// What is set now.
    pub(crate) fn vacation(&self) -> Vacation {
        let kept = self.ours.as_deref().and_then(note_of);
        if self.is_ours_active() {
            let ours = self.ours.as_deref().unwrap_or_default();
            return match kept {
                Some((note, true)) => note.vacation,
                Some((note, false)) => as_found(note.vacation, &foreign::vacations(ours)),
                None => as_found(Vacation::default(), &foreign::vacations(ours)),
            };
        }
        let off = Vacation {
            state: VacationState::Off,
            ..kept.map(|(note, _)| note.vacation).unwrap_or_default()
        };
        let Some((_, own)) = &self.own else { return off };
        let parted = without_block(own);
        match parted.block {
            Some((note, true)) => note.vacation,
            Some((note, false)) => as_found(note.vacation, &foreign::vacations(parted.body)),
            None => as_found(off, &foreign::vacations(own)),
        }
    }

    /// What to do so that this is set.
    ///
    /// # Errors
    /// Why it cannot be, with nothing done.
    pub(crate) fn plan(
        &self,
        wanted: &Vacation,
        answering: &Answering<'_>,
        can: Abilities,
    ) -> Result<Plan, Refusal> {
        if self.ours.as_deref().is_some_and(|ours| note_of(ours).is_none()) {
            return Err(Refusal::NotOurs);
        }
        let mut vacation = wanted.clone();
        if vacation.audience == VacationAudience::Known {
            // Sieve does not know the user's contacts, and strangers must not be told.
            vacation.audience = VacationAudience::None;
        }
        let own = self.own.as_ref().map(|(name, script)| (name, without_block(script).own));
        let own_answers = own.as_ref().is_some_and(|(_, own)| !foreign::vacations(own).is_empty());
        let mut plan = Plan::default();
        if vacation.state == VacationState::Off {
            plan.complaint = own_answers.then_some(Refusal::OwnRule);
            self.switch_off(&mut plan, vacation, answering, can);
            return Ok(plan);
        }
        match vacation.state {
            _ if own_answers => return Err(Refusal::OwnRule),
            _ if !can.vacation => return Err(Refusal::NoVacation),
            VacationState::Within { .. } if !can.date => return Err(Refusal::NoDate),
            _ => {}
        }
        match own {
            Some((name, own)) if !can.include => {
                let note = Note { vacation, own: Some(name.clone()) };
                let script = with_block(&own, &note, answering, can);
                self.put(&mut plan, name, script);
                self.activate(&mut plan, Some(name));
            }
            own => {
                let name = own.as_ref().map(|(name, _)| (*name).clone());
                // A block from before the server could include would answer a second time.
                if let Some((name, own)) = own {
                    self.put(&mut plan, name, own);
                }
                let note = Note { vacation, own: name };
                self.put(&mut plan, NAME, whole(&note, answering, can).into_bytes());
                self.activate(&mut plan, Some(NAME));
            }
        }
        Ok(plan)
    }

    /// The user's own script is carried out again before anything else is done. The texts stay.
    fn switch_off(
        &self,
        plan: &mut Plan,
        vacation: Vacation,
        answering: &Answering<'_>,
        can: Abilities,
    ) {
        if let Some((name, script)) = &self.own {
            self.put(plan, name, without_block(script).own);
        }
        if self.is_ours_active() {
            self.activate(plan, self.own.as_ref().map(|(name, _)| name.as_str()));
        }
        if self.ours.is_some() || vacation != Vacation::default() {
            let note = Note { vacation, own: None };
            self.put(plan, NAME, whole(&note, answering, can).into_bytes());
        }
    }

    fn put(&self, plan: &mut Plan, name: &str, script: Vec<u8>) {
        let there = match &self.own {
            Some((own, there)) if own == name => Some(there),
            _ if name == NAME => self.ours.as_ref(),
            _ => None,
        };
        if there != Some(&script) {
            plan.steps.push(Step::Put(name.to_owned(), script));
        }
    }

    fn activate(&self, plan: &mut Plan, name: Option<&str>) {
        if self.active.as_deref() != name {
            plan.steps.push(Step::Activate(name.map(str::to_owned)));
        }
    }
}

/// What others made of it: whom their rules answer and when cannot be told, only that they do, and
/// with which texts.
fn as_found(known: Vacation, found: &[Found]) -> Vacation {
    let text = |found: &Found, before: &Option<VacationText>| match &found.text {
        Some(text) => Some(VacationText::Plain(text.clone())),
        None => before.clone(),
    };
    let (first, last) = match found {
        [] => return Vacation { state: VacationState::Off, ..known },
        [first, .., last] => (first, last),
        [only] => (only, only),
    };
    let state = match known.state {
        VacationState::Off => VacationState::On,
        known => known,
    };
    Vacation {
        state,
        answers_colleagues: true,
        colleagues: text(first, &known.colleagues),
        audience: VacationAudience::All,
        others: text(last, &known.others),
    }
}

#[cfg(test)]
mod tests;
