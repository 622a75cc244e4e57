//! The webhooks, and how it goes with each.

use super::time::moment;
use super::{Act, Frame, Visit, html};
use crate::{Console, Refusal, api};
use askama::Template;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "webhooks.html")]
struct Webhooks {
    frame: Frame,
    rows: Vec<Row>,
}

struct Row {
    webhook: api::Webhook,
    delivered: String,
    failing: String,
    acts: Vec<Act>,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let frame = visit.frame;
    let rows = console.list_webhooks().await?.into_iter().map(|webhook| {
        let act =
            |name: &str, text: &str| Act::new(&["webhooks", &webhook.name, name], frame.t(text));
        let mut acts = vec![act("test", "webhook-test")];
        if webhook.disabled {
            acts.push(act("enable", "webhook-enable"));
        }
        Row {
            delivered: moment(webhook.delivered),
            failing: moment(webhook.failing_since),
            acts,
            webhook,
        }
    });
    html(&Webhooks { rows: rows.collect(), frame })
}
