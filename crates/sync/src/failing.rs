//! A failure that is to come, for stores and mailboxes that fail when told to.

/// The next failure.
#[derive(Clone, Copy, Debug)]
pub struct Coming {
    /// After so many more calls.
    pub ahead: u8,
    /// The call takes effect all the same.
    pub after: bool,
}

impl Coming {
    /// One more call.
    ///
    /// # Errors
    /// Where it fails before it takes effect. What it is to fail with afterwards is the answer.
    pub(crate) fn one_more<E>(
        coming: &mut Option<Self>,
        error: impl FnOnce() -> E,
    ) -> Result<Option<E>, E> {
        match coming.take() {
            None => Ok(None),
            Some(Self { ahead: 0, after: false }) => Err(error()),
            Some(Self { ahead: 0, after: true }) => Ok(Some(error())),
            Some(Self { ahead, after }) => {
                *coming = Some(Self { ahead: ahead - 1, after });
                Ok(None)
            }
        }
    }
}
