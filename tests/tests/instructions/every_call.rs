//! A world in which instructions of every kind go through as they stand.

use anchor_lang::solana_program::instruction::{AccountMeta, Instruction};
use ballast_client::addresses;
use ballast_client::instructions::admin::{MarketAccounts, StagedKeys};
use ballast_client::instructions::source::{self, PricePair};
use ballast_client::instructions::{admin, anyone, migration, orders, trader, wind_down};
use ballast_sandbox::{MarketCookie, Options, PriceSource, Sandbox};
use ballast_state::book_account::MIN_BOOK_ORDERS;
use ballast_state::exchange::{Delays, Role};
use ballast_state::instructions::CreateMarketArgs;
use ballast_state::instructions::InitializeExchangeArgs;
use ballast_state::instructions::OrderRef;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::market::Market;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use ballast_state::queue_account::MIN_QUEUE_NODES;
use ballast_state::staged::Change;
use ballast_state::trader::Trader;
use ballast_state::trigger::TriggerKind;
use ballast_state::Pubkey;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::fees::{collect, name_treasury};
use crate::orders::{ask, bid, of_kind};
use crate::support::{done, forge, quiet, terms, Venue, START, TEN, USD};

/// An instruction that goes through as it stands, and who signs it.
pub struct Call {
    pub name: &'static str,
    pub instruction: Instruction,
    signers: Vec<Keypair>,
}

impl Call {
    pub fn new(name: &'static str, instruction: Instruction, signers: &[&Keypair]) -> Self {
        Self {
            name,
            instruction,
            signers: signers.iter().map(|key| key.insecure_clone()).collect(),
        }
    }

    /// Sends it with `change` made to its accounts. Keys that need no longer sign do not.
    pub fn send(
        &self,
        sandbox: &mut Sandbox,
        change: impl FnOnce(&mut Vec<AccountMeta>),
    ) -> ballast_sandbox::TxResult {
        let mut instruction = self.instruction.clone();
        change(&mut instruction.accounts);
        let signs = |key: &&Keypair| {
            let named = |meta: &AccountMeta| meta.is_signer && meta.pubkey == key.pubkey();
            instruction.accounts.iter().any(named)
        };
        let signers: Vec<&Keypair> = self.signers.iter().filter(signs).collect();
        sandbox.send(std::slice::from_ref(&instruction), &signers)
    }

    /// Who signs it.
    pub fn signers(&self) -> Vec<&Keypair> {
        self.signers.iter().collect()
    }

    /// What is refused, for the message of a failure.
    pub fn account(&self, place: usize) -> String {
        format!("{} with account {place}", self.name)
    }
}

/// A world in which every call but `initialize_exchange` goes through: at $189 alice is bankrupt,
/// carol below maintenance, bob healthy, his take-profit reached and a bid of his far below; dave's
/// account is empty, and erin bids and asks.
pub struct World {
    pub sandbox: Sandbox,
    pub other: MarketCookie,
    pub calls: Vec<Call>,
}

/// All of a position, at this price.
fn trigger(kind: TriggerKind, price_ticks: u64) -> PlaceTriggerArgs {
    PlaceTriggerArgs {
        kind,
        price_ticks,
        worst_ticks: 0,
        lots: u64::MAX,
    }
}

/// Gives the trader a part of a ledger that has ended, which a release clears away.
fn hold_profit(sandbox: &mut Sandbox, market: &MarketCookie, trader: &Pubkey) {
    forge::<Trader>(sandbox, trader, |account| {
        let slot = account.slot_mut(&market.keys.market).unwrap();
        (slot.held_shares, slot.held_epoch) = (5, 7);
    });
}

/// Stages a change, signed by `root`, whose rent `payer` pays.
pub fn stage(
    sandbox: &mut Sandbox,
    root: &Keypair,
    payer: &Keypair,
    change: Change,
    market: Option<Pubkey>,
) -> StagedKeys {
    let stage = admin::StageChange {
        authority: root.pubkey(),
        payer: payer.pubkey(),
        market,
        change,
    };
    done(sandbox.send(&[stage.instruction()], &[root, payer]));
    sandbox.staged_keys(&stage.address())
}

pub fn world() -> World {
    let mut venue = Venue::open();
    let other = venue.second_market();
    let carol = venue.sandbox.create_trader(1_000 * USD).unwrap();
    let dave = venue.sandbox.create_trader(0).unwrap();
    let erin = venue.trader(1_000);
    let opening = terms(TEN, START, 150 * USD, 400 * USD);
    done(
        venue
            .sandbox
            .block_trade(&venue.market, &carol, &venue.bob, opening),
    );
    venue.price(189_000);
    done(
        venue
            .sandbox
            .mint_to(&venue.bob.wallet.tokens.clone(), 1_000),
    );
    let bob = venue.bob.clone();
    let resting = PlaceOrderArgs {
        client_id: 1,
        ..bid(180_000, 100)
    };
    venue.place(&bob, resting, &[]);
    venue.place(&erin, bid(188_900, 5_000), &[]);
    venue.place(&erin, ask(189_000, 5_000), &[]);
    let mut s = venue.sandbox;
    done(s.place_trigger(
        &venue.market,
        &venue.bob,
        trigger(TriggerKind::TakeProfit, 190_000),
    ));
    hold_profit(&mut s, &venue.market, &erin.address);
    let successor = s.funded_keypair();
    let space = addresses::queue_space(MIN_QUEUE_NODES);
    let accounts = MarketAccounts {
        queue_long: s.create_program_account(space).unwrap(),
        queue_short: s.create_program_account(space).unwrap(),
        book: s
            .create_program_account(addresses::book_space(MIN_BOOK_ORDERS))
            .unwrap(),
    };
    let (payer, newcomer) = (s.funded_keypair(), s.funded_keypair());
    let (root, config, collateral) = (s.admin_keypair(), quiet(), s.collateral());
    let (keys, alice) = (venue.market.keys, venue.alice);
    let (own, makers) = (OrderRef::ClientId(1), [erin.address]);
    let buy = of_kind(OrderKind::FillOrKill, bid(189_000, 100));
    let bob_key = &bob.wallet.keypair;
    let signs = bob.wallet.address();
    let args = CreateMarketArgs {
        name: config.name,
        oracle: config.oracle(keys.price),
        risk: config.risk,
    };
    let hand_over = Change::Authority {
        role: Role::Guardian,
        successor: successor.pubkey(),
    };
    let of = Some(keys.market);
    let other_source = s.other_source(&venue.market, PriceSource::Pull, [9; 32]);
    s.set_price(&other_source, 189_000);
    let prices = PricePair {
        market: keys.market,
        price: keys.price,
        new_price: other_source.keys.price,
    };
    let mut stage = |change, market| stage(&mut s, &root, &payer, change, market);
    let handed_over = stage(hand_over, None);
    let new_market = stage(Change::CreateMarket(args), None);
    let new_risk = stage(Change::Risk(config.risk), of);
    let new_delays = stage(Change::Delays(Delays::DEFAULT), None);
    let new_source = stage(Change::Oracle(other_source.source()), of);
    let reduce = terms(-100, 189_000, 0, 0).args();
    let stop = trigger(TriggerKind::StopLoss, 250_000);
    let calls = vec![
        Call::new(
            "raise_delays",
            admin::RaiseDelays {
                admin: root.pubkey(),
                delays: Delays::DEFAULT,
            }
            .instruction(),
            &[&root],
        ),
        Call::new(
            "stage_change",
            admin::StageChange {
                authority: root.pubkey(),
                payer: payer.pubkey(),
                market: None,
                change: Change::Treasury(signs),
            }
            .instruction(),
            &[&root, &payer],
        ),
        Call::new(
            "cancel_staged",
            admin::CancelStaged {
                authority: root.pubkey(),
                staged: new_risk,
            }
            .instruction(),
            &[&root],
        ),
        Call::new(
            "apply_exchange_change",
            admin::ApplyExchangeChange { staged: new_delays }.instruction(),
            &[],
        ),
        Call::new(
            "apply_market_change",
            admin::ApplyMarketChange {
                keys,
                staged: new_risk,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "apply_oracle_change",
            source::ApplyOracleChange {
                staged: new_source,
                prices,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "witness_oracle",
            source::WitnessOracle {
                staged: new_source,
                prices,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "accept_authority",
            admin::AcceptAuthority {
                successor: successor.pubkey(),
                staged: handed_over,
            }
            .instruction(),
            &[&successor],
        ),
        Call::new(
            "set_pause",
            admin::SetPause {
                authority: root.pubkey(),
                flags: 1,
                slots: 10,
            }
            .instruction(),
            &[&root],
        ),
        Call::new(
            "set_reduce_only",
            wind_down::SetReduceOnly {
                authority: root.pubkey(),
                market: keys.market,
            }
            .instruction(),
            &[&root],
        ),
        Call::new(
            "create_market",
            admin::CreateMarket {
                payer: payer.pubkey(),
                admin: root.pubkey(),
                index: 2,
                accounts,
                collateral,
                staged: new_market,
            }
            .instruction(),
            &[&payer, &root],
        ),
        Call::new(
            "create_trader",
            trader::CreateTrader {
                payer: payer.pubkey(),
                owner: newcomer.pubkey(),
                sub_id: 0,
            }
            .instruction(),
            &[&payer, &newcomer],
        ),
        Call::new(
            "close_trader",
            trader::CloseTrader {
                owner: dave.wallet.address(),
                trader: dave.address,
            }
            .instruction(),
            &[&dave.wallet.keypair],
        ),
        Call::new(
            "set_delegate",
            trader::SetDelegate {
                owner: signs,
                trader: bob.address,
                delegate: None,
                block_trades: false,
            }
            .instruction(),
            &[bob_key],
        ),
        Call::new(
            "deposit",
            trader::Deposit {
                depositor: signs,
                trader: bob.address,
                source: bob.wallet.tokens,
                collateral,
                amount: 5,
            }
            .instruction(),
            &[bob_key],
        ),
        Call::new(
            "withdraw",
            trader::Withdraw {
                owner: signs,
                trader: bob.address,
                destination: bob.wallet.tokens,
                collateral,
                amount: 5,
            }
            .instruction(),
            &[bob_key],
        ),
        Call::new(
            "add_margin",
            trader::AddMargin {
                authority: signs,
                keys,
                trader: bob.address,
                amount: 5,
            }
            .instruction(),
            &[bob_key],
        ),
        Call::new(
            "remove_margin",
            trader::RemoveMargin {
                authority: signs,
                keys,
                trader: bob.address,
                amount: 5,
            }
            .instruction(),
            &[bob_key],
        ),
        Call::new(
            "block_trade",
            trader::BlockTrade {
                keys,
                taker: carol.party(),
                maker: bob.party(),
                args: reduce,
            }
            .instruction(),
            &[&carol.wallet.keypair, bob_key],
        ),
        Call::new(
            "place_order",
            orders::PlaceOrder {
                authority: signs,
                keys,
                trader: bob.address,
                args: buy,
                makers: &makers,
            }
            .instruction(),
            &[bob_key],
        ),
        Call::new(
            "replace_order",
            orders::ReplaceOrder {
                authority: signs,
                keys,
                trader: bob.address,
                replaced: own,
                args: buy,
                makers: &makers,
            }
            .instruction(),
            &[bob_key],
        ),
        Call::new(
            "cancel_order",
            orders::CancelOrder {
                authority: signs,
                keys,
                trader: bob.address,
                order: own,
            }
            .instruction(),
            &[bob_key],
        ),
        Call::new(
            "cancel_all_orders",
            orders::CancelAllOrders {
                authority: signs,
                keys,
                trader: bob.address,
                side: None,
            }
            .instruction(),
            &[bob_key],
        ),
        Call::new(
            "place_trigger",
            orders::PlaceTrigger {
                authority: signs,
                market: keys.market,
                trader: bob.address,
                args: stop,
            }
            .instruction(),
            &[bob_key],
        ),
        Call::new(
            "cancel_trigger",
            orders::CancelTrigger {
                authority: signs,
                market: keys.market,
                trader: bob.address,
                kind: TriggerKind::TakeProfit,
            }
            .instruction(),
            &[bob_key],
        ),
        Call::new(
            "accrue_funding",
            anyone::AccrueFunding { keys }.instruction(),
            &[],
        ),
        Call::new(
            "donate_insurance",
            anyone::DonateInsurance {
                donor: signs,
                market: keys.market,
                source: bob.wallet.tokens,
                collateral,
                amount: 5,
            }
            .instruction(),
            &[bob_key],
        ),
        Call::new(
            "sweep_insurance",
            anyone::SweepInsurance {
                market: keys.market,
                collateral,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "release_profit",
            anyone::ReleaseProfit {
                keys,
                traders: &makers,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "flag_bankruptcy",
            anyone::FlagBankruptcy {
                keys,
                trader: carol.address,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "liquidate",
            anyone::Liquidate {
                authority: signs,
                keys,
                trader: carol.address,
                liquidator: bob.address,
                offer: anyone::Takeover::with_margin(0),
                makers: &makers,
            }
            .instruction(),
            &[bob_key],
        ),
        Call::new(
            "execute_trigger",
            anyone::ExecuteTrigger {
                keeper: signs,
                keys,
                trader: bob.address,
                reward_trader: bob.address,
                kind: TriggerKind::TakeProfit,
                makers: &makers,
            }
            .instruction(),
            &[bob_key],
        ),
        Call::new(
            "auto_deleverage",
            anyone::AutoDeleverage {
                keeper: signs,
                keys,
                bankrupt: alice.address,
                reward_trader: bob.address,
                counterparties: &[bob.address],
            }
            .instruction(),
            &[bob_key],
        ),
        Call::new(
            "migrate_exchange",
            migration::MigrateExchange.instruction(),
            &[],
        ),
        Call::new(
            "migrate_market",
            migration::MigrateMarket {
                market: keys.market,
                book: keys.book,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "migrate_queue",
            migration::MigrateQueue {
                queue: other.keys.queue_long,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "migrate_book",
            migration::MigrateBook {
                market: keys.market,
                book: keys.book,
                max_nodes: migration::MAX_BOOK_NODES,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "migrate_trader",
            migration::MigrateTrader {
                trader: bob.address,
                books: &[],
            }
            .instruction(),
            &[],
        ),
    ];
    World {
        sandbox: s,
        other,
        calls,
    }
}

/// A world of markets in each state of their ends: one whose oracle is dead, one whose end has come,
/// one in which positions are settled, an empty one, one in which something was written off. Another
/// trades, one more has fees to pay out, and another one insurance.
pub fn ends() -> World {
    let mut venue = Venue::open();
    let dead = venue.market.clone();
    let [due, settling, empty, uncounted] = [(); 4].map(|()| venue.second_market());
    let (alice, bob) = (venue.alice.clone(), venue.bob.clone());
    let mut s = venue.sandbox;
    let opening = terms(100, START, 200 * USD, 200 * USD);
    done(s.block_trade(&settling, &alice, &bob, opening));
    for market in [&due, &settling, &empty, &uncounted] {
        done(s.accrue_funding(market));
    }
    let later = |s: &mut Sandbox, seconds| {
        let slots = u64::try_from(seconds * 5 / 2).unwrap();
        s.set_clock(s.slot() + slots, s.time() + seconds);
    };
    later(&mut s, 86_400);
    for market in [&due, &settling, &empty, &uncounted] {
        done(s.declare_dead(market));
    }
    later(&mut s, 86_400);
    for market in [&settling, &empty, &uncounted] {
        done(s.begin_settlement(market));
    }
    forge::<Market>(&mut s, &uncounted.keys.market, |market| {
        market.written_off_atoms = 1
    });
    let other = s.create_market(&quiet()).unwrap();
    let earning = s.create_market(&quiet()).unwrap();
    let treasury = name_treasury(&mut s).tokens;
    collect(&mut s, &earning, 1_000 * USD);
    let spent = s.create_market(&quiet()).unwrap();
    leave_insurance(&mut s, &spent, USD);
    let payer = s.funded_keypair().pubkey();
    forge::<Market>(&mut s, &empty.keys.market, |market| {
        market.rent_payer = payer;
    });
    let calls = vec![
        Call::new(
            "withdraw_fees",
            anyone::WithdrawFees {
                keys: earning.keys,
                treasury,
                collateral: s.collateral(),
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "withdraw_insurance",
            anyone::WithdrawInsurance {
                market: spent.keys.market,
                treasury,
                collateral: s.collateral(),
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "declare_dead",
            wind_down::DeclareDead {
                market: dead.keys.market,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "begin_settlement",
            wind_down::BeginSettlement {
                market: due.keys.market,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "settle_position",
            wind_down::SettlePosition {
                keys: settling.keys,
                trader: alice.address,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "count_claims",
            wind_down::CountClaims {
                keys: uncounted.keys,
                max_nodes: 1,
            }
            .instruction(),
            &[],
        ),
        Call::new(
            "close_market",
            wind_down::CloseMarket {
                keys: empty.keys,
                rent_payer: payer,
            }
            .instruction(),
            &[],
        ),
    ];
    World {
        sandbox: s,
        other,
        calls,
    }
}

/// The world before there is an exchange.
pub fn genesis() -> World {
    let mut sandbox = Sandbox::empty(&Options::default()).unwrap();
    let (payer, root) = (sandbox.funded_keypair(), sandbox.admin_keypair());
    let args = InitializeExchangeArgs {
        risk_authority: root.pubkey(),
        guardian: root.pubkey(),
    };
    let instruction = admin::InitializeExchange {
        payer: payer.pubkey(),
        admin: root.pubkey(),
        collateral: sandbox.collateral(),
        args,
    }
    .instruction();
    World {
        calls: vec![Call::new(
            "initialize_exchange",
            instruction,
            &[&payer, &root],
        )],
        other: Venue::new().market,
        sandbox,
    }
}

/// Leaves a market that was closed a month ago with so much insurance.
pub fn leave_insurance(s: &mut Sandbox, market: &MarketCookie, atoms: u64) {
    let address = market.keys.market;
    done(s.mint_to(&addresses::insurance_vault(&address), atoms));
    let ended = s.time() - 31 * 86_400;
    forge::<Market>(s, &address, |market| {
        (market.mode, market.final_ticks) = (3, 1);
        (market.wind_down.ends_at, market.wind_down.cause) = (ended, 2);
        market.insurance.balance = atoms;
        market.insurance_vault_total = atoms + 1;
    });
}
