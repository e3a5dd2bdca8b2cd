//! Every instruction of the program as the client builds it, with arguments that are all
//! different.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_client::addresses;
use ballast_client::instructions::adl_session::{self, SessionKeys};
use ballast_client::instructions::admin::{self, MarketAccounts};
use ballast_client::instructions::anyone::{self, Takeover};
use ballast_client::instructions::trader::{self, Party};
use ballast_client::instructions::{orders, Collateral, MarketKeys};
use ballast_engine::risk::{RiskParams, RiskTier};
use ballast_state::book_account::OrderSide;
use ballast_state::exchange::Role;
use ballast_state::instructions::BlockTradeArgs;
use ballast_state::instructions::CreateMarketArgs;
use ballast_state::instructions::InitializeExchangeArgs;
use ballast_state::instructions::OrderRef;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::oracle_config::OracleConfig;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast_state::trigger::TriggerKind;

const KEYS: MarketKeys = MarketKeys {
    market: key(1),
    queue_long: key(2),
    queue_short: key(3),
    book: key(4),
    price: key(5),
};
const COLLATERAL: Collateral = Collateral {
    mint: key(6),
    token_program: key(7),
};
const SESSION: SessionKeys = SessionKeys {
    session: key(8),
    payer: PAYER,
    bankrupt: TRADER,
};
const PAYER: Pubkey = key(9);
const OWNER: Pubkey = key(10);
const TRADER: Pubkey = key(11);
const KEEPER: Pubkey = key(12);
const KEEPERS_TRADER: Pubkey = key(13);
const TOKENS: Pubkey = key(14);
const LISTED: [Pubkey; 2] = [key(15), key(16)];

/// A key by number.
pub const fn key(number: u8) -> Pubkey {
    Pubkey::new_from_array([number; 32])
}

/// All instructions by name.
pub fn all() -> Vec<(&'static str, Instruction)> {
    [admin(), traders(), orders(), anyone(), sessions()].concat()
}

fn risk() -> RiskParams {
    RiskParams {
        tiers: [
            RiskTier {
                notional_limit_atoms: 1_000_000_007,
                initial_margin_bps: 1_001,
                maintenance_margin_bps: 502,
            },
            RiskTier {
                notional_limit_atoms: u64::MAX,
                initial_margin_bps: 2_003,
                maintenance_margin_bps: 1_004,
            },
            RiskTier::default(),
            RiskTier::default(),
        ],
        tier_count: 2,
        maker_fee_bps: -3,
        funding_rate_ppm_per_hour: -17,
        max_position_lots: 4_294_967_295,
        ..RiskParams::default()
    }
}

fn admin() -> Vec<(&'static str, Instruction)> {
    let authorities = InitializeExchangeArgs {
        risk_authority: key(20),
        pause_authority: key(21),
    };
    let market = CreateMarketArgs {
        name: *b"SOL-PERP\0\0\0\0\0\0\0\0",
        oracle: OracleConfig {
            kind: 1,
            push_account: key(22),
            tick_nano: 1_000_003,
            atoms_per_lot_tick: 5,
            lot_nano: 1_000_007,
            ..OracleConfig::default()
        },
        risk: risk(),
    };
    let accounts = MarketAccounts {
        queue_long: KEYS.queue_long,
        queue_short: KEYS.queue_short,
        book: KEYS.book,
    };
    vec![
        (
            "initialize_exchange",
            admin::initialize_exchange(PAYER, OWNER, COLLATERAL, authorities),
        ),
        (
            "propose_authority",
            admin::propose_authority(OWNER, Role::Pause, key(23)),
        ),
        (
            "accept_authority",
            admin::accept_authority(OWNER, Role::Risk),
        ),
        ("set_pause", admin::set_pause(OWNER, 0x61)),
        (
            "create_market",
            admin::create_market(PAYER, OWNER, 258, accounts, COLLATERAL, market),
        ),
        (
            "update_market_risk",
            admin::update_market_risk(OWNER, KEYS, risk().into()),
        ),
    ]
}

fn traders() -> Vec<(&'static str, Instruction)> {
    let maker = Party {
        trader: KEEPERS_TRADER,
        authority: KEEPER,
    };
    let taker = Party {
        trader: TRADER,
        authority: OWNER,
    };
    let trade = BlockTradeArgs {
        lots: -1_234,
        price_ticks: 187_500,
        taker_margin: 77,
        maker_margin: u64::MAX,
    };
    let account = addresses::trader(&OWNER, 513);
    vec![
        ("create_trader", trader::create_trader(PAYER, OWNER, 513)),
        ("close_trader", trader::close_trader(OWNER, account)),
        (
            "set_delegate",
            trader::set_delegate(OWNER, TRADER, Some(KEEPER)),
        ),
        (
            "deposit",
            trader::deposit(OWNER, TRADER, TOKENS, COLLATERAL, 9_007_199_254_740_993),
        ),
        (
            "withdraw",
            trader::withdraw(OWNER, TRADER, TOKENS, COLLATERAL, 258),
        ),
        ("add_margin", trader::add_margin(OWNER, KEYS, TRADER, 259)),
        (
            "remove_margin",
            trader::remove_margin(OWNER, KEYS, TRADER, 260),
        ),
        (
            "block_trade",
            trader::block_trade(KEYS, taker, maker, trade),
        ),
    ]
}

fn orders() -> Vec<(&'static str, Instruction)> {
    let args = PlaceOrderArgs {
        side: OrderSide::Ask,
        kind: OrderKind::PostOnly,
        price_ticks: 201_000,
        lots: 4_294_967_295,
        margin: 12_345_678,
        client_id: u64::MAX,
        expires_at: 1_900_000_000,
        reduce_only: true,
        self_trade: SelfTrade::Abort,
    };
    let trigger = PlaceTriggerArgs {
        kind: TriggerKind::TakeProfit,
        price_ticks: 210_000,
        worst_ticks: 209_000,
        lots: 33,
    };
    let (market, id) = (KEYS.market, OrderRef::ClientId(42));
    vec![
        (
            "place_order",
            orders::place_order(OWNER, KEYS, TRADER, args, &LISTED),
        ),
        (
            "replace_order",
            orders::replace_order(OWNER, KEYS, TRADER, OrderRef::Id(41), args, &[]),
        ),
        (
            "cancel_order",
            orders::cancel_order(OWNER, KEYS, TRADER, id),
        ),
        (
            "cancel_all_orders",
            orders::cancel_all_orders(OWNER, KEYS, TRADER, Some(OrderSide::Ask)),
        ),
        (
            "place_trigger",
            orders::place_trigger(OWNER, market, TRADER, trigger),
        ),
        (
            "cancel_trigger",
            orders::cancel_trigger(OWNER, market, TRADER, TriggerKind::TakeProfit),
        ),
    ]
}

fn anyone() -> Vec<(&'static str, Instruction)> {
    let (market, kind) = (KEYS.market, TriggerKind::TakeProfit);
    let offer = Takeover::with_margin(987_654_321);
    vec![
        ("accrue_funding", anyone::accrue_funding(KEYS)),
        (
            "donate_insurance",
            anyone::donate_insurance(OWNER, market, TOKENS, COLLATERAL, 261),
        ),
        (
            "sweep_insurance",
            anyone::sweep_insurance(market, COLLATERAL),
        ),
        (
            "grow_queue",
            anyone::grow_queue(PAYER, market, KEYS.queue_long, 98),
        ),
        ("flag_bankruptcy", anyone::flag_bankruptcy(KEYS, TRADER)),
        (
            "liquidate",
            anyone::liquidate(KEEPER, KEYS, TRADER, KEEPERS_TRADER, offer, &LISTED),
        ),
        (
            "execute_trigger",
            anyone::execute_trigger(KEEPER, KEYS, TRADER, KEEPERS_TRADER, kind, &LISTED),
        ),
        (
            "auto_deleverage",
            anyone::auto_deleverage(KEEPER, KEYS, TRADER, KEEPERS_TRADER, 65_537, &LISTED),
        ),
    ]
}

fn sessions() -> Vec<(&'static str, Instruction)> {
    vec![
        (
            "open_adl_session",
            adl_session::open_adl_session(KEYS, SESSION, 65_538),
        ),
        (
            "advance_adl_session",
            adl_session::advance_adl_session(KEYS, SESSION.session, 4_096, vec![7, 70_000]),
        ),
        (
            "execute_adl_session",
            adl_session::execute_adl_session(KEEPER, KEYS, SESSION, KEEPERS_TRADER, &LISTED),
        ),
        (
            "close_adl_session",
            adl_session::close_adl_session(KEYS, SESSION),
        ),
    ]
}
