//! The scenario: a market, a crash in four prices and a rise, and two keepers that meet with every kind of
//! trouble meanwhile.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Context, Result};
use ballast_state::events::BallastEvent;
use ballast_state::market::Market;
use tokio::process::Command;

use crate::audit::{Done, History};
use crate::keepers::Keeper;
use crate::pool::{self, Backed};
use crate::proxy::{Mode, Proxy};
use crate::report::{Reaction, Report};
use crate::stage::Stage;
use crate::{commands, protection, Args};
use ballast_localnet::oracle::Published;
use ballast_localnet::people::Person;
use ballast_localnet::population::Population;
use ballast_localnet::wait::until;

/// Prices of the crash, in ticks of $0.001. A fall that some longs do not stand;
const FALL: u64 = 193_000;
/// a gap that takes more than the margin of others;
const GAP: u64 = 180_000;
/// a price while a keeper's node makes trouble;
const TROUBLE: u64 = 176_000;
/// a price after the node was restarted.
const RESTARTED: u64 = 172_000;
/// a rise that takes most of the margin of some shorts.
const RISE: u64 = 212_500;
/// Most passes that tidying up after it may take.
const MOST_PASSES: usize = 40;
/// How long the first reaction to a price may take.
const REACTION_LIMIT: Duration = Duration::from_secs(60);
/// How long a keeper may take to notice what is wrong with it or its node.
const NOTICE_LIMIT: Duration = Duration::from_secs(40);

/// A run under way.
pub struct Play<'a> {
    stage: &'a mut Stage,
    args: &'a Args,
    population: Population,
    /// Asks the node through a proxy.
    first: Keeper,
    proxy: Proxy,
    /// Asks the node itself.
    second: Keeper,
    checks: Vec<String>,
    begun: Instant,
}

/// A price and when what it brought about was seen.
type Seen = (Published, Instant);

/// Plays it.
///
/// # Errors
/// When something does not happen as it must.
pub async fn play(stage: &mut Stage, args: &Args) -> Result<Report> {
    let begun = Instant::now();
    let population = Population::settle(stage, args.pairs).await?;
    let before = stage.conservation().await?;
    ensure!(
        before.holds(),
        "the books do not balance before the crash: {before:?}"
    );
    let proxy = Proxy::start(stage.validator.own_port(0), stage.validator.port()).await?;
    let port = |number| stage.validator.own_port(number);
    let (url, own) = (proxy.url.clone(), stage.validator.url.clone());
    let first = Keeper::new(stage, args, "keeper-1", &url, port(2), true).await?;
    let second = Keeper::new(stage, args, "keeper-2", &own, port(3), true).await?;
    let mut play = Play {
        stage,
        args,
        population,
        first,
        proxy,
        second,
        checks: Vec::new(),
        begun,
    };
    play.first.start()?;
    play.second.start()?;
    play.first.well().await?;
    play.second.well().await?;
    play.say("two keepers follow the market");
    let fall = play.fall().await?;
    let gap = play.gap().await?;
    play.trouble().await?;
    play.restart().await?;
    play.empty_wallet().await?;
    play.misconfigured().await?;
    play.command_line().await?;
    let backed = play.pool().await?;
    let protected = protection::play(play.stage, RESTARTED).await?;
    play.check(protected.check.clone());
    play.finish(fall, gap, &backed, &protected.people).await
}

impl Play<'_> {
    /// Both keepers race for a small fall.
    async fn fall(&mut self) -> Result<Seen> {
        let seen = self
            .price(FALL, "a liquidation", |market| market.liquidations)
            .await?;
        self.stage.tidied().await?;
        self.say("the fall is tidied up");
        Ok(seen)
    }

    /// A gap; the first keeper is killed as soon as it has sent something and started again.
    async fn gap(&mut self) -> Result<Seen> {
        let Self { stage, first, .. } = self;
        let stage = &**stage;
        let sent = first.figures().await?.sent;
        let reaction = reaction(stage, GAP, "a deleveraging", |market| market.adl_rounds);
        let killed = async {
            until("the keeper sending something", REACTION_LIMIT, || async {
                Ok((first.figures().await?.sent > sent).then_some(()))
            })
            .await?;
            first.kill().await?;
            Ok::<_, anyhow::Error>(first.figures().await?.sent - sent)
        };
        let (seen, under_way) = tokio::try_join!(reaction, killed)?;
        self.say_seen(GAP, "a deleveraging", &seen);
        self.first.start()?;
        self.first.well().await?;
        self.stage.tidied().await?;
        self.check(format!(
            "a keeper killed (SIGKILL) in the crash ({under_way} sent since the price) came \
             back; everything was done, nothing twice"
        ));
        Ok(seen)
    }

    /// The first keeper is alone, its node answers errors and cuts its websocket while the price
    /// falls, then behaves again.
    async fn trouble(&mut self) -> Result<()> {
        self.second.stop().await?;
        self.check("a keeper told to end (SIGTERM) ended well".to_owned());
        self.proxy.set(Mode::Refuse);
        let first = &self.first;
        until("the keeper noticing its node", NOTICE_LIMIT, || async {
            Ok((!first.condition().await?.well).then_some(()))
        })
        .await?;
        self.stage.oracle.set(TROUBLE).await?;
        let left = self.stage.unhealthy().await?.len();
        ensure!(left > 0, "nobody is in distress at {TROUBLE}");
        let said = self.second.pass(true).await?;
        let still = self.stage.unhealthy().await?.len();
        ensure!(
            said.contains("would send") && still == left,
            "a dry run left {still} of {left} positions in distress: {said}"
        );
        self.check(
            "a dry run (--dry-run --once) said what it would send and sent nothing".to_owned(),
        );
        self.proxy.set(Mode::Pass);
        self.first.well().await?;
        self.stage.tidied().await?;
        self.first.require_running()?;
        self.check(format!(
            "a keeper whose websocket was cut and whose node answered errors turned unhealthy, \
             came back by itself and tidied up {left} positions"
        ));
        Ok(())
    }

    /// The node is restarted under both keepers.
    async fn restart(&mut self) -> Result<()> {
        self.second.start()?;
        self.second.well().await?;
        self.stage.validator.restart().await?;
        self.say("the node is back");
        let price = |market: &Market| market.liquidations + market.adl_rounds;
        self.price(RESTARTED, "a reaction after the restart", price)
            .await?;
        self.stage.tidied().await?;
        for keeper in [&mut self.first, &mut self.second] {
            keeper.require_running()?;
            keeper.well().await?;
        }
        self.check("both keepers outlived a restart of the node".to_owned());
        Ok(())
    }

    /// A keeper whose wallet is empty says so.
    async fn empty_wallet(&mut self) -> Result<()> {
        let (url, port) = (
            self.stage.validator.url.clone(),
            self.stage.validator.own_port(4),
        );
        let mut poor = Keeper::new(self.stage, self.args, "keeper-poor", &url, port, false).await?;
        poor.start()?;
        let said = until("a word about the empty wallet", NOTICE_LIMIT, || async {
            let condition = poor.condition().await?;
            let page: serde_json::Value = serde_json::from_str(&condition.text)?;
            let reasons = page["reasons"].as_array().cloned().unwrap_or_default();
            let mut said = reasons.iter().filter_map(|reason| reason.as_str());
            let empty = said.find(|reason| reason.contains("wallet holds 0"));
            Ok(empty.filter(|_| !condition.well).map(str::to_owned))
        })
        .await?;
        poor.require_running()?;
        poor.kill().await?;
        self.check(format!(
            "a keeper with an empty wallet is unhealthy and says: {said}"
        ));
        Ok(())
    }

    /// A keeper that could not begin is told so by `check-config`, which asks the node.
    async fn misconfigured(&mut self) -> Result<()> {
        let foreign = self.population.shorts.first().context("no short")?.trader;
        let dead = "http://127.0.0.1:1";
        let cases = [
            (
                "[wallet]",
                "[wallet]\ntrader_sub_id = 7".to_owned(),
                "has no trader account",
            ),
            (
                "[wallet]",
                format!("[wallet]\ntrader = {:?}", foreign.to_string()),
                "neither owns nor is the delegate of",
            ),
            (
                "[wallet]",
                "[[market]]\nindex = 4\n[wallet]".to_owned(),
                "names market 4, and the exchange has market 0",
            ),
            (
                self.stage.validator.url.as_str(),
                dead.to_owned(),
                "did not answer",
            ),
        ];
        for (from, to, part) in &cases {
            let said = self.second.refused(from, to).await?;
            ensure!(
                said.contains(part),
                "`check-config` does not say `{part}`: {said}"
            );
        }
        self.check(format!(
            "`check-config` refused {} configurations that no keeper can work with",
            cases.len()
        ));
        Ok(())
    }

    /// No keeper follows the market; single passes tidy up.
    async fn once(&mut self) -> Result<()> {
        self.stage.oracle.set(RISE).await?;
        let left = self.stage.unhealthy().await?.len();
        ensure!(left > 0, "nobody is in distress at {RISE}");
        for passes in 1..=MOST_PASSES {
            self.second.pass(false).await?;
            let unswept = self.stage.unswept().await?;
            ensure!(
                unswept == 0,
                "a pass left ledger and vault {unswept} atoms apart"
            );
            if self.stage.unhealthy().await?.is_empty() {
                self.check(format!(
                    "single passes (--once) tidied up {left} positions after a rise; passes: {passes}"
                ));
                return Ok(());
            }
        }
        bail!("{MOST_PASSES} passes did not tidy up {left} positions")
    }

    /// A trader uses the command line.
    async fn command_line(&mut self) -> Result<()> {
        let mut short = None;
        for person in &self.population.shorts {
            if self.stage.lots(&person.trader).await? < 0 {
                short = Some(person.trader.to_string());
                break;
            }
        }
        let short = short.context("no short is left")?;
        let tried = commands::try_all(self.stage, self.args, &short).await?;
        self.check(format!(
            "`ballast` opened an account, deposited, placed and cancelled an order and looked at \
             everything: {tried} commands"
        ));
        Ok(())
    }

    /// Two keepers without means of their own and a pool.
    async fn pool(&mut self) -> Result<Backed> {
        let keepers = [&mut self.first, &mut self.second];
        let backed = pool::play(self.stage, keepers, RESTARTED).await?;
        self.check(backed.check.clone());
        Ok(backed)
    }

    /// Publishes a price and waits until a counter of the market moves.
    async fn price(
        &mut self,
        ticks: u64,
        what: &str,
        count: impl Fn(&Market) -> u64,
    ) -> Result<Seen> {
        let seen = reaction(self.stage, ticks, what, count).await?;
        self.say_seen(ticks, what, &seen);
        Ok(seen)
    }

    fn say_seen(&self, ticks: u64, what: &str, (published, moved): &Seen) {
        let millis = moved.duration_since(published.sent).as_millis();
        self.say(&format!(
            "{ticks} ticks: {what} confirmed after {millis} ms"
        ));
    }

    /// Checks and figures, once nothing is left to do.
    async fn finish(
        mut self,
        fall: Seen,
        gap: Seen,
        backed: &Backed,
        protected: &[Person],
    ) -> Result<Report> {
        let keepers = vec![self.first.figures().await?, self.second.figures().await?];
        for keeper in [&mut self.first, &mut self.second] {
            keeper.stop().await?;
        }
        self.once().await?;
        let history = History::read(self.stage).await?;
        std::fs::write(self.stage.logs.join("history.log"), history.lines())?;
        let (lots, totals) = history.replay()?;
        let keeping = [&self.first.person, &self.second.person];
        let everybody = self.population.everybody();
        let everybody = everybody.chain(&backed.people).chain(protected);
        let traders = everybody.clone().count();
        for person in everybody.chain(keeping) {
            let held = self.stage.lots(&person.trader).await?;
            let replayed = lots.get(&person.trader).copied().unwrap_or(0);
            let name = &person.name;
            ensure!(
                held == replayed,
                "{name} holds {held} lots, the events say {replayed}"
            );
        }
        let held = self.stage.lots(&backed.trader).await?;
        let replayed = lots.get(&backed.trader).copied().unwrap_or(0);
        ensure!(
            held == replayed,
            "the pool holds {held} lots, the events say {replayed}"
        );
        let market = self.stage.market().await?;
        ensure!(
            (market.liquidations, market.adl_rounds) == (totals.liquidations, totals.adl_rounds),
            "the market counts {} liquidations and {} rounds, the events {totals:?}",
            market.liquidations,
            market.adl_rounds
        );
        ensure!(totals.insurance_paid_atoms > 0, "insurance paid nothing");
        ensure!(totals.gave_up_atoms > 0, "counterparties gave up nothing");
        self.check(
            "every position is what the events on chain make it, from the first trade on"
                .to_owned(),
        );
        let explained = self.explain(&history).await?;
        self.check(format!(
            "`ballast explain-adl` verified all {explained} rounds of deleveraging from the chain"
        ));
        let liquidation = first_since(&history, fall.0, |event| {
            matches!(event, BallastEvent::PositionLiquidated(_))
        })?;
        let adl = first_since(&history, gap.0, |event| {
            matches!(event, BallastEvent::AutoDeleveraged(_))
        })?;
        let conservation = self.stage.conservation().await?;
        Ok(Report {
            deployments: self.stage.deployments.to_vec(),
            slot_millis: self.args.ticks_per_slot * 25 / 4,
            seconds: self.begun.elapsed().as_secs(),
            traders,
            first_liquidation: Reaction::new(&fall.0, fall.1, liquidation),
            first_adl: Reaction::new(&gap.0, gap.1, adl),
            totals,
            conservation_error_atoms: conservation.error_atoms().to_string(),
            lots_sum: conservation.lots.values().sum::<i128>().to_string(),
            insurance_left_atoms: market.insurance.balance,
            keepers,
            checks: self.checks,
        })
    }

    /// Has the command line verify every round of deleveraging; gives their number.
    async fn explain(&self, history: &History) -> Result<usize> {
        let mut rounds = 0;
        for (done, event) in history.events() {
            if !matches!(event, BallastEvent::AutoDeleveraged(_)) {
                continue;
            }
            let mut command = Command::new(self.args.bin("ballast"));
            command.args(["explain-adl", &done.signature.to_string()]);
            command.args(["--url", &self.stage.validator.url]);
            let output = command.kill_on_drop(true).output().await;
            let output = output.context("`ballast` could not be started")?;
            let said = String::from_utf8_lossy(&output.stdout);
            let problem = String::from_utf8_lossy(&output.stderr);
            ensure!(
                output.status.success(),
                "`ballast explain-adl {}` does not verify it: {said}{problem}",
                done.signature
            );
            let file = format!("explain-adl-{}.txt", rounds + 1);
            std::fs::write(self.stage.logs.join(file), said.as_bytes())?;
            rounds += 1;
        }
        Ok(rounds)
    }

    fn check(&mut self, what: String) {
        self.say(&what);
        self.checks.push(what);
    }

    fn say(&self, what: &str) {
        eprintln!("e2e: {:>4} s  {what}", self.begun.elapsed().as_secs());
    }
}

/// Publishes a price and waits until a counter of the market moves.
async fn reaction(
    stage: &Stage,
    ticks: u64,
    what: &str,
    count: impl Fn(&Market) -> u64,
) -> Result<Seen> {
    let before = count(&stage.market().await?);
    let moved = until(what, REACTION_LIMIT, || async {
        let now = count(&stage.market().await?);
        Ok((now > before).then(Instant::now))
    });
    let (published, moved) = tokio::try_join!(stage.oracle.set(ticks), moved)?;
    ensure!(
        moved > published.sent,
        "{what} came before the price {ticks}"
    );
    Ok((published, moved))
}

/// The first transaction since a price with an event that `wanted` accepts.
fn first_since(
    history: &History,
    since: Published,
    wanted: impl Fn(&BallastEvent) -> bool,
) -> Result<&Done> {
    let done = history.first_since(since.slot, wanted);
    done.context("the chain does not have what was seen")
}
