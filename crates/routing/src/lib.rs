//! Which connector serves a user's function, now, and why (rules R2, R3, R5 and R6).
//!
//! Pure: the caller brings the connectors as they are and what it knows of the user; a [`Route`]
//! is the judgement on each, and tells who serves, who would be next, and what speaks against the
//! others. Push and sync ask the same. Nothing is remembered here, so a route is never out of date
//! (rule R4): it is worked out anew whenever it is asked for, which costs microseconds.
//!
//! [`sources`], [`one`] and [`all`] tell who checks the passwords of a realm (rule A3).

mod connector;
mod route;
mod source;

pub use connector::{Connector, Duty, Link, Load, Lock, Scope, Tier};
pub use route::{
    Candidate, Choice, Explanation, History, Knowledge, Known, Objection, Question, Route, Why,
};
pub use source::{Assignment, Claimant, NoSource, adds, all, covers, one, sources};
