//! The sections of INFO, each a function.

use std::collections::BTreeMap;

use crate::command::Ctx;
use crate::data::value::Value;
use crate::keyspace::{Entry, ValueRef};
use crate::server::VERSION;
use crate::server::client::Flags as ClientFlags;
use crate::server::memory::STARTUP_BYTES;

use super::{Report, human};

const DAY_SECONDS: u64 = 86_400;

fn text_of<'a>(ctx: &'a Ctx, parameter: &str) -> std::borrow::Cow<'a, str> {
    String::from_utf8_lossy(ctx.server.config.text_of(parameter))
}

pub fn server(ctx: &mut Ctx, report: &mut Report) {
    let uptime = ctx.now_ms().saturating_sub(ctx.server.started_at_ms) / 1000;
    report.section("Server");
    report.field("redis_version", VERSION);
    report.field("resplay_version", env!("CARGO_PKG_VERSION"));
    report.field("redis_git_sha1", "00000000");
    report.field("redis_git_dirty", 0);
    report.field("redis_build_id", "0");
    report.field("redis_mode", "standalone");
    report.field("os", std::env::consts::OS);
    report.field("arch_bits", usize::BITS);
    report.field("monotonic_clock", "host");
    report.field("multiplexing_api", "host");
    report.field("process_id", ctx.server.process_id);
    report.field("process_supervised", "no");
    report.field("run_id", &ctx.server.run_id);
    report.field("tcp_port", text_of(ctx, "port"));
    report.field("server_time_usec", ctx.now_ms() * 1000);
    report.field("uptime_in_seconds", uptime);
    report.field("uptime_in_days", uptime / DAY_SECONDS);
    report.field("hz", ctx.server.config.hz);
    report.field("configured_hz", text_of(ctx, "hz"));
    report.field("lru_clock", ctx.server.access_clock);
    report.field("executable", "");
    report.field("config_file", ctx.server.config.config_file.as_deref().unwrap_or_default());
    report.field("io_threads_active", 0);
}

pub fn clients(ctx: &mut Ctx, report: &mut Report) {
    let clients = &ctx.server.clients;
    let count = |wanted: &dyn Fn(ClientFlags) -> bool| {
        clients
            .iter()
            .filter(|client| !client.flags.has(ClientFlags::CLOSE_ASAP) && wanted(client.flags))
            .count()
    };
    report.section("Clients");
    report.field("connected_clients", count(&|flags| !flags.has(ClientFlags::REPLICA)));
    report.field("cluster_connections", 0);
    report.field("maxclients", ctx.server.config.maxclients);
    report.field(
        "client_recent_max_input_buffer",
        clients.iter().map(|client| client.input.len()).max().unwrap_or(0),
    );
    report.field(
        "client_recent_max_output_buffer",
        clients.iter().map(|client| ctx.server.unsent_bytes(client)).max().unwrap_or(0),
    );
    report.field("blocked_clients", count(&|flags| flags.has(ClientFlags::BLOCKED)));
    report.field("tracking_clients", ctx.server.tracking.clients());
    report.field("pubsub_clients", count(&|flags| flags.has(ClientFlags::SUBSCRIBED)));
    report.field("watching_clients", clients.iter().filter(|client| !client.watched.is_empty()).count());
    let timeouts = clients.iter().filter_map(|client| client.blocked.as_ref()?.deadline_ms).count();
    report.field("clients_in_timeout_table", timeouts);
    report.field("total_watched_keys", ctx.server.watched_keys());
    report.field("total_blocking_keys", ctx.server.waiting.keys_waited_for());
    let on_nokey: std::collections::BTreeSet<(usize, &[u8])> = clients
        .iter()
        .filter_map(|client| client.blocked.as_deref().filter(|blocked| blocked.wakes_on_delete))
        .flat_map(|blocked| blocked.keys.iter().map(|key| (blocked.db, &key[..])))
        .collect();
    report.field("total_blocking_keys_on_nokey", on_nokey.len());
}

pub fn memory(ctx: &mut Ctx, report: &mut Report) {
    let memory = ctx.server.measure_memory();
    let share = |part: u64, whole: u64| format!("{:.2}%", part as f64 * 100.0 / whole.max(1) as f64);
    report.section("Memory");
    report.bytes("used_memory", memory.used);
    report.bytes("used_memory_rss", memory.resident);
    report.bytes("used_memory_peak", memory.peak);
    report.field("used_memory_peak_time", ctx.server.memory_peak_time());
    report.field("used_memory_peak_perc", share(memory.used, memory.peak));
    report.field("used_memory_overhead", memory.overhead());
    report.field("used_memory_startup", STARTUP_BYTES);
    report.field("used_memory_dataset", memory.dataset());
    report.field(
        "used_memory_dataset_perc",
        share(memory.dataset(), memory.used.saturating_sub(STARTUP_BYTES)),
    );
    for name in ["allocator_allocated", "allocator_active"] {
        report.field(name, memory.used);
    }
    report.field("allocator_resident", memory.resident);
    report.field("allocator_muzzy", 0);
    report.bytes("total_system_memory", 0);
    let scripting = ctx.server.scripting.figures();
    report.field("used_memory_lua", scripting.scripts_vm_bytes);
    report.field("used_memory_vm_eval", scripting.scripts_vm_bytes);
    report.field("used_memory_lua_human", human(scripting.scripts_vm_bytes));
    report.field("used_memory_scripts_eval", scripting.scripts_bytes);
    report.field("number_of_cached_scripts", scripting.scripts);
    report.field("number_of_functions", scripting.functions);
    report.field("number_of_libraries", scripting.libraries);
    report.field("used_memory_vm_functions", scripting.functions_vm_bytes);
    report.bytes("used_memory_vm_total", scripting.scripts_vm_bytes + scripting.functions_vm_bytes);
    report.field("used_memory_functions", scripting.functions_bytes);
    report.bytes("used_memory_scripts", scripting.scripts_bytes + scripting.functions_bytes);
    report.field("used_memory_hash_templates", 0);
    report.bytes("maxmemory", ctx.server.config.maxmemory);
    report.field("maxmemory_policy", text_of(ctx, "maxmemory-policy"));
    let ratio = memory.resident as f64 / memory.used.max(1) as f64;
    let extra = memory.resident as i64 - memory.used as i64;
    report.field("allocator_frag_ratio", "1.00");
    report.field("allocator_frag_bytes", 0);
    report.field("allocator_rss_ratio", "1.00");
    report.field("allocator_rss_bytes", 0);
    report.field("rss_overhead_ratio", "1.00");
    report.field("rss_overhead_bytes", 0);
    report.field("mem_fragmentation_ratio", format!("{ratio:.2}"));
    report.field("mem_fragmentation_bytes", extra);
    report.zeros(&[
        "mem_not_counted_for_evict",
        "mem_replication_backlog",
        "mem_total_replication_buffers",
        "mem_replica_full_sync_buffer",
        "mem_clients_slaves",
    ]);
    report.field("mem_clients_normal", memory.clients);
    report.zeros(&["mem_cluster_links", "mem_aof_buffer"]);
    report.field("mem_allocator", if cfg!(target_arch = "wasm32") { "dlmalloc" } else { "mimalloc" });
    report.zeros(&[
        "mem_overhead_db_hashtable_rehashing",
        "active_defrag_running",
        "lazyfree_pending_objects",
    ]);
    report.field("lazyfreed_objects", ctx.server.stats.lazily_freed);
}

pub fn persistence(ctx: &mut Ctx, report: &mut Report) {
    let now_ms = ctx.now_ms();
    let status = &ctx.server.persistence;
    let word = |failed: bool| if failed { "err" } else { "ok" };
    let seconds = |value: Option<u64>| value.map_or(-1, |seconds| seconds as i64);
    let running = status.save_started_ms.map(|started| now_ms.saturating_sub(started) / 1000);
    let aof = ctx.server.config.text_of("appendonly") == b"yes";
    report.section("Persistence");
    report.field("loading", u8::from(status.is_loading));
    report.zeros(&["async_loading", "current_cow_peak", "current_cow_size", "current_cow_size_age"]);
    report.field("current_fork_perc", "0.00");
    report.zeros(&["current_save_keys_processed", "current_save_keys_total"]);
    report.field("rdb_changes_since_last_save", ctx.server.dirty.saturating_sub(status.dirty_at_save));
    report.field("rdb_bgsave_in_progress", u8::from(running.is_some()));
    report.field("rdb_last_save_time", status.last_save_ms / 1000);
    report.field("rdb_last_bgsave_status", word(status.last_save_failed));
    report.field("rdb_last_bgsave_time_sec", seconds(status.last_save_took_seconds));
    report.field("rdb_current_bgsave_time_sec", seconds(running));
    report.field("rdb_saves", status.saves);
    report.field("rdb_last_cow_size", 0);
    report.field("rdb_last_load_keys_expired", status.keys_expired);
    report.field("rdb_last_load_keys_loaded", status.keys_loaded);
    report.field("aof_enabled", u8::from(aof));
    let rewriting = status.rewrite_started_ms.map(|started| now_ms.saturating_sub(started) / 1000);
    report.field("aof_rewrite_in_progress", u8::from(rewriting.is_some()));
    report.field("aof_rewrite_scheduled", 0);
    report.field("aof_last_rewrite_time_sec", seconds(status.last_rewrite_took_seconds));
    report.field("aof_current_rewrite_time_sec", seconds(rewriting));
    report.field("aof_last_bgrewrite_status", word(status.last_rewrite_failed));
    report.field("aof_rewrites", status.rewrites);
    report.field("aof_rewrites_consecutive_failures", 0);
    report.field("aof_last_write_status", word(status.aof_error.is_some()));
    report.zeros(&[
        "aof_last_cow_size",
        "module_fork_in_progress",
        "module_fork_last_cow_size",
        "backup_in_progress",
    ]);
    if let Some((bytes, base_bytes)) = status.aof_bytes {
        report.field("aof_current_size", bytes);
        report.field("aof_base_size", base_bytes);
        report.zeros(&[
            "aof_pending_rewrite",
            "aof_buffer_length",
            "aof_pending_bio_fsync",
            "aof_delayed_fsync",
        ]);
    }
}

pub fn threads(ctx: &mut Ctx, report: &mut Report) {
    let stats = &ctx.server.stats;
    let line = format!("clients={},reads={},writes={}", ctx.server.clients.len(), stats.reads, stats.writes);
    report.section("Threads");
    report.field("io_thread_0", line);
}

pub fn stats(ctx: &mut Ctx, report: &mut Report) {
    let now_ms = ctx.now_ms();
    let rate = ctx.server.stats.sample_rates(now_ms);
    let per_second = |bytes: u64| format!("{:.2}", bytes as f64 / 1024.0);
    let server = &*ctx.server;
    let stats = &server.stats;
    report.section("Stats");
    report.field("total_connections_received", stats.connections_received);
    report.field("total_commands_processed", stats.commands_processed);
    report.field("instantaneous_ops_per_sec", rate.commands);
    report.field("total_net_input_bytes", stats.input_bytes);
    report.field("total_net_output_bytes", stats.output_bytes);
    report.zeros(&["total_net_repl_input_bytes", "total_net_repl_output_bytes"]);
    report.field("instantaneous_input_kbps", per_second(rate.input_bytes));
    report.field("instantaneous_output_kbps", per_second(rate.output_bytes));
    report.field("instantaneous_input_repl_kbps", "0.00");
    report.field("instantaneous_output_repl_kbps", "0.00");
    report.field("rejected_connections", stats.connections_rejected);
    report.zeros(&["sync_full", "sync_partial_ok", "sync_partial_err"]);
    report.field("expired_subkeys", stats.expired_subkeys);
    report.field("expired_keys", stats.expired_keys);
    report.field("expired_stale_perc", "0.00");
    report.zeros(&["expired_time_cap_reached_count", "expire_cycle_cpu_milliseconds"]);
    report.field("evicted_keys", stats.evicted_keys);
    report.field("evicted_clients", stats.evicted_clients);
    report.field("evicted_scripts", ctx.server.scripting.uses().1);
    let (total_ms, current_ms) = server.eviction.exceeded_ms(now_ms);
    report.field("total_eviction_exceeded_time", total_ms);
    report.field("current_eviction_exceeded_time", current_ms);
    report.field("keyspace_hits", stats.keyspace_hits);
    report.field("keyspace_misses", stats.keyspace_misses);
    report.zeros(&["hash_templates", "hash_template_keys"]);
    report.field("pubsub_channels", server.pubsub.channels.len());
    report.field("pubsub_patterns", server.pubsub.patterns.len());
    report.field("pubsubshard_channels", server.pubsub.shard_channels.len());
    report.zeros(&[
        "latest_fork_usec",
        "total_forks",
        "migrate_cached_sockets",
        "slave_expires_tracked_keys",
    ]);
    report.zeros(&[
        "active_defrag_hits",
        "active_defrag_misses",
        "active_defrag_key_hits",
        "active_defrag_key_misses",
        "total_active_defrag_time",
        "current_active_defrag_time",
    ]);
    report.field("tracking_total_keys", server.tracking.keys());
    report.field("tracking_total_items", server.tracking.items());
    report.field("tracking_total_prefixes", server.tracking.prefixes());
    report.field("unexpected_error_replies", stats.unexpected_error_replies);
    report.field("total_error_replies", stats.total_error_replies);
    report.field("dump_payload_sanitizations", 0);
    report.field("total_reads_processed", stats.reads);
    report.field("total_writes_processed", stats.writes);
    report.zeros(&["io_threaded_reads_processed", "io_threaded_writes_processed"]);
    report.field("client_query_buffer_limit_disconnections", stats.query_buffer_limit_disconnections);
    report.field("client_output_buffer_limit_disconnections", stats.output_buffer_limit_disconnections);
    report.zeros(&["reply_buffer_shrinks", "reply_buffer_expands"]);
    // One turn of the loop for each time the host brings bytes.
    report.field("eventloop_cycles", stats.reads);
    let microseconds: u64 = stats.commands.iter().map(|command| command.microseconds).sum();
    report.field("eventloop_duration_sum", microseconds);
    report.field("eventloop_duration_cmd_sum", microseconds);
    report.field("instantaneous_eventloop_cycles_per_sec", rate.reads);
    report.field("instantaneous_eventloop_duration_usec", microseconds / stats.reads.max(1));
    report.field("acl_access_denied_auth", stats.acl_denied_auth);
    report.field("acl_access_denied_cmd", stats.acl_denied_command);
    report.field("acl_access_denied_key", stats.acl_denied_key);
    report.field("acl_access_denied_channel", stats.acl_denied_channel);
    report.field("acl_access_denied_tls_cert", 0);
    report.field("slowlog_commands_count", server.slowlog.logged);
    report.field("slowlog_commands_time_ms_sum", server.slowlog.microseconds_sum / 1000);
    report.field("slowlog_commands_time_ms_max", server.slowlog.microseconds_max / 1000);
    report.field("total_client_processing_events", stats.reads);
}

pub fn replication(ctx: &mut Ctx, report: &mut Report) {
    report.section("Replication");
    report.field("role", "master");
    report.field("connected_slaves", 0);
    report.field("master_failover_state", "no-failover");
    report.field("master_replid", &ctx.server.replication_id);
    report.field("master_replid2", "0".repeat(40));
    report.field("master_repl_offset", 0);
    report.field("second_repl_offset", -1);
    report.field("repl_backlog_active", 0);
    report.field("repl_backlog_size", text_of(ctx, "repl-backlog-size"));
    report.zeros(&["repl_backlog_first_byte_offset", "repl_backlog_histlen"]);
}

pub fn cpu(ctx: &mut Ctx, report: &mut Report) {
    // The time of its commands is all the engine knows of the processor.
    let microseconds: u64 = ctx.server.stats.commands.iter().map(|stats| stats.microseconds).sum();
    let seconds = microseconds as f64 / 1e6;
    report.section("CPU");
    report.field("used_cpu_sys", "0.000000");
    report.field("used_cpu_user", format!("{seconds:.6}"));
    report.field("used_cpu_sys_children", "0.000000");
    report.field("used_cpu_user_children", "0.000000");
    report.field("used_cpu_sys_main_thread", "0.000000");
    report.field("used_cpu_user_main_thread", format!("{seconds:.6}"));
}

pub fn modules(_: &mut Ctx, report: &mut Report) {
    report.section("Modules");
}

pub fn commandstats(ctx: &mut Ctx, report: &mut Report) {
    report.section("Commandstats");
    for (number, stats) in ctx.server.stats.commands.iter().enumerate() {
        if stats.calls + stats.rejected == 0 {
            continue;
        }
        let per_call = stats.microseconds as f64 / stats.calls.max(1) as f64;
        let mut line = format!(
            "calls={},usec={},usec_per_call={per_call:.2},rejected_calls={},failed_calls={}",
            stats.calls, stats.microseconds, stats.rejected, stats.failed
        );
        let (count, sum, max) = stats.slow;
        if count > 0 {
            let slow = format!(
                ",slowlog_count={count},slowlog_time_ms_sum={},slowlog_time_ms_max={}",
                sum / 1000,
                max / 1000
            );
            line.push_str(&slow);
        }
        report.field(&format!("cmdstat_{}", ctx.registry.entry(number).full_name), line);
    }
}

pub fn errorstats(ctx: &mut Ctx, report: &mut Report) {
    report.section("Errorstats");
    for (code, count) in &ctx.server.stats.errors {
        report.field(&format!("errorstat_{}", String::from_utf8_lossy(code)), format!("count={count}"));
    }
}

pub fn latencystats(ctx: &mut Ctx, report: &mut Report) {
    report.section("Latencystats");
    if !ctx.server.config.latency_tracking {
        return;
    }
    for (number, stats) in ctx.server.stats.commands.iter().enumerate() {
        let Some(histogram) = &stats.latency else { continue };
        let percentiles = ctx.server.config.latency_percentiles.iter();
        let parts: Vec<String> = percentiles
            .map(|&percent| format!("p{percent}={:.3}", histogram.percentile(percent) as f64))
            .collect();
        let name = format!("latency_percentiles_usec_{}", ctx.registry.entry(number).full_name);
        report.field(&name, parts.join(","));
    }
}

pub fn cluster(_: &mut Ctx, report: &mut Report) {
    report.section("Cluster");
    report.field("cluster_enabled", 0);
}

/// Keys looked at for the mean time to live.
const TTL_SAMPLES: usize = 1000;

pub fn keyspace(ctx: &mut Ctx, report: &mut Report) {
    report.section("Keyspace");
    let now_ms = ctx.now_ms();
    for (number, db) in ctx.server.keyspace.iter().enumerate().filter(|(_, db)| !db.is_empty()) {
        let (mut sum, mut count) = (0u128, 0u128);
        if db.volatile() > 0 {
            for when_ms in db.iter().take(20 * TTL_SAMPLES).filter_map(Entry::expires_at).take(TTL_SAMPLES) {
                sum += u128::from(when_ms.saturating_sub(now_ms));
                count += 1;
            }
        }
        let line = format!(
            "keys={},expires={},avg_ttl={},subexpiry={}",
            db.len(),
            db.volatile(),
            sum.checked_div(count).unwrap_or(0),
            db.hashes_with_field_expiry()
        );
        report.field(&format!("db{number}"), line);
    }
}

/// What KEYSIZES counts of a key, and under which name.
fn size_of_entry(entry: &Entry) -> Option<(&'static str, usize)> {
    Some(match entry.value() {
        ValueRef::Int(int) => ("strings_sizes", itoa::Buffer::new().format(int).len()),
        ValueRef::Bytes(bytes) => ("strings_sizes", bytes.len()),
        ValueRef::Boxed(Value::String(bytes)) => ("strings_sizes", bytes.len()),
        ValueRef::Boxed(Value::List(list)) => ("lists_items", list.len()),
        ValueRef::Boxed(Value::Set(set)) => ("sets_items", set.len()),
        ValueRef::Boxed(Value::SortedSet(set)) => ("zsets_items", set.len()),
        ValueRef::Boxed(Value::Hash(hash)) => ("hashes_items", hash.len()),
        ValueRef::Boxed(Value::Stream(stream)) => ("streams_items", stream.len()),
        #[allow(unreachable_patterns)]
        ValueRef::Boxed(_) => return None,
    })
}

/// Keys looked at for their sizes.
const SIZE_SAMPLES: usize = 100_000;

pub fn keysizes(ctx: &mut Ctx, report: &mut Report) {
    report.section("Keysizes");
    for (number, db) in ctx.server.keyspace.iter().enumerate().filter(|(_, db)| !db.is_empty()) {
        let mut counts: BTreeMap<(&str, u32), u64> = BTreeMap::new();
        for (kind, size) in db.iter().take(SIZE_SAMPLES).filter_map(size_of_entry) {
            let power = if size == 0 { 0 } else { size.ilog2() + 1 };
            *counts.entry((kind, power)).or_default() += 1;
        }
        for kind in ["strings_sizes", "lists_items", "sets_items", "zsets_items", "hashes_items"] {
            let parts: Vec<String> = counts
                .range((kind, 0)..=(kind, u32::MAX))
                .map(|((_, power), count)| format!("{}={count}", size_label(*power)))
                .collect();
            if !parts.is_empty() {
                report.field(&format!("db{number}_distrib_{kind}"), parts.join(","));
            }
        }
    }
}

/// The lower end of a class of sizes: 0, 1, 2, 4, … `1K`, `2K`, … `1M`.
fn size_label(power: u32) -> String {
    let Some(power) = power.checked_sub(1) else { return "0".into() };
    let letter = ["", "K", "M", "G", "T"].get(power as usize / 10).copied().unwrap_or("P");
    format!("{}{letter}", 1u64 << (power % 10))
}

pub fn hotkeys(ctx: &mut Ctx, report: &mut Report) {
    report.section("Hotkeys");
    report.field("tracking_active", u8::from(ctx.server.hotkeys.is_active(ctx.now_ms())));
    report.zeros(&["used_memory", "cpu_time"]);
}
