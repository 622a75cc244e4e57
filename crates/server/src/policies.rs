//! The levels of policy as administrators set them, and which policy a device has by them.
//!
//! What the configuration file says in `[policy]` is the weakest level; over it stand, each for the
//! settings it defines, the default level, the groups in their order, and the device's own level.
//! A device whose policy changes by that takes it anew at its next request, and no other does.

use crate::books::{Author, RulesError, Versioned, edit, load, sound};
use crate::config::PolicyMode;
use crate::inventory::{Inventory, facts};
use crate::membership::Membership;
use crate::parking::Parking;
use crate::policy::CurrentPolicy;
use dme_model::{Timestamp, UserId};
use dme_policy::{
    Concerned, Condition, Effective, Facts, Judged, Levels, Membership as Member, Preview, Rules,
    preview,
};
use dme_routing::Known;
use dme_store::{Applied, Device, Store};
use dme_sync::DeviceKey;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The book of the levels.
const BOOK: &str = "policy";
/// So many different policies are remembered before all are reckoned anew.
const REMEMBERED: usize = 10_000;

/// When devices are to take a policy that changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Push {
    /// With their next request, whenever that is.
    NextContact,
    /// At once: those that wait are sent away, and come back for it.
    Now,
}

/// Whether a device does what its policy says, as far as it tells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compliance {
    /// No policy is demanded, or it was never asked for one that is given on request.
    NotAsked,
    /// It has not taken the policy yet.
    Pending,
    /// It says that it applies the whole of it.
    Compliant,
    /// It says that it applies a part.
    Partial,
    /// It says that it does not apply it.
    Refused,
}

impl Compliance {
    /// Each of them.
    pub const ALL: [Self; 5] =
        [Self::NotAsked, Self::Pending, Self::Compliant, Self::Partial, Self::Refused];
}

/// Which devices a condition fits.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Meant {
    /// Those that it fits.
    pub fits: Vec<DeviceKey>,
    /// Those of which that is not known yet.
    pub open: Vec<DeviceKey>,
}

/// The service.
pub struct Policies {
    store: Store,
    configuration: Rules,
    membership: Arc<dyn Membership>,
    parking: Arc<Parking>,
    now: RwLock<Arc<Standing>>,
}

/// The levels as they stand, and the policies reckoned from them.
struct Standing {
    levels: Versioned<Levels>,
    devices: HashMap<DeviceKey, Versioned<Rules>>,
    reckoned: Mutex<HashMap<Combination, Arc<CurrentPolicy>>>,
}

/// The levels that make a policy: the groups, whether there may be more, and the device if it has
/// a level of its own.
type Combination = (Vec<String>, bool, Option<DeviceKey>);

impl Policies {
    /// With the levels in the store.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn open(
        store: Store,
        configuration: Rules,
        membership: Arc<dyn Membership>,
        parking: Arc<Parking>,
    ) -> dme_store::Result<Arc<Self>> {
        let now = RwLock::new(Arc::new(Standing::load(&store).await?));
        Ok(Arc::new(Self { store, configuration, membership, parking, now }))
    }

    /// The levels for everyone and for groups.
    pub fn levels(&self) -> Versioned<Levels> {
        self.standing().levels.clone()
    }

    /// What the configuration file says: the level beneath all others.
    pub fn configuration(&self) -> &Rules {
        &self.configuration
    }

    /// A device's own level.
    pub fn device_level(&self, key: &DeviceKey) -> Versioned<Rules> {
        let standing = self.standing();
        standing.devices.get(key).cloned().unwrap_or_else(Versioned::none)
    }

    /// Sets the levels for everyone and for groups; answers their new revision and which devices'
    /// policies change by it.
    ///
    /// # Errors
    /// [`RulesError::Wrong`] with what is to be mended, or that somebody else changed them since
    /// they were read.
    pub async fn set_levels(
        &self,
        levels: &Levels,
        author: &Author,
        push: Push,
        now: Timestamp,
    ) -> Result<(u64, Vec<DeviceKey>), RulesError> {
        sound(levels.problems(&self.configuration))?;
        let before = self.standing();
        let revision = self.store.put_book(BOOK, edit(levels, author, now)?).await?;
        let changed = self.take_effect(&before, push, None).await?;
        tracing::warn!(
            author = author.name,
            revision,
            devices = changed.len(),
            ?push,
            "the levels of policy were changed"
        );
        Ok((revision, changed))
    }

    /// Sets a device's own level; an empty one takes it away. Answers its new revision.
    ///
    /// # Errors
    /// As [`Policies::set_levels`], or that there is no such device.
    pub async fn set_device_level(
        &self,
        key: &DeviceKey,
        rules: &Rules,
        author: &Author,
        push: Push,
        now: Timestamp,
    ) -> Result<u64, RulesError> {
        let device = self.store.known_device(key).await?;
        let before = self.standing();
        let problems = self.with_facts(&device, |facts| {
            before.levels.content.device_problems(&self.configuration, facts, rules)
        });
        sound(problems)?;
        let revision = self.store.put_device_level(key, edit(rules, author, now)?).await?;
        self.take_effect(&before, push, Some(device)).await?;
        tracing::warn!(author = author.name, revision, user = %key.user, device = %key.device,
            ?push, "a device's own policy was changed");
        Ok(revision)
    }

    /// Whom other levels for everyone and for groups would affect.
    ///
    /// # Errors
    /// The store's, or [`RulesError::Wrong`] where they could not be set.
    pub async fn preview(&self, levels: &Levels) -> Result<Preview<DeviceKey>, RulesError> {
        sound(levels.problems(&self.configuration))?;
        Ok(self.affected(&self.store.devices(None).await?, levels))
    }

    /// Whom other levels would affect, and which devices a condition fits: what is to be known before
    /// a group with these members is made, moved or taken away.
    ///
    /// # Errors
    /// As [`Policies::preview`] and [`Policies::meant_by`].
    pub async fn preview_group(
        &self,
        levels: &Levels,
        members: &Condition,
    ) -> Result<(Preview<DeviceKey>, Meant), RulesError> {
        sound(levels.problems(&self.configuration))?;
        sound(members.problem())?;
        let devices = self.store.devices(None).await?;
        Ok((self.affected(&devices, levels), self.judged(&devices, members)))
    }

    fn affected(&self, devices: &[Device], levels: &Levels) -> Preview<DeviceKey> {
        let standing = self.standing();
        let before = &standing.levels.content;
        let none = Rules::new();
        let mut all = Preview { changed: Vec::new(), overridden: Vec::new(), untouched: 0 };
        for device in devices {
            let own = standing.devices.get(&device.key).map_or(&none, |level| &level.content);
            let one = self.with_facts(device, |facts| {
                let key = device.key.clone();
                let concerned = Concerned { key, facts: *facts, own };
                preview(&self.configuration, before, levels, [concerned])
            });
            all.changed.extend(one.changed);
            all.overridden.extend(one.overridden);
            all.untouched += one.untouched;
        }
        all
    }

    /// Which devices a condition fits.
    ///
    /// # Errors
    /// The store's, or [`RulesError::Wrong`] where the condition makes no sense.
    pub async fn meant_by(&self, condition: &Condition) -> Result<Meant, RulesError> {
        sound(condition.problem())?;
        Ok(self.judged(&self.store.devices(None).await?, condition))
    }

    fn judged(&self, devices: &[Device], condition: &Condition) -> Meant {
        let mut meant = Meant::default();
        for device in devices {
            match self.with_facts(device, |facts| condition.judge(facts)) {
                Judged::Fits => meant.fits.push(device.key.clone()),
                Judged::Lacks(_) => meant.open.push(device.key.clone()),
                Judged::Not => {}
            }
        }
        meant
    }

    /// What holds for a device, and where each of it comes from.
    ///
    /// # Errors
    /// The store's, or that there is no such device.
    pub async fn effective(&self, key: &DeviceKey) -> dme_store::Result<Effective> {
        let device = self.store.known_device(key).await?;
        Ok(self.standing().effective(self, &device))
    }

    /// The policy a device is to have.
    pub(crate) fn of(&self, device: &Device) -> Arc<CurrentPolicy> {
        self.standing().of(self, device)
    }

    /// Whether a device does what its policy says.
    pub fn compliance(&self, device: &Device) -> Compliance {
        let current = self.of(device);
        let held = &device.policy;
        if current.mode == PolicyMode::Off {
            return Compliance::NotAsked;
        }
        match held.reply.filter(|reply| reply.revision == current.revision) {
            Some(reply) => match reply.applied {
                Applied::Fully => Compliance::Compliant,
                Applied::Partly => Compliance::Partial,
                Applied::Not | Applied::ByOthers => Compliance::Refused,
            },
            None if held.acknowledged.is_some_and(|key| key.revision == current.revision) => {
                Compliance::Compliant
            }
            None if current.mode == PolicyMode::Optional && held.pending.is_none() => {
                Compliance::NotAsked
            }
            None => Compliance::Pending,
        }
    }

    /// Whether a device has acknowledged the policy that it is to have, be there one or not.
    pub fn has_taken(&self, device: &Device) -> bool {
        let revision = self.of(device).revision;
        device.policy.acknowledged.is_some_and(|held| held.revision == revision)
    }

    /// Runs something with what rules are judged by of a device.
    pub(crate) fn with_facts<T>(&self, device: &Device, run: impl FnOnce(&Facts<'_>) -> T) -> T {
        let inventory = Inventory::of(device);
        let member = self.member(&device.key.user);
        run(&facts(device, inventory.as_ref(), &member))
    }

    /// Whether a user is in a directory group, as far as the gate knows.
    pub(crate) fn member(&self, user: &UserId) -> impl Fn(&str) -> Member + Sync {
        move |group: &str| match self.membership.of_user(user, group) {
            Known::Yes => Member::Yes,
            Known::No => Member::No,
            Known::Unknown => Member::Unknown,
        }
    }

    fn standing(&self) -> Arc<Standing> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes what is in the store for what holds; answers the devices whose policy is another one
    /// then, of all or of this one.
    /// Reads the levels again, which somebody else has put into the store. Devices that wait take
    /// at once what is other for them.
    ///
    /// # Errors
    /// The store's.
    pub async fn reload(&self) -> dme_store::Result<()> {
        let before = self.standing();
        self.take_effect(&before, Push::Now, None).await.map(drop)
    }

    async fn take_effect(
        &self,
        before: &Standing,
        push: Push,
        only: Option<Device>,
    ) -> dme_store::Result<Vec<DeviceKey>> {
        let after = Arc::new(Standing::load(&self.store).await?);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = after.clone();
        let devices = match only {
            Some(device) => vec![device],
            None => self.store.devices(None).await?,
        };
        let other = |device: &Device| {
            let (was, will) = (before.of(self, device), after.of(self, device));
            (was.mode, was.revision) != (will.mode, will.revision)
        };
        let changed: Vec<DeviceKey> =
            devices.into_iter().filter(other).map(|device| device.key).collect();
        if push == Push::Now {
            changed.iter().for_each(|key| self.parking.end_device(key));
        }
        Ok(changed)
    }
}

impl Standing {
    async fn load(store: &Store) -> dme_store::Result<Self> {
        let levels = load(store, BOOK).await?;
        let devices = store
            .device_levels()
            .await?
            .into_iter()
            .map(|(key, book)| Ok((key, Versioned::read(Some(book), "device_level.content")?)));
        let devices = devices.collect::<dme_store::Result<_>>()?;
        Ok(Self { levels, devices, reckoned: Mutex::default() })
    }

    fn effective(&self, policies: &Policies, device: &Device) -> Effective {
        let none = Rules::new();
        let own = self.devices.get(&device.key).map_or(&none, |level| &level.content);
        policies.with_facts(device, |facts| {
            self.levels.content.effective(&policies.configuration, facts, own)
        })
    }

    /// The policy of a device; devices of the same levels share one.
    fn of(&self, policies: &Policies, device: &Device) -> Arc<CurrentPolicy> {
        let (groups, open) = if self.levels.content.groups.is_empty() {
            (Vec::new(), false)
        } else {
            policies.with_facts(device, |facts| {
                let (groups, open) = self.levels.content.groups_of(facts);
                (groups.into_iter().map(str::to_owned).collect(), !open.is_empty())
            })
        };
        let own = self.devices.contains_key(&device.key).then(|| device.key.clone());
        let combination = (groups, open, own);
        let lock = || self.reckoned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&combination) {
            return known.clone();
        }
        let current = Arc::new(CurrentPolicy::of(&self.effective(policies, device)));
        let mut reckoned = lock();
        if reckoned.len() >= REMEMBERED {
            reckoned.clear();
        }
        reckoned.insert(combination, current.clone());
        current
    }
}
