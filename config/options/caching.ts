import { option, section } from '../option.ts'
import { boolean } from '../types/boolean.ts'
import { bytes } from '../types/bytes.ts'
import { decimal } from '../types/decimal.ts'
import { integer } from '../types/integer.ts'

const life = integer({ min: 0, max: 86_400, unit: 'seconds' })

export const caching = section(
  "Remembered answers to people's questions. All are forgotten when anything is written, so none is older than what is stored.",
  {
    enabled: option(boolean(), {
      default: true,
      meaning: 'Whether answers are remembered at all.',
    }),
    // From 1 MiB, so that a number of entries is refused and not taken for bytes.
    size: option(bytes({ min: 1024 * 1024, max: 64 * 1024 ** 3 }), {
      default: 16 * 1024 * 1024,
      meaning: 'Memory for answers, about 16 kB each; the one that was not asked for longest goes first.',
    }),
    ttlSeconds: option(life, {
      default: 300,
      meaning: 'Longest that an answer is given out, though nothing was written.',
    }),
    negativeTtlSeconds: option(life, {
      default: 10,
      meaning: 'The same for an answer that is empty or has warnings.',
    }),
    prefetchEnabled: option(boolean(), {
      default: true,
      meaning:
        'Whether likely questions are asked again in the background once a write made their answers old.',
    }),
    prefetchWindowSize: option(integer({ min: 1, max: 10_000, unit: 'questions' }), {
      default: 100,
      meaning: 'Last questions looked at to tell which are likely.',
    }),
    prefetchThreshold: option(decimal({ min: 0, max: 1 }), {
      default: 0.8,
      meaning:
        'A question that came k times among them is likely when k / (k + 1) is at least this: 0.8 is 4 times.',
    }),
  },
)
