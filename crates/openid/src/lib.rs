//! Who somebody is by the word of an OpenID provider: signing in by the authorization code flow with
//! PKCE (OpenID Connect Core 1.0 §3.1, RFC 7636), and the bearer tokens that phones bring (RFC 9068).
//!
//! A provider's word counts only as a token that it signed, for us, still good. What a token must be
//! is decided in `token`, without I/O; keys and places are fetched by `provider` and kept a while.

mod attempt;
mod config;
mod fetch;
mod provider;
mod token;

pub use attempt::Attempt;
pub use config::ProviderConfig;
pub use fetch::NotFetched;
pub use provider::{Client, Error, Provider};
pub use token::{TokenError, claimed_issuer};
