//! A chain that does what a script says: blocks of real types, and the reader a node would be.

// Shared: no one of its users needs all of it.
#![allow(dead_code)]

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_consensus::{
    EthereumReceipt, EthereumTxEnvelope, Header, SignableTransaction, TxEip1559, TxEip4844, TxType,
};
use alloy_primitives::{Address, B256, Bytes, Log, LogData, Signature, TxKind, U256, keccak256};
use monmouth_exex_shim::{
    BlockHead, BlockRef, ChainNotification, ChainReader, EncodedBlock, NodeHeads, ReadError, ReceiptParts,
    RemoteBlock, RemoteChain, SentTransaction, Shim, encode_block,
};
use revm_database::BundleState;

/// Every chain of this kind has it.
pub const CHAIN_ID: u64 = 1337;

/// The chain, and what of it the node would be able to read.
pub struct ScriptedChain {
    inner: Mutex<Inner>,
    input_bytes: usize,
    held: Mutex<Held>,
    released: Condvar,
}

/// A read that waits, so that a test can act meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Nothing,
    /// The next read of this height.
    Next(u64),
    Waiting,
}

/// A block as a node has it.
struct WholeBlock {
    header: Header,
    transactions: Vec<EthereumTxEnvelope<TxEip4844>>,
    senders: Vec<Address>,
    receipts: Vec<EthereumReceipt>,
}

struct Inner {
    blocks: Vec<Arc<EncodedBlock>>,
    /// Every block there ever was, by hash.
    whole: HashMap<B256, Arc<WholeBlock>>,
    finalized: Option<usize>,
    oldest_block: u64,
    failing_reads: u32,
    /// Reads of blocks until the chain moves by itself: depth and count of `change`.
    moves_in: Option<(u32, usize, usize)>,
    made: u64,
}

impl ScriptedChain {
    /// A chain of the genesis block alone; each block after it has one transaction with so much input.
    pub fn new(input_bytes: usize) -> Self {
        let (genesis, _) = build_block(BlockRef::new(u64::MAX, B256::ZERO), 0, 0);
        let inner = Inner {
            blocks: vec![genesis],
            whole: HashMap::new(),
            finalized: None,
            oldest_block: 0,
            failing_reads: 0,
            moves_in: None,
            made: 0,
        };
        let held = Mutex::new(Held::Nothing);
        Self { inner: Mutex::new(inner), input_bytes, held, released: Condvar::new() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the last `depth` blocks, genesis excepted, by `count` new ones; what a node would notify of.
    pub fn change(&self, depth: usize, count: usize) -> ChainNotification {
        let mut inner = self.inner();
        self.change_locked(&mut inner, depth, count)
    }

    fn change_locked(&self, inner: &mut Inner, depth: usize, count: usize) -> ChainNotification {
        let kept = inner.blocks.len() - depth.min(inner.blocks.len() - 1);
        let undo = inner.blocks.drain(kept..).map(|block| block.at).collect();
        let mut blocks = Vec::new();
        for _ in 0..count {
            inner.made += 1;
            let (parent, salt) = (inner.blocks[inner.blocks.len() - 1].at, inner.made);
            let (block, whole) = build_block(parent, salt, self.input_bytes);
            inner.whole.insert(block.at.hash, Arc::new(whole));
            inner.blocks.push(Arc::clone(&block));
            blocks.push(block);
        }
        if inner.finalized.is_some_and(|number| number >= inner.blocks.len()) {
            inner.finalized = None;
        }
        ChainNotification { undo, blocks }
    }

    /// Tells a server of a change, as a node does: both of its services.
    pub fn notify(&self, shim: &Shim, notification: ChainNotification) {
        let whole = |at: &BlockRef| (at.hash, Arc::clone(&self.inner().whole[&at.hash]));
        let old: Vec<_> = notification.undo.iter().map(whole).collect();
        let new: Vec<_> = notification.blocks.iter().map(|block| whole(&block.at)).collect();
        shim.notify(notification);
        if !shim.has_remote_subscribers() {
            return;
        }
        let bundle = BundleState::default();
        let receipts_of =
            |blocks: &[(B256, Arc<WholeBlock>)]| blocks.iter().map(|(_, one)| one.receipts.clone()).collect();
        let (old_receipts, new_receipts): (Vec<_>, Vec<_>) = (receipts_of(&old), receipts_of(&new));
        shim.notify_remote(
            remote_chain(&old, &old_receipts, &bundle),
            remote_chain(&new, &new_receipts, &bundle),
        );
    }

    /// The next read of the block at this height, or of its hash, waits until it is released.
    pub fn hold_read(&self, number: u64) {
        *self.held() = Held::Next(number);
    }

    /// Whether a read waits.
    pub fn is_reading(&self) -> bool {
        *self.held() == Held::Waiting
    }

    /// The read that waits goes on.
    pub fn release_read(&self) {
        *self.held() = Held::Nothing;
        self.released.notify_all();
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_if_held(&self, number: u64) {
        let mut held = self.held();
        if *held != Held::Next(number) {
            return;
        }
        *held = Held::Waiting;
        // Not for ever: a test that failed meanwhile releases nothing.
        let patience = Duration::from_secs(30);
        drop(self.released.wait_timeout_while(held, patience, |held| *held == Held::Waiting));
    }

    /// The block at a height is final from now on.
    pub fn finalize(&self, number: usize) {
        let mut inner = self.inner();
        assert!(number < inner.blocks.len(), "no block {number} to finalize");
        inner.finalized = Some(number);
    }

    /// History below this is gone.
    pub fn prune(&self, oldest_block: u64) {
        self.inner().oldest_block = oldest_block;
    }

    /// The next reads of blocks fail, so many times.
    pub fn fail_reads(&self, times: u32) {
        self.inner().failing_reads = times;
    }

    /// At the read of a block after so many others, the chain changes first, and nobody is told.
    pub fn move_in(&self, reads: u32, depth: usize, count: usize) {
        self.inner().moves_in = Some((reads, depth, count));
    }

    /// Nothing fails or moves any more.
    pub fn settle(&self) {
        let mut inner = self.inner();
        inner.failing_reads = 0;
        inner.moves_in = None;
    }

    /// Genesis first.
    pub fn canonical(&self) -> Vec<BlockRef> {
        self.inner().blocks.iter().map(|block| block.at).collect()
    }
}

impl ChainReader for ScriptedChain {
    fn chain_id(&self) -> u64 {
        CHAIN_ID
    }

    fn genesis_hash(&self) -> B256 {
        self.inner().blocks[0].at.hash
    }

    fn heads(&self) -> Result<NodeHeads, ReadError> {
        let inner = self.inner();
        let finalized = inner.finalized.map(|number| inner.blocks[number].at);
        Ok(NodeHeads {
            head: inner.blocks[inner.blocks.len() - 1].at,
            safe: finalized,
            finalized,
            oldest_block: inner.oldest_block,
            syncing: false,
        })
    }

    fn canonical_hash(&self, number: u64) -> Result<Option<B256>, ReadError> {
        self.wait_if_held(number);
        let inner = self.inner();
        Ok((number >= inner.oldest_block)
            .then(|| inner.blocks.get(number as usize).map(|block| block.at.hash))
            .flatten())
    }

    fn block(&self, number: u64) -> Result<Option<Arc<EncodedBlock>>, ReadError> {
        self.wait_if_held(number);
        let mut inner = self.inner();
        if inner.failing_reads > 0 {
            inner.failing_reads -= 1;
            return Err(ReadError::Failed("told to fail".to_owned()));
        }
        match inner.moves_in {
            Some((0, depth, count)) => {
                inner.moves_in = None;
                self.change_locked(&mut inner, depth, count);
            }
            Some((reads, depth, count)) => inner.moves_in = Some((reads - 1, depth, count)),
            None => {}
        }
        if number < inner.oldest_block {
            return Err(ReadError::Pruned { number, oldest_block: inner.oldest_block });
        }
        Ok(inner.blocks.get(number as usize).cloned())
    }
}

/// A block on a parent; `salt` makes siblings differ. The genesis block's parent has the number before 0.
fn build_block(parent: BlockRef, salt: u64, input_bytes: usize) -> (Arc<EncodedBlock>, WholeBlock) {
    let number = parent.number.wrapping_add(1);
    let transaction = TxEip1559 {
        chain_id: CHAIN_ID,
        nonce: salt,
        gas_limit: 100_000,
        max_fee_per_gas: 2_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(Address::repeat_byte(7)),
        value: U256::from(salt),
        input: Bytes::from(vec![0x5a; input_bytes]),
        ..TxEip1559::default()
    };
    let signature = Signature::new(U256::from(salt + 1), U256::from(1), false);
    let transaction = EthereumTxEnvelope::<TxEip4844>::Eip1559(transaction.into_signed(signature));
    let header = Header {
        number,
        parent_hash: parent.hash,
        timestamp: 1_700_000_000 + 12 * number,
        gas_limit: 30_000_000,
        gas_used: 21_000,
        base_fee_per_gas: Some(1_000_000_000),
        extra_data: Bytes::copy_from_slice(&salt.to_be_bytes()),
        ..Header::default()
    };
    let head = BlockHead {
        at: BlockRef::new(number, header.hash_slow()),
        parent_hash: parent.hash,
        timestamp: header.timestamp,
        gas_limit: header.gas_limit,
        gas_used: header.gas_used,
        base_fee_per_gas: header.base_fee_per_gas,
    };
    let topic = keccak256(salt.to_be_bytes());
    let log =
        Log { address: Address::repeat_byte(7), data: LogData::new_unchecked(vec![topic], Bytes::new()) };
    let receipt = EthereumReceipt {
        tx_type: TxType::Eip1559,
        success: true,
        cumulative_gas_used: 21_000,
        logs: vec![log],
    };
    let (transactions, receipts) =
        if number == 0 { (vec![], vec![]) } else { (vec![transaction], vec![receipt]) };
    let senders = vec![Address::repeat_byte(9); transactions.len()];
    let sent: Vec<_> = transactions
        .iter()
        .zip(&senders)
        .map(|(transaction, sender)| SentTransaction { transaction, sender: *sender })
        .collect();
    let parts: Vec<_> = receipts
        .iter()
        .map(|receipt| ReceiptParts {
            success: receipt.success,
            cumulative_gas_used: receipt.cumulative_gas_used,
            logs: &receipt.logs,
        })
        .collect();
    let encoded = encode_block(head, &sent, &parts).expect("one receipt a transaction");
    (Arc::new(encoded), WholeBlock { header, transactions, senders, receipts })
}

fn remote_chain<'a>(
    blocks: &'a [(B256, Arc<WholeBlock>)],
    receipts: &'a [Vec<EthereumReceipt>],
    bundle: &'a BundleState,
) -> Option<RemoteChain<'a>> {
    let (_, first) = blocks.first()?;
    let views = blocks.iter().map(|(hash, block)| RemoteBlock {
        hash: *hash,
        header: &block.header,
        transactions: &block.transactions,
        ommers: &[],
        senders: &block.senders,
    });
    Some(RemoteChain { blocks: views.collect(), bundle, receipts, first_block: first.header.number })
}
