//! The keeper bot.

fn main() {}
