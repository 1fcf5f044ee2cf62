//! Every field of every message comes out of the generated decoder as it went into the encoder.

mod state;

use alloy_consensus::{
    EthereumReceipt, EthereumTxEnvelope, Header, SignableTransaction, TxEip1559, TxEip2930, TxEip4844,
    TxEip7702, TxLegacy, TxType,
};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B64, B256, Bloom, Log, LogData, Signature, TxKind, U256};
use bytes::Bytes;
use prost::Message;
use revm_database::BundleState;

use super::encode::encode_notification;
use super::{RemoteBlock, RemoteChain};
use crate::proto::remote as wire;
use state::{bundle, bundle_bytes};

type Transaction = EthereumTxEnvelope<TxEip4844>;

/// A number's bytes, lowest first, in the width of its type.
fn little(value: u64, width: usize) -> Bytes {
    let mut bytes = value.to_le_bytes().to_vec();
    bytes.resize(width, 0);
    bytes.into()
}

/// A number of 256 bits whose lowest byte is 1 and whose highest is `high`: the order shows.
fn wide(high: u8) -> U256 {
    (U256::from(high) << 248) + U256::from(1)
}

fn wide_bytes(high: u8) -> Bytes {
    let mut bytes = vec![0; 32];
    (bytes[0], bytes[31]) = (1, high);
    bytes.into()
}

fn filled(byte: u8, width: usize) -> Bytes {
    vec![byte; width].into()
}

fn signature(byte: u8, y_parity: bool) -> Signature {
    Signature::new(wide(byte), wide(byte + 1), y_parity)
}

fn signature_bytes(byte: u8, y_parity: u32) -> Option<wire::Signature> {
    Some(wire::Signature { r: wide_bytes(byte), s: wide_bytes(byte + 1), y_parity })
}

fn access() -> AccessList {
    let item = |byte, storage_keys| AccessListItem { address: Address::repeat_byte(byte), storage_keys };
    AccessList(vec![item(0x21, vec![B256::repeat_byte(0x22), B256::repeat_byte(0x23)]), item(0x24, vec![])])
}

fn access_bytes() -> Vec<wire::Access> {
    let item = |byte, storage_keys| wire::Access { address: filled(byte, 20), storage_keys };
    vec![item(0x21, vec![filled(0x22, 32), filled(0x23, 32)]), item(0x24, vec![])]
}

/// One of each type, and a creation by each type that can.
fn transactions() -> Vec<Transaction> {
    let call = TxKind::Call(Address::repeat_byte(0x31));
    let to = Address::repeat_byte(0x32);
    let input = alloy_primitives::Bytes::from_static(b"input");
    let legacy = |chain_id, to| TxLegacy {
        chain_id,
        nonce: 1,
        gas_price: 1 << 100,
        gas_limit: 2,
        to,
        value: wide(3),
        input: input.clone(),
    };
    let eip2930 = |to| TxEip2930 {
        chain_id: 1337,
        nonce: 4,
        gas_price: 5,
        gas_limit: 6,
        to,
        value: wide(7),
        access_list: access(),
        input: input.clone(),
    };
    let eip1559 = |to| TxEip1559 {
        chain_id: 1337,
        nonce: 8,
        gas_limit: 9,
        max_fee_per_gas: 10,
        max_priority_fee_per_gas: 11,
        to,
        value: wide(12),
        access_list: access(),
        input: input.clone(),
    };
    let eip4844 = TxEip4844 {
        chain_id: 1337,
        nonce: 13,
        gas_limit: 14,
        max_fee_per_gas: 15,
        max_priority_fee_per_gas: 16,
        to,
        value: wide(17),
        access_list: access(),
        blob_versioned_hashes: vec![B256::repeat_byte(0x33), B256::repeat_byte(0x34)],
        max_fee_per_blob_gas: 18,
        input: input.clone(),
    };
    let authorization = |chain_id, byte, y_parity| {
        let inner = Authorization { chain_id, address: Address::repeat_byte(byte), nonce: byte.into() };
        SignedAuthorization::new_unchecked(inner, y_parity, wide(byte), wide(byte + 1))
    };
    let eip7702 = TxEip7702 {
        chain_id: 1337,
        nonce: 19,
        gas_limit: 20,
        max_fee_per_gas: 21,
        max_priority_fee_per_gas: 22,
        to,
        value: wide(23),
        access_list: AccessList::default(),
        authorization_list: vec![authorization(U256::ZERO, 0x41, 0), authorization(wide(1), 0x43, 1)],
        input: input.clone(),
    };
    vec![
        Transaction::Legacy(legacy(Some(1337), call).into_signed(signature(0x51, false))),
        Transaction::Legacy(legacy(None, TxKind::Create).into_signed(signature(0x51, true))),
        Transaction::Eip2930(eip2930(call).into_signed(signature(0x52, true))),
        Transaction::Eip2930(eip2930(TxKind::Create).into_signed(signature(0x52, true))),
        Transaction::Eip1559(eip1559(call).into_signed(signature(0x53, false))),
        Transaction::Eip1559(eip1559(TxKind::Create).into_signed(signature(0x53, false))),
        Transaction::Eip4844(eip4844.into_signed(signature(0x54, true))),
        Transaction::Eip7702(eip7702.into_signed(signature(0x55, false))),
    ]
}

fn transactions_bytes(transactions: &[Transaction]) -> Vec<wire::Transaction> {
    use wire::transaction::Transaction as Kind;
    let recipient = |kind| Some(wire::Recipient { kind: Some(kind) });
    let call = || recipient(wire::recipient::Kind::Call(filled(0x31, 20)));
    let create = || recipient(wire::recipient::Kind::Create(wire::Nothing {}));
    let to = filled(0x32, 20);
    let input = Bytes::from_static(b"input");
    let mut gas_price = vec![0; 16];
    gas_price[12] = 1 << 4;
    let legacy = |chain_id, to| {
        Kind::Legacy(wire::Legacy {
            chain_id,
            nonce: 1,
            gas_price: gas_price.clone().into(),
            gas_limit: little(2, 8),
            to,
            value: wide_bytes(3),
            input: input.clone(),
        })
    };
    let eip2930 = |to| {
        Kind::Eip2930(wire::Eip2930 {
            chain_id: 1337,
            nonce: 4,
            gas_price: little(5, 16),
            gas_limit: little(6, 8),
            to,
            value: wide_bytes(7),
            access_list: access_bytes(),
            input: input.clone(),
        })
    };
    let eip1559 = |to| {
        Kind::Eip1559(wire::Eip1559 {
            chain_id: 1337,
            nonce: 8,
            gas_limit: little(9, 8),
            max_fee_per_gas: little(10, 16),
            max_priority_fee_per_gas: little(11, 16),
            to,
            value: wide_bytes(12),
            access_list: access_bytes(),
            input: input.clone(),
        })
    };
    let eip4844 = Kind::Eip4844(wire::Eip4844 {
        chain_id: 1337,
        nonce: 13,
        gas_limit: little(14, 8),
        max_fee_per_gas: little(15, 16),
        max_priority_fee_per_gas: little(16, 16),
        to: to.clone(),
        value: wide_bytes(17),
        access_list: access_bytes(),
        blob_versioned_hashes: vec![filled(0x33, 32), filled(0x34, 32)],
        max_fee_per_blob_gas: little(18, 16),
        input: input.clone(),
    });
    let authorization = |chain_id, byte: u8, y_parity| wire::SignedAuthorization {
        authorization: Some(wire::Authorization { chain_id, address: filled(byte, 20), nonce: byte.into() }),
        signature: signature_bytes(byte, y_parity),
    };
    let eip7702 = Kind::Eip7702(wire::Eip7702 {
        chain_id: 1337,
        nonce: 19,
        gas_limit: little(20, 8),
        max_fee_per_gas: little(21, 16),
        max_priority_fee_per_gas: little(22, 16),
        to,
        value: wide_bytes(23),
        access_list: vec![],
        authorization_list: vec![
            authorization(filled(0, 32), 0x41, 0),
            authorization(wide_bytes(1), 0x43, 1),
        ],
        input: input.clone(),
    });
    let kinds = [
        (legacy(Some(1337), call()), signature_bytes(0x51, 0)),
        (legacy(None, create()), signature_bytes(0x51, 1)),
        (eip2930(call()), signature_bytes(0x52, 1)),
        (eip2930(create()), signature_bytes(0x52, 1)),
        (eip1559(call()), signature_bytes(0x53, 0)),
        (eip1559(create()), signature_bytes(0x53, 0)),
        (eip4844, signature_bytes(0x54, 1)),
        (eip7702, signature_bytes(0x55, 0)),
    ];
    assert_eq!(transactions.len(), kinds.len());
    let rows = transactions.iter().zip(kinds).map(|(transaction, (kind, signature))| wire::Transaction {
        hash: transaction.tx_hash().to_vec().into(),
        signature,
        transaction: Some(kind),
    });
    rows.collect()
}

fn header(number: u64, parent_hash: B256, is_recent: bool) -> Header {
    Header {
        parent_hash,
        ommers_hash: B256::repeat_byte(0x61),
        beneficiary: Address::repeat_byte(0x62),
        state_root: B256::repeat_byte(0x63),
        transactions_root: B256::repeat_byte(0x64),
        receipts_root: B256::repeat_byte(0x65),
        withdrawals_root: is_recent.then_some(B256::repeat_byte(0x66)),
        logs_bloom: Bloom::repeat_byte(0x67),
        difficulty: wide(0x68),
        number,
        gas_limit: 1,
        gas_used: 2,
        timestamp: 3,
        mix_hash: B256::repeat_byte(0x69),
        nonce: B64::repeat_byte(0x6a),
        base_fee_per_gas: is_recent.then_some(4),
        blob_gas_used: is_recent.then_some(5),
        excess_blob_gas: is_recent.then_some(0),
        parent_beacon_block_root: is_recent.then_some(B256::repeat_byte(0x6b)),
        extra_data: alloy_primitives::Bytes::from_static(b"extra"),
        ..Header::default()
    }
}

fn header_bytes(number: u64, parent_hash: B256, is_recent: bool) -> wire::Header {
    wire::Header {
        parent_hash: parent_hash.to_vec().into(),
        ommers_hash: filled(0x61, 32),
        beneficiary: filled(0x62, 20),
        state_root: filled(0x63, 32),
        transactions_root: filled(0x64, 32),
        receipts_root: filled(0x65, 32),
        withdrawals_root: is_recent.then(|| filled(0x66, 32)),
        logs_bloom: filled(0x67, 256),
        difficulty: wide_bytes(0x68),
        number,
        gas_limit: 1,
        gas_used: 2,
        timestamp: 3,
        mix_hash: filled(0x69, 32),
        nonce: filled(0x6a, 8),
        base_fee_per_gas: is_recent.then_some(4),
        blob_gas_used: is_recent.then_some(5),
        excess_blob_gas: is_recent.then_some(0),
        parent_beacon_block_root: is_recent.then(|| filled(0x6b, 32)),
        extra_data: Bytes::from_static(b"extra"),
    }
}

fn receipts() -> Vec<EthereumReceipt> {
    let log = Log {
        address: Address::repeat_byte(0x71),
        data: LogData::new_unchecked(
            vec![B256::repeat_byte(0x72), B256::repeat_byte(0x73)],
            alloy_primitives::Bytes::from_static(b"data"),
        ),
    };
    let types = [TxType::Legacy, TxType::Eip2930, TxType::Eip1559, TxType::Eip4844, TxType::Eip7702];
    let receipts = types.into_iter().zip(1..).map(|(tx_type, i)| EthereumReceipt {
        tx_type,
        success: i % 2 == 0,
        cumulative_gas_used: i << 32,
        logs: vec![log.clone(); i as usize % 3],
    });
    receipts.collect()
}

fn receipts_bytes() -> wire::BlockReceipts {
    let log = wire::Log {
        address: filled(0x71, 20),
        data: Some(wire::LogData {
            topics: vec![filled(0x72, 32), filled(0x73, 32)],
            data: Bytes::from_static(b"data"),
        }),
    };
    let receipts = (1..=5_u64).map(|i| {
        let full = wire::FullReceipt {
            tx_type: i as i32 - 1,
            success: i % 2 == 0,
            cumulative_gas_used: i << 32,
            logs: vec![log.clone(); i as usize % 3],
        };
        wire::Receipt { receipt: Some(wire::receipt::Receipt::NonEmpty(full)) }
    });
    wire::BlockReceipts { receipts: receipts.collect() }
}

/// What comes in no order, in one.
fn sorted(mut chain: wire::Chain) -> wire::Chain {
    let outcome = chain.execution_outcome.as_mut().expect("an outcome");
    let bundle = outcome.bundle.as_mut().expect("a bundle");
    bundle.state.sort_by_key(|account| account.address.clone());
    bundle.contracts.sort_by_key(|contract| contract.hash.clone());
    for account in &mut bundle.state {
        account.storage.sort_by_key(|slot| slot.key.clone());
    }
    for revert in bundle.reverts.iter_mut().flat_map(|block| &mut block.reverts) {
        revert.storage.sort_by_key(|slot| slot.key.clone());
    }
    chain
}

#[test]
fn everything_is_decoded_as_it_was() {
    let transactions = transactions();
    let (parent, first, second) = (B256::repeat_byte(0x91), B256::repeat_byte(0x92), B256::repeat_byte(0x93));
    let (header_1, header_2, ommer) =
        (header(7, parent, true), header(8, first, false), header(6, parent, false));
    let senders = vec![Address::repeat_byte(0x94); transactions.len()];
    let (bundle, receipts) = (bundle(), [receipts(), vec![]]);
    let block_1 = RemoteBlock {
        hash: first,
        header: &header_1,
        transactions: &transactions,
        ommers: std::slice::from_ref(&ommer),
        senders: &senders,
    };
    let block_2 =
        RemoteBlock { hash: second, header: &header_2, transactions: &[], ommers: &[], senders: &[] };
    let new =
        RemoteChain { blocks: vec![block_1, block_2], bundle: &bundle, receipts: &receipts, first_block: 7 };
    let empty = BundleState::default();
    let old = RemoteChain { blocks: vec![block_2], bundle: &empty, receipts: &[], first_block: 8 };

    let sealed =
        |hash: B256, header| Some(wire::SealedHeader { hash: hash.to_vec().into(), header: Some(header) });
    let wire_1 = wire::Block {
        header: sealed(first, header_bytes(7, parent, true)),
        body: transactions_bytes(&transactions),
        ommers: vec![header_bytes(6, parent, false)],
        senders: vec![filled(0x94, 20); transactions.len()],
    };
    let wire_2 =
        wire::Block { header: sealed(second, header_bytes(8, first, false)), ..wire::Block::default() };
    let expected_new = wire::Chain {
        blocks: vec![wire_1, wire_2.clone()],
        execution_outcome: Some(wire::ExecutionOutcome {
            bundle: Some(bundle_bytes()),
            receipts: vec![receipts_bytes(), wire::BlockReceipts { receipts: vec![] }],
            first_block: 7,
        }),
    };
    let expected_old = wire::Chain {
        blocks: vec![wire_2],
        execution_outcome: Some(wire::ExecutionOutcome {
            bundle: Some(wire::BundleState::default()),
            receipts: vec![],
            first_block: 8,
        }),
    };

    use wire::ex_ex_notification::Notification;
    let decode = |old, new| {
        let encoded = encode_notification(old, new).expect("something to say");
        let message = wire::ExExNotification::decode(encoded.0).expect("is of the contract");
        message.notification.expect("one of the three")
    };
    match decode(Some(&old), Some(&new)) {
        Notification::ChainReorged(wire::ChainReorged { old: Some(old), new: Some(new) }) => {
            assert_eq!(sorted(new), expected_new);
            assert_eq!(old, expected_old);
        }
        other => panic!("expected a reorg of two chains, got {other:?}"),
    }
    let committed = wire::ChainCommitted { new: Some(expected_old.clone()) };
    assert_eq!(decode(None, Some(&old)), Notification::ChainCommitted(committed));
    let reverted = wire::ChainReverted { old: Some(expected_old) };
    assert_eq!(decode(Some(&old), None), Notification::ChainReverted(reverted));
    assert!(encode_notification(None, None).is_none());
}
