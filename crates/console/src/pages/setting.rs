//! One setting of a policy, as a level has it and as it is typed.

use super::Frame;
use crate::endpoints::word;
use dme_policy::{About, Bounds, Client, Defined, Kind, Setting, Unlimited};

/// One setting on the level that is looked at.
pub(super) struct Row {
    pub name: &'static str,
    pub meaning: String,
    pub allowed: String,
    /// What this level says, as it is typed.
    pub value: String,
    pub least: String,
    pub most: String,
    pub locked: bool,
    pub is_number: bool,
    pub choices: Vec<&'static str>,
    pub obeyed: String,
    pub note: String,
}

impl Row {
    pub fn new(frame: &Frame, setting: Setting, said: Option<&Defined>) -> Self {
        let about = setting.about();
        let value = said.and_then(|said| said.value.as_ref());
        let (least, most) = match said.and_then(|said| said.bounds.as_ref()) {
            Some(Bounds::Range { least, most }) => (*least, *most),
            _ => (None, None),
        };
        let number = |number: Option<u32>| number.map_or_else(String::new, |it| it.to_string());
        let choices = match about.kind {
            Kind::Switch { .. } => vec!["true", "false"],
            Kind::Choice { words, .. } => words.to_vec(),
            Kind::Number { .. } | Kind::Texts => Vec::new(),
        };
        let obeyed = Client::ALL.map(|client| {
            let obeys = frame.word("obeys", word(&about.obeyed.by(client)));
            format!("{}: {obeys}", client.name())
        });
        let (meaning, note) = frame.look.language.setting(about);
        Self {
            name: about.name,
            meaning,
            allowed: allowed(frame, about),
            value: value.map(ToString::to_string).unwrap_or_default(),
            least: number(least),
            most: number(most),
            locked: said.is_some_and(|said| said.locked),
            is_number: matches!(about.kind, Kind::Number { .. }),
            choices,
            obeyed: obeyed.join(", "),
            note,
        }
    }
}

/// Every setting, by what it is about, each as this makes it.
pub(super) fn areas<R>(frame: &Frame, row: impl Fn(Setting) -> R) -> Vec<(String, Vec<R>)> {
    let mut areas: Vec<(String, Vec<R>)> = Vec::new();
    for setting in Setting::ALL {
        let title = frame.word("area", word(&setting.about().area));
        match areas.last_mut().filter(|(last, _)| *last == title) {
            Some((_, rows)) => rows.push(row(*setting)),
            None => areas.push((title, vec![row(*setting)])),
        }
    }
    areas
}

/// Which values a setting has.
fn allowed(frame: &Frame, about: &About) -> String {
    match about.kind {
        Kind::Switch { .. } => "true, false".to_owned(),
        Kind::Choice { words, .. } => words.join(", "),
        Kind::Texts => frame.t("texts-with-commas"),
        Kind::Number { least, most, unit, unlimited } => {
            let most = if most == u32::MAX { "…".to_owned() } else { most.to_string() };
            let none = if unlimited == Unlimited::Impossible { "" } else { ", none" };
            format!("{least} – {most} {}{none}", frame.word("unit", unit.to_ascii_lowercase()))
        }
    }
}
