//! Who forecasts: the simulation, and three that are wrong on purpose, which must not pass.

use anyhow::{anyhow, Result};
use ballast_client::moment::Moment;
use ballast_client::ranking::ranking;
use ballast_client::standing::round_at;
use ballast_engine::units::{Side, BPS_ONE};
use ballast_risk::adl::forecast::{forecast, Forecast, PositionForecast, Source};
use ballast_risk::adl::snapshot::{Snapshot, SIDES};
use ballast_state::Pubkey;

use crate::crash::stage::engine;

/// Who says how likely a cut is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::VariantArray, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Forecaster {
    /// The market played on by the engine, fitted to nothing.
    Simulation,
    /// The same, what it says of one trader told of another.
    OtherTrader,
    /// The same without a queue: a cut falls on all positions of a side alike, and nothing is said of who loses
    /// how much.
    NoQueue,
    /// The same without the cap of a pass: whoever is cut is cut whole.
    NoCap,
}

impl Forecaster {
    /// All, the simulation first.
    pub const ALL: [Self; 4] = [
        Self::Simulation,
        Self::OtherTrader,
        Self::NoQueue,
        Self::NoCap,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What a forecaster says of a position.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Probability of being cut.
    pub probability: f64,
    /// Profit given up on the paths on which it is cut, part of its notional, rising.
    pub losses: Vec<f64>,
    /// All paths.
    pub paths: u32,
}

/// A position that is forecast.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// Its trader account.
    pub trader: Pubkey,
    /// Its light.
    pub light: u8,
    /// Whether it is a long.
    pub long: bool,
    /// Its worth, atoms.
    pub notional: f64,
}

/// What every forecaster says of the positions of `people`.
pub fn foresee(
    snapshot: &Snapshot,
    source: &Source<'_>,
    paths: u32,
    people: &[Pubkey],
) -> Result<Vec<(Position, Vec<Said>)>> {
    let mark = snapshot.mark().map_err(|error| anyhow!(error.name()))?;
    let lights = lights(snapshot)?;
    let simulated = forecast(snapshot, source, paths, 1)?;
    let mut uncapped = snapshot.clone();
    uncapped.market.risk.adl.max_close_bps = u32::try_from(BPS_ONE)?;
    let uncapped = forecast(&uncapped, source, paths, 1)?;
    let of_people = |one: &&PositionForecast| people.contains(&one.trader);
    let own: Vec<&PositionForecast> = simulated.positions.iter().filter(of_people).collect();
    let mut all = Vec::new();
    for (number, one) in own.iter().enumerate() {
        let notional = mark.notional(one.lots).map_err(engine)? as f64;
        let light = lights.iter().find(|light| light.0 == one.trader);
        let position = Position {
            trader: one.trader,
            light: light.map_or(0, |light| light.1),
            long: one.side == Side::Long,
            notional,
        };
        let other = own[(number + own.len() / 2) % own.len()];
        let same = uncapped.positions.iter().find(|two| two.place == one.place);
        let said = Forecaster::ALL.map(|forecaster| match forecaster {
            Forecaster::Simulation => said(one, notional),
            Forecaster::OtherTrader => said(other, mark.get() as f64 * other.lots as f64),
            Forecaster::NoQueue => shared(one.side, &own, &simulated),
            Forecaster::NoCap => same.map(|two| said(two, notional)).unwrap_or_default(),
        });
        all.push((position, said.to_vec()));
    }
    Ok(all)
}

fn said(one: &PositionForecast, notional: f64) -> Said {
    let mut losses: Vec<f64> = one.cuts.iter().map(|cut| cut.1 as f64 / notional).collect();
    losses.sort_by(f64::total_cmp);
    Said {
        probability: one.cut.probability(),
        losses,
        paths: one.cut.paths,
    }
}

/// What falls on every position of a side if nobody comes before anybody: the mean over the side.
fn shared(side: Side, own: &[&PositionForecast], forecast: &Forecast) -> Said {
    let of_side = own.iter().filter(|one| one.side == side);
    let (count, sum) = of_side.fold((0, 0.0), |(count, sum), one| {
        (count + 1, sum + one.cut.probability())
    });
    Said {
        probability: sum / f64::from(count.max(1)),
        losses: Vec::new(),
        paths: forecast.paths,
    }
}

/// The light of every position of both queues.
fn lights(snapshot: &Snapshot) -> Result<Vec<(Pubkey, u8)>> {
    let moment = Moment {
        slot: snapshot.at.now.slot,
        unix_timestamp: snapshot.at.now.unix_timestamp,
        price_ticks: snapshot.at.price.price.get(),
    };
    let mut lights = Vec::new();
    for queue in SIDES.iter().zip(&snapshot.queues).map(|(_, queue)| queue) {
        let queue = queue.queue()?;
        let round = round_at(&snapshot.market, &queue, &moment).map_err(engine)?;
        let ranked = ranking(&queue, &round).map_err(engine)?;
        lights.extend(ranked.iter().map(|entry| (entry.trader, entry.light)));
    }
    Ok(lights)
}
