//! The interface described for machines, from the table that also serves it.

use crate::endpoint::{Endpoint, Password};
use crate::{api, cookie};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// By what whoever asks is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ways {
    /// At the administration listener: a token, or the session of a browser.
    Administration,
    /// At the phones' listener: a user's name and password, or the session of a browser.
    Own,
}

impl Ways {
    /// What is written of them: one of the first list is enough, and each is described by the second.
    fn described(self) -> (Value, Value) {
        let session = |cookie: &str| json!({"type": "apiKey", "in": "cookie", "name": cookie});
        // With anything but a look: a page of ours has it in its forms.
        let csrf = json!({"type": "apiKey", "in": "header", "name": "x-csrf"});
        match self {
            Self::Administration => (
                json!([{"token": []}, {"session": [], "csrf": []}]),
                json!({
                    "token": {"type": "http", "scheme": "bearer"},
                    "session": session(cookie::SESSION),
                    "csrf": csrf,
                }),
            ),
            Self::Own => (
                json!([{"password": []}, {"session": [], "csrf": []}]),
                json!({
                    "password": {"type": "http", "scheme": "basic"},
                    "session": session(cookie::OWN_SESSION),
                    "csrf": csrf,
                }),
            ),
        }
    }
}

/// An OpenAPI 3.1 document of these endpoints.
pub(crate) fn document<'a>(endpoints: impl IntoIterator<Item = &'a Endpoint>, ways: Ways) -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();
    let failed = generator.subschema_for::<api::Failed>();
    let refused = |words: &str| json!({"description": words, "content": {"application/json": {"schema": failed}}});
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in endpoints {
        let answer = (endpoint.answer)(&mut generator);
        let mut operation = json!({
            "operationId": operation_id(endpoint),
            "summary": endpoint.summary,
            "description": format!("Duty: `{}`.{}", endpoint.duty.as_str(), shown(endpoint.password)),
            "responses": {
                "200": {
                    "description": "Done.",
                    "content": {"application/json": {"schema": answer}},
                },
                "400": refused("Something asked for makes no sense; the words say what."),
                "401": refused("Nobody known asks."),
                "403": refused("Whoever asks may not."),
                "404": refused("There is no such thing."),
                "405": refused("The path is asked for by other methods."),
                "408": refused("What was to be sent did not come."),
                "409": refused("It cannot be done as things stand; the words say why."),
                "413": refused("What was sent is too large."),
                "429": refused("Too many of these at once."),
                "500": refused("Something of ours failed; it is in the log."),
                "501": refused("The connector cannot do that."),
                "502": refused("The connector did not answer as it should."),
                "503": refused("Something that is needed for it is away."),
            },
        });
        let mut parameters: Vec<Value> = endpoint
            .variables()
            .map(|name| {
                let schema = json!({"type": "string", "minLength": 1});
                json!({"name": name, "in": "path", "required": true, "schema": schema})
            })
            .collect();
        if let Some(query) = endpoint.query {
            parameters.extend(in_query(&mut generator, query));
        }
        if !parameters.is_empty() {
            operation["parameters"] = Value::Array(parameters);
        }
        if let Some(body) = endpoint.body {
            let schema = body(&mut generator);
            let content = json!({"application/json": {"schema": schema}});
            operation["requestBody"] = json!({"required": true, "content": content});
        }
        let method = endpoint.method.as_str().to_ascii_lowercase();
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[method] = operation;
    }
    let schemas = generator.take_definitions(true);
    let (security, schemes) = ways.described();
    json!({
        "openapi": "3.1.0",
        "info": {"title": "DME", "version": env!("CARGO_PKG_VERSION")},
        "security": security,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": schemes,
        },
    })
}

/// The properties of a query's shape, each a parameter.
fn in_query(
    generator: &mut schemars::SchemaGenerator,
    shape: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
) -> Vec<Value> {
    let named = shape(generator);
    let reference = named.get("$ref").and_then(Value::as_str).map(str::to_owned);
    let whole = match reference.as_deref().and_then(|path| path.rsplit('/').next()) {
        Some(name) => generator.definitions().get(name).cloned().unwrap_or_default(),
        None => named.to_value(),
    };
    let required = whole.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(properties) = whole.get("properties").and_then(Value::as_object) else {
        return Vec::new();
    };
    let parameter = |(name, schema): (&String, &Value)| {
        let needed = required.iter().any(|one| one == name);
        json!({"name": name, "in": "query", "required": needed, "schema": schema})
    };
    properties.iter().map(parameter).collect()
}

/// What a session must have shown; a token shows it each time.
fn shown(password: Password) -> &'static str {
    match password {
        Password::AtFirst => "",
        Password::JustNow => " A session has shown its password in the last five minutes.",
        Password::EachTime => {
            " A session shows its password with it (`x-password`, percent-encoded, and `x-code` \
             where it began with a code)."
        }
    }
}

/// `post_devices_user_device_block`.
fn operation_id(endpoint: &Endpoint) -> String {
    let path = endpoint.path.trim_start_matches("/api/");
    let sound = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let path: String = path.replace(['{', '}'], "").chars().map(sound).collect();
    format!("{}_{path}", endpoint.method.as_str().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_document_has_each_endpoint_once() {
        let endpoints = crate::endpoints::table();
        let document = document(&endpoints, Ways::Administration);
        let mut ids = BTreeSet::new();
        for endpoint in &endpoints {
            let method = endpoint.method.as_str().to_ascii_lowercase();
            let operation = &document["paths"][endpoint.path][method];
            assert_eq!(operation["summary"], endpoint.summary, "{}", endpoint.path);
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(ids.insert(id.clone()), "{id} twice");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document(&crate::endpoints::table(), Ways::Administration);
        let text = document.to_string();
        let mut found = 0;
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let path = reference.split('"').next().unwrap();
            assert!(document.pointer(path).is_some(), "{path}");
            found += 1;
        }
        assert!(found > 20, "only {found} references");
    }
}
