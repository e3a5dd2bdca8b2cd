use ballast_report::policy::PolicyLine;

use super::book::Key;
use super::played::Cut;
use super::statistics::{gini, part};
use super::*;
use crate::fixture;
use strum::VariantArray;

/// Name, lots, given up of every cut of the first round.
fn first_round(policy: Policy) -> Vec<(String, u64, u64)> {
    let rounds = fixture::report().adl;
    let played = play(&rounds[..1], policy).expect("playable");
    let cuts = played.rounds.into_iter().flatten();
    cuts.map(|cut| (cut.key.trader, cut.lots, cut.gave_up))
        .collect()
}

fn named(cuts: [(&str, u64, u64); 3]) -> Vec<(String, u64, u64)> {
    let named = cuts.map(|(name, lots, gave_up)| (name.to_owned(), lots, gave_up));
    named.into()
}

fn line(rounds: usize, policy: Policy) -> PolicyLine {
    let report = fixture::report();
    let mut lines = compare(&report.adl[..rounds], &[policy]).expect("playable");
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

/// 10,000 lots at 189,500 against a mark of 188,000: 1,500 atoms each.
#[test]
fn the_worked_example_by_each_rule() {
    assert_eq!(
        first_round(Policy::Capped),
        named([
            ("Ann", 3_000, 4_500_000),
            ("Cho", 4_000, 6_000_000),
            ("Ben", 3_000, 4_500_000)
        ])
    );
    assert_eq!(
        first_round(Policy::Queue),
        named([
            ("Ann", 6_000, 9_000_000),
            ("Cho", 4_000, 6_000_000),
            ("", 0, 0)
        ])[..2]
    );
    // 6, 8 and 8 of 22 parts: 2727.27, 3636.36, 3636.36. The lot left over goes to the higher rank
    // of the two larger remainders.
    assert_eq!(
        first_round(Policy::ProRata),
        named([
            ("Ann", 2_727, 4_090_500),
            ("Cho", 3_637, 5_455_500),
            ("Ben", 3_636, 5_454_000)
        ])
    );
}

/// Profits at 188,000: Ann 72 $, Cho 56 $, Ben 176 $.
#[test]
fn statistics_of_the_worked_example() {
    let queue = line(1, Policy::Queue);
    assert_eq!(queue.haircuts_ppm, [0, 107_142, 125_000]);
    assert_eq!(queue.gini_ppm, 358_975);
    assert_eq!((queue.accounts_touched, queue.positions_closed), (2, 1));
    let capped = line(1, Policy::Capped);
    assert_eq!(capped.haircuts_ppm, [25_568, 62_500, 107_142]);
    assert_eq!(capped.gini_ppm, 278_585);
    let pro_rata = line(1, Policy::ProRata);
    assert_eq!(pro_rata.haircuts_ppm, [30_988, 56_812, 97_419]);
    for line in [queue, capped, pro_rata] {
        assert_eq!(
            (line.deficit_atoms, line.taken_atoms),
            (15_000_000, 15_000_000)
        );
        assert_eq!((line.overshoot_atoms, line.unplaced_lots), (0, 0));
        assert_eq!(line.largest_haircut_ppm, line.haircuts_ppm[2]);
        assert_eq!((line.winners, line.cut_without_profit), (3, 0));
        assert_eq!(line.top_ten_ppm, 1_000_000);
    }
}

/// Best profits, all at 180,000: Ann 120 $, Cho 120 $, Ben 240 $.
#[test]
fn each_rule_goes_on_with_what_its_own_cuts_have_left() {
    // Ann is gone after the first round, Cho after the fourth.
    let queue = line(5, Policy::Queue);
    assert_eq!(queue.haircuts_ppm, [75_000, 114_583, 300_000]);
    assert_eq!((queue.accounts_touched, queue.positions_closed), (3, 2));
    let capped = line(5, Policy::Capped);
    assert_eq!(capped.haircuts_ppm, [96_875, 201_041, 209_375]);
    assert_eq!((capped.accounts_touched, capped.positions_closed), (3, 0));
    for line in [queue, capped, line(5, Policy::ProRata)] {
        assert_eq!(
            (line.deficit_atoms, line.taken_atoms),
            (72_500_000, 72_500_000)
        );
        assert_eq!((line.overshoot_atoms, line.unplaced_lots), (0, 0));
    }
}

#[test]
fn the_programs_rule_gives_every_recorded_cut() {
    let mut rounds = fixture::report().adl;
    assert_eq!(departures(&rounds).expect("playable"), Vec::<String>::new());
    rounds[3].cut[1].gave_up_atoms += 1;
    assert_eq!(
        departures(&rounds).expect("playable"),
        ["round 4 is cut differently"]
    );
}

/// Lots that a rule holds after following the first two rounds, the second one changed.
fn followed(change: impl FnOnce(&mut Round)) -> Vec<(String, u64)> {
    let mut rounds = fixture::report().adl;
    rounds.truncate(2);
    change(&mut rounds[1]);
    let mut book = Book::default();
    for round in &rounds {
        let now = situation(round).expect("in range");
        book.follow(round, &now).expect("playable");
    }
    let open = book.open(rounds[0].counterparty_side);
    open.map(|(key, held)| (key.trader.clone(), held.position.size()))
        .collect()
}

fn lots(held: [(&str, u64); 4]) -> Vec<(String, u64)> {
    held.map(|(name, lots)| (name.to_owned(), lots)).into()
}

#[test]
fn what_liquidation_takes_is_taken_under_every_rule() {
    // The program had left 5,000 of Ben's 8,000; this book has cut nobody.
    let untouched = lots([
        ("Ann", 6_000),
        ("Ben", 8_000),
        ("Cho", 8_000),
        ("Ida", 1_000),
    ]);
    assert_eq!(followed(|_| ()), untouched);
    let liquidated = followed(|round| {
        let ben = &mut round.queue[2];
        (ben.lots, ben.entry_quote_atoms, ben.margin_atoms) = (-2_000, -420_000_000, 210_000_000);
    });
    let expected = lots([
        ("Ann", 6_000),
        ("Ben", 5_000),
        ("Cho", 8_000),
        ("Ida", 1_000),
    ]);
    assert_eq!(liquidated, expected);
    let gone = followed(|round| {
        round.queue.remove(2);
    });
    assert_eq!(gone.len(), 3, "{gone:?}");
}

#[test]
fn who_was_only_closed_by_the_program_stays_under_another_rule() {
    let mut rounds = fixture::report().adl;
    rounds.truncate(2);
    // As if the first round had closed all of Ann.
    let cut = &mut rounds[0].cut[0];
    (cut.lots, cut.quote_atoms) = (6_000, 1_137_000_000);
    rounds[1].queue.remove(0);
    let mut book = Book::default();
    for round in &rounds {
        let now = situation(round).expect("in range");
        book.follow(round, &now).expect("playable");
    }
    let mut open = book.open(rounds[0].counterparty_side);
    assert!(open.any(|(key, held)| key.trader == "Ann" && held.position.size() == 6_000));
}

#[test]
fn shares_add_up() {
    let shares = |lots, sizes: &[u64]| rules::shares(lots, sizes).expect("in range");
    assert_eq!(shares(10, &[8, 8, 8]), [4, 3, 3]);
    assert_eq!(shares(1, &[5, 9, 0, 9]), [0, 1, 0, 0]);
    assert_eq!(shares(7, &[2, 3]), [2, 3]);
    assert_eq!(shares(0, &[2, 3]), [0, 0]);
    assert_eq!(shares(5, &[]), Vec::<u64>::new());
    assert_eq!(
        shares(4_000_000_000, &[4_294_967_295; 3])
            .iter()
            .sum::<u64>(),
        4_000_000_000
    );
}

#[test]
fn losers_give_only_when_the_winners_have_no_lots_left() {
    let mut rounds = fixture::report().adl;
    rounds.truncate(1);
    // Ida, who loses at 188,000, now has the margin to be solvent; the others are small.
    let round = &mut rounds[0];
    round.queue[3].margin_atoms = 100_000_000;
    for (line, lots) in round.queue[..3].iter_mut().zip([1, 2, 3]) {
        let old = line.lots;
        line.lots = -lots;
        line.entry_quote_atoms = line.entry_quote_atoms / old * -lots;
        line.margin_atoms = line.margin_atoms / -old * lots;
    }
    round.cut.clear();
    round.closed_lots = 10;
    let played = play(&rounds, Policy::ProRata).expect("playable");
    let cuts: Vec<_> = played.rounds[0]
        .iter()
        .map(|cut| (cut.key.trader.as_str(), cut.lots, cut.closed))
        .collect();
    let expected = [
        ("Ann", 1, true),
        ("Cho", 2, true),
        ("Ben", 3, true),
        ("Ida", 4, false),
    ];
    assert_eq!(cuts, expected);
    let lines = compare(&rounds, &[Policy::ProRata]).expect("playable");
    assert_eq!((lines[0].winners, lines[0].cut_without_profit), (3, 1));
    // 6 + 1,000 lots are all there is.
    rounds[0].closed_lots = 2_000;
    for policy in Policy::VARIANTS.iter().copied() {
        let played = play(&rounds, policy).expect("playable");
        let capped = policy == Policy::Capped;
        let expected = if capped {
            2_000 - 1 - 1 - 2 - 500
        } else {
            2_000 - 1_006
        };
        assert_eq!(played.unplaced, expected, "{policy:?}");
    }
}

#[test]
fn gini_of_known_distributions() {
    assert_eq!(gini(&[]), 0);
    assert_eq!(gini(&[0, 0]), 0);
    assert_eq!(gini(&[7, 7, 7]), 0);
    assert_eq!(gini(&[0, 0, 0, 9]), 750_000);
    // Pairs of 1, 2, 3: |differences| sum to 8, mean 2: 8 / (2 * 9 * 2).
    assert_eq!(gini(&[1, 2, 3]), 222_222);
}

#[test]
fn the_ten_largest_givers_are_counted() {
    assert_eq!(part(1, 3), 333_333);
    assert_eq!(part(5, 0), 0);
    let key = |number: u64| Key {
        side: ballast_report::traders::Direction::Short,
        trader: number.to_string(),
        sequence: number,
    };
    let cuts = (1..=12_u64).map(|number| Cut {
        key: key(number),
        lots: 1,
        gave_up: number,
        closed: false,
    });
    let played = Played {
        rounds: vec![cuts.collect()],
        deficit: 70,
        unplaced: 0,
    };
    let line = statistics::line(Policy::Queue, &played, &std::collections::BTreeMap::new());
    // 3 + 4 + ... + 12 of 78.
    assert_eq!(line.top_ten_ppm, 75 * 1_000_000 / 78);
    assert_eq!((line.taken_atoms, line.overshoot_atoms), (78, 8));
    assert_eq!((line.accounts_touched, line.cut_without_profit), (12, 12));
}
