//! Everything that can be asked for, in one table: by REST, by `dme`, by the pages.

mod account;
mod api_tokens;
mod away;
mod bulk;
pub(crate) mod certificates;
mod configuration;
mod connector_orders;
mod connectors;
mod devices;
mod directory;
pub(crate) mod edits;
mod elsewhere;
mod outbox;
mod own;
pub(crate) mod policies;
mod records;
mod revised;
mod routes;
pub(crate) mod rule_edits;
mod users;

pub(crate) use api_tokens::Makers;
pub(crate) use records::{event_filter, kinds};

use crate::endpoint::{Described, Endpoint, delete, get, post};
use crate::language::Language;
use crate::openapi::{self, Ways};
use crate::principal::{Duty, Origin, Principal, Reach};
use crate::{Refusal, api};
use devices::DeviceAct;
use dme_link::ConnectorState;
use dme_server::wipes::Hand;
use edits::GroupAct;
use rule_edits::AdmissionEdit;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use users::UserAct;

/// Every endpoint. The first that fits is taken.
pub fn table() -> Vec<Endpoint> {
    let mut all = Vec::new();
    all.extend(about());
    all.extend(account());
    all.extend(api_tokens());
    all.extend(connectors());
    all.extend(routes());
    all.extend(directory());
    all.extend(outbox());
    all.extend(devices());
    all.extend(device_rules());
    all.extend(rules());
    all.extend(wipes());
    all.extend(users());
    all.extend(terms());
    all.extend(own());
    all.extend(records());
    all.extend(webhooks());
    all
}

fn about() -> Vec<Endpoint> {
    vec![
        get("/api/openapi.json", "This interface, as an OpenAPI 3.1 document")
            .reach(Reach::Filtered)
            .by(|console, _| async move {
                Ok(openapi::document(&console.endpoints, Ways::Administration))
            }),
        post("/api/console/link", "Make a link to sign in to the console by, once").by(
            |console, call| async move {
                is_at_the_server(&call.principal)?;
                console.link()
            },
        ),
        get("/api/console/emergency", "The account for emergencies, and when it was used")
            .by(|console, _| async move { console.emergency().await }),
        post(
            "/api/console/emergency",
            "Make the account for emergencies; its password is shown once",
        )
        .takes::<api::NewEmergency>()
        .by(|console, mut call| async move {
            is_at_the_server(&call.principal)?;
            console.make_emergency(call.body()?).await
        }),
        delete("/api/console/emergency", "Take the account for emergencies away")
            .fresh()
            .by(|console, _| async move { console.remove_emergency().await }),
    ]
}

/// What lets one in as an administrator is made by whoever may read the server's directory.
fn is_at_the_server(principal: &Principal) -> Result<(), Refusal> {
    match principal.origin {
        Origin::TokenFile => Ok(()),
        _ => Err(Refusal::barred("at-the-server", "")),
    }
}

/// Of whoever is signed in to the console, whatever they may do there.
fn account() -> Vec<Endpoint> {
    let act = |path, summary| post(path, summary).duty(Duty::See).reach(Reach::Oneself);
    vec![
        get("/api/account", "One's own account in the console: second factor, sessions")
            .reach(Reach::Oneself)
            .by(|console, call| async move {
                console.account(&call.principal, call.session.as_deref()).await
            }),
        act("/api/account/second-factor", "Be offered a secret for an authenticator").fresh().by(
            |console, call| async move { console.offer_own_second_factor(&call.principal).await },
        ),
        act("/api/account/second-factor/confirm", "Set it up, by the first code of it")
            .takes::<api::Code>()
            .by(|console, mut call| async move {
                let code = call.body()?;
                console.confirm_second_factor(&call.principal, code).await
            }),
        act("/api/account/second-factor/remove", "Do without a second factor from now on")
            .fresh()
            .by(|console, call| async move { console.remove_second_factor(&call.principal).await }),
        act("/api/account/recovery-codes", "Make new recovery codes; they are shown once")
            .fresh()
            .by(|console, call| async move { console.renew_recovery_codes(&call.principal).await }),
        act("/api/account/sessions/end-others", "End one's own sessions but the one that asks").by(
            |console, call| async move {
                Ok(console.end_other_sessions(&call.principal, call.session.as_deref()))
            },
        ),
        act("/api/account/sessions/{session}/end", "End one of one's own sessions").by(
            |console, call| async move {
                console.end_own_session(&call.principal, call.arg("session"))
            },
        ),
    ]
}

fn api_tokens() -> Vec<Endpoint> {
    vec![
        get("/api/api-tokens", "Tokens that programs administer by; what they say is not kept")
            .duty(Duty::Audit)
            .by(|console, _| async move { console.list_api_tokens().await }),
        post("/api/api-tokens", "Make a token for a program; its text is shown once")
            .fresh()
            .takes::<api::NewApiToken>()
            .by(|console, mut call| async move {
                let new = call.body()?;
                console.make_api_token(&call.principal, new).await
            }),
        post("/api/api-tokens/{token}/revoke", "Have a program's token open nothing any more")
            .fresh()
            .by(|console, call| async move { console.revoke_api_token(call.arg("token")).await }),
    ]
}

fn connectors() -> Vec<Endpoint> {
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
            .takes::<api::Elsewhere>()
            .by(|console, mut call| async move {
                let to = call.body()?;
                console.move_connector(call.arg("connector"), to).await
            }),
        get("/api/connectors/{connector}/configuration", "What a connector is to serve")
            .by(|console, call| async move { console.configuration(call.arg("connector")).await }),
        post("/api/connectors/{connector}/configuration", "Say what a connector is to serve")
            .takes::<api::NewConfiguration>()
            .by(|console, mut call| async move {
                let new = call.body()?;
                console.configure(call.arg("connector"), new).await
            }),
        delete("/api/connectors/{connector}/configuration", "Take back what it is to serve")
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

fn routes() -> Vec<Endpoint> {
    vec![
        get("/api/routes/{user}", "Who serves a user, in each function, and why")
            .by(|console, call| async move { console.explain_route(call.arg("user"), None).await }),
        get("/api/routes/{user}/{function}", "Who serves a user in one function, and why").by(
            |console, call| async move {
                console.explain_route(call.arg("user"), Some(call.arg("function"))).await
            },
        ),
        post("/api/routes/{user}/flush", "Ask the connectors anew whose mailbox a user's is")
            .duty(Duty::Operate)
            .by(|console, call| async move { console.flush_routes(Some(call.arg("user"))).await }),
        post("/api/flush", "Ask the connectors anew about everybody")
            .by(|console, _| async move { console.flush_routes(None).await }),
        post("/api/simulate", "What would become of whom, were connectors down")
            .duty(Duty::See)
            .takes::<api::Simulation>()
            .by(|console, mut call| async move { console.simulate(call.body()?).await }),
    ]
}

fn directory() -> Vec<Endpoint> {
    vec![
        get("/api/directory", "The realms, and how old what is known of their groups is")
            .by(|console, _| async move { Ok(console.list_realms()) }),
        post("/api/directory/refresh", "Read groups and people again, now")
            .by(|console, _| async move { Ok(console.refresh_directories().await) }),
    ]
}

fn outbox() -> Vec<Endpoint> {
    vec![
        get("/api/outbox", "Messages that wait for their connector")
            .by(|console, _| async move { console.list_outbox().await }),
        delete("/api/outbox/{number}", "Take away a message that shall not be sent")
            .by(|console, call| async move { console.discard(call.arg("number")).await }),
    ]
}

fn devices() -> Vec<Endpoint> {
    let does = |endpoint: Described, act: DeviceAct| {
        endpoint.duty(Duty::Operate).by(move |console, call| async move {
            let by = Hand::Administrator(&call.principal.name);
            let changed = console.change_device(call.arg("user"), call.arg("device"), act, by);
            Ok(changed.await?.told(call.language))
        })
    };
    let act = |path, summary, act| does(post(path, summary), act);
    let fresh = |path, summary, act| does(post(path, summary).fresh(), act);
    vec![
        get("/api/devices", "Devices, those that came last first")
            .reach(Reach::Filtered)
            .asks::<api::DeviceQuery>()
            .by(|console, mut call| async move {
                let query = call.query()?;
                console.list_devices(&call.principal, &query).await
            }),
        post("/api/bulk/devices", "Let many devices in, have them wait, shut them out, or resync")
            .duty(Duty::Operate)
            .reach(Reach::Filtered)
            .takes::<api::Bulk>()
            .by(|console, mut call| async move {
                let api::Bulk { act, devices } = call.body()?;
                if !["allow", "quarantine", "block", "resync"].contains(&act.as_str()) {
                    return Err(Refusal::wrong("no-act", act));
                }
                console.bulk(call, &act, devices).await
            }),
        post("/api/bulk/wipe-account", "Erase an account on many devices")
            .duty(Duty::Operate)
            .reach(Reach::Filtered)
            .fresh()
            .takes::<api::BulkWipe>()
            .by(|console, mut call| async move {
                let api::BulkWipe { devices } = call.body()?;
                console.bulk(call, "wipe-account", devices).await
            }),
        get("/api/devices/{user}", "The devices of a user")
            .by(|console, call| async move { console.devices_of(call.arg("user")).await }),
        get("/api/devices/{user}/{device}/folders", "The folders a device knows, and what it holds")
            .by(|console, call| async move {
                console.folders(call.arg("user"), call.arg("device")).await
            }),
        get("/api/devices/{user}/{device}/trace", "What went wrong in a device's folders")
            .by(|console, call| async move {
                console.trace(call.arg("user"), call.arg("device")).await
            }),
        get("/api/devices/{user}/{device}/events", "What happened to a device, the newest first")
            .asks::<api::DeviceEventQuery>()
            .by(|console, mut call| async move {
                let query = call.query()?;
                console.device_events(call.arg("user"), call.arg("device"), query).await
            }),
        get("/api/devices/{user}/{device}/steps", "What a device was told, and when it had it")
            .by(|console, call| async move {
                console.steps(call.arg("user"), call.arg("device")).await
            }),
        act("/api/devices/{user}/{device}/allow", "Let a device in", DeviceAct::Allow),
        act("/api/devices/{user}/{device}/quarantine", "Have it wait", DeviceAct::Quarantine),
        act("/api/devices/{user}/{device}/block", "Shut a device out", DeviceAct::Block),
        act("/api/devices/{user}/{device}/unwipe", "Call a wipe off", DeviceAct::Unwipe),
        act("/api/devices/{user}/{device}/resync", "Send everything again", DeviceAct::Resync),
        act("/api/devices/{user}/{device}/remove", "Forget a device", DeviceAct::Remove),
        fresh("/api/devices/{user}/{device}/wipe", "Erase a whole device", DeviceAct::Wipe),
        fresh(
            "/api/devices/{user}/{device}/wipe-account",
            "Erase an account on a device",
            DeviceAct::WipeAccount,
        ),
    ]
}

/// What is decided of one device by rules, and what waits for it.
fn device_rules() -> Vec<Endpoint> {
    vec![
        get("/api/devices/{user}/{device}/policy", "What holds for a device, and by which level")
            .by(|console, call| async move {
                console.device_policy(call.arg("user"), call.arg("device")).await
            }),
        post("/api/devices/{user}/{device}/policy", "Set a device's own level of policy")
            .takes::<api::DeviceLevel>()
            .by(|console, mut call| async move {
                let level = call.body()?;
                let key = (call.arg("user"), call.arg("device"));
                console.set_device_policy(&call.principal, key, level).await
            }),
        post(
            "/api/devices/{user}/{device}/policy/setting",
            "Set what a device's own level says of one setting",
        )
        .takes::<api::OwnSetting>()
        .by(|console, mut call| async move {
            let edit = call.body()?;
            let key = (call.arg("user"), call.arg("device"));
            console.edit_own_setting(&call.principal, key, edit).await
        }),
        get("/api/devices/{user}/{device}/admission", "What the rules say of a device, and which")
            .by(|console, call| async move {
                console.explain_admission(call.arg("user"), call.arg("device")).await
            }),
        post("/api/devices/{user}/{device}/release", "Let a device be that misbehaved")
            .duty(Duty::Operate)
            .by(|console, call| async move {
                let key = (call.arg("user"), call.arg("device"));
                console.release(&call.principal, key).await
            }),
        get("/api/devices/{user}/{device}/orders", "What waits for a device's next contact").by(
            |console, call| async move {
                console.pending_orders(call.arg("user"), call.arg("device")).await
            },
        ),
        post("/api/devices/{user}/{device}/orders", "Have something wait for its next contact")
            .duty(Duty::Operate)
            .takes::<api::NewOrder>()
            .by(|console, mut call| async move {
                let order = call.body()?;
                let key = (call.arg("user"), call.arg("device"));
                console.give_order(&call.principal, key, order).await
            }),
        post("/api/devices/{user}/{device}/send-again", "Send a folder, or an item of it, again")
            .duty(Duty::Operate)
            .takes::<api::SendAgain>()
            .by(|console, mut call| async move {
                let again = call.body()?;
                let key = (call.arg("user"), call.arg("device"));
                console.send_again(&call.principal, key, again).await
            }),
        delete("/api/devices/{user}/{device}/orders/{number}", "Call an order off")
            .duty(Duty::Operate)
            .by(|console, call| async move {
                let key = (call.arg("user"), call.arg("device"));
                console.call_order_off(key, call.arg("number")).await
            }),
        get(
            "/api/devices/{user}/{device}/erasure",
            "What an order to wipe would erase on a device",
        )
        .by(|console, call| async move {
            console.foretell(call.arg("user"), call.arg("device")).await
        }),
    ]
}

fn rules() -> Vec<Endpoint> {
    vec![
        get("/api/policy/settings", "The settings of a policy, and which clients obey them")
            .by(|_, _| async move { Ok(policies::settings()) }),
        get("/api/policy", "The levels of policy")
            .by(|console, _| async move { Ok(console.policy()) }),
        post("/api/policy", "Set the levels of policy").takes::<api::PolicyChange>().by(
            |console, mut call| async move {
                let change = call.body()?;
                console.set_policy(&call.principal, change).await
            },
        ),
        post("/api/policy/setting", "Set what one level says of one setting")
            .takes::<api::SettingEdit>()
            .by(|console, mut call| async move {
                let edit = call.body()?;
                console.edit_setting(&call.principal, edit).await
            }),
        post("/api/policy/groups", "Make a group of devices, as the strongest")
            .takes::<api::NewGroup>()
            .by(|console, mut call| async move {
                let new = call.body()?;
                console.change_group(&call.principal, GroupAct::Make, new).await
            }),
        change_group(
            "/api/policy/groups/raise",
            "Make a group stronger by one place",
            GroupAct::Raise,
        ),
        change_group(
            "/api/policy/groups/remove",
            "Take a group away, with what it says",
            GroupAct::Remove,
        ),
        post("/api/policy/members", "Which devices a group with these members would have")
            .duty(Duty::See)
            .takes::<dme_policy::Condition>()
            .by(|console, mut call| async move { console.meant_by(&call.body()?).await }),
        post("/api/policy/preview", "Whom other levels of policy would affect")
            .takes::<api::PolicyTrial>()
            .by(|console, mut call| async move { console.preview_policy(call.body()?).await }),
        edit_admission::<api::NewRule>(
            "/api/admission/rules",
            "Make a rule of admission, before all others, or put it in the place of one",
            |rule| AdmissionEdit::Put(Box::new(rule)),
        ),
        edit_admission::<api::GroupNamed>(
            "/api/admission/rules/raise",
            "Have a rule of admission asked earlier by one place",
            AdmissionEdit::Raise,
        ),
        edit_admission::<api::GroupNamed>(
            "/api/admission/rules/remove",
            "Take a rule of admission away",
            AdmissionEdit::Remove,
        ),
        edit_admission::<api::Otherwise>(
            "/api/admission/otherwise",
            "Say what becomes of a device that no rule fits, and how many a user may have",
            AdmissionEdit::Beside,
        ),
        get("/api/admission", "The rules of admission")
            .by(|console, _| async move { Ok(console.admission()) }),
        post("/api/admission", "Set the rules of admission").takes::<api::Admission>().by(
            |console, mut call| async move {
                let change = call.body()?;
                console.set_admission_rules(&call.principal, change).await
            },
        ),
        post("/api/admission/preview", "Of which devices rules would make something else")
            .takes::<dme_policy::AdmissionRules>()
            .by(|console, mut call| async move { console.preview_admission(call.body()?).await }),
        post("/api/admission/apply", "Apply the rules to devices that no person decided of")
            .by(|console, _| async move { console.apply_admission().await }),
        get("/api/behaviour", "The rules of behaviour")
            .by(|console, _| async move { Ok(console.behaviour()) }),
        post("/api/behaviour", "Set the rules of behaviour").takes::<api::BehaviourBook>().by(
            |console, mut call| async move {
                let change = call.body()?;
                console.set_behaviour(&call.principal, change).await
            },
        ),
        post("/api/behaviour/rules", "Make a rule of behaviour").takes::<api::NewBehaviour>().by(
            |console, mut call| async move {
                let new = call.body()?;
                console.make_behaviour(&call.principal, new).await
            },
        ),
        post("/api/behaviour/rules/remove", "Take a rule of behaviour away")
            .takes::<api::GroupNamed>()
            .by(|console, mut call| async move {
                let named = call.body()?;
                console.remove_behaviour(&call.principal, named).await
            }),
        post("/api/behaviour/suggested", "Take the rules of behaviour to begin with")
            .takes::<api::Read>()
            .by(|console, mut call| async move {
                let api::Read { revision } = call.body()?;
                let rules = dme_policy::BehaviourRules::suggested();
                console.set_behaviour(&call.principal, api::BehaviourBook { revision, rules }).await
            }),
        get("/api/behaviour/suggested", "Rules of behaviour to begin with")
            .by(|_, _| async move { Ok(dme_policy::BehaviourRules::suggested()) }),
    ]
}

fn change_group(path: &'static str, summary: &'static str, act: GroupAct) -> Endpoint {
    post(path, summary).takes::<api::GroupNamed>().by(move |console, mut call| async move {
        let api::GroupNamed { name, revision } = call.body()?;
        let group = api::NewGroup { name, revision, ..api::NewGroup::default() };
        console.change_group(&call.principal, act, group).await
    })
}

fn edit_admission<T>(
    path: &'static str,
    summary: &'static str,
    edit: fn(T) -> AdmissionEdit,
) -> Endpoint
where
    T: DeserializeOwned + JsonSchema + Send + 'static,
{
    post(path, summary).takes::<T>().by(move |console, mut call| async move {
        let edit = edit(call.body()?);
        console.edit_admission(&call.principal, edit).await
    })
}

fn wipes() -> Vec<Endpoint> {
    vec![
        get("/api/wipes", "Orders to wipe, the newest first")
            .reach(Reach::Filtered)
            .by(|console, call| async move { console.wipe_orders(&call.principal).await }),
        post("/api/wipes/{order}/confirm", "Confirm an order that waits for a second person")
            .duty(Duty::Operate)
            .fresh()
            .by(|console, call| async move {
                console.confirm_wipe(&call.principal, call.arg("order")).await
            }),
        post("/api/wipes/{order}/cancel", "Call an order to wipe off").duty(Duty::Operate).by(
            |console, call| async move {
                console.cancel_wipe(&call.principal, call.arg("order")).await
            },
        ),
        get("/api/wipes/{order}/receipt", "The signed receipt of an order to wipe")
            .by(|console, call| async move { console.wipe_receipt(call.arg("order")).await }),
    ]
}

fn users() -> Vec<Endpoint> {
    let act = |path, summary, act: UserAct| {
        post(path, summary).duty(Duty::Operate).by(move |console, call| async move {
            console.change_user(call.arg("user"), act).await
        })
    };
    vec![
        get("/api/users/{user}", "A user: access and why, who serves them, their devices").by(
            |console, call| async move { console.show_user(call.arg("user"), call.language).await },
        ),
        act("/api/users/{user}/disable", "Shut a user out at once", UserAct::Disable),
        act("/api/users/{user}/enable", "Let a user in again", UserAct::Enable),
        act("/api/users/{user}/forget", "Ask the directory about a user again", UserAct::Forget),
        get("/api/users/{user}/certificates", "The certificates that a user's devices show")
            .by(|console, call| async move { console.list_certificates(call.arg("user")).await }),
        post(
            "/api/users/{user}/certificates/{number}/revoke",
            "Take a certificate of a user's device back, at once",
        )
        .duty(Duty::Operate)
        .by(|console, call| async move {
            console.revoke_certificate(call.arg("user"), call.arg("number")).await
        }),
        get(
            "/api/users/{user}/sessions",
            "Where a user is signed in: since when, from where, by what",
        )
        .by(|console, call| async move { console.sessions_of(call.arg("user")).await }),
        post("/api/users/{user}/sessions/end", "End a user's sessions in browsers")
            .duty(Duty::Operate)
            .by(|console, call| async move { console.end_sessions(call.arg("user"), None).await }),
        post("/api/users/{user}/sessions/{session}/end", "End one session of a user's")
            .duty(Duty::Operate)
            .by(|console, call| async move {
                console.end_sessions(call.arg("user"), Some(call.arg("session"))).await
            }),
        post("/api/users/{user}/second-factor/reset", "Take away a second factor that was lost")
            .fresh()
            .by(|console, call| async move {
                console.reset_second_factor(&call.principal, call.arg("user")).await
            }),
    ]
}

fn terms() -> Vec<Endpoint> {
    vec![
        get("/api/terms", "Every version of the terms of use")
            .by(|console, _| async move { console.list_terms().await }),
        post("/api/terms", "Publish terms of use that users are to accept")
            .takes::<api::NewTerms>()
            .by(|console, mut call| async move {
                let new = call.body()?;
                console.publish_terms(&call.principal, &new).await
            }),
        get("/api/terms/{version}/accepted", "Who accepted a version of the terms")
            .by(|console, call| async move { console.acceptances(call.arg("version")).await }),
    ]
}

fn own() -> Vec<Endpoint> {
    let look = |path, summary| get(path, summary).duty(Duty::Own).reach(Reach::Oneself);
    let act = |path, summary| post(path, summary).duty(Duty::Own).reach(Reach::Oneself);
    vec![
        look("/api/my", "One's own devices, passwords for them, terms to accept")
            .by(|console, call| async move {
                console.own_page(&call.principal, Language::English).await
            }),
        look("/api/my/openapi.json", "What is asked for of one's own, as an OpenAPI 3.1 document")
            .by(|console, _| async move {
                let own = console.endpoints.iter().filter(|one| one.duty == Duty::Own);
                Ok(openapi::document(own, Ways::Own))
            }),
        look("/api/my/devices", "One's own devices")
            .by(|console, call| async move { console.own_devices(&call.principal).await }),
        act("/api/my/devices/{device}/label", "Call a device of one's own something else")
            .takes::<api::Label>()
            .by(|console, mut call| async move {
                let label = call.body()?;
                console.label_own_device(&call.principal, call.arg("device"), &label).await
            }),
        act("/api/my/devices/{device}/lost", "Block a lost device and have it erased")
            .takes::<api::Lost>()
            .by(|console, mut call| async move {
                let lost = call.body()?;
                console.lose_own_device(&call.principal, call.arg("device"), lost).await
            }),
        act("/api/my/devices/{device}/block", "Shut out a device of one's own").by(
            |console, call| async move {
                console.block_own_device(&call.principal, call.arg("device")).await
            },
        ),
        act("/api/my/devices/{device}/remove", "Forget a device that is not used any more").by(
            |console, call| async move {
                console.remove_own_device(&call.principal, call.arg("device")).await
            },
        ),
        look("/api/my/passwords", "The passwords one made for devices, without what they say")
            .by(|console, call| async move { console.own_passwords(&call.principal).await }),
        act("/api/my/passwords", "Make a password for one device; it is shown once")
            .takes::<api::Label>()
            .by(|console, mut call| async move {
                let label = call.body()?;
                console.make_own_password(&call.principal, &label).await
            }),
        act("/api/my/passwords/{number}/revoke", "Take a password for a device back").by(
            |console, call| async move {
                console.revoke_own_password(&call.principal, call.arg("number")).await
            },
        ),
        look("/api/my/certificates", "The certificates one made for devices")
            .by(|console, call| async move { console.own_certificates(&call.principal).await }),
        act("/api/my/certificates", "Make a certificate for one device; it is given once")
            .takes::<api::Label>()
            .by(|console, mut call| async move {
                let label = call.body()?;
                console.make_own_certificate(&call.principal, &label).await
            }),
        act("/api/my/certificates/{number}/revoke", "Take a certificate for a device back").by(
            |console, call| async move {
                console.revoke_own_certificate(&call.principal, call.arg("number")).await
            },
        ),
        act("/api/my/invitations", "Make a link to add a device with; it is shown once")
            .takes::<api::NewInvitation>()
            .by(|console, mut call| async move {
                let new = call.body()?;
                console.invite_own_device(&call.principal, &new).await
            }),
        look("/api/my/away", "What one's mailbox answers, where that needs no password")
            .by(|console, call| async move { console.own_away(&call.principal, None).await }),
        act("/api/my/away/look", "What one's mailbox answers, where that needs the password")
            .takes::<api::Shown>()
            .by(|console, mut call| async move {
                let api::Shown { password } = call.body()?;
                console.own_away(&call.principal, Some(password)).await
            }),
        act("/api/my/away", "Say what one's mailbox answers while one is away")
            .takes::<api::NewAway>()
            .by(|console, mut call| async move {
                let new = call.body()?;
                console.set_own_away(&call.principal, new).await
            }),
        act("/api/my/terms/{version}/accept", "Accept terms of use").by(
            |console, call| async move {
                let (version, client) = (call.arg("version"), call.client);
                console.accept_own_terms(&call.principal, version, client).await
            },
        ),
    ]
}

fn records() -> Vec<Endpoint> {
    vec![
        get("/api/log", "Events, the newest first")
            .duty(Duty::Audit)
            .asks::<api::EventQuery>()
            .by(|console, mut call| async move { console.events(call.query()?).await }),
        get("/api/log/kinds", "The kinds of events there are")
            .duty(Duty::Audit)
            .by(|_, _| async move { Ok(records::kinds()) }),
        get("/api/audit", "Administrators' acts, the newest first")
            .duty(Duty::Audit)
            .asks::<api::ActQuery>()
            .by(|console, mut call| async move { console.acts(call.query()?).await }),
        get("/api/audit/verify", "What was done to the record of acts")
            .duty(Duty::Audit)
            .by(|console, _| async move { console.verify_audit().await }),
        get("/api/audit/rows", "The record of acts as it is chained, some rows at a time")
            .duty(Duty::Audit)
            .asks::<api::RowsQuery>()
            .by(|console, mut call| async move {
                let api::RowsQuery { after } = call.query()?;
                console.audit_rows(after).await
            }),
        get("/api/statistics", "What was counted, told apart as is wanted")
            .asks::<api::CountQuery>()
            .by(|console, mut call| async move { console.statistics(call.query()?).await }),
    ]
}

fn webhooks() -> Vec<Endpoint> {
    vec![
        get("/api/webhooks", "Webhooks, and how it goes with each")
            .by(|console, _| async move { console.list_webhooks().await }),
        post("/api/webhooks/{webhook}/enable", "Let a webhook begin again that was given up")
            .by(|console, call| async move { console.enable_webhook(call.arg("webhook")).await }),
        post("/api/webhooks/{webhook}/test", "Send a word that means nothing to a webhook")
            .by(|console, call| async move { console.try_webhook(call.arg("webhook")).await }),
    ]
}
