//! The service `exex.RemoteExEx`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::{RemoteExEx, Subscribers, Subscription};
use crate::auth::Tokens;
use crate::proto::remote::SubscribeRequest;

pub(crate) struct RemoteService {
    pub(crate) subscribers: Arc<Subscribers>,
    pub(crate) tokens: Tokens,
}

#[tonic::async_trait]
impl RemoteExEx for RemoteService {
    type SubscribeStream = Subscription;

    async fn subscribe(&self, request: Request<SubscribeRequest>) -> Result<Response<Subscription>, Status> {
        self.tokens.authenticate(request.metadata())?;
        Ok(Response::new(self.subscribers.subscribe()?))
    }
}
