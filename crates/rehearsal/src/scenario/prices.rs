//! A price path: what the oracle says, and when.

use std::path::{Path, PathBuf};

use anyhow::Result;
use ballast_risk::prices::{PricePoint, Prices};

/// Where a path comes from; every output says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceSource {
    /// Drawn around the public facts of 2025-10-10 by the seed.
    Generated,
    /// Read from a file the user named.
    File(PathBuf),
}

impl PriceSource {
    /// One sentence for the reader of a report.
    pub fn sentence(&self) -> String {
        match self {
            Self::Generated => {
                "GENERATED price path, not market data: drawn by the seed around public facts of \
                 2025-10-10 (SOL about $206 at 20:50 UTC, low about $172 at 21:29, worst ten \
                 minutes about -12 %, then a partial recovery)"
                    .to_owned()
            }
            Self::File(path) => format!("prices read from {}", path.display()),
        }
    }
}

/// Prices in rising order of time; at least two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricePath {
    /// Where the prices come from.
    pub source: PriceSource,
    /// Strictly rising timestamps.
    pub points: Vec<PricePoint>,
}

impl PricePath {
    /// The prices of a CSV file.
    ///
    /// # Errors
    /// A file that cannot be read or used, with line and remedy.
    pub fn load(file: &Path) -> Result<Self> {
        Ok(Self {
            source: PriceSource::File(file.to_owned()),
            points: Prices::load(file)?.into_points(),
        })
    }

    /// The first price; positions are opened around it.
    pub fn first(&self) -> Option<PricePoint> {
        self.points.first().copied()
    }

    /// The lowest price and when it was first seen.
    pub fn low(&self) -> Option<PricePoint> {
        self.points
            .iter()
            .copied()
            .min_by_key(|point| point.price_nano)
    }
}
