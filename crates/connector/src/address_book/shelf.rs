//! What was read of the directory, so that not every question of a phone reads all of it.

use super::book::Book;
use dme_directory::DirectoryService;
use dme_mailbox::{Error, ErrorKind, Result};
use dme_model::UserId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::time::Instant;

/// How long what was read serves while the directory cannot be asked, at the least.
const STALE: Duration = Duration::from_secs(3_600);
/// How long a directory that could not be asked is left alone, at the most.
const PAUSE: Duration = Duration::from_secs(30);

/// The books by user. Users who see the same people share one.
pub(super) struct Shelf {
    directory: Arc<dyn DirectoryService>,
    limit: u32,
    refresh: Duration,
    slots: Mutex<HashMap<UserId, Slot>>,
    books: Mutex<Vec<Weak<Book>>>,
    /// Whether it was said that there are too many people.
    told: AtomicBool,
}

/// One user's book. Who reads it holds the lock, so that it is read once.
type Slot = Arc<tokio::sync::Mutex<Option<Kept>>>;

struct Kept {
    book: Arc<Book>,
    read: Instant,
    /// When it is to be read again.
    due: Instant,
}

impl Shelf {
    pub fn new(directory: Arc<dyn DirectoryService>, limit: u32, refresh: Duration) -> Self {
        Self {
            directory,
            limit,
            refresh,
            slots: Mutex::default(),
            books: Mutex::default(),
            told: AtomicBool::new(false),
        }
    }

    /// How long what was read serves.
    pub fn refresh(&self) -> Duration {
        self.refresh
    }

    /// Whom a user sees. Where the directory cannot be asked, whom they saw not long ago.
    pub async fn book_of(&self, user: &UserId) -> Result<Arc<Book>> {
        let slot = self.slot(user);
        let mut kept = slot.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| Instant::now() < kept.due) {
            return Ok(kept.book.clone());
        }
        match self.directory.everyone(user, self.limit).await {
            Ok(everyone) => {
                let book = self.shared(Book::of(everyone));
                self.tell_if_too_many(&book);
                let now = Instant::now();
                *kept = Some(Kept { book: book.clone(), read: now, due: now + self.refresh });
                drop(kept);
                self.clear();
                Ok(book)
            }
            Err(error) => {
                let Some(old) = kept.as_mut().filter(|kept| !self.is_stale(kept)) else {
                    return Err(told(&error));
                };
                tracing::warn!(%error, "the address list is shown as it was read before");
                old.due = Instant::now() + PAUSE.min(self.refresh);
                Ok(old.book.clone())
            }
        }
    }

    fn slot(&self, user: &UserId) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(user.clone()).or_default().clone()
    }

    /// The book itself, or the same that another user has.
    fn shared(&self, book: Book) -> Arc<Book> {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.retain(|other| other.strong_count() > 0);
        if let Some(same) = books.iter().filter_map(Weak::upgrade).find(|other| **other == book) {
            return same;
        }
        let book = Arc::new(book);
        books.push(Arc::downgrade(&book));
        book
    }

    /// Forgets what is too old to serve.
    fn clear(&self) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| match slot.try_lock() {
            Ok(kept) => kept.as_ref().is_some_and(|kept| !self.is_stale(kept)),
            // It is being read.
            Err(_) => true,
        });
    }

    fn is_stale(&self, kept: &Kept) -> bool {
        kept.read.elapsed() >= STALE.max(self.refresh * 2)
    }

    fn tell_if_too_many(&self, book: &Book) {
        if !book.is_complete() && !self.told.swap(true, Ordering::Relaxed) {
            let limit = self.limit;
            tracing::warn!(limit, "more people than address_book.limit: phones get some of them");
        }
    }
}

/// A directory's error in the terms of a mailbox.
fn told(error: &dme_directory::Error) -> Error {
    use dme_directory::Error::{Busy, NotChosen, OffHours, Protocol, Refused, Unavailable};
    let kind = match error {
        Busy(_) => ErrorKind::Busy { after: PAUSE },
        // The administrator will mend it, then it works again.
        Unavailable(_) | OffHours { .. } | Refused(_) | NotChosen(_) => ErrorKind::Unavailable,
        Protocol(_) => ErrorKind::Protocol,
    };
    Error::new(kind, format!("read the address list: {error}"))
}
