//! Pictures of the pages, in `docs/console/`: written anew with `DME_WRITE_SCREENSHOTS=1`. With a folder
//! in the place of the `1` they go there, and each page as it is on a phone too.

use anyhow::{Result, ensure};
use dme_testkit::chromium::Chromium;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The themes there are.
pub const THEMES: [&str; 2] = ["light", "dark"];
/// The pages of which there are pictures as they are on a phone.
pub const ON_PHONES: [&str; 4] = ["devices", "device", "overview", "my-add"];
/// A picture's height at the most: what goes on in the same way is not looked at to its end.
const HIGHEST: u32 = 2000;

/// Where pictures are written, and whether of every page on a phone too.
pub fn pictures() -> Option<(PathBuf, bool)> {
    let wanted = std::env::var_os("DME_WRITE_SCREENSHOTS")?;
    match wanted.to_str() {
        Some("1") => {
            Some((Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/console"), false))
        }
        _ => Some((wanted.into(), true)),
    }
}

pub fn picture(browser: &Chromium, folder: &Path, name: &str) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    // As high as the page and what is beside it, but no longer than somebody looks.
    let script = "return [innerWidth, Math.max(document.documentElement.scrollHeight, \
        document.querySelector('header')?.scrollHeight ?? 0)]";
    let size = browser.run(script, &[])?;
    let [width, height] = [0_usize, 1].map(|at| size[at].as_u64().unwrap_or_default());
    let (width, height) = (u32::try_from(width)?, u32::try_from(height)?.min(HIGHEST));
    browser.resize(width, height)?;
    let picture = browser.picture(width, height)?;
    std::fs::write(folder.join(format!("{name}.png")), picture)?;
    Ok(())
}

/// A page of all pictures, each as the reader's own theme is.
fn gallery(shown: &[(String, String)]) -> String {
    let mut text = String::from(
        "# The pages\n\nAs the tests see them (`DME_WRITE_SCREENSHOTS=1`), in the theme that your system \
         asks for.\n",
    );
    for (name, title) in shown {
        text.push_str(&format!(
            "\n## {title}\n\n<picture><source media=\"(prefers-color-scheme: dark)\" \
             srcset=\"{name}-dark.png\"><img src=\"{name}-light.png\" alt=\"{title}\" \
             width=\"800\"></picture>\n"
        ));
    }
    text
}

/// That there are pictures of these pages and no others, and a page that shows them.
pub fn are_shown(shown: &[(String, String)]) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/console");
    let (text, file) = (gallery(shown), folder.join("README.md"));
    if pictures().is_some_and(|(_, all)| !all) {
        std::fs::write(&file, &text)?;
    }
    let again = "write the pictures anew with DME_WRITE_SCREENSHOTS=1";
    ensure!(std::fs::read_to_string(&file)? == text, "docs/console/README.md differs: {again}");
    let names = shown.iter().map(|(name, _)| name.as_str());
    let on_phones = ON_PHONES.map(|name| format!("{name}-phone"));
    let names = names.chain(on_phones.iter().map(String::as_str));
    let wanted: BTreeSet<String> = names
        .flat_map(|name| THEMES.map(|theme| format!("{name}-{theme}.png")))
        .chain(["README.md".to_owned()])
        .collect();
    let there = std::fs::read_dir(&folder)?.map(|entry| Ok(entry?.file_name()));
    let there = there.collect::<Result<Vec<_>>>()?;
    let there: BTreeSet<String> =
        there.into_iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let differ: Vec<&String> = wanted.symmetric_difference(&there).collect();
    ensure!(
        differ.is_empty(),
        "docs/console lacks these, or has them in vain: {differ:?}: {again}"
    );
    Ok(())
}
