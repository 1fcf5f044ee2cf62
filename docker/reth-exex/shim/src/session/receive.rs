//! What a client says.

use std::sync::Arc;
use std::time::Instant;

use tonic::{Code, Streaming};
use tracing::{debug, info};

use super::{End, Ping, SERVER_NAME, Session};
use crate::auth::Caller;
use crate::chain::BlockRef;
use crate::consumers::ConsumerSession;
use crate::cursor::{ChainCursor, is_canonical};
use crate::error::{ErrorCode, ExExError};
use crate::hello::{Place, check_hello, find_place};
use crate::proto::v1;
use crate::proto::v1::client_frame::Frame as ClientFrame;
use crate::proto::v1::server_frame::Frame;
use crate::recent_chain::Found;
use crate::wire::{PACK_FEATURE, optional_from_wire, to_wire};

impl Session {
    pub(super) async fn read(&self, caller: Caller, mut incoming: Streaming<v1::ClientFrame>) {
        let limits = &self.hub.limits;
        let mut tick = tokio::time::interval(limits.heartbeat);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut clock = PingClock { opened: Instant::now(), last: Instant::now(), next_nonce: 1 };
        loop {
            let outcome = tokio::select! {
                message = incoming.message() => match message {
                    Ok(Some(message)) => self.on_frame(&caller, message).await,
                    Ok(None) => {
                        self.shared.end(End::Quiet("client ended"));
                        return;
                    }
                    // What cannot be decoded, and what is larger than any frame of a client.
                    Err(status) if matches!(status.code(), Code::Internal | Code::OutOfRange) => {
                        Err(ExExError::malformed("ClientFrame", "a message of the contract", status.message()))
                    }
                    Err(status) => {
                        debug!(%status, "session stream error");
                        self.shared.end(End::Quiet("cancelled"));
                        return;
                    }
                },
                _ = tick.tick() => self.on_tick(&mut clock),
            };
            if let Err(error) = outcome {
                if error.code == ErrorCode::Resync {
                    self.shared.directive(v1::DirectiveKind::Resync, error.to_string());
                }
                self.shared.end(End::Failed(error));
                return;
            }
        }
    }

    async fn on_frame(&self, caller: &Caller, message: v1::ClientFrame) -> Result<(), ExExError> {
        let greeted = self.shared.inner().hello.is_some();
        let malformed = |expected, actual| Err(ExExError::malformed("ClientFrame", expected, actual));
        match message.frame {
            None => malformed("a frame of the contract", "none"),
            Some(ClientFrame::Hello(hello)) if !greeted => self.on_hello(caller, &hello).await,
            Some(ClientFrame::Hello(_)) => malformed("one hello a session", "another"),
            Some(_) if !greeted => malformed("hello first", "another frame"),
            Some(ClientFrame::Ack(ack)) => self.on_ack(&ack).await,
            Some(ClientFrame::Credit(credit)) => {
                let mut inner = self.shared.inner();
                inner.credit_bytes += i128::from(credit.bytes);
                inner.credit_notifications += u64::from(credit.notifications);
                drop(inner);
                self.shared.work.notify_one();
                Ok(())
            }
            Some(ClientFrame::Pong(pong)) => {
                let mut inner = self.shared.inner();
                if inner.ping.as_ref().is_some_and(|ping| ping.nonce == pong.nonce) {
                    inner.ping = None;
                }
                Ok(())
            }
            Some(ClientFrame::Bye(bye)) => {
                info!(reason = bye.reason, "consumer said goodbye");
                self.shared.end(End::Quiet("bye"));
                Ok(())
            }
        }
    }

    async fn on_hello(&self, caller: &Caller, hello: &v1::Hello) -> Result<(), ExExError> {
        let hub = &self.hub;
        let hello = check_hello(hello, hub)?;
        caller.check(&hello.consumer_id)?;
        let asked = hello.clone();
        let Place { ancestor, durable } = hub.read(move |reader| find_place(reader, &asked)).await?;
        let mut state = hub.state();
        // The client may have gone meanwhile, and come back in a session that must not be fenced by this one.
        if self.shared.inner().end.is_some() {
            return Ok(());
        }
        // The node's head moves a moment before it notifies: the ancestor may be ahead of what was told.
        let head = state.head().later(ancestor);
        let session: Arc<dyn ConsumerSession> = self.shared.clone();
        let first_seq = state.consumers.attach(&hello.consumer_id, hello.mode, session, head).next_seq;
        state.consumers.progress(&hello.consumer_id, Some(ancestor), durable, head);
        let welcome = v1::Welcome {
            protocol: hello.protocol,
            features: hello.pack.then(|| PACK_FEATURE.to_owned()).into_iter().collect(),
            epoch: hub.epoch,
            first_seq,
            ancestor: Some(to_wire(ancestor)),
            head: Some(to_wire(head)),
            finalized: state.finality.finalized.map(to_wire),
            safe: state.finality.safe.map(to_wire),
            chain_id: hub.chain_id,
            genesis_hash: bytes::Bytes::copy_from_slice(hub.genesis_hash.as_slice()),
            max_frame_bytes: hello.max_frame_bytes,
            oldest_block: state.oldest_block,
            server: SERVER_NAME.to_owned(),
        };
        let finality = state.finality;
        drop(state);
        info!(consumer = hello.consumer_id, %ancestor, %head, mode = ?hello.mode, "session opened");
        let mut inner = self.shared.inner();
        inner.control.push_front(Frame::Welcome(welcome));
        inner.cursor = Some(ChainCursor::new(ancestor, hello.profile, finality));
        inner.last_seq = first_seq - 1;
        inner.hello = Some(hello);
        drop(inner);
        self.shared.work.notify_one();
        hub.heights_changed(true);
        Ok(())
    }

    async fn on_ack(&self, ack: &v1::Ack) -> Result<(), ExExError> {
        let processed = optional_from_wire("ack.processed", ack.processed.as_ref())?;
        let durable = optional_from_wire("ack.durable", ack.durable.as_ref())?;
        let mut crossed = false;
        for (place, block) in [("ack.processed", processed), ("ack.durable", durable)] {
            if let Some(block) = block {
                crossed |= !self.check_acknowledged(place, block).await?;
            }
        }
        let id = self.shared.inner().hello.as_ref().map(|hello| hello.consumer_id.clone());
        let Some(id) = id else { return Ok(()) };
        if !crossed {
            if !self.take_ack(&id, processed, durable)? {
                return Ok(());
            }
            self.hub.settle_height().await;
        }
        self.shared.inner().acknowledged = true;
        self.shared.work.notify_one();
        Ok(())
    }

    /// Takes an acknowledgement that was checked; false when a newer session took over.
    fn take_ack(
        &self,
        id: &str,
        processed: Option<BlockRef>,
        durable: Option<BlockRef>,
    ) -> Result<bool, ExExError> {
        let mut state = self.hub.state();
        if !self.is_current(&state, id) {
            return Ok(false);
        }
        if let (Some(durable), Some(processed)) = (durable, processed)
            && durable.number > processed.number
        {
            let expected = format!("at most {}, what is processed", processed.number);
            return Err(bad_ack("ack.durable", expected, durable));
        }
        let head = state.head();
        state.consumers.progress(id, processed.or(durable), durable, head);
        Ok(true)
    }

    /// Whether an acknowledged block counts. Not when it was undone since, in this session or from before it: both sides are
    /// right, and nothing changes.
    async fn check_acknowledged(&self, place: &str, block: BlockRef) -> Result<bool, ExExError> {
        let found = |session: &Self| session.shared.inner().cursor.as_ref().map(|c| c.sent.find(block));
        match found(self) {
            Some(Found::Carried) => {
                let will_undo = {
                    let state = self.hub.state();
                    let inner = self.shared.inner();
                    inner.cursor.as_ref().and_then(|cursor| cursor.will_undo(&state.ring, block))
                };
                return match will_undo {
                    Some(will_undo) => Ok(!will_undo),
                    None => Ok(self.hub.read(move |reader| is_canonical(reader, block)).await?),
                };
            }
            Some(Found::Below) if self.hub.read(move |reader| is_canonical(reader, block)).await? => {
                return Ok(true);
            }
            _ => {}
        }
        let state = self.hub.state();
        let inner = self.shared.inner();
        let Some(cursor) = inner.cursor.as_ref() else { return Ok(false) };
        if cursor.undoes(&state.ring, block) {
            return Ok(false);
        }
        let tip = cursor.tip().number;
        let expected = format!("a block sent in this session, at most {tip}, or a canonical one before it");
        Err(bad_ack(place, expected, block))
    }

    fn on_tick(&self, clock: &mut PingClock) -> Result<(), ExExError> {
        let limits = &self.hub.limits;
        let mut inner = self.shared.inner();
        let greeted = inner.hello.is_some();
        let waiting_since =
            if greeted { inner.ping.as_ref().map(|ping| ping.since) } else { Some(clock.opened) };
        if waiting_since.is_some_and(|since| since.elapsed() > limits.ping_timeout) {
            let what = if greeted { "an answer to the heartbeat" } else { "a hello" };
            let expected = format!("{what} within {} ms", limits.ping_timeout.as_millis());
            return Err(ExExError::new(ErrorCode::Silence, "session", expected, "none"));
        }
        if !greeted {
            return Ok(());
        }
        let is_ping = inner.ping.is_none() && clock.last.elapsed() >= limits.ping;
        if is_ping {
            let nonce = clock.next();
            inner.heartbeat = Some(nonce);
            // From now on, sent or not: a client that does not read does not answer either.
            inner.ping = Some(Ping { nonce, since: Instant::now() });
        } else if !inner.sent_since_tick {
            inner.heartbeat.get_or_insert(0);
        }
        inner.sent_since_tick = false;
        drop(inner);
        self.shared.work.notify_one();
        Ok(())
    }
}

struct PingClock {
    opened: Instant,
    last: Instant,
    next_nonce: u64,
}

impl PingClock {
    fn next(&mut self) -> u64 {
        self.last = Instant::now();
        self.next_nonce += 1;
        self.next_nonce - 1
    }
}

fn bad_ack(place: &str, expected: String, block: BlockRef) -> ExExError {
    ExExError::new(ErrorCode::BadAck, place, expected, block.to_string()).advise("The height is unchanged.")
}
