//! A forecast in words.

use ballast_client::amount::truncated_decimal;
use ballast_report::table::Table;

use super::{Chance, PositionRisk, RiskView};
use crate::state::MarketState;
use crate::units::Units;

/// What is taken for granted.
const ASSUMED: &str = "Assumed: nobody trades. No position is opened, closed or given margin by its trader; liquidators, makers, insurance and pool act as they do in a rehearsal.";

impl Chance {
    /// As a percentage.
    fn words(&self) -> String {
        let sign = if self.below { "< " } else { "" };
        format!("{sign}{}", percent(self.ppm))
    }

    fn interval(&self) -> String {
        format!("{} to {}", percent(self.low_ppm), percent(self.high_ppm))
    }
}

/// Millionths as a percentage with two decimals, rounded.
fn percent(ppm: u32) -> String {
    let hundredths = (u64::from(ppm) + 50) / 100;
    format!("{} %", truncated_decimal(hundredths.into(), 2, 2))
}

impl RiskView {
    /// In words: a position of `trader` in detail where one is named, else the first `top` as a table.
    pub fn words(&self, state: &MarketState, detailed: bool, top: usize) -> String {
        let units = state.units;
        let parts = if detailed {
            let all = self.positions.iter();
            all.map(|one| self.detail(one, units))
                .collect::<Vec<_>>()
                .join("\n\n")
        } else {
            self.table(units, top)
        };
        format!(
            "{}\n\n{parts}\n\n{}\n{ASSUMED}",
            self.heading(state),
            self.foot(units)
        )
    }

    fn heading(&self, state: &MarketState) -> String {
        let made = &self.made;
        let vol = made.volatility_ppm.map_or_else(String::new, |ppm| {
            format!(", volatility of the next hour {}", percent(ppm))
        });
        format!(
            "{} at {} ({}), the next {} h{vol}\n{} {} ({}, seed {})",
            self.market,
            state.units.show_price(self.mark_ticks),
            state.price_words(),
            truncated_decimal((u64::from(made.seconds) * 100 / 3_600).into(), 2, 0),
            made.paths,
            if made.paths == 1 { "path" } else { "paths" },
            made.source,
            made.seed,
        )
    }

    fn table(&self, units: Units, top: usize) -> String {
        let mut table = Table::new(&[
            "trader account",
            "side",
            ">size",
            ">profit",
            ">cut",
            ">95 % interval",
            ">closed",
            ">liquidated",
            ">gives up",
        ]);
        for one in self.positions.iter().take(top) {
            table.row([
                one.trader.clone(),
                one.side.to_owned(),
                units.show_size(one.lots),
                units.collateral.show(one.profit_atoms.into()),
                one.cut.words(),
                one.cut.interval(),
                one.closed.words(),
                one.liquidated.words(),
                units.collateral.show(one.expected_gave_up_atoms.into()),
            ]);
        }
        let left = self.positions.len().saturating_sub(top);
        let more = match left {
            0 => String::new(),
            left => format!("\n{left} more; --top shows them"),
        };
        format!("{}{more}", table.render())
    }

    fn detail(&self, one: &PositionRisk, units: Units) -> String {
        let show = |atoms: u64| units.collateral.show(atoms.into());
        let [low, middle, high] = one.gave_up_atoms_5_50_95;
        let share = one.expected_gave_up_bps.map_or_else(String::new, |bps| {
            format!(
                ", {} % of its profit now",
                truncated_decimal(bps.into(), 2, 2)
            )
        });
        let takes = match &one.first_in_line_at_ticks {
            Some(ticks) => format!(
                "first in line if the mark passes {} and a deficit exceeds {}",
                units.show_price(*ticks),
                show(self.insurance_available_atoms)
            ),
            None => "at no price first in line".to_owned(),
        };
        let mut lines = vec![
            format!(
                "{} {} {}, profit {}",
                one.trader,
                one.side,
                units.show_size(one.lots),
                units.collateral.show(one.profit_atoms.into())
            ),
            format!(
                "  cut              {} ({})",
                one.cut.words(),
                one.cut.interval()
            ),
            format!("  in the first hour {}", one.cut_in_first_hour.words()),
            format!("  closed by a cut  {}", one.closed.words()),
            format!("  liquidated       {}", one.liquidated.words()),
            format!(
                "  lots cut         {} expected",
                units.show_size(one.expected_cut_lots)
            ),
            format!(
                "  gives up         {} expected{share}",
                show(one.expected_gave_up_atoms)
            ),
            format!(
                "  5, 50, 95 %      {}, {}, {}",
                show(low),
                show(middle),
                show(high)
            ),
            format!("  what it takes    {takes}"),
        ];
        for fix in &one.fixes {
            let what = match (fix.atoms, fix.lots) {
                (Some(atoms), _) => format!("adding {} of margin", show(atoms)),
                (_, lots) => format!("closing {}", units.show_size(lots.unwrap_or(0))),
            };
            lines.push(format!("  halved by        {what}: {}", fix.cut.words()));
        }
        lines.join("\n")
    }

    fn foot(&self, units: Units) -> String {
        let show = |atoms: u64| units.collateral.show(atoms.into());
        let market = &self.market_forecast;
        let who = match self.liquidators_assumed {
            true => "assumed",
            false => "of the accounts named",
        };
        let taken = show(market.expected_pool_notional_atoms);
        let pool = match self.has_pool {
            true => format!(", {taken} taken by the pool"),
            false => String::new(),
        };
        format!(
            "Anybody cut: {}; expected: {} deleveraged, {} paid by insurance of {} that it may pay now{pool}.\nLiquidators: {} of free collateral, {who}. Makers: {} a side.",
            market.adl.words(),
            show(market.expected_adl_notional_atoms),
            show(market.expected_insurance_paid_atoms),
            show(self.insurance_available_atoms),
            show(self.liquidator_capital_atoms),
            units.show_size(self.maker_lots_a_side),
        )
    }
}
