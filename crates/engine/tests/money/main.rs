//! Properties of everything that moves money, against exact arithmetic.

mod bounds;
mod conservation;
mod fixture;
mod funding;
mod held;
mod insurance;
mod liquidation;
mod margin;
mod matching;
mod math;
mod payout;
mod pool;
mod pool_replays;
mod pool_unwind;
mod trade;
mod venue;
mod volatility;
mod waterfall;
