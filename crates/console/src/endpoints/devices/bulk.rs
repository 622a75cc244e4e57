//! One thing done to many devices: each as if it were asked for alone, so that each is permitted and
//! recorded by itself.

use crate::endpoint::Call;
use crate::{Console, Refusal, api};
use http::Method;
use serde_json::Value;
use std::sync::Arc;

/// So many devices at once.
const MOST: usize = 500;

impl Console {
    /// Does this to each of these devices, in their order, and tells what became of each.
    pub(crate) async fn bulk(
        self: &Arc<Self>,
        call: Call,
        act: &str,
        devices: Vec<String>,
    ) -> Result<api::BulkDone, Refusal> {
        if devices.is_empty() {
            return Err(Refusal::wrong("none-chosen", ""));
        }
        if devices.len() > MOST {
            return Err(Refusal::wrong("too-many-devices", MOST.to_string()));
        }
        let mut results = Vec::new();
        for device in devices {
            let (done, said) = match self.one_of_many(&call, act, &device).await {
                Ok(answer) => {
                    let warning = answer.get("warning").and_then(Value::as_str);
                    (true, warning.unwrap_or_default().to_owned())
                }
                Err(refusal) => (false, refusal.words_in(call.language)),
            };
            results.push(api::BulkItem { device, done, said });
        }
        Ok(api::BulkDone { results })
    }

    async fn one_of_many(
        self: &Arc<Self>,
        call: &Call,
        act: &str,
        device: &str,
    ) -> Result<Value, Refusal> {
        let (endpoint, args) =
            self.endpoint(&Method::POST, &format!("/api/devices/{device}/{act}"))?;
        let (principal, client) = (call.principal.clone(), call.client);
        let session = call.session.clone();
        self.permit(&principal, endpoint.duty, endpoint.reach, &args).await?;
        let (query, body, language) = (Default::default(), Default::default(), call.language);
        let call = Call { principal, client, session, args, query, body, language };
        self.carry_out(endpoint, call).await
    }
}
