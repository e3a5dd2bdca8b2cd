//! What a rehearsal leaves behind: the form of `report.json`, what follows from its lines, and the text
//! in which its figures are shown.

pub mod figures;
pub mod market_rounds;
pub mod markets;
pub mod model;
pub mod policy;
pub mod pool;
pub mod protection;
pub mod table;
pub mod traders;
pub mod trading;
pub mod waterfall;

#[cfg(any(test, feature = "test"))]
pub mod sample;
