//! Reading typed values out of an element, and putting optional ones in, for all commands alike.

use crate::date;
use crate::error::{Error, Result};
use dme_model::Timestamp;
use dme_wbxml::{Element, Tag};
use std::str::FromStr;

/// Typed access to an element's children.
pub(crate) trait Fields {
    /// This element, where it has that tag.
    fn expect_tag(&self, tag: Tag) -> Result<&Element>;
    /// The first child with that tag; an error where there is none.
    fn required(&self, tag: Tag) -> Result<&Element>;
    /// All children with that tag.
    fn each(&self, tag: Tag) -> impl Iterator<Item = &Element>;
    /// This element's text.
    fn text_value(&self) -> Result<&str>;
    /// This element's text as a number.
    fn number_value<T: FromStr>(&self, expected: &'static str) -> Result<T>;
    /// This element's text as a boolean (MS-ASDTYPE 2.1): `0` or `1`; without content it is true.
    fn boolean_value(&self) -> Result<bool>;
    /// This element's text as a date and time in either form (MS-ASDTYPE 2.3, 2.7.2).
    fn moment_value(&self) -> Result<Timestamp>;
    /// The text of a child, where it is there.
    fn text_of(&self, tag: Tag) -> Result<Option<&str>>;
    /// The text of a child that must be there.
    fn required_text(&self, tag: Tag) -> Result<&str>;
    /// A child that holds a number.
    fn number_of<T: FromStr>(&self, tag: Tag) -> Result<Option<T>>;
    /// A child that holds a number and must be there.
    fn required_number<T: FromStr>(&self, tag: Tag) -> Result<T>;
    /// A child that holds a span of time. Below zero it is zero and beyond 32 bits the most they
    /// hold: out of range, which is told otherwise than what is no number at all.
    fn span_of(&self, tag: Tag) -> Result<Option<u32>>;
    /// A child that holds a boolean.
    fn boolean_of(&self, tag: Tag) -> Result<Option<bool>>;
}

impl Fields for Element {
    fn expect_tag(&self, tag: Tag) -> Result<&Element> {
        if self.tag == tag {
            Ok(self)
        } else {
            Err(Error::Unexpected { expected: tag, found: self.tag })
        }
    }

    fn required(&self, tag: Tag) -> Result<&Element> {
        self.child(tag).ok_or(Error::Missing { parent: self.tag, element: tag })
    }

    fn each(&self, tag: Tag) -> impl Iterator<Item = &Element> {
        self.children().iter().filter(move |child| child.tag == tag)
    }

    fn text_value(&self) -> Result<&str> {
        self.as_text().ok_or(Error::Value { element: self.tag, expected: "text" })
    }

    fn number_value<T: FromStr>(&self, expected: &'static str) -> Result<T> {
        let number = self.text_value()?.trim().parse();
        number.map_err(|_| Error::Value { element: self.tag, expected })
    }

    fn boolean_value(&self) -> Result<bool> {
        match self.text_value()?.trim() {
            "" | "1" => Ok(true),
            "0" => Ok(false),
            text if text.eq_ignore_ascii_case("true") => Ok(true),
            text if text.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(Error::Value { element: self.tag, expected: "0 or 1" }),
        }
    }

    fn moment_value(&self) -> Result<Timestamp> {
        date::parse(self.text_value()?)
            .ok_or(Error::Value { element: self.tag, expected: "a date and time" })
    }

    fn text_of(&self, tag: Tag) -> Result<Option<&str>> {
        self.child(tag).map(Fields::text_value).transpose()
    }

    fn required_text(&self, tag: Tag) -> Result<&str> {
        self.required(tag)?.text_value()
    }

    fn number_of<T: FromStr>(&self, tag: Tag) -> Result<Option<T>> {
        self.child(tag).map(|child| child.number_value("a number in range")).transpose()
    }

    fn required_number<T: FromStr>(&self, tag: Tag) -> Result<T> {
        self.number_of(tag)?.ok_or(Error::Missing { parent: self.tag, element: tag })
    }

    fn span_of(&self, tag: Tag) -> Result<Option<u32>> {
        let span = self.number_of::<i64>(tag)?;
        Ok(span.map(|span| u32::try_from(span.max(0)).unwrap_or(u32::MAX)))
    }

    fn boolean_of(&self, tag: Tag) -> Result<Option<bool>> {
        self.child(tag).map(Fields::boolean_value).transpose()
    }
}

/// Appending to a list of children.
pub(crate) trait Children {
    /// `<tag>text</tag>`.
    fn put(&mut self, tag: Tag, text: impl Into<String>);
    /// `<tag>number</tag>`.
    fn put_number(&mut self, tag: Tag, number: impl Into<u64>);
    /// `<tag>0</tag>` or `<tag>1</tag>`.
    fn put_boolean(&mut self, tag: Tag, value: bool);
    /// `<tag/>`, where it is so.
    fn put_mark(&mut self, tag: Tag, present: bool);
    /// `<tag>text</tag>`, where there is one.
    fn put_some(&mut self, tag: Tag, text: Option<impl Into<String>>);
    /// `<tag>number</tag>`, where there is one.
    fn put_some_number(&mut self, tag: Tag, number: Option<impl Into<u64>>);
    /// A boolean, where there is one.
    fn put_some_boolean(&mut self, tag: Tag, value: Option<bool>);
    /// A tag with other elements in it, where there are any.
    fn put_parent(&mut self, tag: Tag, children: Vec<Element>);
}

impl Children for Vec<Element> {
    fn put(&mut self, tag: Tag, text: impl Into<String>) {
        self.push(Element::text(tag, text));
    }

    fn put_number(&mut self, tag: Tag, number: impl Into<u64>) {
        self.put(tag, number.into().to_string());
    }

    fn put_boolean(&mut self, tag: Tag, value: bool) {
        self.put(tag, if value { "1" } else { "0" });
    }

    fn put_mark(&mut self, tag: Tag, present: bool) {
        if present {
            self.push(Element::empty(tag));
        }
    }

    fn put_some(&mut self, tag: Tag, text: Option<impl Into<String>>) {
        if let Some(text) = text {
            self.put(tag, text);
        }
    }

    fn put_some_number(&mut self, tag: Tag, number: Option<impl Into<u64>>) {
        if let Some(number) = number {
            self.put_number(tag, number);
        }
    }

    fn put_some_boolean(&mut self, tag: Tag, value: Option<bool>) {
        if let Some(value) = value {
            self.put_boolean(tag, value);
        }
    }

    fn put_parent(&mut self, tag: Tag, children: Vec<Element>) {
        if !children.is_empty() {
            self.push(Element::parent(tag, children));
        }
    }
}
