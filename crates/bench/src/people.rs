//! Address searches in a large directory, as a phone makes them: one at each key.

use crate::load::{Form, Target};
use crate::meter::Times;
use crate::world::{self, PASSWORD, Scale, World};
use anyhow::{Context, Result, ensure};
use dme_eas::range::Range;
use dme_eas::search::{Query, Request, Status};
use dme_phone::Phone;
use dme_testkit::slapd::{SUFFIX, Slapd, SlapdOptions};
use std::time::Instant;
use tokio::task::JoinSet;

/// Phones that search at once.
const AT_ONCE: usize = 8;
/// Keys typed for one person: "a", "an" … "ann smi".
const KEYS: usize = 7;
/// Results on a page.
const PAGE: u32 = 25;

const FIRST: [&str; 40] = [
    "Adam", "Agnes", "Alma", "Anders", "Beate", "Bernd", "Carla", "Cem", "Dora", "Dirk", "Edda",
    "Emil", "Fatma", "Felix", "Gerda", "Gustav", "Hanna", "Henrik", "Ida", "Ivan", "Jana", "Jörg",
    "Karin", "Karl", "Lena", "Lukas", "Maria", "Mehmet", "Nina", "Nils", "Olga", "Oskar", "Paula",
    "Peter", "Rosa", "Ralf", "Sofia", "Stefan", "Ulla", "Viktor",
];
const LAST: [&str; 50] = [
    "Bach", "Bauer", "Becker", "Berger", "Brand", "Busch", "Dietz", "Ebert", "Engel", "Ernst",
    "Falk", "Fink", "Fischer", "Frank", "Fuchs", "Geiger", "Graf", "Haas", "Hahn", "Hartmann",
    "Heinz", "Herzog", "Jung", "Kaiser", "Keller", "Klein", "Koch", "Kraus", "Kuhn", "Lang",
    "Lorenz", "Maier", "Marx", "Moser", "Neumann", "Otto", "Peters", "Richter", "Roth", "Sauer",
    "Schmidt", "Seidel", "Sommer", "Stein", "Thoma", "Vogel", "Wagner", "Weber", "Winter",
    "Zimmer",
];

/// The two names of a person: the second is one of 50, of which there are several.
fn name(number: usize) -> (String, String) {
    let first = FIRST[number % FIRST.len()];
    let stem = LAST[number / FIRST.len() % LAST.len()];
    let branch = number / (FIRST.len() * LAST.len());
    let last = if branch == 0 { stem.to_owned() } else { format!("{stem}-{}", LAST[branch % 50]) };
    (first.to_owned(), last)
}

/// A directory with so many people, and the user who searches.
///
/// # Errors
/// When it does not start.
pub fn directory(entries: usize) -> Result<Slapd> {
    let mut ldif =
        format!("dn: ou=people,{SUFFIX}\nobjectClass: organizationalUnit\nou: people\n\n");
    let mut add = |uid: &str, first: &str, last: &str, more: &str| {
        ldif += &format!(
            "dn: uid={uid},ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: {uid}\n\
             cn: {first} {last}\ndisplayName: {first} {last}\ngivenName: {first}\nsn: {last}\n\
             mail: {uid}@{}\n{more}\n",
            world::REALM
        );
    };
    for number in 0..entries {
        let (first, last) = name(number);
        let more = format!(
            "title: Engineer\no: Bench\ntelephoneNumber: +49 30 {number:07}\n\
             mobile: +49 170 {number:07}\nphysicalDeliveryOfficeName: Room {}\n",
            number % 997
        );
        add(&format!("p{number}"), &first, &last, &more);
    }
    let user = world::large();
    let seeker = user.split('@').next().unwrap_or_default();
    add(seeker, "Large", "Mailbox", &format!("userPassword: {PASSWORD}\n"));
    Slapd::start(&SlapdOptions { ldif, ..SlapdOptions::default() })
}

/// What a phone waits for an answer while somebody types, alone and together with others.
#[derive(Debug)]
pub struct Searches {
    /// One phone.
    pub alone: Times,
    /// Several at once, as fast as they can.
    pub together: Times,
}

/// Types names and looks for them.
///
/// # Errors
/// When a search fails, or does not find whom it should.
pub async fn searches(world: &mut World, target: &Target, scale: &Scale) -> Result<Searches> {
    let slapd = directory(scale.entries)?;
    world.take_people_from(&slapd)?;
    let target = Target { processes: world.processes().to_vec(), ..target.clone() };
    let mut phones = Vec::new();
    for number in 0..=AT_ONCE {
        let mut phone = target.phone(&world::large(), &format!("search{number}"), Form::Html);
        phone.folder_sync().await?;
        phones.push(phone);
    }
    let mut first = phones.pop().context("no phone")?;
    let alone = Times::new(types(&mut first, scale, 0).await?);
    let mut running = JoinSet::new();
    for (number, mut phone) in (1..).zip(phones) {
        let scale = *scale;
        running.spawn(async move { types(&mut phone, &scale, number).await });
    }
    let mut times = Vec::new();
    while let Some(ended) = running.join_next().await {
        times.extend(ended??);
    }
    Ok(Searches { alone, together: Times::new(times) })
}

/// The times of a search at each key, for people whom nobody else looks for.
async fn types(
    phone: &mut Phone,
    scale: &Scale,
    typist: usize,
) -> Result<Vec<std::time::Duration>> {
    let mut times = Vec::new();
    for turn in 0..scale.repeats {
        // A step that shares no factor with the number of entries meets them all.
        let number = (typist + turn * (AT_ONCE + 1)) * 7919 % scale.entries;
        let (first, last) = name(number);
        // Half of the people are looked for by the last name, the others by both.
        let text = if turn % 2 == 0 { last.clone() } else { format!("{first} {last}") };
        let whole = text.chars().count();
        for key in (1..=whole).step_by(whole.div_ceil(KEYS)) {
            let typed: String = text.chars().take(key).collect();
            let request = Request {
                range: Range::new(0, PAGE - 1),
                ..Request::new(Query::Directory(typed.trim().to_owned()))
            };
            let began = Instant::now();
            let answer = phone.client.search(&request).await?;
            times.push(began.elapsed());
            let store = answer.store.context("no answer of the directory")?;
            ensure!(store.status == Status::Success, "{typed:?}: {:?}", store.status);
            ensure!(!store.results.is_empty(), "nobody fits {typed:?}");
        }
    }
    Ok(times)
}
