//! From a node's block to the wire's columns.

use alloy_consensus::Transaction;
use alloy_consensus::transaction::TxHashRef;
use alloy_primitives::{Address, B256, Log};
use bytes::Bytes;
use prost::Message;

use crate::chain::{BlockRef, EncodedBlock};
use crate::proto::v1;

/// Set in a row's kind when the transaction creates a contract.
const CONTRACT_CREATION: u8 = 0x80;

/// A block's header, as far as it travels.
#[derive(Clone, Copy, Debug)]
pub struct BlockHead {
    /// The block.
    pub at: BlockRef,
    /// Hash of its parent.
    pub parent_hash: B256,
    /// Unix seconds.
    pub timestamp: u64,
    /// Gas the block may use.
    pub gas_limit: u64,
    /// Gas it used.
    pub gas_used: u64,
    /// Wei; none before London.
    pub base_fee_per_gas: Option<u64>,
}

/// A transaction with who sent it.
#[derive(Debug)]
pub struct SentTransaction<'a, T> {
    /// The transaction.
    pub transaction: &'a T,
    /// Recovered from its signature.
    pub sender: Address,
}

/// What of a receipt travels.
#[derive(Clone, Copy, Debug)]
pub struct ReceiptParts<'a> {
    /// It succeeded.
    pub success: bool,
    /// Gas used in the block up to and with this transaction.
    pub cumulative_gas_used: u64,
    /// What contracts logged.
    pub logs: &'a [Log],
}

/// A block and its receipts that do not belong together, or do not fit the wire.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Not one receipt for each transaction: a block would travel with results of others, or none.
    #[error("block {at}: expected {transactions} receipts, one a transaction, got {receipts}")]
    ReceiptCount {
        /// The block.
        at: BlockRef,
        /// How many transactions it has.
        transactions: usize,
        /// How many receipts came.
        receipts: usize,
    },
    /// Inputs or logs of more than 4 GiB.
    #[error("block {at}: expected inputs and logs of less than 4 GiB, got more")]
    TooLarge {
        /// The block.
        at: BlockRef,
    },
}

/// Encodes a block with its receipts, both in the block's order.
pub fn encode_block<'a, T>(
    head: BlockHead,
    transactions: &[SentTransaction<'a, T>],
    receipts: &[ReceiptParts<'a>],
) -> Result<EncodedBlock, EncodeError>
where
    T: Transaction + TxHashRef,
{
    let BlockHead { at, .. } = head;
    let count = transactions.len();
    if receipts.len() != count {
        return Err(EncodeError::ReceiptCount { at, transactions: count, receipts: receipts.len() });
    }
    let mut columns = Columns::with_rows(count);
    let mut gas_before = 0;
    for (sent, receipt) in transactions.iter().zip(receipts) {
        columns.push_transaction(sent.transaction, sent.sender);
        columns.push_receipt(receipt, receipt.cumulative_gas_used.saturating_sub(gas_before));
        gas_before = receipt.cumulative_gas_used;
    }
    if columns.inputs.len().max(columns.logs.len()) > u32::MAX as usize {
        return Err(EncodeError::TooLarge { at });
    }
    let mut block = columns.into_block(head, count);
    let bytes = Bytes::from(block.encode_to_vec());
    // The logs are the last fields, and fields are written in order: without them the encoding is a part of it.
    block.log_ends = Bytes::new();
    block.logs = Bytes::new();
    let lean_len = block.encoded_len();
    let parent = BlockRef::new(at.number.saturating_sub(1), head.parent_hash);
    Ok(EncodedBlock::new(at, parent, bytes, lean_len))
}

/// Columns of a block; row `i` of each is transaction `i`. Integers are little-endian, values big-endian.
#[derive(Default)]
struct Columns {
    hashes: Vec<u8>,
    senders: Vec<u8>,
    to: Vec<u8>,
    kinds: Vec<u8>,
    statuses: Vec<u8>,
    selectors: Vec<u8>,
    values: Vec<u8>,
    nonces: Vec<u8>,
    gas_limits: Vec<u8>,
    gas_used_by: Vec<u8>,
    gas_prices: Vec<u8>,
    input_ends: Vec<u8>,
    inputs: Vec<u8>,
    log_ends: Vec<u8>,
    logs: Vec<u8>,
}

impl Columns {
    fn with_rows(rows: usize) -> Self {
        Self {
            hashes: Vec::with_capacity(32 * rows),
            senders: Vec::with_capacity(20 * rows),
            to: Vec::with_capacity(20 * rows),
            values: Vec::with_capacity(32 * rows),
            ..Self::default()
        }
    }

    fn push_transaction(&mut self, transaction: &(impl Transaction + TxHashRef), sender: Address) {
        let to = transaction.to();
        let input = transaction.input();
        let selector = &input[..input.len().min(4)];
        let creates = if to.is_none() { CONTRACT_CREATION } else { 0 };
        self.hashes.extend_from_slice(transaction.tx_hash().as_slice());
        self.senders.extend_from_slice(sender.as_slice());
        self.to.extend_from_slice(to.unwrap_or_default().as_slice());
        self.kinds.push(transaction.ty() | creates);
        self.selectors.extend_from_slice(selector);
        self.selectors.resize(self.selectors.len() + 4 - selector.len(), 0);
        self.values.extend_from_slice(&transaction.value().to_be_bytes::<32>());
        self.nonces.extend_from_slice(&transaction.nonce().to_le_bytes());
        self.gas_limits.extend_from_slice(&saturated(transaction.gas_limit()).to_le_bytes());
        let price = u64::try_from(transaction.max_fee_per_gas()).unwrap_or(u64::MAX);
        self.gas_prices.extend_from_slice(&price.to_le_bytes());
        self.inputs.extend_from_slice(input);
        self.input_ends.extend_from_slice(&(self.inputs.len() as u32).to_le_bytes());
    }

    fn push_receipt(&mut self, receipt: &ReceiptParts<'_>, gas_used: u64) {
        self.statuses.push(u8::from(receipt.success));
        self.gas_used_by.extend_from_slice(&saturated(gas_used).to_le_bytes());
        for log in receipt.logs {
            self.logs.extend_from_slice(log.address.as_slice());
            self.logs.push(log.data.topics().len() as u8);
            for topic in log.data.topics() {
                self.logs.extend_from_slice(topic.as_slice());
            }
            self.logs.extend_from_slice(&(log.data.data.len() as u32).to_le_bytes());
            self.logs.extend_from_slice(&log.data.data);
        }
        self.log_ends.extend_from_slice(&(self.logs.len() as u32).to_le_bytes());
    }

    fn into_block(self, head: BlockHead, count: usize) -> v1::Block {
        let hash = |hash: B256| Bytes::copy_from_slice(hash.as_slice());
        let base_fee = head.base_fee_per_gas.map(u64::to_be_bytes);
        let base_fee = base_fee.as_ref().map_or(&[][..], |bytes| {
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            &bytes[zeros.min(7)..]
        });
        v1::Block {
            number: head.at.number,
            hash: hash(head.at.hash),
            parent_hash: hash(head.parent_hash),
            timestamp: head.timestamp,
            gas_limit: head.gas_limit,
            gas_used: head.gas_used,
            base_fee_per_gas: Bytes::copy_from_slice(base_fee),
            origin: String::new(),
            count: count as u32,
            hashes: self.hashes.into(),
            senders: self.senders.into(),
            to: self.to.into(),
            kinds: self.kinds.into(),
            statuses: self.statuses.into(),
            selectors: self.selectors.into(),
            values: self.values.into(),
            nonces: self.nonces.into(),
            gas_limits: self.gas_limits.into(),
            gas_used_by: self.gas_used_by.into(),
            gas_prices: self.gas_prices.into(),
            input_ends: self.input_ends.into(),
            inputs: self.inputs.into(),
            log_ends: self.log_ends.into(),
            logs: self.logs.into(),
        }
    }
}

fn saturated(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
