//! On whose behalf a directory is asked (rule L7): the request of a phone is found in the log of
//! whoever answers, also where the question is asked in a task of its own.

use dme_model::RequestId;
use tracing::Instrument;

tokio::task_local! {
    static REQUEST: RequestId;
}

/// Does something for a request; whatever a directory is asked meanwhile bears its id.
pub async fn on_behalf_of<T>(request: RequestId, work: impl Future<Output = T>) -> T {
    REQUEST.scope(request, work).await
}

/// The request that what runs now is for.
pub fn asking() -> Option<RequestId> {
    REQUEST.try_with(Clone::clone).ok()
}

/// Takes the request, and the place in the log, along into another task.
pub(crate) fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let request = asking();
    let work = work.in_current_span();
    async move {
        match request {
            Some(request) => REQUEST.scope(request, work).await,
            None => work.await,
        }
    }
}
