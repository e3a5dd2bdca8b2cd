//! Opening a market.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast_client::addresses;
use ballast_client::instructions::admin::{self, MarketAccounts, StagedKeys};
use ballast_client::instructions::Collateral;
use ballast_engine::units::Side;
use ballast_engine::volatility::Volatility;
use ballast_sandbox::{MarketConfig, MintKind, Options, Sandbox, TxResult};
use ballast_state::book_account::MIN_BOOK_ORDERS;
use ballast_state::error::BallastError;
use ballast_state::exchange::Exchange;
use ballast_state::instructions::CreateMarketArgs;
use ballast_state::queue_account::MIN_QUEUE_NODES;
use ballast_state::staged::Change;
use solana_account::Account;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;

use crate::event;
use crate::support::{done, forge, refused, refused_elsewhere, refused_forged, Venue};

/// An exchange without a market, and what `create_market` is called with.
struct Opening {
    sandbox: Sandbox,
    admin: Keypair,
    accounts: MarketAccounts,
    collateral: Collateral,
    args: CreateMarketArgs,
}

impl Opening {
    fn new() -> Self {
        let mut sandbox = Sandbox::empty(&Options::default()).unwrap();
        sandbox.initialize_exchange().unwrap();
        let space = addresses::queue_space(MIN_QUEUE_NODES);
        let config = MarketConfig::sol();
        Self {
            admin: sandbox.admin_keypair(),
            accounts: MarketAccounts {
                queue_long: sandbox.create_program_account(space).unwrap(),
                queue_short: sandbox.create_program_account(space).unwrap(),
                book: sandbox
                    .create_program_account(addresses::book_space(MIN_BOOK_ORDERS))
                    .unwrap(),
            },
            collateral: sandbox.collateral(),
            args: CreateMarketArgs {
                name: config.name,
                oracle: config.oracle(Pubkey::default()),
                risk: config.risk,
            },
            sandbox,
        }
    }

    fn change(&self) -> Change {
        Change::CreateMarket(self.args)
    }

    /// The call, once the market is staged.
    fn instruction(&mut self, index: u16) -> Instruction {
        let staged = self.sandbox.stage(self.change(), None).unwrap();
        self.instruction_for(index, staged)
    }

    fn instruction_for(&self, index: u16, staged: StagedKeys) -> Instruction {
        admin::CreateMarket {
            payer: self.sandbox.payer(),
            admin: self.admin.pubkey(),
            index,
            accounts: self.accounts,
            collateral: self.collateral,
            staged,
        }
        .instruction()
    }

    fn send(&mut self, index: u16) -> TxResult {
        let instruction = self.instruction(index);
        self.sandbox.send(&[instruction], &[&self.admin])
    }

    /// Fails unless the staged market is refused.
    #[track_caller]
    fn refused(&mut self, error: BallastError) {
        let (instruction, admin) = (self.instruction(0), self.admin.insecure_clone());
        refused(&mut self.sandbox, error, |s| {
            s.send(&[instruction], &[&admin])
        });
        assert!(self.sandbox.account(&addresses::market(0)).is_none());
    }

    /// Fails unless it is refused already when it is staged.
    #[track_caller]
    fn not_staged(&mut self, error: BallastError) {
        let (change, admin) = (self.change(), self.admin.insecure_clone());
        refused(&mut self.sandbox, error, |s| {
            s.send_staging(change, None, &admin)
        });
    }
}

#[test]
pub fn create_market_writes_every_field_and_two_empty_queues() {
    let mut opening = Opening::new();
    let outcome = done(opening.send(0));
    let event = event!(outcome, MarketCreated);
    let address = addresses::market(0);
    assert_eq!((event.market, event.index), (address, 0));
    let sandbox = &opening.sandbox;
    assert_eq!(sandbox.exchange().market_count, 1);
    let account = sandbox.account(&address).unwrap();
    let market = ballast_client::accounts::market(&account.data).unwrap();
    assert_eq!((market.version, market.index), (2, 0));
    assert_eq!(market.name, opening.args.name);
    assert_eq!(market.volatility, Volatility::default());
    assert_eq!(market.insurance_vault, addresses::insurance_vault(&address));
    assert_eq!(
        (market.queue_long, market.queue_short),
        (opening.accounts.queue_long, opening.accounts.queue_short)
    );
    assert_eq!(market.oracle, opening.args.oracle);
    assert_eq!(market.risk, opening.args.risk);
    assert_eq!(market.funding.index.get(), 0);
    assert_eq!(market.funding.last_timestamp, sandbox.time());
    assert_eq!(market.last_price.ticks, 0);
    assert_eq!(market.insurance.balance, 0);
    assert_eq!((market.open_interest_lots, market.fees_atoms), (0, 0));
    for (queue, side) in [
        (opening.accounts.queue_long, Side::Long),
        (opening.accounts.queue_short, Side::Short),
    ] {
        let account = sandbox.account(&queue).unwrap();
        let snapshot = ballast_client::accounts::QueueSnapshot::new(&account.data).unwrap();
        let view = snapshot.queue().unwrap();
        assert_eq!(view.len(), 0);
        assert_eq!(view.side(), side);
        assert_eq!(view.header().market, address.to_bytes());
    }
    assert_eq!(market.book, opening.accounts.book);
    let account = sandbox.account(&market.book).unwrap();
    let snapshot = ballast_client::accounts::BookSnapshot::new(&account.data).unwrap();
    let view = snapshot.book().unwrap();
    assert_eq!((view.len(Side::Long), view.len(Side::Short)), (0, 0));
    assert_eq!(view.header().market, address.to_bytes());
    let vault = sandbox.account(&market.insurance_vault).unwrap();
    assert_eq!(&vault.data[32..64], addresses::exchange().as_ref());
}

#[test]
pub fn only_the_admin_opens_a_market() {
    let mut opening = Opening::new();
    opening.admin = opening.sandbox.funded_keypair();
    opening.not_staged(BallastError::NotAdmin);
    // Nor does anybody but the admin choose the accounts of one that is staged.
    opening.refused(BallastError::NotAdmin);
}

#[test]
pub fn a_market_takes_the_exchanges_mint() {
    let mut opening = Opening::new();
    opening.collateral.mint = opening.sandbox.create_mint(MintKind::Classic).unwrap();
    opening.refused(BallastError::WrongMint);
    let mut opening = Opening::new();
    opening.collateral = Collateral {
        mint: opening.sandbox.create_mint(MintKind::Token2022).unwrap(),
        token_program: MintKind::Token2022.token_program(),
    };
    opening.refused(BallastError::WrongMint);
    let mut opening = Opening::new();
    opening.collateral.token_program = MintKind::Token2022.token_program();
    let (instruction, admin) = (opening.instruction(0), opening.admin.insecure_clone());
    // The vault is created first, by the token program that is not the mint's.
    refused_elsewhere(&mut opening.sandbox, |s| s.send(&[instruction], &[&admin]));
}

#[test]
pub fn names_are_printable_and_padded() {
    for name in [
        *b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        *b"SOL PERP\0\0\0\0\0\0\0\0",
        *b"SOL\0P\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        let mut opening = Opening::new();
        opening.args.name = name;
        opening.not_staged(BallastError::MarketNameInvalid);
    }
}

#[test]
pub fn the_oracle_configuration_must_make_sense() {
    let changes: [fn(&mut CreateMarketArgs); 6] = [
        |args| args.oracle.kind = 2,
        |args| args.oracle.feed_id = [0; 32],
        |args| args.oracle.push_account = Pubkey::new_unique(),
        |args| args.oracle.atoms_per_lot_tick = 2,
        |args| args.oracle.tick_nano = 0,
        |args| args.oracle.lot_nano = u64::MAX,
    ];
    for change in changes {
        let mut opening = Opening::new();
        change(&mut opening.args);
        opening.not_staged(BallastError::OracleConfigInvalid);
    }
}

#[test]
pub fn risk_parameters_are_checked_at_the_start_too() {
    let mut opening = Opening::new();
    opening.args.risk.price_band_bps = 0;
    opening.not_staged(BallastError::RiskBand);
}

#[test]
pub fn the_queues_must_be_two() {
    let mut opening = Opening::new();
    opening.accounts.queue_short = opening.accounts.queue_long;
    opening.refused(BallastError::QueuesNotDistinct);
}

#[test]
pub fn a_queue_of_another_owner_is_refused() {
    for side in [Side::Long, Side::Short] {
        let mut opening = Opening::new();
        let key = opening.sandbox.funded_keypair().pubkey();
        match side {
            Side::Long => opening.accounts.queue_long = key,
            Side::Short => opening.accounts.queue_short = key,
        }
        opening.refused(BallastError::QueueNotOwned);
    }
}

#[test]
pub fn a_queue_with_room_for_too_few_is_refused() {
    for space in [0, 8, addresses::queue_space(MIN_QUEUE_NODES) - 1] {
        let mut opening = Opening::new();
        opening.accounts.queue_short = opening.sandbox.create_program_account(space).unwrap();
        opening.refused(BallastError::QueueTooSmall);
    }
}

#[test]
pub fn a_market_is_staged_and_opened_in_a_transaction_each() {
    let mut opening = Opening::new();
    let create = opening.instruction(0);
    let stage = admin::StageChange {
        authority: opening.admin.pubkey(),
        payer: opening.admin.pubkey(),
        market: None,
        change: opening.change(),
    };
    let budget = Instruction {
        program_id: Pubkey::new_unique(),
        accounts: Vec::new(),
        data: vec![0; 5],
    };
    // Another payer signs for the fee.
    let payer = Pubkey::new_unique();
    for instruction in [stage.instruction(), create] {
        let message = Message::new(&[budget.clone(), instruction], Some(&payer));
        let signatures = usize::from(message.header.num_required_signatures);
        let bytes = 1 + 64 * signatures + message.serialize().len();
        println!("{bytes} bytes");
        assert!(bytes <= 1_232, "{bytes}");
    }
}

#[test]
pub fn a_book_of_another_owner_is_refused() {
    let mut opening = Opening::new();
    opening.accounts.book = opening.sandbox.funded_keypair().pubkey();
    opening.refused(BallastError::BookNotOwned);
}

#[test]
pub fn a_book_with_room_for_too_few_is_refused() {
    for space in [0, 8, addresses::book_space(MIN_BOOK_ORDERS) - 1] {
        let mut opening = Opening::new();
        opening.accounts.book = opening.sandbox.create_program_account(space).unwrap();
        opening.refused(BallastError::BookTooSmall);
    }
}

#[test]
pub fn a_book_that_is_not_rent_exempt_is_refused() {
    let mut opening = Opening::new();
    let key = opening.accounts.book;
    let account = opening.sandbox.account(&key).unwrap();
    let poor = Account {
        lamports: account.lamports - 1,
        ..account
    };
    opening.sandbox.set_account(&key, poor);
    opening.refused(BallastError::BookNotRentExempt);
}

#[test]
pub fn every_byte_of_a_new_book_must_be_zero() {
    for place in [0, 7, 8, 100, 8 + ballast_engine::book::BOOK_HEADER_SIZE - 1] {
        let mut opening = Opening::new();
        let key = opening.accounts.book;
        let mut account = opening.sandbox.account(&key).unwrap();
        account.data[place] = 1;
        opening.sandbox.set_account(&key, account);
        opening.refused(BallastError::BookNotZeroed);
    }
    // A queue of the same market is taken over before it.
    let mut opening = Opening::new();
    let space = addresses::queue_space(64);
    opening.accounts.queue_long = opening.sandbox.create_program_account(space).unwrap();
    opening.accounts.book = opening.accounts.queue_long;
    opening.refused(BallastError::BookNotZeroed);
}

#[test]
pub fn a_queue_that_is_not_rent_exempt_is_refused() {
    let mut opening = Opening::new();
    let account = opening
        .sandbox
        .account(&opening.accounts.queue_long)
        .unwrap();
    let poor = Account {
        lamports: account.lamports - 1,
        ..account
    };
    opening
        .sandbox
        .set_account(&opening.accounts.queue_long.clone(), poor);
    opening.refused(BallastError::QueueNotRentExempt);
}

#[test]
pub fn a_queue_in_use_is_not_taken_over() {
    let mut opening = Opening::new();
    done(opening.send(0));
    let (instruction, admin) = (opening.instruction(1), opening.admin.insecure_clone());
    refused(&mut opening.sandbox, BallastError::QueueNotZeroed, |s| {
        s.send(&[instruction], &[&admin])
    });
    // Nor any other account of the program.
    let mut opening = Opening::new();
    let venue = Venue::new();
    let mut sandbox = venue.sandbox;
    opening.accounts.queue_short = sandbox
        .create_program_account(addresses::queue_space(16))
        .unwrap();
    opening.accounts.queue_long = venue.alice.address;
    let instruction = admin::CreateMarket {
        payer: sandbox.payer(),
        admin: sandbox.admin(),
        index: 1,
        accounts: opening.accounts,
        collateral: sandbox.collateral(),
        staged: sandbox.stage(opening.change(), None).unwrap(),
    }
    .instruction();
    let admin = sandbox.admin_keypair();
    refused(&mut sandbox, BallastError::QueueNotZeroed, |s| {
        s.send(&[instruction], &[&admin])
    });
}

#[test]
pub fn every_byte_of_a_new_queue_must_be_zero() {
    let space = addresses::queue_space(MIN_QUEUE_NODES);
    for place in [
        0,
        7,
        8,
        100,
        8 + ballast_engine::queue::QUEUE_HEADER_SIZE - 1,
    ] {
        let mut opening = Opening::new();
        let mut account = opening
            .sandbox
            .account(&opening.accounts.queue_long)
            .unwrap();
        assert_eq!(account.data.len(), space);
        account.data[place] = 1;
        opening
            .sandbox
            .set_account(&opening.accounts.queue_long.clone(), account);
        opening.refused(BallastError::QueueNotZeroed);
    }
}

#[test]
pub fn the_last_market_is_the_65535th() {
    let mut opening = Opening::new();
    forge::<Exchange>(&mut opening.sandbox, &addresses::exchange(), |exchange| {
        exchange.market_count = u16::MAX;
    });
    let (instruction, admin) = (
        opening.instruction(u16::MAX),
        opening.admin.insecure_clone(),
    );
    refused_forged(&mut opening.sandbox, BallastError::TooManyMarkets, |s| {
        s.send(&[instruction], &[&admin])
    });
}

#[test]
pub fn a_market_index_cannot_be_chosen() {
    let mut opening = Opening::new();
    let (instruction, admin) = (opening.instruction(1), opening.admin.insecure_clone());
    refused_elsewhere(&mut opening.sandbox, |s| s.send(&[instruction], &[&admin]));
}

#[test]
pub fn a_queue_grows_by_what_the_runtime_allows() {
    let mut config = MarketConfig::sol();
    config.queue_capacity = MIN_QUEUE_NODES;
    let mut venue = Venue::with(&config);
    let (market, queue) = (venue.market.clone(), venue.market.keys.queue_long);
    for positions in [0, 99, u32::MAX] {
        refused(&mut venue.sandbox, BallastError::QueueGrowth, |s| {
            s.grow_queue(&market, &queue, positions)
        });
    }
    let outcome = done(venue.sandbox.grow_queue(&market, &queue, 98));
    let event = event!(outcome, QueueGrown);
    assert_eq!(
        (event.long, event.capacity_before, event.capacity_after),
        (true, 16, 114)
    );
    let account = venue.sandbox.account(&queue).unwrap();
    assert_eq!(account.data.len(), addresses::queue_space(114));
    assert_eq!(account.lamports, venue.sandbox.rent(account.data.len()));
    let view = venue.sandbox.queue(&market, Side::Long);
    assert_eq!(view.queue().unwrap().capacity(), 114);
    // The other queue, of this market and of another, is a queue of its own.
    done(
        venue
            .sandbox
            .grow_queue(&market, &market.keys.queue_short, 1),
    );
    let other = venue.second_market();
    refused(&mut venue.sandbox, BallastError::WrongQueue, |s| {
        s.grow_queue(&other, &queue, 1)
    });
    let foreign = Pubkey::new_unique();
    venue.sandbox.fund(&foreign, 1_000_000);
    refused(&mut venue.sandbox, BallastError::QueueNotOwned, |s| {
        s.grow_queue(&market, &foreign, 1)
    });
}

#[test]
pub fn a_queue_grows_to_what_an_account_holds() {
    let mut config = MarketConfig::sol();
    config.queue_capacity = addresses::max_queue_capacity() - 1;
    let mut venue = Venue::with(&config);
    let (market, queue) = (venue.market.clone(), venue.market.keys.queue_short);
    refused(&mut venue.sandbox, BallastError::QueueTooLarge, |s| {
        s.grow_queue(&market, &queue, 2)
    });
    let outcome = done(venue.sandbox.grow_queue(&market, &queue, 1));
    assert_eq!(event!(outcome, QueueGrown).capacity_after, 100_822);
}
