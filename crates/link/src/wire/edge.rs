//! The calls to an edge: what the two stores have for each other.

use super::call::Call;
use crate::{Delta, Held};
use dme_model::{DeviceId, UserId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `edge/exchange`: each end tells the other what has changed of the facts it keeps.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Exchange {
    /// What the server holds of the edge's ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Held>,
    /// What has changed in the server's, by what it knows of what the edge holds; none where that is
    /// nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<Delta>,
}

/// What an edge answers to that.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Exchanged {
    /// What the edge holds of the server's ledger, with what it was told taken in. Something else than
    /// that was about shows that it could not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<Held>,
    /// What has changed in the edge's ledger since what the server had heard.
    pub delta: Delta,
}

/// `edge/give`: the states of a device, for another place to serve it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Give<'a> {
    pub user: Cow<'a, UserId>,
    pub device: Cow<'a, DeviceId>,
}

/// What is answered to that; the states stand beside it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Given {
    /// Whether the edge has any. States may be of no bytes.
    pub found: bool,
}

/// `edge/take`: the states of a device, for the edge to serve it. They stand beside it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Take<'a> {
    pub user: Cow<'a, UserId>,
    pub device: Cow<'a, DeviceId>,
    /// Whether there are any. States may be of no bytes.
    pub found: bool,
}

/// It has them.
#[derive(Serialize, Deserialize)]
pub(crate) struct Taken {}

impl Call for Exchange {
    const NAME: &'static str = "edge/exchange";
    type Answer = Exchanged;
}

impl Call for Give<'_> {
    const NAME: &'static str = "edge/give";
    type Answer = Given;
}

impl Call for Take<'_> {
    const NAME: &'static str = "edge/take";
    type Answer = Taken;
}
