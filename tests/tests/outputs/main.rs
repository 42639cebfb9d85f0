//! Every event reaches each destination, in order and known by its id, whatever goes away meanwhile. The destinations
//! are real ones, but for those that misbehave.

mod alertmanager;
mod collector;
mod events;
mod files;
mod otlp;
mod receiver;
mod rsyslog;
mod webhook;
