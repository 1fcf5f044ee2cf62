//! Who subscribed, and what waits for each.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use alloy_primitives::B256;
use tokio_stream::Stream;
use tonic::Status;
use tracing::{info, warn};

use super::encode::encode_notification;
use super::{EncodedNotification, RemoteChain};
use crate::error::{ErrorCode, ExExError};
use crate::limits::Limits;
use crate::metrics;

/// Each subscriber has a queue of its own, bounded in notifications and bytes; nobody waits for anybody.
#[derive(Debug)]
pub(crate) struct Subscribers {
    open: Mutex<Open>,
    max_subscribers: usize,
    max_notifications: usize,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct Open {
    queues: BTreeMap<u64, Queue>,
    next: u64,
    /// Why nobody can subscribe any more.
    refused: Option<Status>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<EncodedNotification>,
    bytes: usize,
    /// Where the last notification led; none before the first, which may begin anywhere.
    tip: Option<B256>,
    /// What the stream ends with after what waits.
    end: Option<Status>,
    waker: Option<Waker>,
}

impl Queue {
    fn end(&mut self, status: Status) {
        self.end.get_or_insert(status);
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Subscribers {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            open: Mutex::default(),
            max_subscribers: limits.max_sessions,
            max_notifications: limits.remote_queue_notifications,
            max_bytes: limits.remote_queue_bytes,
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(self: &Arc<Self>) -> Result<Subscription, Status> {
        let mut open = self.open();
        if let Some(status) = &open.refused {
            return Err(status.clone());
        }
        if open.queues.len() >= self.max_subscribers {
            let expected = format!("at most {} subscribers", self.max_subscribers);
            return Err(ExExError::new(ErrorCode::Unavailable, "server", expected, "one more").into());
        }
        let id = open.next;
        open.next += 1;
        open.queues.insert(id, Queue::default());
        metrics::remote_subscribers(open.queues.len());
        info!(subscriber = id, "subscribed to the official service");
        Ok(Subscription { id, subscribers: Arc::clone(self) })
    }

    /// Whether anybody listens.
    pub(crate) fn any(&self) -> bool {
        self.open().queues.values().any(|queue| queue.end.is_none())
    }

    /// Queues a notification for everybody. Whom it does not fit, the chain as told or the room there is, is ended instead.
    pub(crate) fn notify(&self, old: Option<&RemoteChain<'_>>, new: Option<&RemoteChain<'_>>) {
        let Some(step) = Step::of(old, new).filter(|_| self.any()) else { return };
        // Before the lock: this is what takes time.
        let Some(encoded) = encode_notification(step.old, step.new) else { return };
        let length = encoded.0.len();
        metrics::remote_notification(length);
        for (id, queue) in &mut self.open().queues {
            if queue.end.is_some() {
                continue;
            }
            if !step.fork_is_one || queue.tip.is_some_and(|tip| tip != step.before) {
                warn!(subscriber = id, "a notification does not follow the one before: subscriber ended");
                metrics::remote_ended("missing");
                queue.end(missing());
                continue;
            }
            let (count, bytes) = (queue.waiting.len(), queue.bytes);
            // One alone may be larger: it is held once, however many wait for it.
            if count >= self.max_notifications || (count > 0 && bytes + length > self.max_bytes) {
                let words = format!(
                    "too slow: expected at most {} notifications and {} bytes to wait, got {count} and {bytes}, and one more of \
                     {length}",
                    self.max_notifications, self.max_bytes
                );
                warn!(subscriber = id, words, "subscriber cut off");
                metrics::remote_ended("too_slow");
                queue.waiting.clear();
                queue.end(Status::resource_exhausted(words));
                continue;
            }
            queue.tip = Some(step.after);
            queue.bytes += length;
            queue.waiting.push_back(encoded.clone());
            queue.wake();
        }
    }

    /// The node's notifications have a hole: nobody who listens now can have the whole chain.
    pub(crate) fn missed(&self) {
        self.end_all("missing", &missing());
    }

    /// No notification comes any more.
    pub(crate) fn feed_ended(&self) {
        let error = ExExError::new(ErrorCode::Unavailable, "node", "notifications", "the end of its feed");
        self.open().refused = Some(error.into());
        self.missed();
    }

    pub(crate) fn going_away(&self) {
        let error =
            ExExError::new(ErrorCode::GoingAway, "subscription", "a running server", "one shutting down");
        let status = Status::from(error);
        self.open().refused = Some(status.clone());
        self.end_all("going_away", &status);
    }

    fn end_all(&self, reason: &'static str, status: &Status) {
        for (id, queue) in &mut self.open().queues {
            if queue.end.is_none() {
                warn!(subscriber = id, reason, "subscriber ended");
                metrics::remote_ended(reason);
                queue.end(status.clone());
            }
        }
    }
}

fn missing() -> Status {
    let words = "notifications are missing: subscribe again, and rebuild what was derived from them";
    Status::data_loss(words)
}

/// What a notification does to the chain: from one tip to another.
struct Step<'a, 'b> {
    old: Option<&'a RemoteChain<'b>>,
    new: Option<&'a RemoteChain<'b>>,
    before: B256,
    after: B256,
    /// What it takes back and what it adds begin at the same block.
    fork_is_one: bool,
}

impl<'a, 'b> Step<'a, 'b> {
    /// None where there is no block in it.
    fn of(old: Option<&'a RemoteChain<'b>>, new: Option<&'a RemoteChain<'b>>) -> Option<Self> {
        let ends = |chain: Option<&RemoteChain<'_>>| {
            let blocks = &chain?.blocks;
            Some((blocks.first()?.header.parent_hash, blocks.last()?.hash))
        };
        let (old_ends, new_ends) = (ends(old), ends(new));
        let (parent, _) = old_ends.or(new_ends)?;
        Some(Self {
            old: old.filter(|_| old_ends.is_some()),
            new: new.filter(|_| new_ends.is_some()),
            before: old_ends.map_or(parent, |(_, tip)| tip),
            after: new_ends.map_or(parent, |(_, tip)| tip),
            fork_is_one: new_ends.is_none_or(|(fork, _)| fork == parent),
        })
    }
}

/// One subscriber's stream: what waits for it, then what it ends with.
#[derive(Debug)]
pub(crate) struct Subscription {
    id: u64,
    subscribers: Arc<Subscribers>,
}

impl Stream for Subscription {
    type Item = Result<EncodedNotification, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut open = self.subscribers.open();
        let Some(queue) = open.queues.get_mut(&self.id) else { return Poll::Ready(None) };
        if let Some(notification) = queue.waiting.pop_front() {
            queue.bytes -= notification.0.len();
            return Poll::Ready(Some(Ok(notification)));
        }
        if let Some(status) = queue.end.take() {
            open.queues.remove(&self.id);
            metrics::remote_subscribers(open.queues.len());
            return Poll::Ready(Some(Err(status)));
        }
        queue.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut open = self.subscribers.open();
        if open.queues.remove(&self.id).is_some() {
            metrics::remote_subscribers(open.queues.len());
        }
    }
}
