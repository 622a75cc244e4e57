//! Calendar objects and cards as programs really write them, read, changed, talked about and told to
//! phones; and what other libraries make of the same rules and objects.

#[cfg(test)]
mod added_dates;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod busy;
#[cfg(test)]
mod contacts;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod elements;
#[cfg(test)]
mod events;
#[cfg(test)]
mod files;
#[cfg(test)]
mod instances;
#[cfg(test)]
mod invitations;
#[cfg(test)]
mod irregular;
#[cfg(test)]
mod meetings;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod objects_of_others;
#[cfg(test)]
mod past_instances;
#[cfg(test)]
mod phone;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod python;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod rules_of_others;
#[cfg(test)]
mod series;
#[cfg(test)]
mod tasks;
#[cfg(test)]
mod vobject;
#[cfg(test)]
mod world;
