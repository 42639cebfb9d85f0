//! The spool on disks that fail, fill up and lose their power.

mod bench;
mod failing;
mod full;
mod damage;
mod model;
mod power;
mod real;
