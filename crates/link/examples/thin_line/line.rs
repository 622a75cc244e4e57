//! One end of a bad line: packets of a TUN device, which are kept up, held back and dropped on their
//! way to the other end.
//!
//! Each end is a process in a network namespace of its own; between them the packets go by a
//! datagram socket in the file system, which no namespace divides. What TCP does about the loss is
//! thus the kernel's own doing, as on a real line.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::UnixDatagram;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tun::Tun;

/// What the line is like in one direction.
#[derive(Clone, Copy)]
pub struct Quality {
    /// How long a packet is on its way.
    pub delay: Duration,
    /// Bits a second.
    pub rate: u64,
    /// The part of the packets that is lost.
    pub loss: f64,
    /// How long the line is gone, of each so long.
    pub gone: (Duration, Duration),
}

/// The room for packets before the line: beyond, they are dropped.
const QUEUE: Duration = Duration::from_secs(2);
/// As large as what a link's carrier lets through.
const MTU: u16 = 1_400;

/// Carries packets from the end of this name to the one of that name, until killed. What went into
/// the line, headers and lost packets among it, is written to `NAME.bytes` each second.
pub async fn carry(
    dir: &Path,
    name: &str,
    other: &str,
    own: Ipv4Addr,
    to: Ipv4Addr,
    line: Quality,
) {
    let socket = UnixDatagram::bind(dir.join(name)).unwrap();
    let tun = Tun::builder().name("line").mtu(MTU.into()).address(own).destination(to).up();
    let tun = Arc::new(tun.build().unwrap().pop().unwrap());
    let (there, bytes) = (dir.join(other), Arc::new(AtomicU64::new(0)));
    let socket = Arc::new(socket);

    let (arriving, device) = (socket.clone(), tun.clone());
    tokio::spawn(async move {
        let mut packet = vec![0; 2_000];
        loop {
            let length = arriving.recv(&mut packet).await.unwrap();
            let _ = device.send(&packet[..length]).await;
        }
    });

    let (counted, file) = (bytes.clone(), dir.join(format!("{name}.bytes")));
    tokio::spawn(async move {
        loop {
            std::fs::write(&file, counted.load(Ordering::Relaxed).to_string()).unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });

    let (departing, mut departed) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((arrives, packet)) = departed.recv().await {
            tokio::time::sleep_until(arrives).await;
            if !is_gone(line.gone) {
                let _ = socket.send_to(&packet, &there).await;
            }
        }
    });

    let (mut packet, mut free, mut dice) = (vec![0; 2_000], Instant::now(), Dice::new(name));
    loop {
        let length = tun.recv(&mut packet).await.unwrap();
        let now = Instant::now();
        if free.saturating_duration_since(now) > QUEUE {
            continue;
        }
        bytes.fetch_add(length as u64, Ordering::Relaxed);
        let taken = Duration::from_secs_f64(length as f64 * 8.0 / line.rate as f64);
        free = free.max(now) + taken;
        if dice.throw() >= line.loss {
            departing.send((free + line.delay, packet[..length].to_vec())).unwrap();
        }
    }
}

/// Whether the line is gone now, by a clock that both ends have.
fn is_gone(gone: (Duration, Duration)) -> bool {
    is_gone_at(SystemTime::now().duration_since(UNIX_EPOCH).unwrap(), gone)
}

fn is_gone_at(moment: Duration, (gone, of): (Duration, Duration)) -> bool {
    !of.is_zero() && moment.as_millis() % of.as_millis() >= of.saturating_sub(gone).as_millis()
}

/// How long the line was there of the time that ends now.
pub fn there(took: Duration, gone: (Duration, Duration)) -> Duration {
    let step = Duration::from_millis(100);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let steps = u32::try_from(took.as_millis() / step.as_millis()).unwrap();
    let there = (0..steps).filter(|back| !is_gone_at(now - step * *back, gone)).count();
    step * u32::try_from(there).unwrap()
}

/// Numbers from 0 to 1, other ones at each end and the same in each run.
struct Dice(u64);

impl Dice {
    fn new(name: &str) -> Self {
        Self(name.bytes().fold(0x9e37_79b9_7f4a_7c15, |seed, byte| {
            (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    /// xorshift64 (Marsaglia 2003).
    fn throw(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}
