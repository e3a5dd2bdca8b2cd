//! Accounts that the program checks and reads by itself: those without an Anchor type, and the layout
//! version of the others.

pub mod board_account;
pub mod book_account;
pub mod created;
pub mod cross_queues;
pub mod current;
pub mod queue_account;
pub mod staged_account;
