//! Text that browsers and query strings send, as the values that are meant.

use schemars::Schema;
use serde_json::{Map, Value};

/// Pairs of names and texts as an object of this shape: numbers, truths and lists are made of text
/// where the shape wants them; what is empty and need not be there is left out.
pub(crate) fn object(text: &[u8], shape: Option<&Schema>) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, text) in form_urlencoded::parse(text) {
        let wanted = shape.map(|shape| kinds(shape, &name)).unwrap_or_default();
        let is = |kind: &str| wanted.iter().any(|known| known == kind);
        if text.is_empty() && is("null") {
            continue;
        }
        let value = match text.parse::<i64>() {
            Ok(number) if is("integer") || is("number") => Value::from(number),
            _ if is("boolean") => Value::from(matches!(&*text, "true" | "on" | "1")),
            _ => Value::from(text.as_ref()),
        };
        match object.get_mut(name.as_ref()) {
            Some(Value::Array(list)) => list.push(value),
            _ if is("array") => {
                let list = if text.is_empty() { vec![] } else { vec![value] };
                object.insert(name.into_owned(), Value::Array(list));
            }
            _ => {
                object.insert(name.into_owned(), value);
            }
        }
    }
    object
}

/// Names and their values, for what follows a `?`.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The kinds of value that a property of a shape may have.
fn kinds(shape: &Schema, property: &str) -> Vec<String> {
    let found = shape.get("properties").and_then(|all| all.get(property));
    match found.and_then(|property| property.get("type")) {
        Some(Value::String(kind)) => vec![kind.clone()],
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::{JsonSchema, schema_for};

    #[expect(dead_code, reason = "a shape only")]
    #[derive(JsonSchema)]
    struct Filter {
        name: String,
        since: Option<i64>,
        all: bool,
        states: Vec<String>,
    }

    #[test]
    fn text_becomes_what_the_shape_wants() {
        let shape = schema_for!(Filter);
        let read = |text: &str| Value::Object(object(text.as_bytes(), Some(&shape)));
        assert_eq!(
            read("name=12&since=12&all=on&states=a&states=b"),
            serde_json::json!({"name": "12", "since": 12, "all": true, "states": ["a", "b"]})
        );
        assert_eq!(read("name=&since=&states="), serde_json::json!({"name": "", "states": []}));
        // What is no number is passed on as it is, and refused with its name by whoever reads it.
        assert_eq!(read("since=x"), serde_json::json!({"since": "x"}));
    }
}
