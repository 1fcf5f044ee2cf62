//! From what the node notifies to what the chain did. A node's notifications have holes: its feed ends in silence when it
//! lags, its manager drops commits after a reorg, a stream begun at a head drops shorter branches. So nothing is taken on
//! trust: every block must have a parent that was told before, and what does not fit is read from the node instead.

use crate::chain::{BlockRef, ChainNotification};
use crate::recent_chain::{Found, RecentChain};
use crate::ring::{ChainEvent, Finality};

/// The chain as it was told to the ring.
#[derive(Debug)]
pub(crate) struct ChainTracker {
    told: RecentChain,
}

/// What came of a notification.
#[derive(Debug)]
pub(crate) enum Tracked {
    /// It is told.
    Event(ChainEvent),
    /// Nothing new in it.
    Nothing,
    /// It does not follow what was told: the chain must be read from the node.
    Broken,
}

impl ChainTracker {
    pub(crate) fn new(tip: BlockRef) -> Self {
        Self { told: RecentChain::new(tip) }
    }

    pub(crate) fn tip(&self) -> BlockRef {
        self.told.tip()
    }

    /// What was told, newest first: where to look for the block that the node's chain has in common with it.
    pub(crate) fn newest_first(&self) -> Vec<BlockRef> {
        self.told.newest_first().collect()
    }

    /// Takes a notification. Its own list of undone blocks is not needed where there are new ones: the parent of the first
    /// says what is undone, also where the node forgot to say so. One that undoes `final_at` or lower is not believed.
    pub(crate) fn take(
        &mut self,
        notification: ChainNotification,
        finality: Finality,
        node_time_ms: f64,
        final_at: Option<u64>,
    ) -> Tracked {
        let ChainNotification { undo, mut blocks } = notification;
        if blocks.windows(2).any(|pair| pair[0].at != pair[1].parent) {
            return Tracked::Broken;
        }
        // What was read from the node already, after a break, is notified of late.
        let known = blocks.iter().take_while(|block| self.told.find(block.at) == Found::Carried).count();
        blocks.drain(..known);
        let parent = match (blocks.first(), undo.first()) {
            (Some(first), _) => first.parent,
            (None, Some(lowest)) if known == 0 => match self.below(*lowest) {
                Some(parent) => parent,
                None => return Tracked::Nothing,
            },
            _ => return Tracked::Nothing,
        };
        if self.told.find(parent) != Found::Carried {
            return Tracked::Broken;
        }
        let undo = self.told.above(parent);
        if undo.is_empty() && blocks.is_empty() {
            return Tracked::Nothing;
        }
        if !undo.is_empty() && final_at.is_some_and(|number| parent.number < number) {
            return Tracked::Broken;
        }
        self.told.unwind_to(parent, &[]);
        for block in &blocks {
            self.told.push(block.at);
        }
        Tracked::Event(ChainEvent { undo, blocks, parent, finality, node_time_ms })
    }

    /// Begins anew at a block that nothing told before leads to.
    pub(crate) fn restart(&mut self, tip: BlockRef) {
        self.told = RecentChain::new(tip);
    }

    /// The told block before `lowest`, when that is on the chain as told and something lies before it.
    fn below(&self, lowest: BlockRef) -> Option<BlockRef> {
        if self.told.find(lowest) != Found::Carried {
            return None;
        }
        self.told.at(lowest.number.checked_sub(1)?)
    }
}
