//! What is rehearsed: the prices, the market and the people in it.

pub mod flow;
pub mod generated_path;
pub mod market;
pub mod population;
pub mod prices;
pub mod risk;
