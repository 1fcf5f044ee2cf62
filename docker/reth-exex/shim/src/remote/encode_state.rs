//! From what execution changed of the state to the messages of `remote.proto`.

use bytes::Bytes;
use revm_database::bytecode::Bytecode;
use revm_database::states::reverts::AccountInfoRevert;
use revm_database::{AccountRevert, AccountStatus, BundleAccount, BundleState, RevertToSlot};

use super::encode::{fixed, shared, u256};
use crate::proto::remote;

/// Where the version stands in a delegation's raw code, after 0xef01.
const DELEGATION_VERSION_AT: usize = 2;

pub(super) fn state_of(bundle: &BundleState) -> remote::BundleState {
    let accounts = bundle.state.iter().map(|(address, account)| account_of(fixed(**address), account));
    let contracts = bundle.contracts.iter().map(|(hash, bytecode)| remote::Contract {
        hash: fixed(*hash),
        bytecode: Some(bytecode_of(bytecode)),
    });
    let reverts = bundle.reverts.iter().map(|block| {
        let reverts = block.iter().map(|(address, revert)| revert_of(fixed(**address), revert));
        remote::BlockReverts { reverts: reverts.collect() }
    });
    remote::BundleState {
        state: accounts.collect(),
        contracts: contracts.collect(),
        reverts: reverts.collect(),
        state_size: bundle.state_size as u64,
        reverts_size: bundle.reverts_size as u64,
    }
}

fn account_of(address: Bytes, account: &BundleAccount) -> remote::Account {
    let slots = account.storage.iter().map(|(key, slot)| remote::Slot {
        key: u256(*key),
        previous_or_original_value: u256(slot.previous_or_original_value),
        present_value: u256(slot.present_value),
    });
    remote::Account {
        address,
        info: account.info.as_ref().map(info_of),
        original_info: account.original_info.as_ref().map(info_of),
        storage: slots.collect(),
        status: status_of(account.status).into(),
    }
}

fn info_of(info: &revm_database::state::AccountInfo) -> remote::AccountInfo {
    remote::AccountInfo {
        balance: u256(info.balance),
        nonce: info.nonce,
        code_hash: fixed(info.code_hash),
        code: info.code.as_ref().map(bytecode_of),
    }
}

fn bytecode_of(code: &Bytecode) -> remote::Bytecode {
    use remote::bytecode::Bytecode;
    let kind = match (code.eip7702_address(), code.legacy_jump_table()) {
        (Some(address), _) => Bytecode::Eip7702(remote::DelegationBytecode {
            delegated_address: fixed(*address),
            version: code.bytes_slice().get(DELEGATION_VERSION_AT).copied().unwrap_or_default().into(),
            raw: shared(code.bytecode()),
        }),
        (None, jumps) => Bytecode::LegacyAnalyzed(remote::LegacyBytecode {
            bytecode: shared(code.bytecode()),
            original_len: code.len() as u64,
            jump_table: jumps.map_or_else(Bytes::new, |jumps| Bytes::copy_from_slice(jumps.as_slice())),
            jump_table_len: jumps.map_or(0, |jumps| jumps.len() as u64),
        }),
    };
    remote::Bytecode { bytecode: Some(kind) }
}

fn revert_of(address: Bytes, revert: &AccountRevert) -> remote::AccountRevert {
    use remote::account_info_revert::Revert as Info;
    use remote::slot_revert::Revert as Slot;
    let info = match &revert.account {
        AccountInfoRevert::DoNothing => Info::DoNothing(remote::Nothing {}),
        AccountInfoRevert::DeleteIt => Info::DeleteIt(remote::Nothing {}),
        AccountInfoRevert::RevertTo(info) => Info::RevertTo(info_of(info)),
    };
    let slots = revert.storage.iter().map(|(key, slot)| {
        let slot = match slot {
            RevertToSlot::Some(value) => Slot::Some(u256(*value)),
            RevertToSlot::Destroyed => Slot::Destroyed(remote::Nothing {}),
        };
        remote::SlotRevert { key: u256(*key), revert: Some(slot) }
    });
    remote::AccountRevert {
        address,
        account: Some(remote::AccountInfoRevert { revert: Some(info) }),
        storage: slots.collect(),
        previous_status: status_of(revert.previous_status).into(),
        wipe_storage: revert.wipe_storage,
    }
}

const fn status_of(status: AccountStatus) -> remote::AccountStatus {
    match status {
        AccountStatus::LoadedNotExisting => remote::AccountStatus::LoadedNotExisting,
        AccountStatus::Loaded => remote::AccountStatus::Loaded,
        AccountStatus::LoadedEmptyEIP161 => remote::AccountStatus::LoadedEmptyEip161,
        AccountStatus::InMemoryChange => remote::AccountStatus::InMemoryChange,
        AccountStatus::Changed => remote::AccountStatus::Changed,
        AccountStatus::Destroyed => remote::AccountStatus::Destroyed,
        AccountStatus::DestroyedChanged => remote::AccountStatus::DestroyedChanged,
        AccountStatus::DestroyedAgain => remote::AccountStatus::DestroyedAgain,
    }
}
