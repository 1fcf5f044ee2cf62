//! The node's chain, read through its provider.

use std::sync::Arc;

use alloy_primitives::B256;
use monmouth_exex_shim::{BlockRef, ChainReader, EncodedBlock, NodeHeads, ReadError};
use reth_ethereum::provider::{
    BlockIdReader, BlockReader, ProviderError, PruneCheckpointReader, TransactionVariant,
};
use reth_ethereum::{Block, Receipt};
use reth_prune_types::PruneSegment;

use crate::blocks::encode;

/// Reads the canonical chain, in memory and in the database.
pub struct ProviderReader<P> {
    /// The node's provider.
    pub provider: P,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Hash of block 0.
    pub genesis_hash: B256,
    /// Whether the node is behind its network.
    pub is_syncing: Box<dyn Fn() -> bool + Send + Sync>,
}

impl<P> ProviderReader<P>
where
    P: BlockIdReader + PruneCheckpointReader,
{
    /// The oldest block that is there with its body and its receipts.
    fn oldest_block(&self) -> Result<u64, ReadError> {
        let mut oldest = self.provider.earliest_block_number().map_err(failed)?;
        for segment in [PruneSegment::Bodies, PruneSegment::Receipts] {
            let checkpoint = self.provider.get_prune_checkpoint(segment).map_err(failed)?;
            if let Some(pruned_to) = checkpoint.and_then(|checkpoint| checkpoint.block_number) {
                oldest = oldest.max(pruned_to + 1);
            }
        }
        Ok(oldest)
    }
}

impl<P> ChainReader for ProviderReader<P>
where
    P: BlockReader<Block = Block, Receipt = Receipt>
        + BlockIdReader
        + PruneCheckpointReader
        + Send
        + Sync
        + 'static,
{
    fn chain_id(&self) -> u64 {
        self.chain_id
    }

    fn genesis_hash(&self) -> B256 {
        self.genesis_hash
    }

    fn heads(&self) -> Result<NodeHeads, ReadError> {
        let head = self.provider.chain_info().map_err(failed)?;
        let safe = self.provider.safe_block_num_hash().map_err(failed)?;
        let finalized = self.provider.finalized_block_num_hash().map_err(failed)?;
        Ok(NodeHeads {
            head: BlockRef::new(head.best_number, head.best_hash),
            safe: safe.map(|block| BlockRef::new(block.number, block.hash)),
            finalized: finalized.map(|block| BlockRef::new(block.number, block.hash)),
            oldest_block: self.oldest_block()?,
            syncing: (self.is_syncing)(),
        })
    }

    fn canonical_hash(&self, number: u64) -> Result<Option<B256>, ReadError> {
        self.provider.block_hash(number).map_err(failed)
    }

    fn block(&self, number: u64) -> Result<Option<Arc<EncodedBlock>>, ReadError> {
        let Some(hash) = self.canonical_hash(number)? else { return Ok(None) };
        // By hash: were the chain to change between the two reads, a number would give the block of one and the receipts of
        // the other.
        let block =
            self.provider.recovered_block(hash.into(), TransactionVariant::WithHash).map_err(failed)?;
        let receipts = self.provider.receipts_by_block(hash.into()).map_err(failed)?;
        let (Some(block), Some(receipts)) = (block, receipts) else {
            let oldest_block = self.oldest_block()?;
            if number < oldest_block {
                return Err(ReadError::Pruned { number, oldest_block });
            }
            return match self.canonical_hash(number)? {
                Some(now) if now == hash => Err(ReadError::Failed(format!(
                    "block {number} {hash} is canonical, its body or receipts are missing"
                ))),
                // It left the chain meanwhile; who reads looks for the fork then.
                _ => Ok(None),
            };
        };
        encode(&block, &receipts).map(Some).map_err(|error| ReadError::Failed(error.to_string()))
    }
}

fn failed(error: ProviderError) -> ReadError {
    ReadError::Failed(error.to_string())
}
