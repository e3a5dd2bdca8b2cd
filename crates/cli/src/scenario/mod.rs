//! What is rehearsed: the prices, the market and the people in it.

pub mod csv_path;
pub mod generated_path;
pub mod population;
pub mod prices;
pub mod risk;
pub mod units;
