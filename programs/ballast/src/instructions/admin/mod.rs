//! Instructions of the exchange's authorities.

pub mod accept_authority;
pub mod create_market;
pub mod initialize_exchange;
pub mod propose_authority;
pub mod set_pause;
pub mod update_market_risk;
