//! Sets up the exchange and its markets on a cluster.

fn main() {}
