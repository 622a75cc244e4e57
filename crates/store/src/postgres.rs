//! PostgreSQL: a pool of connections, each write a serializable transaction.
//!
//! Families are written as if no other write were under way, which in SQLite none is. PostgreSQL
//! sees to the same: two transactions that would have got in each other's way do not both hold,
//! and the one that lost is carried out anew. One that lost several times is carried out alone,
//! so that every write comes to its end however many servers write.

mod place;
mod running;

pub use place::PostgresConfig;
pub(crate) use running::{Running, Stored, read_column};

use crate::session::Session;
use crate::{Error, Result, migrations};
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use place::Place;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_postgres::error::SqlState;

/// So long a call waits for a free connection, and for a new one to stand.
const PATIENCE: Duration = Duration::from_secs(10);
/// So often a write is tried beside others, before it is carried out alone.
const BESIDE_OTHERS: usize = 3;
/// The oldest release that is still kept by PostgreSQL's makers and has what we use.
const OLDEST: i64 = 130_000;

/// Every write holds the table `migration` like this, where others may too …
const BEGIN: &str =
    "BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE migration IN ROW EXCLUSIVE MODE";
/// … but one that is to be alone.
const BEGIN_ALONE: &str =
    "BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE migration IN EXCLUSIVE MODE";

/// Rule S3, whatever is the default of the database: an answered commit is on the disk.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit') = 'off'";

/// One database. Clones share it.
#[derive(Clone)]
pub(crate) struct Postgres {
    pool: Pool,
    place: Arc<Place>,
}

/// What became of one attempt.
enum Outcome<T> {
    /// It came to its end.
    Ended(Result<T>),
    /// Nothing was done, because of others or of a broken connection: to be tried again.
    Again(Error),
}

impl Postgres {
    /// Connects, and migrates the database where needed.
    pub(crate) async fn open(config: &PostgresConfig) -> Result<Self> {
        let postgres = Self::new(config)?;
        // A connection of its own: what it sets, and its lock, go with it.
        let client = Object::take(postgres.client().await?);
        let failed = |error: &tokio_postgres::Error| postgres.place.error(error);
        look(&client).await.map_err(|error| failed(&error))??;
        migrations::migrate_postgres(&client, failed).await?;
        Ok(postgres)
    }

    /// Connects and looks, but changes nothing; gives the release of PostgreSQL.
    pub(crate) async fn try_out(config: &PostgresConfig) -> Result<String> {
        let postgres = Self::new(config)?;
        let client = postgres.client().await?;
        let failed = |error: &tokio_postgres::Error| postgres.place.error(error);
        let release = look(&client).await.map_err(|error| failed(&error))??;
        migrations::check_postgres(&client, failed).await?;
        Ok(release)
    }

    fn new(config: &PostgresConfig) -> Result<Self> {
        let place = Place::of(config)?;
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(place.config.clone(), place.tls()?, recycling);
        let durable = Hook::async_fn(|client, _| {
            Box::pin(async move { client.batch_execute(DURABLE).await.map_err(HookError::Backend) })
        });
        let pool = Pool::builder(manager)
            .max_size(config.connections)
            .runtime(deadpool_postgres::Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .post_create(durable)
            .build()
            .map_err(|error| Error::Database(error.to_string()))?;
        Ok(Self { pool, place: Arc::new(place) })
    }

    /// A connection, standing as far as is known.
    async fn client(&self) -> Result<Object> {
        self.pool.get().await.map_err(|error| self.place.no_connection(&error))
    }

    /// Carries out a write; returns when it is durable. A write whose caller gave up is carried
    /// out all the same.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        mut work: impl Fn(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let postgres = self.clone();
        let all = async move {
            for begin in [BEGIN; BESIDE_OTHERS].into_iter().chain([BEGIN_ALONE]) {
                let client = postgres.client().await?;
                let place = postgres.place.clone();
                let once = move || {
                    let outcome = in_transaction(client, &place, begin, &work);
                    (work, outcome)
                };
                let outcome = blocking(once).await?;
                work = outcome.0;
                match outcome.1 {
                    Outcome::Ended(result) => return result,
                    Outcome::Again(error) if begin == BEGIN_ALONE => return Err(error),
                    Outcome::Again(_) => {}
                }
            }
            Err(Error::Closed)
        };
        tokio::spawn(all).await.map_err(broke_off)?
    }

    /// Carries out a read, on what is durable now.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        mut work: impl Fn(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        // Connections that all broke at once are found broken one by one.
        for _ in 0..BESIDE_OTHERS {
            let client = self.client().await?;
            let once = move || {
                let running = Running::new(&client, Handle::current(), None);
                let result = work(&Session::Postgres(&running));
                (work, result, running.trouble())
            };
            let (again, result, trouble) = blocking(once).await?;
            work = again;
            match trouble {
                None => return result,
                Some(error) if is_lost(&error) => {}
                Some(error) => return Err(self.place.error(&error)),
            }
        }
        Err(self.place.lost())
    }
}

/// The release, once it is certain that the database will do.
async fn look(client: &tokio_postgres::Client) -> Result<Result<String>, tokio_postgres::Error> {
    let row = client
        .query_one(
            "SELECT CAST(current_setting('server_version_num') AS BIGINT), \
             current_setting('server_version'), current_setting('server_encoding')",
            &[],
        )
        .await?;
    let (number, release, encoding): (i64, String, String) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(if number < OLDEST {
        Err(Error::Unfit(format!("it is PostgreSQL {release}; 13 or newer is needed")))
    } else if encoding != "UTF8" {
        Err(Error::Unfit(format!(
            "its encoding is {encoding}; make it with `createdb --template=template0 \
             --encoding=UTF8`"
        )))
    } else {
        Ok(release)
    })
}

/// Waits for work on a thread of its own: a session's statements wait for their answers.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(broke_off)
}

fn broke_off(error: tokio::task::JoinError) -> Error {
    Error::Database(format!("the work broke off: {error}"))
}

/// A connection with a transaction in it: unless it is given back, it is closed with it.
struct Open(Option<Object>);

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Object::take(client));
        }
    }
}

fn in_transaction<T>(
    client: Object,
    place: &Place,
    begin: &'static str,
    work: &impl Fn(&Session<'_>) -> Result<T>,
) -> Outcome<T> {
    let mut open = Open(Some(client));
    let Some(client) = &open.0 else { return Outcome::Ended(Err(Error::Closed)) };
    let running = Running::new(client, Handle::current(), Some(begin));
    let result = work(&Session::Postgres(&running));
    let trouble = running.trouble();
    let end = match (&trouble, &result) {
        (Some(error), _) if is_lost(error) => return Outcome::Again(place.error(error)),
        (None, Ok(_)) => "COMMIT",
        _ => "ROLLBACK",
    };
    let ended = match running.has_begun() {
        true => Handle::current().block_on(client.batch_execute(end)),
        false => Ok(()),
    };
    let outcome = match (trouble, ended) {
        (Some(error), _) if is_conflict(&error) => Outcome::Again(place.error(&error)),
        (Some(error), _) => Outcome::Ended(Err(place.error(&error))),
        (None, Ok(())) => Outcome::Ended(result),
        // It said so instead of keeping it.
        (None, Err(error)) if is_conflict(&error) => Outcome::Again(place.error(&error)),
        // It may have been kept before the answer was lost: to do it anew could do it twice.
        (None, Err(error)) => return Outcome::Ended(Err(place.error(&error))),
    };
    drop(running);
    // A failed end leaves it in no known state; else the next may have it.
    drop(open.0.take().filter(|client| !client.is_closed()));
    outcome
}

/// Whether others were in the way. A key that is there already may have come since it was looked
/// for.
fn is_conflict(error: &tokio_postgres::Error) -> bool {
    let conflicts = [
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
        &SqlState::UNIQUE_VIOLATION,
    ];
    error.code().is_some_and(|code| conflicts.contains(&code))
}

/// Whether the connection broke, or the database is being stopped.
fn is_lost(error: &tokio_postgres::Error) -> bool {
    let stopped = [
        &SqlState::ADMIN_SHUTDOWN,
        &SqlState::CRASH_SHUTDOWN,
        &SqlState::CANNOT_CONNECT_NOW,
        &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    match error.code() {
        Some(code) => stopped.contains(&code),
        None => error.is_closed() || source_is_io(error),
    }
}

fn source_is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}
