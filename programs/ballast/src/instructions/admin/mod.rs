//! Instructions of the exchange's authorities, and those that put in force what they have staged.

pub mod accept_authority;
pub mod apply_exchange_change;
pub mod apply_market_change;
pub mod apply_oracle_change;
pub mod apply_pool_change;
pub mod cancel_staged;
pub mod create_market;
pub mod create_pool;
pub mod initialize_exchange;
pub mod raise_delays;
pub mod set_pause;
pub mod set_reduce_only;
pub mod stage_change;
pub mod stop_pool;
