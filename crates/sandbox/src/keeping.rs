//! What keepers and donors send.

use ballast_client::instructions::anyone::{self, Takeover};
use ballast_client::ranking::AdlPlan;
use ballast_state::trigger::TriggerKind;
use ballast_state::Pubkey;
use solana_instruction::Instruction;
use solana_message::AddressLookupTableAccount;

use crate::cookie::MarketCookie;
use crate::outcome::TxResult;
use crate::trading::{TraderCookie, Wallet};
use crate::world::Sandbox;

/// More listed accounts than this need an address lookup table.
pub const MAX_INLINE_ACCOUNTS: usize = 16;

impl Sandbox {
    /// Brings a market's funding up to now.
    pub fn accrue_funding(&mut self, market: &MarketCookie) -> TxResult {
        let accrue = anyone::AccrueFunding { keys: market.keys };
        self.send(&[accrue.instruction()], &[])
    }

    /// Gives a wallet's tokens to a market's insurance.
    pub fn donate_insurance(
        &mut self,
        market: &MarketCookie,
        wallet: &Wallet,
        atoms: u64,
    ) -> TxResult {
        let instruction = anyone::DonateInsurance {
            donor: wallet.address(),
            market: market.keys.market,
            source: wallet.tokens,
            collateral: self.collateral(),
            amount: atoms,
        }
        .instruction();
        self.send(&[instruction], &[&wallet.keypair])
    }

    /// Makes the insurance vault hold what the market's ledger says.
    pub fn sweep_insurance(&mut self, market: &MarketCookie) -> TxResult {
        let instruction = anyone::SweepInsurance {
            market: market.keys.market,
            collateral: self.collateral(),
        }
        .instruction();
        self.send(&[instruction], &[])
    }

    /// Pays what is due of a market's fees to the treasury.
    pub fn withdraw_fees(&mut self, market: &MarketCookie) -> TxResult {
        let instruction = anyone::WithdrawFees {
            keys: market.keys,
            treasury: self.exchange().treasury,
            collateral: self.collateral(),
        }
        .instruction();
        self.send(&[instruction], &[])
    }

    /// Pays what the insurance of a closed market has left to the treasury.
    pub fn withdraw_insurance(&mut self, market: &MarketCookie) -> TxResult {
        let instruction = anyone::WithdrawInsurance {
            market: market.keys.market,
            treasury: self.exchange().treasury,
            collateral: self.collateral(),
        }
        .instruction();
        self.send(&[instruction], &[])
    }

    /// Frees held profit of traders.
    pub fn release_profit(&mut self, market: &MarketCookie, traders: &[Pubkey]) -> TxResult {
        let instruction = anyone::ReleaseProfit {
            keys: market.keys,
            traders,
        }
        .instruction();
        self.send(&[instruction], &[])
    }

    /// Makes room for more positions in one of a market's queues, paid by the sandbox's payer.
    pub fn grow_queue(
        &mut self,
        market: &MarketCookie,
        queue: &Pubkey,
        positions: u32,
    ) -> TxResult {
        let payer = self.payer();
        let instruction = anyone::GrowQueue {
            payer,
            market: market.keys.market,
            queue: *queue,
            positions,
        }
        .instruction();
        self.send(&[instruction], &[])
    }

    /// Flags a position that is below maintenance, or clears the flag.
    pub fn flag_bankruptcy(&mut self, market: &MarketCookie, trader: &Pubkey) -> TxResult {
        let flag = anyone::FlagBankruptcy {
            keys: market.keys,
            trader: *trader,
        };
        self.send(&[flag.instruction()], &[])
    }

    /// Liquidates one step of a position without a book; `liquidator` takes the lots over
    /// with `margin` atoms of its free collateral.
    pub fn liquidate(
        &mut self,
        market: &MarketCookie,
        trader: &Pubkey,
        liquidator: &TraderCookie,
        margin: u64,
    ) -> TxResult {
        let offer = Takeover::with_margin(margin);
        self.liquidate_into_book(market, trader, liquidator, offer, &[])
    }

    /// Liquidates one step of a position: the orders of `makers` take lots first.
    pub fn liquidate_into_book(
        &mut self,
        market: &MarketCookie,
        trader: &Pubkey,
        liquidator: &TraderCookie,
        offer: Takeover,
        makers: &[Pubkey],
    ) -> TxResult {
        let instruction = anyone::Liquidate {
            authority: liquidator.wallet.address(),
            keys: market.keys,
            trader: *trader,
            liquidator: liquidator.address,
            offer,
            makers,
        }
        .instruction();
        self.send_listing(&instruction, &liquidator.wallet, makers)
    }

    /// Liquidates one step of a position, or the rest of one: the orders of `makers` take lots first, then
    /// the market's pool. `liquidator` signs and gets the rewards.
    pub fn liquidate_into_pool(
        &mut self,
        market: &MarketCookie,
        trader: &Pubkey,
        liquidator: &TraderCookie,
        makers: &[Pubkey],
    ) -> TxResult {
        let instruction = anyone::LiquidateIntoPool {
            authority: liquidator.wallet.address(),
            keys: market.keys,
            trader: *trader,
            liquidator: liquidator.address,
            makers,
        }
        .instruction();
        self.send_listing(&instruction, &liquidator.wallet, makers)
    }

    /// Closes a part of the position of a market's pool; `keeper` signs and earns its part.
    pub fn unwind_pool(
        &mut self,
        market: &MarketCookie,
        keeper: &TraderCookie,
        makers: &[Pubkey],
    ) -> TxResult {
        let instruction = anyone::UnwindPool {
            keeper: keeper.wallet.address(),
            keys: market.keys,
            reward_trader: keeper.address,
            makers,
        }
        .instruction();
        self.send_listing(&instruction, &keeper.wallet, makers)
    }

    /// Moves margin between the free collateral of a market's pool and its position.
    pub fn sync_pool(&mut self, market: &MarketCookie) -> TxResult {
        let sync = anyone::SyncPool { keys: market.keys };
        self.send(&[sync.instruction()], &[])
    }

    /// Executes a trigger; `keeper` signs and earns the reward.
    pub fn execute_trigger(
        &mut self,
        market: &MarketCookie,
        trader: &Pubkey,
        keeper: &TraderCookie,
        kind: TriggerKind,
        makers: &[Pubkey],
    ) -> TxResult {
        let instruction = anyone::ExecuteTrigger {
            keeper: keeper.wallet.address(),
            keys: market.keys,
            trader: *trader,
            reward_trader: keeper.address,
            kind,
            makers,
        }
        .instruction();
        self.send_listing(&instruction, &keeper.wallet, makers)
    }

    /// Executes a protective step of `trader`; `keeper` signs and earns the reward.
    pub fn execute_protection(
        &mut self,
        market: &MarketCookie,
        trader: &Pubkey,
        keeper: &TraderCookie,
        makers: &[Pubkey],
    ) -> TxResult {
        let instruction = anyone::ExecuteProtection {
            keeper: keeper.wallet.address(),
            keys: market.keys,
            trader: *trader,
            reward_trader: keeper.address,
            makers,
        }
        .instruction();
        self.send_listing(&instruction, &keeper.wallet, makers)
    }

    /// Sends an instruction that lists accounts, through a lookup table if the list is long.
    pub(crate) fn send_listing(
        &mut self,
        instruction: &Instruction,
        signer: &Wallet,
        listed: &[Pubkey],
    ) -> TxResult {
        let tables: Vec<AddressLookupTableAccount> = if listed.len() > MAX_INLINE_ACCOUNTS {
            vec![self.create_lookup_table(listed)]
        } else {
            Vec::new()
        };
        self.send_with_tables(
            std::slice::from_ref(instruction),
            &[&signer.keypair],
            &tables,
        )
    }

    /// Sends `auto_deleverage` with any list, through a lookup table if the list
    /// is long. `keeper` signs and earns the reward.
    pub fn auto_deleverage(
        &mut self,
        market: &MarketCookie,
        bankrupt: &Pubkey,
        keeper: &TraderCookie,
        counterparties: &[Pubkey],
    ) -> TxResult {
        let instruction = anyone::AutoDeleverage {
            keeper: keeper.wallet.address(),
            keys: market.keys,
            bankrupt: *bankrupt,
            reward_trader: keeper.address,
            counterparties,
        }
        .instruction();
        self.send_listing(&instruction, &keeper.wallet, counterparties)
    }

    /// Sends a round as planned by [`ballast_client::ranking::plan`].
    pub fn auto_deleverage_plan(
        &mut self,
        market: &MarketCookie,
        keeper: &TraderCookie,
        plan: &AdlPlan,
    ) -> TxResult {
        self.auto_deleverage(market, &plan.bankrupt, keeper, &plan.counterparties)
    }
}
