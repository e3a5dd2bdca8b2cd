//! The completeness proof alone: a program that runs it over a queue account and does nothing else.

use std::path::Path;

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::{AccountMeta, Instruction};
use anyhow::{anyhow, ensure, Context, Result};
use ballast_client::ranking::AdlPlan;
use ballast_sandbox::Sandbox;
use proof::Question;
use solana_account::Account;

use crate::figure::Figure;
use crate::queues::QueueBytes;

/// Where the program is loaded.
const PROGRAM: Pubkey = Pubkey::new_from_array([201; 32]);
/// Where its queue account is.
const QUEUE: Pubkey = Pubkey::new_from_array([202; 32]);

/// A cluster with the program.
pub struct ProofProgram {
    sandbox: Sandbox,
}

impl ProofProgram {
    /// Loads the program into a copy of a cluster.
    pub fn load(path: &Path, sandbox: &Sandbox) -> Result<Self> {
        let code = std::fs::read(path)
            .with_context(|| format!("the proof's program is not at {}", path.display()))?;
        let mut sandbox = sandbox.fork();
        sandbox
            .svm()
            .add_program(PROGRAM, &code)
            .map_err(|reason| {
                anyhow!("the virtual machine rejects {}: {reason}", path.display())
            })?;
        Ok(Self { sandbox })
    }

    /// What the program costs when it proves nothing.
    pub fn measure_nothing(&self) -> Result<Figure> {
        let shape = "a call without a proof";
        Figure::of(shape, self.sandbox.simulate(&[call(Vec::new())], &[], &[]))
    }

    /// Measures the proof after the plan's cuts, which `queue` has seen.
    pub fn measure(&mut self, queue: &QueueBytes, plan: &AdlPlan, shape: &str) -> Result<Figure> {
        let last = plan.cuts.last().context("somebody is cut")?;
        let closed = last.cut.position_after.is_empty();
        let node = (!closed).then_some(last.node);
        let question = Question::new(&plan.round, &last.cut.ranked.exposure, node);
        let data = queue.to_account();
        let account = Account {
            lamports: self.sandbox.rent(data.len()),
            data,
            owner: PROGRAM,
            executable: false,
            rent_epoch: u64::MAX,
        };
        self.sandbox.set_account(&QUEUE, account);
        let instruction = call(bytemuck::bytes_of(&question).to_vec());
        let mut figure = Figure::of(shape, self.sandbox.simulate(&[instruction], &[], &[]))?;
        let walk = queue.prove(plan)?;
        ensure!(walk.skipped.is_none(), "the plan skips somebody");
        figure.nodes_visited = Some(walk.visited);
        Ok(figure)
    }
}

fn call(data: Vec<u8>) -> Instruction {
    let queue = AccountMeta::new_readonly(QUEUE, false);
    Instruction {
        program_id: PROGRAM,
        accounts: vec![queue],
        data,
    }
}
