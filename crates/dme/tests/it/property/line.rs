//! A line between connector and server that can be cut: at once, or when so many more bytes have
//! crossed it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// More bytes than any test sends.
const ENDLESS: i64 = i64::MAX;

/// The line. Who dials [`Line::address`] reaches the server.
pub struct Line {
    pub address: SocketAddr,
    cut: Arc<Cut>,
}

/// When the line breaks.
struct Cut {
    left: AtomicI64,
    cuts: watch::Sender<u32>,
}

impl Cut {
    /// So many bytes want to cross; false where the line breaks before they do.
    fn lets_pass(&self, bytes: usize) -> bool {
        let bytes = i64::try_from(bytes).unwrap_or(ENDLESS);
        let counted = |left: i64| if left == ENDLESS { left } else { left - bytes };
        let count = |left| Some(counted(left));
        let before = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count);
        let broken = before.is_ok_and(|before| counted(before) < 0);
        if broken {
            self.left.store(ENDLESS, Ordering::SeqCst);
            self.cuts.send_modify(|cuts| *cuts += 1);
        }
        !broken
    }
}

impl Line {
    pub async fn to(server: impl Fn() -> SocketAddr + Send + 'static) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let cut = Arc::new(Cut { left: AtomicI64::new(ENDLESS), cuts: watch::Sender::new(0) });
        let shared = cut.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let cuts = shared.cuts.subscribe();
                if let Ok(far) = TcpStream::connect(server()).await {
                    tokio::spawn(carry(near, far, shared.clone(), cuts));
                }
            }
        });
        Ok(Self { address, cut })
    }

    /// Breaks every connection when so many more bytes have crossed in either direction.
    pub fn cut_after(&self, bytes: u64) {
        self.cut.left.store(i64::try_from(bytes).unwrap_or(ENDLESS), Ordering::SeqCst);
    }

    /// How often it broke.
    pub fn cuts(&self) -> u32 {
        *self.cut.cuts.borrow()
    }
}

async fn carry(near: TcpStream, far: TcpStream, cut: Arc<Cut>, mut cuts: watch::Receiver<u32>) {
    cuts.mark_unchanged();
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    // Both sockets are dropped, whoever ended it.
    tokio::select! {
        () = one_way(near_in, far_out, &cut) => {}
        () = one_way(far_in, near_out, &cut) => {}
        _ = cuts.changed() => {}
    }
}

async fn one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, cut: &Cut) {
    let mut bytes = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let passes = bytes.get(..length).filter(|_| cut.lets_pass(length));
        let Some(passes) = passes else { return };
        if to.write_all(passes).await.is_err() {
            return;
        }
    }
}
