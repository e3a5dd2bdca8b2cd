//! Returns: what a price did in a step, as logarithms of ratios.

use crate::prices::Bars;

/// What a price did in a step, each the logarithm of a price over the price when the step began.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Return {
    /// Of the highest price: 0 or more.
    pub high: f64,
    /// Of the lowest price: 0 or less.
    pub low: f64,
    /// Of the last price.
    pub close: f64,
}

/// Returns of steps that follow each other, for each stretch without a gap.
#[must_use]
pub fn of(bars: &Bars) -> Vec<Vec<Return>> {
    let one = |bar: &crate::prices::Bar| Return {
        high: (bar.high / bar.open).ln(),
        low: (bar.low / bar.open).ln(),
        close: (bar.close / bar.open).ln(),
    };
    let segment = |segment: &Vec<crate::prices::Bar>| segment.iter().map(one).collect();
    bars.segments.iter().map(segment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prices::Prices;

    #[test]
    fn returns_add_up_to_the_whole_way() {
        let prices = Prices::parse("timestamp,price\n60,10\n120,20\n180,5\n").expect("valid");
        let all = of(&prices.bars(60));
        let whole: f64 = all[0].iter().map(|one| one.close).sum();
        assert!((whole - 0.5_f64.ln()).abs() < 1e-12);
        assert_eq!(all[0][2].high, 0.);
        assert!((all[0][2].low - 0.25_f64.ln()).abs() < 1e-12);
    }
}
