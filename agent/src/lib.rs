//! The agent's rooms: the datapath, the interfaces it watches, the loop between, what it keeps, and delivery.

pub mod access;
pub mod account;
pub mod baselines;
pub mod boot;
pub mod canary;
pub mod config;
pub mod containment;
pub mod datapath;
pub mod deliver;
pub mod doctor;
pub mod edges;
pub mod identity;
pub mod interfaces;
pub mod metrics;
pub mod operators;
pub mod policy;
pub mod replay;
pub mod rights;
pub mod sentry;
pub mod web;
pub mod whose;
