//! Instructions anyone may send: keepers, donors.

use ballast_state::pool::POOL_SUB_ID;
use ballast_state::trigger::TriggerKind;
use ballast_state::{instructions, Pubkey};
use solana_instruction::Instruction;

use super::call::{Call, Part};
use super::{Collateral, MarketKeys};
use crate::addresses;
use crate::token::SYSTEM_PROGRAM;

/// Brings a market's funding index up to now.
#[derive(Clone, Debug, Default)]
pub struct AccrueFunding {
    /// The market.
    pub keys: MarketKeys,
}

impl AccrueFunding {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::ACCRUE_FUNDING)
            .readonly(addresses::exchange())
            .market(&self.keys, &[], &[Part::Price])
            .instruction()
    }
}

/// Gives traders held profit back that the market is not short of any more.
#[derive(Clone, Debug, Default)]
pub struct ReleaseProfit<'a> {
    /// The market.
    pub keys: MarketKeys,
    /// Trader accounts.
    pub traders: &'a [Pubkey],
}

impl ReleaseProfit<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::RELEASE_PROFIT)
            .readonly(addresses::exchange())
            .market(&self.keys, &[], &[Part::Queues, Part::Price])
            .listing(self.traders)
    }
}

/// Gives tokens to a market's insurance.
#[derive(Clone, Debug, Default)]
pub struct DonateInsurance {
    /// Owner of the tokens; signs.
    pub donor: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// Token account they come from.
    pub source: Pubkey,
    /// The quote currency.
    pub collateral: Collateral,
    /// Atoms to give.
    pub amount: u64,
}

impl DonateInsurance {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::DONATE_INSURANCE)
            .signer(self.donor)
            .readonly(addresses::exchange())
            .writable(self.market)
            .writable(self.source)
            .writable(addresses::insurance_vault(&self.market))
            .readonly(self.collateral.mint)
            .readonly(self.collateral.token_program)
            .arguments(&self.amount)
            .instruction()
    }
}

/// Moves tokens between the collateral vault and a market's insurance vault
/// until the latter holds what the market's ledger says.
#[derive(Clone, Debug, Default)]
pub struct SweepInsurance {
    /// The market.
    pub market: Pubkey,
    /// The quote currency.
    pub collateral: Collateral,
}

impl SweepInsurance {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::SWEEP_INSURANCE)
            .readonly(addresses::exchange())
            .writable(self.market)
            .writable(addresses::collateral_vault())
            .writable(addresses::insurance_vault(&self.market))
            .readonly(self.collateral.mint)
            .readonly(self.collateral.token_program)
            .instruction()
    }
}

/// Pays what is due of a market's fees to the exchange's treasury.
#[derive(Clone, Debug, Default)]
pub struct WithdrawFees {
    /// The market.
    pub keys: MarketKeys,
    /// The token account that the exchange stores as its treasury.
    pub treasury: Pubkey,
    /// The quote currency.
    pub collateral: Collateral,
}

impl WithdrawFees {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let written = [self.treasury, addresses::collateral_vault()];
        Call::of(instructions::WITHDRAW_FEES)
            .readonly(addresses::exchange())
            .market(&self.keys, &written, &[Part::Queues, Part::Price])
            .readonly(self.collateral.mint)
            .readonly(self.collateral.token_program)
            .instruction()
    }
}

/// Pays what the insurance of a closed market has left to the treasury.
#[derive(Clone, Debug, Default)]
pub struct WithdrawInsurance {
    /// The market.
    pub market: Pubkey,
    /// The token account that the exchange stores as its treasury.
    pub treasury: Pubkey,
    /// The quote currency.
    pub collateral: Collateral,
}

impl WithdrawInsurance {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::WITHDRAW_INSURANCE)
            .readonly(addresses::exchange())
            .writable(self.market)
            .writable(self.treasury)
            .writable(addresses::insurance_vault(&self.market))
            .readonly(self.collateral.mint)
            .readonly(self.collateral.token_program)
            .instruction()
    }
}

/// Makes room for more positions in one of a market's queues, or for more legs in one of its cross queues.
#[derive(Clone, Debug, Default)]
pub struct GrowQueue {
    /// Pays the rent; signs.
    pub payer: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// The queue.
    pub queue: Pubkey,
    /// Positions to make room for, at most 98 a call; legs at most 80.
    pub positions: u32,
}

impl GrowQueue {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::GROW_QUEUE)
            .writable_signer(self.payer)
            .readonly(self.market)
            .writable(self.queue)
            .readonly(SYSTEM_PROGRAM)
            .arguments(&self.positions)
            .instruction()
    }
}

/// Records that a position is below maintenance or bankrupt, or clears a
/// record that is no longer true.
#[derive(Clone, Debug, Default)]
pub struct FlagBankruptcy {
    /// The market.
    pub keys: MarketKeys,
    /// Trader account of the position.
    pub trader: Pubkey,
}

impl FlagBankruptcy {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::FLAG_BANKRUPTCY)
            .readonly(addresses::exchange())
            .market(&self.keys, &[self.trader], &[Part::Price])
            .instruction()
    }
}

/// What a liquidator offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Takeover {
    /// Most lots of what the book leaves that its account takes over; 0 for none.
    pub lots: u64,
    /// Free collateral it puts behind the lots it takes over, atoms.
    pub margin: u64,
}

impl Takeover {
    /// Its account takes over what the book leaves, with `margin` atoms behind it.
    #[must_use]
    pub const fn with_margin(margin: u64) -> Self {
        Self {
            lots: u64::MAX,
            margin,
        }
    }

    /// The same for `lots` at most; the rest of the step stays.
    #[must_use]
    pub const fn of_lots(lots: u64, margin: u64) -> Self {
        Self { lots, margin }
    }

    /// The book alone.
    #[must_use]
    pub const fn none() -> Self {
        Self { lots: 0, margin: 0 }
    }
}

/// Liquidates a step of a position: the orders of the listed makers take lots first, then the
/// liquidator's account.
#[derive(Clone, Debug, Default)]
pub struct Liquidate<'a> {
    /// Owner or delegate of the liquidator; signs.
    pub authority: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// Trader account of the position.
    pub trader: Pubkey,
    /// Trader account of the liquidator.
    pub liquidator: Pubkey,
    /// What the liquidator takes over.
    pub offer: Takeover,
    /// Trader accounts of makers, see [`crate::makers::liquidation_makers`].
    pub makers: &'a [Pubkey],
}

impl Liquidate<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::LIQUIDATE)
            .signer(self.authority)
            .readonly(addresses::exchange())
            .market(
                &self.keys,
                &[self.trader, self.liquidator],
                &[Part::Book, Part::Queues, Part::Price],
            )
            .arguments(&(self.offer.margin, self.offer.lots))
            .listing(self.makers)
    }
}

/// Liquidates one step of a position, or the rest of an unfinished one: the orders of the listed makers
/// take lots first, then the market's pool.
#[derive(Clone, Debug, Default)]
pub struct LiquidateIntoPool<'a> {
    /// Owner or delegate of the account that gets the rewards; signs.
    pub authority: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// Trader account of the position.
    pub trader: Pubkey,
    /// Trader account that gets the rewards.
    pub liquidator: Pubkey,
    /// Trader accounts of makers, see [`crate::makers::liquidation_makers`].
    pub makers: &'a [Pubkey],
}

impl LiquidateIntoPool<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let pool = addresses::pool(&self.keys.market);
        let pool_trader = addresses::trader(&pool, POOL_SUB_ID);
        Call::of(instructions::LIQUIDATE_INTO_POOL)
            .signer(self.authority)
            .readonly(addresses::exchange())
            .market(
                &self.keys,
                &[self.trader, self.liquidator, pool, pool_trader],
                &[Part::Book, Part::Queues, Part::Price],
            )
            .listing(self.makers)
    }
}

/// Closes a part of the position of a market's pool against the orders of the listed makers.
#[derive(Clone, Debug, Default)]
pub struct UnwindPool<'a> {
    /// Who sends it; signs.
    pub keeper: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// The keeper's own trader account, which gets its part.
    pub reward_trader: Pubkey,
    /// Trader accounts of makers.
    pub makers: &'a [Pubkey],
}

impl UnwindPool<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let pool = addresses::pool(&self.keys.market);
        let pool_trader = addresses::trader(&pool, POOL_SUB_ID);
        Call::of(instructions::UNWIND_POOL)
            .signer(self.keeper)
            .readonly(addresses::exchange())
            .market(
                &self.keys,
                &[pool, pool_trader, self.reward_trader],
                &[Part::Book, Part::Queues, Part::Price],
            )
            .listing(self.makers)
    }
}

/// Moves margin between the free collateral of a market's pool and its position.
#[derive(Clone, Debug, Default)]
pub struct SyncPool {
    /// The market.
    pub keys: MarketKeys,
}

impl SyncPool {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let pool = addresses::pool(&self.keys.market);
        let pool_trader = addresses::trader(&pool, POOL_SUB_ID);
        Call::of(instructions::SYNC_POOL)
            .readonly(addresses::exchange())
            .writable(self.keys.market)
            .readonly(pool)
            .writable(pool_trader)
            .beside(&self.keys, &[Part::Queues, Part::Price])
            .instruction()
    }
}

/// Executes a trigger whose price the oracle has reached, against the orders of the listed
/// makers.
#[derive(Clone, Debug, Default)]
pub struct ExecuteTrigger<'a> {
    /// Who sends it; signs.
    pub keeper: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// Trader account of the position.
    pub trader: Pubkey,
    /// The keeper's own trader account, which gets the reward.
    pub reward_trader: Pubkey,
    /// Which of the two triggers.
    pub kind: TriggerKind,
    /// Trader accounts of makers, see [`crate::makers::trigger_makers`].
    pub makers: &'a [Pubkey],
}

impl ExecuteTrigger<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::EXECUTE_TRIGGER)
            .signer(self.keeper)
            .readonly(addresses::exchange())
            .market(
                &self.keys,
                &[self.trader, self.reward_trader],
                &[Part::Book, Part::Queues, Part::Price],
            )
            .arguments(&self.kind)
            .listing(self.makers)
    }
}

/// Executes a protective step that a position has reached, against the orders of the listed makers.
#[derive(Clone, Debug, Default)]
pub struct ExecuteProtection<'a> {
    /// Who sends it; signs.
    pub keeper: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// Trader account of the position.
    pub trader: Pubkey,
    /// The keeper's own trader account, which gets the reward.
    pub reward_trader: Pubkey,
    /// Trader accounts of makers, see [`crate::makers::trigger_makers`].
    pub makers: &'a [Pubkey],
}

impl ExecuteProtection<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::EXECUTE_PROTECTION)
            .signer(self.keeper)
            .readonly(addresses::exchange())
            .writable(self.keys.market)
            .writable(self.trader)
            .readonly(addresses::protection(&self.trader, &self.keys.market))
            .writable(self.reward_trader)
            .beside(&self.keys, &[Part::Book, Part::Queues, Part::Price])
            .listing(self.makers)
    }
}

/// Closes a bankrupt position against counterparties, as far as they reach.
#[derive(Clone, Debug, Default)]
pub struct AutoDeleverage<'a> {
    /// Who sends it; signs.
    pub keeper: Pubkey,
    /// The market.
    pub keys: MarketKeys,
    /// Trader account of the bankrupt position.
    pub bankrupt: Pubkey,
    /// The keeper's own trader account, which gets the reward.
    pub reward_trader: Pubkey,
    /// Trader accounts, highest ranked first; see [`crate::ranking::plan`].
    pub counterparties: &'a [Pubkey],
}

impl AutoDeleverage<'_> {
    /// The instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        Call::of(instructions::AUTO_DELEVERAGE)
            .signer(self.keeper)
            .readonly(addresses::exchange())
            .market(
                &self.keys,
                &[self.bankrupt, self.reward_trader],
                &[Part::Queues, Part::Book, Part::Price],
            )
            .listing(self.counterparties)
    }
}
