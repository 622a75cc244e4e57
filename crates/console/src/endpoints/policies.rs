//! The levels of policy, and whom other ones would affect.

pub(crate) mod edits;

use super::parts::{author, name, push};
use super::revised;
use crate::endpoint::{Endpoint, get, post};
use crate::principal::{Duty, Principal};
use crate::{Console, Refusal, api};
use dme_policy::{About, Condition, Levels, Preview, Setting};
use dme_server::policies::Meant;
use dme_sync::DeviceKey;
use edits::GroupAct;

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    vec![
        get("/api/policy/settings", "The settings of a policy, and which clients obey them")
            .by(|_, _| async move { Ok(settings()) }),
        get("/api/policy", "The levels of policy")
            .by(|console, _| async move { Ok(console.policy()) }),
        post("/api/policy", "Set the levels of policy").fresh().takes::<api::PolicyChange>().by(
            |console, mut call| async move {
                let change = call.body()?;
                console.set_policy(&call.principal, change).await
            },
        ),
        post("/api/policy/setting", "Set what one level says of one setting")
            .fresh()
            .takes::<api::SettingEdit>()
            .by(|console, mut call| async move {
                let edit = call.body()?;
                console.edit_setting(&call.principal, edit).await
            }),
        post(
            "/api/policy/groups",
            "Make a group of devices, as the strongest, or give one another name and other members",
        )
        .fresh()
        .takes::<api::NewGroup>()
        .by(|console, mut call| async move {
            let new = call.body()?;
            console.change_group(&call.principal, GroupAct::Put, new).await
        }),
        change_group(
            "/api/policy/groups/raise",
            "Make a group stronger by one place",
            GroupAct::Raise,
        ),
        change_group(
            "/api/policy/groups/remove",
            "Take a group away, with what it says",
            GroupAct::Remove,
        ),
        post("/api/policy/members", "Which devices a group with these members would have")
            .duty(Duty::See)
            .takes::<dme_policy::Condition>()
            .by(|console, mut call| async move { console.meant_by(&call.body()?).await }),
        post("/api/policy/preview", "Whom other levels of policy would affect")
            .takes::<api::PolicyTrial>()
            .by(|console, mut call| async move { console.preview_policy(call.body()?).await }),
    ]
}

fn change_group(path: &'static str, summary: &'static str, act: GroupAct) -> Endpoint {
    post(path, summary).fresh().takes::<api::Named>().by(move |console, mut call| async move {
        let api::Named { name, revision } = call.body()?;
        let group = api::NewGroup { name, revision, ..api::NewGroup::default() };
        console.change_group(&call.principal, act, group).await
    })
}

fn shown(preview: Preview<DeviceKey>) -> api::PolicyPreview {
    let changed = preview
        .changed
        .into_iter()
        .map(|(key, settings)| api::PolicyChanged { device: name(&key), settings });
    let kept = preview.overridden.into_iter().flat_map(|(key, kept)| {
        let device = name(&key);
        kept.into_iter().map(move |(setting, by)| api::PolicyKept {
            device: device.clone(),
            setting,
            by,
        })
    });
    api::PolicyPreview {
        changed: changed.collect(),
        overridden: kept.collect(),
        untouched: preview.untouched as u64,
    }
}

fn meant(Meant { fits, open }: Meant) -> api::Meant {
    let names = |keys: Vec<DeviceKey>| keys.iter().map(name).collect();
    api::Meant { devices: names(fits), open: names(open) }
}

/// Every setting there is.
pub(crate) fn settings() -> Vec<&'static About> {
    Setting::ALL.iter().map(|setting| setting.about()).collect()
}

impl Console {
    pub(crate) fn policy(&self) -> api::PolicyLevels {
        let held = self.front.policies.levels();
        api::PolicyLevels {
            revision: held.revision,
            changed: held.changed,
            author: held.author,
            configuration: self.front.policies.configuration().clone(),
            levels: held.content,
        }
    }

    pub(crate) async fn set_policy(
        &self,
        principal: &Principal,
        change: api::PolicyChange,
    ) -> Result<api::Revised, Refusal> {
        let (author, push) = (author(principal, change.revision), push(change.push));
        let now = (self.front.clock)();
        let before = self.front.policies.levels().content;
        let set = self.front.policies.set_levels(&change.levels, &author, push, now).await?;
        revised::levels(&before, &change.levels);
        Ok(api::Revised { revision: set.0, devices: set.1.iter().map(name).collect() })
    }

    pub(crate) async fn preview_policy(
        &self,
        trial: api::PolicyTrial,
    ) -> Result<api::PolicyPreview, Refusal> {
        Ok(shown(self.front.policies.preview(&trial.levels).await?))
    }

    /// Which devices a group with these members would have.
    pub(crate) async fn meant_by(&self, members: &Condition) -> Result<api::Meant, Refusal> {
        Ok(meant(self.front.policies.meant_by(members).await?))
    }

    /// Whom other levels would affect, and which devices a group with these members has.
    pub(crate) async fn preview_group(
        &self,
        levels: &Levels,
        members: &Condition,
    ) -> Result<(api::PolicyPreview, api::Meant), Refusal> {
        let (preview, found) = self.front.policies.preview_group(levels, members).await?;
        Ok((shown(preview), meant(found)))
    }
}
