//! Values as the fixtures state them: what does not fit a float is text, bytes are hexadecimal.

use ballast_engine::book::{BookHeader, Order};
use ballast_engine::funding::FundingState as FundingLedger;
use ballast_engine::held::HeldProfit as HeldLedger;
use ballast_engine::insurance::InsuranceState as InsuranceLedger;
use ballast_engine::oracle::PriceClock;
use ballast_engine::pool::PoolParams as PoolConfig;
use ballast_engine::protection::ProtectiveStep;
use ballast_engine::queue::{QueueEntry, QueueHeader, Watch};
use ballast_engine::risk::{
    AdlParams as AdlConfig, LadderStep, RiskParams as RiskConfig, RiskTier,
};
use ballast_engine::selection::{Member, Selection};
use ballast_engine::slab::{Links, TreeHeader};
use ballast_engine::units::FundingIndex;
use ballast_engine::volatility::Volatility;
use ballast_engine::wind_down::WindDown as MarketEnd;
use ballast_state::adl_session::AdlSession;
use ballast_state::book_account::OrderSide;
use ballast_state::events::{
    AutoDeleveraged, CancelledOrders, CounterpartyCut, OrderCancelled, OrderFilled, OrderPlaced,
    OrderRemoved, PartyTraded, RemovalReason,
};
use ballast_state::exchange::Exchange;
use ballast_state::last_price::LastPrice;
use ballast_state::market::Market;
use ballast_state::oracle_config::OracleConfig;
use ballast_state::order_args::OrderKind;
use ballast_state::pause::{LongPause, Pause};
use ballast_state::pool::Pool;
use ballast_state::position_slot::PositionSlot;
use ballast_state::protection::Protection;
use ballast_state::share::Share;
use ballast_state::staged::Staged;
use ballast_state::stakes::Stakes;
use ballast_state::trader::Trader;
use ballast_state::trigger::Trigger;
use ballast_state::witnessed::Witnessed;
use ballast_state::Pubkey;
use borsh::BorshSerialize;
use serde_json::{Map, Value};

/// A value as a fixture states it.
pub trait Json {
    fn json(&self) -> Value;
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The engine's keys are bytes; this states those of an engine's type as keys.
pub fn keys(mut value: Value) -> Value {
    let Some(fields) = value.as_object_mut() else {
        return value;
    };
    for (name, field) in fields {
        if let (true, Some(text)) = (KEYS.contains(&name.as_str()), field.as_str()) {
            *field = key(text).to_string().into();
        } else {
            *field = keys(field.take());
        }
    }
    value
}

const KEYS: [&str; 3] = ["market", "session", "trader"];

fn key(text: &str) -> Pubkey {
    let digits: Vec<_> = (0..32).map(|byte| &text[2 * byte..2 * byte + 2]).collect();
    let bytes: Vec<_> = digits
        .iter()
        .map(|two| u8::from_str_radix(two, 16).unwrap())
        .collect();
    Pubkey::try_from(bytes).unwrap()
}

macro_rules! numbers {
    ($($small:ty)* ; $($large:ty)*) => {
        $(impl Json for $small { fn json(&self) -> Value { (*self).into() } })*
        $(impl Json for $large { fn json(&self) -> Value { self.to_string().into() } })*
    };
}

impl Json for FundingIndex {
    fn json(&self) -> Value {
        self.get().json()
    }
}

numbers!(u8 u16 u32 i32 bool ; u64 i64 Pubkey);

macro_rules! lists {
    ($($item:ty)*) => {
        $(impl<const N: usize> Json for [$item; N] {
            fn json(&self) -> Value {
                self.iter().map(Json::json).collect()
            }
        })*
    };
}

lists!(u64 RiskTier LadderStep PositionSlot ProtectiveStep);

impl<const N: usize> Json for [u8; N] {
    fn json(&self) -> Value {
        hex(self).into()
    }
}

impl<T: Json> Json for Vec<T> {
    fn json(&self) -> Value {
        self.iter().map(Json::json).collect()
    }
}

impl<T: Json> Json for Option<T> {
    fn json(&self) -> Value {
        self.as_ref().map_or(Value::Null, Json::json)
    }
}

macro_rules! objects {
    ($($name:ident { $($field:ident),* })*) => {
        $(impl Json for $name {
            fn json(&self) -> Value {
                let mut fields = Map::new();
                $(fields.insert(stringify!($field).into(), self.$field.json());)*
                Value::Object(fields)
            }
        })*
    };
}

macro_rules! in_accounts {
    (
        whole: { $($whole:ident { $($field:ident),* })* }
        part: { $($part:ident { $($public:ident),* })* }
    ) => {
        objects! { $($whole { $($field),* })* $($part { $($public),* })* }
    };
}

account_types!(in_accounts);

objects! {
    AutoDeleveraged {
        market, bankrupt, keeper, bankruptcy_id, bankrupt_lots, epoch, pass_opened, session,
        mark_ticks, funding_index, close_quote_atoms, close_lots, rank_tolerance_bps,
        min_profit_bps, max_close_bps, least_lots, lots_before, entry_quote_before, margin_before,
        lots_closed, lots_after, deficit_before_atoms, insurance_paid_atoms, held_paid_atoms, gave_up_atoms,
        deficit_after_atoms, insurance_before_atoms, insurance_after_atoms, reward_atoms,
        nodes_visited, cuts, cancelled
    }
    CounterpartyCut {
        trader, sequence, lots_before, entry_quote_before, margin_before, winner, lots_closed,
        quote_atoms, realized_atoms, payout_atoms, gave_up_atoms, cancelled_orders,
        cancelled_margin_atoms
    }
    CancelledOrders { trader, orders, margin_atoms }
    OrderPlaced {
        market, trader, order_id, client_id, side, kind, reduce_only, price_ticks, expires_at,
        lots, filled_lots, resting_lots, dropped_lots, reserved_atoms, mark_ticks, funding_index,
        open_interest_after, collected_atoms, taker, cancelled, fills, removed, kept_orders
    }
    PartyTraded {
        trader, lots_before, lots_after, entry_quote_after, margin_before, margin_after,
        free_before, free_after, realized, released, margin_added, fee
    }
    OrderCancelled { id, client_id, side, price_ticks, lots, margin_atoms }
    OrderFilled {
        maker, order_id, price_ticks, lots, taker_fee, maker_fee, maker_lots_after,
        maker_margin_after, order_left
    }
    OrderRemoved { maker, order_id, reason, price_ticks, lots, fee_atoms }
}

macro_rules! choices {
    ($($name:ident)*) => {
        $(impl Json for $name {
            fn json(&self) -> Value {
                // The number with which it is written; it has no fields.
                let mut written = Vec::new();
                self.serialize(&mut written).unwrap();
                assert_eq!(written.len(), 1);
                written[0].into()
            }
        })*
    };
}

choices!(OrderSide OrderKind RemovalReason);
