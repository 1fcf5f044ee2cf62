import { expect, test } from 'vitest'
import { withoutSpeed } from '../../support/program/programAnswers.ts'
import { isRecordingMissing, recordedBlocks } from '../../support/program/recordedBlocks.ts'
import { replayInProcess } from '../../support/program/replayInProcess.ts'
import { slowVectorStore } from '../../support/program/slowVectorStore.ts'

test.skipIf(isRecordingMissing)(
  'a vector store at a tenth of its speed changes nothing but the time',
  async () => {
    // Boundaries that these few blocks pass, and an outbox that fills.
    const settings = ['context.epoch=16', 'context.lag=4', 'vector.outbox_limit_rows=200']
    const slow = slowVectorStore(10)
    const usual = await replayInProcess({ file: recordedBlocks, svmShare: 0.05, settings })
    const slowed = await replayInProcess({
      file: recordedBlocks,
      svmShare: 0.05,
      settings,
      openVector: slow.open,
    })
    expect(slow.calls.apply).toBeGreaterThan(0)
    expect(slow.calls.patternsAt).toBeGreaterThan(0)
    expect(withoutSpeed(slowed)).toEqual(withoutSpeed(usual))
  },
  240_000,
)
