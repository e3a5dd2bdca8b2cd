//! What a market on this machine is made of: a node, a price, people over RPC, processes that end with
//! whoever started them. `ballast-localnet` keeps such a market alive for a visitor of the web app, and
//! the end-to-end run plays a crash on one.

pub mod keeper;
pub mod oracle;
pub mod people;
pub mod population;
pub mod ports;
pub mod process;
pub mod validator;
pub mod venue;
pub mod wait;
