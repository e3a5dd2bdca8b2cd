//! The built program against an independent reference, over random histories and hostile lists.
//!
//! Sizes and seed come from the environment: see `settings`. A failure prints the seed that
//! replays it.

mod compare;
mod generate;
mod history;
mod hostile;
mod model;
mod operation;
mod pick;
mod program;
mod settings;

use settings::{Settings, WHOLE_RUN};

#[test]
fn histories_agree() {
    let settings = Settings::read();
    let report = history::run(&settings);
    println!("{report}");
    if settings.ops >= WHOLE_RUN {
        report.require_variety();
    }
}

#[test]
fn hostile_lists_agree() {
    let settings = Settings::read();
    let report = hostile::run(&settings);
    println!("{report}");
    if settings.lists >= WHOLE_RUN {
        report.require_variety();
    }
}
