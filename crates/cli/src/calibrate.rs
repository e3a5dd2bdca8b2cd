//! `ballast calibrate`: risk parameters from prices, without a cluster.

use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};
use ballast_risk::calibrate::{calibrate, Calibration, Liquidity, Request, Source};
use ballast_risk::prices::Prices;
use ballast_risk::report;
use clap::Args;
use serde::Deserialize;

/// Depth counts within this of the mark, parts of it.
const DEPTH_WITHIN: f64 = 0.01;
const BPS: f64 = 10_000.;

/// Options of `calibrate`.
#[derive(Clone, Debug, Args)]
pub struct CalibrateArgs {
    /// Prices: CSV with the header `timestamp,price` or `timestamp,open,high,low,close` (unix seconds, US
    /// dollars).
    #[arg(long, value_name = "FILE")]
    pub prices: PathBuf,
    /// Worth of all long positions, US dollars.
    #[arg(long, value_name = "USD")]
    pub open_interest: f64,
    /// Part of the horizons in which maintenance margin covers the move.
    #[arg(long, value_name = "PART", default_value_t = 0.999)]
    pub level: f64,
    /// Part of the times 8 hours in which initial margin covers the move.
    #[arg(long, value_name = "PART", default_value_t = 0.99)]
    pub initial_level: f64,
    /// From a breach of maintenance margin to the end of a small position: `auto` (5 minutes), or as `90s`,
    /// `10m`.
    #[arg(long, value_name = "TIME", default_value = "auto")]
    pub horizon: String,
    /// What a side of the book takes at once within 1% of the mark, US dollars [default: 0.5% of the open
    /// interest].
    #[arg(long, value_name = "USD")]
    pub depth: Option<f64>,
    /// Depth and spread of a book, as `ballast book --output json` prints it; enough of its prices have to be
    /// shown (`--depth`).
    #[arg(long, value_name = "FILE", conflicts_with = "depth")]
    pub book: Option<PathBuf>,
    /// Traded in a day, US dollars [default: twice the open interest].
    #[arg(long, value_name = "USD")]
    pub volume: Option<f64>,
    /// Insurance at hand, US dollars: caps the open interest.
    #[arg(long, value_name = "USD")]
    pub insurance: Option<f64>,
    /// What moves the price of the index by 1%, US dollars: caps the open interest where moving it would pay.
    #[arg(long, value_name = "USD")]
    pub spot_depth: Option<f64>,
    /// Part of the open interest at maintenance margin when a fall begins.
    #[arg(long, value_name = "PART", default_value_t = 0.25)]
    pub at_risk: f64,
    /// Draws of the bootstrap.
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u64).range(50..=100_000))]
    pub draws: u64,
    /// Seed of the bootstrap.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Exit with 0 although the backtest fails.
    #[arg(long)]
    pub no_gate: bool,
    /// Folder for risk.toml, calibration.json and calibration.html.
    #[arg(long, value_name = "DIR", default_value = "target/calibration")]
    pub out: PathBuf,
    /// Print calibration.json instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Runs `ballast calibrate`. `false` when the backtest fails.
///
/// # Errors
/// Prices or a book that cannot be read, too little data, a request that cannot be, a folder that cannot be
/// written.
pub fn run(args: &CalibrateArgs) -> Result<bool> {
    let request = request(args)?;
    let prices = Prices::load(&args.prices)?;
    let calibration = calibrate(&prices, &request)?;
    let json = serde_json::to_string_pretty(&calibration)?;
    write(args, &calibration, &json)?;
    if args.json {
        println!("{json}");
    } else {
        println!("{}", report::table(&calibration));
        println!(
            "\nrisk.toml, calibration.json and calibration.html are in {}",
            args.out.display()
        );
    }
    Ok(args.no_gate || calibration.backtest.passes())
}

fn request(args: &CalibrateArgs) -> Result<Request> {
    let mut liquidity = Liquidity::assumed(args.open_interest);
    if let Some(file) = &args.book {
        let (depth, half_spread) = read_book(file)?;
        liquidity.depth_usd = depth;
        liquidity.depth_source = Source::Book;
        liquidity.half_spread_bps = half_spread;
        liquidity.spread_source = Source::Book;
    }
    if let Some(depth) = args.depth {
        liquidity.depth_usd = depth;
        liquidity.depth_source = Source::Given;
    }
    if let Some(volume) = args.volume {
        liquidity.volume_usd = volume;
        liquidity.volume_source = Source::Given;
    }
    let horizon_seconds = match args.horizon.as_str() {
        "auto" => None,
        text => {
            let time = humantime::parse_duration(text);
            let time = time.with_context(|| {
                format!("horizon `{text}` is neither `auto` nor a time as `5m`")
            })?;
            Some(time.as_secs_f64())
        }
    };
    Ok(Request {
        level: args.level,
        initial_level: args.initial_level,
        horizon_seconds,
        open_interest_usd: args.open_interest,
        liquidity,
        insurance_usd: args.insurance,
        spot_depth_usd: args.spot_depth,
        at_risk_part: args.at_risk,
        draws: args.draws,
        seed: args.seed,
    })
}

/// A book as `ballast book --output json` prints it.
#[derive(Debug, Deserialize)]
struct Book {
    mark: Option<String>,
    bids: Vec<Level>,
    asks: Vec<Level>,
}

#[derive(Debug, Deserialize)]
struct Level {
    price: String,
    size: String,
}

/// What the thinner side takes within 1% of the mark, US dollars, and half of the spread, basis points.
fn read_book(file: &Path) -> Result<(f64, f64)> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the book {}", file.display()))?;
    let book: Book = serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is no book as `ballast book --output json` prints it",
            file.display()
        )
    })?;
    depth(&book).with_context(|| format!("the book {}", file.display()))
}

fn depth(book: &Book) -> Result<(f64, f64)> {
    let number = |text: &str| -> Result<f64> {
        let plain = text.replace(',', "");
        plain
            .parse()
            .with_context(|| format!("`{text}` is not a number"))
    };
    let side = |levels: &[Level]| -> Result<Vec<(f64, f64)>> {
        let read = |level: &Level| Ok((number(&level.price)?, number(&level.size)?));
        levels.iter().map(read).collect()
    };
    let (bids, asks) = (side(&book.bids)?, side(&book.asks)?);
    let (Some((bid, _)), Some((ask, _))) = (bids.first(), asks.first()) else {
        anyhow::bail!("has orders on one side at most; give --depth instead");
    };
    let mark = match &book.mark {
        Some(mark) => number(mark)?,
        None => (bid + ask) / 2.,
    };
    let within = |levels: &[(f64, f64)]| -> f64 {
        let near = levels
            .iter()
            .filter(|(price, _)| (price / mark - 1.).abs() <= DEPTH_WITHIN);
        near.map(|(price, size)| price * size).sum()
    };
    let depth = within(&bids).min(within(&asks));
    ensure!(
        depth > 0.,
        "takes nothing within 1% of the mark on one side; give --depth instead"
    );
    let half_spread = ((ask - bid) / (2. * mark)).max(0.) * BPS;
    Ok((depth, half_spread))
}

fn write(args: &CalibrateArgs, calibration: &Calibration, json: &str) -> Result<()> {
    let title = args
        .prices
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let folder = &args.out;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let files = [
        ("risk.toml", report::risk_toml(calibration)?),
        ("calibration.json", format!("{json}\n")),
        ("calibration.html", report::page(calibration, &title)?),
    ];
    for (name, text) in files {
        let file = folder.join(name);
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_counts_as_its_thinner_side() {
        let text = r#"{"market": "SOL-PERP", "mark": "200.000",
            "bids": [{"price": "199.9", "size": "100"}, {"price": "150", "size": "900"}],
            "asks": [{"price": "200.1", "size": "1,000"}]}"#;
        let book: Book = serde_json::from_str(text).unwrap();
        let (depth, half_spread) = depth(&book).unwrap();
        assert!((depth - 19_990.).abs() < 1e-6, "{depth}");
        assert!((half_spread - 5.).abs() < 1e-6, "{half_spread}");
    }

    #[test]
    fn a_book_with_one_side_is_refused() {
        let text = r#"{"mark": null, "bids": [{"price": "1", "size": "1"}], "asks": []}"#;
        let book: Book = serde_json::from_str(text).unwrap();
        assert!(depth(&book).unwrap_err().to_string().contains("--depth"));
    }
}
