//! An edge's own settings, in its connector's file. Whether it may be one, and by what it serves, the
//! server says.

use crate::settings;
use dme_directory::Users;
use dme_routing::Scope;
use dme_server::config::PhonesConfig;
use dme_server::edges::facts::{EdgeRealm, EdgeRules};
use serde::Deserialize;
use std::path::Path;

/// Where phones near a connector reach it, and what is accepted of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeConfig {
    /// The phones' listener.
    pub phones: PhonesConfig,
}

impl EdgeConfig {
    /// All that is wrong with the settings, each with its key and what is allowed.
    pub fn problems(&self) -> Vec<String> {
        // By what the server may say it makes no difference.
        let realm = EdgeRealm {
            name: "example.org".into(),
            aliases: Vec::new(),
            suffixes: Vec::new(),
            users: Users::Everyone,
        };
        let rules = EdgeRules {
            lease_ms: 0,
            realms: vec![realm],
            scope: Scope::Everyone,
            off: Default::default(),
            policy: Default::default(),
            per_user: 1,
            quarantine_note: String::new(),
        };
        let problems = settings::front(self, Path::new(""), &rules).problems();
        problems.into_iter().map(|problem| format!("edge.{problem}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_named_with_its_key() {
        let config = |host: &str, plain: bool| EdgeConfig {
            phones: serde_json::from_value(serde_json::json!({
                "host": host, "plain_http": plain,
            }))
            .unwrap(),
        };
        assert_eq!(config("mail.example.org", false).problems(), Vec::<String>::new());
        let problems = config("https://mail.example.org", true).problems();
        assert!(problems[0].starts_with("edge.phones.host is"), "{problems:?}");
        assert!(problems[1].starts_with("edge.phones.plain_http needs"), "{problems:?}");
    }
}
