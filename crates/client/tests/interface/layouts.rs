//! `crates/state/layouts.txt` states offset and size of every field of every account, so that a
//! change of them shows in review. It agrees with the IDL, whose agreement with the structs is
//! tested beside it, and docs/ACCOUNTS.md agrees with it.

use crate::idl::Types;

const TABLE: &str = "crates/state/layouts.txt";

/// Types in the order of the table: accounts, then what they consist of.
const TYPES: [&str; 35] = [
    "Exchange",
    "Market",
    "Trader",
    "AdlSession",
    "Staged",
    "Pool",
    "Share",
    "Stakes",
    "Protection",
    "QueueHeader",
    "QueueEntry",
    "BookHeader",
    "Order",
    "Volatility",
    "PriceClock",
    "OracleConfig",
    "RiskConfig",
    "RiskTier",
    "LadderStep",
    "AdlConfig",
    "PoolConfig",
    "FundingLedger",
    "LastPrice",
    "Pause",
    "LongPause",
    "Witnessed",
    "InsuranceLedger",
    "HeldLedger",
    "MarketEnd",
    "PositionSlot",
    "Trigger",
    "ProtectiveStep",
    "Selection",
    "Member",
    "Watch",
];
/// What the document describes without its name.
const NOT_NAMED: [&str; 5] = [
    "reserved",
    "reserved_tail",
    "reserved_admin",
    "links",
    "positions",
];
/// What trees consist of, in the headers and nodes of queues and books.
const OF_TREES: [&str; 2] = ["TreeHeader", "Links"];

fn read(path: &str) -> String {
    std::fs::read_to_string(crate::file(path)).unwrap()
}

fn table(types: &Types<'_>) -> String {
    let mut text = String::from(
        "# Offset and size in bytes of every field, the discriminator of 8 not counted.\n",
    );
    for name in TYPES.into_iter().chain(OF_TREES) {
        let size = types
            .size(&serde_json::json!({ "defined": { "name": name } }))
            .0;
        text += &format!("\n{name} {size}\n");
        for (field, offset, kind) in types.fields(name) {
            let described = crate::idl::describe(kind);
            text += &format!(
                "{offset:>6} {:>5} {field}: {described}\n",
                types.size(kind).0
            );
        }
    }
    text
}

#[test]
fn the_table_of_layouts_is_that_of_the_idl() {
    let idl = crate::idl::idl();
    let types = Types::of(&idl);
    let expected = table(&types);
    assert_eq!(
        types.laid_out().count(),
        TYPES.len() + OF_TREES.len(),
        "types left out"
    );
    assert!(read(TABLE) == expected, "{TABLE} should be:\n{expected}");
}

/// The fields of a type, each with offset and end; those of a ledger within it too.
fn fields<'a>(types: &Types<'a>, name: &str) -> Vec<(&'a str, usize, usize)> {
    let mut found = Vec::new();
    for (field, offset, kind) in types.fields(name) {
        found.push((field, offset, offset + types.size(kind).0));
        if kind["defined"]["name"] == "FundingLedger" {
            for (inner, at, kind) in types.fields("FundingLedger") {
                found.push((inner, offset + at, offset + at + types.size(kind).0));
            }
        }
    }
    found
}

/// The rows of the first table after `heading`: offset and the words in code marks, if any.
fn rows<'a>(document: &'a str, heading: &str) -> Vec<(usize, &'a str)> {
    let (_, rest) = document.split_once(heading).unwrap();
    let lines = rest.lines().skip_while(|line| !line.starts_with('|'));
    let table = lines.take_while(|line| line.starts_with('|')).skip(2);
    let row = |line: &'a str| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let offset = cells.next().unwrap().replace(',', "");
        (offset.parse().unwrap(), cells.next().unwrap())
    };
    table.map(row).collect()
}

/// The words of a cell in code marks.
fn named(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_document_on_accounts_states_the_offsets_of_the_table() {
    let (idl, document) = (crate::idl::idl(), read("docs/ACCOUNTS.md"));
    let types = Types::of(&idl);
    for (heading, name) in [
        ("## Exchange\n", "Exchange"),
        ("## Market\n", "Market"),
        ("## Trader\n", "Trader"),
        ("A slot, from its own start", "PositionSlot"),
        ("A node, from its own start", "Order"),
    ] {
        let (fields, rows) = (fields(&types, name), rows(&document, heading));
        let mut missing = fields.clone();
        for (index, (offset, cell)) in rows.iter().enumerate() {
            let next = rows.get(index + 1).map_or(usize::MAX, |row| row.0);
            let within = |start, end| start < next && *offset < end;
            let place = format!("{name} at {offset}: {cell}");
            let begins = fields.iter().any(|(_, start, _)| start == offset);
            assert!(begins, "{place}: nothing begins there");
            for word in named(cell) {
                let same = fields.iter().filter(|(field, ..)| *field == word);
                let places: Vec<_> = same.map(|(_, start, end)| (*start, *end)).collect();
                let found = places.iter().any(|(start, end)| within(*start, *end));
                assert!(
                    found || places.is_empty(),
                    "{place}: {word} is at {places:?}"
                );
                missing.retain(|(field, start, end)| *field != word || !within(*start, *end));
            }
        }
        missing.retain(|(field, ..)| !field.starts_with('_') && !NOT_NAMED.contains(field));
        assert!(
            missing.is_empty(),
            "{name}: {missing:?} not in the document"
        );
    }
    for name in ["Exchange", "Market", "Trader"] {
        let size = types
            .size(&serde_json::json!({ "defined": { "name": name } }))
            .0;
        let thousands = match size / 1_000 {
            0 => size.to_string(),
            many => format!("{many},{:03}", size % 1_000),
        };
        let row = document
            .lines()
            .find(|line| line.starts_with(&format!("| {name} |")));
        assert!(
            row.unwrap().contains(&format!("| 8 + {thousands} |")),
            "{name}"
        );
    }
}
