//! OpenLDAP (Debian's `slapd` 2.5) on free loopback ports: a suffix with people and groups, a
//! service account that may read them, and the overlays a directory client meets.

use crate::certificate::Certificate;
use crate::ports::free_port;
use crate::process::{Folder, Process};
use anyhow::Context;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The suffix everything is under.
pub const SUFFIX: &str = "dc=example,dc=org";
/// The account a connector reads the directory with.
pub const SERVICE_DN: &str = "cn=reader,dc=example,dc=org";
/// Its password.
pub const SERVICE_PASSWORD: &str = "reader secret";
/// The account that may do everything.
pub const ADMIN_DN: &str = "cn=admin,dc=example,dc=org";
/// Its password.
pub const ADMIN_PASSWORD: &str = "admin secret";

/// What the server is to be like.
#[derive(Clone, Debug, Default)]
pub struct SlapdOptions {
    /// Entries below [`SUFFIX`] as LDIF, parents first. The suffix itself and the service account
    /// are there already. Passwords may be in plain text.
    pub ldif: String,
    /// Which overlays are on.
    pub overlays: Overlays,
    /// The most entries a search without paging returns, as a server with many entries has it.
    pub size_limit: Option<u32>,
    /// More lines for the database's section of `slapd.conf`.
    pub extra: String,
}

/// Overlays (slapd.overlays(5)).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Overlays {
    /// None.
    #[default]
    None,
    /// memberof: people have `memberOf`, kept from the groups' `member`.
    MemberOf,
    /// ppolicy: three wrong passwords lock an account.
    Lockout,
}

/// A running server.
#[derive(Debug)]
pub struct Slapd {
    /// The port for LDAP, in plain or by StartTLS.
    pub ldap_port: u16,
    /// The port for LDAP over TLS.
    pub ldaps_port: u16,
    /// The authority that signed its certificate (for `localhost` and 127.0.0.1), as PEM.
    pub ca_pem: String,
    process: Option<Process>,
    folder: Folder,
}

impl Slapd {
    /// Starts a server and waits until it accepts connections.
    ///
    /// # Errors
    /// When it cannot be started or does not take the entries.
    pub fn start(options: &SlapdOptions) -> anyhow::Result<Self> {
        let folder = Folder::new("slapd")?;
        let certificate = Certificate::for_loopback()?;
        let mut slapd = Self {
            ldap_port: free_port()?,
            ldaps_port: free_port()?,
            ca_pem: certificate.ca_pem.clone(),
            process: None,
            folder,
        };
        slapd.configure(options, &certificate)?;
        slapd.load(&options.ldif)?;
        let mut last = None;
        // Another process may take one of the ports between their choice and their use.
        for _ in 0..3 {
            match slapd.restart() {
                Ok(()) => return Ok(slapd),
                Err(error) => last = Some(error),
            }
            (slapd.ldap_port, slapd.ldaps_port) = (free_port()?, free_port()?);
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("slapd was not tried")))
    }

    /// `ldap://` and where it listens.
    pub fn ldap_url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.ldap_port)
    }

    /// `ldaps://` and where it listens.
    pub fn ldaps_url(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.ldaps_port)
    }

    /// The file with the authority's certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// Starts it again on the same ports with the same entries.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        let listen = format!("{} {}", self.ldap_url(), self.ldaps_url());
        let mut command = Command::new("/usr/sbin/slapd");
        // `-d 0` keeps it in the foreground.
        command.args(["-d", "0", "-h", &listen, "-f"]).arg(self.path("slapd.conf"));
        let mut process = Process::start("slapd", &mut command, &self.path("slapd.log"))?;
        process.wait_ready(&[self.ldap_port, self.ldaps_port])?;
        self.process = Some(process);
        Ok(())
    }

    /// Kills it at once, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Changes entries while it runs: LDIF with `changetype`s (ldapmodify(1)).
    ///
    /// # Errors
    /// When the server does not take the changes.
    pub fn modify(&self, ldif: &str) -> anyhow::Result<()> {
        let mut command = Command::new("ldapmodify");
        command.args(["-x", "-H", &self.ldap_url(), "-D", ADMIN_DN, "-w", ADMIN_PASSWORD]);
        feed(&mut command, &self.path("change.ldif"), ldif)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, options: &SlapdOptions, certificate: &Certificate) -> anyhow::Result<()> {
        std::fs::create_dir(self.path("data"))?;
        std::fs::write(self.path("ca.pem"), &certificate.ca_pem)?;
        std::fs::write(self.path("certificate.pem"), &certificate.certificate_pem)?;
        std::fs::write(self.path("key.pem"), &certificate.key_pem)?;
        let dir = self.folder.path().display();
        let mut conf = String::new();
        for schema in ["core", "cosine", "nis", "inetorgperson"] {
            writeln!(conf, "include /etc/ldap/schema/{schema}.schema")?;
        }
        writeln!(conf, "modulepath /usr/lib/ldap\nmoduleload back_mdb")?;
        match options.overlays {
            Overlays::None => {}
            Overlays::MemberOf => writeln!(conf, "moduleload memberof")?,
            Overlays::Lockout => writeln!(conf, "moduleload ppolicy")?,
        }
        writeln!(
            conf,
            "pidfile {dir}/slapd.pid\nargsfile {dir}/slapd.args\nthreads 4\n\
             TLSCACertificateFile {dir}/ca.pem\nTLSCertificateFile {dir}/certificate.pem\n\
             TLSCertificateKeyFile {dir}/key.pem\n\
             database mdb\nsuffix \"{SUFFIX}\"\nrootdn \"{ADMIN_DN}\"\nrootpw \"{ADMIN_PASSWORD}\"\n\
             directory {dir}/data\nmaxsize 1073741824\ndbnosync\n\
             index objectClass,member,entryCSN eq\n\
             index displayName,cn,givenName,sn,uid,mail eq,sub\n\
             index telephoneNumber,mobile,homePhone sub\n\
             index_substr_if_minlen 1\nindex_substr_any_len 3\n\
             access to attrs=userPassword by anonymous auth by * none\n\
             access to * by dn.exact=\"{SERVICE_DN}\" read by * none"
        )?;
        if let Some(limit) = options.size_limit {
            writeln!(conf, "limits * size.soft={limit} size.hard={limit} size.prtotal=unlimited")?;
        }
        writeln!(conf, "{}", options.extra)?;
        match options.overlays {
            Overlays::None => {}
            Overlays::MemberOf => writeln!(conf, "overlay memberof")?,
            Overlays::Lockout => {
                writeln!(conf, "overlay ppolicy\nppolicy_default \"cn=lockout,{SUFFIX}\"")?;
            }
        }
        std::fs::write(self.path("slapd.conf"), conf)?;
        Ok(())
    }

    fn load(&self, ldif: &str) -> anyhow::Result<()> {
        let mut entries = format!(
            "dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: Example\n\
             dc: example\n\n\
             dn: {SERVICE_DN}\nobjectClass: organizationalRole\n\
             objectClass: simpleSecurityObject\ncn: reader\nuserPassword: {SERVICE_PASSWORD}\n\n\
             dn: cn=lockout,{SUFFIX}\nobjectClass: organizationalRole\nobjectClass: pwdPolicy\n\
             cn: lockout\npwdAttribute: userPassword\npwdLockout: TRUE\npwdMaxFailure: 3\n\
             pwdLockoutDuration: 0\n\n"
        );
        // Only the overlay brings the policy's schema.
        let conf = std::fs::read_to_string(self.path("slapd.conf"))?;
        if !conf.contains("moduleload ppolicy") {
            entries.truncate(entries.find("dn: cn=lockout").unwrap_or(entries.len()));
        }
        entries.push_str(ldif);
        let mut command = Command::new("/usr/sbin/slapadd");
        command.arg("-q").arg("-f").arg(self.path("slapd.conf"));
        feed(&mut command, &self.path("entries.ldif"), &entries)
    }
}

/// Runs a command with `input` in its standard input, kept in a file for whoever looks for a fault.
fn feed(command: &mut Command, file: &Path, input: &str) -> anyhow::Result<()> {
    std::fs::write(file, input)?;
    let output = command
        .stdin(Stdio::from(std::fs::File::open(file)?))
        .output()
        .with_context(|| format!("{command:?} could not be run; is its package installed?"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{command:?} failed: {said}");
    Ok(())
}
