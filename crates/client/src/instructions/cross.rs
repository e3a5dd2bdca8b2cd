//! Instructions of cross margin.

use ballast_state::cross::EnableCrossArgs;
use ballast_state::instructions::BlockTradeCrossArgs;
use ballast_state::order_args::PlaceOrderArgs;
use ballast_state::seeds::INSTRUCTIONS_SYSVAR;
use ballast_state::{instructions, Pubkey};
use solana_instruction::Instruction;

use super::anyone::Takeover;
use super::call::{Call, Part};
use super::trader::Party;
use super::MarketKeys;
use crate::addresses;
use crate::token::SYSTEM_PROGRAM;

/// Creates the board.
#[derive(Clone, Debug, Default)]
pub struct CreateBoard {
    /// The admin; signs.
    pub admin: Pubkey,
    /// Pays the rent; signs.
    pub payer: Pubkey,
}

impl CreateBoard {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::CREATE_BOARD)
            .signer(self.admin)
            .writable_signer(self.payer)
            .readonly(addresses::exchange())
            .writable(addresses::board())
            .readonly(SYSTEM_PROGRAM)
            .readonly(INSTRUCTIONS_SYSVAR)
            .instruction()
    }
}

/// Gives a market cross margin.
#[derive(Clone, Debug, Default)]
pub struct EnableCross {
    /// The admin; signs.
    pub admin: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// Cross queue of the longs, handed over zeroed.
    pub cross_long: Pubkey,
    /// Cross queue of the shorts, handed over zeroed.
    pub cross_short: Pubkey,
    /// What it allows.
    pub args: EnableCrossArgs,
}

impl EnableCross {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::ENABLE_CROSS)
            .signer(self.admin)
            .readonly(addresses::exchange())
            .writable(addresses::board())
            .writable(self.keys.market)
            .writable(self.cross_long)
            .writable(self.cross_short)
            .readonly(self.keys.price)
            .readonly(INSTRUCTIONS_SYSVAR)
            .arguments(&self.args)
            .instruction()
    }
}

/// Records the marks of cross markets on the board.
#[derive(Clone, Debug, Default)]
pub struct RecordMarks<'a> {
    /// The markets.
    pub markets: &'a [MarketKeys],
}

impl RecordMarks<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let call = Call::of(instructions::RECORD_MARKS)
            .readonly(addresses::exchange())
            .writable(addresses::board())
            .events();
        let pair = |call: Call, keys: &MarketKeys| call.writable(keys.market).readonly(keys.price);
        self.markets
            .iter()
            .fold(call, pair)
            .of_program(ballast_state::ID)
    }
}

/// Freezes the board's mark of a market whose price has died.
#[derive(Clone, Debug, Default)]
pub struct FreezeMark {
    /// The market.
    pub market: Pubkey,
}

impl FreezeMark {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::FREEZE_MARK)
            .writable(addresses::board())
            .readonly(self.market)
            .instruction()
    }
}

/// Moves collateral into the pool that an account's legs share, or out of it.
#[derive(Clone, Debug, Default)]
pub struct MoveCross<'a> {
    /// Owner or delegate; signs.
    pub authority: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// Atoms into the pool; out of it where negative.
    pub amount: i64,
    /// Cross queues of the account's legs whose records are renewed.
    pub queues: &'a [Pubkey],
}

impl MoveCross<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::MOVE_CROSS)
            .signer(self.authority)
            .readonly(addresses::exchange())
            .writable(self.trader)
            .readonly(addresses::board())
            .arguments(&self.amount)
            .listing(self.queues)
    }
}

/// Makes an isolated position a leg, or a leg an isolated position.
#[derive(Clone, Debug, Default)]
pub struct ConvertMargin<'a> {
    /// Owner or delegate; signs.
    pub authority: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// The trader account.
    pub trader: Pubkey,
    /// Whether it becomes a leg.
    pub to_cross: bool,
    /// Margin of the isolated position that the leg becomes, atoms.
    pub margin: u64,
    /// Cross queues: that of the position, and those of other legs whose records are renewed.
    pub queues: &'a [Pubkey],
}

impl ConvertMargin<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::CONVERT_MARGIN)
            .signer(self.authority)
            .readonly(addresses::exchange())
            .market(&self.keys, &[self.trader], &[Part::Queues, Part::Price])
            .readonly(addresses::board())
            .arguments(&(self.to_cross, self.margin))
            .listing(self.queues)
    }
}

/// Places an order of a leg.
#[derive(Clone, Debug, Default)]
pub struct TradeLeg<'a> {
    /// Owner or delegate; signs.
    pub authority: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// The trader account.
    pub trader: Pubkey,
    /// The order.
    pub args: PlaceOrderArgs,
    /// Cross queues: those of the leg's side before and after, and those of other legs whose records have to be
    /// renewed.
    pub queues: &'a [Pubkey],
    /// Makers, in the order of the book.
    pub makers: &'a [Pubkey],
}

impl TradeLeg<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::TRADE_LEG)
            .signer(self.authority)
            .readonly(addresses::exchange())
            .market(
                &self.keys,
                &[self.trader],
                &[Part::Book, Part::Queues, Part::Price],
            )
            .readonly(addresses::board())
            .arguments(&self.args)
            .listing(&[self.queues, self.makers].concat())
    }
}

/// A trade that taker and maker agreed on, of whom one or both trade a leg.
#[derive(Clone, Debug, Default)]
pub struct BlockTradeCross<'a> {
    /// The market.
    pub keys: MarketKeys,
    /// Who trades.
    pub taker: Party,
    /// Who trades against it.
    pub maker: Party,
    /// The terms, from the taker's side.
    pub args: BlockTradeCrossArgs,
    /// Cross queues: those of the sides of the parties' legs before and after, and those of their other legs whose
    /// records have to be renewed.
    pub queues: &'a [Pubkey],
}

impl BlockTradeCross<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::BLOCK_TRADE_CROSS)
            .signer(self.taker.authority)
            .signer(self.maker.authority)
            .readonly(addresses::exchange())
            .market(
                &self.keys,
                &[self.taker.trader, self.maker.trader],
                &[Part::Book, Part::Queues, Part::Price],
            )
            .readonly(addresses::board())
            .arguments(&self.args)
            .listing(self.queues)
    }
}

/// Renews the records of legs.
#[derive(Clone, Debug, Default)]
pub struct RefreshRanks<'a> {
    /// The market.
    pub keys: MarketKeys,
    /// Cross queues: that of the legs, and those of other legs whose records are renewed.
    pub queues: &'a [Pubkey],
    /// Trader accounts.
    pub traders: &'a [Pubkey],
}

impl RefreshRanks<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::REFRESH_RANKS)
            .readonly(addresses::exchange())
            .market(&self.keys, &[], &[Part::Price])
            .readonly(addresses::board())
            .listing(&[self.queues, self.traders].concat())
    }
}

/// Renews the records of legs, and notes which accounts a round for the bankrupt could not cut.
#[derive(Clone, Debug, Default)]
pub struct WitnessRanks<'a> {
    /// The market.
    pub keys: MarketKeys,
    /// The trader whose position or leg is bankrupt.
    pub bankrupt: Pubkey,
    /// Cross queues: those of [`AutoDeleverageCross::queues`].
    pub queues: &'a [Pubkey],
    /// Trader accounts.
    pub traders: &'a [Pubkey],
}

impl WitnessRanks<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::WITNESS_RANKS)
            .readonly(addresses::exchange())
            .writable(self.keys.market)
            .readonly(self.bankrupt)
            .beside(&self.keys, &[Part::Queues, Part::Price])
            .readonly(addresses::board())
            .listing(&[self.queues, self.traders].concat())
    }
}

/// Flags a leg, or takes the flag back.
#[derive(Clone, Debug, Default)]
pub struct FlagLeg {
    /// The market.
    pub keys: MarketKeys,
    /// The trader account.
    pub trader: Pubkey,
}

impl FlagLeg {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::FLAG_LEG)
            .readonly(addresses::exchange())
            .market(&self.keys, &[self.trader], &[Part::Price])
            .readonly(addresses::board())
            .instruction()
    }
}

/// Liquidates one step of a leg.
#[derive(Clone, Debug, Default)]
pub struct LiquidateLeg<'a> {
    /// Owner or delegate of the liquidator's account; signs.
    pub authority: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// The trader who is liquidated.
    pub trader: Pubkey,
    /// The trader account that takes lots over.
    pub liquidator: Pubkey,
    /// What it offers.
    pub offer: Takeover,
    /// Cross queues: that of the leg, that of the longs where the account is bankrupt, and those of other legs
    /// whose records have to be renewed.
    pub queues: &'a [Pubkey],
    /// Makers, in the order of the book.
    pub makers: &'a [Pubkey],
}

impl LiquidateLeg<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::LIQUIDATE_LEG)
            .signer(self.authority)
            .readonly(addresses::exchange())
            .market(
                &self.keys,
                &[self.trader, self.liquidator],
                &[Part::Book, Part::Queues, Part::Price],
            )
            .readonly(addresses::board())
            .arguments(&(self.offer.margin, self.offer.lots))
            .listing(&[self.queues, self.makers].concat())
    }
}

/// Closes a bankrupt position or leg against its highest ranked counterparties, legs among them.
#[derive(Clone, Debug, Default)]
pub struct AutoDeleverageCross<'a> {
    /// Whoever submits it; signs.
    pub keeper: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// The trader whose position or leg is bankrupt.
    pub bankrupt: Pubkey,
    /// The trader account that receives the reward.
    pub reward_trader: Pubkey,
    /// Cross queues: that of the counterparties' side, where a leg is bankrupt its own and that of the longs, and
    /// those of other legs whose records have to be renewed.
    pub queues: &'a [Pubkey],
    /// Counterparties, the highest ranked first.
    pub counterparties: &'a [Pubkey],
}

impl AutoDeleverageCross<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::AUTO_DELEVERAGE_CROSS)
            .signer(self.keeper)
            .readonly(addresses::exchange())
            .market(
                &self.keys,
                &[self.bankrupt, self.reward_trader],
                &[Part::Queues, Part::Book, Part::Price],
            )
            .readonly(addresses::board())
            .listing(&[self.queues, self.counterparties].concat())
    }
}

/// Takes a leg of a market that has ended out of its account.
#[derive(Clone, Debug, Default)]
pub struct PartLeg<'a> {
    /// The market.
    pub keys: MarketKeys,
    /// The trader account.
    pub trader: Pubkey,
    /// Cross queues: that of the leg, and those of other legs whose records have to be renewed.
    pub queues: &'a [Pubkey],
}

impl PartLeg<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::PART_LEG)
            .readonly(addresses::exchange())
            .market(&self.keys, &[self.trader], &[Part::Queues])
            .readonly(addresses::board())
            .listing(self.queues)
    }
}
