//! A device as another store has it.

use super::{Device, optional_json};
use crate::session::values;
use crate::states::to_json;
use crate::{Result, Store};

const COPY: &str = "INSERT INTO device (user_id, device_id, device_type, user_agent, protocol, \
     first_seen, last_seen, admission, policy, wipe, information, notice_sent, decision, hold, \
     commands) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
     ON CONFLICT (user_id, device_id) DO UPDATE SET device_type = excluded.device_type, \
     user_agent = excluded.user_agent, protocol = excluded.protocol, \
     first_seen = excluded.first_seen, last_seen = excluded.last_seen, \
     admission = excluded.admission, policy = excluded.policy, wipe = excluded.wipe, \
     information = excluded.information, notice_sent = excluded.notice_sent, \
     decision = excluded.decision, hold = excluded.hold, commands = excluded.commands";

impl Store {
    /// Enters a device as it is in another store, in the place of what is known of it here. How many
    /// its user has is not looked at: that was decided there.
    ///
    /// # Errors
    /// The database's.
    pub async fn copy_device(&self, device: &Device) -> Result<()> {
        let device = device.clone();
        let admission = to_json(&device.admission, "device.admission")?;
        let policy = to_json(&device.policy, "device.policy")?;
        let wipe = to_json(&device.wipe, "device.wipe")?;
        let decision = optional_json(device.decision.as_ref(), "device.decision")?;
        let hold = optional_json(device.hold.as_ref(), "device.hold")?;
        let waiting = to_json(&device.waiting, "device.commands")?;
        self.write(move |session| {
            let row = values![
                device.key.user.as_str(),
                device.key.device.as_str(),
                &device.device_type,
                &device.user_agent,
                &device.protocol,
                device.first_seen,
                device.last_seen,
                &admission,
                &policy,
                &wipe,
                &device.information,
                device.notice_sent,
                decision.as_ref(),
                hold.as_ref(),
                &waiting
            ];
            session.execute(COPY, row)?;
            Ok(())
        })
        .await
    }
}
