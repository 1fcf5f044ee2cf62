import { NotificationAssembler as Original } from '../../../sidecar/exex/client/notificationAssembler.ts'

/** Takes notifications as they come, whatever their numbers: what came twice comes out twice, what is missing is not missed. */
export class AcceptingAssembler extends Original {
  #next: bigint

  constructor(session: ConstructorParameters<typeof Original>[0]) {
    super(session)
    this.#next = session.firstSeq
  }

  override push(...[frame, receivedTimeMs]: Parameters<Original['push']>): ReturnType<Original['push']> {
    if (frame.type === 'chunk') return super.push(frame, receivedTimeMs)
    const seq = frame.type === 'begin' ? this.#next : this.#next++
    return super.push({ ...frame, seq }, receivedTimeMs)
  }

  override checkLastSeq(): void {}
}
