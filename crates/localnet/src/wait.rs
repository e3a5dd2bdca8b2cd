//! Waiting on conditions with a deadline.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{bail, Result};

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks again and again until `look` finds something.
///
/// # Errors
/// After `limit`, with what `look` said last; what it says with `bail!` before that is a reason to
/// go on looking.
pub async fn until<T, F>(what: &str, limit: Duration, mut look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let found = look().await;
        if let Ok(Some(found)) = found {
            return Ok(found);
        }
        if begun.elapsed() > limit {
            let last = found
                .err()
                .map_or(String::new(), |error| format!(" ({error:#})"));
            bail!("{what} did not happen within {} s{last}", limit.as_secs());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_looks_until_something_is_found_or_time_is_up() {
        let mut looks = 0;
        let found = until("it", Duration::from_secs(60), || {
            looks += 1;
            let now = looks;
            async move {
                match now {
                    1 => bail!("not yet"),
                    2 => Ok(None),
                    _ => Ok(Some(now)),
                }
            }
        });
        assert_eq!(found.await.unwrap(), 3);
        let never = until("rain", Duration::ZERO, || async {
            Err::<Option<()>, _>(anyhow::anyhow!("sunshine"))
        });
        let error = never.await.unwrap_err().to_string();
        assert!(
            error.contains("rain") && error.contains("sunshine"),
            "{error}"
        );
    }
}
