//! Which accounts of a market are read, and what they are.

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use ballast_client::price::price_account;
use ballast_state::market::Market;
pub use ballast_view::state::{age_words, name_of, slot_seconds, MarketState};
use ballast_view::state::{MarketAccounts, PriceCandidate};
use solana_account::Account;

/// The sysvar with slot and time.
const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");

/// Which accounts of a market are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Market, price and book.
    Market,
    /// The two queues as well, which may be large.
    Queues,
}

/// The accounts to read: market, book, clock, queues, then the candidates for the price.
pub fn wanted(
    address: &Pubkey,
    market: &Market,
    price_accounts: &[Pubkey],
    parts: Parts,
) -> Vec<Pubkey> {
    let mut wanted = vec![*address, market.book, CLOCK];
    if parts == Parts::Queues {
        wanted.extend([market.queue_long, market.queue_short]);
    }
    wanted.extend(price_accounts);
    wanted.push(price_account(market));
    wanted
}

/// Decodes what was read of [`wanted`].
pub fn read(
    wanted: &[Pubkey],
    slot: u64,
    found: &[Option<Account>],
    decimals: u8,
    parts: Parts,
) -> Result<MarketState> {
    let data = |index: usize| found.get(index)?.as_ref().map(|account| &account.data[..]);
    let must =
        |index, what| data(index).with_context(|| format!("the {what} of the market is not there"));
    let (queues, first) = match parts {
        Parts::Market => (None, 3),
        Parts::Queues => (Some([data(3), data(4)]), 5),
    };
    MarketState::read(&MarketAccounts {
        slot,
        decimals,
        address: wanted.first().copied().unwrap_or_default(),
        market: must(0, "account")?,
        clock: must(2, "clock")?,
        book: data(1),
        queues,
        prices: wanted
            .iter()
            .zip(found)
            .skip(first)
            .map(candidate)
            .collect(),
    })
}

fn candidate<'a>((address, account): (&Pubkey, &'a Option<Account>)) -> PriceCandidate<'a> {
    PriceCandidate {
        address: *address,
        account: account.as_ref().map(|it| (it.owner, &it.data[..])),
    }
}
