//! A diagnosis without secrets and without anything of a user's.

use crate::configuration::HIDDEN;
use dme_link::Diagnosis;
use dme_model::Secret;

/// What stands before a user's name in logs and in what directories say.
const BEFORE_NAMES: [&str; 6] =
    ["user=", "uid=", "sAMAccountName=", "userPrincipalName=", "watch-", "login="];

/// Takes secrets and users' names out of all that a diagnosis says. The settings keep the names of
/// accounts: they are an administrator's own.
pub(crate) fn redacted(mut diagnosis: Diagnosis, secrets: &[Secret]) -> Diagnosis {
    let secretless = |text: &mut String| {
        for secret in secrets.iter().filter(|secret| !secret.expose().is_empty()) {
            if text.contains(secret.expose()) {
                *text = text.replace(secret.expose(), HIDDEN);
            }
        }
    };
    secretless(&mut diagnosis.settings);
    diagnosis.pushed.iter_mut().for_each(secretless);
    secretless(&mut diagnosis.configuration);
    let said = diagnosis.checks.iter_mut().map(|check| &mut check.said);
    for text in said.chain(diagnosis.log.iter_mut()) {
        secretless(text);
        *text = nameless(text);
    }
    diagnosis
}

/// Without what stands before an `@`, and without names where names stand.
fn nameless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = rest.split_at(at);
        let word = before.rfind(ends_name).map_or(0, |end| {
            end + before.get(end..).and_then(|it| it.chars().next()).map_or(1, char::len_utf8)
        });
        out.push_str(before.get(..word).unwrap_or_default());
        out.push_str(if word < before.len() { HIDDEN } else { "" });
        out.push('@');
        rest = after.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    BEFORE_NAMES.iter().fold(out, |text, before| without_names(&text, before))
}

fn without_names(text: &str, before: &str) -> String {
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(before);
        let quoted = part.strip_prefix('"');
        let (quote, name) = quoted.map_or(("", part), |name| ("\"", name));
        let end = name.find(ends_name).unwrap_or(name.len());
        out.push_str(quote);
        out.push_str(if end == 0 { "" } else { HIDDEN });
        out.push_str(name.get(end..).unwrap_or_default());
    }
    out
}

fn ends_name(c: char) -> bool {
    c.is_whitespace() || "\"'<>()[]{},;=:/\\@".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_link::{Check, CheckVerdict};

    #[test]
    fn no_name_of_a_user_is_left() {
        for (text, expected) in [
            ("user=ann@example.org failed", "user=***@example.org failed"),
            ("user=\"ann\" failed", "user=\"***\" failed"),
            ("for \"änn.ö@example.org\": no", "for \"***@example.org\": no"),
            ("(&(uid=ann)(mail=ann@example.org))", "(&(uid=***)(mail=***@example.org))"),
            ("uid=ann,ou=people,dc=example", "uid=***,ou=people,dc=example"),
            ("request=watch-ann@example.org:", "request=***@example.org:"),
            ("request=watch-ann:", "request=watch-***:"),
            ("imap.example.org:993: refused", "imap.example.org:993: refused"),
            ("@ alone, and user= none", "@ alone, and user= none"),
        ] {
            assert_eq!(nameless(text), expected);
        }
    }

    #[test]
    fn no_secret_is_left_wherever_it_stands() {
        let said = "the server said: hunter2 is wrong".to_owned();
        let told = Diagnosis {
            settings: "password = \"hunter2\"".into(),
            pushed: Some("x = \"hunter2\"".into()),
            configuration: "hunter2".into(),
            checks: vec![Check { step: "mail".into(), verdict: CheckVerdict::Bad, said }],
            log: vec!["WARN hunter2".into()],
            ..Diagnosis::default()
        };
        let secrets = [Secret::new("hunter2"), Secret::new("")];
        let shown = format!("{:?}", redacted(told, &secrets));
        assert!(!shown.contains("hunter2") && shown.contains(HIDDEN), "{shown}");
    }
}
