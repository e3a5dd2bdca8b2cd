//! A crash on a test validator.

fn main() {}
