//! A bankrupt position and the book: beside insurance, without it, and before deleveraging.

use ballast_client::instructions::anyone::Takeover;
use ballast_sandbox::TraderCookie;
use ballast_state::error::BallastError;
use ballast_state::events::BallastEvent;
use ballast_state::events::PositionLiquidated;

use crate::event;
use crate::orders::{ask, bid, ioc, listed, reducing};
use crate::support::{done, refused, Venue, START, TEN, USD};

const OFFER: Takeover = Takeover::with_margin(100 * USD);

/// Alice is long 10 SOL, bankrupt by $10 at $189; insurance has $0.20 and so much more.
struct Rescue {
    venue: Venue,
    alice: TraderCookie,
    carol: TraderCookie,
    keeper: TraderCookie,
}

impl Rescue {
    fn with_insurance(donated: u64) -> Self {
        let mut venue = Venue::bankrupt();
        let [carol, keeper] = [0; 2].map(|_| venue.trader(1_000));
        if donated > 0 {
            let donor = venue.sandbox.create_wallet(donated).unwrap();
            let market = venue.market.clone();
            done(venue.sandbox.donate_insurance(&market, &donor, donated));
        }
        Self {
            alice: venue.alice.clone(),
            venue,
            carol,
            keeper,
        }
    }

    #[track_caller]
    fn liquidate(&mut self, offer: Takeover, makers: &[&TraderCookie]) -> PositionLiquidated {
        let outcome = self.venue.sandbox.liquidate_into_book(
            &self.venue.market,
            &self.alice.address,
            &self.keeper,
            offer,
            &listed(makers),
        );
        let event = event!(done(outcome), PositionLiquidated);
        self.venue.sound();
        event
    }

    #[track_caller]
    fn refuse(&mut self, error: BallastError, offer: Takeover, makers: &[&TraderCookie]) {
        let (market, victim) = (&self.venue.market, &self.alice.address);
        refused(&mut self.venue.sandbox, error, |s| {
            s.liquidate_into_book(market, victim, &self.keeper, offer, &listed(makers))
        });
    }

    /// Deleverages alice against bob.
    #[track_caller]
    fn deleverage(&mut self, refusal: Option<BallastError>) {
        let bob = self.venue.bob.address;
        let (market, alice) = (self.venue.market.clone(), self.alice.address);
        let keeper = self.keeper.clone();
        let call =
            |s: &mut ballast_sandbox::Sandbox| s.auto_deleverage(&market, &alice, &keeper, &[bob]);
        match refusal {
            Some(error) => {
                refused(&mut self.venue.sandbox, error, call);
            }
            None => {
                done(call(&mut self.venue.sandbox));
                self.venue.sound();
            }
        }
    }
}

#[test]
pub fn bids_above_the_mark_spare_insurance() {
    let mut rescue = Rescue::with_insurance(10 * USD);
    let carol = rescue.carol.clone();
    rescue.venue.place(&carol, bid(189_500, 4_000), &[]);
    rescue.venue.place(&carol, bid(188_999, 1_000), &[]);
    rescue.refuse(BallastError::LiquidationSkipsBook, OFFER, &[]);
    let event = rescue.liquidate(OFFER, &[&carol]);
    assert_eq!((event.lots, event.book_lots), (-TEN, -4_000));
    assert_eq!(event.quote_atoms, -758_000_000 - 6_000 * 189_000);
    // The book paid $2 more than the mark.
    assert_eq!(event.insurance_paid_atoms, 8_000_000);
    assert_eq!(
        (event.insurance_before_atoms, event.insurance_after_atoms),
        (10_200_000, 2_200_000)
    );
    assert_eq!((event.discount_atoms, event.book_reward_atoms), (0, 0));
    assert_eq!(event.reward_atoms, 800_000);
    assert_eq!(rescue.venue.slot(&rescue.keeper).lots, 6_000);
    assert_eq!(rescue.venue.free(&rescue.keeper), 900_800_000);
    assert_eq!(rescue.venue.free(&rescue.alice), 899_000_000);
}

#[test]
pub fn a_bid_at_the_mark_is_met_and_one_below_is_not() {
    for (price, lots) in [(189_000, -4_000), (188_999, 0)] {
        let mut rescue = Rescue::with_insurance(10 * USD);
        let carol = rescue.carol.clone();
        rescue.venue.place(&carol, bid(price, 4_000), &[]);
        let event = rescue.liquidate(OFFER, &[&carol]);
        assert_eq!((event.lots, event.book_lots), (-TEN, lots));
        assert_eq!(event.insurance_paid_atoms, 10 * USD);
    }
}

#[test]
pub fn a_book_that_pays_the_deficit_leaves_insurance_alone() {
    let mut rescue = Rescue::with_insurance(10 * USD);
    let carol = rescue.carol.clone();
    // $2 a SOL above the mark on all of it: $10 more than the deficit.
    rescue.venue.place(&carol, bid(191_000, 10_000), &[]);
    let event = rescue.liquidate(OFFER, &[&carol]);
    assert_eq!((event.book_lots, event.insurance_paid_atoms), (-TEN, 0));
    assert_eq!((event.reward_atoms, event.book_reward_atoms), (0, 0));
    assert_eq!(rescue.venue.free(&rescue.alice), 899_000_000 + 10_000_000);
    assert_eq!(rescue.venue.free(&rescue.keeper), 1_000_000_000);
}

#[test]
pub fn without_insurance_the_book_takes_lots_down_to_the_bankruptcy_price() {
    let mut rescue = Rescue::with_insurance(0);
    let carol = rescue.carol.clone();
    rescue.venue.place(&carol, bid(189_999, 1_000), &[]);
    rescue.refuse(BallastError::InsuranceCannotPay, OFFER, &[&carol]);
    rescue.refuse(BallastError::NothingFilled, Takeover::none(), &[&carol]);
    rescue.venue.place(&carol, bid(190_000, 4_000), &[]);
    rescue.refuse(BallastError::InsuranceCannotPay, OFFER, &[]);
    rescue.deleverage(Some(BallastError::BookCanAbsorb));
    let event = rescue.liquidate(OFFER, &[&carol]);
    assert_eq!((event.lots, event.book_lots), (-4_000, -4_000));
    assert_eq!(event.quote_atoms, -760_000_000);
    assert_eq!(
        (event.insurance_paid_atoms, event.reward_atoms),
        (0, 0),
        "it cost nobody anything"
    );
    assert_eq!((event.insurance_fee_atoms, event.book_reward_atoms), (0, 0));
    let left = rescue.venue.slot(&rescue.alice);
    assert_eq!((left.lots, left.margin), (6_000, 60_000_000));
    assert_eq!(
        (left.last_step_slot, left.step_left),
        (rescue.venue.sandbox.slot(), 0)
    );
    assert_eq!(left.flagged_deficit, 6_000_000);
    // Nothing else meets it: what is left is deleveraged.
    rescue.refuse(BallastError::InsuranceCannotPay, OFFER, &[&carol]);
    rescue.deleverage(None);
    // Half of bob's position at once.
    assert_eq!(rescue.venue.slot(&rescue.alice).lots, 1_000);
}

#[test]
pub fn a_better_bid_may_make_the_rest_payable() {
    // $9.80 are missing; 4,000 lots at $192.500 leave a deficit of $2 less.
    let mut rescue = Rescue::with_insurance(0);
    let carol = rescue.carol.clone();
    rescue.venue.place(&carol, bid(192_500, 4_000), &[]);
    let event = rescue.liquidate(Takeover::none(), &[&carol]);
    assert_eq!(event.book_lots, -4_000);
    // $100 less $30 for 6,000 lots that lose $66.
    let left = rescue.venue.slot(&rescue.alice);
    assert_eq!((left.lots, left.margin), (6_000, 70_000_000));
    assert_eq!(left.bankrupt_slot, 0);
}

#[test]
pub fn who_does_not_offer_leaves_a_covered_position_to_the_bankruptcy_price() {
    let mut rescue = Rescue::with_insurance(10 * USD);
    let carol = rescue.carol.clone();
    rescue.venue.place(&carol, bid(189_999, 1_000), &[]);
    rescue.refuse(BallastError::NothingFilled, Takeover::none(), &[&carol]);
    rescue.venue.place(&carol, bid(190_000, 1_000), &[]);
    let event = rescue.liquidate(Takeover::none(), &[&carol]);
    assert_eq!((event.lots, event.insurance_paid_atoms), (-1_000, 0));
}

#[test]
pub fn a_bankrupt_short_is_mirrored() {
    let mut venue = Venue::new();
    done(venue.trade(-TEN, START, 100 * USD, 500 * USD));
    let [carol, keeper] = [0; 2].map(|_| venue.trader(1_000));
    venue.price(211_000);
    let mut rescue = Rescue {
        alice: venue.alice.clone(),
        venue,
        carol: carol.clone(),
        keeper,
    };
    rescue.venue.place(&carol, ask(210_001, 1_000), &[]);
    rescue.refuse(BallastError::InsuranceCannotPay, OFFER, &[&carol]);
    rescue.venue.place(&carol, ask(210_000, 4_000), &[]);
    rescue.deleverage(Some(BallastError::BookCanAbsorb));
    let event = rescue.liquidate(OFFER, &[&carol]);
    assert_eq!((event.lots, event.quote_atoms), (4_000, 840_000_000));
    let left = rescue.venue.slot(&rescue.alice);
    assert_eq!((left.lots, left.margin), (-6_000, 60_000_000));
    // With insurance for the $6 that are missing, asks at the mark or below spare it.
    let donor = rescue.venue.sandbox.create_wallet(6 * USD).unwrap();
    let market = rescue.venue.market.clone();
    let donation = 6 * USD - 200_000;
    done(
        rescue
            .venue
            .sandbox
            .donate_insurance(&market, &donor, donation),
    );
    let event = rescue.liquidate(OFFER, &[&carol]);
    assert_eq!((event.lots, event.book_lots), (6_000, 1_000));
    // $0.999 a SOL below the mark.
    assert_eq!(event.insurance_paid_atoms, 6_000_000 - 999_000);
    rescue.venue.price(START);
}

#[test]
pub fn lots_the_book_takes_end_a_session() {
    let mut rescue = Rescue::with_insurance(0);
    let (carol, bob, keeper) = (
        rescue.carol.clone(),
        rescue.venue.bob.clone(),
        rescue.keeper.clone(),
    );
    let (market, alice) = (rescue.venue.market.clone(), rescue.alice.address);
    let sandbox = &mut rescue.venue.sandbox;
    let opened = sandbox.open_adl_session(&market, &alice);
    let (session, _) = opened.unwrap();
    let node = rescue.venue.slot(&bob).queue_node;
    let sandbox = &mut rescue.venue.sandbox;
    done(sandbox.advance_adl_session(&market, &session, 10, vec![node]));
    let mut execute = sandbox.fork();
    let list = [bob.address];
    done(execute.execute_adl_session(&market, &session, &keeper, &list));
    // A bid at the bankruptcy price in between, and the position is another one.
    rescue.venue.place(&carol, bid(190_000, 4_000), &[]);
    rescue.liquidate(OFFER, &[&carol]);
    let sandbox = &mut rescue.venue.sandbox;
    refused(sandbox, BallastError::AdlSessionStale, |s| {
        s.execute_adl_session(&market, &session, &keeper, &list)
    });
    done(sandbox.close_adl_session(&market, &session));
    // While the book can take more, none is opened.
    rescue.venue.place(&carol, bid(190_000, 10), &[]);
    let refusal = rescue.venue.sandbox.open_adl_session(&market, &alice);
    let number = refusal.unwrap_err().number;
    assert_eq!(number, Some(u32::from(BallastError::BookCanAbsorb)));
}

#[test]
pub fn a_counterparty_may_trade_with_the_book_while_a_session_runs() {
    let mut rescue = Rescue::with_insurance(0);
    let (carol, bob, keeper) = (
        rescue.carol.clone(),
        rescue.venue.bob.clone(),
        rescue.keeper.clone(),
    );
    let (market, alice) = (rescue.venue.market.clone(), rescue.alice.address);
    let sandbox = &mut rescue.venue.sandbox;
    let (session, _) = sandbox.open_adl_session(&market, &alice).unwrap();
    let node = rescue.venue.slot(&bob).queue_node;
    let sandbox = &mut rescue.venue.sandbox;
    done(sandbox.advance_adl_session(&market, &session, 10, vec![node]));
    // Bob closes four fifths of what he has.
    rescue.venue.place(&bob, reducing(bid(189_000, 8_000)), &[]);
    rescue
        .venue
        .place(&carol, ioc(ask(189_000, 8_000)), &[&bob]);
    let sandbox = &mut rescue.venue.sandbox;
    let executed = sandbox.execute_adl_session(&market, &session, &keeper, &[bob.address]);
    let events = done(executed).events;
    let [BallastEvent::AutoDeleveraged(event), _] = &events[..] else {
        panic!("{events:?}");
    };
    // Half of what he has now.
    let cut = &event.cuts[0];
    assert_eq!((cut.lots_before, cut.lots_closed), (-2_000, 1_000));
    rescue.venue.sound();
}
