//! What the built program writes is what Pyth's SDK and Ballast read.

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::AccountDeserialize;
use litesvm::LiteSVM;
use oracle_writer::{publish, Price};
use pyth_solana_receiver_sdk::price_update::{get_feed_id_from_hex, PriceUpdateV2};
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;

/// Where `cargo xtask test` builds the program.
const PROGRAM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/deploy/oracle_writer.so"
);

const SOL_USD: &str = "0xef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d";

struct Vm {
    svm: LiteSVM,
    payer: Keypair,
    target: Keypair,
    authority: Keypair,
}

impl Vm {
    /// A price account of the receiver, still empty.
    fn new() -> Self {
        let code = std::fs::read(PROGRAM).expect("the program: `cargo xtask test` builds it");
        let mut svm = LiteSVM::new().with_transaction_history(0);
        svm.add_program(pyth_solana_receiver_sdk::ID, &code)
            .expect("a loadable program");
        let mut vm = Self {
            svm,
            payer: Keypair::new(),
            target: Keypair::new(),
            authority: Keypair::new(),
        };
        vm.svm
            .airdrop(&vm.payer.pubkey(), 1 << 40)
            .expect("fees and rent");
        let create = solana_system_interface::instruction::create_account(
            &vm.payer.pubkey(),
            &vm.target.pubkey(),
            vm.svm
                .minimum_balance_for_rent_exemption(PriceUpdateV2::LEN),
            PriceUpdateV2::LEN as u64,
            &pyth_solana_receiver_sdk::ID,
        );
        vm.send(create, &[&vm.target.insecure_clone()])
            .expect("an account");
        vm
    }

    fn send(&mut self, instruction: Instruction, signers: &[&Keypair]) -> Result<(), String> {
        let mut all = vec![&self.payer];
        all.extend(signers);
        let message = Message::new(&[instruction], Some(&self.payer.pubkey()));
        let transaction = Transaction::new(&all, message, self.svm.latest_blockhash());
        let sent = self.svm.send_transaction(transaction);
        self.svm.expire_blockhash();
        sent.map(|_| ())
            .map_err(|failed| format!("{:?}", failed.err))
    }

    fn publish(&mut self, price: &Price, empty: bool) -> Result<(), String> {
        let authority = self.authority.insecure_clone();
        self.publish_as(price, empty, &authority)
    }

    fn publish_as(&mut self, price: &Price, empty: bool, by: &Keypair) -> Result<(), String> {
        let instruction = publish(self.target.pubkey(), empty, by.pubkey(), price).expect("data");
        let target = self.target.insecure_clone();
        let signers = [by, &target];
        self.send(instruction, &signers[..1 + usize::from(empty)])
    }

    fn update(&self) -> (Vec<u8>, PriceUpdateV2) {
        let account = self.svm.get_account(&self.target.pubkey()).expect("it");
        assert_eq!(account.owner, pyth_solana_receiver_sdk::ID);
        let read = PriceUpdateV2::try_deserialize(&mut &account.data[..]).expect("an update");
        (account.data, read)
    }

    fn set_time(&mut self, slot: u64, seconds: i64) {
        let mut clock: anchor_lang::prelude::Clock = self.svm.get_sysvar();
        clock.slot = slot;
        clock.unix_timestamp = seconds;
        self.svm.set_sysvar(&clock);
    }
}

fn price(mantissa: i64) -> Price {
    Price {
        feed_id: get_feed_id_from_hex(SOL_USD).expect("a feed"),
        price: mantissa,
        conf: 12_345_678,
        exponent: -8,
        ema_price: mantissa - 7,
        ema_conf: 11_000_000,
    }
}

#[test]
fn the_sdk_and_ballast_read_what_it_writes() {
    let mut vm = Vm::new();
    vm.set_time(371, 1_760_129_400);
    vm.publish(&price(20_612_345_678), true).unwrap();
    vm.set_time(375, 1_760_129_403);
    vm.publish(&price(20_500_000_000), false).unwrap();

    let (data, update) = vm.update();
    assert_eq!(data.len(), 134);
    assert_eq!(update.write_authority, vm.authority.pubkey());
    assert_eq!(update.posted_slot, 375);
    let message = update.price_message;
    assert_eq!((message.price, message.conf), (20_500_000_000, 12_345_678));
    assert_eq!(
        (message.publish_time, message.prev_publish_time),
        (1_760_129_403, 1_760_129_400)
    );

    let (key, owner, mut lamports, mut data) =
        (vm.target.pubkey(), pyth_solana_receiver_sdk::ID, 1, data);
    let account = anchor_lang::prelude::AccountInfo::new(
        &key,
        false,
        false,
        &mut lamports,
        &mut data,
        &owner,
        false,
    );
    let read = ballast::oracle::pull::read(&account, &message.feed_id).unwrap();
    assert_eq!(
        (read.price, read.conf, read.ema, read.exponent),
        (20_500_000_000, 12_345_678, 20_499_999_993, -8)
    );
    assert_eq!(read.publish_time, 1_760_129_403);
}

#[test]
fn only_the_first_writer_writes_again() {
    let mut vm = Vm::new();
    let refused = vm.publish(&price(1), false).unwrap_err();
    assert!(refused.contains("MissingRequiredSignature"), "{refused}");
    vm.publish(&price(2), true).unwrap();
    let stranger = Keypair::new();
    let refused = vm.publish_as(&price(3), true, &stranger).unwrap_err();
    assert!(refused.contains("IncorrectAuthority"), "{refused}");
    vm.publish(&price(4), false).unwrap();
    assert_eq!(vm.update().1.price_message.price, 4);
}

#[test]
fn an_account_of_another_program_is_not_written() {
    let mut vm = Vm::new();
    let authority = vm.authority.insecure_clone();
    let foreign = publish(Pubkey::new_unique(), false, authority.pubkey(), &price(1)).unwrap();
    let refused = vm.send(foreign, &[&authority]).unwrap_err();
    assert!(refused.contains("IncorrectProgramId"), "{refused}");
}
