//! One thing that can be asked for: where, what for, by whom, and what does it.

use crate::language::Language;
use crate::principal::{Duty, Principal, Reach};
use crate::{Console, Refusal};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

type Run =
    Box<dyn Fn(Arc<Console>, Call) -> BoxFuture<'static, Result<Value, Refusal>> + Send + Sync>;
type Shape = fn(&mut SchemaGenerator) -> Schema;

/// The variable segments of a path, by name.
pub(crate) type Args = Vec<(&'static str, String)>;

/// When a session must have shown its password for something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Password {
    /// When it began.
    AtFirst,
    /// Just now, for whatever it was.
    JustNow,
    /// For this, each time.
    EachTime,
}

/// One thing that can be asked for.
pub struct Endpoint {
    /// `GET` looks, `POST` and `PUT` change, `DELETE` takes away.
    pub method: Method,
    /// With the names of its variable segments in braces.
    pub path: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Which duty it belongs to.
    pub duty: Duty,
    /// How far it reaches.
    pub reach: Reach,
    /// When a session must have shown its password for it.
    pub password: Password,
    /// What may follow the `?`.
    pub query: Option<Shape>,
    /// What it takes.
    pub body: Option<Shape>,
    /// What it gives.
    pub answer: Shape,
    run: Run,
}

/// A call of an endpoint, by somebody who may.
pub struct Call {
    /// Who asks.
    pub principal: Arc<Principal>,
    /// From which address.
    pub client: IpAddr,
    pub(crate) args: Args,
    /// In which language what is told shall be: that of the pages, English elsewhere.
    pub(crate) language: Language,
    /// The id of the session by which it is asked for; none of a token.
    pub(crate) session: Option<String>,
    /// What followed the `?`.
    pub(crate) query: Map<String, Value>,
    /// JSON; `null` where there was none.
    pub(crate) body: Value,
}

impl Call {
    /// The segment of this name. Each handler asks for those of its own path only.
    pub fn arg(&self, name: &str) -> &str {
        let found = self.args.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// What was sent along.
    ///
    /// # Errors
    /// It is of another shape.
    pub fn body<T: DeserializeOwned>(&mut self) -> Result<T, Refusal> {
        // Nothing sent is nothing said, where everything has a default.
        let body = match self.body.take() {
            Value::Null => Value::Object(Map::new()),
            body @ Value::Object(_) => body,
            _ => return Err(Refusal::bad("the body is no JSON object")),
        };
        serde_json::from_value(body).map_err(|error| Refusal::bad(error.to_string()))
    }

    /// What followed the `?`.
    ///
    /// # Errors
    /// It is of another shape.
    pub fn query<T: DeserializeOwned>(&mut self) -> Result<T, Refusal> {
        let query = Value::Object(std::mem::take(&mut self.query));
        serde_json::from_value(query).map_err(|error| Refusal::bad(error.to_string()))
    }
}

/// An endpoint that is being described.
pub struct Described {
    method: Method,
    path: &'static str,
    summary: &'static str,
    duty: Duty,
    reach: Reach,
    password: Password,
    query: Option<Shape>,
    body: Option<Shape>,
}

fn describe(method: Method, path: &'static str, summary: &'static str) -> Described {
    let reach = match path {
        path if path.contains("{user}") => Reach::User,
        path if path.contains("{connector}") => Reach::Connector,
        path if path.contains("{order}") => Reach::Order,
        _ => Reach::Everyone,
    };
    let duty = if method == Method::GET { Duty::See } else { Duty::Configure };
    let password = Password::AtFirst;
    Described { method, path, summary, duty, reach, password, query: None, body: None }
}

/// Something to look at: seen by whoever sees what its path names, else by those who see all.
pub fn get(path: &'static str, summary: &'static str) -> Described {
    describe(Method::GET, path, summary)
}

/// Something to do: by those who configure, unless it says otherwise.
pub fn post(path: &'static str, summary: &'static str) -> Described {
    describe(Method::POST, path, summary)
}

/// Something to take away: by those who configure, unless it says otherwise.
pub fn delete(path: &'static str, summary: &'static str) -> Described {
    describe(Method::DELETE, path, summary)
}

impl Described {
    /// Of this duty.
    pub const fn duty(mut self, duty: Duty) -> Self {
        self.duty = duty;
        self
    }

    /// It reaches so far.
    pub const fn reach(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// A session must have shown its password just now.
    pub const fn fresh(mut self) -> Self {
        self.password = Password::JustNow;
        self
    }

    /// A session must show its password for it, each time.
    pub const fn each_time(mut self) -> Self {
        self.password = Password::EachTime;
        self
    }

    /// It takes this.
    pub fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// This may follow the `?`.
    pub fn asks<T: JsonSchema>(mut self) -> Self {
        self.query = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// This does it.
    pub fn by<T, F, W>(self, work: W) -> Endpoint
    where
        T: Serialize + JsonSchema,
        F: Future<Output = Result<T, Refusal>> + Send + 'static,
        W: Fn(Arc<Console>, Call) -> F + Send + Sync + 'static,
    {
        let run: Run = Box::new(move |console, call| {
            let answer = work(console, call);
            async move { serde_json::to_value(answer.await?).map_err(Refusal::failed) }.boxed()
        });
        let Self { method, path, summary, duty, reach, password, query, body } = self;
        let answer: Shape = SchemaGenerator::subschema_for::<T>;
        Endpoint { method, path, summary, duty, reach, password, query, body, answer, run }
    }
}

impl Endpoint {
    /// One of its shapes, written out.
    pub(crate) fn shape(&self, shape: Option<Shape>) -> Option<Schema> {
        let mut generator = SchemaGenerator::default();
        let named = shape?(&mut generator);
        let reference = named.get("$ref").and_then(Value::as_str).map(str::to_owned);
        let Some(name) = reference.as_deref().and_then(|path| path.rsplit('/').next()) else {
            return Some(named);
        };
        let found = generator.definitions().get(name).cloned();
        found.and_then(|whole| whole.try_into().ok()).or(Some(named))
    }

    /// The names of its variable segments.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Does it. Whether the principal may is decided before.
    pub(crate) async fn run(&self, console: Arc<Console>, call: Call) -> Result<Value, Refusal> {
        (self.run)(console, call).await
    }
}
