//! The address list as a folder on the phone, which nobody changes there.

use crate::site::{PATIENCE, Site, Wishes, dovecot, postfix};
use anyhow::{Context, Result, ensure};
use dme_eas::ProtocolVersion;
use dme_eas::contacts;
use dme_eas::folder_sync::FolderType;
use dme_eas::sync::{ClientCommand, ItemResponse, Status};
use dme_model::{Contact, ContactField, ContactPatch, ContactText, Item};
use dme_phone::Phone;
use dme_testkit::slapd::SUFFIX;
use std::time::{Duration, Instant};

/// The contact with this mail address, and its id on the phone.
fn of<'a>(phone: &'a Phone, folder: &str, address: &str) -> Result<Option<(String, &'a Contact)>> {
    let found = phone.records(folder)?.iter().find_map(|(id, item)| match item {
        Item::Contact(contact) if contact.text_of(ContactText::Email1).contains(address) => {
            Some((id.clone(), &**contact))
        }
        _ => None,
    });
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_has_the_address_list_as_a_folder_that_it_cannot_change() -> Result<()> {
    let dovecot = dovecot()?;
    let postfix = postfix(&dovecot)?;
    let connector = "[address_book]\nname = \"Colleagues\"\nrefresh = \"1s\"\n";
    let site = Site::on(dovecot, postfix, connector, &Wishes::default())?;
    let mut title = "Auditor";
    let rounds =
        [(ProtocolVersion::V14_1, "Controller"), (ProtocolVersion::V16_1, "Head of Audit")];
    for (version, next_title) in rounds {
        let mut phone = site.phone("ann")?;
        phone.client.account.version = version;
        phone.client.account.device = next_title.replace(' ', "").into();
        phone.folder_sync().await?;
        let folder =
            phone.folders().values().find(|state| state.folder.display_name == "Colleagues");
        let folder = folder.context("no such folder")?.folder.clone();
        ensure!(folder.kind == FolderType::UserContacts, "{folder:?}");
        let folder = folder.server_id;

        // Everybody is there, with what the directory shows.
        phone.sync(&folder).await?;
        ensure!(phone.records(&folder)?.len() == 5, "{:?}", phone.records(&folder)?);
        let (eve, shown) = of(&phone, &folder, "eve@example.org")?.context("no Eve")?;
        let texts = [
            (ContactText::FirstName, "Eve"),
            (ContactText::LastName, "Example"),
            (ContactText::JobTitle, title),
            (ContactText::OfficeLocation, "Room 7"),
            (ContactText::MobilePhone, "+1 555 9"),
        ];
        for (field, expected) in texts {
            ensure!(shown.text_of(field) == expected, "{field:?}: {shown:?}");
        }

        // What the phone makes of her is not taken, and she is shown to it again as she is.
        let mut other = shown.clone();
        other.set_text(ContactText::MobilePhone, "+1 555 666");
        let patch = match version < ProtocolVersion::V16_0 {
            true => ContactPatch::whole(other),
            false => ContactPatch::of([ContactField::Of(ContactText::MobilePhone)], other),
        };
        let change = ClientCommand::Change {
            server_id: eve.clone(),
            instance_id: None,
            class: None,
            send: false,
            data: contacts::patch_to_elements(&patch, version),
        };
        let mut round = phone.sync_with(&folder, vec![change]).await?;
        let refused = round.responses.iter().any(|response| {
            matches!(response, ItemResponse::Change { status, .. } if *status != Status::Success)
        });
        ensure!(refused, "Eve was changed: {round:?}");
        if round.changed == 0 {
            round = phone.sync(&folder).await?;
        }
        ensure!(round.changed == 1, "she is not shown again: {round:?}");
        let (_, shown) = of(&phone, &folder, "eve@example.org")?.context("Eve is gone")?;
        ensure!(shown.text_of(ContactText::MobilePhone) == "+1 555 9", "{shown:?}");

        // Nor is she deleted.
        ensure!(phone.delete(&folder, &eve).await.is_err(), "Eve was deleted");

        // What the directory makes of her comes.
        title = next_title;
        site.slapd.modify(&format!(
            "dn: uid=eve,ou=people,{SUFFIX}\nchangetype: modify\nreplace: title\ntitle: {title}\n"
        ))?;
        let begin = Instant::now();
        loop {
            phone.sync(&folder).await?;
            let (_, shown) = of(&phone, &folder, "eve@example.org")?.context("Eve is gone")?;
            if shown.text_of(ContactText::JobTitle) == title {
                break;
            }
            ensure!(begin.elapsed() < PATIENCE, "the title stays: {shown:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}
