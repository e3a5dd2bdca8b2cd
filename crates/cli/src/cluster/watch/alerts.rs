//! When a look at a position is worth an alert: on crossing a threshold, once, and again only after
//! the position has come clear of it.

use std::collections::BTreeMap;

/// A margin ratio alert ends this far above its threshold, basis points of the threshold.
const RATIO_MARGIN_BPS: i64 = 500;
/// A risk alert ends this far below its threshold, per cent of the threshold.
const RISK_CLEAR_PERCENT: u32 = 80;
/// A light alert ends after so many looks in a row below its threshold.
const CLEAR_LOOKS: u32 = 3;

/// What is watched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Alert from this light on, 1 to 5.
    pub light_at: u8,
    /// Alert below this ratio of equity to maintenance margin, basis points.
    pub ratio_below_bps: i64,
    /// Alert above this probability of being cut, millionths; `None` for none.
    pub risk_above_ppm: Option<u32>,
}

/// What one look found of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Light; 0 when it cannot be cut.
    pub light: u8,
    /// Equity over maintenance margin, basis points.
    pub ratio_bps: i64,
    /// Probability of being cut, millionths, where it is known.
    pub risk_ppm: Option<u32>,
}

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// The place in the deleveraging queue.
    Light,
    /// Equity over maintenance margin.
    MarginRatio,
    /// The probability of being cut.
    AdlRisk,
}

impl Kind {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A threshold that a position crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// Of what.
    pub kind: Kind,
    /// Into the alert, or out of it.
    pub raised: bool,
}

/// The alerts of many positions.
#[derive(Debug)]
pub struct Alerts<K> {
    thresholds: Thresholds,
    /// Alerts under way, with the looks in a row that would end them.
    raised: BTreeMap<(K, Kind), u32>,
}

impl<K: Copy + Ord> Alerts<K> {
    /// None yet.
    pub fn new(thresholds: Thresholds) -> Self {
        Self {
            thresholds,
            raised: BTreeMap::new(),
        }
    }

    /// Takes a look at a position, `None` when it is closed, and tells which alerts it begins or
    /// ends.
    pub fn look(&mut self, key: K, look: Option<&Look>) -> Vec<Crossing> {
        let Thresholds {
            light_at,
            ratio_below_bps,
            risk_above_ppm,
        } = self.thresholds;
        let light = look.map(|look| {
            let over = look.light >= light_at;
            (over, !over, CLEAR_LOOKS)
        });
        let ratio = look.map(|look| {
            let clear = ratio_below_bps
                .saturating_add(ratio_below_bps / 10_000 * RATIO_MARGIN_BPS)
                .saturating_add(ratio_below_bps % 10_000 * RATIO_MARGIN_BPS / 10_000);
            (look.ratio_bps < ratio_below_bps, look.ratio_bps >= clear, 1)
        });
        // A look without a forecast is neither over the threshold nor clear of it.
        let risk = look.map(|look| match (look.risk_ppm, risk_above_ppm) {
            (Some(ppm), Some(above)) => {
                let clear = u64::from(above) * u64::from(RISK_CLEAR_PERCENT) / 100;
                (ppm > above, u64::from(ppm) <= clear, 1)
            }
            _ => (false, false, 1),
        });
        let crossings = [
            (Kind::Light, light),
            (Kind::MarginRatio, ratio),
            (Kind::AdlRisk, risk),
        ];
        crossings
            .into_iter()
            .filter_map(|(kind, state)| {
                let raised = self.cross((key, kind), state)?;
                Some(Crossing { kind, raised })
            })
            .collect()
    }

    /// `state`: over the threshold, clear of it, and how many clear looks in a row end the alert.
    fn cross(&mut self, key: (K, Kind), state: Option<(bool, bool, u32)>) -> Option<bool> {
        let Some((over, clear, enough)) = state else {
            return self.raised.remove(&key).map(|_| false);
        };
        match self.raised.get_mut(&key) {
            None if over => {
                self.raised.insert(key, 0);
                Some(true)
            }
            None => None,
            Some(looks) => {
                *looks = if clear { looks.saturating_add(1) } else { 0 };
                if *looks < enough {
                    return None;
                }
                self.raised.remove(&key);
                Some(false)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLDS: Thresholds = Thresholds {
        light_at: 4,
        ratio_below_bps: 15_000,
        risk_above_ppm: Some(50_000),
    };

    /// Crossings of one position over looks of (light, ratio), as `+light`, `-ratio` and so on.
    fn crossings(looks: &[Option<(u8, i64)>]) -> Vec<String> {
        let mut alerts = Alerts::new(THRESHOLDS);
        let mut found = Vec::new();
        for (number, look) in looks.iter().enumerate() {
            let look = look.map(|(light, ratio_bps)| Look {
                light,
                ratio_bps,
                risk_ppm: None,
            });
            for crossing in alerts.look(0, look.as_ref()) {
                let sign = if crossing.raised { "+" } else { "-" };
                let name = match crossing.kind {
                    Kind::Light => "light",
                    Kind::MarginRatio => "ratio",
                    Kind::AdlRisk => "risk",
                };
                found.push(format!("{number}{sign}{name}"));
            }
        }
        found
    }

    fn lights(lights: &[u8]) -> Vec<String> {
        let looks: Vec<_> = lights.iter().map(|light| Some((*light, 99_999))).collect();
        crossings(&looks)
    }

    fn ratios(ratios: &[i64]) -> Vec<String> {
        let looks: Vec<_> = ratios.iter().map(|ratio| Some((1, *ratio))).collect();
        crossings(&looks)
    }

    #[test]
    fn an_alert_comes_once_and_not_for_a_position_that_is_well() {
        assert_eq!(lights(&[1, 3, 4, 5, 5, 4]), ["2+light"]);
        assert_eq!(ratios(&[20_000, 15_000, 14_999, 3, -8]), ["2+ratio"]);
        assert!(lights(&[1, 2, 3, 0]).is_empty());
    }

    #[test]
    fn a_light_that_flickers_raises_one_alert() {
        assert_eq!(lights(&[4, 3, 4, 3, 3, 4, 3]), ["0+light"]);
        assert_eq!(
            lights(&[4, 3, 3, 3, 3, 4]),
            ["0+light", "3-light", "5+light"]
        );
    }

    #[test]
    fn a_ratio_around_the_threshold_raises_one_alert() {
        assert_eq!(ratios(&[14_000, 15_001, 14_999, 15_749]), ["0+ratio"]);
        assert_eq!(
            ratios(&[14_000, 15_750, 15_001, 14_999]),
            ["0+ratio", "1-ratio", "3+ratio"]
        );
    }

    #[test]
    fn a_probability_raises_one_alert_and_ends_it_once() {
        let mut alerts = Alerts::new(THRESHOLDS);
        let mut raised = |risk_ppm| {
            let look = Look {
                light: 1,
                ratio_bps: 99_999,
                risk_ppm,
            };
            let found = alerts.look(0, Some(&look));
            found.first().map(|crossing| crossing.raised)
        };
        let looks = [Some(50_000), Some(50_001), Some(70_000), None, Some(40_001)];
        let found = looks.map(&mut raised);
        assert_eq!(found, [None, Some(true), None, None, None]);
        let looks = [Some(40_000), Some(10), Some(50_001)];
        assert_eq!(looks.map(raised), [Some(false), None, Some(true)]);
    }

    #[test]
    fn a_closed_position_ends_its_alerts() {
        let looks = [Some((5, 1)), None, None, Some((5, 1))];
        assert_eq!(
            crossings(&looks),
            ["0+light", "0+ratio", "1-light", "1-ratio", "3+light", "3+ratio"]
        );
    }

    #[test]
    fn positions_do_not_mix() {
        let mut alerts = Alerts::new(THRESHOLDS);
        let bad = Look {
            light: 5,
            ratio_bps: 1,
            risk_ppm: Some(60_000),
        };
        assert_eq!(alerts.look(1, Some(&bad)).len(), 3);
        assert_eq!(alerts.look(2, Some(&bad)).len(), 3);
        assert_eq!(alerts.look(1, None).len(), 3);
        assert!(alerts.look(2, Some(&bad)).is_empty());
    }
}
