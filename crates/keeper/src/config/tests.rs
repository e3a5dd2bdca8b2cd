//! The example, and what is refused.

use super::*;

const EXAMPLE: &str = include_str!("../../keeper.example.toml");

#[test]
fn the_example_states_the_defaults() {
    assert_eq!(Config::parse(EXAMPLE).unwrap(), Config::default());
}

#[test]
fn every_commented_setting_of_the_example_is_one() {
    // A setting that is commented out stands on a line of its own behind `#` without a space.
    let set: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting)
                if setting
                    .starts_with(|first: char| first.is_ascii_lowercase() || first == '[') =>
            {
                setting
            }
            _ => line,
        })
        .fold(String::new(), |text, line| text + line + "\n");
    let config = Config::parse(&set).unwrap();
    assert!(config.rpc.url.is_some() && config.rpc.websocket_url.is_some());
    assert!(config.wallet.keypair.is_some() && config.wallet.trader.is_some());
    assert_eq!(config.market.len(), 2);
    assert!(config.lookup_table.address.is_some() && config.lookup_table.state_dir.is_some());
}

#[test]
fn an_unknown_or_impossible_setting_is_named() {
    let said = |text: &str| Config::parse(text).unwrap_err().to_string();
    assert!(said("[work]\nmax_inflight = 3\n").contains("max_inflight"));
    assert!(said("[wallet]\nsecret = 'x'\n").contains("secret"));
    assert!(said("[wallet]\ntrader = 'x'\n").contains("`x` is not an address"));
    assert!(said("[fees]\npercentile = 101\n").contains("fees.percentile is 101"));
    assert!(said("[work]\nmax_in_flight = 0\n").contains("work.max_in_flight is 0"));
    assert!(said("[[market]]\nindex = 1\n[[market]]\nindex = 1\n").contains("named twice"));
    assert!(said("[logs]\nformat = 'xml'\n").contains("xml"));
    let broken = said("[fees]\npercentile = 75\n[rpc]\nurl = \"http://h/SECRETKEY\n");
    assert!(broken.contains("line 4"), "{broken}");
    assert!(!broken.contains("SECRETKEY"), "{broken}");
    let missing = Config::read(Path::new("/nobody/keeper.toml")).unwrap_err();
    assert!(missing.to_string().contains("/nobody/keeper.toml"));
}

#[test]
fn markets_are_kept_by_number() {
    assert_eq!(Config::default().keeps(7), Some(None));
    let price = Pubkey::new_from_array([5; 32]);
    let text = format!("[[market]]\nindex = 1\n[[market]]\nindex = 2\nprice_account = '{price}'\n");
    let config = Config::parse(&text).unwrap();
    assert_eq!(config.keeps(0), None);
    assert_eq!(config.keeps(1), Some(None));
    assert_eq!(config.keeps(2), Some(Some(price)));
}

#[test]
fn paths_are_relative_to_the_file() {
    let folder = std::env::temp_dir().join(format!("ballast-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("keeper.toml");
    let text = "[wallet]\nkeypair = 'keys/k.json'\n[lookup_table]\nstate_dir = '/var/x'\n";
    std::fs::write(&file, text).unwrap();
    let config = Config::read(&file).unwrap();
    assert_eq!(config.wallet.keypair, Some(folder.join("keys/k.json")));
    assert_eq!(config.lookup_table.state_dir, Some(PathBuf::from("/var/x")));
    let home = PathBuf::from(std::env::var_os("HOME").unwrap());
    assert_eq!(beside(&folder, Path::new("~/k.json")), home.join("k.json"));
    std::fs::remove_dir_all(folder).unwrap();
}
