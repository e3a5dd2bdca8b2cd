//! Accounts that the program checks and reads by itself: those without an Anchor type.

pub mod book_account;
pub mod queue_account;
pub mod staged_account;
