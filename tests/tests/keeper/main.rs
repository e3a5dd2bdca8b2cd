//! The keeper's decisions, executed by the built program.

mod crash;
mod cross_crash;
mod cross_firing;
mod cross_live;
mod cross_makers;
mod cross_rounds;
mod cross_venue;
mod pool;
mod protection;
mod random;
mod session;
mod venue;
mod wind_down;
