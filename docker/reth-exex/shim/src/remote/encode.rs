//! From a node's chain to the messages of `remote.proto`. Numbers wider than the message's own are little-endian bytes.

use alloy_consensus::{EthereumReceipt, EthereumTxEnvelope, Header, TxEip4844, TxType};
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{FixedBytes, Signature, TxKind, U256};
use bytes::Bytes;
use prost::Message;

use super::encode_state::state_of;
use super::{EncodedNotification, RemoteBlock, RemoteChain};
use crate::proto::remote;
use crate::proto::remote::ex_ex_notification::Notification;

/// A notification that takes `old` back and adds `new`; none that does neither.
pub(super) fn encode_notification(
    old: Option<&RemoteChain<'_>>,
    new: Option<&RemoteChain<'_>>,
) -> Option<EncodedNotification> {
    let notification = match (old.map(chain_of), new.map(chain_of)) {
        (None, None) => return None,
        (None, new) => Notification::ChainCommitted(remote::ChainCommitted { new }),
        (old, None) => Notification::ChainReverted(remote::ChainReverted { old }),
        (old, new) => Notification::ChainReorged(remote::ChainReorged { old, new }),
    };
    let message = remote::ExExNotification { notification: Some(notification) };
    Some(EncodedNotification(message.encode_to_vec().into()))
}

fn chain_of(chain: &RemoteChain<'_>) -> remote::Chain {
    remote::Chain {
        blocks: chain.blocks.iter().map(block_of).collect(),
        execution_outcome: Some(remote::ExecutionOutcome {
            bundle: Some(state_of(chain.bundle)),
            receipts: chain.receipts.iter().map(|receipts| receipts_of(receipts)).collect(),
            first_block: chain.first_block,
        }),
    }
}

fn block_of(block: &RemoteBlock<'_>) -> remote::Block {
    let header = remote::SealedHeader { hash: fixed(block.hash), header: Some(header_of(block.header)) };
    remote::Block {
        header: Some(header),
        body: block.transactions.iter().map(transaction_of).collect(),
        ommers: block.ommers.iter().map(header_of).collect(),
        senders: block.senders.iter().map(|sender| fixed(**sender)).collect(),
    }
}

fn header_of(header: &Header) -> remote::Header {
    remote::Header {
        parent_hash: fixed(header.parent_hash),
        ommers_hash: fixed(header.ommers_hash),
        beneficiary: fixed(*header.beneficiary),
        state_root: fixed(header.state_root),
        transactions_root: fixed(header.transactions_root),
        receipts_root: fixed(header.receipts_root),
        withdrawals_root: header.withdrawals_root.map(fixed),
        logs_bloom: fixed(*header.logs_bloom),
        difficulty: u256(header.difficulty),
        number: header.number,
        gas_limit: header.gas_limit,
        gas_used: header.gas_used,
        timestamp: header.timestamp,
        mix_hash: fixed(header.mix_hash),
        nonce: fixed(header.nonce),
        base_fee_per_gas: header.base_fee_per_gas,
        blob_gas_used: header.blob_gas_used,
        excess_blob_gas: header.excess_blob_gas,
        parent_beacon_block_root: header.parent_beacon_block_root.map(fixed),
        extra_data: shared(&header.extra_data),
    }
}

fn transaction_of(transaction: &EthereumTxEnvelope<TxEip4844>) -> remote::Transaction {
    use remote::transaction::Transaction;
    let kind = match transaction {
        EthereumTxEnvelope::Legacy(signed) => {
            let tx = signed.tx();
            Transaction::Legacy(remote::Legacy {
                chain_id: tx.chain_id,
                nonce: tx.nonce,
                gas_price: u128(tx.gas_price),
                gas_limit: u64(tx.gas_limit),
                to: Some(recipient_of(tx.to)),
                value: u256(tx.value),
                input: shared(&tx.input),
            })
        }
        EthereumTxEnvelope::Eip2930(signed) => {
            let tx = signed.tx();
            Transaction::Eip2930(remote::Eip2930 {
                chain_id: tx.chain_id,
                nonce: tx.nonce,
                gas_price: u128(tx.gas_price),
                gas_limit: u64(tx.gas_limit),
                to: Some(recipient_of(tx.to)),
                value: u256(tx.value),
                access_list: access_of(&tx.access_list),
                input: shared(&tx.input),
            })
        }
        EthereumTxEnvelope::Eip1559(signed) => {
            let tx = signed.tx();
            Transaction::Eip1559(remote::Eip1559 {
                chain_id: tx.chain_id,
                nonce: tx.nonce,
                gas_limit: u64(tx.gas_limit),
                max_fee_per_gas: u128(tx.max_fee_per_gas),
                max_priority_fee_per_gas: u128(tx.max_priority_fee_per_gas),
                to: Some(recipient_of(tx.to)),
                value: u256(tx.value),
                access_list: access_of(&tx.access_list),
                input: shared(&tx.input),
            })
        }
        EthereumTxEnvelope::Eip4844(signed) => {
            let tx = signed.tx();
            Transaction::Eip4844(remote::Eip4844 {
                chain_id: tx.chain_id,
                nonce: tx.nonce,
                gas_limit: u64(tx.gas_limit),
                max_fee_per_gas: u128(tx.max_fee_per_gas),
                max_priority_fee_per_gas: u128(tx.max_priority_fee_per_gas),
                to: fixed(*tx.to),
                value: u256(tx.value),
                access_list: access_of(&tx.access_list),
                blob_versioned_hashes: tx.blob_versioned_hashes.iter().copied().map(fixed).collect(),
                max_fee_per_blob_gas: u128(tx.max_fee_per_blob_gas),
                input: shared(&tx.input),
            })
        }
        EthereumTxEnvelope::Eip7702(signed) => {
            let tx = signed.tx();
            Transaction::Eip7702(remote::Eip7702 {
                chain_id: tx.chain_id,
                nonce: tx.nonce,
                gas_limit: u64(tx.gas_limit),
                max_fee_per_gas: u128(tx.max_fee_per_gas),
                max_priority_fee_per_gas: u128(tx.max_priority_fee_per_gas),
                to: fixed(*tx.to),
                value: u256(tx.value),
                access_list: access_of(&tx.access_list),
                authorization_list: tx.authorization_list.iter().map(authorization_of).collect(),
                input: shared(&tx.input),
            })
        }
    };
    remote::Transaction {
        hash: fixed(*transaction.tx_hash()),
        signature: Some(signature_of(transaction.signature())),
        transaction: Some(kind),
    }
}

fn signature_of(signature: &Signature) -> remote::Signature {
    remote::Signature { r: u256(signature.r()), s: u256(signature.s()), y_parity: signature.v().into() }
}

fn recipient_of(to: TxKind) -> remote::Recipient {
    use remote::recipient::Kind;
    let kind = match to {
        TxKind::Create => Kind::Create(remote::Nothing {}),
        TxKind::Call(address) => Kind::Call(fixed(*address)),
    };
    remote::Recipient { kind: Some(kind) }
}

fn access_of(list: &AccessList) -> Vec<remote::Access> {
    let items = list.iter().map(|item| remote::Access {
        address: fixed(*item.address),
        storage_keys: item.storage_keys.iter().copied().map(fixed).collect(),
    });
    items.collect()
}

fn authorization_of(signed: &SignedAuthorization) -> remote::SignedAuthorization {
    let authorization = remote::Authorization {
        chain_id: u256(*signed.chain_id()),
        address: fixed(**signed.address()),
        nonce: signed.nonce(),
    };
    let signature =
        remote::Signature { r: u256(signed.r()), s: u256(signed.s()), y_parity: signed.y_parity().into() };
    remote::SignedAuthorization { authorization: Some(authorization), signature: Some(signature) }
}

fn receipts_of(receipts: &[EthereumReceipt]) -> remote::BlockReceipts {
    let receipts = receipts.iter().map(|receipt| {
        let full = remote::FullReceipt {
            tx_type: tx_type_of(receipt.tx_type).into(),
            success: receipt.success,
            cumulative_gas_used: receipt.cumulative_gas_used,
            logs: receipt.logs.iter().map(log_of).collect(),
        };
        remote::Receipt { receipt: Some(remote::receipt::Receipt::NonEmpty(full)) }
    });
    remote::BlockReceipts { receipts: receipts.collect() }
}

const fn tx_type_of(tx_type: TxType) -> remote::TxType {
    match tx_type {
        TxType::Legacy => remote::TxType::Legacy,
        TxType::Eip2930 => remote::TxType::Eip2930,
        TxType::Eip1559 => remote::TxType::Eip1559,
        TxType::Eip4844 => remote::TxType::Eip4844,
        TxType::Eip7702 => remote::TxType::Eip7702,
    }
}

fn log_of(log: &alloy_primitives::Log) -> remote::Log {
    let data = remote::LogData {
        topics: log.data.topics().iter().copied().map(fixed).collect(),
        data: shared(&log.data.data),
    };
    remote::Log { address: fixed(*log.address), data: Some(data) }
}

/// Hashes and addresses: bytes as they are.
pub(super) fn fixed<const N: usize>(bytes: FixedBytes<N>) -> Bytes {
    Bytes::copy_from_slice(bytes.as_slice())
}

pub(super) fn u256(value: U256) -> Bytes {
    Bytes::copy_from_slice(&value.to_le_bytes::<32>())
}

fn u128(value: u128) -> Bytes {
    Bytes::copy_from_slice(&value.to_le_bytes())
}

fn u64(value: u64) -> Bytes {
    Bytes::copy_from_slice(&value.to_le_bytes())
}

/// Without a copy.
pub(super) fn shared(bytes: &alloy_primitives::Bytes) -> Bytes {
    bytes.0.clone()
}
