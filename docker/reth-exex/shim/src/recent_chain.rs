//! The chain as it was told to somebody.

use std::collections::{HashSet, VecDeque};

use alloy_primitives::B256;

use crate::chain::BlockRef;

/// Two days of mainnet.
const LIMIT: usize = 16_384;
const UNDONE_LIMIT: usize = 4096;

/// What a chain has of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It is on it.
    Carried,
    /// It was, and was taken back.
    Undone,
    /// It is lower than what is kept.
    Below,
    /// Nothing.
    Unknown,
}

/// Consecutive blocks up to the tip, and what was undone of late.
#[derive(Clone, Debug)]
pub(crate) struct RecentChain {
    refs: VecDeque<BlockRef>,
    undone: HashSet<B256>,
    /// The same hashes, each once, in the order they were undone in.
    undone_order: VecDeque<B256>,
}

impl RecentChain {
    pub(crate) fn new(tip: BlockRef) -> Self {
        Self { refs: VecDeque::from([tip]), undone: HashSet::new(), undone_order: VecDeque::new() }
    }

    pub(crate) fn tip(&self) -> BlockRef {
        self.refs[self.refs.len() - 1]
    }

    pub(crate) fn oldest(&self) -> BlockRef {
        self.refs[0]
    }

    pub(crate) fn find(&self, block: BlockRef) -> Found {
        if self.at(block.number) == Some(block) {
            Found::Carried
        } else if self.undone.contains(&block.hash) {
            Found::Undone
        } else if block.number < self.oldest().number {
            Found::Below
        } else {
            Found::Unknown
        }
    }

    /// The block kept at a height.
    pub(crate) fn at(&self, number: u64) -> Option<BlockRef> {
        let index = number.checked_sub(self.oldest().number)?;
        self.refs.get(usize::try_from(index).ok()?).copied()
    }

    pub(crate) fn newest_first(&self) -> impl Iterator<Item = BlockRef> {
        self.refs.iter().rev().copied()
    }

    /// What lies above a block of this chain, oldest first.
    pub(crate) fn above(&self, block: BlockRef) -> Vec<BlockRef> {
        self.refs.iter().skip_while(|kept| kept.number <= block.number).copied().collect()
    }

    /// `tip` becomes the tip: what lies above it is undone, and so is `also`, which may be from before what is kept. A tip
    /// below everything kept begins the chain anew.
    pub(crate) fn unwind_to(&mut self, tip: BlockRef, also: &[BlockRef]) {
        for block in also {
            self.remember_undone(block.hash);
        }
        while let Some(last) = self.refs.back().copied().filter(|last| last.number > tip.number) {
            self.refs.pop_back();
            self.remember_undone(last.hash);
        }
        if self.refs.is_empty() {
            self.refs.push_back(tip);
        }
    }

    pub(crate) fn push(&mut self, block: BlockRef) {
        if self.undone.remove(&block.hash) {
            self.undone_order.retain(|hash| *hash != block.hash);
        }
        self.refs.push_back(block);
        if self.refs.len() > LIMIT {
            self.refs.pop_front();
        }
    }

    fn remember_undone(&mut self, hash: B256) {
        if self.undone.insert(hash) {
            self.undone_order.push_back(hash);
        }
        while self.undone_order.len() > UNDONE_LIMIT {
            if let Some(oldest) = self.undone_order.pop_front() {
                self.undone.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u64, salt: u64) -> BlockRef {
        BlockRef::new(number, B256::from(alloy_primitives::U256::from((number << 32) + salt + 1)))
    }

    #[test]
    fn a_block_undone_again_is_remembered_from_then_on() {
        let mut chain = RecentChain::new(block(0, 0));
        let again = block(1, 0);
        for _ in 0..2 {
            chain.push(again);
            chain.unwind_to(block(0, 0), &[]);
        }
        for salt in 1..UNDONE_LIMIT as u64 {
            chain.push(block(1, salt));
            chain.unwind_to(block(0, 0), &[]);
        }
        assert_eq!(chain.find(again), Found::Undone, "one of the last {UNDONE_LIMIT} that were undone");
        chain.push(block(1, UNDONE_LIMIT as u64));
        chain.unwind_to(block(0, 0), &[]);
        assert_eq!(chain.find(again), Found::Unknown);
    }
}
