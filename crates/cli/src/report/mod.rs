//! What a rehearsal leaves behind: `report.json`, `report.html` and the terminal's tables.

mod book_pictures;
pub mod checks;
pub mod html;
pub mod model;
pub mod money;
pub mod pictures;
pub mod recompute;
pub mod table;
pub mod terminal;
pub mod trading;
pub mod waterfall;

#[cfg(test)]
mod sample;
