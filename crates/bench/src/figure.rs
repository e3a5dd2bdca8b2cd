//! What was measured, and the file that keeps it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{bail, Context, Result};
use ballast_sandbox::TxResult;
use ballast_state::events::BallastEvent;
use serde::{Deserialize, Serialize};

/// One measured transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured, in words.
    pub shape: String,
    /// Compute units; nothing when the transaction needs more than one has.
    pub compute_units: Option<u64>,
    /// Nodes the completeness proof visits, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes_visited: Option<u32>,
    /// What else it takes up of a block, where the document says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footprint: Option<Footprint>,
}

/// What a transaction takes up of a block beside its compute units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint {
    /// Signatures.
    pub signatures: u64,
    /// Accounts that it locks for writing.
    pub write_locks: u64,
    /// Bytes of its instructions' data.
    pub data_bytes: u64,
    /// Bytes of all accounts that it loads.
    pub loaded_bytes: u64,
}

impl From<ballast_sandbox::Footprint> for Footprint {
    fn from(found: ballast_sandbox::Footprint) -> Self {
        Self {
            signatures: found.signatures,
            write_locks: found.write_locks,
            data_bytes: found.data_bytes,
            loaded_bytes: found.loaded_bytes,
        }
    }
}

/// Figures by name: `instruction/shape`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Figures {
    by_name: BTreeMap<String, Figure>,
}

impl Figure {
    /// What a transaction used. A transaction that failed for another reason than that its compute
    /// units ran out is an error.
    pub fn of(shape: &str, result: TxResult) -> Result<Self> {
        let (compute_units, nodes_visited) = match &result {
            Ok(outcome) => {
                let visited = outcome.events.iter().find_map(|event| match event {
                    BallastEvent::AutoDeleveraged(event) => Some(event.nodes_visited),
                    _ => None,
                });
                (Some(outcome.compute_units), visited)
            }
            Err(error) if ran_out(error) => (None, None),
            Err(error) => bail!("{shape}: {error}"),
        };
        Ok(Self {
            shape: shape.to_owned(),
            compute_units,
            nodes_visited,
            footprint: None,
        })
    }

    /// The same with what else the transaction takes up of a block.
    pub fn with_footprint(shape: &str, result: TxResult) -> Result<Self> {
        let outcome = result.as_ref().ok();
        let footprint = outcome.map(|outcome| outcome.footprint.into());
        let figure = Self::of(shape, result)?;
        Ok(Self {
            footprint,
            ..figure
        })
    }
}

fn ran_out(error: &ballast_sandbox::TxError) -> bool {
    let told = |line: &String| line.contains("exceeded CUs meter");
    error.name.is_none() && error.logs.iter().any(told)
}

impl Figures {
    /// The figures of a file.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} does not parse", path.display()))
    }

    /// The file's text: one figure after the other, by name.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Adds a figure. Each name is used once.
    pub fn add(&mut self, name: &str, figure: Figure) -> Result<()> {
        if self.by_name.insert(name.to_owned(), figure).is_some() {
            bail!("{name} was measured twice");
        }
        Ok(())
    }

    /// The figure of this name.
    pub fn get(&self, name: &str) -> Option<&Figure> {
        self.by_name.get(name)
    }

    /// Compute units of a figure that has some.
    pub fn units(&self, name: &str) -> Option<u64> {
        self.get(name)?.compute_units
    }

    /// All figures by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Figure)> {
        self.by_name
            .iter()
            .map(|(name, figure)| (name.as_str(), figure))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Those whose name begins with `prefix`.
    pub fn starting_with(&self, prefix: &str) -> Self {
        let chosen = self
            .by_name
            .iter()
            .filter(|(name, _)| name.starts_with(prefix));
        Self {
            by_name: chosen
                .map(|(name, figure)| (name.clone(), figure.clone()))
                .collect(),
        }
    }
}
