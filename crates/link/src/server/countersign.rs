//! Having a connector countersign the record of administrators' acts.

use super::call::{Caller, Target};
use super::gate::Work;
use super::links::Links;
use super::not_answered::NotAnswered;
use crate::Fingerprint;
use crate::wire::countersign::{Countersign, Countersigned};
use crate::wire::hello::Lane;
use dme_audit::{Hash, Head};
use dme_model::{ConnectorId, RequestId};
use std::time::{Duration, Instant};

impl Links {
    /// Has a connector sign the newest row, or the row that this much of the record ends with.
    /// `digests` are those of the entries after the row `from`, up to the head's. A signature that
    /// comes back is genuine, and of a key of this connector's.
    ///
    /// # Errors
    /// When it is not linked, of an older release, does not answer in time, or has no key to sign
    /// with.
    pub async fn countersign(
        &self,
        id: &ConnectorId,
        head: Head,
        from: u64,
        digests: &[Hash],
        limit: Duration,
    ) -> Result<Countersigned, NotAnswered> {
        let target = Target { links: self, id };
        let request = RequestId::from("countersign");
        let deadline = Instant::now() + limit;
        let caller = Caller { request: &request, deadline, account: None, clock: None };
        let blob: Vec<u8> = digests.iter().flat_map(|digest| *digest.as_bytes()).collect();
        let link = target.link()?;
        let call = Countersign { head, from };
        let (answer, _) =
            target.call(&link, Lane::Bulk, Work::Directory, caller, call, blob.into()).await?;
        let Countersigned::Signed(mut signed) = answer else { return Ok(answer) };
        let record = self.registrar().book().get(id).await;
        let record = record.map_err(|error| NotAnswered::Unavailable(error.to_string()))?;
        let key = Fingerprint::of_public_key(&signed.key);
        let is_its_own = record.is_some_and(|record| record.keys.contains(&key));
        if signed.head != head || !is_its_own || !signed.is_genuine() {
            return Err(NotAnswered::Unreadable("the signature is not its own".into()));
        }
        // Its name is what the server calls it.
        signed.name.clone_from(&link.name);
        Ok(Countersigned::Signed(signed))
    }
}
