//! Calendar objects as programs really write them, read, changed and talked about.

#[cfg(test)]
mod busy;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod events;
#[cfg(test)]
mod meetings;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod series;
#[cfg(test)]
mod tasks;
#[cfg(test)]
mod world;
