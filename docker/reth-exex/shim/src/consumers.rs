//! The consumers seen since the server started: what each has processed and made durable, and who holds FinishedHeight back.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::chain::BlockRef;
use crate::proto::v1;

/// How a consumer's session is told of what happens to it.
pub(crate) trait ConsumerSession: Send + Sync {
    /// A newer session took over.
    fn fence(&self);
    /// FinishedHeight no longer waits for this consumer.
    fn evicted(&self, message: String);
}

pub(crate) struct Consumer {
    pub(crate) mode: v1::Mode,
    pub(crate) session: Option<Arc<dyn ConsumerSession>>,
    pub(crate) processed: Option<BlockRef>,
    pub(crate) durable: Option<BlockRef>,
    pub(crate) evicted: bool,
    /// Height of the head when it last made progress: what its budget is counted from.
    head_at_progress: u64,
    /// seq of its next notification; goes on over its sessions.
    pub(crate) next_seq: u64,
}

impl Consumer {
    /// Blocks between the head and what it has processed.
    pub(crate) fn lag(&self, head: BlockRef) -> u64 {
        let processed = self.processed.or(self.durable).map_or(0, |block| block.number);
        head.number.saturating_sub(processed)
    }
}

/// Nothing is kept over a restart: a consumer registers anew with its Hello.
pub(crate) struct Consumers {
    by_id: BTreeMap<String, Consumer>,
    evict_after_blocks: u64,
}

impl Consumers {
    pub(crate) fn new(evict_after_blocks: u64) -> Self {
        Self { by_id: BTreeMap::new(), evict_after_blocks }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Consumer> {
        self.by_id.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Consumer> {
        self.by_id.get_mut(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Consumer)> {
        self.by_id.iter()
    }

    /// The consumer of this id, from now on served by `session`; a session it had before is fenced.
    pub(crate) fn attach(
        &mut self,
        id: &str,
        mode: v1::Mode,
        session: Arc<dyn ConsumerSession>,
        head: BlockRef,
    ) -> &mut Consumer {
        let consumer = self.by_id.entry(id.to_owned()).or_insert(Consumer {
            mode,
            session: None,
            processed: None,
            durable: None,
            evicted: false,
            head_at_progress: head.number,
            next_seq: 1,
        });
        if let Some(old) = consumer.session.replace(session) {
            old.fence();
        }
        consumer.mode = mode;
        consumer.evicted = false;
        consumer.head_at_progress = head.number;
        consumer
    }

    pub(crate) fn detach(&mut self, id: &str, session: &Arc<dyn ConsumerSession>) {
        let Some(consumer) = self.by_id.get_mut(id) else { return };
        if !consumer.session.as_ref().is_some_and(|current| Arc::ptr_eq(current, session)) {
            return;
        }
        consumer.session = None;
        // An observer promises nothing and is promised nothing: without a session there is nothing to remember.
        if consumer.mode == v1::Mode::Observer {
            self.by_id.remove(id);
        }
    }

    /// Takes an acknowledgement already checked against the chain.
    pub(crate) fn progress(
        &mut self,
        id: &str,
        processed: Option<BlockRef>,
        durable: Option<BlockRef>,
        head: BlockRef,
    ) {
        let Some(consumer) = self.by_id.get_mut(id) else { return };
        consumer.processed = processed.or(consumer.processed);
        let Some(durable) = durable else { return };
        if consumer.durable.map(|block| block.hash) != Some(durable.hash) {
            consumer.head_at_progress = head.number;
            consumer.evicted = false;
        }
        consumer.durable = Some(durable);
    }

    /// The chain undid everything above `ancestor`: no height may name a block of it.
    pub(crate) fn undo_to(&mut self, ancestor: BlockRef) {
        for consumer in self.by_id.values_mut() {
            for height in [&mut consumer.processed, &mut consumer.durable] {
                if height.is_some_and(|block| block.number > ancestor.number) {
                    *height = Some(ancestor);
                }
            }
        }
    }

    /// Marks the durable consumers whose budget is used up, and returns their ids: they no longer hold FinishedHeight.
    pub(crate) fn evict_stuck(&mut self, head: BlockRef) -> Vec<String> {
        let budget = self.evict_after_blocks;
        let mut stuck = Vec::new();
        for (id, consumer) in &mut self.by_id {
            let is_stuck = consumer.mode == v1::Mode::Durable
                && !consumer.evicted
                && head.number.saturating_sub(consumer.head_at_progress) > budget
                && consumer.durable.is_none_or(|durable| durable.number < head.number);
            if !is_stuck {
                continue;
            }
            consumer.evicted = true;
            if let Some(session) = &consumer.session {
                session.evicted(format!(
                    "no durable progress for more than {budget} blocks: FinishedHeight no longer waits for you"
                ));
            }
            stuck.push(id.clone());
        }
        stuck
    }

    pub(crate) fn drop_consumer(&mut self, id: &str) -> bool {
        let Some(consumer) = self.by_id.remove(id) else { return false };
        if let Some(session) = consumer.session {
            session.fence();
        }
        true
    }

    /// The height the node may forget up to: the least durable height of the durable consumers, never above `finalized`.
    /// None while there is no durable consumer, or one that has not said yet what it holds.
    pub(crate) fn finished_number(&self, finalized: Option<u64>) -> Option<u64> {
        let mut least = finalized?;
        let mut any = false;
        for consumer in self.by_id.values().filter(|consumer| consumer.mode == v1::Mode::Durable) {
            any = true;
            // All evicted: nobody is waited for.
            if !consumer.evicted {
                least = least.min(consumer.durable?.number);
            }
        }
        // Nobody has come: somebody may.
        any.then_some(least)
    }
}
