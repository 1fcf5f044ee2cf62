//! What the shim reports of itself, through the `metrics` facade: reth's own endpoint shows it. Names begin with `exex_shim_`.

use metrics::{counter, gauge};

use crate::chain::BlockRef;

pub(crate) fn session_opened() {
    gauge!("exex_shim_sessions").increment(1.0);
}

pub(crate) fn session_closed(reason: &'static str) {
    gauge!("exex_shim_sessions").decrement(1.0);
    counter!("exex_shim_sessions_closed_total", "reason" => reason).increment(1);
}

pub(crate) fn notification_sent(blocks: usize, bytes: usize, origin: &'static str) {
    counter!("exex_shim_notifications_sent_total", "origin" => origin).increment(1);
    counter!("exex_shim_blocks_sent_total", "origin" => origin).increment(blocks as u64);
    counter!("exex_shim_bytes_sent_total", "origin" => origin).increment(bytes as u64);
}

/// A session fell out of the ring, to the node's database.
pub(crate) fn fell_behind() {
    counter!("exex_shim_fell_behind_total").increment(1);
}

/// What the node brought did not follow what came before.
pub(crate) fn break_seen() {
    counter!("exex_shim_breaks_total").increment(1);
}

pub(crate) fn told(undone: usize, blocks: usize) {
    counter!("exex_shim_blocks_undone_total").increment(undone as u64);
    counter!("exex_shim_blocks_told_total").increment(blocks as u64);
}

pub(crate) fn ring(blocks: usize, bytes: usize, head: BlockRef) {
    gauge!("exex_shim_ring_blocks").set(blocks as f64);
    gauge!("exex_shim_ring_bytes").set(bytes as f64);
    gauge!("exex_shim_head").set(head.number as f64);
}

pub(crate) fn finished_height(number: u64) {
    gauge!("exex_shim_finished_height").set(number as f64);
}

pub(crate) fn consumer_evicted() {
    counter!("exex_shim_consumers_evicted_total").increment(1);
}

/// Subscribers of the official service.
pub(crate) fn remote_subscribers(count: usize) {
    gauge!("exex_shim_remote_subscribers").set(count as f64);
}

/// A notification was encoded for the subscribers of the official service.
pub(crate) fn remote_notification(bytes: usize) {
    counter!("exex_shim_remote_notifications_total").increment(1);
    counter!("exex_shim_remote_bytes_total").increment(bytes as u64);
}

/// The server ended a subscription: `too_slow`, `missing` or `going_away`.
pub(crate) fn remote_ended(reason: &'static str) {
    counter!("exex_shim_remote_ended_total", "reason" => reason).increment(1);
}
