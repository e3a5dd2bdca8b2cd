//! What changes about an exchange itself: changes that are staged, what is paused, and the modes of markets,
//! each told once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pauses::paused;

/// A staged change at one look: its id, what it changes, when it may be applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Names this staging and no other.
    pub id: String,
    /// The account that holds it.
    pub staged: String,
    /// What it changes.
    pub about: String,
    /// When it may be applied.
    pub when: String,
}

/// A market at one look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mode {
    /// Its number.
    pub index: u16,
    /// Its name.
    pub name: String,
    /// Whether it is open without an end in sight.
    pub is_open: bool,
    /// Its mode and its end.
    pub words: String,
}

/// Something that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// `staged`, `pause` or `mode`.
    pub kind: &'static str,
    /// Whether it begins; it ends otherwise.
    pub raised: bool,
    /// In a sentence.
    pub text: String,
    /// Number and name of the market, where it is about one.
    pub market: Option<(u16, String)>,
    /// The account that holds the change, where one is staged.
    pub staged: Option<String>,
}

/// What is known of the exchange.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Venue {
    staged: BTreeMap<String, Waiting>,
    /// The `PAUSE_*` flags in force.
    paused: u32,
    modes: BTreeMap<u16, Mode>,
}

impl Venue {
    /// Takes over the flags in force, and tells when they are others than before.
    pub fn paused(&mut self, flags: u32) -> Option<News> {
        if std::mem::replace(&mut self.paused, flags) == flags {
            return None;
        }
        let text = match paused(flags).as_slice() {
            [] => "Nothing is paused any more".to_owned(),
            names => format!("Paused: {}", names.join(", ")),
        };
        Some(News {
            kind: "pause",
            raised: flags != 0,
            text,
            market: None,
            staged: None,
        })
    }

    /// Takes over what is staged; each staging is told once, and its end once.
    pub fn staged(&mut self, found: Vec<Waiting>) -> Vec<News> {
        let news = |raised, waiting: &Waiting, text| News {
            kind: "staged",
            raised,
            text,
            market: None,
            staged: Some(waiting.staged.clone()),
        };
        let mut told = Vec::new();
        for waiting in &found {
            if !self.staged.contains_key(&waiting.id) {
                let text = format!(
                    "Staged: {}; it may be applied {}. `ballast guardian cancel {}` takes it back",
                    waiting.about, waiting.when, waiting.staged
                );
                told.push(news(true, waiting, text));
            }
        }
        let now = found
            .into_iter()
            .map(|waiting| (waiting.id.clone(), waiting));
        for (id, gone) in std::mem::replace(&mut self.staged, now.collect()) {
            if !self.staged.contains_key(&id) {
                let text = format!("No longer staged, applied or cancelled: {}", gone.about);
                told.push(news(false, &gone, text));
            }
        }
        told
    }

    /// Takes over the modes of the markets that are watched.
    pub fn modes(&mut self, found: Vec<Mode>) -> Vec<News> {
        let mut told = Vec::new();
        for mode in found {
            let before = self.modes.insert(mode.index, mode.clone());
            let changed = match &before {
                None => !mode.is_open,
                Some(before) => before.words != mode.words,
            };
            if changed {
                told.push(News {
                    kind: "mode",
                    raised: !mode.is_open,
                    text: format!("{} is {}", mode.name, mode.words),
                    market: Some((mode.index, mode.name)),
                    staged: None,
                });
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(id: &str) -> Waiting {
        Waiting {
            id: id.to_owned(),
            staged: format!("account of {id}"),
            about: format!("change {id}"),
            when: "from slot 7".to_owned(),
        }
    }

    fn told(news: &[News]) -> Vec<(bool, &str)> {
        let news = news.iter();
        news.map(|one| (one.raised, one.text.as_str())).collect()
    }

    #[test]
    fn a_staged_change_is_told_once_and_its_end_once() {
        let mut venue = Venue::default();
        let news = venue.staged(vec![waiting("a")]);
        assert_eq!(
            told(&news),
            [(
                true,
                "Staged: change a; it may be applied from slot 7. `ballast guardian cancel account of a` takes it back"
            )]
        );
        assert!(venue.staged(vec![waiting("a")]).is_empty());
        // Another change in the same account is another staging.
        let news = venue.staged(vec![waiting("b")]);
        let expected = "No longer staged, applied or cancelled: change a";
        assert_eq!(told(&news)[1], (false, expected));
        assert!(told(&news)[0].1.starts_with("Staged: change b"));
        assert_eq!(venue.staged(Vec::new()).len(), 1);
        assert!(venue.staged(Vec::new()).is_empty());
    }

    #[test]
    fn what_is_paused_is_told_when_it_changes() {
        let mut venue = Venue::default();
        assert!(venue.paused(0).is_none());
        let news = venue.paused(4 | 16).expect("news");
        assert_eq!(told(&[news]), [(true, "Paused: open, remove_margin")]);
        assert!(venue.paused(4 | 16).is_none());
        let news = venue.paused(0).expect("news");
        assert_eq!(told(&[news]), [(false, "Nothing is paused any more")]);
    }

    #[test]
    fn a_market_s_mode_is_told_when_it_changes() {
        let mode = |words: &str| Mode {
            index: 3,
            name: "SOL-PERP".to_owned(),
            is_open: words == "active",
            words: words.to_owned(),
        };
        let mut venue = Venue::default();
        assert!(venue.modes(vec![mode("active")]).is_empty());
        let news = venue.modes(vec![mode("reduce only")]);
        assert_eq!(told(&news), [(true, "SOL-PERP is reduce only")]);
        assert!(venue.modes(vec![mode("reduce only")]).is_empty());
        let news = venue.modes(vec![mode("active")]);
        assert_eq!(told(&news), [(false, "SOL-PERP is active")]);
        let mut late = Venue::default();
        assert_eq!(late.modes(vec![mode("settling")]).len(), 1);
    }
}
