//! The accounts that an order lists.

use std::collections::BTreeMap;

use anyhow::Result;
use ballast_client::accounts;
use ballast_client::cross::{listed, CrossQueueList};
use ballast_engine::units::Side;
use ballast_state::cross::CrossBoard;
use ballast_state::order_args::PlaceOrderArgs;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

use crate::cluster::cross;
use crate::cluster::refusal::Asked;
use crate::cluster::session::Session;
use crate::cluster::state::MarketState;

/// Most accounts listed by an order that fit into a transaction without a lookup table.
const MOST_LISTED: usize = 18;
/// The same by an order of a leg, which names the board as well, and may come after a cancelled one.
const MOST_LISTED_BY_LEG: usize = 17;

/// The makers that an order meets.
pub struct Met {
    /// Best first.
    makers: Vec<Pubkey>,
    traders: BTreeMap<Pubkey, Trader>,
    /// The board, where legs are among those who trade.
    pub board: Option<Box<CrossBoard>>,
}

/// What an order lists.
pub struct Listing {
    /// What comes before the makers: cross queues, and before those the board, where the order has it not already.
    pub before: Vec<Pubkey>,
    /// The makers, best first.
    pub makers: Vec<Pubkey>,
    /// Number of the makers, where not all that are met fit.
    pub cut: Option<usize>,
}

impl Met {
    /// Reads the accounts of `makers` where the market has cross margin, and the board where one of them has a leg or
    /// orders of one in it, or the order is `of_leg`.
    pub async fn read(
        session: &Session,
        state: &MarketState,
        makers: Vec<Pubkey>,
        of_leg: bool,
    ) -> Result<Self> {
        let mut met = Self {
            makers,
            traders: BTreeMap::new(),
            board: None,
        };
        if state.market.cross > 0 && !met.makers.is_empty() {
            let (_, found) = session.cluster.accounts(&met.makers).await?;
            for (address, account) in met.makers.iter().zip(found) {
                if let Some(account) = account {
                    met.traders
                        .insert(*address, accounts::trader(&account.data)?);
                }
            }
        }
        let key = &state.keys.market;
        let mut traders = met.traders.values();
        if of_leg || traders.any(|trader| trader.find_cross(key).is_some()) {
            met.board = Some(cross::board(session).await?);
        }
        Ok(met)
    }

    /// The accounts of these makers.
    pub fn accounts(&self, makers: &[Pubkey]) -> Vec<(Pubkey, Trader)> {
        let known = makers.iter();
        known
            .filter_map(|key| Some((*key, *self.traders.get(key)?)))
            .collect()
    }

    /// What an order of an isolated position lists.
    ///
    /// # Errors
    /// When an account with legs does not fit the board.
    pub fn listing(&self, state: &MarketState, args: &PlaceOrderArgs) -> Result<Listing> {
        let side = Side::from(args.side).opposite();
        let market = (&state.keys.market, &*state.market);
        self.fitting(MOST_LISTED, |makers| {
            let all = listed(makers, side, &self.traders, market, self.board.as_deref())?;
            let before = all.len().saturating_sub(makers.len());
            Ok(all.into_iter().take(before).collect())
        })
    }

    /// What an order of the account's leg lists: the cross queues of both sides in the market and of its other legs,
    /// with those of the makers.
    ///
    /// # Errors
    /// When an account with legs does not fit the board.
    pub fn with_leg(&self, asked: &Asked<'_>) -> Result<Listing> {
        let (state, trader) = (asked.state, asked.trader);
        let Some(board) = self.board.as_deref() else {
            return self.fitting(MOST_LISTED_BY_LEG, |_| Ok(Vec::new()));
        };
        let market = (&state.keys.market, &*state.market);
        let own = board.market(board.place(&state.market)?)?;
        self.fitting(MOST_LISTED_BY_LEG, |makers| {
            let mut queues = CrossQueueList::of(&[own.queue_long, own.queue_short]);
            queues.add_all(trader, board)?;
            // Both sides are there.
            queues.add_makers(makers, Side::Long, &self.traders, market, board)?;
            Ok(queues.queues().to_vec())
        })
    }

    /// As many makers as there is room for beside what `before` wants for them.
    fn fitting(
        &self,
        most: usize,
        before: impl Fn(&[Pubkey]) -> Result<Vec<Pubkey>>,
    ) -> Result<Listing> {
        let mut count = self.makers.len();
        loop {
            let makers = self.makers.get(..count).unwrap_or(&self.makers);
            let before = before(makers)?;
            if before.len().saturating_add(count) <= most || count == 0 {
                return Ok(Listing {
                    before,
                    makers: makers.to_vec(),
                    cut: (count < self.makers.len()).then_some(count),
                });
            }
            count = count.saturating_sub(1);
        }
    }
}
