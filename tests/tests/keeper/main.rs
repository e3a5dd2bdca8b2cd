//! The keeper's decisions, executed by the built program.

mod crash;
mod pool;
mod protection;
mod random;
mod session;
mod venue;
mod wind_down;
