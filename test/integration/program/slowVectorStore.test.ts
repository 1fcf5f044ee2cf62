import { describe, expect, test } from 'vitest'
import type { Status } from '../../../sidecar/status.ts'
import { withoutSpeed } from '../../support/program/programAnswers.ts'
import { isRecordingMissing, recordedBlocks } from '../../support/program/recordedBlocks.ts'
import { replayInProcess } from '../../support/program/replayInProcess.ts'
import { slowVectorStore } from '../../support/program/slowVectorStore.ts'

/** Boundaries that these eighty blocks pass, at 16, 32, 48 and 64, and an outbox that fills. */
const settings = ['context.epoch=16', 'context.lag=4', 'vector.outbox_limit_rows=200']
const forks = ['replay.reorg_every=7', 'replay.reorg_depth=3']

describe.skipIf(isRecordingMissing)('a vector store at a tenth of its speed', () => {
  test.each([0, 0.2])(
    'changes nothing but the time, with forks and without: SVM share %d',
    async (svmShare) => {
      const replay = { file: recordedBlocks, svmShare }
      const [straight, forked] = [slowVectorStore(10), slowVectorStore(10)]
      // Together: slowed, they mostly wait.
      const [usual, slowed, slowedAndForked] = await Promise.all([
        replayInProcess({ ...replay, settings }),
        replayInProcess({ ...replay, settings, openVector: straight.open }),
        replayInProcess({ ...replay, settings: [...settings, ...forks], openVector: forked.open }),
      ])
      for (const { calls } of [straight, forked]) {
        expect(calls.apply).toBeGreaterThanOrEqual(4)
        expect(calls.patternsAt).toBeGreaterThanOrEqual(4)
      }
      expect(withoutSpeed(slowed)).toEqual(withoutSpeed(usual))
      expect(slowedAndForked.reorgs).toBeGreaterThanOrEqual(5)
      expect(hashesOf(slowedAndForked)).toEqual(hashesOf(usual))
      expect(usual.svm.executed > 0, 'envelopes ran').toBe(svmShare > 0)
    },
    600_000,
  )
})

function hashesOf({ head, durable, svm, decisionsHash }: Status) {
  return { head, durable, latticeHash: svm.latticeHash, decisionsHash }
}
