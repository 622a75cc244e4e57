//! The text of a component: `DESCRIPTION`, and the places in which programs keep the same as HTML:
//! `ALTREP` with a `data:` URI (Thunderbird), `X-ALT-DESC` (Outlook, Exchange, Evolution),
//! `STYLED-DESCRIPTION` (RFC 9073).

use super::line::Line;
use super::object::Component;
use super::{text, uri};
use dme_mime::{Written, plain_of};
use dme_model::{BodyKind, Text};
use std::borrow::Cow;

/// Both forms as they stand there.
#[derive(Default)]
pub(crate) struct Description {
    plain: Option<String>,
    html: Option<String>,
}

impl Description {
    pub(crate) fn of(component: &Component) -> Self {
        let line = component.line("DESCRIPTION");
        let plain = line.map(|line| text::unescape(line.value())).filter(|text| !text.is_empty());
        let altrep = || {
            let (media_type, content) = uri::data(line?.parameter("ALTREP")?)?;
            (media_type == "text/html").then(|| String::from_utf8_lossy(&content).into_owned())
        };
        let styled = || {
            let line = component.lines().find(|line| is_html(line))?;
            Some(text::unescape(line.value()))
        };
        let html = altrep().or_else(styled).filter(|html| !html.trim().is_empty());
        Self { plain, html }
    }

    pub(crate) fn written(&self) -> Written<'_> {
        Written { plain: self.plain.as_deref(), html: self.html.as_deref() }
    }
}

fn is_html(line: &Line) -> bool {
    (line.is("X-ALT-DESC") || line.is("STYLED-DESCRIPTION"))
        && line.parameter_is("FMTTYPE", "text/html")
}

/// Sets the text; nothing happens where it is the same already. Plain text takes the HTML away,
/// which would say something else. Of a text that was cut the whole is not known: it stays as it
/// was.
pub(crate) fn set(component: &mut Component, new: Option<&Text>) {
    if new.is_some_and(|text| text.truncated) {
        return;
    }
    let before = Description::of(component);
    let same = match new {
        None => before.written().native().is_none(),
        Some(new) => {
            let old = before.written().whole(new.kind);
            unix(&old.unwrap_or_default()) == unix(&new.text)
        }
    };
    if same {
        return;
    }
    let plain = new.map(|new| match new.kind {
        BodyKind::Html => plain_of(&new.text),
        _ => new.text.clone(),
    });
    let plain = plain.map(|plain| text::escape(&plain)).filter(|text| !text.is_empty());
    let html = new.filter(|new| new.kind == BodyKind::Html).map(|new| new.text.as_str());
    component.set("DESCRIPTION", plain.as_deref());
    let in_altrep = component.line("DESCRIPTION").is_some_and(|line| {
        line.parameter("ALTREP").is_some_and(|value| uri::data(value).is_some())
    });
    if let Some(line) = component.line_mut("DESCRIPTION").filter(|_| in_altrep) {
        let altrep = html.map(|html| format!("data:text/html,{}", uri::percent_encode(html)));
        line.set_parameter("ALTREP", altrep.as_deref());
    }
    let Some(html) = html.filter(|_| !in_altrep) else {
        component.retain_lines(|line| !is_html(line));
        return;
    };
    if let Some(line) = component.lines_mut().find(|line| is_html(line)) {
        line.set_value(text::escape(html));
    } else {
        let line = Line::new("X-ALT-DESC", text::escape(html)).with("FMTTYPE", "text/html");
        component.push(line);
    }
}

/// With every line ended by a line feed alone, as texts in objects have it.
fn unix(text: &str) -> Cow<'_, str> {
    let text = text.trim_end();
    if text.contains('\r') { text.replace("\r\n", "\n").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(lines: &[&str]) -> Component {
        let mut event = Component::new("VEVENT");
        for line in lines {
            event.push(Line::parse(bytes::Bytes::copy_from_slice(line.as_bytes())));
        }
        event
    }

    #[test]
    fn html_is_found_wherever_programs_keep_it() {
        for lines in [
            &["DESCRIPTION;ALTREP=\"data:text/html,%3Cb%3Ea%3C%2Fb%3E\":a"][..],
            &["DESCRIPTION:a", "X-ALT-DESC;FMTTYPE=text/html:<b>a</b>"],
            &["STYLED-DESCRIPTION;FMTTYPE=text/html:<b>a</b>"],
        ] {
            let description = Description::of(&event(lines));
            let written = description.written();
            assert_eq!(written.whole(BodyKind::Html).unwrap(), "<b>a</b>");
            assert_eq!(written.whole(BodyKind::Plain).unwrap(), "a");
        }
        let described = event(&["DESCRIPTION;ALTREP=\"CID:part1@x\":a"]);
        assert_eq!(Description::of(&described).written().native(), Some(BodyKind::Plain));
    }

    #[test]
    fn html_is_written_where_it_was() {
        let html = Text::whole(BodyKind::Html, "<i>b, c</i>");
        for (lines, expected) in [
            (
                &["DESCRIPTION;ALTREP=\"data:text/html,a\":a"][..],
                &["b\\, c;data:text/html,%3Ci%3Eb%2C%20c%3C%2Fi%3E"][..],
            ),
            (&["DESCRIPTION:a"], &["b\\, c;", "<i>b\\, c</i>;"]),
            (
                &["DESCRIPTION:a", "STYLED-DESCRIPTION;FMTTYPE=text/html:a"],
                &["b\\, c;", "<i>b\\, c</i>;"],
            ),
        ] {
            let mut event = event(lines);
            set(&mut event, Some(&html));
            let shown: Vec<String> = event
                .lines()
                .map(|l| format!("{};{}", l.value(), l.parameter("ALTREP").unwrap_or_default()))
                .collect();
            assert_eq!(shown, expected);
            assert_eq!(Description::of(&event).written().whole(BodyKind::Html).unwrap(), html.text);
        }
    }

    #[test]
    fn plain_text_takes_the_html_away_and_the_same_text_changes_nothing() {
        let lines = ["DESCRIPTION:a\\nb", "X-ALT-DESC;FMTTYPE=text/html:<b>a</b><br>b"];
        let before = event(&lines);
        let mut after = before.clone();
        set(&mut after, Some(&Text::plain("a\r\nb")));
        assert_eq!(after, before);
        set(&mut after, Some(&Text { truncated: true, ..Text::plain("a") }));
        assert_eq!(after, before);
        set(&mut after, Some(&Text::plain("c")));
        assert_eq!(after.lines().count(), 1);
        set(&mut after, None);
        assert_eq!(after.lines().count(), 0);
    }
}
