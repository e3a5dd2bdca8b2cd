//! `crates/state/layouts.txt` states offset and size of every field of every account, so that a
//! change of them shows in review. It agrees with the IDL, whose agreement with the structs is
//! tested beside it, and docs/ACCOUNTS.md agrees with it.

use std::collections::BTreeMap;

use crate::idl::Types;

const TABLE: &str = "crates/state/layouts.txt";

/// Types in the order of the table: accounts, then what they consist of.
const TYPES: [&str; 21] = [
    "Exchange",
    "Market",
    "Trader",
    "AdlSession",
    "QueueHeader",
    "QueueEntry",
    "BookHeader",
    "Order",
    "OracleConfig",
    "RiskConfig",
    "RiskTier",
    "LadderStep",
    "AdlConfig",
    "FundingLedger",
    "LastPrice",
    "InsuranceLedger",
    "PositionSlot",
    "Trigger",
    "Selection",
    "Member",
    "Watch",
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

/// The fields of a type by name, with offset and end; those of a ledger within it too.
fn fields(types: &Types<'_>, name: &str) -> BTreeMap<String, (usize, usize)> {
    let mut found = BTreeMap::new();
    for (field, offset, kind) in types.fields(name) {
        found.insert(field.to_owned(), (offset, offset + types.size(kind).0));
        if kind["defined"]["name"] == "FundingLedger" {
            for (inner, at, kind) in types.fields("FundingLedger") {
                let start = offset + at;
                found.insert(inner.to_owned(), (start, start + types.size(kind).0));
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
        let mut missing: Vec<_> = fields.keys().map(String::as_str).collect();
        for (index, (offset, cell)) in rows.iter().enumerate() {
            let next = rows.get(index + 1).map_or(usize::MAX, |row| row.0);
            let place = format!("{name} at {offset}: {cell}");
            let listed: Vec<_> = named(cell)
                .filter(|word| fields.contains_key(*word))
                .collect();
            for field in &listed {
                let (start, end) = fields[*field];
                assert!(
                    start < next && *offset < end,
                    "{place}: {field} is at {start}"
                );
            }
            let mut starts = fields.values().map(|(start, _)| start);
            assert!(
                starts.any(|start| start == offset),
                "{place}: nothing begins there"
            );
            let first = listed.first().map(|field| fields[*field].0);
            assert!(first.is_none_or(|first| first <= *offset), "{place}");
            missing.retain(|field| !listed.contains(field));
        }
        missing.retain(|field| {
            !field.starts_with('_') && !["reserved", "links", "positions"].contains(field)
        });
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
