//! Photos and certificates, which are read only where they are asked for, and of those on the page
//! only.

use super::super::LdapDirectory;
use super::super::query::{Failure, guarded};
use super::Candidate;
use crate::people::Album;
use crate::{Binary, Details, Error, Result};
use futures_util::future;
use ldap3::{Ldap, Scope, SearchEntry, SearchOptions};
use std::time::Duration;

/// How many entries are read at once, on one connection.
const AT_ONCE: usize = 8;
/// Certificates of one entry.
const MAX_CERTIFICATES: usize = 16;
/// Bytes of one of them.
const MAX_CERTIFICATE: usize = 64 << 10;

/// What of an attribute is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    Values,
    /// Whether there are any.
    Presence,
}

impl LdapDirectory {
    /// Reads what is wanted of these.
    pub(super) async fn read_details(&self, page: &mut [Candidate], wanted: Details) -> Result<()> {
        let attributes = &self.settings.address_list.attributes;
        if wanted.certificates {
            for several in page.chunks_mut(AT_ONCE) {
                let dns = dns(several);
                let read = self.bytes_of(&dns, &attributes.certificates, What::Values).await?;
                for (candidate, values) in several.iter_mut().zip(read) {
                    let fit = values.into_iter().filter(|value| value.len() <= MAX_CERTIFICATE);
                    let certificates = fit.take(MAX_CERTIFICATES).map(Binary);
                    candidate.entry.certificates = certificates.collect();
                }
            }
        }
        if let Some(limits) = wanted.photos {
            let mut album = Album::new(limits);
            for several in page.chunks_mut(AT_ONCE) {
                let what = if album.is_full() { What::Presence } else { What::Values };
                let read = self.bytes_of(&dns(several), &attributes.photo, what).await?;
                for (candidate, values) in several.iter_mut().zip(read) {
                    candidate.entry.photo = Some(album.take(values.into_iter().next()));
                }
            }
        }
        Ok(())
    }

    /// The values of an entry's attribute, as far as they are text.
    pub(super) async fn texts_of(&self, dn: &str, attribute: &str) -> Result<Vec<String>> {
        let read = self.bytes_of(&[dn.to_owned()], &[attribute.to_owned()], What::Values).await?;
        Ok(read.into_iter().flatten().filter_map(|bytes| String::from_utf8(bytes).ok()).collect())
    }

    /// The values of the attributes of each, in the attributes' order; empty ones where only their
    /// presence is asked for.
    async fn bytes_of(
        &self,
        dns: &[String],
        attributes: &[String],
        what: What,
    ) -> Result<Vec<Vec<Vec<u8>>>> {
        if attributes.is_empty() {
            return Ok(vec![Vec::new(); dns.len()]);
        }
        let limit = self.settings.timeout;
        loop {
            let lease = self.searching.lease().await?;
            let ldap = &lease.connection.ldap;
            let reads = dns.iter().map(|dn| values(ldap.clone(), dn, attributes, what, limit));
            match future::try_join_all(reads).await {
                Ok(read) => {
                    self.searching.give_back(lease);
                    return read.into_iter().collect();
                }
                Err(Failure::Broken(_)) if lease.reused => self.searching.drop_idle(),
                Err(failure) => return Err(failure.into()),
            }
        }
    }
}

fn dns(several: &[Candidate]) -> Vec<String> {
    several.iter().map(|candidate| candidate.dn.clone()).collect()
}

/// The values of one entry.
async fn values(
    mut ldap: Ldap,
    dn: &str,
    attributes: &[String],
    what: What,
    limit: Duration,
) -> Result<Result<Vec<Vec<u8>>, Error>, Failure> {
    let work = async {
        ldap.with_search_options(SearchOptions::new().typesonly(what == What::Presence));
        let found = ldap.search(dn, Scope::Base, "(objectClass=*)", attributes.to_vec()).await?;
        let mut entries = found.0.into_iter().filter(|entry| !entry.is_ref()).collect::<Vec<_>>();
        let read = match (found.1.rc, entries.pop()) {
            (0, Some(entry)) => Ok(in_order(SearchEntry::construct(entry), attributes, what)),
            // It is gone, or may not be seen any more.
            (0 | 32 | 50, _) => Ok(Vec::new()),
            (rc, _) => Err(Error::Unavailable(format!("reading {dn}: result code {rc}"))),
        };
        Ok(read)
    };
    guarded("read", limit, work).await
}

/// The values of these attributes; an entry names them in any case, with or without `;binary`.
fn in_order(entry: SearchEntry, attributes: &[String], what: What) -> Vec<Vec<u8>> {
    let plain = |name: &str| name.to_lowercase().trim_end_matches(";binary").to_owned();
    let text = entry.attrs.into_iter().map(|(name, values)| {
        (plain(&name), values.into_iter().map(String::into_bytes).collect::<Vec<_>>())
    });
    let bytes = entry.bin_attrs.into_iter().map(|(name, values)| (plain(&name), values));
    let given: Vec<(String, Vec<Vec<u8>>)> = text.chain(bytes).collect();
    let mut ordered = Vec::new();
    for attribute in attributes.iter().map(|name| plain(name)) {
        for (_, values) in given.iter().filter(|(name, _)| *name == attribute) {
            match what {
                What::Values => ordered.extend(values.iter().filter(|v| !v.is_empty()).cloned()),
                What::Presence => ordered.push(Vec::new()),
            }
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_in_the_order_of_the_settings_however_the_server_names_them() {
        let entry = SearchEntry {
            dn: "uid=ann".into(),
            attrs: [("userSMIMECertificate".to_owned(), vec!["text".to_owned()])].into(),
            bin_attrs: [("USERCERTIFICATE;binary".to_owned(), vec![vec![0xFF], vec![]])].into(),
        };
        let attributes = ["userCertificate".to_owned(), "userSMIMECertificate;binary".to_owned()];
        let values = in_order(entry, &attributes, What::Values);
        assert_eq!(values, [vec![0xFF], b"text".to_vec()]);
    }
}
