import type protobuf from 'protobufjs'
import type { BlockRef } from '../notification/types.ts'
import { WireError } from './errors.ts'
import { directiveKinds, kinds, modes, origins, profiles } from './frames.ts'
import { bytesFromHash, hashFromBytes } from './hex.ts'
import { bigintOf, exExSchema, type Uint64, uint64Of } from './schema.ts'

/** Values of each enum, by number. */
const enums: Readonly<Record<string, readonly string[]>> = {
  Mode: modes,
  Profile: profiles,
  Kind: kinds,
  Origin: origins,
  DirectiveKind: directiveKinds,
}

/** What bytes mean in the one field of the contract that holds no hash. */
const rawFields = new Set(['BlockChunk.data'])

/** A value of a message as protobufjs has it, or as the two ends see it. */
export type MessageValue = Readonly<Record<string, unknown>>

export type MessageCodec<T> = {
  readonly encode: (value: T) => Buffer
  /** Throws `WireError` naming the message and field. */
  readonly decode: (bytes: Uint8Array) => T
}

/**
 * A codec for one message of `exex.proto`, driven by its schema: 64-bit numbers become bigint, 32-byte fields hex,
 * enums words, absent messages undefined. For everything but block data, which has its own.
 */
export function messageCodec<T>(name: string): MessageCodec<T> {
  const type = exExSchema.lookupType(`exex.v1.${name}`)
  return {
    encode: (value) => encodeValue(type, value as MessageValue),
    decode: (bytes) => decodeValue(type, parse(type, bytes)) as T,
  }
}

export function encodeValue(type: protobuf.Type, value: MessageValue): Buffer {
  return type.encode(toWire(type, value)).finish() as Buffer
}

export function parse(type: protobuf.Type, bytes: Uint8Array): MessageValue {
  try {
    return type.decode(bytes) as unknown as MessageValue
  } catch (cause) {
    throw new WireError(
      type.name,
      `a message exex.v1.${type.name}`,
      `${bytes.length} bytes that are not one`,
      cause,
    )
  }
}

function toWire(type: protobuf.Type, value: MessageValue): MessageValue {
  const wire: Record<string, unknown> = {}
  for (const field of type.fieldsArray) {
    const one = value[field.name]
    if (one === undefined) continue
    wire[field.name] = field.repeated
      ? (one as readonly unknown[]).map((item) => fieldToWire(type, field, item))
      : fieldToWire(type, field, one)
  }
  return wire
}

function fieldToWire(type: protobuf.Type, field: protobuf.Field, value: unknown): unknown {
  const resolved = field.resolve().resolvedType
  if (resolved !== null && 'fields' in resolved) {
    if (resolved.name === 'BlockRef') return refToWire(value as BlockRef, `${type.name}.${field.name}`)
    return toWire(resolved, value as MessageValue)
  }
  if (resolved !== null) return enums[resolved.name]!.indexOf(value as string)
  if (field.type === 'uint64') return uint64Of(value as bigint)
  if (field.type === 'bytes' && !rawFields.has(`${type.name}.${field.name}`)) {
    return bytesFromHash(value as `0x${string}`, `${type.name}.${field.name}`)
  }
  return value
}

/** Fields absent from the message come as proto3's defaults, absent messages and optional fields as undefined. */
export function decodeValue(type: protobuf.Type, wire: MessageValue): MessageValue {
  const value: Record<string, unknown> = {}
  for (const field of type.fieldsArray) {
    const one = wire[field.name]
    value[field.name] = field.repeated
      ? (one as readonly unknown[]).map((item) => fieldFromWire(type, field, item))
      : isAbsent(field, wire)
        ? undefined
        : fieldFromWire(type, field, one)
  }
  return value
}

function isAbsent(field: protobuf.Field, wire: MessageValue): boolean {
  const one = wire[field.name]
  if (one === null || one === undefined) return true
  return field.hasPresence && !Object.hasOwn(wire, field.name)
}

function fieldFromWire(type: protobuf.Type, field: protobuf.Field, value: unknown): unknown {
  const name = `${type.name}.${field.name}`
  const resolved = field.resolve().resolvedType
  if (resolved !== null && 'fields' in resolved) {
    if (resolved.name === 'BlockRef') return refFromWire(value as WireRef, name)
    return decodeValue(resolved, value as MessageValue)
  }
  if (resolved !== null) {
    const word = enums[resolved.name]![value as number]
    if (word === undefined) throw new WireError(name, `a ${resolved.name} this version knows`, `${value}`)
    return word
  }
  if (field.type === 'uint64') return bigintOf(value as Uint64)
  if (field.type === 'bytes' && !rawFields.has(name)) {
    const bytes = value as Uint8Array
    return bytes.length === 0 ? undefined : hashFromBytes(bytes, name)
  }
  // protobufjs gives an absent byte field as a plain empty array.
  if (field.type === 'bytes' && (value as Uint8Array).length === 0) return new Uint8Array(0)
  return value
}

type WireRef = { readonly number: Uint64; readonly hash: Uint8Array }

const refToWire = (ref: BlockRef, field: string): MessageValue => ({
  number: uint64Of(ref.number),
  hash: bytesFromHash(ref.hash, `${field}.hash`),
})

const refFromWire = (ref: WireRef, field: string): BlockRef => ({
  number: bigintOf(ref.number),
  hash: hashFromBytes(ref.hash, `${field}.hash`),
})
