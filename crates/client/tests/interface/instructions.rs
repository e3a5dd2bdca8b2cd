//! Every instruction of the program as the client builds it, with arguments that are all
//! different.

use ballast_client::addresses;
use ballast_client::instructions::adl_session::{self, SessionKeys};
use ballast_client::instructions::admin::{self, MarketAccounts, StagedKeys};
use ballast_client::instructions::anyone::{self, Takeover};
use ballast_client::instructions::source::{self, PricePair};
use ballast_client::instructions::trader::{self, Party};
use ballast_client::instructions::{
    cross, fund, migration, orders, protection, stakes, wind_down, Collateral, MarketKeys,
};
use ballast_engine::pool::PoolParams;
use ballast_engine::protection::ProtectiveStep;
use ballast_engine::risk::{RiskParams, RiskTier};
use ballast_state::book_account::OrderSide;
use ballast_state::cross::EnableCrossArgs;
use ballast_state::exchange::Delays;
use ballast_state::instructions::InitializeExchangeArgs;
use ballast_state::instructions::OrderRef;
use ballast_state::instructions::{BlockTradeArgs, BlockTradeCrossArgs};
use ballast_state::instructions::{PlaceTriggerArgs, SetProtectionArgs};
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast_state::staged::Change;
use ballast_state::trigger::TriggerKind;
use ballast_state::Pubkey;
use solana_instruction::Instruction;

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
const STAGED: StagedKeys = StagedKeys {
    address: key(17),
    id: [0x5a; 32],
    payer: PAYER,
};
const PRICES: PricePair = PricePair {
    market: key(1),
    price: key(5),
    new_price: key(18),
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
    [
        admin(),
        traders(),
        orders(),
        anyone(),
        sessions(),
        funds(),
        staking(),
        cross_margin(),
    ]
    .concat()
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
        guardian: key(21),
    };
    let accounts = MarketAccounts {
        queue_long: KEYS.queue_long,
        queue_short: KEYS.queue_short,
        book: KEYS.book,
    };
    vec![
        (
            "initialize_exchange",
            admin::InitializeExchange {
                payer: PAYER,
                admin: OWNER,
                collateral: COLLATERAL,
                args: authorities,
            }
            .instruction(),
        ),
        (
            "raise_delays",
            admin::RaiseDelays {
                admin: OWNER,
                delays: Delays {
                    risk_slots: 432_001,
                    admin_slots: 1_512_003,
                },
            }
            .instruction(),
        ),
        (
            "stage_change",
            admin::StageChange {
                authority: OWNER,
                payer: PAYER,
                market: Some(KEYS.market),
                change: Change::Risk(risk()),
            }
            .instruction(),
        ),
        (
            "cancel_staged",
            admin::CancelStaged {
                authority: OWNER,
                staged: STAGED,
            }
            .instruction(),
        ),
        (
            "apply_exchange_change",
            admin::ApplyExchangeChange { staged: STAGED }.instruction(),
        ),
        (
            "apply_market_change",
            admin::ApplyMarketChange {
                keys: KEYS,
                staged: STAGED,
            }
            .instruction(),
        ),
        (
            "apply_oracle_change",
            source::ApplyOracleChange {
                staged: STAGED,
                prices: PRICES,
            }
            .instruction(),
        ),
        (
            "witness_oracle",
            source::WitnessOracle {
                staged: STAGED,
                prices: PRICES,
            }
            .instruction(),
        ),
        (
            "accept_authority",
            admin::AcceptAuthority {
                successor: OWNER,
                staged: STAGED,
            }
            .instruction(),
        ),
        (
            "set_pause",
            admin::SetPause {
                authority: OWNER,
                flags: 0x61,
                slots: 54_321,
            }
            .instruction(),
        ),
        (
            "set_reduce_only",
            wind_down::SetReduceOnly {
                authority: OWNER,
                market: KEYS.market,
            }
            .instruction(),
        ),
        (
            "create_market",
            admin::CreateMarket {
                payer: PAYER,
                admin: OWNER,
                index: 258,
                accounts,
                collateral: COLLATERAL,
                staged: STAGED,
            }
            .instruction(),
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
        (
            "create_trader",
            trader::CreateTrader {
                payer: PAYER,
                owner: OWNER,
                sub_id: 513,
            }
            .instruction(),
        ),
        (
            "close_trader",
            trader::CloseTrader {
                owner: OWNER,
                trader: account,
            }
            .instruction(),
        ),
        (
            "set_delegate",
            trader::SetDelegate {
                owner: OWNER,
                trader: TRADER,
                delegate: Some(KEEPER),
                block_trades: true,
            }
            .instruction(),
        ),
        (
            "deposit",
            trader::Deposit {
                depositor: OWNER,
                trader: TRADER,
                source: TOKENS,
                collateral: COLLATERAL,
                amount: 9_007_199_254_740_993,
            }
            .instruction(),
        ),
        (
            "withdraw",
            trader::Withdraw {
                owner: OWNER,
                trader: TRADER,
                destination: TOKENS,
                collateral: COLLATERAL,
                amount: 258,
            }
            .instruction(),
        ),
        (
            "add_margin",
            trader::AddMargin {
                authority: OWNER,
                keys: KEYS,
                trader: TRADER,
                amount: 259,
            }
            .instruction(),
        ),
        (
            "remove_margin",
            trader::RemoveMargin {
                authority: OWNER,
                keys: KEYS,
                trader: TRADER,
                amount: 260,
            }
            .instruction(),
        ),
        (
            "block_trade",
            trader::BlockTrade {
                keys: KEYS,
                taker,
                maker,
                args: trade,
            }
            .instruction(),
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
            orders::PlaceOrder {
                authority: OWNER,
                keys: KEYS,
                trader: TRADER,
                args,
                makers: &LISTED,
            }
            .instruction(),
        ),
        (
            "replace_order",
            orders::ReplaceOrder {
                authority: OWNER,
                keys: KEYS,
                trader: TRADER,
                replaced: OrderRef::Id(41),
                args,
                makers: &[],
            }
            .instruction(),
        ),
        (
            "cancel_order",
            orders::CancelOrder {
                authority: OWNER,
                keys: KEYS,
                trader: TRADER,
                order: id,
            }
            .instruction(),
        ),
        (
            "cancel_all_orders",
            orders::CancelAllOrders {
                authority: OWNER,
                keys: KEYS,
                trader: TRADER,
                side: Some(OrderSide::Ask),
            }
            .instruction(),
        ),
        (
            "place_trigger",
            orders::PlaceTrigger {
                authority: OWNER,
                market,
                trader: TRADER,
                args: trigger,
            }
            .instruction(),
        ),
        (
            "cancel_trigger",
            orders::CancelTrigger {
                authority: OWNER,
                market,
                trader: TRADER,
                kind: TriggerKind::TakeProfit,
            }
            .instruction(),
        ),
        (
            "create_protection",
            protection::CreateProtection {
                owner: OWNER,
                market,
                trader: TRADER,
            }
            .instruction(),
        ),
        (
            "set_protection",
            protection::SetProtection {
                authority: OWNER,
                market,
                trader: TRADER,
                queue: KEYS.queue_short,
                args: steps(),
            }
            .instruction(),
        ),
        (
            "close_protection",
            protection::CloseProtection {
                owner: OWNER,
                market,
                trader: TRADER,
            }
            .instruction(),
        ),
    ]
}

fn steps() -> SetProtectionArgs {
    let step = |ratio_bps, keep_bps| ProtectiveStep {
        ratio_bps,
        keep_bps,
    };
    SetProtectionArgs {
        steps: vec![step(20_001, 7_002), step(12_003, 0)],
        slip_bps: 51,
    }
}

fn anyone() -> Vec<(&'static str, Instruction)> {
    let (market, kind) = (KEYS.market, TriggerKind::TakeProfit);
    let offer = Takeover::with_margin(987_654_321);
    vec![
        (
            "accrue_funding",
            anyone::AccrueFunding { keys: KEYS }.instruction(),
        ),
        (
            "donate_insurance",
            anyone::DonateInsurance {
                donor: OWNER,
                market,
                source: TOKENS,
                collateral: COLLATERAL,
                amount: 261,
            }
            .instruction(),
        ),
        (
            "sweep_insurance",
            anyone::SweepInsurance {
                market,
                collateral: COLLATERAL,
            }
            .instruction(),
        ),
        (
            "withdraw_fees",
            anyone::WithdrawFees {
                keys: KEYS,
                treasury: TOKENS,
                collateral: COLLATERAL,
            }
            .instruction(),
        ),
        (
            "withdraw_insurance",
            anyone::WithdrawInsurance {
                market,
                treasury: TOKENS,
                collateral: COLLATERAL,
            }
            .instruction(),
        ),
        (
            "release_profit",
            anyone::ReleaseProfit {
                keys: KEYS,
                traders: &[TRADER],
            }
            .instruction(),
        ),
        (
            "declare_dead",
            wind_down::DeclareDead { market }.instruction(),
        ),
        (
            "begin_settlement",
            wind_down::BeginSettlement { market }.instruction(),
        ),
        (
            "settle_position",
            wind_down::SettlePosition {
                keys: KEYS,
                trader: TRADER,
            }
            .instruction(),
        ),
        (
            "write_off_bankrupt",
            wind_down::WriteOffBankrupt {
                keys: KEYS,
                session: SESSION,
            }
            .instruction(),
        ),
        (
            "count_claims",
            wind_down::CountClaims {
                keys: KEYS,
                max_nodes: 5_000,
            }
            .instruction(),
        ),
        (
            "close_market",
            wind_down::CloseMarket {
                keys: KEYS,
                rent_payer: PAYER,
            }
            .instruction(),
        ),
        (
            "grow_queue",
            anyone::GrowQueue {
                payer: PAYER,
                market,
                queue: KEYS.queue_long,
                positions: 98,
            }
            .instruction(),
        ),
        (
            "flag_bankruptcy",
            anyone::FlagBankruptcy {
                keys: KEYS,
                trader: TRADER,
            }
            .instruction(),
        ),
        (
            "liquidate",
            anyone::Liquidate {
                authority: KEEPER,
                keys: KEYS,
                trader: TRADER,
                liquidator: KEEPERS_TRADER,
                offer,
                makers: &LISTED,
            }
            .instruction(),
        ),
        (
            "execute_trigger",
            anyone::ExecuteTrigger {
                keeper: KEEPER,
                keys: KEYS,
                trader: TRADER,
                reward_trader: KEEPERS_TRADER,
                kind,
                makers: &LISTED,
            }
            .instruction(),
        ),
        (
            "execute_protection",
            anyone::ExecuteProtection {
                keeper: KEEPER,
                keys: KEYS,
                trader: TRADER,
                reward_trader: KEEPERS_TRADER,
                makers: &LISTED,
            }
            .instruction(),
        ),
        (
            "auto_deleverage",
            anyone::AutoDeleverage {
                keeper: KEEPER,
                keys: KEYS,
                bankrupt: TRADER,
                reward_trader: KEEPERS_TRADER,
                counterparties: &LISTED,
            }
            .instruction(),
        ),
    ]
}

fn sessions() -> Vec<(&'static str, Instruction)> {
    vec![
        (
            "open_adl_session",
            adl_session::OpenAdlSession {
                keys: KEYS,
                session: SESSION,
            }
            .instruction(),
        ),
        (
            "advance_adl_session",
            adl_session::AdvanceAdlSession {
                keys: KEYS,
                session: SESSION.session,
                max_nodes: 4_096,
                hints: &[7, 70_000],
            }
            .instruction(),
        ),
        (
            "execute_adl_session",
            adl_session::ExecuteAdlSession {
                keeper: KEEPER,
                keys: KEYS,
                session: SESSION,
                reward_trader: KEEPERS_TRADER,
                selected: &LISTED,
            }
            .instruction(),
        ),
        (
            "close_adl_session",
            adl_session::CloseAdlSession {
                keys: KEYS,
                session: SESSION,
            }
            .instruction(),
        ),
        ("migrate_exchange", migration::MigrateExchange.instruction()),
        (
            "migrate_market",
            migration::MigrateMarket {
                market: KEYS.market,
                book: KEYS.book,
            }
            .instruction(),
        ),
        (
            "migrate_queue",
            migration::MigrateQueue {
                queue: KEYS.queue_long,
            }
            .instruction(),
        ),
        (
            "migrate_book",
            migration::MigrateBook {
                market: KEYS.market,
                book: KEYS.book,
                max_nodes: 77,
            }
            .instruction(),
        ),
        (
            "migrate_trader",
            migration::MigrateTrader {
                trader: TRADER,
                books: &[KEYS.book],
            }
            .instruction(),
        ),
    ]
}

fn funds() -> Vec<(&'static str, Instruction)> {
    let market = KEYS.market;
    let fund = addresses::pool(&market);
    vec![
        (
            "create_pool",
            fund::CreatePool {
                admin: OWNER,
                payer: PAYER,
                market,
                params: PoolParams {
                    mode: 1,
                    ..PoolParams::DEFAULT
                },
            }
            .instruction(),
        ),
        (
            "create_share",
            fund::CreateShare {
                payer: PAYER,
                owner: OWNER,
                fund,
            }
            .instruction(),
        ),
        (
            "close_share",
            fund::CloseShare { owner: OWNER, fund }.instruction(),
        ),
        (
            "deposit_pool",
            fund::DepositPool {
                owner: OWNER,
                keys: KEYS,
                source: TOKENS,
                collateral: COLLATERAL,
                amount: 1_000_262,
            }
            .instruction(),
        ),
        (
            "request_pool",
            fund::RequestPool {
                owner: OWNER,
                keys: KEYS,
                shares: 1_000_263,
            }
            .instruction(),
        ),
        (
            "cancel_pool_request",
            fund::CancelPoolRequest {
                owner: OWNER,
                market,
            }
            .instruction(),
        ),
        (
            "withdraw_pool",
            fund::WithdrawPool {
                owner: OWNER,
                keys: KEYS,
                destination: TOKENS,
                collateral: COLLATERAL,
                least_atoms: 264,
            }
            .instruction(),
        ),
        ("reset_pool", fund::ResetPool { market }.instruction()),
        (
            "stop_pool",
            fund::StopPool {
                authority: OWNER,
                market,
            }
            .instruction(),
        ),
        (
            "apply_pool_change",
            fund::ApplyPoolChange {
                market,
                staged: STAGED,
            }
            .instruction(),
        ),
        (
            "liquidate_into_pool",
            anyone::LiquidateIntoPool {
                authority: OWNER,
                keys: KEYS,
                trader: TRADER,
                liquidator: KEEPERS_TRADER,
                makers: &[],
            }
            .instruction(),
        ),
        (
            "unwind_pool",
            anyone::UnwindPool {
                keeper: OWNER,
                keys: KEYS,
                reward_trader: TRADER,
                makers: &[],
            }
            .instruction(),
        ),
        ("sync_pool", anyone::SyncPool { keys: KEYS }.instruction()),
    ]
}

fn staking() -> Vec<(&'static str, Instruction)> {
    let market = KEYS.market;
    vec![
        (
            "open_stakes",
            stakes::OpenStakes {
                payer: PAYER,
                market,
            }
            .instruction(),
        ),
        (
            "stake",
            stakes::Stake {
                owner: OWNER,
                keys: KEYS,
                source: TOKENS,
                collateral: COLLATERAL,
                amount: 1_000_250,
            }
            .instruction(),
        ),
        (
            "request_unstake",
            stakes::RequestUnstake {
                owner: OWNER,
                market,
                shares: 1_000_251,
            }
            .instruction(),
        ),
        (
            "cancel_unstake",
            stakes::CancelUnstake {
                owner: OWNER,
                market,
            }
            .instruction(),
        ),
        (
            "unstake",
            stakes::Unstake {
                owner: OWNER,
                keys: KEYS,
                destination: TOKENS,
                collateral: COLLATERAL,
                least_atoms: 1_000_252,
            }
            .instruction(),
        ),
    ]
}

fn cross_margin() -> Vec<(&'static str, Instruction)> {
    let (queues, listed) = (&[key(30), key(31)], &LISTED);
    vec![
        (
            "create_board",
            cross::CreateBoard {
                admin: OWNER,
                payer: PAYER,
            }
            .instruction(),
        ),
        (
            "enable_cross",
            cross::EnableCross {
                admin: OWNER,
                keys: KEYS,
                cross_long: key(30),
                cross_short: key(31),
                args: EnableCrossArgs {
                    most_lots: 1_000_253,
                    draw_cap_bps: 2_501,
                    max_age_slots: 254,
                },
            }
            .instruction(),
        ),
        (
            "record_marks",
            cross::RecordMarks { markets: &[KEYS] }.instruction(),
        ),
        (
            "freeze_mark",
            cross::FreezeMark {
                market: KEYS.market,
            }
            .instruction(),
        ),
        (
            "move_cross",
            cross::MoveCross {
                authority: OWNER,
                trader: TRADER,
                amount: -255,
                queues,
            }
            .instruction(),
        ),
        (
            "convert_margin",
            cross::ConvertMargin {
                authority: OWNER,
                keys: KEYS,
                trader: TRADER,
                to_cross: true,
                margin: 1_000_256,
                queues,
            }
            .instruction(),
        ),
        (
            "refresh_ranks",
            cross::RefreshRanks {
                keys: KEYS,
                queues,
                traders: listed,
            }
            .instruction(),
        ),
        (
            "witness_ranks",
            cross::WitnessRanks {
                keys: KEYS,
                bankrupt: TRADER,
                queues,
                traders: listed,
            }
            .instruction(),
        ),
        (
            "flag_leg",
            cross::FlagLeg {
                keys: KEYS,
                trader: TRADER,
            }
            .instruction(),
        ),
        (
            "liquidate_leg",
            cross::LiquidateLeg {
                authority: KEEPER,
                keys: KEYS,
                trader: TRADER,
                liquidator: KEEPERS_TRADER,
                offer: Takeover::with_margin(1_000_257),
                queues,
                makers: listed,
            }
            .instruction(),
        ),
        (
            "auto_deleverage_cross",
            cross::AutoDeleverageCross {
                keeper: KEEPER,
                keys: KEYS,
                bankrupt: TRADER,
                reward_trader: KEEPERS_TRADER,
                queues,
                counterparties: listed,
            }
            .instruction(),
        ),
        (
            "trade_leg",
            cross::TradeLeg {
                authority: OWNER,
                keys: KEYS,
                trader: TRADER,
                args: PlaceOrderArgs {
                    side: OrderSide::Ask,
                    kind: OrderKind::FillOrKill,
                    price_ticks: 199_900,
                    lots: 1_025,
                    reduce_only: true,
                    ..PlaceOrderArgs::default()
                },
                queues,
                makers: listed,
            }
            .instruction(),
        ),
        (
            "block_trade_cross",
            cross::BlockTradeCross {
                keys: KEYS,
                taker: Party {
                    trader: TRADER,
                    authority: OWNER,
                },
                maker: Party {
                    trader: KEEPERS_TRADER,
                    authority: KEEPER,
                },
                args: BlockTradeCrossArgs {
                    trade: BlockTradeArgs {
                        lots: -1_234,
                        price_ticks: 187_500,
                        taker_margin: 77,
                        maker_margin: u64::MAX,
                    },
                    taker_leg: true,
                    maker_leg: false,
                },
                queues,
            }
            .instruction(),
        ),
        (
            "part_leg",
            cross::PartLeg {
                keys: KEYS,
                trader: TRADER,
                queues,
            }
            .instruction(),
        ),
    ]
}
