//! Measures the compute units of the built program in LiteSVM and keeps the table of them.

mod admin;
mod block;
mod book_venue;
mod books;
mod case;
mod check;
mod cross;
mod deleveraging;
mod figure;
mod fills;
mod forge;
mod keepers;
mod margin;
mod meter;
mod migrations;
mod money;
mod order_tables;
mod orders;
mod peers;
mod pool_exits;
mod pools;
mod population;
mod proof_alone;
mod protections;
mod queues;
mod render;
mod rent;
mod rounds;
mod sessions;
mod shapes;
mod table;
mod targets;
mod venue;
mod wind_down;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{ensure, Context, Result};
use clap::Parser;

use deleveraging::Programs;
use figure::Figures;
use meter::Meter;

/// Measures the compute units of every instruction.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench")]
struct Args {
    /// The built program.
    #[arg(long, value_name = "PATH", default_value = "target/deploy/ballast.so")]
    program: PathBuf,
    /// The built program that runs the proof alone.
    #[arg(long, value_name = "PATH", default_value = "target/deploy/proof.so")]
    proof: PathBuf,
    /// The document to write, or with --check to compare.
    #[arg(long, value_name = "FILE", default_value = "docs/COMPUTE_UNITS.md")]
    out: PathBuf,
    /// The figures to write, or with --check to compare.
    #[arg(long, value_name = "FILE", default_value = "docs/compute_units.json")]
    json: PathBuf,
    /// Writes nothing; fails when a figure is more than 2% above the one in the file.
    #[arg(long)]
    check: bool,
    /// Measures only figures whose name begins so, and prints them instead of writing files.
    #[arg(long, value_name = "PREFIX", default_value = "")]
    only: String,
    /// Measures nothing; prints what accounts lock up, at this rate in lamports a byte.
    #[arg(long, value_name = "LAMPORTS_PER_BYTE")]
    rent: Option<u64>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ballast-bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// `false` when a check failed.
fn run(args: &Args) -> Result<bool> {
    ensure!(
        args.program.is_file(),
        "the built program is not at {}; run `cargo xtask build`, or name it with --program",
        args.program.display()
    );
    if let Some(rate) = args.rent {
        let program = std::fs::metadata(&args.program)?.len();
        print!("{}", rent::table(program, rate)?);
        return Ok(true);
    }
    // Missing figures are an error of a check before anything is measured.
    let committed = match Figures::load(&args.json) {
        Ok(figures) => figures,
        Err(error) if args.check => return Err(error),
        Err(_) => Figures::default(),
    };
    let measured = measure(args, committed.len())?;
    if args.check {
        return compare(args, &committed, &measured);
    }
    if !args.only.is_empty() {
        print!("{}", render::list(&measured));
        return Ok(true);
    }
    write(&args.json, &measured.to_json()?)?;
    write(&args.out, &render::document(&measured, &targets::all()))?;
    println!(
        "{} figures in {} and {}",
        measured.len(),
        args.out.display(),
        args.json.display()
    );
    Ok(true)
}

fn measure(args: &Args, expected: usize) -> Result<Figures> {
    let mut meter = Meter::new(&args.only, expected);
    let programs = Programs {
        ballast: &args.program,
        proof: &args.proof,
    };
    admin::measure_all(programs.ballast, &mut meter)?;
    money::measure_all(programs.ballast, &mut meter)?;
    pool_exits::measure_all(programs.ballast, &mut meter)?;
    money::measure_growth(programs.ballast, &mut meter)?;
    margin::measure_all(programs.ballast, &mut meter)?;
    wind_down::measure_all(programs.ballast, &mut meter)?;
    fills::measure_all(programs.ballast, &mut meter)?;
    orders::measure_all(programs.ballast, &mut meter)?;
    rounds::measure_all(programs.ballast, &mut meter)?;
    deleveraging::measure_all(&programs, &mut meter)?;
    sessions::measure_all(programs.ballast, &mut meter)?;
    cross::measure_all(programs.ballast, &mut meter)?;
    migrations::measure_all(programs.ballast, &mut meter)?;
    let figures = meter.finish();
    ensure!(
        figures.len() > 0,
        "no figure's name begins with {}",
        args.only
    );
    Ok(figures)
}

fn compare(args: &Args, committed: &Figures, measured: &Figures) -> Result<bool> {
    let chosen = committed.starting_with(&args.only);
    let targets = targets::all();
    let mut found = check::compare(&chosen, measured, &targets);
    let document = std::fs::read_to_string(&args.out)
        .with_context(|| format!("{} cannot be read", args.out.display()))?;
    if document != render::document(committed, &targets) {
        found.failures.push(format!(
            "{} is not what {} renders to",
            args.out.display(),
            args.json.display()
        ));
    }
    for line in &found.improvements {
        println!("better: {line}");
    }
    for line in &found.failures {
        eprintln!("worse: {line}");
    }
    println!(
        "{} figures compared with {}: {} worse or missing, {} better by more than 2%",
        measured.len(),
        args.json.display(),
        found.failures.len(),
        found.improvements.len()
    );
    if !found.failures.is_empty() || !found.improvements.is_empty() {
        println!("`cargo xtask bench` writes the present figures.");
    }
    Ok(found.failures.is_empty())
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}
