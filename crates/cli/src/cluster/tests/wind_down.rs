//! The commands of a market's end: what each sends goes through, and what it says where there is nothing
//! to send.

use ballast_state::market::Market;
use bytemuck::Pod;

use super::*;
use crate::cluster::failure::Usage;
use crate::cluster::guardian;
use crate::cluster::wind_down::steps::{self, Step};
use crate::cluster::wind_down::{table, ModeView};

const DAY: u64 = 86_400;

impl Stage {
    /// Sends a step as it is; what the market is afterwards.
    #[track_caller]
    fn step(&mut self, step: Result<Step, Usage>) -> ModeView {
        let step = step.unwrap_or_else(|error| panic!("{error}"));
        assert!(step.command.starts_with("wind-down "));
        let sent = self.sandbox.send(&step.instructions, &[]);
        sent.unwrap_or_else(|error| panic!("{}: {error}", step.command));
        self.mode()
    }

    fn mode(&self) -> ModeView {
        ModeView::new(&self.state())
    }

    /// Every trader account with something in the market.
    fn inside(&self) -> Vec<Pubkey> {
        let all = self.sandbox.trader_addresses().iter();
        let traders = all.map(|address| (*address, self.sandbox.trader(address)));
        steps::inside(&self.sol.keys.market, traders)
    }

    /// What is next, as `modes` says it.
    #[track_caller]
    fn next_is(&self, command: Option<&str>) {
        let next = self.mode().next;
        let name = self.state().name();
        let expected =
            command.map(|command| format!("ballast wind-down {command} --market {name}"));
        assert_eq!(next, expected);
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(step: Result<T, Usage>, why: &str) {
    let said = step.unwrap_err().to_string();
    assert!(said.starts_with(why), "{said}");
}

/// A market with so many pairs, $200 against $500 of margin each, and a price recorded.
fn market(pairs: usize) -> Stage {
    let mut stage = Stage::new();
    for _ in 0..pairs {
        let (long, short) = (stage.trader(), stage.trader());
        stage.trade((&long, 200), (&short, 500), 10_000);
    }
    let sol = stage.sol.clone();
    stage.sandbox.accrue_funding(&sol).expect("recorded");
    stage
}

#[test]
fn a_market_is_brought_to_its_end_command_by_command() {
    let mut stage = market(5);
    stage.next_is(None);
    refused(
        steps::declare_dead(&stage.state()),
        "OracleAlive: the last price",
    );
    refused(steps::begin(&stage.state()), "EndNotDue: ");
    refused(
        steps::settle(&stage.state(), &stage.inside()),
        "MarketTrades: ",
    );
    refused(steps::count(&stage.state()), "MarketTrades: ");
    let exchange = stage.sandbox.exchange();
    refused(steps::close(&stage.state(), &exchange), "MarketTrades: ");

    stage.sandbox.advance_seconds(DAY);
    stage.next_is(Some("declare-dead"));
    let view = stage.step(steps::declare_dead(&stage.state()));
    assert_eq!(view.mode, "active");
    assert!(view.words().ends_with("(dead oracle)"), "{}", view.words());
    stage.next_is(None);
    stage.sandbox.advance_seconds(DAY);
    stage.next_is(Some("begin"));
    let view = stage.step(steps::begin(&stage.state()));
    assert_eq!(view.mode, "settling");
    let json = json_of(&view);
    assert_eq!(
        (&json["final_ticks"], &json["cause"]),
        (&json!(200_000), &json!("dead_oracle"))
    );
    assert!(table(&[view]).contains("settle --all"));

    refused(steps::count(&stage.state()), "NothingToCount: ");
    stage.next_is(Some("settle --all"));
    let traders = stage.inside();
    assert_eq!(traders.len(), 10);
    let one = steps::settle(&stage.state(), &traders[..1]).expect("a step");
    assert!(one[0].purpose.contains(&traders[0].to_string()));
    let settling = steps::settle(&stage.state(), &traders).expect("steps");
    assert_eq!(settling.len(), 2);
    assert!(settling[1].purpose.ends_with("transaction 2 of 2"));
    for step in settling {
        stage.step(Ok(step));
    }
    assert!(stage.inside().is_empty());
    refused(steps::settle(&stage.state(), &[]), "nobody has anything in");
    let view = stage.step(steps::close(&stage.state(), &exchange));
    assert_eq!((view.mode, view.next), ("settled", None));
    assert!(stage.sandbox.conservation().holds());
}

#[test]
fn claims_are_counted_before_anybody_is_paid() {
    let mut stage = market(2);
    for _ in 0..2 {
        stage.sandbox.advance_seconds(DAY);
        let step = match stage.mode().ends_at {
            None => steps::declare_dead(&stage.state()),
            Some(_) => steps::begin(&stage.state()),
        };
        stage.step(step);
    }
    let address = stage.sol.keys.market;
    change::<Market>(&mut stage.sandbox, &address, |market| {
        market.written_off_atoms = 1_400_000_000
    });
    stage.next_is(Some("count"));
    assert_eq!(json_of(&stage.mode())["written_off_atoms"], 1_400_000_000);
    // Of $1,400 that all are worth together insurance has next to nothing.
    stage.step(steps::count(&stage.state()));
    stage.next_is(Some("settle --all"));
    let traders = stage.inside();
    for step in steps::settle(&stage.state(), &traders).expect("steps") {
        stage.step(Ok(step));
    }
    assert!(stage.inside().is_empty());
}

/// Overwrites the body of an account of the program.
fn change<T: Pod>(sandbox: &mut Sandbox, address: &Pubkey, change: impl FnOnce(&mut T)) {
    let mut account = sandbox.account(address).expect("the account");
    let body = &mut account.data[8..8 + size_of::<T>()];
    let mut value: T = bytemuck::pod_read_unaligned(body);
    change(&mut value);
    body.copy_from_slice(bytemuck::bytes_of(&value));
    sandbox.set_account(address, account);
}

#[test]
fn the_guardian_and_the_admin_make_a_market_reduce_only_and_nobody_else() {
    let mut stage = market(1);
    let exchange = stage.sandbox.exchange();
    let stranger = Pubkey::new_unique();
    refused(
        guardian::restrict(&stage.state(), &exchange, stranger),
        "the guardian role is held by",
    );
    let (_, instruction) =
        guardian::restrict(&stage.state(), &exchange, exchange.admin).expect("a step");
    let admin = stage.sandbox.admin_keypair();
    stage
        .sandbox
        .send(&[instruction], &[&admin])
        .expect("restricted");
    assert_eq!(stage.mode().mode, "reduce_only");
    let again = guardian::restrict(&stage.state(), &exchange, exchange.admin);
    refused(
        again,
        &format!("{} is reduce-only already", stage.state().name()),
    );
}
