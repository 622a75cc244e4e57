//! What administrators decide of devices, as simulated phones meet it: on a server with its
//! connector and its directory in the same process.

#[cfg(test)]
mod admission;
#[cfg(test)]
mod behaviour;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod wipe;
#[cfg(test)]
mod world;
