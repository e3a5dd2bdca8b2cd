//! An exchange in the sandbox, and a keeper that reads it and executes what it plans.

use anchor_lang::prelude::{Clock, Pubkey};
use ballast_client::accounts::{self, BookSnapshot, QueueSnapshot};
use ballast_client::addresses;
use ballast_client::instructions::adl_session::SESSION_SPACE;
use ballast_engine::oracle::OraclePrice;
use ballast_engine::protection::ProtectiveStep;
use ballast_engine::units::{Side, Ticks};
use ballast_keeper::config::Work;
use ballast_keeper::evaluate::{evaluate, Conditions, Evaluation, Job, Task};
use ballast_keeper::market::MarketState;
use ballast_keeper::plan::session::{self, Means, SessionStep};
use ballast_keeper::plan::{plan, Effect, Idle, LegMakers, Lists, Own, Plan, PlanOptions, Planned};
use ballast_keeper::repair::{repair, Verdict};
use ballast_sandbox::{BlockTrade, MarketConfig, MarketCookie, Options, Sandbox, TraderCookie};
use ballast_sandbox::{TxResult, Wallet};
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::events::BallastEvent;
use ballast_state::instructions::{PlaceTriggerArgs, SetProtectionArgs};
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast_state::trigger::TriggerKind;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Atoms of a dollar.
pub const USD: u64 = 1_000_000;
/// Price at the start, ticks.
pub const START: u64 = 200_000;

/// The one event of this kind.
macro_rules! only {
    ($events:expr, $kind:ident) => {{
        let mut found = $events.iter().filter_map(|event| match event {
            BallastEvent::$kind(event) => Some(event),
            _ => None,
        });
        found.next().expect(stringify!($kind))
    }};
}

/// The exchange and its people.
pub struct Venue {
    pub sandbox: Sandbox,
    pub market: MarketCookie,
    /// Holds the other side of every trade.
    pub house: TraderCookie,
    pub people: Vec<TraderCookie>,
    ticks: u64,
    /// Of the next session account.
    fresh: Keypair,
}

impl Venue {
    pub fn new(config: &MarketConfig) -> Self {
        let (mut sandbox, market) = Sandbox::with_market(&Options::default(), config).unwrap();
        let house = sandbox.create_trader(50_000_000 * USD).unwrap();
        let fresh = sandbox.next_keypair();
        Self {
            fresh,
            sandbox,
            market,
            house,
            people: Vec::new(),
            ticks: START,
        }
    }

    /// A trader with a position of `lots` bought or sold from the house at the start price, backed
    /// by its notional over `leverage`, and `free` dollars beside it.
    pub fn open(&mut self, lots: i64, leverage: u64, free: u64) -> TraderCookie {
        let notional = lots.unsigned_abs() * START;
        let margin = notional / leverage;
        let fees = notional / 1_000;
        let trader = self.sandbox.create_trader(margin + fees + free * USD);
        let trader = trader.unwrap();
        let terms = BlockTrade {
            lots,
            price_ticks: START,
            taker_margin: margin,
            maker_margin: notional / 3,
        };
        let house = self.house.clone();
        let traded = self
            .sandbox
            .block_trade(&self.market, &trader, &house, terms);
        traded.unwrap();
        self.people.push(trader.clone());
        trader
    }

    /// A bid or ask of a new maker who can afford it.
    pub fn quote(&mut self, side: OrderSide, price_ticks: u64, lots: u64) -> TraderCookie {
        let maker = self.sandbox.create_trader(lots * START).unwrap();
        let args = PlaceOrderArgs {
            side,
            kind: OrderKind::PostOnly,
            price_ticks,
            lots,
            margin: 0,
            client_id: 0,
            expires_at: 0,
            reduce_only: false,
            self_trade: SelfTrade::Abort,
        };
        let placed = self.sandbox.place_order(&self.market, &maker, args, &[]);
        placed.unwrap();
        maker
    }

    /// A stop-loss or take-profit of all lots of a position, at any price of the band.
    pub fn place_trigger(&mut self, trader: &TraderCookie, kind: TriggerKind, price_ticks: u64) {
        let slot = self
            .sandbox
            .position(&self.market, &trader.address)
            .unwrap();
        let args = PlaceTriggerArgs {
            kind,
            price_ticks,
            worst_ticks: 0,
            lots: slot.lots.unsigned_abs(),
        };
        let placed = self.sandbox.place_trigger(&self.market, trader, args);
        placed.unwrap();
    }

    /// Protective steps for the position of the person with this number: below 1.6 times its maintenance margin half of it stays, below 1.2
    /// nothing; the fills within 3 % of the mark.
    pub fn protect(&mut self, person: usize) {
        let (market, trader) = (self.market.clone(), self.people[person].clone());
        let opened = self.sandbox.create_protection(&market, &trader);
        opened.unwrap();
        let step = |ratio_bps, keep_bps| ProtectiveStep {
            ratio_bps,
            keep_bps,
        };
        let args = SetProtectionArgs {
            steps: vec![step(16_000, 5_000), step(12_000, 0)],
            slip_bps: 300,
        };
        self.sandbox.set_protection(&market, &trader, args).unwrap();
    }

    /// Gives insurance so many dollars.
    pub fn insure(&mut self, dollars: u64) {
        let donor: Wallet = self.sandbox.create_wallet(dollars * USD).unwrap();
        let donated = self
            .sandbox
            .donate_insurance(&self.market, &donor, dollars * USD);
        donated.unwrap();
    }

    /// Time passes and a price is published.
    pub fn price(&mut self, slots: u64, ticks: u64) {
        self.sandbox.advance_slots(slots);
        self.sandbox.set_price(&self.market, ticks);
        self.ticks = ticks;
    }

    /// What a keeper has in memory after reading every account.
    pub fn state(&self) -> MarketState {
        let mut state = MarketState::new(self.market.keys, self.sandbox.market(&self.market));
        for address in self.sandbox.trader_addresses() {
            let trader = self.sandbox.trader(address);
            state.apply_trader(address, &trader).unwrap();
            let steps = addresses::protection(address, &self.market.keys.market);
            if let Some(account) = self.sandbox.account(&steps) {
                let steps = accounts::protection(&account.data).unwrap();
                state.protections.apply(&steps);
            }
        }
        let pool = self.sandbox.account(&self.market.pool());
        let pool = pool.map(|account| accounts::pool(&account.data).unwrap());
        state.backstop.apply(pool);
        let price = OraclePrice {
            price: Ticks::new(self.ticks),
            confidence: Ticks::new(0),
            ema: Ticks::new(self.ticks),
            publish_time: self.sandbox.time(),
            below_tick: false,
        };
        assert!(state.apply_price(price, self.sandbox.slot()));
        state
    }

    pub fn clock(&self) -> Clock {
        Clock {
            slot: self.sandbox.slot(),
            unix_timestamp: self.sandbox.time(),
            ..Clock::default()
        }
    }

    pub fn evaluate(&self) -> Evaluation {
        let work = Work {
            funding_seconds: 3_600,
            ..Work::default()
        };
        let conditions = Conditions::of(&self.sandbox.exchange(), self.sandbox.slot(), &work);
        evaluate(&self.state(), &self.clock(), &conditions).unwrap()
    }

    /// Plans a job from the accounts as they stand.
    pub fn plan(&self, job: &Job, keeper: &TraderCookie, options: &PlanOptions) -> Planned {
        let book = self.sandbox.book(&self.market);
        let queues = [Side::Long, Side::Short].map(|side| self.sandbox.queue(&self.market, side));
        let lists = lists(&book, &queues);
        let (state, trader) = (self.state(), self.sandbox.trader(&keeper.address));
        let own = Own {
            payer: keeper.wallet.address(),
            authority: keeper.wallet.address(),
            address: keeper.address,
            trader: &trader,
            makers: LegMakers::none(),
            promised: &[],
            tables: &[],
            options,
        };
        plan(job, &state.at(&self.clock()).unwrap(), &lists, &own).unwrap()
    }

    /// Plans the next step of a session for a job; `fresh` is the key of a new account.
    pub fn plan_session(&self, job: &Job, keeper: &TraderCookie, fresh: &Keypair) -> Planned {
        let book = self.sandbox.book(&self.market);
        let queues = [Side::Long, Side::Short].map(|side| self.sandbox.queue(&self.market, side));
        let lists = lists(&book, &queues);
        let side = if job.lots > 0 { 1 } else { 0 };
        let address = session::under_way(&queues[side].queue().unwrap());
        let account = address.map(|address| self.sandbox.account(&address).unwrap());
        let known = account.map(|account| accounts::adl_session(&account.data).unwrap());
        let (state, trader) = (self.state(), self.sandbox.trader(&keeper.address));
        let own = Own {
            payer: keeper.wallet.address(),
            authority: keeper.wallet.address(),
            address: keeper.address,
            trader: &trader,
            makers: LegMakers::none(),
            promised: &[],
            tables: &[],
            options: &PlanOptions::default(),
        };
        let means = Means {
            fresh: fresh.pubkey(),
            rent_lamports: self.sandbox.rent(SESSION_SPACE),
            max_nodes: 1,
        };
        let present = state.at(&self.clock()).unwrap();
        session::plan(job, &present, &lists, &own, &means, known.as_ref()).unwrap()
    }

    /// Executes a plan.
    pub fn execute(&mut self, plan: &Plan, keeper: &TraderCookie) -> TxResult {
        self.execute_signed(plan, &[&keeper.wallet.keypair])
    }

    /// Executes a plan with those of `keys` that it wants to sign.
    pub fn execute_signed(&mut self, plan: &Plan, keys: &[&Keypair]) -> TxResult {
        let tables = match plan.listed.is_empty() {
            true => Vec::new(),
            false => vec![self.sandbox.create_lookup_table(&plan.listed)],
        };
        let metas = plan.instructions.iter().flat_map(|it| &it.accounts);
        let wanted: Vec<Pubkey> = metas
            .filter(|meta| meta.is_signer)
            .map(|meta| meta.pubkey)
            .collect();
        let mut signers = keys.to_vec();
        signers.retain(|key| wanted.contains(&key.pubkey()));
        self.sandbox
            .send_with_tables(&plan.instructions, &signers, &tables)
    }

    /// Plans and executes the most urgent job that can be done, again and again, until none is
    /// left. Every call has to pass, but for two: one that finds orders removed instead of filled
    /// and has offered too little for what they leave is planned again more carefully; a trigger whose
    /// owner cannot pay what the book asks waits for another price, and so does a position that the
    /// book does not take because of orders that another price has to remove.
    pub fn work(&mut self, keeper: &TraderCookie, options: &PlanOptions) -> Worked {
        let (mut worked, mut careful) = (Worked::default(), *options);
        loop {
            let next = self.next(keeper, &careful, &worked.waiting);
            worked.idle = next.1;
            let Some(plan) = next.0 else {
                return worked;
            };
            assert!(worked.done.len() < 2_000, "it goes on for ever");
            let fresh = self.fresh.insecure_clone();
            let sent = self.execute_signed(&plan, &[&keeper.wallet.keypair, &fresh]);
            if plan.effect == Effect::Session(SessionStep::Open) {
                self.fresh = self.sandbox.next_keypair();
            }
            match sent {
                Ok(outcome) => {
                    as_foreseen(&plan.effect, &outcome.events);
                    worked.done.push(*plan);
                    careful = *options;
                }
                Err(error) => {
                    let known = error
                        .number
                        .and_then(BallastError::of_number)
                        .expect("the program's error");
                    let again = careful.take_over.after_poor();
                    match (plan.task, repair(plan.task, known, &error.logs)) {
                        (Task::Liquidate | Task::LiquidateIntoPool, Verdict::Poor)
                            if again != careful.take_over =>
                        {
                            careful.take_over = again;
                            worked.poor += 1;
                        }
                        (
                            Task::Trigger(_) | Task::Protection | Task::UnwindPool,
                            Verdict::Wait(_),
                        )
                        | (Task::Protection, Verdict::Ended) => {
                            worked.waiting.push(plan.trader);
                        }
                        // Orders that this price alone speaks against stay in the way.
                        // So does what the pool would have to take in their place.
                        (Task::LiquidateIntoPool, Verdict::Refetch { .. })
                            if known == BallastError::PoolCannotTake && careful.offer_pool =>
                        {
                            careful.offer_pool = false;
                            worked.without_pool += 1;
                        }
                        (
                            Task::Liquidate | Task::LiquidateIntoPool | Task::Deleverage,
                            Verdict::Refetch { .. },
                        ) if matches!(
                            known,
                            BallastError::NothingFilled
                                | BallastError::LiquidationSkipsBook
                                | BallastError::BookCanAbsorb
                        ) =>
                        {
                            worked.waiting.push(plan.trader);
                        }
                        _ => panic!("{:?}: {error}\n{plan:#?}", plan.task),
                    }
                }
            }
            assert!(self.sandbox.conservation().holds());
        }
    }

    fn next(
        &self,
        keeper: &TraderCookie,
        options: &PlanOptions,
        waiting: &[Pubkey],
    ) -> (Option<Box<Plan>>, Vec<(Pubkey, Idle)>) {
        let mut idle = Vec::new();
        let ended = self.sandbox.market(&self.market).mode().has_ended();
        let jobs = self.evaluate().jobs;
        for job in jobs.iter().filter(|job| !waiting.contains(&job.trader)) {
            match self.plan(job, keeper, options) {
                Planned::Send(plan) => return (Some(plan), idle),
                Planned::Nothing(Idle::NobodyEligible) if ended => {
                    match self.plan_session(job, keeper, &self.fresh) {
                        Planned::Send(plan) => return (Some(plan), idle),
                        Planned::Nothing(why) => idle.push((job.trader, why)),
                    }
                }
                Planned::Nothing(why) => idle.push((job.trader, why)),
            }
        }
        (None, idle)
    }
}

/// What the program did is what the plan said, unless orders were removed or passed over instead of
/// filled.
#[track_caller]
fn as_foreseen(effect: &Effect, events: &[BallastEvent]) {
    match effect {
        Effect::Liquidation { .. } => liquidated_as_foreseen(effect, events),
        Effect::Deleveraging {
            lots,
            of_lots,
            cuts,
            insurance_atoms,
        } => {
            let event = only!(events, AutoDeleveraged);
            assert_eq!(event.lots_before.unsigned_abs(), *of_lots);
            assert_eq!(event.lots_closed, *lots);
            assert_eq!(event.cuts.len(), *cuts);
            assert_eq!(event.insurance_paid_atoms, *insurance_atoms);
        }
        Effect::Trigger { lots } => {
            let event = only!(events, TriggerExecuted);
            if event.removed.is_empty() && event.kept_orders == 0 {
                assert_eq!(event.filled_lots, *lots);
            }
        }
        Effect::Protection { lots, .. } => {
            let event = only!(events, ProtectionExecuted);
            if event.removed.is_empty() && event.kept_orders == 0 {
                assert_eq!(event.filled_lots, *lots);
            }
        }
        Effect::Unwind { lots, due_lots } => {
            let event = only!(events, PoolUnwound);
            assert_eq!(event.due_lots, *due_lots);
            if event.removed.is_empty() && event.kept_orders == 0 {
                assert_eq!(event.closed_lots, *lots);
            }
        }
        Effect::Sync { moved_atoms } => {
            assert_eq!(only!(events, PoolSynced).moved_atoms, *moved_atoms);
        }
        Effect::Funding
        | Effect::Flags
        | Effect::End
        | Effect::Session(_)
        | Effect::Marks
        | Effect::Records { .. } => {}
    }
}

/// The steps of one transaction together.
#[track_caller]
fn liquidated_as_foreseen(effect: &Effect, events: &[BallastEvent]) {
    let (mut lots, mut book, mut insurance, mut pool) = (0, 0, 0, 0);
    for event in events {
        match event {
            BallastEvent::PositionLiquidated(event) => {
                if !event.removed.is_empty() || event.kept_orders > 0 {
                    return;
                }
                lots += event.lots.unsigned_abs();
                book += event.book_lots.unsigned_abs();
                insurance += event.insurance_paid_atoms;
            }
            BallastEvent::PoolTook(event) => pool += event.lots.unsigned_abs(),
            _ => {}
        }
    }
    let Effect::Liquidation {
        book_lots,
        taken: fill,
        pool_lots,
        insurance_atoms,
        ..
    } = effect
    else {
        panic!("{effect:?}");
    };
    let taken = lots - book - pool;
    let happened = (book, taken, pool, insurance);
    assert_eq!(
        happened,
        (*book_lots, fill.lots.size(), *pool_lots, *insurance_atoms)
    );
}

/// What a keeper has done.
#[derive(Default)]
pub struct Worked {
    pub done: Vec<Plan>,
    pub idle: Vec<(Pubkey, Idle)>,
    /// Calls that had to be planned again.
    pub poor: usize,
    /// Calls that had to be planned again without the pool.
    pub without_pool: usize,
    /// Who waits for another price.
    pub waiting: Vec<Pubkey>,
}

fn lists<'a>(book: &'a BookSnapshot, queues: &'a [QueueSnapshot; 2]) -> Lists<'a> {
    Lists {
        book: Some(book.book().unwrap()),
        queue_long: Some(queues[0].queue().unwrap()),
        queue_short: Some(queues[1].queue().unwrap()),
        cross: None,
    }
}
