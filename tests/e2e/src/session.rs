//! The session of docs/OPERATING.md, line by line as it stands there: nothing, a venue, two traders, a
//! keeper, a crash, and what the commands say about it. Everything that is printed is checked for secrets,
//! blank lines, atoms and errors in the program's own numbers.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token;
use anyhow::{bail, ensure, Context, Result};
use ballast_client::addresses;
use ballast_client::token::{associated_token, create_associated_token};
use ballast_rpc::cluster::Cluster;
use ballast_rpc::endpoint::Endpoint;
use ballast_rpc::sender::{FeePolicy, Sender};
use ballast_rpc::settings::Settings;
use solana_keypair::Keypair;
use solana_signer::Signer;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::Args;
use ballast_localnet::oracle::{self, Oracle};
use ballast_localnet::population::USD;
use ballast_localnet::process::Process;
use ballast_localnet::validator::{Genesis, Validator};
use ballast_localnet::venue::{airdrop, keypair_file, START_TICKS};
use ballast_localnet::wait::until;

const DOCUMENT: &str = include_str!("../../../docs/OPERATING.md");
/// In the URL of the node, where a provider has the customer's key.
const KEY: &str = "SECRETKEY";
/// What everybody but the admin has in tokens.
const WEALTH: u64 = 10_000 * USD;
/// How long a crash may take to be tidied up.
const CRASH_LIMIT: Duration = Duration::from_secs(240);
/// How long anything else may take.
const LIMIT: Duration = Duration::from_secs(60);
/// Number of a change of the treasury, see [`ballast_state::staged::Change::kind`].
const TREASURY_KIND: u8 = 3;
/// Commands of this repository; others are the harness's part.
const COMMANDS: [&str; 3] = ["ballast", "deploy", "ballast-keeper"];

/// What a line must say, beside what is checked of all: the beginning of the line, and a part of
/// what it prints. Each is for the first line that begins so after the one before.
const EXPECTED: [(&str, &str); 37] = [
    ("deploy", "plan      create market 0, SOL-PERP"),
    ("deploy", "created, 60.00 of insurance"),
    ("deploy", "Nothing was changed."),
    ("ballast markets", "SOL-PERP"),
    ("ballast book", "The book is empty."),
    ("ballast admin show", "paused   nothing"),
    ("ballast balance", "trader accounts  none"),
    ("ballast deposit -5", "amount -5 is below zero"),
    (
        "ballast order place",
        "nothing filled: the book of SOL-PERP has no asks",
    ),
    (
        "ballast order place",
        "the book fills 0.000 of 10.000 at 200.000 or better, so nothing was traded",
    ),
    ("ballast order place", "wait at 200.000 as order"),
    (
        "ballast order place",
        "SOL-PERP trades between 190.000 and 210.000",
    ),
    ("ballast order place", "expected unix seconds"),
    ("ballast book", "200.000"),
    (
        "ballast order place",
        "The position is long 10.000 at 200.000 on average",
    ),
    ("ballast trigger place", "Take-profit set"),
    (
        "ballast trigger place",
        "less than the 50.000 asked for; it takes the place of",
    ),
    (
        "ballast margin add",
        "which is less than 1,000.00; `ballast deposit",
    ),
    ("ballast positions", "if everything closed at the mark"),
    (
        "ballast positions --trader",
        "is a wallet, not a trader account",
    ),
    ("ballast-keeper", "market 0:"),
    ("ballast history", "Bankrupt at a mark of 180.000"),
    ("ballast history", "Deleveraged for bankruptcy"),
    ("ballast history", "time,slot,kind,market"),
    ("ballast adl list", "ballast explain-adl"),
    ("ballast explain-adl", "all agree"),
    (
        "ballast explain-adl",
        "It was cut by 5.000 of 10.000 (cap of 50 %)",
    ),
    ("ballast insurance sweep", "as its ledger says"),
    ("ballast order place", "Paused"),
    (
        "ballast admin accept",
        "is staged for the guardian role, not",
    ),
    (
        "ballast admin stage treasury",
        "It may be applied from slot",
    ),
    ("ballast admin show", "earnings are paid to"),
    ("ballast watch --once", "`ballast guardian cancel"),
    ("ballast guardian cancel", "is cancelled by"),
    ("ballast admin apply", "nothing is staged in"),
    ("ballast admin apply", "The exchange's earnings are paid to"),
    (
        "ballast admin grow-queue",
        "has room for 200 positions, 128 before",
    ),
];

/// A venue of one session. Dropping it ends everything.
struct Session<'a> {
    args: &'a Args,
    validator: Validator,
    cluster: Arc<Cluster>,
    admin: Arc<Keypair>,
    publisher: Arc<Keypair>,
    people: Vec<(&'static str, Keypair)>,
    oracle: Option<Oracle>,
    processes: Vec<Process>,
    folder: TempDir,
    logs: PathBuf,
    said: Vec<(String, String)>,
    /// A token account of the admin's, once there is a mint.
    treasury: Pubkey,
}

/// Plays it; the number of commands.
///
/// # Errors
/// When a command says or does something else than it should.
pub async fn play(args: &Args, validator: &Path, logs: &Path) -> Result<usize> {
    let logs = logs.join("session");
    std::fs::create_dir_all(&logs)?;
    let mut session = Session::begin(args, validator, &logs).await?;
    let played = session.all().await;
    let transcript: Vec<String> = session
        .said
        .iter()
        .map(|(line, said)| format!("$ {line}\n{said}"))
        .collect();
    std::fs::write(logs.join("transcript.txt"), transcript.join("\n"))?;
    played?;
    Ok(session.said.len())
}

/// The lines of the document's session: a command, or what happens outside.
fn lines() -> Vec<&'static str> {
    let blocks = DOCUMENT.split("```session\n").skip(1);
    let inside = blocks.filter_map(|block| block.split("```").next());
    inside.flat_map(str::lines).collect()
}

impl<'a> Session<'a> {
    async fn begin(args: &'a Args, binary: &Path, logs: &Path) -> Result<Self> {
        let folder = TempDir::with_prefix("ballast-session-")?;
        let home = folder.path();
        let (admin, publisher) = (Arc::new(Keypair::new()), Arc::new(Keypair::new()));
        let admin_file = keypair_file(home, "admin", &admin)?;
        let price =
            oracle::first_account(home, oracle::SOL_USD_FEED, START_TICKS, &publisher.pubkey())?;
        let validator = Validator::start(&Genesis {
            binary,
            program: (&args.program, &admin_file),
            gate: &args.gate,
            oracle: &args.oracle,
            accounts: &[price],
            ticks_per_slot: args.ticks_per_slot,
            logs,
        })
        .await?;
        let endpoint = Endpoint::new(&validator.url);
        let settings = Settings::resolve(Some(&endpoint), Some(&admin_file), None)?;
        let cluster = Arc::new(Cluster::new(&settings));
        let people: Vec<(&'static str, Keypair)> = ["ann", "ben", "keeper"]
            .into_iter()
            .map(|name| (name, Keypair::new()))
            .collect();
        for (name, keypair) in &people {
            keypair_file(home, name, keypair)?;
            airdrop(&cluster, &keypair.pubkey()).await?;
        }
        airdrop(&cluster, &publisher.pubkey()).await?;
        std::fs::copy(&args.market, home.join("venue.toml"))?;
        let listen = format!("127.0.0.1:{}", validator.own_port(0));
        let keeper = format!(
            "[wallet]\nkeypair = 'keeper.json'\n[lookup_table]\nstate_dir = 'state'\n\
             [metrics]\nlisten = '{listen}'\n"
        );
        std::fs::write(home.join("keeper.toml"), keeper)?;
        let solana = home.join(".config/solana/cli");
        std::fs::create_dir_all(&solana)?;
        let url = format!("{}/v2/{KEY}?api-key={KEY}", validator.url);
        let config = format!("json_rpc_url: '{url}'\nkeypair_path: /nobody.json\n");
        std::fs::write(solana.join("config.yml"), config)?;
        Ok(Self {
            args,
            validator,
            cluster,
            admin,
            publisher,
            people,
            oracle: None,
            processes: Vec::new(),
            folder,
            logs: logs.to_path_buf(),
            said: Vec::new(),
            treasury: Pubkey::default(),
        })
    }

    async fn all(&mut self) -> Result<()> {
        let lines = lines();
        ensure!(lines.len() > 40, "the session is not in the document");
        let mut expected = EXPECTED.iter().peekable();
        for (number, line) in lines.iter().enumerate() {
            if let Some(outside) = line.strip_prefix("# ") {
                self.outside(outside).await?;
                continue;
            }
            let next = lines
                .get(number + 1)
                .and_then(|next| next.strip_prefix("# exits with "));
            let code: i32 = next.map_or(Ok(0), str::parse)?;
            let said = self.command(line, code).await?;
            let wanted = expected.next_if(|(begins, _)| line.starts_with(begins));
            if let Some((_, part)) = wanted {
                ensure!(
                    said.contains(part),
                    "`{line}` does not say `{part}`: {said}"
                );
            }
        }
        if let Some((begins, part)) = expected.next() {
            bail!("the document has no line `{begins}` that says `{part}`");
        }
        self.interrupted().await?;
        self.second_market().await
    }

    /// A market is created under the keeper, which notices long before it reads everything again;
    /// that it has no price is no fault of the others.
    async fn second_market(&mut self) -> Result<()> {
        let text = std::fs::read_to_string(&self.args.market)?;
        let market = text.find("[[markets]]").context("no market")?;
        let second = text[market..]
            .replace("SOL-PERP", "TWO-PERP")
            .replace("0xef0d8b6f", "0xffffffff")
            .replace("insurance = \"60\"", "insurance = \"0\"");
        std::fs::write(
            self.folder.path().join("two.toml"),
            format!("{text}\n{second}"),
        )?;
        let said = self
            .command("deploy --keypair admin.json --config two.toml", 0)
            .await?;
        ensure!(said.contains("TWO-PERP"), "no market was created: {said}");
        let health = format!("http://127.0.0.1:{}/health", self.validator.own_port(0));
        until("the keeper noticing a market", LIMIT, || async {
            let answer = reqwest::get(&health).await?;
            let well = answer.status().is_success();
            let said = answer.text().await?;
            Ok((well && said.contains("market 1 has no price")).then_some(()))
        })
        .await
    }

    /// What happens outside of the commands.
    async fn outside(&mut self, what: &str) -> Result<()> {
        match what.split(' ').collect::<Vec<_>>()[..] {
            ["price", dollars] => {
                let ticks = dollars.parse::<u64>()? * 1_000;
                match &self.oracle {
                    Some(oracle) => {
                        oracle.set(ticks).await?;
                    }
                    None => {
                        self.give().await?;
                        let markets = self.cluster.markets().await?;
                        let (_, market) = markets.first().context("no market")?;
                        let (cluster, publisher) = (self.cluster.clone(), self.publisher.clone());
                        let oracle = Oracle::start(cluster, publisher, market, ticks).await?;
                        self.oracle = Some(oracle);
                    }
                }
            }
            ["exits", ..] => {}
            ["keeper", "starts"] => {
                for (name, line) in [
                    ("keeper", "ballast-keeper --config keeper.toml"),
                    (
                        "watch",
                        "ballast watch --trader $ANN --trader $BEN --interval 1",
                    ),
                ] {
                    let mut command = self.process(line)?;
                    let process = Process::start(name, &self.logs, &mut command)?;
                    self.processes.push(process);
                }
                let health = format!("http://127.0.0.1:{}/health", self.validator.own_port(0));
                until("the keeper being well", LIMIT, || async {
                    let answer = reqwest::get(&health).await?;
                    ensure!(answer.status().is_success(), "{}", answer.text().await?);
                    Ok(Some(()))
                })
                .await?;
            }
            ["ann", "is", "closed"] => {
                let ann = self.trader("ann")?;
                until("ann being closed", CRASH_LIMIT, || async {
                    let trader = self.cluster.trader(&ann).await?.context("no account")?;
                    let open = trader.positions.iter().any(|slot| slot.lots != 0);
                    Ok((!open).then_some(()))
                })
                .await?;
                let log = self.logs.join("watch.log");
                until("an alert of the cut", LIMIT, || async {
                    let said = std::fs::read_to_string(&log)?;
                    let told = said.contains("ALERT") && said.contains("Deleveraged for");
                    Ok(told.then_some(()))
                })
                .await?;
                for process in &mut self.processes {
                    process.require_running()?;
                    let said = std::fs::read_to_string(&process.log)?;
                    ensure!(
                        !said.contains(KEY),
                        "{} prints its key: {said}",
                        process.name
                    );
                }
            }
            _ => bail!("nobody knows how `# {what}` happens"),
        }
        Ok(())
    }

    /// Tokens for everybody but the admin, who may make them.
    async fn give(&mut self) -> Result<()> {
        let collateral = self.cluster.collateral().await?;
        let (mint, program) = (collateral.mint, collateral.token_program);
        let admin = self.admin.pubkey();
        self.treasury = associated_token(&admin, &collateral);
        let fees = FeePolicy::default();
        let sender = Sender::new(self.cluster.clone(), self.admin.clone(), fees);
        for (_, keypair) in &self.people {
            let owner = keypair.pubkey();
            let tokens = associated_token(&owner, &collateral);
            let wealth = [
                create_associated_token(admin, owner, &collateral),
                spl_token::instruction::mint_to(&program, &mint, &tokens, &admin, &[], WEALTH)?,
            ];
            sender.send(&wealth, &[], &[]).await?;
        }
        Ok(())
    }

    fn wallet(&self, name: &str) -> Result<Pubkey> {
        let mut people = self.people.iter();
        let found = people.find(|(known, _)| *known == name);
        Ok(found
            .with_context(|| format!("nobody is called {name}"))?
            .1
            .pubkey())
    }

    fn trader(&self, name: &str) -> Result<Pubkey> {
        Ok(addresses::trader(&self.wallet(name)?, 0))
    }

    /// The command of a line, in the folder of the keypairs, configured as a user would.
    fn process(&self, line: &str) -> Result<Command> {
        let mut text = line.to_owned();
        for (name, key) in [
            ("$ANN_WALLET", self.wallet("ann")?),
            ("$KEEPER_WALLET", self.wallet("keeper")?),
            ("$TREASURY", self.treasury),
            (
                "$STAGED",
                addresses::staged(TREASURY_KIND, &addresses::exchange()),
            ),
            ("$ANN", self.trader("ann")?),
            ("$BEN", self.trader("ben")?),
        ] {
            text = text.replace(name, &key.to_string());
        }
        let mut words = text.split(' ');
        let program = words.next().filter(|program| COMMANDS.contains(program));
        let program = program.with_context(|| format!("`{line}` is none of ours"))?;
        let mut command = Command::new(self.args.bin(program));
        command.args(words).current_dir(self.folder.path());
        command.env("HOME", self.folder.path()).kill_on_drop(true);
        command.stdin(Stdio::null());
        Ok(command)
    }

    /// Runs a line, which must end with this code; what it printed.
    async fn command(&mut self, line: &str, code: i32) -> Result<String> {
        let line = match line.contains("$SIGNATURE") {
            true => line.replace("$SIGNATURE", &self.signature().await?),
            false => line.to_owned(),
        };
        let output = self.process(&line)?.output().await?;
        let said = String::from_utf8([output.stdout, output.stderr].concat())?;
        self.said.push((line.clone(), said.clone()));
        ensure!(
            output.status.code() == Some(code),
            "`{line}` ended with {}, expected {code}: {said}",
            output.status
        );
        sound(&said).with_context(|| format!("`{line}`: {said}"))?;
        Ok(said)
    }

    /// The transaction in which Ben was cut first.
    async fn signature(&self) -> Result<String> {
        let mut listing = self.process("ballast adl list --trader $BEN --output json")?;
        let output = listing.output().await?;
        let rounds: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let first = rounds[0]["signature"].as_str().context("nobody was cut")?;
        Ok(first.to_owned())
    }

    /// Cut off while its transaction is under way, a command says what may still happen.
    async fn interrupted(&mut self) -> Result<()> {
        let order = "ballast order place --market 0 --side sell --size 1 --price 181 --type post-only --keypair ben.json";
        let mut command = self.process(order)?;
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let mut lines = BufReader::new(child.stderr.take().context("no output")?).lines();
        let first = lines.next_line().await?.unwrap_or_default();
        let id = child.id().context("it has ended")?.to_string();
        Command::new("kill").args(["-INT", &id]).status().await?;
        let mut said = format!("{first}\n");
        while let Some(line) = lines.next_line().await? {
            said.push_str(&line);
            said.push('\n');
        }
        let status = child.wait().await?;
        self.said
            .push((format!("{order} # interrupted"), said.clone()));
        ensure!(
            first.starts_with("Sent as ")
                && status.code() == Some(3)
                && said.contains("may still land until block"),
            "an interrupted order ended with {status}: {said}"
        );
        Ok(())
    }
}

/// Whether everything printed is for people: no secret, no blank lines at the ends or in a row, no
/// atoms, no errors by number.
fn sound(said: &str) -> Result<()> {
    ensure!(!said.contains(KEY), "it prints the key of the node");
    ensure!(!said.trim().is_empty(), "it prints nothing");
    let blank = said.starts_with('\n') || said.ends_with("\n\n") || said.contains("\n\n\n");
    ensure!(!blank, "it prints blank lines");
    for raw in [
        " atoms",
        "custom program error",
        "RPC response error",
        "InstructionError",
        "Error processing",
        "2^3",
    ] {
        ensure!(!said.contains(raw), "it prints `{raw}`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_for_people_is_noticed() {
        assert!(sound("Deposit 5.00.\n\n  done\n").is_ok());
        for bad in [
            "",
            "\n",
            "a\n\n\nb",
            "\na",
            "holds 60000000 atoms",
            "custom program error: 0x4",
            "http://h/SECRETKEY",
        ] {
            assert!(sound(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_document_has_a_session_of_known_commands() {
        let lines = lines();
        for line in lines.iter().filter(|line| !line.starts_with('#')) {
            let program = line.split(' ').next().unwrap_or_default();
            assert!(COMMANDS.contains(&program), "{line}");
        }
        for (begins, _) in EXPECTED {
            assert!(
                lines.iter().any(|line| line.starts_with(begins)),
                "{begins}"
            );
        }
    }
}
