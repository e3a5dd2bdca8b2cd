//! How a report is checked and shown: its checks, `report.html` and the terminal's tables.

mod book_pictures;
pub mod checks;
pub mod exact;
pub mod html;
pub mod pictures;
mod recompute;
mod sections;
pub mod terminal;
