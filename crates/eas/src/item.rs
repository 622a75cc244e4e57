//! Items of any class as they stand in `ApplicationData` and `Properties`: which module is whose.

use crate::calendar::Context;
use crate::error::Result;
use crate::ghosting::Writing;
use crate::server_id::ServerId;
use crate::version::ProtocolVersion;
use crate::{calendar, contacts, email, notes, tasks};
use dme_model::{Class, Item, ItemPatch};
use dme_wbxml::Element;

/// The first version that knows a class, of which older phones are told neither folders nor items.
pub fn since(class: Class) -> ProtocolVersion {
    match class {
        // By the tables of MS-ASNOTE 2.2.2.
        Class::Notes => ProtocolVersion::V14_0,
        Class::Mail | Class::Calendar | Class::Contacts | Class::Tasks => ProtocolVersion::V12_1,
    }
}

/// The elements of an item for this version. `id` makes the references of its attachments.
pub fn to_elements(
    item: &Item,
    id: &ServerId,
    version: ProtocolVersion,
    context: &Context<'_>,
) -> Vec<Element> {
    match item {
        Item::Mail(mail) => email::to_elements(mail, id, version, context),
        Item::Event(event) => calendar::to_elements(event, id, version, context),
        Item::Contact(contact) => contacts::to_elements(contact, version),
        Item::Task(task) => tasks::to_elements(task, version, context.home),
        Item::Note(note) => notes::to_elements(note),
    }
}

/// What a phone writes of an item of this class; none of a mail, which is not written as a patch.
///
/// # Errors
/// Where an element does not hold what it must, or holds too much: answer status 6.
pub fn patch_from_elements(
    class: Class,
    data: &[Element],
    version: ProtocolVersion,
    writing: Writing<'_, Item>,
    context: &Context<'_>,
) -> Result<Option<ItemPatch>> {
    let Context { home, now } = *context;
    Ok(Some(match class {
        Class::Mail => return Ok(None),
        Class::Calendar => {
            let writing = writing.of(|item| match item {
                Item::Event(event) => Some(&**event),
                _ => None,
            });
            let patch = calendar::patch_from_elements(data, version, writing, context)?;
            ItemPatch::Event(Box::new(patch))
        }
        Class::Contacts => {
            let writing = writing.of(|item| match item {
                Item::Contact(contact) => Some(&**contact),
                _ => None,
            });
            let patch = contacts::patch_from_elements(data, version, writing, home)?;
            ItemPatch::Contact(Box::new(patch))
        }
        Class::Tasks => {
            let writing = writing.of(|item| match item {
                Item::Task(task) => Some(&**task),
                _ => None,
            });
            let patch = tasks::patch_from_elements(data, version, writing, home, now)?;
            ItemPatch::Task(Box::new(patch))
        }
        Class::Notes => {
            let writing = writing.of(|item| match item {
                Item::Note(note) => Some(&**note),
                _ => None,
            });
            ItemPatch::Note(Box::new(notes::patch_from_elements(data, writing)?))
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ghosting;
    use dme_model::{ItemId, Timestamp};
    use dme_zone::Zone;

    #[test]
    fn each_class_is_told_and_written_by_its_own_module() {
        let items = [
            Item::Event(Box::default()),
            Item::Contact(Box::default()),
            Item::Task(Box::default()),
            Item::Note(Box::default()),
        ];
        let id = ServerId::new(1, ItemId::new("1"));
        let context = Context { home: &Zone::utc(), now: Timestamp::default() };
        let version = ProtocolVersion::V16_1;
        for item in items {
            let data = to_elements(&item, &id, version, &context);
            let patch =
                patch_from_elements(item.class(), &data, version, Writing::Add, &context).unwrap();
            assert_eq!(patch.map(|patch| patch.class()), Some(item.class()));
            let ghosting = Ghosting::default();
            let writing = Writing::Change { ghosting: &ghosting, present: Some(&item) };
            let patch =
                patch_from_elements(item.class(), &data, version, writing, &context).unwrap();
            assert!(patch.unwrap().is_empty(), "{item:?}");
        }
        let mail = Item::Mail(Box::default());
        let patch = patch_from_elements(mail.class(), &[], version, Writing::Add, &context);
        assert_eq!(patch, Ok(None));
    }
}
