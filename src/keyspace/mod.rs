//! Databases: keys, their values and their expiry. It must not know clients and commands.

pub mod entry;
