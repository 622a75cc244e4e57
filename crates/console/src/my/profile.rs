//! Profiles that set an account up on an iPhone, iPad or Mac: `.mobileconfig` with a payload
//! `com.apple.eas.account`, and the certificate it logs in with as a payload
//! `com.apple.security.pkcs12` (Apple, Configuration Profile Reference).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

/// What a profile says.
pub(crate) struct Profile<'a> {
    /// What the account is called.
    pub name: &'a str,
    /// The server, with a port if not 443.
    pub host: &'a str,
    /// The user name.
    pub user: &'a str,
    /// The mail address.
    pub address: &'a str,
    /// The password, where the phone shall not ask for it.
    pub password: Option<&'a str>,
    /// The certificate that the phone shows, where it has one.
    pub identity: Option<Identity<'a>>,
    /// Days of mail to keep; 0 for all.
    pub days: u32,
}

/// A certificate and its key.
#[derive(Clone, Copy)]
pub(crate) struct Identity<'a> {
    /// PKCS #12.
    pub file: &'a [u8],
    /// The password of that.
    pub password: &'a str,
    /// The certificate's serial number.
    pub serial: &'a str,
}

impl Profile<'_> {
    /// The property list. Made for the same account again, it takes the place of the one before.
    pub fn to_plist(&self) -> String {
        let account = self.id("account");
        let mut text = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD \
             PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
             <plist version=\"1.0\">\n<dict>\n<key>PayloadContent</key>\n<array>\n<dict>\n",
        );
        string(&mut text, "EmailAddress", self.address);
        string(&mut text, "Host", self.host);
        string(&mut text, "UserName", self.user);
        if let Some(password) = self.password {
            string(&mut text, "Password", password);
        }
        // Another certificate is another payload: with the same id it would not be taken in.
        let identity = self.identity.map(|one| (one, self.id(&format!("identity {}", one.serial))));
        if let Some((_, id)) = &identity {
            string(&mut text, "PayloadCertificateUUID", id);
        }
        let _ = writeln!(
            text,
            "<key>SSL</key><true/>\n<key>MailNumberOfPastDaysToSync</key><integer>{}</integer>",
            self.days
        );
        self.payload(&mut text, "com.apple.eas.account", "account", &account);
        if let Some((Identity { file, password, .. }, id)) = &identity {
            text.push_str("</dict>\n<dict>\n");
            string(&mut text, "Password", password);
            string(&mut text, "PayloadCertificateFileName", "device.p12");
            let _ =
                writeln!(text, "<key>PayloadContent</key><data>{}</data>", STANDARD.encode(file));
            self.payload(&mut text, "com.apple.security.pkcs12", "identity", id);
        }
        text.push_str("</dict>\n</array>\n");
        self.payload(&mut text, "Configuration", "profile", &self.id("profile"));
        text.push_str("<key>PayloadRemovalDisallowed</key><false/>\n</dict>\n</plist>\n");
        text
    }

    fn payload(&self, text: &mut String, kind: &str, part: &str, id: &str) {
        string(text, "PayloadType", kind);
        string(text, "PayloadIdentifier", &format!("dme.{part}.{id}"));
        string(text, "PayloadUUID", id);
        string(text, "PayloadDisplayName", self.name);
        text.push_str("<key>PayloadVersion</key><integer>1</integer>\n");
    }

    /// A UUID made of the account (RFC 9562 §5.8), always the same for it.
    fn id(&self, part: &str) -> String {
        let named = format!("{part}\0{}\0{}", self.host, self.user);
        let hash = digest::digest(&digest::SHA256, named.as_bytes());
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(hash.as_ref()) {
            *to = *from;
        }
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        let part = |from, to| hex.get(from..to).unwrap_or_default();
        let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
        parts.join("-")
    }
}

fn string(text: &mut String, key: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "<key>{key}</key><string>{}</string>", escaped(value));
}

fn escaped(text: &str) -> String {
    let sound = text.chars().filter(|letter| !letter.is_control());
    sound.fold(String::new(), |mut all, letter| {
        match letter {
            '&' => all.push_str("&amp;"),
            '<' => all.push_str("&lt;"),
            '>' => all.push_str("&gt;"),
            letter => all.push(letter),
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_holds_the_account_and_nothing_that_a_name_could_put_in() {
        let profile = Profile {
            name: "Mail </string> & more",
            host: "mail.example.org:8443",
            user: "ann@example.org",
            address: "ann.lee@example.org",
            password: None,
            identity: None,
            days: 7,
        };
        let text = profile.to_plist();
        for part in [
            "<key>Host</key><string>mail.example.org:8443</string>",
            "<key>UserName</key><string>ann@example.org</string>",
            "<key>EmailAddress</key><string>ann.lee@example.org</string>",
            "<string>Mail &lt;/string&gt; &amp; more</string>",
            "<key>MailNumberOfPastDaysToSync</key><integer>7</integer>",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("<key>Password</key>"));
        assert_eq!(text, profile.to_plist(), "again it is the same");
        let other = Profile { user: "bob@example.org", ..profile };
        assert_ne!(other.id("account"), Profile { user: "ann@example.org", ..other }.id("account"));
        assert!(Profile { password: Some("s3cret"), ..other }.to_plist().contains("s3cret"));
        let identity = |serial| Identity { file: b"12", password: "p12", serial };
        let certified = Profile { identity: Some(identity("0a")), ..other }.to_plist();
        let id = other.id("identity 0a");
        for part in [
            &*format!("<key>PayloadCertificateUUID</key><string>{id}</string>"),
            &format!("<key>PayloadUUID</key><string>{id}</string>"),
            "<string>com.apple.security.pkcs12</string>",
            "<key>PayloadContent</key><data>MTI=</data>",
            "<key>Password</key><string>p12</string>",
        ] {
            assert!(certified.contains(part), "{part}: {certified}");
        }
        let renewed = Profile { identity: Some(identity("0b")), ..other }.to_plist();
        assert!(!renewed.contains(&id), "another certificate is another payload");
    }
}
