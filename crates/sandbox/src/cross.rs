//! Cross margin: the board, the pool that legs share, and what is done to legs.

use ballast_client::accounts::{self, CrossQueueSnapshot};
use ballast_client::addresses;
use ballast_client::instructions::anyone::Takeover;
use ballast_client::instructions::cross;
use ballast_engine::units::Side;
use ballast_state::cross::{CrossBoard, EnableCrossArgs};
use ballast_state::instructions::BlockTradeCrossArgs;
use ballast_state::order_args::PlaceOrderArgs;
use ballast_state::position_slot::PositionSlot;
use ballast_state::Pubkey;

use crate::cookie::MarketCookie;
use crate::outcome::{TxError, TxResult};
use crate::trading::{BlockTrade, TraderCookie};
use crate::world::Sandbox;

/// The cross queues of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrossCookie {
    /// Of the longs.
    pub long: Pubkey,
    /// Of the shorts.
    pub short: Pubkey,
}

impl CrossCookie {
    /// Both.
    pub const fn both(&self) -> [Pubkey; 2] {
        [self.long, self.short]
    }

    /// That of `side`.
    pub const fn of(&self, side: Side) -> Pubkey {
        match side {
            Side::Long => self.long,
            Side::Short => self.short,
        }
    }
}

impl Sandbox {
    /// Creates the board.
    pub fn create_board(&mut self) -> TxResult {
        let instruction = cross::CreateBoard {
            admin: self.admin(),
            payer: self.payer(),
        }
        .instruction();
        self.send(&[instruction], &[&self.admin_keypair()])
    }

    /// Two zeroed accounts with room for so many legs each.
    pub fn create_cross_queues(&mut self, legs: usize) -> Result<CrossCookie, TxError> {
        let space = addresses::cross_queue_space(legs);
        Ok(CrossCookie {
            long: self.create_program_account(space)?,
            short: self.create_program_account(space)?,
        })
    }

    /// Gives a market cross margin over these queues.
    pub fn enable_cross(
        &mut self,
        market: &MarketCookie,
        queues: &CrossCookie,
        args: EnableCrossArgs,
    ) -> TxResult {
        let instruction = cross::EnableCross {
            admin: self.admin(),
            keys: market.keys,
            cross_long: queues.long,
            cross_short: queues.short,
            args,
        }
        .instruction();
        self.send(&[instruction], &[&self.admin_keypair()])
    }

    /// Records the marks of these markets.
    pub fn record_marks(&mut self, markets: &[&MarketCookie]) -> TxResult {
        let keys: Vec<_> = markets.iter().map(|market| market.keys).collect();
        let record = cross::RecordMarks { markets: &keys };
        self.send(&[record.instruction()], &[])
    }

    /// Freezes the mark of a market.
    pub fn freeze_mark(&mut self, market: &MarketCookie) -> TxResult {
        let freeze = cross::FreezeMark {
            market: market.keys.market,
        };
        self.send(&[freeze.instruction()], &[])
    }

    /// Moves collateral into the pool of an account's legs, or out of it.
    pub fn move_cross(
        &mut self,
        trader: &TraderCookie,
        amount: i64,
        queues: &[Pubkey],
    ) -> TxResult {
        let instruction = cross::MoveCross {
            authority: trader.wallet.address(),
            trader: trader.address,
            amount,
            queues,
        }
        .instruction();
        self.send(&[instruction], &[&trader.wallet.keypair])
    }

    /// Makes a position a leg.
    pub fn to_cross(
        &mut self,
        market: &MarketCookie,
        trader: &TraderCookie,
        queues: &[Pubkey],
    ) -> TxResult {
        self.convert_margin(market, trader, true, 0, queues)
    }

    /// Makes a leg an isolated position with `margin` atoms.
    pub fn to_isolated(
        &mut self,
        market: &MarketCookie,
        trader: &TraderCookie,
        margin: u64,
        queues: &[Pubkey],
    ) -> TxResult {
        self.convert_margin(market, trader, false, margin, queues)
    }

    fn convert_margin(
        &mut self,
        market: &MarketCookie,
        trader: &TraderCookie,
        to_cross: bool,
        margin: u64,
        queues: &[Pubkey],
    ) -> TxResult {
        let instruction = cross::ConvertMargin {
            authority: trader.wallet.address(),
            keys: market.keys,
            trader: trader.address,
            to_cross,
            margin,
            queues,
        }
        .instruction();
        self.send(&[instruction], &[&trader.wallet.keypair])
    }

    /// Places an order of a leg, which meets those of `makers`.
    pub fn trade_leg(
        &mut self,
        market: &MarketCookie,
        trader: &TraderCookie,
        args: PlaceOrderArgs,
        queues: &[Pubkey],
        makers: &[Pubkey],
    ) -> TxResult {
        let instruction = cross::TradeLeg {
            authority: trader.wallet.address(),
            keys: market.keys,
            trader: trader.address,
            args,
            queues,
            makers,
        }
        .instruction();
        let listed = [queues, makers].concat();
        self.send_listing(&instruction, &trader.wallet, &listed)
    }

    /// A block trade of whom one or both trade a leg, signed by both owners; `legs` says which trades one where it
    /// has nothing in the market.
    pub fn block_trade_cross(
        &mut self,
        market: &MarketCookie,
        [taker, maker]: [&TraderCookie; 2],
        terms: BlockTrade,
        legs: [bool; 2],
        queues: &[Pubkey],
    ) -> TxResult {
        let instruction = cross::BlockTradeCross {
            keys: market.keys,
            taker: taker.party(),
            maker: maker.party(),
            args: terms.cross_args(legs),
            queues,
        }
        .instruction();
        let signers = [&taker.wallet.keypair, &maker.wallet.keypair];
        self.send(&[instruction], &signers)
    }

    /// Renews the records of legs.
    pub fn refresh_ranks(
        &mut self,
        market: &MarketCookie,
        queues: &[Pubkey],
        traders: &[Pubkey],
    ) -> TxResult {
        let refresh = cross::RefreshRanks {
            keys: market.keys,
            queues,
            traders,
        };
        self.send(&[refresh.instruction()], &[])
    }

    /// Renews the records of legs, and notes which accounts a round for the bankrupt could not cut.
    pub fn witness_ranks(
        &mut self,
        market: &MarketCookie,
        bankrupt: &Pubkey,
        queues: &[Pubkey],
        traders: &[Pubkey],
    ) -> TxResult {
        let witness = cross::WitnessRanks {
            keys: market.keys,
            bankrupt: *bankrupt,
            queues,
            traders,
        };
        self.send(&[witness.instruction()], &[])
    }

    /// Flags a leg, or takes the flag back.
    pub fn flag_leg(&mut self, market: &MarketCookie, trader: &Pubkey) -> TxResult {
        let flag = cross::FlagLeg {
            keys: market.keys,
            trader: *trader,
        };
        self.send(&[flag.instruction()], &[])
    }

    /// Liquidates one step of a leg: the orders of `makers` take lots first.
    pub fn liquidate_leg(
        &mut self,
        market: &MarketCookie,
        trader: &Pubkey,
        liquidator: &TraderCookie,
        offer: Takeover,
        queues: &[Pubkey],
        makers: &[Pubkey],
    ) -> TxResult {
        let instruction = cross::LiquidateLeg {
            authority: liquidator.wallet.address(),
            keys: market.keys,
            trader: *trader,
            liquidator: liquidator.address,
            offer,
            queues,
            makers,
        }
        .instruction();
        let listed = [queues, makers].concat();
        self.send_listing(&instruction, &liquidator.wallet, &listed)
    }

    /// A round where legs stand in the ranking; `keeper` signs and earns the reward.
    pub fn auto_deleverage_cross(
        &mut self,
        market: &MarketCookie,
        bankrupt: &Pubkey,
        keeper: &TraderCookie,
        queues: &[Pubkey],
        counterparties: &[Pubkey],
    ) -> TxResult {
        let instruction = cross::AutoDeleverageCross {
            keeper: keeper.wallet.address(),
            keys: market.keys,
            bankrupt: *bankrupt,
            reward_trader: keeper.address,
            queues,
            counterparties,
        }
        .instruction();
        let listed = [queues, counterparties].concat();
        self.send_listing(&instruction, &keeper.wallet, &listed)
    }

    /// Takes a leg of a market that has ended out of its account.
    pub fn part_leg(
        &mut self,
        market: &MarketCookie,
        trader: &Pubkey,
        queues: &[Pubkey],
    ) -> TxResult {
        let part = cross::PartLeg {
            keys: market.keys,
            trader: *trader,
            queues,
        };
        self.send(&[part.instruction()], &[])
    }

    /// The board.
    ///
    /// # Panics
    /// If it does not exist; so do the other readers for their accounts.
    pub fn board(&self) -> Box<CrossBoard> {
        let account = self.account(&addresses::board()).expect("a board");
        accounts::board(&account.data).expect("a board")
    }

    /// A copy of a cross queue.
    pub fn cross_queue(&self, queue: &Pubkey) -> CrossQueueSnapshot {
        let account = self.account(queue).expect("a cross queue");
        CrossQueueSnapshot::new(&account.data).expect("a cross queue")
    }

    /// A trader's leg in a market, if there is one.
    pub fn leg(&self, market: &MarketCookie, trader: &Pubkey) -> Option<PositionSlot> {
        let trader = self.trader(trader);
        trader.leg(&market.keys.market).ok().copied()
    }
}

impl BlockTrade {
    /// The terms as the program's arguments; `legs` says who trades a leg where it has nothing in the market.
    pub fn cross_args(&self, [taker_leg, maker_leg]: [bool; 2]) -> BlockTradeCrossArgs {
        BlockTradeCrossArgs {
            trade: self.args(),
            taker_leg,
            maker_leg,
        }
    }
}
