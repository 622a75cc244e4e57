//! Calendar objects as programs really write them, read, changed and talked about.

#[cfg(test)]
mod contacts;
#[cfg(test)]
mod events;
#[cfg(test)]
mod meetings;
#[cfg(test)]
mod tasks;
#[cfg(test)]
mod vobject;
#[cfg(test)]
mod world;
