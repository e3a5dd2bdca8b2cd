//! A bankruptcy for the dishonest keepers when the crash left none: the price gaps on.

use anyhow::Result;
use ballast_risk::prices::PricePoint;

use super::diary::{Diary, Occasion};
use super::keepers::act;
use super::stage::Stage;

/// Each gap, in percent of the price before it.
pub const GAP_PERCENT: i64 = 6;
/// Gaps tried in one direction.
const MOST_GAPS: usize = 24;
/// Seconds between gaps.
const SECONDS: i64 = 30;

/// Plays gaps on a copy, down and if need be up, until insurance cannot pay a bankruptcy.
pub fn find(stage: &Stage) -> Result<Option<Occasion>> {
    for percent in [100 - GAP_PERCENT, 100 + GAP_PERCENT] {
        let mut copy = stage.fork();
        let mut diary = Diary::default();
        for _ in 0..MOST_GAPS {
            let now = copy.now();
            let price_nano = now.price_nano / 100 * percent;
            copy.publish(PricePoint {
                timestamp: now.timestamp + SECONDS,
                price_nano,
            })?;
            act(&mut copy, &mut diary)?;
            if diary.occasion.is_some() {
                return Ok(diary.occasion);
            }
        }
    }
    Ok(None)
}
