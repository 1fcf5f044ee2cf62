//! One consumer's stream, from its Hello to the end: a reader of its frames, and a writer that sends while there is something
//! to send and credit for it. The two meet in `Shared`, behind a lock that is never held over a wait.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, mpsc};
use tonic::{Status, Streaming};
use tracing::{debug, info, warn};

use crate::auth::Caller;
use crate::chain::BlockRef;
use crate::consumers::ConsumerSession;
use crate::cursor::{Batch, BatchLimits, ChainCursor, ColdRead, Live, chain_moved, is_canonical, read_cold};
use crate::error::{ErrorCode, ExExError};
use crate::hello::{Hello, Place, check_hello, find_place};
use crate::hub::{Hub, State, now_ms};
use crate::metrics;
use crate::proto::v1;
use crate::proto::v1::client_frame::Frame as ClientFrame;
use crate::proto::v1::server_frame::Frame;
use crate::recent_chain::Found;
use crate::wire::{
    NotificationFacts, PACK_FEATURE, frame, notification_messages, optional_from_wire, to_wire,
};

/// Name and version, for logs.
pub(crate) const SERVER_NAME: &str = concat!("monmouth-exex-shim/", env!("CARGO_PKG_VERSION"));

/// Why a session ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// The client said so, or its connection is gone.
    Quiet(&'static str),
    /// The server says why.
    Failed(ExExError),
}

/// What reader and writer share.
#[derive(Default)]
struct Inner {
    hello: Option<Hello>,
    cursor: Option<ChainCursor>,
    credit_bytes: i128,
    credit_notifications: u64,
    /// Small frames that may go between others.
    control: VecDeque<Frame>,
    /// An acknowledgement was taken and not yet answered: one answer is enough for several.
    acknowledged: bool,
    /// A heartbeat is due; with a nonce it must be answered.
    heartbeat: Option<u64>,
    ping: Option<Ping>,
    sent_since_tick: bool,
    /// seq of the last notification handed over whole.
    last_seq: u64,
    end: Option<End>,
}

struct Ping {
    nonce: u64,
    sent: Instant,
}

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    /// Something for the writer.
    work: Notify,
    /// The session is over.
    over: Notify,
}

impl Shared {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, end: End) {
        let mut inner = self.inner();
        if inner.end.is_some() {
            return;
        }
        inner.end = Some(end);
        drop(inner);
        self.work.notify_one();
        self.over.notify_waiters();
        self.over.notify_one();
    }

    fn directive(&self, kind: v1::DirectiveKind, message: impl Into<String>) {
        let directive = v1::Directive { kind: kind.into(), message: message.into() };
        self.inner().control.push_back(Frame::Directive(directive));
        self.work.notify_one();
    }
}

impl ConsumerSession for Shared {
    fn fence(&self) {
        self.directive(v1::DirectiveKind::Fenced, "a newer session of this consumer took over");
        let error = ExExError::new(ErrorCode::Fenced, "session", "to be the newest", "a newer one came");
        self.end(End::Failed(error));
    }

    fn evicted(&self, message: String) {
        self.directive(v1::DirectiveKind::Evicted, message);
    }
}

/// A session's handle, for the server that is going away.
#[derive(Clone)]
pub(crate) struct SessionHandle(Arc<Shared>);

impl SessionHandle {
    pub(crate) fn going_away(&self) {
        self.0.directive(v1::DirectiveKind::GoingAway, "the server is shutting down");
        let error = ExExError::new(ErrorCode::GoingAway, "session", "a running server", "one shutting down");
        self.0.end(End::Failed(error));
    }
}

/// What goes to the client: frames, then the status it ends with.
pub(crate) type Outgoing = mpsc::Sender<Result<v1::ServerFrame, Status>>;

/// Serves one stream in tasks of its own.
pub(crate) fn spawn_session(
    hub: Arc<Hub>,
    caller: Caller,
    incoming: Streaming<v1::ClientFrame>,
    outgoing: Outgoing,
) -> (SessionHandle, tokio::task::JoinHandle<()>) {
    let shared = Arc::new(Shared::default());
    let handle = SessionHandle(Arc::clone(&shared));
    metrics::session_opened();
    let session = Session { hub, shared };
    let task = tokio::spawn(async move {
        let reader = session.clone();
        let reading = tokio::spawn(async move { reader.read(caller, incoming).await });
        session.write(outgoing).await;
        reading.abort();
        // Only then is nobody half-way through a Hello.
        let _ = reading.await;
        session.close();
    });
    (handle, task)
}

#[derive(Clone)]
struct Session {
    hub: Arc<Hub>,
    shared: Arc<Shared>,
}

impl Session {
    fn close(&self) {
        let inner = self.shared.inner();
        let id = inner.hello.as_ref().map(|hello| hello.consumer_id.clone());
        let reason = match &inner.end {
            Some(End::Failed(error)) => error.code.name(),
            Some(End::Quiet(reason)) => reason,
            None => "gone",
        };
        drop(inner);
        if let Some(id) = id {
            let session: Arc<dyn ConsumerSession> = self.shared.clone();
            self.hub.state().consumers.detach(&id, &session);
            debug!(consumer = id, reason, "session ended");
        }
        metrics::session_closed(reason);
    }

    // ---- from the client ------------------------------------------------------------------------------------

    async fn read(&self, caller: Caller, mut incoming: Streaming<v1::ClientFrame>) {
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
                    Err(status) if status.code() == tonic::Code::Internal => {
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
        let head = state.head();
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
            let mut state = self.hub.state();
            if !self.is_current(&state, &id) {
                return Ok(());
            }
            let head = state.head();
            if let (Some(durable), Some(processed)) = (durable, processed)
                && durable.number > processed.number
            {
                let expected = format!("at most {}, what is processed", processed.number);
                return Err(bad_ack("ack.durable", expected, durable));
            }
            state.consumers.progress(&id, processed.or(durable), durable, head);
            drop(state);
            self.hub.heights_changed(false);
        }
        self.shared.inner().acknowledged = true;
        self.shared.work.notify_one();
        Ok(())
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
            if greeted { inner.ping.as_ref().map(|ping| ping.sent) } else { Some(clock.opened) };
        if waiting_since.is_some_and(|since| since.elapsed() > limits.ping_timeout) {
            let what = if greeted { "an answer to the heartbeat" } else { "a hello" };
            let expected = format!("{what} within {} ms", limits.ping_timeout.as_millis());
            return Err(ExExError::new(ErrorCode::Silence, "session", expected, "none"));
        }
        if !greeted {
            return Ok(());
        }
        let is_ping = inner.ping.is_none() && clock.last.elapsed() >= limits.ping;
        if is_ping || !inner.sent_since_tick {
            inner.heartbeat = Some(if is_ping { clock.next() } else { inner.heartbeat.unwrap_or(0) });
        }
        inner.sent_since_tick = false;
        drop(inner);
        self.shared.work.notify_one();
        Ok(())
    }

    // ---- to the client --------------------------------------------------------------------------------------

    async fn write(&self, outgoing: Outgoing) {
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
        if nonce != 0 {
            inner.ping = Some(Ping { nonce, sent: Instant::now() });
        }
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

    /// Whether this is the consumer's session still: a newer one may have taken over.
    fn is_current(&self, state: &State, id: &str) -> bool {
        let current = state.consumers.get(id).and_then(|consumer| consumer.session.as_ref());
        current.is_some_and(|session| std::ptr::addr_eq(Arc::as_ptr(session), Arc::as_ptr(&self.shared)))
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

const fn origin_name(origin: v1::Origin) -> &'static str {
    match origin {
        v1::Origin::Live => "live",
        v1::Origin::CatchUp => "catch_up",
    }
}
