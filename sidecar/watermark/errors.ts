import type { BlockRef } from '../notification/types.ts'

/** Why the durable store could not do what it was asked. A closed list: callers choose by `code`. */
export type StoreErrorCode =
  | 'IDENTITY_MISMATCH'
  | 'DATA_DIR_IN_USE'
  | 'STORE_READ_ONLY'
  | 'DISK_FULL'
  | 'STORE_DAMAGED'
  | 'STORE_TOO_NEW'
  | 'STORE_IO'
  | 'UNDO_TOO_DEEP'
  | 'EFFECTS_OUT_OF_ORDER'

/** Every error of the store. Nothing was changed by the call that threw it. */
export class StoreError extends Error {
  override readonly name: string = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export type IdentityDifference = { readonly key: string; readonly stored: string; readonly given: string }

/** The data directory belongs to another chain, start or set of binding settings. */
export class IdentityMismatchError extends StoreError {
  override readonly name = 'IdentityMismatchError'
  readonly differences: readonly IdentityDifference[]

  constructor(directory: string, differences: readonly IdentityDifference[]) {
    const list = differences.map((d) => `${d.key} is ${d.stored} there, ${d.given} was given`).join('; ')
    super(
      'IDENTITY_MISMATCH',
      `The data directory ${directory} was built with other settings: ${list}. ` +
        `Use another --data-dir, or remove ${directory} to rebuild from the chain.`,
    )
    this.differences = differences
  }
}

/** Another process has the data directory open for writing. */
export class DataDirInUseError extends StoreError {
  override readonly name = 'DataDirInUseError'
  /** Process id of the holder; undefined when it could not be read. */
  readonly pid: number | undefined

  constructor(directory: string, pid: number | undefined, options?: ErrorOptions) {
    super(
      'DATA_DIR_IN_USE',
      `The data directory ${directory} is in use by ${pid === undefined ? 'another process' : `process ${pid}`}. ` +
        'Stop it first, or use another --data-dir.',
      options,
    )
    this.pid = pid
  }
}

/** The data directory cannot be written, or the store was opened for reading. */
export class StoreReadOnlyError extends StoreError {
  override readonly name = 'StoreReadOnlyError'

  constructor(place: string, reason: string, options?: ErrorOptions) {
    super(
      'STORE_READ_ONLY',
      `${place} cannot be written: ${reason}. Give a directory this user may write with --data-dir.`,
      options,
    )
  }
}

/** No space is left. Staged effects are kept: `commit()` may be called again once there is room. */
export class DiskFullError extends StoreError {
  override readonly name = 'DiskFullError'

  constructor(file: string, options?: ErrorOptions) {
    super(
      'DISK_FULL',
      `No space left for ${file}. Nothing was written by halves and nothing staged is lost: ` +
        'free some space, the commit is tried again.',
      options,
    )
  }
}

/** The file is not what was written. It is left as it is, for whoever wants to look. */
export class StoreDamagedError extends StoreError {
  override readonly name = 'StoreDamagedError'
  readonly file: string
  /** The newest block that can still be read, when any can. */
  readonly knownGood: BlockRef | undefined

  constructor(file: string, problem: string, knownGood: BlockRef | undefined, options?: ErrorOptions) {
    const good =
      knownGood === undefined
        ? 'No block could be read from it'
        : `Its newest readable block is ${knownGood.number} ${knownGood.hash}`
    super(
      'STORE_DAMAGED',
      `${file} is damaged: ${problem}. ${good}. Put back a copy of the directory, ` +
        'or move it away and start again to rebuild from the chain.',
      options,
    )
    this.file = file
    this.knownGood = knownGood
  }
}

/** A newer release wrote the file. */
export class StoreTooNewError extends StoreError {
  override readonly name = 'StoreTooNewError'

  constructor(file: string, found: number, newest: number) {
    super(
      'STORE_TOO_NEW',
      `${file} has schema version ${found}, this release knows versions up to ${newest}. ` +
        'Use the release that wrote it or a later one.',
    )
  }
}

/** The disk refused a read, a write or a flush for another reason than space. */
export class StoreIoError extends StoreError {
  override readonly name = 'StoreIoError'

  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(
      'STORE_IO',
      `${file} could not be read or written: ${reason}. Check the disk, then start again.`,
      options,
    )
  }
}

/** Blocks are to be undone whose undo data is no longer kept (or that are final). */
export class UndoTooDeepError extends StoreError {
  override readonly name = 'UndoTooDeepError'

  constructor(wanted: BlockRef, oldestUndoable: bigint, reason: string) {
    super(
      'UNDO_TOO_DEEP',
      `Block ${wanted.number} ${wanted.hash} cannot be undone: ${reason}; the oldest block that can is ` +
        `${oldestUndoable}. Nothing was applied. Check that the node follows the right chain; to follow it from here ` +
        'on, use another --data-dir, or remove this one to rebuild from the chain.',
    )
  }
}

/** The effects do not continue the chain that is staged: a fault of the caller. */
export class EffectsOutOfOrderError extends StoreError {
  override readonly name = 'EffectsOutOfOrderError'

  constructor(message: string) {
    super('EFFECTS_OUT_OF_ORDER', `${message}. Nothing was staged.`)
  }
}
