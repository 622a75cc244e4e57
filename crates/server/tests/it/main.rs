//! What phones, and whoever connects, meet at a server: with its connector and its directory in the
//! same process, or at its listener alone.

#[cfg(test)]
mod admission;
#[cfg(test)]
mod behaviour;
#[cfg(test)]
mod devices;
#[cfg(test)]
mod edge;
#[cfg(test)]
mod hanging_up;
#[cfg(test)]
mod listener;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod wipe;
#[cfg(test)]
mod world;
