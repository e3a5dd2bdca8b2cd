//! Postgres, where one writer of one machine is not enough.

use std::collections::HashMap;
use std::path::Path;

use postgres::error::SqlState;
use postgres::types::{to_sql_checked, IsNull, ToSql, Type};
use postgres::{Client, Statement};

use super::server::Server;
use super::sql::{Line, Sql, StoreError, Value};

/// A connection, which is opened again when it has ended.
pub struct Postgres {
    server: Server,
    client: Option<Client>,
    prepared: HashMap<String, Statement>,
}

impl Postgres {
    /// Connects; `config` is a connection string such as `host=/run/postgresql dbname=ballast`, `authorities` a file with
    /// the certificates that are trusted in the place of the system's.
    ///
    /// # Errors
    /// Those of [`Server::new`] and [`Server::connect`].
    pub fn open(config: &str, authorities: Option<&Path>) -> Result<Self, StoreError> {
        let server = Server::new(config, authorities)?;
        Ok(Self {
            client: Some(server.connect()?),
            server,
            prepared: HashMap::new(),
        })
    }

    /// The connection, opened again where it has ended.
    fn client(&mut self) -> Result<&mut Client, StoreError> {
        if self.client.as_ref().is_none_or(Client::is_closed) {
            self.prepared.clear();
            drop_elsewhere(self.client.take());
        }
        match &mut self.client {
            Some(client) => Ok(client),
            empty => Ok(empty.insert(self.server.connect()?)),
        }
    }

    fn prepared(&mut self, sql: &str) -> Result<Statement, StoreError> {
        self.client()?;
        if let Some(known) = self.prepared.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client()?.prepare(sql).map_err(told)?;
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop_elsewhere(self.client.take());
    }
}

/// A connection waits for its end when it is dropped, which no asynchronous task may.
fn drop_elsewhere(client: Option<Client>) {
    std::thread::spawn(move || drop(client));
}

fn params(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as _).collect()
}

impl Sql for Postgres {
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Line>, StoreError> {
        let statement = self.prepared(sql)?;
        let rows = self.client()?.query(&statement, &params(values));
        let rows = rows.map_err(told)?;
        let line = |row: &postgres::Row| -> Result<Line, StoreError> {
            let columns = row.columns().iter().enumerate();
            let values = columns.map(|(index, column)| {
                let value = if *column.type_() == Type::INT8 {
                    row.try_get::<_, Option<i64>>(index).map(Value::from)
                } else {
                    row.try_get::<_, Option<String>>(index).map(Value::from)
                };
                value.map_err(told)
            });
            values.collect()
        };
        rows.iter().map(line).collect()
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let statement = self.prepared(sql)?;
        let changed = self.client()?.execute(&statement, &params(values));
        changed.map_err(told)
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.client()?.batch_execute(sql).map_err(told)
    }
}

fn told(error: postgres::Error) -> StoreError {
    let code = error.code();
    let said = match error.as_db_error() {
        Some(error) => error.message().to_owned(),
        None => error.to_string(),
    };
    match code == Some(&SqlState::DISK_FULL) {
        true => StoreError::Full(said),
        false => StoreError::Refused(said),
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        of: &Type,
        out: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn core::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) => number.to_sql(of, out),
            Self::Text(text) => text.to_sql(of, out),
        }
    }

    fn accepts(of: &Type) -> bool {
        [Type::INT8, Type::TEXT, Type::VARCHAR].contains(of)
    }

    to_sql_checked!();
}
