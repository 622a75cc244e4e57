//! What a phone writes: which fields of an item, and their new values.
//!
//! Each class of items is a struct of fields; beside it stands an enum that names them one by one.
//! A patch is a struct of which only the named fields count. So a phone that knows half of the
//! fields changes that half, and a backend that keeps more than the neutral item has a place for
//! leaves the rest as it was.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A struct whose fields can be named, compared and copied one by one.
pub trait Fields: Default {
    /// Names one field.
    type Field: Copy + Ord + std::fmt::Debug + 'static;

    /// Every field, in the order of declaration.
    fn fields() -> Vec<Self::Field>;

    /// Whether both have the same value there.
    fn same(&self, other: &Self, field: Self::Field) -> bool;

    /// Takes over the other's value of a field.
    fn take(&mut self, field: Self::Field, from: &Self);

    /// The fields in which the two differ.
    fn differing(&self, other: &Self) -> BTreeSet<Self::Field> {
        Self::fields().into_iter().filter(|field| !self.same(other, *field)).collect()
    }
}

/// New values for some fields of an item. Named and empty means: emptied.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(bound(
    serialize = "T: Serialize, T::Field: Serialize",
    deserialize = "T: Deserialize<'de>, T::Field: Deserialize<'de>"
))]
pub struct Patch<T: Fields> {
    /// Which fields count.
    pub fields: BTreeSet<T::Field>,
    /// Their values; the others have none that means anything.
    pub value: T,
}

impl<T: Fields> Default for Patch<T> {
    /// Changes nothing.
    fn default() -> Self {
        Self { fields: BTreeSet::new(), value: T::default() }
    }
}

impl<T: Fields> Patch<T> {
    /// A patch that sets every field.
    pub fn whole(value: T) -> Self {
        Self { fields: T::fields().into_iter().collect(), value }
    }

    /// A patch that sets these fields.
    pub fn of(fields: impl IntoIterator<Item = T::Field>, value: T) -> Self {
        Self { fields: fields.into_iter().collect(), value }
    }

    /// A patch that sets these fields as they are there, and keeps nothing else of it.
    pub fn only(fields: impl IntoIterator<Item = T::Field>, from: &T) -> Self {
        let mut patch = Self::default();
        fields.into_iter().for_each(|field| patch.set(field, from));
        patch
    }

    /// The patch that makes `after` of `before`.
    pub fn between(before: &T, after: T) -> Self {
        Self { fields: before.differing(&after), value: after }
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Names one more field and sets it from the value.
    pub fn set(&mut self, field: T::Field, from: &T) {
        self.fields.insert(field);
        self.value.take(field, from);
    }

    /// Carries it out.
    pub fn apply(&self, item: &mut T) {
        for field in &self.fields {
            item.take(*field, &self.value);
        }
    }
}

/// Declares the enum that names a struct's fields and implements [`Fields`]. Several members may
/// make up one field.
macro_rules! fields {
    ($(#[$about:meta])* $item:ident as $field:ident { $($(#[$doc:meta])* $variant:ident: $($member:ident),+;)+ }) => {
        $(#[$about])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum $field {
            $($(#[$doc])* $variant,)+
        }

        impl $crate::patch::Fields for $item {
            type Field = $field;

            fn fields() -> Vec<$field> {
                vec![$($field::$variant),+]
            }

            fn same(&self, other: &Self, field: $field) -> bool {
                match field {
                    $($field::$variant => $(self.$member == other.$member)&&+,)+
                }
            }

            fn take(&mut self, field: $field, from: &Self) {
                match field {
                    $($field::$variant => { $(self.$member.clone_from(&from.$member);)+ })+
                }
            }
        }
    };
}
pub(crate) use fields;
