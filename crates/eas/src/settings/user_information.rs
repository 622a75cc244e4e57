//! The user's accounts and addresses: `UserInformation` (MS-ASCMD 2.2.3.193).
//!
//! 12.1 and 14.0 know one account and list its addresses; from 14.1 on there are several, and each
//! says which address is its first.

use crate::fields::{Children, Fields};
use crate::{Error, ProtocolVersion};
use dme_wbxml::pages::settings as s;
use dme_wbxml::{Element, Tag};

/// More than any mailbox has; further ones are left out when reading.
const MAX_ENTRIES: usize = 500;

/// One mailbox the user can send from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Account {
    /// Its id; none for the user's own mailbox.
    pub id: Option<String>,
    /// Its name for people.
    pub name: Option<String>,
    /// The user's name in it.
    pub display_name: Option<String>,
    /// Whether sending from it is off.
    pub send_disabled: bool,
    /// The address mail is sent from (14.1 on).
    pub primary_address: Option<String>,
    /// All addresses, the primary one included.
    pub addresses: Vec<String>,
}

/// All accounts, the user's own first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UserInformation {
    /// The accounts.
    pub accounts: Vec<Account>,
}

impl UserInformation {
    /// Within the element of this tag (`Get`).
    pub(super) fn to_element(&self, tag: Tag, version: ProtocolVersion) -> Element {
        let children = if version >= ProtocolVersion::V14_1 {
            let accounts = self.accounts.iter().map(Account::to_element).collect();
            vec![Element::parent(s::ACCOUNTS, accounts)]
        } else {
            let addresses = self.accounts.first().map(|own| own.addresses.as_slice());
            vec![addresses_element(addresses.unwrap_or_default(), None)]
        };
        Element::parent(tag, children)
    }

    /// From the element round it (`Get`), in either form.
    pub(super) fn from_element(element: &Element) -> Result<Self, Error> {
        if let Some(addresses) = element.child(s::EMAIL_ADDRESSES) {
            return Ok(Self { accounts: vec![Account::default().with_addresses(addresses)] });
        }
        let listed = element.child(s::ACCOUNTS).map(Element::children).unwrap_or_default();
        let listed = listed.iter().filter(|child| child.tag == s::ACCOUNT).take(MAX_ENTRIES);
        let accounts = listed.map(Account::from_element).collect::<Result<_, _>>()?;
        Ok(Self { accounts })
    }
}

impl Account {
    fn to_element(&self) -> Element {
        let mut children = Vec::new();
        let texts = [
            (s::ACCOUNT_ID, &self.id),
            (s::ACCOUNT_NAME, &self.name),
            (s::USER_DISPLAY_NAME, &self.display_name),
        ];
        for (tag, text) in texts {
            if let Some(text) = text {
                children.put(tag, text.as_str());
            }
        }
        if self.send_disabled {
            children.put(s::SEND_DISABLED, "1");
        }
        children.push(addresses_element(&self.addresses, self.primary_address.as_deref()));
        Element::parent(s::ACCOUNT, children)
    }

    fn from_element(element: &Element) -> Result<Self, Error> {
        let text = |tag: Tag| element.child_text(tag).map(str::to_owned);
        let account = Self {
            id: text(s::ACCOUNT_ID),
            name: text(s::ACCOUNT_NAME),
            display_name: text(s::USER_DISPLAY_NAME),
            send_disabled: element.boolean_of(s::SEND_DISABLED)?.unwrap_or(false),
            ..Self::default()
        };
        Ok(match element.child(s::EMAIL_ADDRESSES) {
            Some(addresses) => account.with_addresses(addresses),
            None => account,
        })
    }

    fn with_addresses(mut self, element: &Element) -> Self {
        let all = element.children().iter().filter(|child| child.tag == s::SMTP_ADDRESS);
        let texts = all.filter_map(Element::as_text).take(MAX_ENTRIES);
        self.addresses = texts.map(str::to_owned).collect();
        self.primary_address = element.child_text(s::PRIMARY_SMTP_ADDRESS).map(str::to_owned);
        self
    }
}

fn addresses_element(addresses: &[String], primary: Option<&str>) -> Element {
    let all = addresses.iter().map(|address| Element::text(s::SMTP_ADDRESS, address.as_str()));
    let primary = primary.map(|address| Element::text(s::PRIMARY_SMTP_ADDRESS, address));
    Element::parent(s::EMAIL_ADDRESSES, all.chain(primary).collect())
}
