//! SQLite, in one file, in WAL mode: readers do not wait for the writer.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{params_from_iter, Connection, ErrorCode, ToSql};

use super::sql::{Line, Sql, StoreError, Value};

/// How long a statement waits for another writer.
const BUSY: Duration = Duration::from_secs(10);
/// Statements that stay prepared.
const PREPARED: usize = 64;

/// A connection to a file.
pub struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    /// Opens a file, which is made where there is none.
    ///
    /// # Errors
    /// When it cannot be opened, or is no database.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path).map_err(told)?;
        connection.busy_timeout(BUSY).map_err(told)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        // A commit reaches the disk before it counts: a machine that loses power loses no transaction whose
        // cursor was moved.
        let modes =
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
        connection.execute_batch(modes).map_err(told)?;
        Ok(Self { connection })
    }

    /// Lets the file grow to so many bytes and no further.
    ///
    /// # Errors
    /// Those of the database.
    pub fn limit(&mut self, bytes: u64) -> Result<(), StoreError> {
        let page: i64 = self
            .connection
            .query_row("PRAGMA page_size", [], |row| row.get(0))
            .map_err(told)?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
        self.batch(&format!("PRAGMA max_page_count = {}", pages.max(1)))
    }
}

impl Sql for Sqlite {
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Line>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&numbered(sql))
            .map_err(told)?;
        let columns = statement.column_count();
        let mut rows = statement.query(params_from_iter(values)).map_err(told)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(told)? {
            let line = (0..columns).map(|column| {
                let value = row.get_ref(column).map_err(told)?;
                Ok(match value {
                    ValueRef::Integer(number) => Value::Int(number),
                    ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                    ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => Value::Null,
                })
            });
            found.push(line.collect::<Result<Line, StoreError>>()?);
        }
        Ok(found)
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&numbered(sql))
            .map_err(told)?;
        let changed = statement.execute(params_from_iter(values)).map_err(told)?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        let sql = match sql {
            "BEGIN" => "BEGIN IMMEDIATE",
            other => other,
        };
        self.connection.execute_batch(sql).map_err(told)
    }
}

/// SQLite numbers its values `?1`.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

fn told(error: rusqlite::Error) -> StoreError {
    let said = error.to_string();
    let full = [Some(ErrorCode::DiskFull), Some(ErrorCode::SystemIoFailure)];
    let full = full.contains(&error.sqlite_error_code());
    match full {
        true => StoreError::Full(said),
        false => StoreError::Refused(said),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}
