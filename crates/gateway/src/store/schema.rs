//! The tables, the same in both databases.

use super::sql::{Sql, StoreError};

/// Number of this layout.
pub const LAYOUT: i64 = 2;

/// What makes the tables. Amounts in atoms, sizes in lots, prices in ticks, times in unix seconds.
///
/// `tx`, `event` and `entry` are the history: an entry is one thing that one event says, and `signature`, `idx` (of
/// the event among those of its transaction) and `sub` (of the entry among those of its event) name it, so that none
/// can be there twice. `place` orders the transactions of a slot. A `parameter` is one of a market that an event made or
/// changed. `change` holds changes of sums (positions, insurance, funding indices) until their transactions are final;
/// then they are joined in `standing`, and what does not join is a `hole`.
pub const TABLES: &str = "
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tx (
  signature TEXT PRIMARY KEY, slot BIGINT NOT NULL, place BIGINT NOT NULL, time BIGINT,
  final BIGINT NOT NULL);
CREATE INDEX IF NOT EXISTS tx_order ON tx (slot, place);
CREATE TABLE IF NOT EXISTS event (
  signature TEXT NOT NULL, idx BIGINT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (signature, idx));
CREATE TABLE IF NOT EXISTS entry (
  signature TEXT NOT NULL, idx BIGINT NOT NULL, sub BIGINT NOT NULL,
  slot BIGINT NOT NULL, place BIGINT NOT NULL, time BIGINT,
  kind TEXT NOT NULL, event TEXT NOT NULL, market BIGINT, trader TEXT, other TEXT, side TEXT,
  lots BIGINT, price_ticks BIGINT, quote_atoms BIGINT, fee_atoms BIGINT, other_fee_atoms BIGINT,
  amount_atoms BIGINT, before_value BIGINT, after_value BIGINT, mark_ticks BIGINT, number TEXT, detail TEXT,
  PRIMARY KEY (signature, idx, sub));
CREATE INDEX IF NOT EXISTS entry_market ON entry (kind, market, slot, place, idx, sub);
CREATE INDEX IF NOT EXISTS entry_time ON entry (kind, market, time);
CREATE INDEX IF NOT EXISTS entry_trader ON entry (trader, slot, place, idx, sub);
CREATE INDEX IF NOT EXISTS entry_other ON entry (other, slot, place, idx, sub);
CREATE TABLE IF NOT EXISTS parameter (
  signature TEXT NOT NULL, idx BIGINT NOT NULL, sub BIGINT NOT NULL,
  slot BIGINT NOT NULL, place BIGINT NOT NULL, time BIGINT, event TEXT NOT NULL, market BIGINT,
  name TEXT NOT NULL, before_value TEXT, after_value TEXT NOT NULL,
  PRIMARY KEY (signature, idx, sub));
CREATE INDEX IF NOT EXISTS parameter_market ON parameter (market, slot, place, idx, sub);
CREATE TABLE IF NOT EXISTS change (
  signature TEXT NOT NULL, idx BIGINT NOT NULL, sub BIGINT NOT NULL, market TEXT NOT NULL, what TEXT NOT NULL,
  trader TEXT NOT NULL, before_value BIGINT, after_value BIGINT, moved BIGINT, fees BIGINT,
  PRIMARY KEY (signature, idx, sub));
CREATE TABLE IF NOT EXISTS standing (
  market TEXT NOT NULL, what TEXT NOT NULL, trader TEXT NOT NULL, value BIGINT NOT NULL,
  PRIMARY KEY (market, what, trader));
CREATE TABLE IF NOT EXISTS hole (
  signature TEXT NOT NULL, idx BIGINT NOT NULL, sub BIGINT NOT NULL, what TEXT NOT NULL, market TEXT,
  trader TEXT, slot BIGINT NOT NULL, expected BIGINT NOT NULL, found BIGINT NOT NULL,
  PRIMARY KEY (signature, idx, sub, what));
CREATE TABLE IF NOT EXISTS candle (
  market BIGINT NOT NULL, seconds BIGINT NOT NULL, start BIGINT NOT NULL, open BIGINT NOT NULL, high BIGINT NOT NULL,
  low BIGINT NOT NULL, close BIGINT NOT NULL, lots BIGINT NOT NULL, quote_atoms BIGINT NOT NULL, fills BIGINT NOT NULL,
  PRIMARY KEY (market, seconds, start));
CREATE TABLE IF NOT EXISTS subscription (
  id TEXT PRIMARY KEY, trader TEXT NOT NULL, wallet TEXT NOT NULL, made BIGINT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS subscription_trader ON subscription (trader);
CREATE TABLE IF NOT EXISTS raised (
  subscription TEXT NOT NULL, market BIGINT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (subscription, market, kind));
CREATE TABLE IF NOT EXISTS outbox (
  id TEXT PRIMARY KEY, subscription TEXT NOT NULL, made BIGINT NOT NULL, body TEXT NOT NULL);
";

/// Makes the tables where there are none, and notes what they hold the history of.
///
/// # Errors
/// `Layout`, `Chain`; those of the database.
pub fn prepare(sql: &mut dyn Sql, chain: &str) -> Result<(), StoreError> {
    sql.batch(TABLES)?;
    let known = |sql: &mut dyn Sql, name: &str, value: String| -> Result<String, StoreError> {
        sql.execute(
            "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            &[name.into(), value.into()],
        )?;
        let found = sql.query("SELECT value FROM meta WHERE name = $1", &[name.into()])?;
        let found = found.first().and_then(|row| row.first()?.text());
        Ok(found.unwrap_or_default().to_owned())
    };
    let layout = known(sql, "layout", LAYOUT.to_string())?;
    if layout != LAYOUT.to_string() {
        return Err(StoreError::Layout {
            found: layout,
            expected: LAYOUT,
        });
    }
    let found = known(sql, "chain", chain.to_owned())?;
    match found == chain {
        true => Ok(()),
        false => Err(StoreError::Chain {
            found,
            expected: chain.to_owned(),
        }),
    }
}
