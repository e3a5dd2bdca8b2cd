//! The list of counterparties that a keeper supplies: its accounts checked, its members cut.

use anchor_lang::prelude::*;
use ballast_engine::{
    adl::{Cut, CutDone, Deleveraging, SkipReason},
    position::Position,
    queue::CutStamp,
    rank::{Class, Round},
};
use ballast_state::{
    error::BallastError, events::CounterpartyCut, instructions::MAX_COUNTERPARTIES, trader::Trader,
};

use crate::loaders::current::Current;
use crate::{
    error::{error, require, require_keys_neq, OrBallast},
    instructions::{
        orders::cancel_for,
        position_change::{Change, PositionChanges, Remembered},
    },
    loaders::{book_account::MarketBook, queue_account::MarketQueues},
};

/// Checks what needs no ranking: the list is not too long, every listed account belongs to the program and is writable, none
/// is the bankrupt's, none stands twice.
///
/// # Errors
/// `AdlListTooLong`, `AdlForeignAccount`, `AdlBankruptInList`, `AdlDuplicateCounterparty`.
pub fn check_list(listed: &[AccountInfo], bankrupt: &Pubkey) -> Result<()> {
    require!(
        listed.len() <= MAX_COUNTERPARTIES,
        BallastError::AdlListTooLong
    );
    for (place, account) in listed.iter().enumerate() {
        require!(
            *account.owner == crate::ID && account.is_writable,
            BallastError::AdlForeignAccount
        );
        require_keys_neq!(*account.key, *bankrupt, BallastError::AdlBankruptInList);
        let repeated = listed
            .iter()
            .take(place)
            .any(|earlier| earlier.key == account.key);
        require!(!repeated, BallastError::AdlDuplicateCounterparty);
    }
    Ok(())
}

/// Whether a checked list shows somebody who may be cut once the next pass opens.
///
/// # Errors
/// `AdlForeignAccount` for an account that is no trader, `TreeCorrupt`.
#[inline(never)]
pub fn shows_waiting<'info>(
    listed: &'info [AccountInfo<'info>],
    market: &Pubkey,
    round: &Round,
    queues: &MarketQueues,
) -> Result<bool> {
    let mut waits = false;
    for account in listed {
        let loader = AccountLoader::<Trader>::try_from(account)
            .map_err(|_| error!(BallastError::AdlForeignAccount))?;
        let trader = loader.current()?;
        let slot = trader.find(market).and_then(|at| trader.positions.get(at));
        let Some(slot) = slot.filter(|slot| {
            slot.position()
                .is_ok_and(|held| held.side() == Some(round.side))
        }) else {
            continue;
        };
        let node = slot.queue_node;
        waits |= queues.read(round.side, |queue| {
            let entry = queue.entry(node).or_ballast()?;
            require!(
                entry.trader == account.key.to_bytes(),
                BallastError::TreeCorrupt
            );
            round.waits_for_pass(entry).or_ballast()
        })?;
    }
    Ok(waits)
}

/// A checked list while it is worked through.
pub struct CutList<'a, 'info> {
    market: Pubkey,
    queues: &'a MarketQueues<'a, 'info>,
    /// The market's book.
    pub book: &'a MarketBook<'a, 'info>,
    listed: &'info [AccountInfo<'info>],
    /// Positions that are at their cap, of those looked at since it was set to 0.
    pub at_cap: usize,
    /// What was cut so far, in order.
    pub cuts: Vec<CounterpartyCut>,
    /// Queue node of the last one cut, while it is still in the queue.
    pub last_node: Option<u32>,
}

impl<'a, 'info> CutList<'a, 'info> {
    /// A list to be worked through in the market `market`.
    pub fn new(
        market: Pubkey,
        queues: &'a MarketQueues<'a, 'info>,
        book: &'a MarketBook<'a, 'info>,
        listed: &'info [AccountInfo<'info>],
    ) -> Self {
        Self {
            market,
            queues,
            book,
            listed,
            at_cap: 0,
            cuts: Vec::with_capacity(listed.len()),
            last_node: None,
        }
    }

    /// Cuts every listed counterparty in turn, as far as lots remain.
    ///
    /// # Errors
    /// `AdlForeignAccount` for an account that is no trader, `AdlListOutOfOrder`, `TreeCorrupt`.
    pub fn cut_all(
        &mut self,
        changes: &mut PositionChanges,
        state: &mut Deleveraging,
    ) -> Result<()> {
        self.at_cap = 0;
        for account in self.listed {
            if let Some(cut) = self.cut(account, changes, state)? {
                self.cuts.push(cut);
            }
        }
        Ok(())
    }

    /// Whether nobody could be cut because every position listed is at its cap.
    pub fn is_exhausted(&self) -> bool {
        self.cuts.is_empty() && self.at_cap > 0
    }

    /// Cuts one listed counterparty.
    ///
    /// # Errors
    /// Those of [`Self::cut_all`].
    #[inline(never)]
    pub fn cut(
        &mut self,
        account: &'info AccountInfo<'info>,
        changes: &mut PositionChanges,
        state: &mut Deleveraging,
    ) -> Result<Option<CounterpartyCut>> {
        let loader = AccountLoader::<Trader>::try_from(account)
            .map_err(|_| error!(BallastError::AdlForeignAccount))?;
        let mut trader = loader.current_mut()?;
        let free = trader.free();
        let Some(index) = trader.find(&self.market) else {
            return Ok(None);
        };
        let slot = trader
            .positions
            .get_mut(index)
            .ok_or_else(|| error!(BallastError::NoPosition))?;
        if slot.lots == 0 {
            return Ok(None);
        }
        let before = slot.position()?.settle(state.round().funding_index);
        let before = before.or_ballast()?;
        // Who has turned to the other side has left, as far as this round goes.
        if before.side() != Some(state.round().side) {
            return Ok(None);
        }
        let node = slot.queue_node;
        let (sequence, stamp) = self.ranked_by(account.key, node, state)?;
        let Some(done) = decide(state, &before, sequence, stamp)? else {
            return Ok(None);
        };
        let done = match done {
            Decided::AtCap => {
                self.at_cap = self.at_cap.wrapping_add(1);
                return Ok(None);
            }
            Decided::Cut(done) => done,
        };
        let mut entered = changes.enter(free, slot.order_margin);
        let cancelled = cancel_for(account.key, self.book, slot)?;
        let change = Change {
            trader: account.key,
            before: &before,
            after: &done.position_after,
            remembered: Remembered::Before,
            stamp: Some(done.stamp),
        };
        changes.apply(&mut entered, slot, &change)?;
        self.last_node = (!done.position_after.is_empty()).then_some(node);
        trader.add_free(done.payout)?;
        let mut cut = record(account.key, sequence, &before, &done);
        if let Some(cancelled) = cancelled {
            trader.credit(cancelled.margin_atoms)?;
            cut.cancelled_orders = cancelled.orders;
            cut.cancelled_margin_atoms = cancelled.margin_atoms;
        }
        changes.leave(account.key, &mut trader, &entered, 0)?;
        Ok(Some(cut))
    }

    /// Sequence number and stamp of the trader's queue entry, which must be the trader's.
    fn ranked_by(
        &self,
        trader: &Pubkey,
        node: u32,
        state: &Deleveraging,
    ) -> Result<(u64, CutStamp)> {
        self.queues.read(state.round().side, |queue| {
            let entry = queue.entry(node).or_ballast()?;
            require!(entry.trader == trader.to_bytes(), BallastError::TreeCorrupt);
            Ok((entry.sequence, entry.stamp()))
        })
    }
}

#[allow(clippy::large_enum_variant)] // the heap takes no box back: 32 of them would fill it
enum Decided {
    AtCap,
    Cut(CutDone),
}

/// What the engine does with a counterparty; `None` when it has no say in the order.
#[inline(never)]
fn decide(
    state: &mut Deleveraging,
    position: &Position,
    sequence: u64,
    stamp: CutStamp,
) -> Result<Option<Decided>> {
    match state.cut(position, sequence, stamp) {
        Ok(Cut::Done(done)) => Ok(Some(Decided::Cut(done))),
        Ok(Cut::Skipped(SkipReason::AtCap)) => Ok(Some(Decided::AtCap)),
        Ok(Cut::Skipped(_)) => Ok(None),
        Err(error) => Err(BallastError::from(error).into()),
    }
}

/// A cut as it is recorded.
pub fn record(
    trader: &Pubkey,
    sequence: u64,
    before: &Position,
    done: &CutDone,
) -> CounterpartyCut {
    CounterpartyCut {
        trader: *trader,
        sequence,
        lots_before: before.lots.get(),
        entry_quote_before: before.entry_quote.get(),
        margin_before: before.margin.get(),
        winner: done.ranked.class == Class::Winner,
        lots_closed: done.lots,
        quote_atoms: done.quote.get(),
        realized_atoms: done.realized.get(),
        payout_atoms: done.payout.get(),
        gave_up_atoms: done.gave_up,
        cancelled_orders: 0,
        cancelled_margin_atoms: 0,
    }
}
