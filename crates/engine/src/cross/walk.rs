//! The completeness proof over a cross queue: nobody was passed over whose account could stand above the
//! last one cut.
//!
//! The walk is that of the isolated queue with each bankruptcy price brought as near to the mark as the
//! account's can be ([`PriceMap`](super::drift::PriceMap)), by the oldest record of a subtree. Who is above maintenance may be
//! cut, also where closing all of the leg would leave the account with less than nothing: no bankruptcy
//! price is held back at the close price.

pub use crate::proof::accounts::{first_skipped_account, Evidence};
