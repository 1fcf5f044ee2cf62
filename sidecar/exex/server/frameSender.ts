import type { ServerDuplexStream } from '@grpc/grpc-js'
import { type EncodedFrame, encodeMessage, lengthOf } from '../frameCodec.ts'
import { FRAME_OVERHEAD_BYTES, FRAME_TARGET_BYTES } from '../frames.ts'
import { WakeUp } from './wakeUp.ts'

export type FrameSenderOptions = {
  readonly pack: boolean
  readonly maxFrameBytes: number
  readonly sendBufferBytes: number
}

const FREE_BUFFERS = 2

/** Writes encoded frames to one session, and knows how much of it the connection has not taken yet. */
export class FrameSender {
  readonly #call: Pick<ServerDuplexStream<Buffer, Buffer>, 'write'>
  readonly #options: FrameSenderOptions
  readonly #taken = new WakeUp()
  /** Buffers the connection has let go of: allocating a megabyte a message costs more than filling it. */
  readonly #free: Buffer[] = []
  #bufferedBytes = 0
  #closed = false

  constructor(call: Pick<ServerDuplexStream<Buffer, Buffer>, 'write'>, options: FrameSenderOptions) {
    this.#call = call
    this.#options = options
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** One frame, at once: for the small ones that may go between others. */
  sendNow(frame: EncodedFrame): void {
    this.#write(encodeMessage([frame]))
  }

  /** Frames in order, as few messages as the client's features allow, each when the connection has room. */
  async send(frames: readonly EncodedFrame[]): Promise<void> {
    const target = Math.min(FRAME_TARGET_BYTES, this.#options.maxFrameBytes) - FRAME_OVERHEAD_BYTES
    let group: EncodedFrame[] = []
    let bytes = 0
    for (const frame of frames) {
      if (group.length > 0 && (!this.#options.pack || bytes + lengthOf(frame) > target)) {
        await this.#sendGroup(group)
        group = []
        bytes = 0
      }
      group.push(frame)
      // A frame within a pack has a head of its own: tag and length.
      bytes += lengthOf(frame) + 8
    }
    if (group.length > 0) await this.#sendGroup(group)
  }

  /** Lets a sender that waits for room go on: what it writes then goes nowhere. */
  close(): void {
    this.#closed = true
    this.#taken.notify()
  }

  async #sendGroup(group: readonly EncodedFrame[]): Promise<void> {
    while (this.#bufferedBytes > this.#options.sendBufferBytes && !this.#closed) await this.#taken.wait()
    const reused =
      group.length === 1 ? undefined : (this.#free.pop() ?? Buffer.allocUnsafeSlow(FRAME_TARGET_BYTES))
    this.#write(encodeMessage(group, reused), reused)
  }

  #write(message: Buffer, reused?: Buffer): void {
    if (this.#closed) return
    this.#bufferedBytes += message.length
    this.#call.write(message, () => {
      this.#bufferedBytes -= message.length
      if (reused !== undefined && this.#free.length < FREE_BUFFERS) this.#free.push(reused)
      this.#taken.notify()
    })
  }
}
