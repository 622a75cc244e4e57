//! What administrators decide of devices: which policy each has, which may in, which are slowed
//! down, and what an order to wipe erases on which. Rules and reckoning only; nothing here knows a
//! clock, a database or a phone.
//!
//! A policy's settings are those of MS-ASPROV 2.2.2 ([`Setting`]). They are defined on levels, from
//! the default over groups to the single device ([`Levels`]); [`Levels::effective`] says what holds
//! for a device and why, [`preview()`] what a change of a level does to whom.

mod admission;
mod behaviour;
mod condition;
mod effective;
mod levels;
mod obeyed;
mod preview;
mod setting;
mod value;
mod wipe;

pub use admission::{
    AdmissionProblem, AdmissionRule, AdmissionRules, Decision, Outcome, Undecided,
};
pub use behaviour::{
    Act, Behaviour, BehaviourRule, BehaviourRules, Counters, RuleProblem, SEEN_AT_ONCE, Strike,
};
pub use condition::{Condition, ConditionProblem, Facts, Judged, Membership};
pub use effective::{Effective, Overridden, Settled, Why};
pub use levels::{Defined, Group, Level, Levels, Problem, Rules, are_told, value_in};
pub use obeyed::{Client, Obeyed, Obeys};
pub use preview::{Change, Concerned, Preview, preview};
pub use setting::{About, Area, Setting};
pub use value::{Bounds, Kind, Unlimited, Value};
pub use wipe::{Erased, Erasure, Known, WipeScope, erasure};
