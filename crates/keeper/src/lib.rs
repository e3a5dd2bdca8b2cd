//! The keeper: what needs doing at a price, and doing it.
