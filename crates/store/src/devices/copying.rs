//! A device as another store has it.

use super::{Device, Written, find};
use crate::session::values;
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
    /// Enters a device as it is in another store; where it is known here, as what `merge` makes of both,
    /// in one transaction: whatever the device does at this moment is not lost. Answers whether anything
    /// is other than it was. How many its user has is not looked at: that was decided there.
    ///
    /// # Errors
    /// The database's.
    pub async fn copy_device(
        &self,
        device: &Device,
        merge: impl Fn(&Device, Device) -> Device + Send + 'static,
    ) -> Result<bool> {
        let other = device.clone();
        self.write(move |session| {
            let known = find(session, &other.key)?;
            let device = match &known {
                Some(known) => merge(known, other.clone()),
                None => other.clone(),
            };
            if known.as_ref() == Some(&device) {
                return Ok(false);
            }
            let written = Written::of(&device)?;
            let row = values![
                device.key.user.as_str(),
                device.key.device.as_str(),
                &device.device_type,
                &device.user_agent,
                &device.protocol,
                device.first_seen,
                device.last_seen,
                &written.admission,
                &written.policy,
                &written.wipe,
                &device.information,
                device.notice_sent,
                written.decision.as_ref(),
                written.hold.as_ref(),
                &written.waiting
            ];
            session.execute(COPY, row)?;
            Ok(true)
        })
        .await
    }
}
