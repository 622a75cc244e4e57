//! Debian packages that are not installed but unpacked into a folder beside the build, once for all
//! tests: such as exclude others, or stand in another release only.

use crate::process::run;
use anyhow::Context;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where apt finds packages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Release {
    /// In whatever this machine installs from.
    Own,
    /// In Debian's unstable release, on the mirror that this machine installs from.
    Unstable,
}

/// The folder with the contents of these packages, without what they depend on. It is filled the
/// first time and then known by its name.
///
/// # Errors
/// When they cannot be had.
pub fn unpacked(name: &str, packages: &[&str], release: Release) -> anyhow::Result<PathBuf> {
    // Beside what is built, so that it is thrown away with that.
    let build = std::env::current_exe()?;
    let build = build.ancestors().find(|path| path.ends_with("debug") || path.ends_with("release"));
    let cache = build.and_then(Path::parent).context("the tests are built nowhere")?.join("debian");
    let done = cache.join(name);
    fs::create_dir_all(&cache)?;
    // Several tests may come at the same time: one unpacks, the others wait.
    let lock = File::create(cache.join(format!("{name}.lock")))?;
    lock.lock()?;
    if !done.exists() {
        let fresh = tempfile::tempdir_in(&cache)?;
        download(fresh.path(), packages, release)?;
        unpack(fresh.path(), &done)?;
    }
    Ok(done)
}

fn download(folder: &Path, packages: &[&str], release: Release) -> anyhow::Result<()> {
    let options = match release {
        Release::Own => Vec::new(),
        Release::Unstable => {
            let options = of_unstable(folder)?;
            run(Command::new("apt-get").args(&options).arg("update").current_dir(folder))?;
            options
        }
    };
    let mut download = Command::new("apt-get");
    download.args(options).arg("download").args(packages).current_dir(folder);
    run(&mut download)?;
    Ok(())
}

/// Options by which apt knows nothing but the unstable release, and keeps all it learns in a folder.
fn of_unstable(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut known = Command::new("apt-get");
    known.args(["indextargets", "--format", "$(SITE)", "Created-By: Packages", "Label: Debian"]);
    let known = run(&mut known)?;
    let mirror = known.lines().next().context("apt installs from no mirror of Debian")?;
    let keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
    let apt = folder.join("apt");
    fs::create_dir_all(apt.join("lists/partial"))?;
    fs::write(apt.join("sources.list"), format!("deb [signed-by={keys}] {mirror} sid main\n"))?;
    fs::write(apt.join("status"), "")?;
    let apt = apt.display();
    let options = [
        format!("Dir::Etc::sourcelist={apt}/sources.list"),
        "Dir::Etc::sourceparts=/dev/null".into(),
        format!("Dir::State::lists={apt}/lists"),
        format!("Dir::State::status={apt}/status"),
        format!("Dir::Cache={apt}"),
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".into(),
        // Its own user may not get to the folder.
        "APT::Sandbox::User=root".into(),
    ];
    Ok(options.into_iter().flat_map(|option| ["-o".into(), option]).collect())
}

fn unpack(fresh: &Path, done: &Path) -> anyhow::Result<()> {
    let root = fresh.join("root");
    for entry in fs::read_dir(fresh)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg").arg("-x").arg(path).arg(&root))?;
        }
    }
    // A server may run as another user, who must get here.
    for path in [fresh, &root] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    fs::rename(&root, done)?;
    Ok(())
}
