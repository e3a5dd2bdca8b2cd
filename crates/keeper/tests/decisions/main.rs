//! What the keeper decides in markets made up for the purpose.

mod cross;
mod judging;
mod planning;
mod pool;
mod synthetic;
