import type { BlockRef } from '../../notification/types.ts'
import { ExExError } from '../errors.ts'
import type { AckFrame } from '../frames.ts'
import type { ChainCursor } from './chainCursor.ts'
import type { Consumer } from './consumers.ts'
import { isCanonical } from './findAncestor.ts'
import type { ChainSource } from './types.ts'

/**
 * Whether an acknowledgement counts. `crossed`: it names a block that was undone since, of this session or from before it,
 * whether the undo was sent or waits for credit; both sides are right, and nothing changes. Throws `ExExError` BAD_ACK for one that cannot be true.
 */
export async function checkAck(
  ack: Omit<AckFrame, 'type'>,
  cursor: ChainCursor,
  source: ChainSource,
  consumer: Pick<Consumer, 'processed'>,
): Promise<'accepted' | 'crossed'> {
  const { durable } = ack
  const processed = ack.processed ?? consumer.processed
  let crossed = false
  for (const [name, ref] of [['ack.processed', ack.processed] as const, ['ack.durable', durable] as const]) {
    if (ref === undefined) continue
    const known = cursor.sent.find(ref)
    if (known === 'carried' && !(await cursor.willUndo(ref))) continue
    if (known === 'below' && (await isCanonical(source, ref))) continue
    if (known === 'carried' || cursor.undoes(ref)) crossed = true
    else {
      throw badAck(
        name,
        `a block sent in this session, at most ${cursor.tip.number}, or a canonical one before it`,
        ref,
      )
    }
  }
  if (crossed) return 'crossed'
  if (durable !== undefined && ack.processed !== undefined && durable.number > processed!.number) {
    throw badAck('ack.durable', `at most ${processed!.number}, what is processed`, durable)
  }
  return 'accepted'
}

function badAck(where: string, expected: string, ref: BlockRef): ExExError {
  return new ExExError('BAD_ACK', {
    where,
    expected,
    actual: `${ref.number} ${ref.hash}`,
    advice: 'The height is unchanged.',
  })
}
