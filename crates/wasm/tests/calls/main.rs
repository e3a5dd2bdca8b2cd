//! The calls on accounts that the built program wrote: `app/test/fixtures/engine.json`, which the tests of
//! the TypeScript client compare with the module, and what no bytes may do.

mod bytes;
mod fixtures;
mod requests;
mod stage;
