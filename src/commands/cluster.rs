//! CLUSTER and its companions, as a server answers that is not part of a cluster: with the slot of a key, or a refusal.

use crate::command::declaration::Categories;
use crate::command::declaration::{
    ADMIN, Command, FAST, Group, LOADING, NO_ASYNC_LOADING, NOSCRIPT, STALE, WRITE,
};
use crate::command::{Args, Ctx, Exceptions};
use crate::resp::ReplyWriter;
use crate::server::error::{Error, Result};

pub const COMMANDS: &[Command] = &[
    ASKING_COMMAND,
    CLUSTER_ADDSLOTS,
    CLUSTER_ADDSLOTSRANGE,
    CLUSTER_BUMPEPOCH,
    CLUSTER_COUNT_FAILURE_REPORTS,
    CLUSTER_COUNTKEYSINSLOT,
    CLUSTER_DELSLOTS,
    CLUSTER_DELSLOTSRANGE,
    CLUSTER_FAILOVER,
    CLUSTER_FLUSHSLOTS,
    CLUSTER_FORGET,
    CLUSTER_GETKEYSINSLOT,
    CLUSTER_INFO,
    CLUSTER_KEYSLOT,
    CLUSTER_LINKS,
    CLUSTER_MEET,
    CLUSTER_MIGRATION,
    CLUSTER_MYID,
    CLUSTER_MYSHARDID,
    CLUSTER_NODES,
    CLUSTER_REPLICAS,
    CLUSTER_REPLICATE,
    CLUSTER_RESET,
    CLUSTER_SAVECONFIG,
    CLUSTER_SET_CONFIG_EPOCH,
    CLUSTER_SETSLOT,
    CLUSTER_SHARDS,
    CLUSTER_SLAVES,
    CLUSTER_SLOT_STATS,
    CLUSTER_SLOTS,
    CLUSTER_SYNCSLOTS,
    READONLY_COMMAND,
    READWRITE,
    TRIMSLOTS,
];

fn disabled(_: &mut Ctx, _: &mut Args, _: &mut ReplyWriter) -> Result {
    Err(Error::new("ERR This instance has cluster support disabled"))
}

pub const ASKING_COMMAND: Command = Command {
    name: "ASKING",
    summary: "Lets the next command reach a hash slot that is being imported.",
    since: "3.0.0",
    group: Group::Cluster,
    flags: FAST,
    categories: Exceptions::also(Categories::CONNECTION),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_ADDSLOTS: Command = Command {
    name: "CLUSTER ADDSLOTS",
    syntax: "slot ...",
    summary: "Assigns hash slots to this node.",
    since: "3.0.0",
    complexity: "O(N) with N the number of slots",
    group: Group::Cluster,
    flags: ADMIN.and(STALE).and(NO_ASYNC_LOADING),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_ADDSLOTSRANGE: Command = Command {
    name: "CLUSTER ADDSLOTSRANGE",
    syntax: "range=(start-slot end-slot) ...",
    summary: "Assigns ranges of hash slots to this node.",
    since: "7.0.0",
    complexity: "O(N) with N the number of slots in the ranges",
    group: Group::Cluster,
    flags: ADMIN.and(STALE).and(NO_ASYNC_LOADING),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_BUMPEPOCH: Command = Command {
    name: "CLUSTER BUMPEPOCH",
    summary: "Moves the cluster's configuration epoch on.",
    since: "3.0.0",
    group: Group::Cluster,
    flags: ADMIN.and(STALE).and(NO_ASYNC_LOADING),
    tips: &["nondeterministic_output"],
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_COUNT_FAILURE_REPORTS: Command = Command {
    name: "CLUSTER COUNT-FAILURE-REPORTS",
    syntax: "node-id",
    summary: "Counts how many nodes currently report a node as failing.",
    since: "3.0.0",
    complexity: "O(N) with N the number of reports",
    group: Group::Cluster,
    flags: ADMIN.and(LOADING).and(STALE),
    tips: &["nondeterministic_output"],
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_COUNTKEYSINSLOT: Command = Command {
    name: "CLUSTER COUNTKEYSINSLOT",
    syntax: "slot",
    summary: "Counts this node's keys in a hash slot.",
    since: "3.0.0",
    group: Group::Cluster,
    flags: STALE,
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_DELSLOTS: Command = Command {
    name: "CLUSTER DELSLOTS",
    syntax: "slot ...",
    summary: "Makes this node forget who serves the given hash slots.",
    since: "3.0.0",
    complexity: "O(N) with N the number of slots",
    group: Group::Cluster,
    flags: ADMIN.and(STALE).and(NO_ASYNC_LOADING),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_DELSLOTSRANGE: Command = Command {
    name: "CLUSTER DELSLOTSRANGE",
    syntax: "range=(start-slot end-slot) ...",
    summary: "Makes this node forget who serves the given ranges of hash slots.",
    since: "7.0.0",
    complexity: "O(N) with N the number of slots in the ranges",
    group: Group::Cluster,
    flags: ADMIN.and(STALE).and(NO_ASYNC_LOADING),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_FAILOVER: Command = Command {
    name: "CLUSTER FAILOVER",
    syntax: "options=[FORCE | TAKEOVER]",
    summary: "Makes a replica take over from its master by hand.",
    since: "3.0.0",
    group: Group::Cluster,
    flags: ADMIN.and(STALE).and(NO_ASYNC_LOADING),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_FLUSHSLOTS: Command = Command {
    name: "CLUSTER FLUSHSLOTS",
    summary: "Removes all slot assignments from this node's view.",
    since: "3.0.0",
    group: Group::Cluster,
    flags: ADMIN.and(STALE).and(NO_ASYNC_LOADING),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_FORGET: Command = Command {
    name: "CLUSTER FORGET",
    syntax: "node-id",
    summary: "Removes a node from this node's list of known nodes.",
    since: "3.0.0",
    group: Group::Cluster,
    flags: ADMIN.and(STALE).and(NO_ASYNC_LOADING),
    history: &[("7.2.0", "The other nodes are told as well.")],
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_GETKEYSINSLOT: Command = Command {
    name: "CLUSTER GETKEYSINSLOT",
    syntax: "slot count",
    summary: "Lists some of this node's keys in a hash slot.",
    since: "3.0.0",
    complexity: "O(N) with N the number of keys asked for",
    group: Group::Cluster,
    flags: STALE,
    tips: &["nondeterministic_output"],
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_INFO: Command = Command {
    name: "CLUSTER INFO",
    summary: "Shows the state of the cluster as seen by this node.",
    since: "3.0.0",
    group: Group::Cluster,
    flags: LOADING.and(STALE),
    tips: &["nondeterministic_output"],
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_KEYSLOT: Command = Command {
    name: "CLUSTER KEYSLOT",
    syntax: "key:string",
    summary: "Tells which hash slot a key belongs to.",
    since: "3.0.0",
    complexity: "O(N) with N the length of the key",
    group: Group::Cluster,
    flags: LOADING.and(STALE),
    run: cluster_keyslot,
    ..Command::BASE
};

/// Redis refuses it too outside of a cluster; here the answer helps who learns about hash tags.
fn cluster_keyslot(_: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.integer(i64::from(slot_of(args.next()?)));
    Ok(())
}

/// The hash slot of a key: CRC16 (XMODEM) of its hash tag, or else of all of it, modulo 16384.
fn slot_of(key: &[u8]) -> u16 {
    let open = key.iter().position(|byte| *byte == b'{');
    let tag = open.and_then(|open| {
        let behind = &key[open + 1..];
        let close = behind.iter().position(|byte| *byte == b'}').filter(|&close| close > 0)?;
        Some(&behind[..close])
    });
    let crc = tag.unwrap_or(key).iter().fold(0u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
        })
    });
    crc % 16384
}

pub const CLUSTER_LINKS: Command = Command {
    name: "CLUSTER LINKS",
    summary: "Lists the links between this node and its peers.",
    since: "7.0.0",
    complexity: "O(N) with N the number of nodes",
    group: Group::Cluster,
    flags: LOADING.and(STALE),
    tips: &["nondeterministic_output"],
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_MEET: Command = Command {
    name: "CLUSTER MEET",
    syntax: "ip port [cluster-bus-port@4.0.0]",
    summary: "Introduces this node to another, so that they form a cluster.",
    since: "3.0.0",
    group: Group::Cluster,
    flags: ADMIN.and(STALE).and(NO_ASYNC_LOADING),
    history: &[("4.0.0", "Takes the port of the cluster bus.")],
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_MIGRATION: Command = Command {
    name: "CLUSTER MIGRATION",
    syntax: "subcommand=<IMPORT (start-slot end-slot) ... | CANCEL <ID task-id | ALL> | STATUS <[ID task-id] | [ALL]>>",
    summary: "Starts, cancels or follows the import of hash slots from other nodes.",
    since: "8.4.0",
    complexity: "O(N) with N the number of slots in the ranges",
    group: Group::Cluster,
    flags: ADMIN.and(STALE).and(NO_ASYNC_LOADING),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_MYID: Command = Command {
    name: "CLUSTER MYID",
    summary: "Tells the id of this node.",
    since: "3.0.0",
    group: Group::Cluster,
    flags: LOADING.and(STALE),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_MYSHARDID: Command = Command {
    name: "CLUSTER MYSHARDID",
    summary: "Tells the id of the shard this node belongs to.",
    since: "7.2.0",
    group: Group::Cluster,
    flags: LOADING.and(STALE),
    tips: &["nondeterministic_output"],
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_NODES: Command = Command {
    name: "CLUSTER NODES",
    summary: "Describes all nodes of the cluster, one on a line.",
    since: "3.0.0",
    complexity: "O(N) with N the number of nodes",
    group: Group::Cluster,
    flags: LOADING.and(STALE),
    tips: &["nondeterministic_output"],
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_REPLICAS: Command = Command {
    name: "CLUSTER REPLICAS",
    syntax: "node-id",
    summary: "Lists the replicas of a master.",
    since: "5.0.0",
    complexity: "O(N) with N the number of replicas",
    group: Group::Cluster,
    flags: ADMIN.and(LOADING).and(STALE),
    tips: &["nondeterministic_output"],
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_REPLICATE: Command = Command {
    name: "CLUSTER REPLICATE",
    syntax: "node-id",
    summary: "Makes this node a replica of a master.",
    since: "3.0.0",
    group: Group::Cluster,
    flags: ADMIN.and(STALE).and(NO_ASYNC_LOADING),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_RESET: Command = Command {
    name: "CLUSTER RESET",
    syntax: "reset-type=[HARD | SOFT]",
    summary: "Makes this node leave its cluster and start afresh.",
    since: "3.0.0",
    complexity: "O(N) with N the number of known nodes; may flush all keys as well",
    group: Group::Cluster,
    flags: ADMIN.and(NOSCRIPT).and(STALE),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_SAVECONFIG: Command = Command {
    name: "CLUSTER SAVECONFIG",
    summary: "Writes the node's cluster configuration to disk.",
    since: "3.0.0",
    group: Group::Cluster,
    flags: ADMIN.and(STALE).and(NO_ASYNC_LOADING),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_SET_CONFIG_EPOCH: Command = Command {
    name: "CLUSTER SET-CONFIG-EPOCH",
    syntax: "config-epoch",
    summary: "Sets the configuration epoch of a fresh node.",
    since: "3.0.0",
    group: Group::Cluster,
    flags: ADMIN.and(STALE).and(NO_ASYNC_LOADING),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_SETSLOT: Command = Command {
    name: "CLUSTER SETSLOT",
    syntax: "slot subcommand=<IMPORTING importing{node-id} | MIGRATING migrating{node-id} | NODE node{node-id} | STABLE>",
    summary: "Says who serves a hash slot, or that it is on the move.",
    since: "3.0.0",
    group: Group::Cluster,
    flags: ADMIN.and(STALE).and(NO_ASYNC_LOADING),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_SHARDS: Command = Command {
    name: "CLUSTER SHARDS",
    summary: "Describes the cluster shard by shard: slots and nodes.",
    since: "7.0.0",
    complexity: "O(N) with N the number of nodes",
    group: Group::Cluster,
    flags: LOADING.and(STALE),
    tips: &["nondeterministic_output"],
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_SLAVES: Command = Command {
    name: "CLUSTER SLAVES",
    syntax: "node-id",
    summary: "Lists the replicas of a master.",
    since: "3.0.0",
    complexity: "O(N) with N the number of replicas",
    group: Group::Cluster,
    flags: ADMIN.and(LOADING).and(STALE),
    tips: &["nondeterministic_output"],
    deprecated_since: Some("5.0.0"),
    replaced_by: Some("`CLUSTER REPLICAS`"),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_SLOT_STATS: Command = Command {
    name: "CLUSTER SLOT-STATS",
    syntax: "filter=<SLOTSRANGE (start-slot end-slot) | ORDERBY (metric [LIMIT limit] [ASC | DESC])>",
    summary: "Shows usage figures of hash slots.",
    since: "8.2.0",
    complexity: "O(N) with N the number of slots; O(N*log(N)) with ORDERBY",
    group: Group::Cluster,
    flags: LOADING.and(STALE),
    tips: &["nondeterministic_output", "request_policy:all_shards"],
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_SLOTS: Command = Command {
    name: "CLUSTER SLOTS",
    summary: "Lists ranges of hash slots with the nodes that serve them.",
    since: "3.0.0",
    complexity: "O(N) with N the number of nodes",
    group: Group::Cluster,
    flags: LOADING.and(STALE),
    tips: &["nondeterministic_output"],
    history: &[("4.0.0", "Shows node ids."), ("7.0.0", "Shows more about each node's network.")],
    deprecated_since: Some("7.0.0"),
    replaced_by: Some("`CLUSTER SHARDS`"),
    run: disabled,
    ..Command::BASE
};

pub const CLUSTER_SYNCSLOTS: Command = Command {
    name: "CLUSTER SYNCSLOTS",
    syntax: "subcommand=<SYNC (task-id slot-range=(start-slot end-slot) ...) | RDBCHANNEL task-id | SNAPSHOT-EOF | STREAM-EOF | ACK (state offset) | FAIL error | CONF (option ... value ...)>",
    summary: "Carries the talk between two nodes while slots move from one to the other.",
    since: "8.4.0",
    group: Group::Cluster,
    flags: ADMIN.and(STALE).and(NO_ASYNC_LOADING),
    tips: &["nondeterministic_output"],
    run: disabled,
    ..Command::BASE
};

pub const READONLY_COMMAND: Command = Command {
    name: "READONLY",
    summary: "Allows reads from a cluster replica on this connection.",
    since: "3.0.0",
    group: Group::Cluster,
    flags: LOADING.and(STALE).and(FAST),
    categories: Exceptions::also(Categories::CONNECTION),
    run: disabled,
    ..Command::BASE
};

pub const READWRITE: Command = Command {
    name: "READWRITE",
    summary: "Sends reads on this connection to the master again.",
    since: "3.0.0",
    group: Group::Cluster,
    flags: LOADING.and(STALE).and(FAST),
    categories: Exceptions::also(Categories::CONNECTION),
    run: disabled,
    ..Command::BASE
};

pub const TRIMSLOTS: Command = Command {
    name: "TRIMSLOTS",
    syntax: "RANGES (numranges slots=(startslot endslot) ...)",
    summary: "Deletes the keys of hash slots this node no longer serves.",
    since: "8.4.0",
    complexity: "O(N) with N the number of keys in the slots",
    group: Group::Server,
    flags: WRITE,
    categories: Exceptions::also(Categories::DANGEROUS.and(Categories::KEYSPACE)),
    run: disabled,
    ..Command::BASE
};
