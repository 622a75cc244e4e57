//! Setting local files up: users of an in-file directory and their mailboxes, by command alone.

use anyhow::{Result, ensure};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::process::Command;
use tempfile::TempDir;

struct Setup {
    folder: TempDir,
}

impl Setup {
    fn new() -> Result<Self> {
        let setup = Self { folder: tempfile::tempdir()? };
        std::fs::create_dir(setup.folder.path().join("mail"))?;
        std::fs::write(setup.folder.path().join("password"), "secret")?;
        let connector = "directory = \"connector\"\n[mail.files]\nroot = \"mail\"\n\
                         [people.file]\nrealm = \"example.org\"\npath = \"people.toml\"\n";
        std::fs::write(setup.folder.path().join("connector.toml"), connector)?;
        Ok(setup)
    }

    fn dme(&self, arguments: &[&str]) -> Result<(bool, String)> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dme"));
        let output = command.args(arguments).current_dir(self.folder.path()).output()?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Ok((output.status.success(), said))
    }

    fn add(&self, name: &str) -> Result<(bool, String)> {
        let people = ["--realm", "example.org", "--file", "people.toml"];
        let password = ["--password-file", "password"];
        self.dme(&[&["user", "add", name][..], &people, &password].concat())
    }

    fn check(&self, arguments: &[&str]) -> Result<String> {
        let check = ["check", "connector", "--config", "connector.toml"];
        Ok(self.dme(&[&check[..], arguments].concat())?.1)
    }
}

#[test]
fn local_files_are_set_up_by_command_and_checked() -> Result<()> {
    let setup = Setup::new()?;
    let config = ["--config", "connector.toml"];
    let make = |user: &str| setup.dme(&[&["mailbox", "make", user][..], &config].concat());

    // The file's own realm may be typed with a name; another makes no sense.
    let (added, said) = setup.add("ann@example.org")?;
    ensure!(added && said.contains("dme mailbox make"), "{said}");
    ensure!(setup.add("bob")?.0, "bob is not added");
    let (added, said) = setup.add("cem@elsewhere.org")?;
    ensure!(!added && said.contains("give the name alone"), "{said}");

    let said = setup.check(&[])?;
    ensure!(said.contains("2 people have none: ann@example.org, bob@example.org"), "{said}");
    let said = setup.check(&["--user", "ann@example.org", "--password-file", "password"])?;
    ensure!(said.contains("make it with: dme mailbox make ann@example.org"), "{said}");

    let (made, said) = make("Ann@example.org")?;
    ensure!(made, "{said}");
    ensure!(make("ann@example.org")?.0, "what is there stays");
    let (made, said) = make("cem@example.org")?;
    ensure!(!made && said.contains("the directory knows no cem@example.org"), "{said}");
    let (listed, said) = setup.dme(&[&["mailbox", "list"][..], &config].concat())?;
    ensure!(listed && said == "ann@example.org\n", "{said}");
    let said = setup.check(&["--user", "ann@example.org", "--password-file", "password"])?;
    ensure!(said.contains("ann@example.org has one"), "{said}");
    let said = setup.check(&[])?;
    ensure!(said.contains("bob@example.org has no mailbox here"), "{said}");

    // What the service could not write is not made.
    let root = setup.folder.path().join("mail");
    if std::fs::metadata(&root)?.uid() == 0 {
        chown(&root, Some(12_345), None)?;
        let (made, said) = make("bob@example.org")?;
        ensure!(!made && said.contains("belongs to user 12345"), "{said}");
    }
    Ok(())
}
