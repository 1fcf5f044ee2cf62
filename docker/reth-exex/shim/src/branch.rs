//! From what was told to where the node's chain is now, by reading it.

use std::collections::VecDeque;

use crate::chain::{BlockRef, ChainNotification, ChainReader, NodeHeads, ReadError};
use crate::cursor::canonical_ref;

/// The node's chain above what it has in common with what was told.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) heads: NodeHeads,
    pub(crate) notification: ChainNotification,
    /// The newest told block that is canonical.
    pub(crate) common: Option<BlockRef>,
    /// What was told leads nowhere near: the block to begin at.
    pub(crate) restart_at: Option<BlockRef>,
}

/// Reads from the newest block of `told` (newest first) that is canonical to the head: the last `max_blocks` blocks at most,
/// and of them the last `max_bytes`.
pub(crate) fn read_branch(
    reader: &dyn ChainReader,
    told: &[BlockRef],
    max_blocks: usize,
    max_bytes: usize,
) -> Result<Branch, ReadError> {
    let heads = reader.heads()?;
    let mut common = None;
    for block in told.iter().filter(|block| block.number <= heads.head.number) {
        if canonical_ref(reader, block.number)? == Some(*block) {
            common = Some(*block);
            break;
        }
    }
    let lowest = heads.head.number.saturating_sub(max_blocks as u64);
    let connected = common.filter(|common| common.number >= lowest);
    let mut from = match connected {
        Some(common) => common,
        None => canonical_ref(reader, lowest)?
            .ok_or_else(|| ReadError::Failed(format!("expected a block at {lowest}, below its head")))?,
    };
    let mut is_connected = connected.is_some();
    let mut blocks = VecDeque::new();
    let mut bytes = 0;
    for number in from.number + 1..=heads.head.number {
        let Some(block) = reader.block(number)? else { break };
        bytes += block.bytes.len();
        blocks.push_back(block);
        while bytes > max_bytes
            && let Some(dropped) = blocks.pop_front()
        {
            bytes -= dropped.bytes.len();
            from = dropped.at;
            is_connected = false;
        }
    }
    let undone = told.iter().rev().filter(|block| is_connected && block.number > from.number);
    let notification = ChainNotification { undo: undone.copied().collect(), blocks: blocks.into() };
    Ok(Branch { heads, notification, common, restart_at: (!is_connected).then_some(from) })
}
