//! Ballast over a cluster: reading accounts, following them, sending transactions.
