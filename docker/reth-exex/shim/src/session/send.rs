//! What a client is sent.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::MutexGuard;

use tokio::sync::mpsc;
use tonic::Status;
use tracing::{info, warn};

use super::{End, Inner, Message, Outgoing, Session};
use crate::chain::BlockRef;
use crate::cursor::{Batch, BatchLimits, ColdRead, Live, chain_moved, read_cold};
use crate::error::{ErrorCode, ExExError};
use crate::hub::now_ms;
use crate::limits::{BLOCK_REF_BYTES, FRAME_OVERHEAD_BYTES};
use crate::metrics;
use crate::proto::v1;
use crate::proto::v1::server_frame::Frame;
use crate::wire::{NotificationFacts, frame, notification_messages, to_wire};

/// A batch, and what its notification says besides.
type Next = (Batch, NotificationFacts);

impl Session {
    pub(super) async fn write(&self, outgoing: Outgoing) {
        let mut moved = self.hub.subscribe();
        let mut messages: VecDeque<v1::ServerFrame> = VecDeque::new();
        let mut last_of: Option<u64> = None;
        loop {
            moved.mark_unchanged();
            if !self.send_control(&outgoing).await {
                break;
            }
            if let Some(message) = messages.pop_front() {
                let Some(room) = self.room(&outgoing).await else { break };
                room.send(Ok(message));
                if messages.is_empty() {
                    let mut inner = self.shared.inner();
                    inner.last_seq = last_of.take().unwrap_or(inner.last_seq);
                    inner.sent_since_tick = true;
                }
                continue;
            }
            let Some(next) = self.next_in_touch(&outgoing).await else { break };
            match next {
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
        let control = std::mem::take(&mut self.shared.inner().control);
        let said = async {
            for directive in control {
                let _ = outgoing.send(Ok(frame(directive))).await;
            }
            let _ = outgoing.send(Ok(frame(Frame::Error(words)))).await;
            let _ = outgoing.send(Err(status)).await;
        };
        // One that does not read is not waited for.
        let _ = tokio::time::timeout(self.hub.limits.close_timeout, said).await;
    }

    /// What comes next, with control frames sent while it is read from the node; none when the session is over.
    async fn next_in_touch(&self, outgoing: &Outgoing) -> Option<Result<Option<Next>, ExExError>> {
        // Kept until it is done: what it took from the cursor would be lost with it.
        let mut next = pin!(self.next_batch());
        loop {
            tokio::select! {
                biased;
                next = &mut next => return Some(next),
                () = self.shared.work.notified() => if !self.send_control(outgoing).await { return None },
            }
        }
    }

    /// Sends the control frames there are; false when the session is over.
    async fn send_control(&self, outgoing: &Outgoing) -> bool {
        while self.has_control() {
            let Some(room) = self.room(outgoing).await else { return false };
            if let Some(frame) = self.next_control() {
                room.send(Ok(frame));
            }
        }
        self.shared.inner().end.is_none()
    }

    /// Room for one message; none when the session is over before there is.
    async fn room<'a>(&self, outgoing: &'a Outgoing) -> Option<mpsc::Permit<'a, Message>> {
        tokio::select! {
            biased;
            room = outgoing.reserve() => {
                if room.is_err() {
                    self.shared.end(End::Quiet("cancelled"));
                }
                room.ok()
            }
            () = self.shared.over.notified() => None,
        }
    }

    fn has_control(&self) -> bool {
        let inner = self.shared.inner();
        let is_open = inner.end.is_none() && inner.hello.is_some();
        !inner.control.is_empty() || (is_open && (inner.acknowledged || inner.heartbeat.is_some()))
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
    async fn next_batch(&self) -> Result<Option<Next>, ExExError> {
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
                    return self.charge(inner, batch);
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
            Some(batch) => self.charge(inner, batch),
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

    fn charge(&self, mut inner: MutexGuard<'_, Inner>, batch: Batch) -> Result<Option<Next>, ExExError> {
        inner.credit_bytes -= batch.bytes() as i128;
        inner.credit_notifications -= 1;
        let Some(hello) = inner.hello.as_ref() else { return Ok(None) };
        let (id, max_frame_bytes, pack) = (hello.consumer_id.clone(), hello.max_frame_bytes, hello.pack);
        drop(inner);
        check_undo(&batch, max_frame_bytes)?;
        let mut state = self.hub.state();
        // The numbers of its notifications are the newest session's.
        if !self.is_current(&state, &id) {
            return Ok(None);
        }
        let head = match batch.origin {
            v1::Origin::Live => state.head(),
            // Read from the node, whose head moves a moment before it notifies.
            v1::Origin::CatchUp => state.head().later(batch.tip()),
        };
        let Some(consumer) = state.consumers.get_mut(&id) else { return Ok(None) };
        let seq = consumer.next_seq;
        consumer.next_seq += 1;
        let facts = NotificationFacts {
            seq,
            head,
            sent_time_ms: now_ms(),
            max_frame_bytes: max_frame_bytes as usize,
            pack,
        };
        Ok(Some((batch, facts)))
    }
}

/// A list of undone blocks travels whole. One too long for a frame is not sent: a locator has the consumer told the ancestor,
/// which says as much.
fn check_undo(batch: &Batch, max_frame_bytes: u32) -> Result<(), ExExError> {
    let most = (max_frame_bytes as usize - FRAME_OVERHEAD_BYTES) / BLOCK_REF_BYTES;
    if batch.undo.len() <= most {
        return Ok(());
    }
    let expected = format!("at most {most} blocks, which fit a frame of {max_frame_bytes} bytes");
    let actual = batch.undo.len().to_string();
    let error = ExExError::new(ErrorCode::ChainMoved, "begin.undo", expected, actual);
    Err(error.advise("Reconnect with a locator."))
}

const fn origin_name(origin: v1::Origin) -> &'static str {
    match origin {
        v1::Origin::Live => "live",
        v1::Origin::CatchUp => "catch_up",
    }
}
