//! When a look at a position is worth an alert: on crossing a threshold, once, and again only after
//! the position has come clear of it.

use ballast_client::amount::{decimal, truncated_decimal};

use crate::positions::{lights, PositionView};
use crate::state::MarketState;
use crate::units::percent_of_ppm_signed;

/// Decimals of a margin ratio in basis points.
const RATIO_DECIMALS: u8 = 4;

/// A margin ratio alert ends this far above its threshold, basis points of the threshold.
const RATIO_MARGIN_BPS: i64 = 500;
/// A risk alert ends this far below its threshold, per cent of the threshold.
const RISK_CLEAR_PERCENT: u32 = 80;
/// An alert of a light or of funding ends after so many looks in a row below its threshold.
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
    /// Alert when the position pays funding of more than this, millionths of its worth an hour; 0 for any;
    /// `None` for no alert.
    pub funding_above_ppm: Option<i32>,
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
    /// Funding that it pays, millionths of its worth an hour; negative what it receives. `None` where the
    /// rate is not known.
    pub funding_ppm: Option<i32>,
}

impl Look {
    /// What is found of a position in its market.
    pub fn of(view: &PositionView, state: &MarketState, risk_ppm: Option<u32>) -> Self {
        Self {
            light: view.light.unwrap_or(0),
            ratio_bps: view.margin_ratio_bps.unwrap_or(i64::MAX),
            risk_ppm,
            funding_ppm: funding_paid(state, view.lots),
        }
    }
}

/// What an alert is about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::EnumString, strum::IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// The place in the deleveraging queue.
    Light,
    /// Equity over maintenance margin.
    MarginRatio,
    /// The probability of being cut.
    AdlRisk,
    /// Funding, which a position pays that received it before, or pays more of.
    Funding,
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
    /// Alerts under way, with the looks in a row that have been clear of them: a few, each once.
    raised: Vec<((K, Kind), u32)>,
}

impl<K: Copy + Eq> Alerts<K> {
    /// None yet.
    pub fn new(thresholds: Thresholds) -> Self {
        Self {
            thresholds,
            raised: Vec::new(),
        }
    }

    /// With alerts that had begun before and have not ended: what [`Self::raised`] gave.
    pub fn resume(thresholds: Thresholds, raised: impl IntoIterator<Item = (K, Kind)>) -> Self {
        Self::go_on(thresholds, raised.into_iter().map(|key| (key, 0)))
    }

    /// The same with the looks in a row that have been clear of each: what [`Self::looks`] gave.
    pub fn go_on(
        thresholds: Thresholds,
        raised: impl IntoIterator<Item = ((K, Kind), u32)>,
    ) -> Self {
        let mut alerts = Self::new(thresholds);
        for (key, looks) in raised {
            match alerts.place(key) {
                Some(at) => alerts.raised[at].1 = looks,
                None => alerts.raised.push((key, looks)),
            }
        }
        alerts
    }

    /// The alerts that have begun and not ended, and how many looks in a row have been clear of each.
    pub fn looks(&self) -> impl Iterator<Item = ((K, Kind), u32)> + '_ {
        self.raised.iter().copied()
    }

    /// The alerts that have begun and not ended.
    pub fn raised(&self) -> impl Iterator<Item = (K, Kind)> + '_ {
        self.raised.iter().map(|(key, _)| *key)
    }

    /// Takes a look at a position, `None` when it is closed, and tells which alerts it begins or
    /// ends.
    pub fn look(&mut self, key: K, look: Option<&Look>) -> Vec<Crossing> {
        let Thresholds {
            light_at,
            ratio_below_bps,
            risk_above_ppm,
            funding_above_ppm,
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
        // Nor is one without a rate.
        let funding = look.map(|look| match (look.funding_ppm, funding_above_ppm) {
            (Some(ppm), Some(above)) => (ppm > above, ppm <= above, CLEAR_LOOKS),
            _ => (false, false, 1),
        });
        let crossings = [
            (Kind::Light, light),
            (Kind::MarginRatio, ratio),
            (Kind::AdlRisk, risk),
            (Kind::Funding, funding),
        ];
        crossings
            .into_iter()
            .filter_map(|(kind, state)| {
                let raised = self.cross((key, kind), state)?;
                Some(Crossing { kind, raised })
            })
            .collect()
    }

    fn place(&self, key: (K, Kind)) -> Option<usize> {
        self.raised.iter().position(|(known, _)| *known == key)
    }

    /// `state`: over the threshold, clear of it, and how many clear looks in a row end the alert.
    fn cross(&mut self, key: (K, Kind), state: Option<(bool, bool, u32)>) -> Option<bool> {
        let at = self.place(key);
        let Some((over, clear, enough)) = state else {
            self.raised.remove(at?);
            return Some(false);
        };
        let Some(at) = at else {
            if over {
                self.raised.push((key, 0));
            }
            return over.then_some(true);
        };
        let (_, looks) = &mut self.raised[at];
        *looks = if clear { looks.saturating_add(1) } else { 0 };
        if *looks < enough {
            return None;
        }
        self.raised.remove(at);
        Some(false)
    }
}

/// Funding that a position of so many signed lots pays, millionths of its worth an hour; negative what it
/// receives. `None` while the market has no price.
pub fn funding_paid(state: &MarketState, lots: i64) -> Option<i32> {
    let rate = state.funding_rates().ok()?.current_ppm;
    Some(if lots < 0 {
        rate.saturating_neg()
    } else {
        rate
    })
}

/// The position that an alert is about, in words.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Name of its market.
    pub market: &'a str,
    /// `long` or `short`.
    pub side: &'a str,
    /// Its trader account, as it is shown.
    pub trader: &'a str,
    /// What was found of it.
    pub look: &'a Look,
    /// The mark for people.
    pub mark: &'a str,
    /// Its liquidation price for people; `None` where no price liquidates it.
    pub liquidation: Option<&'a str>,
}

/// A crossing in a sentence.
pub fn sentence(subject: &Subject<'_>, crossing: &Crossing) -> String {
    let Subject { look, mark, .. } = subject;
    let who = format!("{} {} of {}", subject.market, subject.side, subject.trader);
    let light = look.light;
    let times = decimal(look.ratio_bps.into(), RATIO_DECIMALS);
    let risk = truncated_decimal(look.risk_ppm.unwrap_or(0).into(), 4, 2);
    let funding = percent_of_ppm_signed(look.funding_ppm.unwrap_or(0));
    match (crossing.kind, crossing.raised) {
        (Kind::Light, true) => format!(
            "{who}: light {} ({light} of 5), it is among the first to be deleveraged",
            lights(light)
        ),
        (Kind::Light, false) => format!("{who}: light {} ({light} of 5) again", lights(light)),
        (Kind::MarginRatio, true) => format!(
            "{who}: equity is {times} times maintenance margin at {mark}, liquidation at {}",
            subject.liquidation.unwrap_or("no price")
        ),
        (Kind::MarginRatio, false) => {
            format!("{who}: equity is {times} times maintenance margin again")
        }
        (Kind::AdlRisk, true) => {
            format!("{who}: deleveraged with a probability of {risk} %; `ballast risk` says what halves it")
        }
        (Kind::AdlRisk, false) => {
            format!("{who}: deleveraged with a probability of {risk} % again")
        }
        (Kind::Funding, true) => format!("{who}: it pays funding, {funding} of its worth an hour"),
        (Kind::Funding, false) => format!("{who}: funding is {funding} of its worth an hour again"),
    }
}

/// The end of an alert whose position is closed, in a sentence.
pub fn closed_sentence(market: &str, trader: &str) -> String {
    format!("{market} position of {trader}: closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLDS: Thresholds = Thresholds {
        light_at: 4,
        ratio_below_bps: 15_000,
        risk_above_ppm: Some(50_000),
        funding_above_ppm: Some(0),
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
                funding_ppm: None,
            });
            for crossing in alerts.look(0, look.as_ref()) {
                let sign = if crossing.raised { "+" } else { "-" };
                let name = match crossing.kind {
                    Kind::Light => "light",
                    Kind::MarginRatio => "ratio",
                    Kind::AdlRisk => "risk",
                    Kind::Funding => "funding",
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
                funding_ppm: None,
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
    fn a_position_that_begins_to_pay_funding_raises_one_alert() {
        let mut alerts = Alerts::new(THRESHOLDS);
        let mut raised = |funding_ppm| {
            let look = Look {
                light: 1,
                ratio_bps: 99_999,
                risk_ppm: None,
                funding_ppm,
            };
            let found = alerts.look(0, Some(&look));
            found.first().map(|crossing| crossing.raised)
        };
        let looks = [-5, 0, 1, 40, 0, -1, 2, 0, 0].map(|ppm| raised(Some(ppm)));
        let expected = [None, None, Some(true), None, None, None, None, None, None];
        assert_eq!(looks, expected, "one that flickers");
        assert_eq!(raised(None), None, "no rate ends nothing");
        let ending = [-1, 0, -1].map(|ppm| raised(Some(ppm)));
        assert_eq!(ending, [None, None, Some(false)], "three looks in a row");
        assert_eq!(raised(Some(1)), Some(true));
    }

    #[test]
    fn alerts_go_on_where_they_were_left() {
        let bad = Look {
            light: 5,
            ratio_bps: 1,
            risk_ppm: None,
            funding_ppm: Some(1),
        };
        let mut before = Alerts::new(THRESHOLDS);
        assert_eq!(before.look(7, Some(&bad)).len(), 3);
        let mut after = Alerts::resume(THRESHOLDS, before.raised());
        assert!(after.look(7, Some(&bad)).is_empty(), "told already");
        assert_eq!(after.look(7, None).len(), 3, "and ended once");
        assert_eq!(after.raised().count(), 0);
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
            funding_ppm: None,
        };
        assert_eq!(alerts.look(1, Some(&bad)).len(), 3);
        assert_eq!(alerts.look(2, Some(&bad)).len(), 3);
        assert_eq!(alerts.look(1, None).len(), 3);
        assert!(alerts.look(2, Some(&bad)).is_empty());
    }
}
