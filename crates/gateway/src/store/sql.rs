//! What both databases answer: statements with values, one row a line.
//!
//! Every statement is written once, with `$1`, `$2` for its values, in the SQL that both understand; every
//! column is a whole number of 64 bits or text.

/// A value of a column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// None.
    Null,
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
}

impl Value {
    /// The number; `None` for another.
    #[must_use]
    pub const fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Null | Self::Text(_) => None,
        }
    }

    /// The text; `None` for another.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Int(_) => None,
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u64> for Value {
    /// A number beyond 63 bits becomes the largest: no amount, lot or slot is so large.
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row.
pub type Line = Vec<Value>;

/// Why a database did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no room.
    #[error("the database has no room left ({0}); give its disk room, or raise `store.max_bytes`: nothing is lost, what is missing is read again from the chain")]
    Full(String),
    /// Something else.
    #[error("the database refused: {0}")]
    Refused(String),
    /// What was said of it cannot be used.
    #[error("{0}")]
    Setting(String),
    /// It is of another layout.
    #[error("the database has layout {found} and this gateway writes layout {expected}: begin with an empty one, which is rebuilt from the chain")]
    Layout {
        /// What it has.
        found: String,
        /// What is written.
        expected: i64,
    },
    /// It follows another chain or another program.
    #[error("the database holds the history of {found}, not of {expected}: name another database")]
    Chain {
        /// What it has.
        found: String,
        /// What is followed.
        expected: String,
    },
    /// The work on it ended without an answer.
    #[error("the work on the database was cut short")]
    Cut,
}

/// A connection to a database.
pub trait Sql: Send {
    /// Runs a statement that answers with rows.
    ///
    /// # Errors
    /// `Refused`, `Full`; as of every method here.
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Line>, StoreError>;

    /// Runs a statement; how many rows it changed.
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError>;

    /// Runs several statements without values.
    fn batch(&mut self, sql: &str) -> Result<(), StoreError>;
}

/// The only number of the first row; `None` when there is none.
///
/// # Errors
/// Those of [`Sql::query`].
pub fn number(
    sql: &mut dyn Sql,
    statement: &str,
    values: &[Value],
) -> Result<Option<i64>, StoreError> {
    let rows = sql.query(statement, values)?;
    Ok(rows.first().and_then(|row| row.first()?.int()))
}

/// Everything or nothing of `work` is kept.
///
/// # Errors
/// Those of the work, and of the database.
pub fn whole<T>(
    sql: &mut dyn Sql,
    work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    sql.batch("BEGIN")?;
    match work(sql) {
        Ok(done) => match sql.batch("COMMIT") {
            Ok(()) => Ok(done),
            Err(error) => {
                give_up(sql);
                Err(error)
            }
        },
        Err(error) => {
            give_up(sql);
            Err(error)
        }
    }
}

/// Some errors have ended the transaction already: then this does nothing.
fn give_up(sql: &mut dyn Sql) {
    if let Err(error) = sql.batch("ROLLBACK") {
        tracing::debug!(%error, "nothing to roll back");
    }
}
