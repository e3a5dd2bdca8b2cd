//! What the insurance of a closed market has left, on its way to the treasury.

use ballast_state::error::BallastError;
use ballast_state::exchange::PAUSE_WITHDRAW;

use crate::event;
use crate::fees::name_treasury;
use crate::support::{done, refused, replaced, Venue, USD};

const DAY: i64 = 86_400;

#[test]
pub fn the_rest_goes_to_the_treasury_a_month_after_the_end() {
    let mut venue = Venue::open();
    let (market, alice, bob) = (venue.market.clone(), venue.alice.clone(), venue.bob.clone());
    let treasury = name_treasury(&mut venue.sandbox);
    venue.record();
    let ended = venue.end().ended_at;
    venue.settle(&alice);
    venue.settle(&bob);
    let not_due = |venue: &mut Venue| {
        refused(&mut venue.sandbox, BallastError::InsuranceRestNotDue, |s| {
            s.withdraw_insurance(&market)
        });
    };
    // Not while the market is open, whatever the time.
    let mut open = venue.copy();
    open.wait(31 * DAY);
    not_due(&mut open);
    done(venue.sandbox.close_market(&market));
    venue.wait(ended + 30 * DAY - 1 - venue.sandbox.time());
    not_due(&mut venue);
    venue.wait(1);
    // $0.20 of alice's fee are in the collateral vault still.
    refused(&mut venue.sandbox, BallastError::InsuranceNotLevel, |s| {
        s.withdraw_insurance(&market)
    });
    done(venue.sandbox.sweep_insurance(&market));
    // What somebody has sent straight to the vault goes with the next sweep, not with this.
    let vault = venue.sandbox.market(&market).insurance_vault;
    done(venue.sandbox.mint_to(&vault, 7));
    let paid = event!(
        done(venue.sandbox.withdraw_insurance(&market)),
        InsuranceWithdrawn
    );
    assert_eq!((paid.amount, paid.treasury), (200_000, treasury.tokens));
    assert_eq!(venue.sandbox.token_balance(&treasury.tokens), 200_000);
    assert_eq!(venue.sandbox.token_balance(&vault), 7);
    assert_eq!(venue.sandbox.market(&market).insurance.balance, 0);
    let refusal = venue.sandbox.withdraw_insurance(&market).unwrap_err();
    assert_eq!(refusal.number, Some(u32::from(BallastError::ZeroAmount)));
    done(venue.sandbox.sweep_insurance(&market));
    let paid = done(venue.sandbox.withdraw_insurance(&market));
    assert_eq!(event!(paid, InsuranceWithdrawn).amount, 7);
    venue.conserves();
    assert_eq!(venue.sandbox.token_balance(&vault), 0);
    assert_eq!(venue.free(&alice) + venue.free(&bob), 1_999_000_000);
}

#[test]
fn nobody_but_the_treasury_gets_it_and_not_while_withdrawals_are_paused() {
    let mut venue = Venue::new();
    let market = venue.market.clone();
    name_treasury(&mut venue.sandbox);
    crate::every_call::leave_insurance(&mut venue.sandbox, &market, 5 * USD);
    let thief = venue.sandbox.create_wallet(0).unwrap();
    let treasury = venue.sandbox.exchange().treasury;
    let pay = ballast_client::instructions::anyone::WithdrawInsurance {
        market: market.keys.market,
        treasury,
        collateral: venue.sandbox.collateral(),
    }
    .instruction();
    refused(&mut venue.sandbox, BallastError::WrongTreasury, |s| {
        replaced(s, pay.clone(), &treasury, thief.tokens, &[])
    });
    done(venue.sandbox.set_pause(PAUSE_WITHDRAW));
    refused(&mut venue.sandbox, BallastError::Paused, |s| {
        s.withdraw_insurance(&market)
    });
    done(venue.sandbox.set_pause(0));
    done(venue.sandbox.withdraw_insurance(&market));
    venue.conserves();
}
