//! Connectors: list, unlock, lock, remove; the table of all that is done to them.

mod configuration;
mod elsewhere;
mod enrolment;
mod orders;
mod settings;
mod shown;

use crate::endpoint::{Endpoint, delete, get, post};
use crate::language::Language;
use crate::principal::{Allowed, Duty, Principal, Reach};
use crate::{Console, Refusal, api};
use dme_link::ConnectorState;
use dme_server::connectors::{Scope, Standing};
use dme_server::records::audit::changed;

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    vec![
        get("/api/connectors", "Connectors, each with its state and its link")
            .reach(Reach::Filtered)
            .by(|console, call| async move {
                console.list_connectors(&call.principal, call.language).await
            }),
        get("/api/tokens", "Tokens to enrol connectors with; what they say is not kept")
            .by(|console, _| async move { console.list_tokens().await }),
        post("/api/tokens", "Make a token to enrol a connector with; its text is shown once")
            .fresh()
            .takes::<api::NewToken>()
            .by(|console, mut call| async move { console.issue_token(call.body()?).await }),
        post("/api/tokens/{token}/revoke", "Take back the unused tokens of a name")
            .by(|console, call| async move { console.revoke_tokens(call.arg("token")).await }),
        post("/api/connectors/{connector}/code", "Make a code for a connector to come back with")
            .fresh()
            .takes::<api::NewCode>()
            .by(|console, mut call| async move {
                let new = call.body()?;
                console.issue_code(call.arg("connector"), new).await
            }),
        get("/api/connectors/{connector}/settings", "What is set of a connector, and where").by(
            |console, call| async move { console.connector_settings(call.arg("connector")).await },
        ),
        post("/api/connectors/{connector}/settings", "Set some of a connector's settings")
            .takes::<api::SettingsChange>()
            .by(|console, mut call| async move {
                let change = call.body()?;
                console.set_connector(call.arg("connector"), change).await
            }),
        post(
            "/api/connectors/{connector}/set",
            "Set all of a connector's settings, as a form has it",
        )
        .takes::<api::ConnectorEdit>()
        .by(|console, mut call| async move {
            let edit = call.body()?;
            console.edit_connector(call.arg("connector"), edit).await
        }),
        post("/api/connectors/{connector}/drain", "Give a connector nothing new")
            .by(|console, call| async move { console.drain(call.arg("connector"), true).await }),
        post("/api/connectors/{connector}/resume", "Give a connector work again")
            .by(|console, call| async move { console.drain(call.arg("connector"), false).await }),
        post("/api/connectors/{connector}/move", "Have a connector link at other addresses")
            .fresh()
            .takes::<api::Elsewhere>()
            .by(|console, mut call| async move {
                let to = call.body()?;
                console.move_connector(call.arg("connector"), to).await
            }),
        get("/api/connectors/{connector}/configuration", "What a connector is to serve")
            .by(|console, call| async move { console.configuration(call.arg("connector")).await }),
        post("/api/connectors/{connector}/configuration", "Say what a connector is to serve")
            .fresh()
            .takes::<api::NewConfiguration>()
            .by(|console, mut call| async move {
                let new = call.body()?;
                console.configure(call.arg("connector"), new).await
            }),
        delete("/api/connectors/{connector}/configuration", "Take back what it is to serve")
            .fresh()
            .by(|console, call| async move { console.withdraw(call.arg("connector")).await }),
        post("/api/connectors/{connector}/diagnose", "Have a connector try out what it needs")
            .duty(Duty::Operate)
            .by(|console, call| async move { console.diagnose(call.arg("connector")).await }),
        get(
            "/api/connectors/{connector}/diagnosis",
            "What a connector found out when it last tried",
        )
        .by(|console, call| async move { console.diagnosis(call.arg("connector")).await }),
        get("/api/connectors/{connector}/orders", "What waits for a connector's next contact").by(
            |console, call| async move { console.connector_orders(call.arg("connector")).await },
        ),
        post(
            "/api/connectors/{connector}/orders",
            "Have a connector do something at its next contact",
        )
        .takes::<api::NewConnectorOrder>()
        .by(|console, mut call| async move {
            let new = call.body()?;
            console.order_connector(&call.principal, call.arg("connector"), &new).await
        }),
        delete("/api/connectors/{connector}/orders/{order}", "Call off what waits for a connector")
            .by(|console, call| async move {
                let (connector, order) = (call.arg("connector"), call.arg("order"));
                console.call_off_connector_order(connector, order).await
            }),
        connector_state("/api/connectors/{connector}/unlock", ConnectorState::Unlocked),
        connector_state("/api/connectors/{connector}/lock", ConnectorState::Locked),
        connector_state("/api/connectors/{connector}/remove", ConnectorState::Removed),
    ]
}

fn connector_state(path: &'static str, state: ConnectorState) -> Endpoint {
    let summary = match state {
        ConnectorState::Unlocked => "Let a connector serve; compare its fingerprint first",
        ConnectorState::Locked => "Keep a connector from serving",
        ConnectorState::Removed => "Forget a connector; its key is never accepted again",
    };
    post(path, summary).fresh().by(move |console, call| async move {
        console.set_connector_state(call.arg("connector"), state).await
    })
}

impl Console {
    pub(crate) async fn list_connectors(
        &self,
        principal: &Principal,
        language: Language,
    ) -> Result<Vec<api::Connector>, Refusal> {
        let all = self.front.connectors.standings((self.front.clock)()).await?;
        let seen = |one: &&Standing| match principal.may(Duty::See) {
            Allowed::Everywhere => true,
            Allowed::Within(boundaries) => boundaries.connectors.contains(&one.name),
            Allowed::No => false,
        };
        let mut shown: Vec<_> =
            all.iter().filter(seen).map(|one| self.connector(one, language)).collect();
        // Read once for all of them: there may be a thousand.
        for waiting in self.front.store.connector_orders().await? {
            let id = waiting.connector.as_str();
            if let Some(one) = shown.iter_mut().find(|one| one.id == id) {
                one.waiting.push(api::ConnectorOrder::from(waiting));
            }
        }
        Ok(shown)
    }

    pub(crate) async fn set_connector_state(
        &self,
        name: &str,
        state: ConnectorState,
    ) -> Result<api::Connector, Refusal> {
        let record = self.enrolled(name).await?;
        self.links.set_state(&record.id, state).await.map_err(Refusal::failed)?;
        if state == ConnectorState::Removed {
            // It comes no more.
            self.front.store.forget_connector_orders(&record.id).await?;
        }
        let word = |state: ConnectorState| Some(format!("{state:?}").to_lowercase());
        changed("state", word(record.state), word(state));
        self.front.connectors.reload().await;
        dme_server::connectors::count(&self.links, &self.front.metrics).await;
        tracing::info!(connector = name, id = %record.id, ?state, "connector changed");
        let all = self.front.connectors.standings((self.front.clock)()).await?;
        let changed = all.iter().find(|one| one.id == record.id);
        let changed = changed.ok_or_else(|| Refusal::lacks("no-connector-named", name))?;
        let waiting = self.front.store.connector_orders_of(&record.id).await?;
        let waiting = waiting.into_iter().map(Into::into).collect();
        Ok(api::Connector { waiting, ..self.connector(changed, Language::English) })
    }

    /// What is wrong with the group that a connector's scope is.
    fn wrong_scope(&self, name: &str, language: Language) -> Option<String> {
        match &*self.front.connectors.effective(name).scope {
            Scope::Group(group) => {
                self.front.gate.wrong_group(group).map(|why| language.reason(&why))
            }
            Scope::Everyone | Scope::Users(_) => None,
        }
    }

    fn connector(&self, standing: &Standing, language: Language) -> api::Connector {
        let wrong_scope = self.wrong_scope(&standing.name, language);
        let reason = shown::reason(&standing.reason, language);
        api::Connector { wrong_scope, reason, ..shown::connector(standing) }
    }
}
