//! Samba as an Active Directory domain controller (Debian's `samba-ad-dc` 4.17): a domain
//! provisioned for the test on an address of its own in 127/8, because the ports are fixed, with
//! accounts a connector may read it with.

use crate::certificate::Certificate;
use crate::ports::accepts_at;
use crate::process::{Folder, Process, run};
use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// An account that may read, and nothing else.
pub const READER: &str = "reader";
/// An account that sees deleted objects too.
pub const WATCHER: &str = "watcher";
/// An account that may replicate changes too (DS-Replication-Get-Changes), and sees deleted objects.
pub const FOLLOWER: &str = "follower";
/// The password of each.
pub const SERVICE_PASSWORD: &str = "service secret";
/// How many wrong passwords in a row lock an account.
pub const LOCKOUT_THRESHOLD: u32 = 3;

const ADMIN_PASSWORD: &str = "Admin.Secret.1";

/// Opens the domain's database as the system: by Samba's own library, as `samba-tool` does.
const OPEN: &str = "
import sys
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
db = SamDB(lp=LoadParm(sys.argv[1]), session_info=system_session())
";
/// Changes entries. The control lets `pwdLastSet` be any time (DSDB_CONTROL_BYPASS_PASSWORD_HASH_OID).
const MODIFY: &str = "
db.modify_ldif(sys.argv[2], ['local_oid:1.3.6.1.4.1.7165.4.3.12:0'])
";
/// Adds an access control entry for an account to an object, which may be deleted.
const ALLOW: &str = "
import ldb
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack
dn, ace, account = sys.argv[2:]
controls = ['show_deleted:1', 'sd_flags:1:4']
domain = security.dom_sid(db.get_domain_sid())
found = db.search(expression='(sAMAccountName=%s)' % account, attrs=['objectSid'])
sid = ndr_unpack(security.dom_sid, found[0]['objectSid'][0])
found = db.search(base=dn, scope=ldb.SCOPE_BASE, attrs=['nTSecurityDescriptor'], controls=controls)
old = ndr_unpack(security.descriptor, found[0]['nTSecurityDescriptor'][0])
for entry in security.descriptor.from_sddl('D:' + ace.format(sid), domain).dacl.aces:
    old.dacl_add(entry)
change = ldb.Message(ldb.Dn(db, dn))
change['acl'] = ldb.MessageElement(ndr_pack(old), ldb.FLAG_MOD_REPLACE, 'nTSecurityDescriptor')
db.modify(change, controls)
";

static STARTED: AtomicU32 = AtomicU32::new(0);
static SHARED: Mutex<Weak<Samba>> = Mutex::new(Weak::new());

/// A domain's names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Domain {
    /// The DNS name: `corp.example`.
    pub dns: &'static str,
    /// The NetBIOS name: `CORP`.
    pub netbios: &'static str,
}

/// The domain of tests that need only one.
pub const CORP: Domain = Domain { dns: "corp.example", netbios: "CORP" };

/// A running domain controller.
#[derive(Debug)]
pub struct Samba {
    domain: Domain,
    address: Ipv4Addr,
    process: Option<Process>,
    folder: Folder,
}

impl Domain {
    /// The DN everything is under.
    pub fn suffix(&self) -> String {
        let parts: Vec<String> = self.dns.split('.').map(|part| format!("DC={part}")).collect();
        parts.join(",")
    }
}

impl Samba {
    /// Provisions a domain, which takes some seconds, and starts its controller.
    ///
    /// # Errors
    /// When the packages are missing or it cannot be started.
    pub fn start(domain: Domain) -> anyhow::Result<Self> {
        let folder = Folder::new("samba")?;
        let address = free_address()?;
        let mut samba = Self { domain, address, process: None, folder };
        samba.provision()?;
        samba.configure()?;
        samba.tool(&[
            "domain",
            "passwordsettings",
            "set",
            "--complexity=off",
            "--min-pwd-length=4",
            "--min-pwd-age=0",
            &format!("--account-lockout-threshold={LOCKOUT_THRESHOLD}"),
        ])?;
        samba.restart()?;
        let users = format!("CN=Users,{}", domain.suffix());
        let accounts = [READER, WATCHER, FOLLOWER]
            .map(|name| samba.user(&users, name, SERVICE_PASSWORD, ""))
            .concat();
        samba.modify(&accounts)?;
        let suffix = domain.suffix();
        let deleted = format!("CN=Deleted Objects,{suffix}");
        for (object, right, account) in [
            (&suffix, "(OA;;CR;1131f6aa-9c07-11d1-f79f-00c04fc2dcd2;;{})", FOLLOWER),
            (&deleted, "(A;;RPLC;;;{})", FOLLOWER),
            (&deleted, "(A;;RPLC;;;{})", WATCHER),
        ] {
            samba.as_system(ALLOW, &[object, right, account])?;
        }
        Ok(samba)
    }

    /// The controller of [`CORP`] that the tests that run now have in common: each makes entries of
    /// its own in a place of its own.
    ///
    /// # Errors
    /// As [`Samba::start`].
    pub fn shared() -> anyhow::Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(samba) = shared.upgrade() {
            return Ok(samba);
        }
        let samba = Arc::new(Self::start(CORP)?);
        *shared = Arc::downgrade(&samba);
        Ok(samba)
    }

    /// The domain.
    pub fn domain(&self) -> Domain {
        self.domain
    }

    /// The DN everything is under.
    pub fn suffix(&self) -> String {
        self.domain.suffix()
    }

    /// `ldaps://` and where it listens.
    pub fn ldaps_url(&self) -> String {
        format!("ldaps://{}", self.address)
    }

    /// `ldap://` and where it listens; it takes passwords after StartTLS only.
    pub fn ldap_url(&self) -> String {
        format!("ldap://{}", self.address)
    }

    /// The file with the certificate of the authority that signed its certificate, which is for its
    /// address.
    pub fn ca_file(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// Starts it again with the same entries.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        let mut command = Command::new("samba");
        command.args(["-i", "-M", "single", "-s"]).arg(self.path("smb.conf"));
        let mut process = Process::start("samba", &mut command, &self.path("samba.log"))?;
        process.wait_ready_at(&[389, 636].map(|port| (self.address, port).into()))?;
        self.process = Some(process);
        Ok(())
    }

    /// Kills it at once, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// LDIF that adds a user, with more lines for its entry.
    pub fn user(&self, parent: &str, name: &str, password: &str, more: &str) -> String {
        format!(
            "dn: CN={name},{parent}\nchangetype: add\nobjectClass: user\nsAMAccountName: {name}\n\
             userPrincipalName: {name}@{}\nuserAccountControl: 512\n{}\n{more}\n",
            self.domain.dns,
            unicode_password(password)
        )
    }

    /// Changes entries as the domain's administrator: LDIF with `changetype`s (ldapmodify(1)).
    ///
    /// # Errors
    /// When the server does not take the changes.
    pub fn modify(&self, ldif: &str) -> anyhow::Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), ldif)?;
        let mut command = self.client("ldapmodify");
        command.arg("-f").arg(file.path());
        run(&mut command).with_context(|| ldif.to_owned()).map(|_| ())
    }

    /// Changes entries as only the server itself may: for what comes about by the passing of time.
    ///
    /// # Errors
    /// When the database does not take the changes.
    pub fn modify_as_system(&self, ldif: &str) -> anyhow::Result<()> {
        self.as_system(MODIFY, &[ldif])
    }

    /// The values of an attribute of all entries that a search as the administrator finds, as LDIF
    /// has them: what is not text is in base64.
    ///
    /// # Errors
    /// When the search fails.
    pub fn values(
        &self,
        base: &str,
        scope: &str,
        filter: &str,
        attribute: &str,
    ) -> anyhow::Result<Vec<String>> {
        let mut command = self.client("ldapsearch");
        command.args(["-LLL", "-o", "ldif-wrap=no", "-b", base, "-s", scope, filter, attribute]);
        let found = run(&mut command)?;
        let value = |line: &str| {
            let (name, value) = line.split_once(':')?;
            let value = value.trim_start_matches(':').trim_start();
            (name == attribute).then(|| value.to_owned())
        };
        Ok(found.lines().filter_map(value).collect())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn provision(&self) -> anyhow::Result<()> {
        let base = self.path("base.conf");
        std::fs::write(&base, "[global]\n")?;
        let Domain { dns, netbios } = self.domain;
        let mut command = Command::new("samba-tool");
        command
            .args(["domain", "provision", "--server-role=dc", "--dns-backend=NONE"])
            .args(["--host-name=dc1", "--option=bind interfaces only=yes"])
            .arg(format!("--configfile={}", base.display()))
            .arg(format!("--targetdir={}", self.folder.path().display()))
            .arg(format!("--realm={}", dns.to_uppercase()))
            .arg(format!("--domain={netbios}"))
            .arg(format!("--adminpass={ADMIN_PASSWORD}"))
            .arg(format!("--host-ip={}", self.address))
            .arg(format!("--option=interfaces={}/8", self.address));
        run(&mut command).map(|_| ())?;
        std::fs::rename(self.path("etc/smb.conf"), self.path("smb.conf"))?;
        Ok(())
    }

    /// Only LDAP is served, nothing is written outside the folder, and the certificate is ours.
    fn configure(&self) -> anyhow::Result<()> {
        let certificate = Certificate::for_names(&[&self.address.to_string()])?;
        for (name, pem) in [
            ("ca.pem", &certificate.ca_pem),
            ("certificate.pem", &certificate.certificate_pem),
            ("key.pem", &certificate.key_pem),
        ] {
            std::fs::write(self.path(name), pem)?;
        }
        // Samba refuses a key that others may read.
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(self.path("key.pem"), PermissionsExt::from_mode(0o600))?;
        std::fs::create_dir(self.path("run"))?;
        let file = self.path("smb.conf");
        let provisioned = std::fs::read_to_string(&file)?;
        let global = provisioned.split("[sysvol]").next().unwrap_or_default();
        let mut conf: String = global
            .lines()
            .filter(|line| !line.contains("server services"))
            .fold(String::new(), |conf, line| conf + line + "\n");
        let dir = self.folder.path().display();
        writeln!(
            conf,
            "server services = ldap\ndcerpc endpoint servers =\npid directory = {dir}/run\n\
             log file = {dir}/samba.log\nncalrpc dir = {dir}/run/ncalrpc\n\
             winbindd socket directory = {dir}/run/winbindd\n\
             ntp signd socket directory = {dir}/run/ntp\ntls certfile = {dir}/certificate.pem\n\
             tls keyfile = {dir}/key.pem\ntls cafile = {dir}/ca.pem"
        )?;
        std::fs::write(file, conf)?;
        Ok(())
    }

    /// Runs `samba-tool` on the domain's own files.
    fn tool(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new("samba-tool");
        command.args(arguments).arg("-s").arg(self.path("smb.conf"));
        run(&mut command).map(|_| ())
    }

    /// Runs a script on the domain's own files.
    fn as_system(&self, script: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", &format!("{OPEN}{script}")]).arg(self.path("smb.conf")).args(arguments);
        run(&mut command).map(|_| ())
    }

    /// One of OpenLDAP's clients, as the administrator.
    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("LDAPTLS_CACERT", self.ca_file())
            .args(["-x", "-H", &self.ldaps_url(), "-w", ADMIN_PASSWORD, "-D"])
            .arg(format!("Administrator@{}", self.domain.dns));
        command
    }
}

/// A line of LDIF that sets a password (MS-ADTS 3.1.1.3.1.5.1): in quotes, UTF-16, base64.
pub fn unicode_password(password: &str) -> String {
    let quoted = format!("\"{password}\"");
    let bytes: Vec<u8> = quoted.encode_utf16().flat_map(u16::to_le_bytes).collect();
    format!("unicodePwd:: {}", STANDARD.encode(bytes))
}

/// An address in 127/8 where no LDAP server listens, never given twice by one process.
fn free_address() -> anyhow::Result<Ipv4Addr> {
    for _ in 0..64 {
        let count = STARTED.fetch_add(1, Ordering::Relaxed);
        let [.., high, low] = std::process::id().to_be_bytes();
        let address = Ipv4Addr::new(127, high | 0x80, low, u8::try_from(count % 250)? + 1);
        if !accepts_at(SocketAddr::from((address, 389))) {
            return Ok(address);
        }
    }
    anyhow::bail!("no free loopback address")
}
