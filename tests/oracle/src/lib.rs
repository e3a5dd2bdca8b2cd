//! Writes Pyth price updates on a test validator.
