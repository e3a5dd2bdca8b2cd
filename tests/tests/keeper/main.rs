//! The keeper's decisions, executed by the built program.

mod crash;
mod venue;
