//! A gateway over an embedded exchange that is served as a node.

mod alerts;
mod cross;
mod durability;
mod flood;
mod history;
mod pages;
mod postgres;
mod push;
mod risk;
mod stage;
mod streams;
