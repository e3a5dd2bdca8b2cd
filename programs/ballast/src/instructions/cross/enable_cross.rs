//! Gives a market cross margin.

use anchor_lang::prelude::*;
use ballast_engine::{oracle::Action, units::Side, wind_down::MarketAction};
use ballast_state::{
    cross::{report, EnableCrossArgs},
    error::BallastError,
    events::CrossEnabled,
    exchange::Exchange,
    market::Market,
    seeds::EXCHANGE_ADDRESS,
};

use crate::loaders::{board_account::BoardAccount, cross_queues, current::Current};
use crate::{emit::emit, error::error, nonce::refuse_nonce, oracle::touch};

/// Accounts of `enable_cross`.
#[event_cpi]
#[derive(Accounts)]
pub struct EnableCross<'info> {
    /// The admin.
    pub admin: Signer<'info>,
    /// The exchange.
    #[account(address = EXCHANGE_ADDRESS @ BallastError::WrongExchange)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// CHECK: the board, checked by `BoardAccount::load`.
    #[account(mut)]
    pub board: UncheckedAccount<'info>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: cross queue of the longs, handed over zeroed; checked by `cross_queues::create`.
    #[account(mut)]
    pub cross_long: UncheckedAccount<'info>,
    /// CHECK: cross queue of the shorts, handed over zeroed; checked by `cross_queues::create`.
    #[account(mut)]
    pub cross_short: UncheckedAccount<'info>,
    /// CHECK: the market's oracle adapter checks owner, feed or key, and contents.
    pub price: UncheckedAccount<'info>,
    /// CHECK: the sysvar of the transaction's instructions, checked by `refuse_nonce`.
    pub instructions: UncheckedAccount<'info>,
}

impl EnableCross<'_> {
    /// Takes over two zeroed queues and puts the market on the board with its mark. It takes nothing from
    /// anybody, so it does not wait.
    ///
    /// # Errors
    /// `NotAdmin`, `DurableNonce`, `CrossEnabledAlready`, `CrossTolerance`, `CrossLimits`, `BoardFull`,
    /// `WrongBoard`, `WrongCrossQueue`, `MarketEnded`, the `Price...` errors.
    pub fn handle(ctx: Context<Self>, args: EnableCrossArgs) -> Result<()> {
        refuse_nonce(&ctx.accounts.instructions)?;
        let event = ctx.accounts.enable(&args)?;
        emit(&ctx.accounts.event_authority, &event)
    }

    #[inline(never)]
    fn enable(&self, args: &EnableCrossArgs) -> Result<CrossEnabled> {
        let clock = Clock::get()?;
        let pauses = {
            let exchange = self.exchange.current()?;
            exchange.require_admin(self.admin.key)?;
            exchange.pauses(clock.slot)
        };
        let key = self.market.key();
        let mut market = self.market.current_mut()?;
        market.require(MarketAction::ChangeParameters)?;
        market.require_cross_possible()?;
        let touched = touch(&mut market, &self.price, Action::Open, &clock, pauses)?;
        cross_queues::create(&self.cross_long, &key, Side::Long)?;
        cross_queues::create(&self.cross_short, &key, Side::Short)?;
        let queues = [self.cross_long.key(), self.cross_short.key()];
        let mut board = BoardAccount::load(&self.board)?.write()?;
        let report = report(&market, &touched, clock.slot);
        let place = board.enable(&key, queues, args, &report)?;
        let number = u8::try_from(place).ok().and_then(|at| at.checked_add(1));
        market.cross = number.ok_or_else(|| error!(BallastError::BoardFull))?;
        market.invariant()?;
        let [queue_long, queue_short] = queues;
        Ok(CrossEnabled {
            market: key,
            place: u32::from(market.cross).wrapping_sub(1),
            queue_long,
            queue_short,
            most_lots: args.most_lots,
            draw_cap_bps: args.draw_cap_bps,
            max_age_slots: args.max_age_slots,
        })
    }
}
