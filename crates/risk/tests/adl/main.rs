//! A market played on along paths: by hand, at random, and many times.

mod by_hand;
mod calibrated;
mod many;
mod venue;
