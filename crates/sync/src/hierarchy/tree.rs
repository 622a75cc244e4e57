//! The folders a device was told of, in two generations (rule S2).

use super::{FolderEntry, HierarchyChange};
use crate::key::GenerationNo;
use crate::{Error, FolderNo, Result, SyncKey};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The form of the bytes. A state of another form is dropped: the phone begins again.
const VERSION: u32 = 1;

/// What a device knows of the folders.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Hierarchy {
    version: u32,
    /// If it got the last answer.
    pub current: Tree,
    /// Before that.
    pub previous: Option<Tree>,
    /// What the device itself did on the way from `previous` to `current`, if that was it.
    pub act: Option<Act>,
}

/// The folders at one moment, parents before children.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Tree {
    #[serde(flatten)]
    pub no: GenerationNo,
    pub folders: Vec<FolderEntry>,
}

/// A folder made, changed or deleted by the device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Act {
    /// Tells it from others.
    pub print: String,
    /// The folder it was about.
    pub folder: FolderNo,
}

/// What a request goes on from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Base {
    /// Key 0.
    Nothing,
    /// The usual.
    Current,
    /// The device lost an answer.
    Previous,
}

impl Hierarchy {
    /// The state of a device that begins: it knows no folder.
    pub fn begin(no: GenerationNo) -> Self {
        let current = Tree { no, folders: Vec::new() };
        Self { version: VERSION, current, previous: None, act: None }
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let hierarchy: Self = serde_json::from_slice(bytes).ok()?;
        (hierarchy.version == VERSION).then_some(hierarchy)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        // Numbers, texts and lists always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What a key goes on from.
    pub fn base(&self, key: &SyncKey) -> Result<Base> {
        let no = key.generation().ok_or(Error::InvalidKey)?;
        match &self.previous {
            _ if no == self.current.no => Ok(Base::Current),
            Some(previous) if no == previous.no => Ok(Base::Previous),
            _ => Err(Error::InvalidKey),
        }
    }

    /// The folders at a base.
    pub fn tree(&self, base: Base) -> &Tree {
        match (base, &self.previous) {
            (Base::Previous, Some(previous)) => previous,
            _ => &self.current,
        }
    }

    /// Goes on to these folders. Unchanged where that is what the current generation has.
    pub fn reach(mut self, base: Base, folders: Vec<FolderEntry>) -> Self {
        if base == Base::Nothing {
            self.current.folders = folders;
        } else if self.current.folders != folders {
            let no = self.current.no.next();
            let left = std::mem::replace(&mut self.current, Tree { no, folders });
            if base == Base::Current {
                self.previous = Some(left);
            }
            self.act = None;
        }
        self
    }

    /// Goes on to these folders by an act of the device, with a new key in any case.
    pub fn act(mut self, base: Base, folders: Vec<FolderEntry>, act: Act) -> Self {
        let no = self.current.no.next();
        let left = std::mem::replace(&mut self.current, Tree { no, folders });
        if base == Base::Current {
            self.previous = Some(left);
        }
        self.act = Some(act);
        self
    }
}

impl Tree {
    pub fn find(&self, no: FolderNo) -> Option<&FolderEntry> {
        self.folders.iter().find(|folder| folder.no == no)
    }

    /// What a device that knows these folders must be told to know those.
    pub fn changes_to(&self, now: &[FolderEntry]) -> Vec<HierarchyChange> {
        let before: HashMap<FolderNo, &FolderEntry> =
            self.folders.iter().map(|folder| (folder.no, folder)).collect();
        let after: HashMap<FolderNo, &FolderEntry> =
            now.iter().map(|folder| (folder.no, folder)).collect();
        let told = now.iter().filter_map(|folder| match before.get(&folder.no) {
            None => Some(HierarchyChange::Add(folder.clone())),
            Some(known) if *known != folder => Some(HierarchyChange::Update(folder.clone())),
            Some(_) => None,
        });
        // What lies in a folder goes before it.
        let gone = self.folders.iter().rev().filter(|folder| !after.contains_key(&folder.no));
        told.chain(gone.map(|folder| HierarchyChange::Delete(folder.no))).collect()
    }
}

/// Whether a folder is this one or lies within it.
pub(super) fn lies_in(folders: &[FolderEntry], folder: FolderNo, within: FolderNo) -> bool {
    let mut at = Some(folder);
    // No way up is longer than there are folders, whatever the mail system says.
    for _ in 0..=folders.len() {
        match at {
            None => return false,
            Some(no) if no == within => return true,
            Some(no) => {
                at = folders.iter().find(|entry| entry.no == no).and_then(|entry| entry.parent);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_model::Class;

    fn folder(no: u32, parent: Option<u32>, name: &str) -> FolderEntry {
        FolderEntry {
            no: FolderNo(no),
            parent: parent.map(FolderNo),
            name: name.into(),
            class: Class::Mail,
            role: None,
        }
    }

    #[test]
    fn parents_come_before_and_go_after_what_lies_in_them() {
        let no = GenerationNo { epoch: 1, number: 1 };
        let tree = Tree { no, folders: vec![folder(1, None, "A"), folder(2, Some(1), "B")] };
        let now = [folder(3, None, "C"), folder(4, Some(3), "D")];
        assert_eq!(
            tree.changes_to(&now),
            [
                HierarchyChange::Add(now[0].clone()),
                HierarchyChange::Add(now[1].clone()),
                HierarchyChange::Delete(FolderNo(2)),
                HierarchyChange::Delete(FolderNo(1)),
            ]
        );
    }

    #[test]
    fn a_folder_lies_in_itself_and_in_those_above_and_a_circle_ends() {
        let mut folders = vec![folder(1, None, "A"), folder(2, Some(1), "B"), folder(3, None, "C")];
        assert!(lies_in(&folders, FolderNo(2), FolderNo(1)));
        assert!(lies_in(&folders, FolderNo(2), FolderNo(2)));
        assert!(!lies_in(&folders, FolderNo(1), FolderNo(2)));
        folders[0].parent = Some(FolderNo(2));
        assert!(!lies_in(&folders, FolderNo(1), FolderNo(3)));
    }
}
