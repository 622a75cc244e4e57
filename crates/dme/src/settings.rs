//! Reads a configuration file. The only place where configuration and environment are read.
//!
//! Any text value may be given indirectly, so that secrets need not stand in the file:
//! `{ file = "/etc/dme/ldap.password" }` is the file's content without the last line break,
//! `{ env = "LDAP_PASSWORD" }` the environment variable's.

use anyhow::{Context, Result, anyhow, bail};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// A configuration file, taken apart section by section. What is left over at the end must be
/// known to whoever takes the rest: unknown keys are errors.
pub struct Sections {
    path: PathBuf,
    table: Table,
}

impl Sections {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        Self::of(path, as_written(path)?)
    }

    /// The same of settings as they are written; the path is for errors.
    pub fn of(path: &Path, mut table: Table) -> Result<Self> {
        let within = || format!("in the configuration {}", path.display());
        for (key, value) in &mut table {
            resolve(key, value, Reach::Anywhere).with_context(within)?;
        }
        Ok(Self { path: path.to_owned(), table })
    }

    /// All that is there still.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// One section, checked; none where it is not there.
    pub fn take<T: DeserializeOwned>(&mut self, section: &str) -> Result<Option<T>> {
        let within = || format!("in the configuration {}, [{section}]", self.path.display());
        let value = self.table.remove(section);
        value.map(Value::try_into).transpose().with_context(within)
    }

    /// All that was not taken, checked.
    pub fn rest<T: DeserializeOwned>(self) -> Result<T> {
        let within = || format!("in the configuration {}", self.path.display());
        Value::Table(self.table).try_into().with_context(within)
    }
}

/// A file's settings as they are written: what is given indirectly stays so.
pub fn as_written(path: &Path) -> Result<Table> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration {}", path.display()))?;
    parsed(&text).with_context(|| format!("in the configuration {}", path.display()))
}

/// Settings that came from elsewhere, with what indirect texts stand for here: files of this folder,
/// and variables whose names begin with `DME_`. Whoever sent them shall read nothing else.
pub fn resolved_within(mut table: Table, folder: &Path) -> Result<Table> {
    for (key, value) in &mut table {
        resolve(key, value, Reach::Within(folder))?;
    }
    Ok(table)
}

fn parsed(text: &str) -> Result<Table> {
    // The library's own words quote the line, which may hold a secret.
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        anyhow!("line {}: {}", before.lines().count().max(1), error.message())
    })
}

/// From where indirect texts may be read.
#[derive(Clone, Copy)]
enum Reach<'a> {
    Anywhere,
    Within(&'a Path),
}

impl Reach<'_> {
    /// Where the file of this name is. What came from elsewhere names files from the folder on, not
    /// from wherever this process was started.
    fn file(self, path: &str, name: &str) -> Result<PathBuf> {
        let Self::Within(folder) = self else { return Ok(name.into()) };
        let real = |path: &Path| std::fs::canonicalize(path);
        let (folder_there, file) = (real(folder), real(&folder.join(name)));
        let file = file.with_context(|| {
            format!("{path}: cannot read the file {}", folder.join(name).display())
        })?;
        if !folder_there.is_ok_and(|folder| file.starts_with(folder)) {
            bail!("{path}: {name} is not in {}, from where alone it may be read", folder.display());
        }
        Ok(file)
    }

    fn variable(self, path: &str, name: &str) -> Result<()> {
        match self {
            Self::Within(_) if !name.starts_with("DME_") => {
                bail!("{path}: only variables whose names begin with DME_ may be read, not {name}")
            }
            _ => Ok(()),
        }
    }
}

fn resolve(path: &str, value: &mut Value, reach: Reach<'_>) -> Result<()> {
    match value {
        Value::Table(table) => match indirect(path, table, reach)? {
            Some(text) => *value = Value::String(text),
            None => {
                for (key, value) in table.iter_mut() {
                    resolve(&format!("{path}.{key}"), value, reach)?;
                }
            }
        },
        Value::Array(values) => {
            for (place, value) in values.iter_mut().enumerate() {
                resolve(&format!("{path}[{place}]"), value, reach)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The text a table with the one key `file` or `env` stands for. A table that is a setting of its
/// own has other keys beside these, or none of them.
fn indirect(path: &str, table: &Table, reach: Reach<'_>) -> Result<Option<String>> {
    let mut entries = table.iter();
    let (Some((key, Value::String(name))), None) = (entries.next(), entries.next()) else {
        return Ok(None);
    };
    match key.as_str() {
        "file" => {
            let file = reach.file(path, name)?;
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("{path}: cannot read the file {}", file.display()))?;
            Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
        }
        "env" => {
            reach.variable(path, name)?;
            match std::env::var(name) {
                Ok(text) => Ok(Some(text)),
                Err(_) => bail!("{path}: the environment variable {name} is not set"),
            }
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
        Sections::of(Path::new("test.toml"), parsed(text)?)?.rest()
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        login: Login,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Login {
        #[allow(dead_code)]
        name: String,
        password: String,
    }

    #[test]
    fn a_secret_may_stand_in_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "p\u{e4}ss w\u{f6}rd \n").unwrap();
        let text = format!(
            "[login]\nname = \"ann\"\npassword = {{ file = {:?} }}",
            file.path().to_str().unwrap()
        );
        assert_eq!(parse::<Sample>(&text).unwrap().login.password, "p\u{e4}ss w\u{f6}rd ");
    }

    #[test]
    fn settings_from_elsewhere_read_this_folder_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("ldap.password");
        std::fs::write(&inside, "secret\n").unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(outside.path(), &link).unwrap();
        let read = |key: &str, name: &str| {
            let table = parsed(&format!("password = {{ {key} = {name:?} }}")).unwrap();
            resolved_within(table, folder.path()).map_err(|error| format!("{error:#}"))
        };
        let read_file = |path: &Path| read("file", path.to_str().unwrap());
        assert_eq!(read_file(&inside).unwrap()["password"].as_str(), Some("secret"));
        assert_eq!(read("file", "ldap.password").unwrap()["password"].as_str(), Some("secret"));
        for path in [outside.path(), &link, &folder.path().join("../hosts"), Path::new("/nowhere")]
        {
            let error = read_file(path).unwrap_err();
            assert!(error.contains("password: "), "{error}");
        }
        assert!(read("env", "PATH").unwrap_err().contains("DME_"));
    }

    #[test]
    fn errors_name_the_key() {
        let error = |text: &str| format!("{:#}", parse::<Sample>(text).unwrap_err());
        let missing = error("[login]\nname = \"a\"\npassword = { env = \"DME_NOT_SET\" }");
        assert!(missing.contains("login.password") && missing.contains("DME_NOT_SET"), "{missing}");
        let unknown = error("[login]\nname = \"a\"\npassword = \"b\"\npasswort = \"c\"");
        assert!(unknown.contains("passwort") && unknown.contains("login"), "{unknown}");
        assert!(error("[login\n").contains("line 1"), "{}", error("[login\n"));
    }
}
