//! What the sessions of one server share, and how the chain gets into it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use alloy_primitives::B256;
use tokio::sync::{Notify, mpsc, watch};
use tracing::{debug, error, info, warn};

use crate::branch::read_branch;
use crate::chain::{BlockRef, ChainNotification, ChainReader, NodeHeads, ReadError};
use crate::consumers::Consumers;
use crate::cursor::canonical_ref;
use crate::limits::{HEIGHT_PATIENCE, Limits};
use crate::metrics;
use crate::remote::Subscribers;
use crate::ring::{ChainEvent, Finality, LiveRing};
use crate::tracker::{ChainTracker, Tracked};

/// All that changes, behind one lock that is never held over a wait or a read of the node.
pub(crate) struct State {
    pub(crate) ring: LiveRing,
    pub(crate) consumers: Consumers,
    pub(crate) finality: Finality,
    pub(crate) oldest_block: u64,
    pub(crate) syncing: bool,
    /// Why the node cannot be followed just now.
    pub(crate) problem: Option<String>,
    /// What the node was told last.
    pub(crate) finished: Option<BlockRef>,
    tracker: ChainTracker,
    /// Since when the node's head has been another than what was told, without a word from the node.
    differs_since: Option<Instant>,
}

impl State {
    /// The newest block told of.
    pub(crate) fn head(&self) -> BlockRef {
        self.ring.tip()
    }
}

/// One chain and those who follow it.
pub(crate) struct Hub {
    pub(crate) reader: Arc<dyn ChainReader>,
    pub(crate) limits: Limits,
    pub(crate) chain_id: u64,
    pub(crate) genesis_hash: B256,
    /// Random per start.
    pub(crate) epoch: u64,
    /// Who follows by the official service.
    pub(crate) remote: Arc<Subscribers>,
    state: Mutex<State>,
    /// Counts what happened to the chain: who waits for more watches it.
    moved: watch::Sender<u64>,
    finish: Notify,
    resend: AtomicBool,
    telling: tokio::sync::Mutex<()>,
    finished: mpsc::UnboundedSender<BlockRef>,
    rebuild: Notify,
    /// The node's feed has ended: from now on its chain is read.
    feed_ended: AtomicBool,
}

impl Hub {
    pub(crate) fn new(
        reader: Arc<dyn ChainReader>,
        limits: Limits,
        finished: mpsc::UnboundedSender<BlockRef>,
    ) -> Result<Self, ReadError> {
        let heads = reader.heads()?;
        let state = State {
            ring: LiveRing::new(heads.head, limits.ring_blocks, limits.ring_bytes),
            consumers: Consumers::new(limits.evict_after_blocks),
            finality: Finality { safe: heads.safe, finalized: heads.finalized },
            oldest_block: heads.oldest_block,
            syncing: heads.syncing,
            problem: None,
            finished: None,
            tracker: ChainTracker::new(heads.head),
            differs_since: None,
        };
        Ok(Self {
            chain_id: reader.chain_id(),
            genesis_hash: reader.genesis_hash(),
            epoch: rand::random(),
            remote: Arc::new(Subscribers::new(&limits)),
            reader,
            limits,
            state: Mutex::new(state),
            moved: watch::Sender::new(0),
            finish: Notify::new(),
            resend: AtomicBool::new(false),
            telling: tokio::sync::Mutex::new(()),
            finished,
            rebuild: Notify::new(),
            feed_ended: AtomicBool::new(false),
        })
    }

    /// Nothing that holds it can panic half-way through a change, so a poisoned lock is as good as another.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// Takes what the node notifies. It returns at once, whatever the consumers do.
    pub(crate) fn notify(&self, notification: ChainNotification) {
        let heads = self.reader.heads();
        let tip = notification.blocks.last().map(|block| block.at);
        let mut state = self.state();
        // What is final now is told with this block only where the node is at it now: else it may be of a chain to come.
        let heads = heads.ok().filter(|heads| tip == Some(heads.head));
        let finality = heads.as_ref().map_or(state.finality, finality_of);
        // A branch left long ago may be notified of late: what was told as final is undone only where the node's chain itself
        // says so.
        let final_at = state.finality.finalized.map(|block| block.number);
        match state.tracker.take(notification, finality, now_ms(), final_at) {
            Tracked::Event(event) => {
                if let Some(heads) = &heads {
                    adopt(&mut state, heads);
                }
                self.push(&mut state, event);
            }
            Tracked::Nothing => {}
            Tracked::Broken => {
                drop(state);
                warn!(tip = ?tip, "notification does not follow what was told: reading the chain from the node");
                self.missed();
                self.rebuild.notify_one();
            }
        }
    }

    /// What the node's feed brings next is not known: the chain is read from the node.
    pub(crate) fn feed_broken(&self, reason: &str) {
        warn!(reason, "feed broken: reading the chain from the node");
        self.missed();
        self.rebuild.notify_one();
    }

    /// The node's feed brings nothing more.
    pub(crate) fn feed_ended(&self) {
        error!("the node's feed has ended: following its head by reading");
        self.feed_ended.store(true, Ordering::Relaxed);
        self.remote.feed_ended();
        self.rebuild.notify_one();
    }

    /// Whether the node's notifications still come.
    pub(crate) fn is_fed(&self) -> bool {
        !self.feed_ended.load(Ordering::Relaxed)
    }

    /// A notification is missing. What the ring lacks is read from the node; the official service has nothing else to send.
    fn missed(&self) {
        metrics::break_seen();
        self.remote.missed();
    }

    fn push(&self, state: &mut State, event: ChainEvent) {
        self.evict_stuck(state);
        self.tell(state, event);
    }

    /// Done before an event: nobody can have made progress on blocks that are only now announced.
    fn evict_stuck(&self, state: &mut State) {
        let head = state.ring.tip();
        for consumer in state.consumers.evict_stuck(head) {
            error!(consumer, %head, "consumer evicted");
            metrics::consumer_evicted();
        }
    }

    fn tell(&self, state: &mut State, event: ChainEvent) {
        let head = state.ring.tip();
        let undoes = !event.undo.is_empty();
        let parent = event.parent;
        let follows = event.undo.last().map_or(parent.hash, |last| last.hash) == head.hash;
        metrics::told(event.undo.len(), event.blocks.len());
        state.ring.push(event);
        if undoes || !follows {
            state.consumers.undo_to(parent);
        }
        state.differs_since = None;
        metrics::ring(state.ring.blocks(), state.ring.bytes(), state.ring.tip());
        let resend = undoes && state.finished.is_some_and(|told| told.number > parent.number);
        self.heights_changed(resend);
        self.moved.send_modify(|version| *version += 1);
    }

    /// Something that FinishedHeight follows from has changed; `resend`: tell it though it be the same.
    pub(crate) fn heights_changed(&self, resend: bool) {
        if resend {
            self.resend.store(true, Ordering::Relaxed);
        }
        self.finish.notify_one();
    }

    fn finalized_number(&self, state: &State) -> Option<u64> {
        let finalized = state.finality.finalized.map(|block| block.number);
        finalized.or_else(|| state.head().number.checked_sub(self.limits.finality_depth).filter(|n| *n > 0))
    }

    fn finished_number(&self, state: &State) -> Option<u64> {
        state.consumers.finished_number(self.finalized_number(state))
    }

    /// Tells the node what it may forget, for as long as it lives: min(durable of all durable consumers, finalized), its hash
    /// looked up at that moment. reth drops commits at or below a stale height after a reorg, so none above finalized is safe.
    pub(crate) async fn tell_heights(self: Arc<Self>) {
        loop {
            self.finish.notified().await;
            self.tell_if_changed().await;
        }
    }

    /// Tells the node now, and waits for it a moment: who acknowledged is answered with what came of it.
    pub(crate) async fn settle_height(self: &Arc<Self>) {
        let hub = Arc::clone(self);
        // A task of its own: one that is begun is not given up half-way.
        let told = tokio::spawn(async move { hub.tell_if_changed().await });
        let _ = tokio::time::timeout(HEIGHT_PATIENCE, told).await;
    }

    async fn tell_if_changed(&self) {
        // One at a time: what was looked up earlier is never told after what was looked up later.
        let _turn = self.telling.lock().await;
        let resend = self.resend.swap(false, Ordering::Relaxed);
        let number = {
            let state = self.state();
            let number = self.finished_number(&state);
            number.filter(|number| resend || state.finished.map(|told| told.number) != Some(*number))
        };
        let is_told = match number {
            Some(number) => self.look_up_and_tell(number).await,
            // Nobody has said yet what it holds, or nothing has changed.
            None => false,
        };
        if !is_told {
            // The next acknowledgement or block asks again.
            self.resend.fetch_or(resend, Ordering::Relaxed);
        }
    }

    async fn look_up_and_tell(&self, number: u64) -> bool {
        match self.read(move |reader| canonical_ref(reader, number)).await {
            Ok(Some(height)) => self.tell_height(height),
            Ok(None) => {
                debug!(number, "finished height not told: the node does not know its hash");
                false
            }
            Err(error) => {
                warn!(%error, "finished height not told");
                false
            }
        }
    }

    fn tell_height(&self, height: BlockRef) -> bool {
        let mut state = self.state();
        // What was durable at the look-up may have been undone since.
        if self.finished_number(&state).is_none_or(|number| number < height.number) {
            return false;
        }
        state.finished = Some(height);
        metrics::finished_height(height.number);
        // Nobody listens any more: the node is going away.
        let _ = self.finished.send(height);
        true
    }

    /// Compares the node's head with what was told, and reads the chain where a notification is missing.
    pub(crate) async fn watch(self: Arc<Self>) {
        let mut turn = tokio::time::interval(self.limits.watch);
        turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let asked = tokio::select! {
                () = self.rebuild.notified() => true,
                _ = turn.tick() => false,
            };
            let outcome = match self.read(|reader| reader.heads()).await {
                Ok(heads) if asked || self.is_missing(&heads) => self.read_chain().await,
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            };
            let problem = outcome.err().map(|error| error.to_string());
            if let Some(problem) = &problem {
                warn!(problem, "the node cannot be read");
                if asked {
                    // Asked for, and not done: again at the next turn.
                    tokio::time::sleep(self.limits.watch).await;
                    self.rebuild.notify_one();
                }
            }
            self.state().problem = problem;
        }
    }

    /// Whether the node's head has been another than what was told for too long. Where it is the same, finality is taken over.
    fn is_missing(&self, heads: &NodeHeads) -> bool {
        let mut state = self.state();
        state.oldest_block = heads.oldest_block;
        state.syncing = heads.syncing;
        if heads.head == state.tracker.tip() {
            state.differs_since = None;
            let before = state.finality;
            adopt(&mut state, heads);
            if state.finality != before {
                self.heights_changed(false);
            }
            return false;
        }
        if !self.is_fed() {
            return true;
        }
        // The node's head moves a moment before it notifies.
        let since = *state.differs_since.get_or_insert_with(Instant::now);
        let is_missing = since.elapsed() > self.limits.watch_patience;
        if is_missing {
            self.missed();
            warn!(head = %heads.head, told = %state.tracker.tip(), "the node's head is not what it notified of");
        }
        is_missing
    }

    /// Brings what was told to where the node's chain is, by reading it.
    pub(crate) async fn read_chain(&self) -> Result<(), ReadError> {
        for _ in 0..3 {
            let told = self.state().tracker.newest_first();
            let tip = told[0];
            let (blocks, bytes) = (self.limits.ring_blocks, self.limits.ring_bytes);
            let read = self.read(move |reader| read_branch(reader, &told, blocks, bytes)).await?;
            let mut state = self.state();
            // Notified of meanwhile: what was read may be behind it.
            if state.tracker.tip() != tip {
                continue;
            }
            let finality = finality_of(&read.heads);
            self.evict_stuck(&mut state);
            if let Some(parent) = read.restart_at {
                self.remote.missed();
                warn!(%parent, "too far from what was told: consumers read the chain from the node");
                state.tracker.restart(parent);
                // Above what the chains have in common nothing that is durable is known to be of this one.
                let common = read.common.unwrap_or(BlockRef::new(0, self.genesis_hash));
                state.consumers.undo_to(common);
                let event =
                    ChainEvent { undo: vec![], blocks: vec![], parent, finality, node_time_ms: now_ms() };
                self.tell(&mut state, event);
            }
            match state.tracker.take(read.notification, finality, now_ms(), None) {
                Tracked::Event(event) => {
                    info!(undone = event.undo.len(), blocks = event.blocks.len(), "chain read from the node");
                    // Also who subscribed since the break: what was read may be notified of late, or not at all.
                    self.remote.missed();
                    adopt(&mut state, &read.heads);
                    self.tell(&mut state, event);
                    return Ok(());
                }
                Tracked::Nothing => return Ok(()),
                // The chain moved while it was read.
                Tracked::Broken => {}
            }
        }
        Err(ReadError::Failed("its chain changed three times while it was read".to_owned()))
    }

    /// Runs a read of the node on a thread that may block.
    pub(crate) async fn read<T: Send + 'static, E: Send + From<ReadError> + 'static>(
        &self,
        read: impl FnOnce(&dyn ChainReader) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let reader = Arc::clone(&self.reader);
        match tokio::task::spawn_blocking(move || read(reader.as_ref())).await {
            Ok(result) => result,
            Err(error) => Err(ReadError::Failed(format!("the read ended early: {error}")).into()),
        }
    }
}

const fn finality_of(heads: &NodeHeads) -> Finality {
    Finality { safe: heads.safe, finalized: heads.finalized }
}

fn adopt(state: &mut State, heads: &NodeHeads) {
    state.finality = finality_of(heads);
    state.oldest_block = heads.oldest_block;
    state.syncing = heads.syncing;
}

/// Unix milliseconds.
pub(crate) fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}
