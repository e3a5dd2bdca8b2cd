//! The program under test, in a sandbox, beside the model that mirrors it.

mod cross;
mod funds;
mod orders;
mod protection;
mod sessions;
mod start;

use std::collections::HashMap;

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_client::addresses;
use ballast_client::instructions::adl_session::SessionKeys;
use ballast_client::instructions::{anyone, trader};
use ballast_engine::risk::RiskParams;
use ballast_sandbox::{
    BlockTrade, CrossCookie, MarketCookie, Options, Quote, Sandbox, TraderCookie, TxResult, Wallet,
};
use ballast_state::cross::LEAST_TOLERANCE_BPS;
use ballast_state::staged::Change;
use solana_message::AddressLookupTableAccount;

use crate::model::{Listed, Model};
use crate::operation::Operation;
use funds::FundAddresses;
pub use sessions::seen;
use start::{coarse, model_of, usual};

/// Wallets, each with up to two trader accounts.
pub const WALLETS: usize = 12;
/// Trader accounts of wallets there can be.
pub const TRADERS: usize = 2 * WALLETS;
/// Markets; the pool of each has a trader account as well, behind those of the wallets.
const MARKETS: usize = 2;
/// Tokens of an ordinary wallet: a million dollars.
const TOKENS: u64 = 1_000_000_000_000;
/// Tokens of the first wallet: more than a signed amount can be.
const WHALE: u64 = 12_000_000_000_000_000_000;

/// The program, its accounts and the names the model has for them.
pub struct World {
    /// The machine.
    pub sandbox: Sandbox,
    /// The markets.
    pub markets: Vec<MarketCookie>,
    /// The wallets.
    pub wallets: Vec<Wallet>,
    /// Address of every trader account, open or not.
    pub addresses: Vec<Pubkey>,
    /// Address of every account for protective steps, open or not, by market and trader.
    pub protections: Vec<Vec<Pubkey>>,
    /// Number of each address.
    pub numbers: HashMap<Pubkey, usize>,
    /// Sessions under way, by market and queue.
    pub sessions: HashMap<(usize, usize), SessionKeys>,
    /// Cross queues of the markets.
    pub crosses: Vec<CrossCookie>,
    /// Addresses of funds, and of accounts for shares of them.
    funds: FundAddresses,
    forgery: Pubkey,
    table: AddressLookupTableAccount,
}

impl World {
    /// Two markets, the wallets, one open trader account each; and the model of that.
    pub fn new() -> (Self, Model) {
        let options = Options::default();
        let mut sandbox = Sandbox::empty(&options).expect("the built program");
        sandbox.initialize_exchange().expect("an exchange");
        let markets: Vec<MarketCookie> = [usual(), coarse()]
            .iter()
            .map(|config| sandbox.create_market(config).expect("a market"))
            .collect();
        let tokens = |wallet| if wallet == 0 { WHALE } else { TOKENS };
        let wallets: Vec<Wallet> = (0..WALLETS)
            .map(|wallet| sandbox.create_wallet(tokens(wallet)).expect("a wallet"))
            .collect();
        for wallet in &wallets {
            sandbox.create_trader_of(wallet, 0).expect("a trader");
        }
        let addresses: Vec<Pubkey> = wallets
            .iter()
            .flat_map(|wallet| [0, 1].map(|sub_id| addresses::trader(&wallet.address(), sub_id)))
            .chain(markets.iter().map(MarketCookie::pool_trader))
            .collect();
        let crosses = cross::enable(&mut sandbox, &markets);
        let forgery = forged(&mut sandbox, &addresses[0]);
        let mut known = addresses.clone();
        known.push(forgery);
        let funds = FundAddresses::of(&markets, &wallets);
        known.extend(funds.all());
        let protections: Vec<Vec<Pubkey>> = markets
            .iter()
            .map(|market| {
                let of = |trader| addresses::protection(trader, &market.keys.market);
                addresses.iter().map(of).collect()
            })
            .collect();
        known.extend(protections.iter().flatten());
        known.extend(crosses.iter().flat_map(CrossCookie::both));
        let table = sandbox.create_lookup_table(&known);
        let numbers = addresses.iter().copied().zip(0..).collect();
        let model = model_of(&sandbox, &markets);
        let world = Self {
            sandbox,
            markets,
            wallets,
            addresses,
            protections,
            numbers,
            sessions: HashMap::new(),
            crosses,
            funds,
            forgery,
            table,
        };
        (world, model)
    }

    /// An independent copy.
    pub fn fork(&self) -> Self {
        Self {
            sandbox: self.sandbox.fork(),
            markets: self.markets.clone(),
            wallets: self.wallets.clone(),
            addresses: self.addresses.clone(),
            protections: self.protections.clone(),
            numbers: self.numbers.clone(),
            sessions: self.sessions.clone(),
            crosses: self.crosses.clone(),
            funds: self.funds.clone(),
            forgery: self.forgery,
            table: self.table.clone(),
        }
    }

    /// Sets a market's parameters, good ones, here and in the model. A ranking finer than cross margin allows is
    /// written by force.
    pub fn set_risk(&mut self, model: &mut Model, market: usize, params: RiskParams) {
        let cookie = &self.markets[market];
        let mut allowed = params;
        let tolerance = &mut allowed.adl.rank_tolerance_bps;
        *tolerance = (*tolerance).max(LEAST_TOLERANCE_BPS);
        self.sandbox
            .set_market_risk(cookie, allowed)
            .expect("valid parameters");
        self.force_risk(model, market, params);
    }

    /// Writes a market's parameters here and into the model, though the program would refuse them.
    pub fn force_risk(&mut self, model: &mut Model, market: usize, params: RiskParams) {
        let address = self.markets[market].keys.market;
        let mut account = self.sandbox.account(&address).expect("a market");
        let size = std::mem::size_of::<ballast_state::market::Market>();
        let body = &mut account.data[8..8 + size];
        let mut forged: ballast_state::market::Market = bytemuck::pod_read_unaligned(body);
        forged.risk = params;
        body.copy_from_slice(bytemuck::bytes_of(&forged));
        self.sandbox.set_account(&address, account);
        model.markets[market].params = params;
    }

    /// Performs a step. `None` where the program is not called.
    pub fn perform(&mut self, operation: &Operation) -> Option<TxResult> {
        match operation {
            Operation::Quote { market, quoted } => {
                let quote = Quote {
                    ticks: quoted.ticks,
                    conf_ticks: quoted.conf,
                    ema_ticks: quoted.ema,
                    publish_time: quoted.time,
                };
                self.sandbox.set_quote(&self.markets[*market], &quote);
                None
            }
            Operation::Advance { slots, seconds } => {
                let slot = self.sandbox.slot() + slots;
                let time = self.sandbox.time() + i64::from(*seconds);
                self.sandbox.set_clock(slot, time);
                None
            }
            Operation::OpenSession { market, bankrupt } => {
                Some(self.open_session(*market, *bankrupt))
            }
            Operation::SetMode {
                market,
                reduce_only,
            } => {
                let cookie = &self.markets[*market];
                Some(match reduce_only {
                    true => self.sandbox.set_reduce_only(cookie),
                    false => self.sandbox.change(Change::Reopen, Some(cookie)),
                })
            }
            call => {
                if let Operation::Fund { market, call } = call {
                    if let Some(result) = self.admin_fund_call(*market, call) {
                        return Some(result);
                    }
                }
                let (instruction, signers) = self.call(call);
                let keys: Vec<_> = signers
                    .iter()
                    .map(|wallet| &self.wallets[*wallet].keypair)
                    .collect();
                let tables = std::slice::from_ref(&self.table);
                Some(self.sandbox.send_with_tables(&[instruction], &keys, tables))
            }
        }
    }

    /// Performs a call and throws its effects away.
    pub fn simulate(&self, operation: &Operation) -> TxResult {
        let (instruction, signers) = self.call(operation);
        let keys: Vec<_> = signers
            .iter()
            .map(|wallet| &self.wallets[*wallet].keypair)
            .collect();
        let tables = std::slice::from_ref(&self.table);
        self.sandbox.simulate(&[instruction], &keys, tables)
    }

    fn cookie(&self, trader: usize) -> TraderCookie {
        TraderCookie {
            address: self.addresses[trader],
            wallet: self.wallets[trader / 2].clone(),
        }
    }

    /// The instruction of a call and the wallets that sign it.
    fn call(&self, operation: &Operation) -> (Instruction, Vec<usize>) {
        let collateral = self.sandbox.collateral();
        let owner = |trader: usize| self.wallets[trader / 2].address();
        let tokens = |trader: usize| self.wallets[trader / 2].tokens;
        let address = |trader: usize| self.addresses[trader];
        let keys = |market: usize| self.markets[market].keys;
        match operation {
            Operation::CreateTrader { trader } => {
                let sub_id = u16::from(trader % 2 == 1);
                let payer = self.sandbox.payer();
                let call = trader::CreateTrader {
                    payer,
                    owner: owner(*trader),
                    sub_id,
                }
                .instruction();
                (call, vec![trader / 2])
            }
            Operation::CloseTrader { trader } => {
                let call = trader::CloseTrader {
                    owner: owner(*trader),
                    trader: address(*trader),
                }
                .instruction();
                (call, vec![trader / 2])
            }
            Operation::SetDelegate {
                trader,
                delegate,
                block_trades,
            } => {
                let call = trader::SetDelegate {
                    owner: owner(*trader),
                    trader: address(*trader),
                    delegate: delegate.map(|wallet| self.wallets[wallet].address()),
                    block_trades: *block_trades,
                }
                .instruction();
                (call, vec![trader / 2])
            }
            Operation::Signed { by, call } => self.signed_by(*by, call),
            Operation::Deposit { trader, amount } => {
                let (from, to) = (owner(*trader), address(*trader));
                let call = trader::Deposit {
                    depositor: from,
                    trader: to,
                    source: tokens(*trader),
                    collateral,
                    amount: *amount,
                }
                .instruction();
                (call, vec![trader / 2])
            }
            Operation::Withdraw { trader, amount } => {
                let (to, from) = (owner(*trader), address(*trader));
                let call = trader::Withdraw {
                    owner: to,
                    trader: from,
                    destination: tokens(*trader),
                    collateral,
                    amount: *amount,
                }
                .instruction();
                (call, vec![trader / 2])
            }
            Operation::AddMargin {
                market,
                trader,
                amount,
            } => {
                let (signer, account) = (owner(*trader), address(*trader));
                let call = trader::AddMargin {
                    authority: signer,
                    keys: keys(*market),
                    trader: account,
                    amount: *amount,
                }
                .instruction();
                (call, vec![trader / 2])
            }
            Operation::RemoveMargin {
                market,
                trader,
                amount,
            } => {
                let (signer, account) = (owner(*trader), address(*trader));
                let call = trader::RemoveMargin {
                    authority: signer,
                    keys: keys(*market),
                    trader: account,
                    amount: *amount,
                }
                .instruction();
                (call, vec![trader / 2])
            }
            Operation::Trade(trade) => {
                let terms = BlockTrade {
                    lots: trade.lots,
                    price_ticks: trade.price,
                    taker_margin: trade.taker_margin,
                    maker_margin: trade.maker_margin,
                };
                let (taker, maker) = (self.cookie(trade.taker), self.cookie(trade.maker));
                let market = keys(trade.market);
                let call = trader::BlockTrade {
                    keys: market,
                    taker: taker.party(),
                    maker: maker.party(),
                    args: terms.args(),
                }
                .instruction();
                (call, vec![trade.taker / 2, trade.maker / 2])
            }
            Operation::AccrueFunding { market } => (
                anyone::AccrueFunding {
                    keys: keys(*market),
                }
                .instruction(),
                Vec::new(),
            ),
            Operation::Flag { market, trader } => {
                let call = anyone::FlagBankruptcy {
                    keys: keys(*market),
                    trader: address(*trader),
                }
                .instruction();
                (call, Vec::new())
            }
            Operation::Liquidate(call) => self.liquidation(call),
            Operation::Deleverage(call) => {
                let list = self.list(&call.list);
                let instruction = anyone::AutoDeleverage {
                    keeper: owner(call.receiver),
                    keys: keys(call.market),
                    bankrupt: address(call.bankrupt),
                    reward_trader: address(call.receiver),
                    counterparties: &list,
                }
                .instruction();
                (instruction, vec![call.receiver / 2])
            }
            Operation::Donate {
                market,
                wallet,
                amount,
            } => {
                let (donor, source) = (owner(2 * wallet), tokens(2 * wallet));
                let market = keys(*market).market;
                let call = anyone::DonateInsurance {
                    donor,
                    market,
                    source,
                    collateral,
                    amount: *amount,
                }
                .instruction();
                (call, vec![*wallet])
            }
            Operation::Release { market, traders } => {
                let traders: Vec<_> = traders.iter().map(|one| self.addresses[*one]).collect();
                let call = anyone::ReleaseProfit {
                    keys: keys(*market),
                    traders: &traders,
                }
                .instruction();
                (call, Vec::new())
            }
            Operation::Sweep { market } => {
                let call = anyone::SweepInsurance {
                    market: keys(*market).market,
                    collateral,
                }
                .instruction();
                (call, Vec::new())
            }
            Operation::AdvanceSession { .. }
            | Operation::ExecuteSession { .. }
            | Operation::CloseSession { .. } => self.session_call(operation),
            Operation::PlaceOrder(_)
            | Operation::CancelOrder { .. }
            | Operation::CancelAllOrders { .. }
            | Operation::ReplaceOrder { .. }
            | Operation::PlaceTrigger(_)
            | Operation::CancelTrigger { .. }
            | Operation::ExecuteTrigger(_) => self.order_call(operation),
            Operation::CreateProtection { .. }
            | Operation::SetProtection(_)
            | Operation::CloseProtection { .. }
            | Operation::ExecuteProtection(_) => self.protection_call(operation),
            Operation::UnwindPool(call) => self.unwinding(call),
            Operation::SyncPool { market } => {
                let call = anyone::SyncPool {
                    keys: keys(*market),
                }
                .instruction();
                (call, Vec::new())
            }
            Operation::Fund { market, call } => self.fund_call(*market, call),
            Operation::Cross(call) => self.cross_call(call),
            Operation::OpenSession { .. }
            | Operation::SetMode { .. }
            | Operation::Quote { .. }
            | Operation::Advance { .. } => unreachable!("no call of one instruction"),
        }
    }

    /// A call that another wallet signs in the place of its first signer.
    fn signed_by(&self, wallet: usize, call: &Operation) -> (Instruction, Vec<usize>) {
        let (mut instruction, mut signers) = self.call(call);
        let mut accounts = instruction.accounts.iter_mut();
        let signer = accounts.find(|account| account.is_signer);
        signer.expect("a signer").pubkey = self.wallets[wallet].address();
        signers[0] = wallet;
        (instruction, signers)
    }

    fn listed(&self, listed: &Listed) -> Pubkey {
        match listed {
            Listed::Trader(trader) => self.addresses[*trader],
            Listed::Market(market) => self.markets[*market].keys.market,
            Listed::Queue(market, 0) => self.markets[*market].keys.queue_long,
            Listed::Queue(market, _) => self.markets[*market].keys.queue_short,
            Listed::Tokens(wallet) => self.wallets[*wallet].tokens,
            Listed::Forgery => self.forgery,
            Listed::Nobody => Pubkey::new_from_array([77; 32]),
        }
    }
}

/// A copy of a trader account that another program owns.
fn forged(sandbox: &mut Sandbox, original: &Pubkey) -> Pubkey {
    let mut account = sandbox.account(original).expect("a trader");
    account.owner = ballast_sandbox::pyth::PULL_PROGRAM;
    let address = Pubkey::new_from_array([66; 32]);
    sandbox.set_account(&address, account);
    address
}
