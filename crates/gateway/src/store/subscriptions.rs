//! Who is told of what, what has been raised, and what is to be delivered.

use std::collections::BTreeMap;

use super::sql::{number, Sql, StoreError, Value};

/// A subscription as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSubscription {
    /// Its name.
    pub id: String,
    /// The trader account.
    pub trader: String,
    /// The wallet that made it.
    pub wallet: String,
    /// When, unix seconds.
    pub made: i64,
    /// Its terms, JSON.
    pub body: String,
}

fn text(row: &[Value], index: usize) -> String {
    let text = row.get(index).and_then(Value::text);
    text.unwrap_or_default().to_owned()
}

/// All subscriptions.
///
/// # Errors
/// Those of the database, as of every function here.
pub fn all(sql: &mut dyn Sql) -> Result<Vec<StoredSubscription>, StoreError> {
    let rows = sql.query(
        "SELECT id, trader, wallet, made, body FROM subscription ORDER BY id",
        &[],
    )?;
    let stored = rows.iter().map(|row| StoredSubscription {
        id: text(row, 0),
        trader: text(row, 1),
        wallet: text(row, 2),
        made: row.get(3).and_then(Value::int).unwrap_or(0),
        body: text(row, 4),
    });
    Ok(stored.collect())
}

/// Adds a subscription unless the trader account has `each` or there are `most`; whether it was added.
pub fn add(
    sql: &mut dyn Sql,
    one: &StoredSubscription,
    each: u32,
    most: u32,
) -> Result<bool, StoreError> {
    let own = "SELECT COUNT(*) FROM subscription WHERE trader = $1";
    let own = number(sql, own, &[one.trader.as_str().into()])?.unwrap_or(0);
    let all = number(sql, "SELECT COUNT(*) FROM subscription", &[])?.unwrap_or(0);
    if own >= each.into() || all >= most.into() {
        return Ok(false);
    }
    sql.execute(
        "INSERT INTO subscription (id, trader, wallet, made, body) VALUES ($1, $2, $3, $4, $5)",
        &[
            one.id.as_str().into(),
            one.trader.as_str().into(),
            one.wallet.as_str().into(),
            one.made.into(),
            one.body.as_str().into(),
        ],
    )?;
    Ok(true)
}

/// Ends a subscription, and what of it was to be delivered.
pub fn remove(sql: &mut dyn Sql, id: &str) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM subscription WHERE id = $1",
        "DELETE FROM raised WHERE subscription = $1",
        "DELETE FROM outbox WHERE subscription = $1",
    ] {
        sql.execute(statement, &[id.into()])?;
    }
    Ok(())
}

/// What has been raised and has not ended: markets and kinds by subscription.
pub fn raised(sql: &mut dyn Sql) -> Result<BTreeMap<String, Vec<(u16, String)>>, StoreError> {
    let rows = sql.query("SELECT subscription, market, kind FROM raised", &[])?;
    let mut all: BTreeMap<String, Vec<(u16, String)>> = BTreeMap::new();
    for row in &rows {
        let market = row.get(1).and_then(Value::int).unwrap_or(0);
        if let Ok(market) = u16::try_from(market) {
            let kind = (market, text(row, 2));
            all.entry(text(row, 0)).or_default().push(kind);
        }
    }
    Ok(all)
}

/// Something to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its name: a letter with it is delivered once.
    pub id: String,
    /// To which subscription.
    pub subscription: String,
    /// When it was written, unix seconds.
    pub made: i64,
    /// What it says, JSON.
    pub body: String,
    /// What it begins (true) or ends: market and kind.
    pub raised: Option<(bool, u16, String)>,
}

/// Keeps letters until they are delivered, and what they raise or end.
pub fn post(sql: &mut dyn Sql, letters: &[Letter]) -> Result<(), StoreError> {
    for letter in letters {
        if let Some((raised, market, kind)) = &letter.raised {
            let values = [
                letter.subscription.as_str().into(),
                Value::Int((*market).into()),
                kind.as_str().into(),
            ];
            let statement = match raised {
                true => {
                    "INSERT INTO raised (subscription, market, kind) VALUES ($1, $2, $3)
                     ON CONFLICT DO NOTHING"
                }
                false => "DELETE FROM raised WHERE subscription = $1 AND market = $2 AND kind = $3",
            };
            sql.execute(statement, &values)?;
        }
        sql.execute(
            "INSERT INTO outbox (id, subscription, made, body) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
            &[
                letter.id.as_str().into(),
                letter.subscription.as_str().into(),
                letter.made.into(),
                letter.body.as_str().into(),
            ],
        )?;
    }
    Ok(())
}

/// The oldest letters.
pub fn waiting(sql: &mut dyn Sql, most: u32) -> Result<Vec<Letter>, StoreError> {
    let rows = sql.query(
        "SELECT id, subscription, made, body FROM outbox ORDER BY made, id LIMIT $1",
        &[most.into()],
    )?;
    let letters = rows.iter().map(|row| Letter {
        id: text(row, 0),
        subscription: text(row, 1),
        made: row.get(2).and_then(Value::int).unwrap_or(0),
        body: text(row, 3),
        raised: None,
    });
    Ok(letters.collect())
}

/// A letter is delivered, or given up.
pub fn done(sql: &mut dyn Sql, id: &str) -> Result<(), StoreError> {
    sql.execute("DELETE FROM outbox WHERE id = $1", &[id.into()])?;
    Ok(())
}
