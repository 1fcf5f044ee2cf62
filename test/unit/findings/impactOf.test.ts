import { expect, test } from 'vitest'
import { impactOf } from '../../../sidecar/findings/impactOf.ts'

test('impact is risk in four equal quarters', () => {
  const risks = [0, 24, 25, 49, 50, 74, 75, 100]
  const [low, medium, high, critical] = ['low', 'medium', 'high', 'critical']
  expect(risks.map(impactOf)).toEqual([low, low, medium, medium, high, high, critical, critical])
})
