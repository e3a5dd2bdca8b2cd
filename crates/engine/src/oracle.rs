//! Which oracle price may be used for what.

/// What is wrong with an oracle price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceFault {
    /// Older than the market's limit.
    Stale,
    /// Dated further ahead than the market's age limit.
    FromFuture,
    /// Older than a price already used.
    Older,
    /// The confidence interval is too wide.
    WideConfidence,
    /// Too far from the moving average.
    Diverged,
}
