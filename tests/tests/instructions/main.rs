//! Every instruction of the program and every error it can give, on the built program.

mod accounts;
mod adl;
mod adl_session;
mod admin;
mod block_trade;
mod cancel;
mod collateral;
mod corrupt;
mod errors;
mod flag;
mod funding;
mod liquidate;
mod margin;
mod market;
mod oracle;
mod place_order;
mod relapse;
mod risk;
mod shipped_bugs;
mod support;
mod trade_limits;
mod trader;
mod triggers;
