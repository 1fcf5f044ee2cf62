//! From reth's blocks to those of the wire.

use std::sync::Arc;

use monmouth_exex_shim::{
    BlockHead, BlockRef, EncodeError, EncodedBlock, ReceiptParts, RemoteBlock, RemoteChain, SentTransaction,
    encode_block,
};
use reth_ethereum::primitives::RecoveredBlock;
use reth_ethereum::provider::Chain;
use reth_ethereum::{Block, Receipt};

/// A block and its receipts, encoded.
pub fn encode(block: &RecoveredBlock<Block>, receipts: &[Receipt]) -> Result<Arc<EncodedBlock>, EncodeError> {
    let header = block.header();
    let head = BlockHead {
        at: BlockRef::new(header.number, block.hash()),
        parent_hash: header.parent_hash,
        timestamp: header.timestamp,
        gas_limit: header.gas_limit,
        gas_used: header.gas_used,
        base_fee_per_gas: header.base_fee_per_gas,
    };
    let transactions: Vec<_> = block
        .body()
        .transactions
        .iter()
        .zip(block.senders())
        .map(|(transaction, sender)| SentTransaction { transaction, sender: *sender })
        .collect();
    let receipts: Vec<_> = receipts
        .iter()
        .map(|receipt| ReceiptParts {
            success: receipt.success,
            cumulative_gas_used: receipt.cumulative_gas_used,
            logs: &receipt.logs,
        })
        .collect();
    encode_block(head, &transactions, &receipts).map(Arc::new)
}

/// The blocks of a chain, oldest first, encoded.
pub fn encode_chain(chain: &Chain) -> Result<Vec<Arc<EncodedBlock>>, EncodeError> {
    // By number, not by position: a chain may hold results of fewer blocks than it has, and a block without its own must fail.
    let outcome = chain.execution_outcome();
    chain
        .blocks_iter()
        .map(|block| {
            let has_results = block.header().number >= outcome.first_block;
            encode(block, if has_results { outcome.receipts_by_block(block.header().number) } else { &[] })
        })
        .collect()
}

/// Which blocks a chain has, oldest first.
pub fn refs_of(chain: &Chain) -> Vec<BlockRef> {
    chain.blocks_iter().map(|block| BlockRef::new(block.header().number, block.hash())).collect()
}

/// A chain as the official service sends it.
pub fn remote_chain(chain: &Chain) -> RemoteChain<'_> {
    let outcome = chain.execution_outcome();
    let blocks = chain.blocks_iter().map(|block| RemoteBlock {
        hash: block.hash(),
        header: block.header(),
        transactions: &block.body().transactions,
        ommers: &block.body().ommers,
        senders: block.senders(),
    });
    RemoteChain {
        blocks: blocks.collect(),
        bundle: &outcome.bundle,
        receipts: &outcome.receipts,
        first_block: outcome.first_block,
    }
}
