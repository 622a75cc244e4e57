//! Finding devices among many: what is wanted is said to the database, which gives one page of them
//! and counts the rest.

use super::{Admission, COLUMNS, Device, device};
use crate::session::{Conditions, Row, values, within};
use crate::states::{from_json, to_json};
use crate::{Result, Store};
use dme_model::{Timestamp, UserId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// So many users may be asked for by their names: databases take no more values.
pub const MOST_USERS: usize = 16_384;
/// Of so many users devices are looked for by their names; of more, they are picked out of all.
const FEW_USERS: usize = 500;
const OWNERS: &str = "SELECT user_id, COUNT(*) FROM device GROUP BY user_id ORDER BY user_id";
const SOME_OWNERS: &str = "SELECT user_id, COUNT(*) FROM device \
     WHERE LOWER(user_id) LIKE $1 ESCAPE '!' GROUP BY user_id ORDER BY user_id LIMIT $2 OFFSET $3";
const COUNT_ALL_OWNERS: &str = "SELECT COUNT(DISTINCT user_id) FROM device";
const COUNT_OWNERS: &str =
    "SELECT COUNT(DISTINCT user_id) FROM device WHERE LOWER(user_id) LIKE $1 ESCAPE '!'";
/// What devices and their users are called.
const CALLED: &str = "user_id || ' ' || device_id || ' ' || device_type || ' ' || user_agent";

/// Which devices are wanted; all of them where nothing is said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeviceFilter {
    /// Of this user.
    pub user: Option<UserId>,
    /// Of these users, [`MOST_USERS`] at the most.
    pub users: Option<Arc<BTreeSet<UserId>>>,
    /// That may in, wait, or may not.
    pub admission: Option<Admission>,
    /// Whose wipe has come so far: `none`, `requested`, `sent` or `acknowledged`.
    pub wipe: Option<String>,
    /// That call their kind so (`DeviceType`).
    pub kind: Option<String>,
    /// That spoke this version of the protocol last.
    pub protocol: Option<String>,
    /// Whose operating system's name begins so, in whatever case.
    pub os: Option<String>,
    /// Whose user this connector serves in some function, by its name.
    pub connector: Option<String>,
    /// That came last at this time or later.
    pub seen_from: Option<Timestamp>,
    /// That came last before this time.
    pub seen_until: Option<Timestamp>,
    /// That misbehave, as far as was noted.
    pub held: bool,
    /// With this text in what they and their users are called, in whatever case (ASCII only).
    pub text: Option<String>,
}

impl DeviceFilter {
    /// Whether few devices are likely to be what is wanted.
    fn is_of_few(&self) -> bool {
        let is_wiping = self.wipe.as_ref().is_some_and(|wipe| wipe != "none");
        let few_users = self.users.as_ref().is_some_and(|users| users.len() <= FEW_USERS);
        let narrow = self.user.is_some() || self.text.is_some() || self.os.is_some();
        self.held || is_wiping || few_users || narrow
    }
}

/// The names in what devices told of themselves: a text that is looked for is not looked for there.
const NAMES: [&str; 9] = [
    "model",
    "imei",
    "friendly_name",
    "os",
    "os_language",
    "phone_number",
    "user_agent",
    "mobile_operator",
    "outbound_sms",
];

/// What stands there in the place of a text.
const WORDS: [&str; 3] = ["null", "true", "false"];

/// What stands there between texts, once those words are taken out.
const SIGNS: [&str; 7] = ["{", "}", "{}", ":", ",", ":,", ":}"];

/// What devices have to fulfil.
fn conditions(filter: &DeviceFilter) -> Result<Conditions<'static>> {
    let mut all = Conditions::default();
    all.with("user_id =", filter.user.as_ref().map(UserId::to_string));
    if let Some(users) = &filter.users {
        let among = among(&mut all, users);
        all.and(&among);
    }
    let admission = filter.admission.map(|one| to_json(&one, "device.admission"));
    all.with("admission =", admission.transpose()?);
    if let Some(wipe) = &filter.wipe {
        // Said as the index says it, which has only these.
        if wipe != "none" {
            all.and("wipe <> '{\"state\":\"none\"}'");
        }
        // What begins with `{"state":"sent"` lies between that and `{"state":"sent#`.
        all.with("wipe >=", Some(format!("{{\"state\":\"{wipe}\"")));
        all.with("wipe <", Some(format!("{{\"state\":\"{wipe}#")));
    }
    all.with("device_type =", filter.kind.clone());
    all.with("protocol =", filter.protocol.clone());
    if let Some(os) = &filter.os {
        let os = to_json(os, "device.information")?;
        let begins = os.strip_suffix('"').unwrap_or_default();
        let told = all.contains("information", &format!("\"os\":{begins}"));
        all.and(&told);
    }
    if let Some(connector) = &filter.connector {
        let connector = all.give(connector.clone());
        all.and(&format!("user_id IN (SELECT user_id FROM route WHERE serving = {connector})"));
    }
    all.with("last_seen >=", filter.seen_from);
    all.with("last_seen <", filter.seen_until);
    if filter.held {
        all.and("hold IS NOT NULL");
    }
    if let Some(text) = &filter.text {
        let mut found = all.contains(CALLED, text);
        if let Some(told) = told(text) {
            let as_json = to_json(&text, "device.information")?;
            let as_json = as_json.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
            let told = all.contains(&told, as_json.unwrap_or_default());
            found = format!("({found} OR {told})");
        }
        all.and(&found);
    }
    Ok(all)
}

/// That a user is one of these.
fn among(all: &mut Conditions<'static>, users: &BTreeSet<UserId>) -> String {
    let Some(last) = users.last() else { return "1 = 0".to_owned() };
    // Statements are kept prepared: with as many values as a power of two there are few of them.
    let filled = std::iter::repeat_n(last, users.len().next_power_of_two() - users.len());
    let names = users.iter().chain(filled).map(|user| all.give(user.to_string()));
    let names = names.collect::<Vec<_>>().join(", ");
    // No index is by what is made of a column: of many users devices are not looked for one by one.
    let user = if users.len() <= FEW_USERS { "user_id" } else { "(user_id || '')" };
    format!("{user} IN ({names})")
}

/// What devices told of themselves, without what is no text there and could be taken for this one;
/// none where this is but what stands between texts.
fn told(text: &str) -> Option<String> {
    let sought = text.to_ascii_lowercase();
    if SIGNS.contains(&sought.as_str()) {
        return None;
    }
    let words = WORDS
        .into_iter()
        .filter(|word| [",", "}"].iter().any(|end| format!(":{word}{end}").contains(&sought)));
    // Within a text a quotation mark has a backslash before it: one with a colon behind it ends a
    // name.
    let told = words.fold("information".to_owned(), |told, word| {
        format!("REPLACE({told}, '\":{word}', '\":')")
    });
    let names = NAMES.iter().filter(|name| name.contains(&sought));
    Some(names.fold(told, |told, name| format!("REPLACE({told}, '\"{name}\":', ':')")))
}

impl Store {
    /// Some of the devices that are wanted, those that came last first: as many as said, after so
    /// many others.
    ///
    /// # Errors
    /// The database's.
    pub async fn find_devices(
        &self,
        filter: &DeviceFilter,
        after: u32,
        limit: u32,
    ) -> Result<Vec<Device>> {
        let mut wanted = conditions(filter)?;
        let (limit, after) = (wanted.give(limit), wanted.give(after));
        // The index of last contacts is for what most devices are: what few are has its own, or is
        // looked for in all of them, and sorted then.
        let by = if filter.is_of_few() { "+last_seen" } else { "last_seen" };
        let sql = format!(
            "SELECT {COLUMNS} FROM device{} ORDER BY {by} DESC, user_id, device_id \
             LIMIT {limit} OFFSET {after}",
            wanted.sql()
        );
        self.read(move |session| session.query(&sql, wanted.values(), device)).await
    }

    /// How many devices are wanted, told apart by what they call their kind and by their state.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_devices(
        &self,
        filter: &DeviceFilter,
    ) -> Result<Vec<(String, Admission, u64)>> {
        let wanted = conditions(filter)?;
        let sql = format!(
            "SELECT device_type, admission, COUNT(*) FROM device{} \
             GROUP BY device_type, admission ORDER BY device_type, admission",
            wanted.sql()
        );
        self.read(move |session| {
            session.query(&sql, wanted.values(), |row| {
                let admission = from_json(&row.get::<String>(1)?, "device.admission")?;
                Ok((row.get(0)?, admission, u64::try_from(row.get::<i64>(2)?).unwrap_or(0)))
            })
        })
        .await
    }

    /// Everybody who has a device, by name, and how many each has.
    ///
    /// # Errors
    /// The database's.
    pub async fn device_owners(&self) -> Result<Vec<(String, u64)>> {
        self.read(|session| session.query(OWNERS, values![], counted)).await
    }

    /// How many have a device.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_device_owners(&self) -> Result<u64> {
        let count = |row: &Row<'_>| row.get::<i64>(0);
        let all = self.read(move |session| session.query_one(COUNT_ALL_OWNERS, values![], count));
        Ok(u64::try_from(all.await?).unwrap_or(0))
    }

    /// Some of those who have a device and this in their name, and how many there are of them: as
    /// many as said, after so many others.
    ///
    /// # Errors
    /// The database's.
    pub async fn find_device_owners(
        &self,
        text: &str,
        after: u32,
        limit: u32,
    ) -> Result<(Vec<(String, u64)>, u64)> {
        let pattern = within(text);
        self.read(move |session| {
            let some = session.query(SOME_OWNERS, values![&pattern, limit, after], counted)?;
            let all: i64 = session.query_one(COUNT_OWNERS, values![&pattern], |row| row.get(0))?;
            Ok((some, u64::try_from(all).unwrap_or(0)))
        })
        .await
    }
}

fn counted(row: &Row<'_>) -> Result<(String, u64)> {
    Ok((row.get(0)?, u64::try_from(row.get::<i64>(1)?).unwrap_or(0)))
}
