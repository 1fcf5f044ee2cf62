//! The service `exex.v1.ExEx`: sessions, and the calls for tools.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use tracing::warn;

use crate::auth::Tokens;
use crate::cursor::is_canonical;
use crate::error::{ErrorCode, ExExError};
use crate::hub::{Hub, State};
use crate::proto::v1;
use crate::proto::v1::ex_ex_server::ExEx;
use crate::session::{SERVER_NAME, SessionHandle, spawn_session};
use crate::wire::{PROTOCOL, optional_from_wire, to_wire};

/// Sessions that are open, each under a number of its own.
#[derive(Default)]
pub(crate) struct Sessions {
    open: Mutex<BTreeMap<u64, SessionHandle>>,
}

impl Sessions {
    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, SessionHandle>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, session: SessionHandle) -> u64 {
        let mut open = self.open();
        let number = open.last_key_value().map_or(0, |(last, _)| last + 1);
        open.insert(number, session);
        number
    }

    pub(crate) fn going_away(&self) {
        for session in self.open().values() {
            session.going_away();
        }
    }
}

pub(crate) struct ExExService {
    pub(crate) hub: Arc<Hub>,
    pub(crate) tokens: Tokens,
    pub(crate) sessions: Arc<Sessions>,
}

#[tonic::async_trait]
impl ExEx for ExExService {
    type SessionStream = Pin<Box<dyn tokio_stream::Stream<Item = Result<v1::ServerFrame, Status>> + Send>>;

    async fn session(
        &self,
        request: Request<Streaming<v1::ClientFrame>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let caller = self.tokens.authenticate(request.metadata())?;
        let limits = &self.hub.limits;
        if self.sessions.open().len() >= limits.max_sessions {
            let expected = format!("at most {} sessions", limits.max_sessions);
            return Err(ExExError::new(ErrorCode::Unavailable, "server", expected, "one more").into());
        }
        let (outgoing, messages) = mpsc::channel(limits.send_buffer_messages);
        let (handle, task) = spawn_session(Arc::clone(&self.hub), caller, request.into_inner(), outgoing);
        let sessions = Arc::clone(&self.sessions);
        let id = sessions.add(handle);
        tokio::spawn(async move {
            if let Err(error) = task.await {
                warn!(%error, "session ended early");
            }
            sessions.open().remove(&id);
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(messages))))
    }

    async fn get_info(&self, request: Request<v1::GetInfoRequest>) -> Result<Response<v1::Info>, Status> {
        self.tokens.authenticate(request.metadata())?;
        let hub = &self.hub;
        let state = hub.state();
        Ok(Response::new(v1::Info {
            protocol_min: *PROTOCOL.start(),
            protocol_max: *PROTOCOL.end(),
            chain_id: hub.chain_id,
            genesis_hash: bytes::Bytes::copy_from_slice(hub.genesis_hash.as_slice()),
            head: Some(to_wire(state.head())),
            finalized: state.finality.finalized.map(to_wire),
            oldest_block: state.oldest_block,
            server: SERVER_NAME.to_owned(),
            finished_height: state.finished.map(to_wire),
            profiles: vec![v1::Profile::Transactions.into(), v1::Profile::Receipts.into()],
        }))
    }

    async fn list_consumers(
        &self,
        request: Request<v1::ListConsumersRequest>,
    ) -> Result<Response<v1::ListConsumersResponse>, Status> {
        self.tokens.authenticate(request.metadata())?;
        let state = self.hub.state();
        let head = state.head();
        let consumers = state.consumers.iter().map(|(id, consumer)| v1::Consumer {
            id: id.clone(),
            mode: consumer.mode.into(),
            connected: consumer.session.is_some(),
            processed: consumer.processed.map(to_wire),
            durable: consumer.durable.map(to_wire),
            lag_blocks: consumer.lag(head),
            evicted: consumer.evicted,
        });
        Ok(Response::new(v1::ListConsumersResponse { consumers: consumers.collect() }))
    }

    async fn drop_consumer(
        &self,
        request: Request<v1::DropConsumerRequest>,
    ) -> Result<Response<v1::DropConsumerResponse>, Status> {
        let caller = self.tokens.authenticate(request.metadata())?;
        let id = request.into_inner().consumer_id;
        caller.check(&id)?;
        let dropped = self.hub.state().consumers.drop_consumer(&id);
        warn!(consumer = id, dropped, "consumer dropped by request");
        self.hub.heights_changed(false);
        Ok(Response::new(v1::DropConsumerResponse { dropped }))
    }

    /// Answers with the height that the node was told because of it; where the look-up of its hash takes long, with the one
    /// before, and GetInfo has the new one later.
    async fn acknowledge(
        &self,
        request: Request<v1::AcknowledgeRequest>,
    ) -> Result<Response<v1::AcknowledgeResponse>, Status> {
        let caller = self.tokens.authenticate(request.metadata())?;
        let v1::AcknowledgeRequest { consumer_id: id, ack } = request.into_inner();
        caller.check(&id)?;
        let ack = ack.unwrap_or_default();
        let durable = optional_from_wire("ack.durable", ack.durable.as_ref())?;
        let processed = optional_from_wire("ack.processed", ack.processed.as_ref())?.or(durable);
        check_unary(&self.hub.state(), &id)?;
        let Some(processed) = processed else {
            return Err(bad_request("ack", "a processed or a durable block", "neither").into());
        };
        if durable.is_some_and(|durable| durable.number > processed.number) {
            let expected = format!("at most {}, what is processed", processed.number);
            return Err(bad_request("ack.durable", &expected, "more").into());
        }
        for block in std::iter::once(processed).chain(durable) {
            if !self.hub.read(move |reader| is_canonical(reader, block)).await.map_err(ExExError::from)? {
                let error = ExExError::new(ErrorCode::BadAck, "ack", "a canonical block", block.to_string());
                return Err(error.advise("The height is unchanged.").into());
            }
        }
        {
            let mut state = self.hub.state();
            // Again, and with what follows in one: a session may have opened meanwhile.
            check_unary(&state, &id)?;
            let head = state.head();
            state.consumers.progress(&id, Some(processed), durable, head);
        }
        self.hub.settle_height().await;
        let state = self.hub.state();
        let durable = state.consumers.get(&id).and_then(|consumer| consumer.durable);
        let acknowledged =
            v1::Acknowledged { durable: durable.map(to_wire), finished_height: state.finished.map(to_wire) };
        Ok(Response::new(v1::AcknowledgeResponse { acknowledged: Some(acknowledged) }))
    }
}

/// The call is for a consumer that is known and has no session: on a session, an acknowledgement shares its fate.
fn check_unary(state: &State, id: &str) -> Result<(), ExExError> {
    match state.consumers.get(id) {
        None => Err(bad_request("consumer_id", "a consumer this server knows", id)),
        Some(consumer) if consumer.session.is_some() => Err(ExExError::new(
            ErrorCode::SessionOpen,
            "acknowledge",
            "no open session of the consumer",
            format!("one of {id}"),
        )
        .advise("Acknowledge on the session.")),
        Some(_) => Ok(()),
    }
}

fn bad_request(place: &str, expected: &str, actual: &str) -> ExExError {
    ExExError::new(ErrorCode::BadRequest, place, expected, actual)
}
