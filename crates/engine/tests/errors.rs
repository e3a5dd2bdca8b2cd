//! A refusal reads the same on chain and off chain.

use std::collections::BTreeMap;
use std::path::Path;

use ballast_engine::EngineError;

/// The name that the program's error has where it differs.
fn program_name(error: EngineError) -> String {
    match error {
        EngineError::AdlOutOfOrder => "AdlListOutOfOrder".to_owned(),
        EngineError::SelectionUnderWay => "AdlSessionUnderWay".to_owned(),
        EngineError::NoSelection => "AdlSessionGone".to_owned(),
        EngineError::LayoutOutdated => "AccountOutdated".to_owned(),
        same => format!("{same:?}"),
    }
}

#[test]
fn every_refusal_says_what_the_program_s_error_of_its_name_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../idl/ballast.json");
    let text = std::fs::read_to_string(file).expect("the IDL");
    let idl: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let listed = idl["errors"].as_array().expect("a list of errors");
    let sentences: BTreeMap<_, _> = listed
        .iter()
        .map(|error| (error["name"].as_str(), error["msg"].as_str()))
        .collect();
    for error in EngineError::ALL {
        let name = program_name(*error);
        let sentence = error.to_string();
        assert_eq!(
            sentences.get(&Some(name.as_str())),
            Some(&Some(sentence.as_str())),
            "{name}"
        );
    }
}
