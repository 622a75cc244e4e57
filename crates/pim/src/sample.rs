//! Made-up but realistic calendars, address books, task lists and notes for the demo, tests and
//! benchmarks; the same seed gives the same bytes.

use crate::calendar::{self, Writing};
use crate::{Error, contact};
use dme_mime::sample::{Chance, paragraph, people, picture};
use dme_model::{
    Address, Attendee, AttendeeKind, Class, Contact, ContactPatch, ContactText, Date, Event,
    EventField, EventPatch, Frequency, Importance, ItemEdit, ItemPatch, LocalTime, Note, NotePatch,
    NthDay, Participation, Picture, Place, Recurrence, RecurrenceEnd, Task, TaskField, TaskPatch,
    Text, Timestamp, Weekday, ZoneId,
};

/// How many of each there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Amounts {
    /// People; each fourth has a picture.
    pub contacts: usize,
    /// Events and series.
    pub events: usize,
    /// How many of them are series.
    pub series: usize,
    /// Tasks; each third is done.
    pub tasks: usize,
    /// Notes.
    pub notes: usize,
}

/// One item of a sample account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SampleObject {
    /// In which collection it belongs.
    pub class: Class,
    /// Names it among those of its owner.
    pub name: String,
    /// The iCalendar object or vCard.
    pub object: Vec<u8>,
}

const FIRST: [&str; 16] = [
    "Ann",
    "Jürgen",
    "小明",
    "Zoë",
    "Sipho",
    "Ingrid",
    "Aline",
    "Łukasz",
    "Priya",
    "François",
    "花子",
    "Ελένη",
    "Bob",
    "Thandiwe",
    "Olga",
    "Mateo",
];
const LAST: [&str; 16] = [
    "Whitfield",
    "Müller",
    "王",
    "Okafor",
    "Ndlovu",
    "Sørensen",
    "Nkurunziza",
    "Wójcik",
    "Raman",
    "Lefèvre",
    "田中",
    "Παπαδοπούλου",
    "O'Brien",
    "Dlamini",
    "Иванова",
    "García",
];
const COMPANIES: [&str; 6] = [
    "Contoso, Ltd.",
    "Küchenbau Nord GmbH",
    "Bujumbura Tea",
    "東京商事",
    "Fabrikam",
    "Corp & Sons",
];
const TITLES: [&str; 8] = [
    "Site meeting",
    "Besprechung Küche",
    "Lunch with the auditors",
    "Zahnarzt",
    "Team call",
    "Réunion budget",
    "Flight to Cape Town",
    "周会",
];
const TASKS: [&str; 6] = [
    "Order new phones",
    "Angebot prüfen",
    "Renew the certificate",
    "Call the landlord",
    "Reisekosten abrechnen",
    "Water the plants",
];
const ZONES: [&str; 4] =
    ["Europe/Berlin", "Africa/Johannesburg", "America/New_York", "Asia/Shanghai"];

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// An account's items: events from half a year before `now` to half a year after it, contacts,
/// tasks and notes.
///
/// # Errors
/// None, as long as what is made here can be written.
pub fn account(
    owner: &Address,
    seed: u64,
    now: Timestamp,
    amounts: &Amounts,
) -> Result<Vec<SampleObject>, Error> {
    let mut chance = Chance::new(seed, &owner.email);
    let mut all = Vec::new();
    let mut add = |class, key: String, patch| {
        let writing = Writing {
            owner: vec![owner.email.clone()],
            name: owner.name.clone(),
            now,
            key: format!("{} {key}", owner.email),
            // Nobody is told of what never took place.
            schedules: true,
            zone: ZoneId::from("Europe/Berlin"),
        };
        let object = match patch {
            ItemPatch::Contact(patch) => contact::apply(None, &patch, &writing.key, now)?.object,
            patch => calendar::apply(None, &ItemEdit::Patch(patch), &writing)?.object,
        };
        all.push(SampleObject { class, name: writing.key, object });
        Ok::<_, Error>(())
    };
    for number in 0..amounts.contacts {
        let patch = ContactPatch::whole(contact(number, &mut chance));
        add(Class::Contacts, format!("contact {number}"), ItemPatch::Contact(Box::new(patch)))?;
    }
    // So many events that each tenth, say, repeats.
    let every = amounts.events.checked_div(amounts.series).unwrap_or(usize::MAX).max(1);
    for number in 0..amounts.events {
        let repeats = number % every == 0 && number / every < amounts.series;
        let patch = event(owner, now, repeats, &mut chance);
        add(Class::Calendar, format!("event {number}"), ItemPatch::Event(Box::new(patch)))?;
    }
    for number in 0..amounts.tasks {
        let patch = task(now, number, &mut chance);
        add(Class::Tasks, format!("task {number}"), ItemPatch::Task(Box::new(patch)))?;
    }
    for number in 0..amounts.notes {
        let title = format!("{} {number}", chance.pick(&TITLES));
        let text = Some(Text::plain(paragraph(&mut chance)));
        let patch = NotePatch::whole(Note { title, text, ..Note::default() });
        add(Class::Notes, format!("note {number}"), ItemPatch::Note(Box::new(patch)))?;
    }
    Ok(all)
}

fn contact(number: usize, chance: &mut Chance) -> Contact {
    use ContactText as T;
    let (first, last) = (chance.pick(&FIRST), chance.pick(&LAST));
    let phone =
        |area: &str, chance: &mut Chance| format!("+{area} {:07}", chance.below(10_000_000));
    let mut contact = Contact::default();
    let mut set = |text, value: &str| contact.set_text(text, value);
    set(T::FirstName, first);
    set(T::LastName, last);
    set(T::Email1, &format!("person{number}@example.com"));
    set(T::MobilePhone, &phone("49 170", chance));
    if chance.below(2) == 0 {
        set(T::CompanyName, chance.pick(&COMPANIES));
        set(T::Department, chance.pick(&["Sales", "Einkauf", "Research"]));
        set(T::JobTitle, chance.pick(&["Manager", "Ingénieur", "Buchhaltung"]));
        set(T::BusinessPhone, &phone("27 21", chance));
        set(T::BusinessStreet, &format!("Long Street {}", 1 + chance.below(200)));
        set(T::BusinessCity, "Cape Town");
        set(T::BusinessPostalCode, "8001");
        set(T::BusinessCountry, "South Africa");
    }
    if chance.below(3) == 0 {
        set(T::Email2, &format!("private{number}@example.org"));
        set(T::HomePhone, &phone("49 30", chance));
        set(T::HomeStreet, &format!("Größenstraße {}", 1 + chance.below(90)));
        set(T::HomeCity, "Berlin");
        set(T::HomePostalCode, "10115");
        set(T::HomeCountry, "Deutschland");
        set(T::WebPage, &format!("https://example.org/~person{number}"));
    }
    if chance.below(3) == 0 {
        let year = (chance.below(4) > 0).then_some(1950 + chance.below(55) as u16);
        let (month, day) = (1 + chance.below(12) as u8, 1 + chance.below(28) as u8);
        contact.birthday = Some(Date { year, month, day });
    }
    if chance.below(4) == 0 {
        contact.categories = vec![chance.pick(&["Friends", "Geschäft", "Family"]).to_owned()];
        contact.text = Some(Text::plain(paragraph(chance)));
    }
    if number.is_multiple_of(4) {
        contact.picture = Some(Picture(picture(48, chance).into()));
    }
    contact
}

fn event(owner: &Address, now: Timestamp, repeats: bool, chance: &mut Chance) -> EventPatch {
    let day = now.as_days() - 180 + chance.below(360) as i64;
    let all_day = chance.below(8) == 0;
    let (start, length) = if all_day {
        (LocalTime::from_days(day), DAY * (1 + chance.below(3) as i64))
    } else {
        let begin = (8 + chance.below(10) as i64) * HOUR + chance.below(4) as i64 * HOUR / 4;
        (LocalTime::from_days(day).plus_seconds(begin), HOUR / 2 * (1 + chance.below(4) as i64))
    };
    let meeting = chance.below(3) == 0;
    let person = |(name, email): &(&str, &str)| Attendee {
        address: Address { name: Some((*name).to_owned()), email: (*email).to_owned() },
        kind: AttendeeKind::Required,
        participation: Participation::Accepted,
        proposal: None,
    };
    let attendees =
        if meeting { people().iter().skip(2).take(3).map(person).collect() } else { vec![] };
    let value = Event {
        title: chance.pick(&TITLES).to_owned(),
        start,
        end: start.plus_seconds(length),
        zone: (!all_day).then(|| ZoneId::from(chance.pick(&ZONES))),
        all_day,
        recurrence: repeats.then(|| recurrence(chance)),
        place: (chance.below(2) == 0).then(|| Place::from("Large room, 2nd floor")),
        categories: if chance.below(4) == 0 { vec!["Work".to_owned()] } else { vec![] },
        reminder: (chance.below(2) == 0).then_some(15),
        organizer: meeting.then(|| owner.clone()),
        own: true,
        attendees,
        text: (chance.below(2) == 0).then(|| Text::plain(paragraph(chance))),
        ..Event::default()
    };
    let mut fields = vec![EventField::Title, EventField::Time, EventField::Categories];
    fields.extend([EventField::Place, EventField::Reminder, EventField::Text]);
    fields.extend(value.recurrence.as_ref().map(|_| EventField::Recurrence));
    if meeting {
        fields.extend([EventField::Organizer, EventField::Attendees]);
    }
    EventPatch::of(fields, value)
}

fn recurrence(chance: &mut Chance) -> Recurrence {
    let frequency = chance.pick(&[
        Frequency::Daily,
        Frequency::Weekly,
        Frequency::Weekly,
        Frequency::Monthly,
        Frequency::Yearly,
    ]);
    let by_day = match frequency {
        Frequency::Weekly => {
            [Weekday::Monday, Weekday::Thursday].map(|day| NthDay { day, nth: None }).to_vec()
        }
        Frequency::Monthly => vec![NthDay { day: Weekday::Tuesday, nth: Some(2) }],
        _ => vec![],
    };
    let end = match chance.below(3) {
        0 => RecurrenceEnd::Never,
        _ => RecurrenceEnd::Count(5 + chance.below(40) as u32),
    };
    Recurrence { by_day, end, ..Recurrence::every(frequency) }
}

fn task(now: Timestamp, number: usize, chance: &mut Chance) -> TaskPatch {
    let day = now.as_days() - 10 + chance.below(40) as i64;
    let complete = number % 3 == 2;
    let value = Task {
        title: chance.pick(&TASKS).to_owned(),
        start: Some(LocalTime::from_days(day)),
        due: Some(LocalTime::from_days(day + 3)),
        whole_days: true,
        complete,
        completed: complete.then_some(now),
        importance: chance.pick(&[Importance::Normal, Importance::Normal, Importance::High]),
        text: (chance.below(2) == 0).then(|| Text::plain(paragraph(chance))),
        ..Task::default()
    };
    let fields = [
        TaskField::Title,
        TaskField::Start,
        TaskField::Due,
        TaskField::Clock,
        TaskField::Complete,
        TaskField::Importance,
        TaskField::Text,
    ];
    TaskPatch::of(fields, value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_model::{BodyView, Item};

    #[test]
    fn an_account_is_as_it_was_ordered_and_the_same_each_time() {
        let owner = Address { name: Some("Ann".into()), email: "ann@example.org".into() };
        let now = Timestamp::from_seconds(1_790_000_000);
        let amounts = Amounts { contacts: 20, events: 30, series: 6, tasks: 9, notes: 4 };
        let all = account(&owner, 7, now, &amounts).unwrap();
        assert_eq!(all, account(&owner, 7, now, &amounts).unwrap());
        assert_ne!(all, account(&owner, 8, now, &amounts).unwrap());
        let of = |class| all.iter().filter(move |one| one.class == class);
        let counts = [Class::Contacts, Class::Calendar, Class::Tasks, Class::Notes];
        assert_eq!(counts.map(|class| of(class).count()), [20, 30, 9, 4]);
        let view = BodyView::default().or_native(None);
        let pictures = of(Class::Contacts)
            .filter(|one| contact::read(&one.object, &view).unwrap().picture.is_some());
        assert_eq!(pictures.count(), 5);
        let addresses = [owner.email.clone()];
        let clock = ZoneId::utc();
        let read = |object: &[u8]| calendar::read(object, &addresses, &clock, &view);
        let items = of(Class::Calendar).map(|one| read(&one.object));
        let series = items.filter(
            |item| matches!(item, Ok(Item::Event(event)) if event.recurrence.is_some() && event.own),
        );
        assert_eq!(series.count(), 6);
    }
}
