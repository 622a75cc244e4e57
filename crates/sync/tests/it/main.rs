//! The engine from outside, rule by rule, on the in-memory mailbox.

#[cfg(test)]
mod classes;
#[cfg(test)]
mod collection;
#[cfg(test)]
mod conflicts;
#[cfg(test)]
mod fetching;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod hierarchy;
#[cfg(test)]
mod moves;
#[cfg(test)]
mod repeats;
#[cfg(test)]
mod sending;
#[cfg(test)]
mod unreadable;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod windows;
#[cfg(test)]
mod world;
