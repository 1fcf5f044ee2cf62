import { eventTopics, type LogMeaning } from '../topics.ts'

/** A log whose first topic is known, as places in the block's log bytes. */
export type ChainLog = {
  readonly meaning: LogMeaning
  /** Its place among all logs of its transaction. */
  readonly ordinal: number
  /** Where its 20 bytes of address are. */
  readonly address: number
  /** Where its first topic is; the others follow, 32 bytes each. */
  readonly topics: number
  readonly topicCount: number
  readonly data: number
  readonly dataBytes: number
}

const ADDRESS_BYTES = 20
const TOPIC_BYTES = 32
/** Address, topic count and data length: the least a log takes. */
const LEAST_BYTES = ADDRESS_BYTES + 1 + 4

/** By the first four bytes of the topic; the rest of it is compared then. */
const known = new Map(
  eventTopics.map(({ topic, meaning }) => {
    const bytes = Buffer.from(topic.slice(2), 'hex')
    return [bytes.readUInt32BE(0), { bytes, meaning }] as const
  }),
)

/**
 * The logs of one transaction whose events are known, in order. Bytes that are no log end it: what comes after them is not
 * read, and nothing is thrown.
 * @param bytes the logs of the block: `TransactionColumns.logs`
 * @param start where the transaction's logs start in them
 * @param end where they end
 */
export function readLogs(bytes: Buffer, start: number, end: number): ChainLog[] {
  const found: ChainLog[] = []
  let at = start
  for (let ordinal = 0; at + LEAST_BYTES <= end; ordinal++) {
    const topicCount = bytes[at + ADDRESS_BYTES]!
    const topics = at + ADDRESS_BYTES + 1
    const data = topics + topicCount * TOPIC_BYTES + 4
    if (topicCount > 4 || data > end) break
    const dataBytes = bytes.readUInt32LE(data - 4)
    if (dataBytes > end - data) break
    if (topicCount > 0) {
      const entry = known.get(bytes.readUInt32BE(topics))
      if (entry && bytes.compare(entry.bytes, 0, TOPIC_BYTES, topics, topics + TOPIC_BYTES) === 0) {
        found.push({ meaning: entry.meaning, ordinal, address: at, topics, topicCount, data, dataBytes })
      }
    }
    at = data + dataBytes
  }
  return found
}
