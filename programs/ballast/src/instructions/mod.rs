//! The instructions, one file each, by who may call them.

pub mod admin;
pub mod anyone;
pub mod orders;
pub mod trader;
