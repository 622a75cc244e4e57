//! A part's mailbox that is opened at its first call: mail does not wait for it, and where it cannot
//! be opened, only what is asked of it fails.

use crate::{Account, CallContext, MailSystem, Mailbox, Result, Way};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// The way to one user's mailbox in one mail system, opened once. What failed is tried again by the
/// next call.
pub(super) struct Late {
    system: Arc<dyn MailSystem>,
    account: Account,
    context: CallContext,
    opened: OnceCell<Arc<dyn Mailbox>>,
}

impl Late {
    /// The mailbox that the system has for the account.
    pub(super) fn new(system: Arc<dyn MailSystem>, account: Account, context: CallContext) -> Self {
        Self { system, account, context, opened: OnceCell::new() }
    }
}

#[async_trait]
impl Way for Late {
    async fn there(&self) -> Result<Arc<dyn Mailbox>> {
        let open = || self.system.open(&self.account, &self.context);
        self.opened.get_or_try_init(open).await.cloned()
    }
}
