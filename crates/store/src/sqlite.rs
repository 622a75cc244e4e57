//! The database file: one thread that writes, a few connections that read.
//!
//! Writes wait in a queue. The writer takes all that wait into one transaction, so that a hundred
//! phones cost one sync of the disk and not a hundred, and answers each only when it is durable
//! (`synchronous=FULL`; rule S3). Each runs in a savepoint of its own: one that fails leaves the
//! others alone.

use crate::session::Session;
use crate::{Error, Result, migrations};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};

/// So many writes at most share a transaction.
const GROUP: usize = 256;
/// So many writes at most wait; callers beyond wait to be let in.
const QUEUE: usize = 1024;
/// So many reads at once.
const READERS: usize = 4;

/// What is left to do once the transaction is durable, or was not: answer the caller.
type Answer = Box<dyn FnOnce(Result<(), &str>) + Send>;
/// One write. It is given no connection where no transaction could be begun.
type Write = Box<dyn FnOnce(Option<&Connection>) -> Answer + Send>;

/// One database file. Clones share it. The file is closed when the last is dropped.
#[derive(Clone)]
pub(crate) struct Sqlite {
    shared: Arc<Shared>,
}

struct Shared {
    // In this order: the queue is closed first, then the writer can be waited for.
    queue: Option<mpsc::Sender<Write>>,
    writer: Option<JoinHandle<()>>,
    /// Where all is done where it is asked for: what writes, in the place of the thread.
    in_place: Option<Mutex<Connection>>,
    waiting: Semaphore,
    readers: Arc<Mutex<Vec<Connection>>>,
    reading: Arc<Semaphore>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has told its callers already.
            let _ = writer.join();
        }
    }
}

impl Sqlite {
    /// Opens the file, making or migrating it where needed.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let connection = begin(path)?;
        let (queue, writes) = mpsc::channel();
        let writer = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write_all(&connection, &writes))
            .map_err(|error| Error::Database(format!("no thread to write with: {error}")))?;
        Self::with(path, Some(queue), Some(writer), None)
    }

    /// The same without threads: all is done where it is asked for.
    pub(crate) fn open_in_place(path: &Path) -> Result<Self> {
        let connection = begin(path)?;
        Self::with(path, None, None, Some(Mutex::new(connection)))
    }

    fn with(
        path: &Path,
        queue: Option<mpsc::Sender<Write>>,
        writer: Option<JoinHandle<()>>,
        in_place: Option<Mutex<Connection>>,
    ) -> Result<Self> {
        let readers = (0..READERS)
            .map(|_| connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            shared: Arc::new(Shared {
                queue,
                writer,
                in_place,
                waiting: Semaphore::new(QUEUE),
                readers: Arc::new(Mutex::new(readers)),
                reading: Arc::new(Semaphore::new(READERS)),
            }),
        })
    }

    /// Carries out a write; returns when it is durable. A write whose caller gave up is carried
    /// out all the same.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (tell, told) = oneshot::channel();
        let write: Write = Box::new(move |connection| {
            let done = connection.map(|connection| in_savepoint(connection, work));
            Box::new(move |durable| {
                let result = durable.map_err(|reason| Error::Database(reason.to_owned()));
                let result = result.and_then(|()| done.unwrap_or(Err(Error::Closed)));
                // An error only means that the caller gave up.
                let _ = tell.send(result);
            })
        });
        let _place = self.shared.waiting.acquire().await.map_err(|_| Error::Closed)?;
        match &self.shared.in_place {
            Some(connection) => {
                let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                write_group(&connection, write, std::iter::empty());
            }
            None => {
                let queue = self.shared.queue.as_ref().ok_or(Error::Closed)?;
                queue.send(write).map_err(|_| Error::Closed)?;
            }
        }
        told.await.map_err(|_| Error::Closed)?
    }

    /// Looks one row up by its key, on what is durable now. Done where it is called: it touches a
    /// few pages, nearly always in memory, and waits for no writer (WAL), so that a thread of its
    /// own would cost several times what the look-up takes.
    pub(crate) async fn look_up<T>(
        &self,
        work: impl FnOnce(&Session<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        let _permit = self.shared.reading.acquire().await.map_err(|_| Error::Closed)?;
        let mut reader = Reader { connection: None, pool: Arc::clone(&self.shared.readers) };
        work(&Session::Sqlite(reader.take()?))
    }

    /// Carries out a read, on what is durable now.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let reading = Arc::clone(&self.shared.reading);
        let permit = reading.acquire_owned().await.map_err(|_| Error::Closed)?;
        let readers = Arc::clone(&self.shared.readers);
        let read = move || {
            // Held until the connection is back in the pool, also where the caller gives up.
            let _permit = permit;
            let mut reader = Reader { connection: None, pool: readers };
            work(&Session::Sqlite(reader.take()?))
        };
        if self.shared.in_place.is_some() {
            return read();
        }
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| Error::Database(format!("a read broke off: {error}")))?
    }
}

/// A connection out of the pool, put back whatever happens.
struct Reader {
    connection: Option<Connection>,
    pool: Arc<Mutex<Vec<Connection>>>,
}

impl Reader {
    fn take(&mut self) -> Result<&Connection> {
        // There are as many connections as permits: one is always free.
        self.connection = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        self.connection.as_ref().ok_or(Error::Closed)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

/// Makes the file, and what SQLite keeps beside it, our user's alone. New files beside it get the
/// mode of the first. None of them is opened where it is there: closing it would drop the locks
/// that another connection of this process has on it.
fn keep_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let failed =
        |error: std::io::Error| Error::Database(format!("cannot open {}: {error}", path.display()));
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(failed(error));
        }
        Err(_) => {}
    }
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed(error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|error| Error::Database(format!("cannot open {}: {error}", path.display())))?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Session<'_>) -> Result<T>,
) -> Result<T> {
    connection.prepare_cached("SAVEPOINT one")?.execute([])?;
    let result = work(&Session::Sqlite(connection));
    if result.is_err() {
        connection.prepare_cached("ROLLBACK TO one")?.execute([])?;
    }
    connection.prepare_cached("RELEASE one")?.execute([])?;
    result
}

/// The connection that writes to the file, which is made or migrated where needed.
fn begin(path: &Path) -> Result<Connection> {
    keep_private(path)?;
    let mut connection = connect(path, OpenFlags::default())?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    migrations::migrate_sqlite(&mut connection)?;
    Ok(connection)
}

fn write_all(connection: &Connection, writes: &mpsc::Receiver<Write>) {
    while let Ok(first) = writes.recv() {
        write_group(connection, first, std::iter::from_fn(|| writes.try_recv().ok()));
    }
}

/// Carries out a write, with others that wait, in one transaction.
fn write_group(connection: &Connection, first: Write, others: impl Iterator<Item = Write>) {
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    let open = begun.is_ok().then_some(connection);
    let group = std::iter::once(first).chain(others).take(GROUP);
    let answers: Vec<Answer> = group.map(|write| write(open)).collect();
    let ended = begun.and_then(|()| connection.execute_batch("COMMIT"));
    if !connection.is_autocommit() {
        // Whatever this answers, the callers are told that nothing was done.
        let _ = connection.execute_batch("ROLLBACK");
    }
    let failed = ended.err().map(|error| error.to_string());
    for answer in answers {
        answer(failed.as_deref().map_or(Ok(()), Err));
    }
}
