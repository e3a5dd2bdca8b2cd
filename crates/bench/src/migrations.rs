//! Accounts of the release before, brought to today's layout.

use std::path::Path;

use anyhow::{Context, Result};
use ballast_client::addresses;
use ballast_client::instructions::migration::{
    MigrateBook, MigrateExchange, MigrateMarket, MigrateQueue, MigrateTrader, MAX_BOOK_NODES,
};
use ballast_client::instructions::MarketKeys;
use ballast_sandbox::{MarketConfig, MintKind, Sandbox, TxResult};
use ballast_state::Pubkey;

use crate::admin::options;
use crate::figure::Figure;
use crate::meter::Meter;
use crate::venue::Venue;

/// Where an account has its version.
const VERSION: usize = 8;
/// Where a queue has it.
const QUEUE_VERSION: usize = 8 + 36;
/// Where a book has it.
const BOOK_VERSION: usize = 8 + 32;

/// Measures every one of them, on accounts whose version is put back by one.
pub fn measure_all(program: &Path, meter: &mut Meter) -> Result<()> {
    let options = options(program, MintKind::Classic);
    let mut measure = |name: &str, shape: &str, of: &dyn Fn(&mut Venue) -> Result<TxResult>| {
        meter.measure(name, || {
            let mut venue = Venue::of(&MarketConfig::sol(), &options, 0)?;
            venue.open()?;
            Figure::of(shape, of(&mut venue)?)
        })
    };
    measure("migrate_exchange/old", "of 0.2.0", &|venue| {
        put_back(&mut venue.sandbox, &addresses::exchange(), VERSION)?;
        Ok(venue.sandbox.send(&[MigrateExchange.instruction()], &[]))
    })?;
    measure("migrate_market/old", "of 0.2.0", &|venue| {
        let MarketKeys { market, book, .. } = venue.market.keys;
        put_back(&mut venue.sandbox, &market, VERSION)?;
        let migrate = MigrateMarket { market, book };
        Ok(venue.sandbox.send(&[migrate.instruction()], &[]))
    })?;
    measure("migrate_queue/old", "of 0.2.0", &|venue| {
        let queue = venue.market.keys.queue_long;
        put_back(&mut venue.sandbox, &queue, QUEUE_VERSION)?;
        let migrate = MigrateQueue { queue };
        Ok(venue.sandbox.send(&[migrate.instruction()], &[]))
    })?;
    measure("migrate_book/old", "of 0.2.0, no orders", &|venue| {
        let MarketKeys { market, book, .. } = venue.market.keys;
        put_back(&mut venue.sandbox, &book, BOOK_VERSION)?;
        let migrate = MigrateBook {
            market,
            book,
            max_nodes: MAX_BOOK_NODES,
        };
        Ok(venue.sandbox.send(&[migrate.instruction()], &[]))
    })?;
    measure("migrate_trader/old", "of 0.2.0, one position", &|venue| {
        let trader = venue.alice.address;
        put_back(&mut venue.sandbox, &trader, VERSION)?;
        let migrate = MigrateTrader { trader, books: &[] };
        Ok(venue.sandbox.send(&[migrate.instruction()], &[]))
    })
}

fn put_back(sandbox: &mut Sandbox, address: &Pubkey, version: usize) -> Result<()> {
    let mut account = sandbox.account(address).context("an account")?;
    let byte = account.data.get_mut(version).context("a version")?;
    *byte = byte.checked_sub(1).context("a version above 0")?;
    sandbox.set_account(address, account);
    Ok(())
}
