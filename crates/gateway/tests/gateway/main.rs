//! A gateway over an embedded exchange that is served as a node.

mod alerts;
mod certificates;
mod cross;
mod durability;
mod end;
mod flood;
mod history;
mod pages;
mod postgres;
mod postgres_tls;
mod push;
mod risk;
mod server;
mod stage;
mod streams;
