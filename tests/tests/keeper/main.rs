//! The keeper's decisions, executed by the built program.

mod crash;
mod pool;
mod random;
mod session;
mod venue;
mod wind_down;
