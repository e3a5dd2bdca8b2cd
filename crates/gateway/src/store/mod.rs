//! Where history is kept: SQLite in one file, or Postgres.
//!
//! Everything in it but the subscriptions of alerts follows from the chain: an empty database fills itself.

pub mod candles;
pub mod finality;
pub mod parameters;
mod postgres;
pub mod read;
mod schema;
mod server;
pub mod sql;
mod sqlite;
pub mod subscriptions;
pub mod write;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use self::postgres::Postgres;
use self::sqlite::Sqlite;
use sql::{whole, Sql, StoreError};

pub use schema::LAYOUT;

/// Connections for reading.
const READERS: usize = 4;

/// Which database.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A file, and how many bytes it may have.
    Sqlite(PathBuf, Option<u64>),
    /// A connection string of a server, and a file with the certificates that it is trusted by.
    Postgres(String, Option<PathBuf>),
}

impl core::fmt::Display for Place {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Sqlite(path, _) => write!(formatter, "SQLite at {}", path.display()),
            // The string may hold a password.
            Self::Postgres(..) => formatter.write_str("Postgres"),
        }
    }
}

impl Place {
    fn open(&self) -> Result<Box<dyn Sql>, StoreError> {
        Ok(match self {
            Self::Sqlite(path, limit) => {
                let mut file = Sqlite::open(path)?;
                if let Some(bytes) = limit {
                    file.limit(*bytes)?;
                }
                Box::new(file)
            }
            Self::Postgres(config, authorities) => {
                Box::new(Postgres::open(config, authorities.as_deref())?)
            }
        })
    }
}

/// A database. What its methods take runs on a thread that may wait.
pub struct Store {
    place: Place,
    writer: Mutex<Box<dyn Sql>>,
    readers: Vec<Mutex<Box<dyn Sql>>>,
    next: AtomicUsize,
}

impl Store {
    /// Opens it for the history of a chain, which a text names.
    ///
    /// # Errors
    /// When it cannot be opened, or holds something else.
    pub fn open(place: Place, chain: &str) -> Result<Arc<Self>, StoreError> {
        let mut writer = place.open()?;
        schema::prepare(writer.as_mut(), chain)?;
        let readers = (0..READERS).map(|_| Ok(Mutex::new(place.open()?)));
        Ok(Arc::new(Self {
            readers: readers.collect::<Result<_, StoreError>>()?,
            writer: Mutex::new(writer),
            next: AtomicUsize::new(0),
            place,
        }))
    }

    /// Which it is.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Reads, here and now.
    ///
    /// # Errors
    /// Those of the work.
    pub fn read_here<T>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let index = self.next.fetch_add(1, Ordering::Relaxed) % READERS;
        let reader = self.readers.get(index).unwrap_or(&self.writer);
        let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
        work(reader.as_mut())
    }

    /// Writes all of it or nothing, here and now.
    ///
    /// # Errors
    /// Those of the work, and of the database.
    pub fn write_here<T>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        whole(writer.as_mut(), work)
    }

    /// Reads.
    ///
    /// # Errors
    /// Those of the work.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || store.read_here(work)).await;
        done.unwrap_or(Err(StoreError::Cut))
    }

    /// Writes all of it or nothing.
    ///
    /// # Errors
    /// Those of the work, and of the database.
    pub async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || store.write_here(work)).await;
        done.unwrap_or(Err(StoreError::Cut))
    }
}
