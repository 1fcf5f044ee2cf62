//! What a client is sent.

use std::collections::VecDeque;
use std::sync::MutexGuard;

use tonic::Status;
use tracing::{info, warn};

use super::{End, Inner, Outgoing, Session};
use crate::chain::BlockRef;
use crate::cursor::{Batch, BatchLimits, ColdRead, Live, chain_moved, read_cold};
use crate::error::{ErrorCode, ExExError};
use crate::hub::now_ms;
use crate::metrics;
use crate::proto::v1;
use crate::proto::v1::server_frame::Frame;
use crate::wire::{NotificationFacts, frame, notification_messages, to_wire};

impl Session {
    pub(super) async fn write(&self, outgoing: Outgoing) {
        let mut moved = self.hub.subscribe();
        let mut messages = VecDeque::new();
        let mut last_of: Option<u64> = None;
        loop {
            moved.mark_unchanged();
            if let Some(frame) = self.next_control() {
                if !self.send(&outgoing, frame).await {
                    break;
                }
                continue;
            }
            if self.shared.inner().end.is_some() {
                break;
            }
            if let Some(message) = messages.pop_front() {
                if !self.send(&outgoing, message).await {
                    break;
                }
                if messages.is_empty() {
                    let mut inner = self.shared.inner();
                    inner.last_seq = last_of.take().unwrap_or(inner.last_seq);
                    inner.sent_since_tick = true;
                }
                continue;
            }
            match self.next_batch().await {
                Ok(Some((batch, facts))) => {
                    metrics::notification_sent(batch.blocks.len(), batch.bytes(), origin_name(batch.origin));
                    last_of = Some(facts.seq);
                    messages = notification_messages(&batch, facts);
                    continue;
                }
                Ok(None) => {}
                Err(error) if error.code == ErrorCode::Unavailable => {
                    // The node failed, not the consumer: it stays, and is served when the node answers again.
                    warn!(%error, "the node could not be read: trying again");
                    tokio::select! {
                        () = tokio::time::sleep(self.hub.limits.read_retry) => {}
                        () = self.shared.work.notified() => {}
                    }
                    continue;
                }
                Err(error) => {
                    self.shared.end(End::Failed(error));
                    continue;
                }
            }
            tokio::select! {
                () = self.shared.work.notified() => {}
                changed = moved.changed() => if changed.is_err() { break },
                () = outgoing.closed() => self.shared.end(End::Quiet("cancelled")),
            }
        }
        self.say_why(&outgoing).await;
    }

    /// Tells a client that still listens why its session ends.
    async fn say_why(&self, outgoing: &Outgoing) {
        let end = self.shared.inner().end.clone();
        let Some(End::Failed(error)) = end else { return };
        warn!(code = error.code.name(), %error, "session closed");
        let words = v1::Error {
            code: error.code.name().to_owned(),
            message: error.to_string(),
            expected: error.expected.clone(),
            actual: error.actual.clone(),
        };
        let status = Status::new(error.code.status(), error.to_string());
        let said = async {
            let _ = outgoing.send(Ok(frame(Frame::Error(words)))).await;
            let _ = outgoing.send(Err(status)).await;
        };
        // One that does not read is not waited for.
        let _ = tokio::time::timeout(self.hub.limits.close_timeout, said).await;
    }

    /// Hands a message to the connection; false when the session is over before it has room.
    async fn send(&self, outgoing: &Outgoing, message: v1::ServerFrame) -> bool {
        tokio::select! {
            biased;
            sent = outgoing.send(Ok(message)) => {
                if sent.is_err() {
                    self.shared.end(End::Quiet("cancelled"));
                }
                sent.is_ok()
            }
            () = self.shared.over.notified() => false,
        }
    }

    fn next_control(&self) -> Option<v1::ServerFrame> {
        let mut inner = self.shared.inner();
        if let Some(control) = inner.control.pop_front() {
            return Some(frame(control));
        }
        if inner.end.is_some() {
            return None;
        }
        let id = inner.hello.as_ref()?.consumer_id.clone();
        if std::mem::take(&mut inner.acknowledged) {
            drop(inner);
            let state = self.hub.state();
            let durable = state.consumers.get(&id).and_then(|consumer| consumer.durable);
            return Some(frame(Frame::Acknowledged(v1::Acknowledged {
                durable: durable.map(to_wire),
                finished_height: state.finished.map(to_wire),
            })));
        }
        let nonce = inner.heartbeat.take()?;
        let last_seq = inner.last_seq;
        drop(inner);
        // Always in this order: the chain's lock, then the session's.
        let state = self.hub.state();
        let inner = self.shared.inner();
        let cursor = inner.cursor.as_ref()?;
        let finality = if cursor.is_current(&state.ring) { state.finality } else { cursor.finality };
        let head = state.head();
        Some(frame(Frame::Heartbeat(v1::Heartbeat {
            head: Some(to_wire(head)),
            finalized: finality.finalized.map(to_wire),
            safe: finality.safe.map(to_wire),
            last_seq,
            ring_blocks: state.ring.blocks() as u32,
            lag_blocks: state.consumers.get(&id).map_or(0, |consumer| consumer.lag(head)),
            // A node that cannot be followed is behind as well: nobody who waits for its head is ready.
            syncing: state.syncing || state.problem.is_some(),
            nonce,
            finished_height: state.finished.map(to_wire),
            problem: state.problem.clone(),
        })))
    }

    /// What comes next for this consumer, if there is credit for it.
    async fn next_batch(&self) -> Result<Option<(Batch, NotificationFacts)>, ExExError> {
        let hub = &self.hub;
        let limits = {
            let inner = self.shared.inner();
            if inner.cursor.is_none() || inner.credit_bytes <= 0 || inner.credit_notifications == 0 {
                return Ok(None);
            }
            let credit = usize::try_from(inner.credit_bytes).unwrap_or(usize::MAX);
            BatchLimits { blocks: hub.limits.batch_blocks, bytes: hub.limits.batch_bytes.min(credit) }
        };
        let (tip, finality) = {
            let state = hub.state();
            let mut inner = self.shared.inner();
            let Some(cursor) = inner.cursor.as_mut() else { return Ok(None) };
            let live = cursor.next_live(&state.ring, limits);
            if cursor.take_fell_behind() {
                info!(tip = %cursor.tip(), "consumer fell out of the ring: reading from the node");
                metrics::fell_behind();
            }
            match live {
                Live::Batch(batch) => {
                    drop(state);
                    return Ok(self.charge(inner, batch));
                }
                Live::Current => return Ok(None),
                Live::Behind => (cursor.tip(), state.finality),
            }
        };
        let now = now_ms();
        let read = match hub.read(move |reader| read_cold(reader, &[tip], limits)).await? {
            Some(read) => read,
            None => self.read_below(limits).await?,
        };
        let mut inner = self.shared.inner();
        let Some(cursor) = inner.cursor.as_mut() else { return Ok(None) };
        match cursor.take_cold(read, finality, now) {
            Some(batch) => Ok(self.charge(inner, batch)),
            None => Ok(None),
        }
    }

    /// The tip sent last is canonical no longer: looks further down.
    async fn read_below(&self, limits: BatchLimits) -> Result<ColdRead, ExExError> {
        let sent: Vec<BlockRef> = {
            let inner = self.shared.inner();
            inner.cursor.iter().flat_map(|cursor| cursor.sent.newest_first()).collect()
        };
        let read = self.hub.read(move |reader| read_cold(reader, &sent, limits)).await?;
        read.ok_or_else(|| chain_moved("a block that was sent on the canonical chain", "none of them"))
    }

    fn charge(&self, mut inner: MutexGuard<'_, Inner>, batch: Batch) -> Option<(Batch, NotificationFacts)> {
        inner.credit_bytes -= batch.bytes() as i128;
        inner.credit_notifications -= 1;
        let hello = inner.hello.as_ref()?;
        let (id, max_frame_bytes, pack) = (hello.consumer_id.clone(), hello.max_frame_bytes, hello.pack);
        drop(inner);
        let mut state = self.hub.state();
        // The numbers of its notifications are the newest session's.
        if !self.is_current(&state, &id) {
            return None;
        }
        let head = state.head();
        let consumer = state.consumers.get_mut(&id)?;
        let seq = consumer.next_seq;
        consumer.next_seq += 1;
        let facts = NotificationFacts {
            seq,
            head,
            sent_time_ms: now_ms(),
            max_frame_bytes: max_frame_bytes as usize,
            pack,
        };
        Some((batch, facts))
    }
}
const fn origin_name(origin: v1::Origin) -> &'static str {
    match origin {
        v1::Origin::Live => "live",
        v1::Origin::CatchUp => "catch_up",
    }
}
