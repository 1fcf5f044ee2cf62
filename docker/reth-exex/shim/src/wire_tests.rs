//! What goes over the wire, whatever it is made of: blocks and notifications come out as they went in, and no Hello, well formed
//! or not, does more than be refused.

use std::sync::Arc;

use alloy_consensus::{EthereumTxEnvelope, SignableTransaction, TxEip4844, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, Log, LogData, Signature, TxKind, U256};
use proptest::prelude::*;
use prost::Message;
use tokio::sync::mpsc;

use crate::chain::{BlockRef, ChainReader, EncodedBlock};
use crate::cursor::{Batch, is_canonical};
use crate::encode::{BlockHead, ReceiptParts, SentTransaction, encode_block};
use crate::hello::{check_hello, find_place};
use crate::hub::Hub;
use crate::limits::{FRAME_LIMIT_MINIMUM_BYTES, Limits};
use crate::proto::v1;
use crate::proto::v1::server_frame::Frame;
use crate::ring::Finality;
use crate::scripted_chain::ScriptedChain;
use crate::wire::{NotificationFacts, notification_messages};

type Transaction = EthereumTxEnvelope<TxEip4844>;

#[derive(Clone, Debug)]
struct Row {
    transaction: Transaction,
    success: bool,
    gas_used: u64,
    logs: Vec<Log>,
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let to = prop_oneof![Just(TxKind::Create), any::<[u8; 20]>().prop_map(|to| TxKind::Call(to.into()))];
    let input = prop::collection::vec(any::<u8>(), 0..40);
    let legacy = (any::<u64>(), any::<u64>(), any::<u128>(), to, any::<[u8; 32]>(), input);
    let log = (any::<[u8; 20]>(), prop::collection::vec(any::<[u8; 32]>(), 0..5), any::<Vec<u8>>());
    let row = (legacy, any::<bool>(), 0..u64::from(u32::MAX) * 2, prop::collection::vec(log, 0..3));
    let row = row.prop_map(|((nonce, gas_limit, gas_price, to, value, input), success, gas_used, logs)| {
        let value = U256::from_be_bytes(value);
        let input = Bytes::from(input);
        let legacy = TxLegacy { chain_id: None, nonce, gas_price, gas_limit, to, value, input };
        let signature = Signature::new(U256::from(1), U256::from(1), false);
        let logs = logs.into_iter().map(|(address, topics, data)| Log {
            address: address.into(),
            data: LogData::new_unchecked(topics.into_iter().map(B256::from).collect(), data.into()),
        });
        Row {
            transaction: Transaction::Legacy(legacy.into_signed(signature)),
            success,
            gas_used,
            logs: logs.collect(),
        }
    });
    prop::collection::vec(row, 0..6)
}

fn encode(number: u64, rows: &[Row]) -> Arc<EncodedBlock> {
    let head = BlockHead {
        at: BlockRef::new(number, B256::repeat_byte(number as u8)),
        parent_hash: B256::repeat_byte(number as u8 - 1),
        timestamp: number,
        gas_limit: 1,
        gas_used: 2,
        base_fee_per_gas: number.is_multiple_of(2).then_some(0),
    };
    let sender = Address::repeat_byte(1);
    let sent: Vec<_> =
        rows.iter().map(|row| SentTransaction { transaction: &row.transaction, sender }).collect();
    let mut cumulative_gas_used = 0;
    let receipts: Vec<_> = rows
        .iter()
        .map(|row| {
            cumulative_gas_used += row.gas_used;
            ReceiptParts { success: row.success, cumulative_gas_used, logs: &row.logs }
        })
        .collect();
    Arc::new(encode_block(head, &sent, &receipts).expect("a receipt for each transaction"))
}

/// The block as the contract describes it, row by row.
fn check_columns(block: &v1::Block, rows: &[Row]) {
    use alloy_consensus::Transaction as _;
    let end_of = |ends: &[u8], row: usize| {
        row.checked_sub(1).map_or(0, |row| {
            u32::from_le_bytes(ends[row * 4..row * 4 + 4].try_into().expect("four bytes")) as usize
        })
    };
    assert_eq!(block.count as usize, rows.len());
    for (i, row) in rows.iter().enumerate() {
        let transaction = &row.transaction;
        assert_eq!(block.hashes[i * 32..][..32], transaction.tx_hash()[..]);
        assert_eq!(block.to[i * 20..][..20], transaction.to().unwrap_or_default()[..]);
        assert_eq!(block.kinds[i], if transaction.is_create() { 0x80 } else { 0 });
        assert_eq!(block.statuses[i], u8::from(row.success));
        assert_eq!(block.values[i * 32..][..32], transaction.value().to_be_bytes::<32>());
        assert_eq!(block.nonces[i * 8..][..8], transaction.nonce().to_le_bytes());
        let gas_limit = transaction.gas_limit().min(u64::from(u32::MAX)) as u32;
        assert_eq!(block.gas_limits[i * 4..][..4], gas_limit.to_le_bytes());
        let gas_used = row.gas_used.min(u64::from(u32::MAX)) as u32;
        assert_eq!(block.gas_used_by[i * 4..][..4], gas_used.to_le_bytes());
        let price = transaction.max_fee_per_gas().min(u128::from(u64::MAX)) as u64;
        assert_eq!(block.gas_prices[i * 8..][..8], price.to_le_bytes());
        let input = &block.inputs[end_of(&block.input_ends, i)..end_of(&block.input_ends, i + 1)];
        assert_eq!(input, &transaction.input()[..]);
        let selector: Vec<u8> = input.iter().copied().chain([0; 4]).take(4).collect();
        assert_eq!(block.selectors[i * 4..][..4], selector);
        let mut logs = Vec::new();
        for log in &row.logs {
            logs.extend_from_slice(log.address.as_slice());
            logs.push(log.data.topics().len() as u8);
            logs.extend(log.data.topics().iter().flat_map(|topic| topic.0));
            logs.extend((log.data.data.len() as u32).to_le_bytes());
            logs.extend_from_slice(&log.data.data);
        }
        assert_eq!(block.logs[end_of(&block.log_ends, i)..end_of(&block.log_ends, i + 1)], logs);
    }
}

fn unpacked(messages: impl IntoIterator<Item = v1::ServerFrame>, max: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    for message in messages {
        assert!(message.encoded_len() <= max, "a message of {} bytes, over {max}", message.encoded_len());
        match message.frame.expect("a frame") {
            Frame::Pack(pack) => {
                frames.extend(pack.frames.into_iter().map(|one| one.frame.expect("a frame")))
            }
            frame => frames.push(frame),
        }
    }
    frames
}

fn hub_over(chain: &Arc<ScriptedChain>) -> Hub {
    Hub::new(chain.clone(), Limits::default(), mpsc::unbounded_channel().0).expect("the chain can be read")
}

fn wire_ref() -> impl Strategy<Value = v1::BlockRef> {
    let hash = prop_oneof![9 => prop::collection::vec(any::<u8>(), 32), 1 => any::<Vec<u8>>()];
    (0..12_u64, hash).prop_map(|(number, hash)| v1::BlockRef { number, hash: hash.into() })
}

/// Kept encodings: what the changes below begin from.
fn corpus() -> Vec<Vec<u8>> {
    let text = include_str!("client_frames.corpus");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| alloy_primitives::hex::decode(line).expect("hex")).collect()
}

/// As a session does with what comes: it is a frame or not, and a Hello leads somewhere on the chain or is refused in words.
fn take_client_frame(bytes: &[u8]) -> Result<(), TestCaseError> {
    let Ok(v1::ClientFrame { frame: Some(v1::client_frame::Frame::Hello(hello)) }) = Message::decode(bytes)
    else {
        return Ok(());
    };
    let chain = Arc::new(ScriptedChain::new(0));
    chain.change(0, 8);
    match check_hello(&hello, &hub_over(&chain)).and_then(|hello| find_place(chain.as_ref(), &hello)) {
        Ok(place) => {
            let readable = is_canonical(chain.as_ref(), place.ancestor).expect("can be asked");
            prop_assert!(readable || place.ancestor.number == 0, "leads to {}", place.ancestor);
        }
        Err(error) => prop_assert!(!error.to_string().is_empty()),
    }
    Ok(())
}

#[test]
fn every_kept_client_frame_is_refused_or_taken() {
    for bytes in corpus() {
        take_client_frame(&bytes).expect("no surprise");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_block_comes_out_as_it_went_in(rows in rows(), number in 1..200_u64) {
        let encoded = encode(number, &rows);
        let block = v1::Block::decode(encoded.bytes.clone()).expect("is a block");
        prop_assert_eq!(block.number, number);
        prop_assert_eq!(block.base_fee_per_gas.len(), usize::from(number.is_multiple_of(2)));
        check_columns(&block, &rows);
        let lean = encoded.without_logs();
        let expected = v1::Block { logs: Default::default(), log_ends: Default::default(), ..block };
        prop_assert_eq!(v1::Block::decode(lean.bytes.clone()).expect("is a block"), expected);
        prop_assert_eq!(lean.crc32, crc32fast::hash(&lean.bytes));
    }

    #[test]
    fn a_notification_is_put_together_again_from_its_messages(
        blocks in prop::collection::vec(rows(), 0..5),
        max in FRAME_LIMIT_MINIMUM_BYTES as usize..9000,
        pack in any::<bool>(),
    ) {
        let blocks: Vec<_> = blocks.iter().enumerate().map(|(i, rows)| encode(i as u64 + 1, rows)).collect();
        let parent = BlockRef::new(0, B256::ZERO);
        let finality = Finality::default();
        let batch = Batch { undo: vec![parent], blocks, parent, origin: v1::Origin::Live, node_time_ms: 0.0, finality };
        let facts = NotificationFacts { seq: 7, head: parent, sent_time_ms: 0.0, max_frame_bytes: max, pack };
        let mut bytes = Vec::new();
        let frames = unpacked(notification_messages(&batch, facts), max);
        for (i, frame) in frames.iter().enumerate() {
            match frame {
                Frame::Begin(begin) => prop_assert!(i == 0 && begin.total_bytes == batch.bytes() as u64),
                Frame::Chunk(chunk) => bytes.extend_from_slice(&chunk.data),
                Frame::End(end) => {
                    prop_assert!(i == frames.len() - 1);
                    prop_assert_eq!(end.crc32, crc32fast::hash(&bytes));
                }
                other => prop_assert!(false, "unexpected {:?}", other),
            }
        }
        let expected: Vec<u8> = batch.blocks.iter().flat_map(|block| block.bytes.to_vec()).collect();
        prop_assert_eq!(bytes, expected);
    }

    #[test]
    fn bytes_that_are_a_client_frame_by_chance_are_refused_or_taken(bytes in any::<Vec<u8>>()) {
        take_client_frame(&bytes)?;
    }

    #[test]
    fn a_client_frame_with_bytes_changed_is_refused_or_taken(
        seed in 0..corpus().len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = corpus()[seed].clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        take_client_frame(&bytes)?;
    }

    #[test]
    fn a_locator_leads_to_its_highest_canonical_entry_or_nowhere(
        known in prop::collection::vec(0..9_usize, 0..6),
        strange in prop::collection::vec(wire_ref(), 0..4),
        start in prop::option::of(0..14_u64),
        finalized in prop::option::of(wire_ref()),
        pruned in 0..5_u64,
    ) {
        let chain = Arc::new(ScriptedChain::new(0));
        chain.change(0, 8);
        let canonical = chain.canonical();
        chain.prune(pruned);
        let hub = hub_over(&chain);
        let to_wire = |block: BlockRef| v1::BlockRef { number: block.number, hash: block.hash.to_vec().into() };
        let locator = known.iter().map(|number| to_wire(canonical[*number])).chain(strange).collect();
        let hello = v1::Hello {
            protocol_min: 1,
            protocol_max: 1,
            consumer_id: "any".to_owned(),
            locator,
            start,
            finalized,
            ..v1::Hello::default()
        };
        let Ok(hello) = check_hello(&hello, &hub) else { return Ok(()) };
        let place = find_place(chain.as_ref(), &hello);
        let readable = |block: &BlockRef| is_canonical(chain.as_ref(), *block).expect("can be asked");
        match place {
            Ok(place) if hello.locator.is_empty() => prop_assert_eq!(place.ancestor.number + 1, hello.start),
            Ok(place) => {
                prop_assert!(readable(&place.ancestor));
                let above = hello.locator.iter().filter(|entry| entry.number > place.ancestor.number);
                prop_assert!(above.into_iter().all(|entry| !readable(entry)));
                prop_assert!(hello.finalized.is_none_or(|it| it.number <= place.ancestor.number));
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
        prop_assert_eq!(chain.heads().expect("can be asked").head, canonical[8]);
    }
}
