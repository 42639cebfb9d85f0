//! The spool on disks that fail, fill up and lose their power.

mod bench;
mod damage;
mod failing;
mod full;
mod model;
mod power;
mod real;
