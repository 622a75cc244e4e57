//! Slows down a device that hammers, and no other (rule S8); in a browser, whoever is at one address.

use dme_sync::DeviceKey;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Devices remembered before idle ones are forgotten for the first time.
const REMEMBERED: usize = 50_000;

/// Every device's pace.
pub struct Pace<K: Eq + Hash = DeviceKey> {
    parallel: usize,
    /// Requests gained a second.
    rate: f64,
    /// Requests that may be saved up.
    burst: f64,
    devices: Mutex<Devices<K>>,
}

struct Devices<K> {
    known: HashMap<K, Device>,
    /// How many there may be before idle ones are forgotten: twice what was left the last time, so
    /// that a server full of waiting phones does not look through them at every request.
    sweep_at: usize,
}

struct Device {
    running: usize,
    saved: f64,
    since: Instant,
}

/// A request's turn; it ends when dropped.
pub struct Turn<K: Eq + Hash = DeviceKey> {
    pace: Arc<Pace<K>>,
    device: K,
}

impl<K: Eq + Hash + Clone> Pace<K> {
    /// So many requests at once and in a minute for each device.
    pub fn new(parallel: usize, per_minute: u32) -> Arc<Self> {
        let burst = f64::from(per_minute.max(1));
        let devices = Mutex::new(Devices { known: HashMap::new(), sweep_at: REMEMBERED });
        Arc::new(Self { parallel, rate: burst / 60.0, burst, devices })
    }

    /// A turn for one request.
    ///
    /// # Errors
    /// When the device must wait, and how long.
    pub fn turn(self: &Arc<Self>, device: &K, now: Instant) -> Result<Turn<K>, Duration> {
        let mut devices = self.lock();
        if devices.known.len() >= devices.sweep_at {
            let full = |known: &Device| known.saved + self.gained(known, now) >= self.burst;
            devices.known.retain(|_, known| known.running > 0 || !full(known));
            devices.sweep_at = REMEMBERED.max(devices.known.len() * 2);
        }
        let known = devices.known.entry(device.clone()).or_insert_with(|| Device {
            running: 0,
            saved: self.burst,
            since: now,
        });
        known.saved = (known.saved + self.gained(known, now)).min(self.burst);
        known.since = now;
        if known.running >= self.parallel {
            return Err(Duration::from_secs(1));
        }
        if known.saved < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - known.saved) / self.rate));
        }
        known.saved -= 1.0;
        known.running += 1;
        Ok(Turn { pace: self.clone(), device: device.clone() })
    }

    fn gained(&self, known: &Device, now: Instant) -> f64 {
        now.saturating_duration_since(known.since).as_secs_f64() * self.rate
    }
}

impl<K: Eq + Hash> Pace<K> {
    fn lock(&self) -> MutexGuard<'_, Devices<K>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Turn<K> {
    fn drop(&mut self) {
        if let Some(known) = self.pace.lock().known.get_mut(&self.device) {
            known.running = known.running.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(name: &str) -> DeviceKey {
        DeviceKey { user: "ann@example.org".into(), device: name.into() }
    }

    #[test]
    fn a_device_that_hammers_waits_and_another_does_not() {
        let pace = Pace::new(100, 60);
        let start = Instant::now();
        for _ in 0..60 {
            assert!(pace.turn(&phone("a"), start).is_ok());
        }
        let wait = pace.turn(&phone("a"), start).err().unwrap();
        assert!(wait <= Duration::from_secs(1) && wait > Duration::from_millis(900), "{wait:?}");
        assert!(pace.turn(&phone("b"), start).is_ok());
        assert!(pace.turn(&phone("a"), start + Duration::from_secs(1)).is_ok());
    }

    #[test]
    fn idle_devices_are_forgotten_and_waiting_ones_are_not() {
        let pace = Pace::new(8, 600);
        let start = Instant::now();
        let waiting = pace.turn(&phone("waiting"), start).ok().unwrap();
        for number in 1..REMEMBERED {
            drop(pace.turn(&phone(&number.to_string()), start));
        }
        assert_eq!(pace.lock().known.len(), REMEMBERED);
        drop(pace.turn(&phone("new"), start + Duration::from_secs(60)));
        assert_eq!(pace.lock().known.len(), 2);
        drop(waiting);
    }

    #[test]
    fn requests_at_once_are_limited_until_one_ends() {
        let pace = Pace::new(2, 600);
        let now = Instant::now();
        let first = pace.turn(&phone("a"), now).ok().unwrap();
        let _second = pace.turn(&phone("a"), now).ok().unwrap();
        assert!(pace.turn(&phone("a"), now).is_err());
        drop(first);
        assert!(pace.turn(&phone("a"), now).is_ok());
    }
}
