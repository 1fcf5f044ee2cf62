//! State and what takes it back, and what they are on the wire.

use alloy_primitives::{Address, B256, U256};
use revm_database::bytecode::Bytecode;
use revm_database::state::AccountInfo;
use revm_database::states::StorageSlot;
use revm_database::states::reverts::{AccountInfoRevert, Reverts};
use revm_database::{AccountRevert, AccountStatus, BundleAccount, BundleState, RevertToSlot};

use super::{filled, wide, wide_bytes};
use crate::proto::remote as wire;

const CODE: &[u8] = &[0x60, 0x01, 0x5b, 0x00];

fn info(byte: u8, code: Option<Bytecode>) -> AccountInfo {
    AccountInfo {
        balance: wide(byte),
        nonce: byte.into(),
        code_hash: B256::repeat_byte(byte),
        code,
        ..AccountInfo::default()
    }
}

fn info_bytes(byte: u8, code: Option<wire::Bytecode>) -> wire::AccountInfo {
    wire::AccountInfo { balance: wide_bytes(byte), nonce: byte.into(), code_hash: filled(byte, 32), code }
}

fn legacy_code() -> Bytecode {
    Bytecode::new_legacy(CODE.to_vec().into())
}

/// What is padded, and where the jump destination at byte 2 shows.
fn legacy_code_bytes() -> wire::Bytecode {
    let analyzed = legacy_code();
    assert!(analyzed.bytecode().starts_with(CODE));
    wire::Bytecode {
        bytecode: Some(wire::bytecode::Bytecode::LegacyAnalyzed(wire::LegacyBytecode {
            bytecode: analyzed.bytecode().to_vec().into(),
            original_len: 4,
            jump_table: vec![0b100].into(),
            jump_table_len: analyzed.legacy_jump_table().expect("is legacy").len() as u64,
        })),
    }
}

fn delegation() -> Bytecode {
    Bytecode::new_eip7702(Address::repeat_byte(0x81))
}

fn delegation_bytes() -> wire::Bytecode {
    wire::Bytecode {
        bytecode: Some(wire::bytecode::Bytecode::Eip7702(wire::DelegationBytecode {
            delegated_address: filled(0x81, 20),
            version: 0,
            raw: [&[0xef, 0x01, 0x00][..], &[0x81; 20]].concat().into(),
        })),
    }
}

const STATUSES: [(AccountStatus, wire::AccountStatus); 8] = [
    (AccountStatus::LoadedNotExisting, wire::AccountStatus::LoadedNotExisting),
    (AccountStatus::Loaded, wire::AccountStatus::Loaded),
    (AccountStatus::LoadedEmptyEIP161, wire::AccountStatus::LoadedEmptyEip161),
    (AccountStatus::InMemoryChange, wire::AccountStatus::InMemoryChange),
    (AccountStatus::Changed, wire::AccountStatus::Changed),
    (AccountStatus::Destroyed, wire::AccountStatus::Destroyed),
    (AccountStatus::DestroyedChanged, wire::AccountStatus::DestroyedChanged),
    (AccountStatus::DestroyedAgain, wire::AccountStatus::DestroyedAgain),
];

pub(super) fn bundle() -> BundleState {
    let slot = |before, after| StorageSlot::new_changed(wide(before), wide(after));
    let accounts = STATUSES.iter().zip(0_u8..).map(|((status, _), i)| {
        let account = BundleAccount {
            info: (i % 2 == 0)
                .then(|| info(i, [None, Some(legacy_code()), Some(delegation())][i as usize % 3].clone())),
            original_info: (i % 3 == 0).then(|| info(i + 1, None)),
            storage: (0..i % 3).map(|key| (wide(key), slot(key + 1, key + 2))).collect(),
            status: *status,
        };
        (Address::repeat_byte(i), account)
    });
    let revert = |account, storage: Vec<(U256, RevertToSlot)>, previous_status, wipe_storage| AccountRevert {
        account,
        storage: storage.into_iter().collect(),
        previous_status,
        wipe_storage,
    };
    let first = vec![
        (Address::repeat_byte(1), revert(AccountInfoRevert::DoNothing, vec![], AccountStatus::Loaded, false)),
        (
            Address::repeat_byte(2),
            revert(
                AccountInfoRevert::RevertTo(info(9, Some(legacy_code()))),
                vec![(wide(1), RevertToSlot::Some(wide(2))), (wide(2), RevertToSlot::Destroyed)],
                AccountStatus::Changed,
                true,
            ),
        ),
    ];
    let second = vec![(
        Address::repeat_byte(3),
        revert(AccountInfoRevert::DeleteIt, vec![], AccountStatus::LoadedNotExisting, false),
    )];
    BundleState {
        state: accounts.collect(),
        contracts: [(B256::repeat_byte(1), legacy_code()), (B256::repeat_byte(2), delegation())]
            .into_iter()
            .collect(),
        reverts: Reverts::new(vec![first, second]),
        state_size: 11,
        reverts_size: 12,
    }
}

pub(super) fn bundle_bytes() -> wire::BundleState {
    let slot = |key: u8| wire::Slot {
        key: wide_bytes(key),
        previous_or_original_value: wide_bytes(key + 1),
        present_value: wide_bytes(key + 2),
    };
    let accounts = STATUSES.iter().zip(0_u8..).map(|((_, status), i)| {
        let code = [None, Some(legacy_code_bytes()), Some(delegation_bytes())][i as usize % 3].clone();
        wire::Account {
            address: filled(i, 20),
            info: (i % 2 == 0).then(|| info_bytes(i, code)),
            original_info: (i % 3 == 0).then(|| info_bytes(i + 1, None)),
            storage: (0..i % 3).map(slot).collect(),
            status: *status as i32,
        }
    });
    let contract = |byte, bytecode| wire::Contract { hash: filled(byte, 32), bytecode: Some(bytecode) };
    let revert = |byte, kind, storage, status: wire::AccountStatus, wipe_storage| wire::AccountRevert {
        address: filled(byte, 20),
        account: Some(wire::AccountInfoRevert { revert: Some(kind) }),
        storage,
        previous_status: status.into(),
        wipe_storage,
    };
    use wire::account_info_revert::Revert as Info;
    use wire::slot_revert::Revert as Slot;
    let slots = vec![
        wire::SlotRevert { key: wide_bytes(1), revert: Some(Slot::Some(wide_bytes(2))) },
        wire::SlotRevert { key: wide_bytes(2), revert: Some(Slot::Destroyed(wire::Nothing {})) },
    ];
    let to = Info::RevertTo(info_bytes(9, Some(legacy_code_bytes())));
    let first = vec![
        revert(1, Info::DoNothing(wire::Nothing {}), vec![], wire::AccountStatus::Loaded, false),
        revert(2, to, slots, wire::AccountStatus::Changed, true),
    ];
    let delete = Info::DeleteIt(wire::Nothing {});
    let second = vec![revert(3, delete, vec![], wire::AccountStatus::LoadedNotExisting, false)];
    wire::BundleState {
        state: accounts.collect(),
        contracts: vec![contract(1, legacy_code_bytes()), contract(2, delegation_bytes())],
        reverts: [first, second].map(|reverts| wire::BlockReverts { reverts }).to_vec(),
        state_size: 11,
        reverts_size: 12,
    }
}
