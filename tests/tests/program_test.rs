//! A second runtime: the bank of a validator executes the same transactions as the sandbox and must
//! leave every account of the program with the same bytes.

use anchor_lang::prelude::{Clock, Pubkey};
use anchor_lang::solana_program::instruction::Instruction;
use ballast_client::instructions::{anyone, trader};
use ballast_sandbox::world::default_program_path;
use ballast_sandbox::{pyth, MarketConfig, MarketCookie, Options, Sandbox, TraderCookie};
use ballast_state::error::BallastError;
use solana_keypair::Keypair;
use solana_program_test::{ProgramTest, ProgramTestContext};
use solana_signer::Signer;
use solana_transaction::Transaction;

const USD: u64 = 1_000_000;

struct Venue {
    sandbox: Sandbox,
    market: MarketCookie,
    long: TraderCookie,
    short: TraderCookie,
    keeper: TraderCookie,
}

impl Venue {
    fn new() -> Self {
        let (mut sandbox, market) =
            Sandbox::with_market(&Options::default(), &MarketConfig::sol()).unwrap();
        let mut trader = || sandbox.create_trader(1_000 * USD).unwrap();
        let (long, short, keeper) = (trader(), trader(), trader());
        Self {
            sandbox,
            market,
            long,
            short,
            keeper,
        }
    }

    /// The long position of 10 SOL at $200 with $100 of margin.
    fn open() -> Self {
        let mut venue = Self::new();
        let trade = venue.trade();
        let signers = [&venue.long.wallet.keypair, &venue.short.wallet.keypair];
        venue.sandbox.send(&[trade], &signers).unwrap();
        venue
    }

    fn trade(&self) -> Instruction {
        trader::BlockTrade {
            keys: self.market.keys,
            taker: self.long.party(),
            maker: self.short.party(),
            args: ballast_sandbox::BlockTrade {
                lots: 10_000,
                price_ticks: 200_000,
                taker_margin: 100 * USD,
                maker_margin: 500 * USD,
            }
            .args(),
        }
        .instruction()
    }

    fn deleverage(&self, list: &[Pubkey]) -> Instruction {
        anyone::AutoDeleverage {
            keeper: self.keeper.wallet.address(),
            keys: self.market.keys,
            bankrupt: self.long.address,
            reward_trader: self.keeper.address,
            counterparties: list,
        }
        .instruction()
    }

    /// A bank with every account of the sandbox and its clock.
    async fn bank(&self) -> ProgramTestContext {
        let program = default_program_path();
        let folder = program.parent().expect("the program lies in a folder");
        std::env::set_var("BPF_OUT_DIR", folder);
        std::env::set_var("RUST_LOG", "off");
        let mut test = ProgramTest::default();
        test.prefer_bpf(true);
        test.add_program("ballast", ballast_state::ID, None);
        for owner in [
            ballast_state::ID,
            self.sandbox.token_program(),
            pyth::PULL_PROGRAM,
        ] {
            for (address, account) in self.sandbox.accounts_of(&owner) {
                test.add_account(address, account);
            }
        }
        let context = test.start_with_context().await;
        context.set_sysvar(&Clock {
            slot: self.sandbox.slot(),
            unix_timestamp: self.sandbox.time(),
            ..Clock::default()
        });
        context
    }

    /// Executes the instruction on both runtimes and compares all accounts of the program.
    async fn agree(&mut self, instruction: Instruction, signers: &[&Keypair]) {
        let bank = self.bank().await;
        send(&bank, instruction.clone(), signers)
            .await
            .expect("the bank accepts the transaction");
        self.sandbox
            .send(&[instruction], signers)
            .expect("the sandbox accepts the transaction");
        let mut compared = 0;
        for (address, account) in self.sandbox.accounts_of(&ballast_state::ID) {
            let other = bank.banks_client.get_account(address).await.unwrap();
            assert!(
                other.is_some_and(|other| other.data == account.data),
                "{address} differs"
            );
            compared += 1;
        }
        assert!(compared >= 7, "{compared} accounts");
        assert!(self.sandbox.conservation().holds());
    }
}

async fn send(
    bank: &ProgramTestContext,
    instruction: Instruction,
    signers: &[&Keypair],
) -> Result<(), String> {
    let mut all = vec![&bank.payer];
    all.extend(signers);
    let transaction = Transaction::new_signed_with_payer(
        &[instruction],
        Some(&bank.payer.pubkey()),
        &all,
        bank.last_blockhash,
    );
    let sent = bank.banks_client.process_transaction(transaction).await;
    sent.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_is_the_same_on_a_bank() {
    let mut venue = Venue::new();
    let (trade, long, short) = (venue.trade(), venue.long.clone(), venue.short.clone());
    let signers = [&long.wallet.keypair, &short.wallet.keypair];
    venue.agree(trade, &signers).await;
    let position = venue.sandbox.position(&venue.market, &long.address);
    assert_eq!(position.map(|slot| slot.lots), Some(10_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liquidation_is_the_same_on_a_bank() {
    let mut venue = Venue::open();
    venue.sandbox.set_price(&venue.market, 194_000);
    let keeper = venue.keeper.clone();
    let liquidate = anyone::Liquidate {
        authority: keeper.wallet.address(),
        keys: venue.market.keys,
        trader: venue.long.address,
        liquidator: keeper.address,
        offer: anyone::Takeover::with_margin(100 * USD),
        makers: &[],
    }
    .instruction();
    venue.agree(liquidate, &[&keeper.wallet.keypair]).await;
    let position = venue.sandbox.position(&venue.market, &venue.long.address);
    assert_eq!(position.map(|slot| slot.lots), Some(8_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleveraging_is_the_same_on_a_bank() {
    let mut venue = Venue::open();
    venue.sandbox.set_price(&venue.market, 189_000);
    let keeper = venue.keeper.clone();
    let call = venue.deleverage(&[venue.short.address]);
    venue.agree(call, &[&keeper.wallet.keypair]).await;
    // One pass closes half of the only counterparty.
    let position = venue.sandbox.position(&venue.market, &venue.long.address);
    assert_eq!(position.map(|slot| slot.lots), Some(5_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dishonest_list_fails_by_the_same_number_on_a_bank() {
    let mut venue = Venue::open();
    venue.sandbox.set_price(&venue.market, 189_000);
    let twice = venue.deleverage(&[venue.short.address, venue.short.address]);
    let bank = venue.bank().await;
    let keeper = venue.keeper.clone();
    let refused = send(&bank, twice, &[&keeper.wallet.keypair])
        .await
        .expect_err("a repeated counterparty is refused");
    let number = u32::from(BallastError::AdlDuplicateCounterparty);
    assert!(refused.contains(&format!("{number:#x}")), "{refused}");
}
