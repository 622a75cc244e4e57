//! How a call is carried out: at the connector where the mailbox is, and where that one cannot, at the
//! next within the same request (rule R7).
//!
//! Who failed is passed over for a while only where another did the same call meanwhile: then its way
//! to the mail system is the trouble. That nobody had the time to do a call says nothing of the
//! connector, for the folder may be slow or the call a large one. Where there is no way to the mail
//! system, a connector finds that out and says it while there is time for another: its backends allow
//! a session half of the call's time to stand, and try a silent server anew (`dial`'s `doubt`).

use super::{Inner, Place, RoutedMailbox};
use dme_mailbox::{Error, ErrorKind, Fetched, Mailbox, Result, SubmissionKey};
use dme_model::{BodyView, CollectionId, ConnectorId, ItemId};
use futures_util::stream::{self, BoxStream, StreamExt};
use std::future::Future;
use std::sync::Arc;
use tokio::time::Instant;

/// So many connectors are tried for one call: where a mail system is down, all before it fail.
const TRIED: usize = 4;

/// What may be asked of the next connector after one failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Repeats {
    /// What may be done twice: whatever another may do better.
    Freely,
    /// What may not: what certainly was not begun.
    Unbegun,
    /// What may still be under way from an earlier attempt: nothing.
    Never,
}

impl Repeats {
    fn allow(self, error: &Error) -> bool {
        match self {
            Self::Freely => error.is_transient(),
            Self::Unbegun => error.is_transient() && error.unbegun,
            Self::Never => false,
        }
    }
}

/// Whether it may be the way to the mail system that failed.
fn is_unanswered(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Timeout)
}

/// The connectors at which a call failed.
#[derive(Default)]
struct Failed {
    tried: Vec<ConnectorId>,
    /// Those of them whose way to the mail system may be the trouble.
    unanswered: Vec<ConnectorId>,
}

impl RoutedMailbox {
    /// The mailbox, at a connector that takes work where there is one.
    pub(super) async fn here(&self) -> Result<(ConnectorId, Arc<dyn Mailbox>)> {
        let at = self.at().clone()?;
        let mut id = at.id;
        let mut opened = at.mailbox;
        // One that drains goes on with what it has, and one that is lost may be back.
        if !self.0.router.connectors.links().is_linked(&id)
            && let Some(other) = self.other(std::slice::from_ref(&id)).await
        {
            (id, opened) = (other, None);
        }
        let mailbox = match opened {
            Some(mailbox) => mailbox,
            None => self.0.router.open_at(&id, &self.0.account, &self.0.context).await?,
        };
        self.is_at(&id, &mailbox);
        Ok((id, mailbox))
    }

    fn is_at(&self, id: &ConnectorId, mailbox: &Arc<dyn Mailbox>) {
        *self.at() = Ok(Place { id: id.clone(), mailbox: Some(mailbox.clone()) });
    }

    async fn other(&self, failed: &[ConnectorId]) -> Option<ConnectorId> {
        let Inner { router, account, context, functions, .. } = &*self.0;
        let now = router.connectors.links().now();
        router.other(account, context, functions, failed, now).await
    }

    fn has_time(&self) -> bool {
        Instant::now() < self.0.until
    }

    /// Goes to the next connector after this one failed with this error, and those before it.
    async fn elsewhere(
        &self,
        failed: &mut Failed,
        (at, error): (ConnectorId, &Error),
        repeats: Repeats,
    ) -> Option<(ConnectorId, Arc<dyn Mailbox>)> {
        let Inner { router, account, context, functions, .. } = &*self.0;
        if is_unanswered(error) {
            failed.unanswered.push(at.clone());
        }
        failed.tried.push(at);
        while repeats.allow(error) && failed.tried.len() < TRIED && self.has_time() {
            let other = self.other(&failed.tried).await?;
            tracing::info!(request = %context.request, user = %account.user, ?functions,
                from = ?failed.tried.last(), to = %other, %error,
                "a call is repeated at another connector");
            let Ok(mailbox) = router.open_at(&other, account, context).await else {
                failed.tried.push(other);
                continue;
            };
            self.is_at(&other, &mailbox);
            return Some((other, mailbox));
        }
        None
    }

    /// Carries a call out, at this connector first; with the one that did it.
    async fn carried_out<T, F>(
        &self,
        first: (ConnectorId, Arc<dyn Mailbox>),
        repeats: Repeats,
        call: impl Fn(&ConnectorId, Arc<dyn Mailbox>) -> F,
    ) -> Result<(ConnectorId, T)>
    where
        F: Future<Output = Result<T>>,
    {
        let ((mut at, mut mailbox), mut failed) = (first, Failed::default());
        loop {
            let error = match call(&at, mailbox).await {
                Ok(done) => {
                    self.pass_over(&mut failed);
                    return Ok((at, done));
                }
                Err(error) => error,
            };
            let next = self.elsewhere(&mut failed, (at, &error), repeats).await;
            (at, mailbox) = next.ok_or(error)?;
        }
    }

    /// Another did what these could not. Where their links stand, their ways to the mail system are
    /// the trouble.
    fn pass_over(&self, failed: &mut Failed) {
        let Inner { router, account, .. } = &*self.0;
        for id in failed.unanswered.drain(..).filter(|id| router.connectors.takes_work(id)) {
            router.note_failed(&account.user, &id);
        }
    }

    /// What may be done twice.
    pub(super) async fn again<T, F>(&self, call: impl Fn(Arc<dyn Mailbox>) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        self.again_at(call).await.map(|(_, done)| done)
    }

    /// The same, with the connector that did it.
    pub(super) async fn again_at<T, F>(
        &self,
        call: impl Fn(Arc<dyn Mailbox>) -> F,
    ) -> Result<(ConnectorId, T)>
    where
        F: Future<Output = Result<T>>,
    {
        let here = self.here().await?;
        self.carried_out(here, Repeats::Freely, |_, mailbox| call(mailbox)).await
    }

    /// What may not be done twice and has a name: where it was begun before and nobody knows what
    /// came of it, it goes to the same connector as long as that one is linked. It may still be
    /// under way there, and another could not know.
    pub(super) async fn once_named<T, F>(
        &self,
        key: &SubmissionKey,
        call: impl Fn(Arc<dyn Mailbox>) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let Inner { router, account, context, .. } = &*self.0;
        let begun = router.begun.at(&account.user, key);
        let (first, repeats) = match begun.filter(|id| router.connectors.links().is_linked(id)) {
            Some(id) => {
                let mailbox = router.open_at(&id, account, context).await?;
                ((id, mailbox), Repeats::Never)
            }
            None => (self.here().await?, Repeats::Unbegun),
        };
        let begin = |at: &ConnectorId, mailbox| {
            router.begun.note(&account.user, key, at);
            call(mailbox)
        };
        let outcome = self.carried_out(first, repeats, begin).await;
        let is_known = |error: &Error| !is_unanswered(error) || repeats.allow(error);
        if outcome.as_ref().err().is_none_or(is_known) {
            router.begun.forget(&account.user, key);
        }
        outcome.map(|(_, done)| done)
    }

    /// What may not: the engine knows how to find out what came of it.
    pub(super) async fn once<T, F>(&self, call: impl Fn(Arc<dyn Mailbox>) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let here = self.here().await?;
        let done = self.carried_out(here, Repeats::Unbegun, |_, mailbox| call(mailbox)).await?;
        Ok(done.1)
    }

    /// The rest of a fetch that this connector began, and where it is lost, that of the next.
    pub(super) fn fetched(
        &self,
        (collection, items, view): (&CollectionId, &[ItemId], &BodyView),
        from: ConnectorId,
        rest: BoxStream<'static, Result<Fetched>>,
    ) -> BoxStream<'static, Result<Fetched>> {
        let fetching = Fetching {
            mailbox: self.clone(),
            collection: collection.clone(),
            items: items.to_vec(),
            view: view.clone(),
            done: 0,
            from,
            failed: Failed::default(),
            rest,
        };
        stream::unfold(fetching, Fetching::next).boxed()
    }
}

/// What is still to be fetched.
struct Fetching {
    mailbox: RoutedMailbox,
    collection: CollectionId,
    items: Vec<ItemId>,
    view: BodyView,
    /// How many came.
    done: usize,
    /// The connector it comes from.
    from: ConnectorId,
    failed: Failed,
    rest: BoxStream<'static, Result<Fetched>>,
}

impl Fetching {
    async fn next(mut self) -> Option<(Result<Fetched>, Self)> {
        loop {
            let error = match self.rest.next().await? {
                Ok(fetched) => {
                    self.done += 1;
                    self.mailbox.pass_over(&mut self.failed);
                    return Some((Ok(fetched), self));
                }
                Err(error) => error,
            };
            let at = (self.from.clone(), &error);
            let next = self.mailbox.elsewhere(&mut self.failed, at, Repeats::Freely).await;
            let Some((from, mailbox)) = next else { return Some((Err(error), self)) };
            self.from = from;
            let missing = self.items.get(self.done..).unwrap_or_default();
            match mailbox.fetch(&self.collection, missing, &self.view).await {
                Ok(rest) => self.rest = rest,
                Err(error) => self.rest = stream::once(async { Err(error) }).boxed(),
            }
        }
    }
}
