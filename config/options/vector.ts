import { option, section } from '../option.ts'
import { bytes } from '../types/bytes.ts'
import { integer } from '../types/integer.ts'

const cache = bytes({ min: 1024 * 1024, max: 64 * 1024 ** 3 })

export const vector = section('The vector store.', {
  rowsPerBlock: option(integer({ min: 0, max: 10_000, unit: 'rows' }), {
    default: 2,
    binding: true,
    meaning: 'Most transactions of a block stored for retrieval, beside its envelopes, which all are.',
  }),
  outboxLimitRows: option(integer({ min: 100, max: 10_000_000, unit: 'rows' }), {
    default: 20_000,
    meaning: 'Rows waiting to be written at which the pipeline slows down.',
  }),
  processMemoryBytes: option(bytes({ min: 64 * 1024 * 1024, max: 1024 ** 4 }), {
    default: 256 * 1024 * 1024,
    meaning:
      'Memory above which the process that holds the vector store is replaced; without what `exact_rows` takes and, on Linux, mapped code. LanceDB keeps some of every write.',
  }),
  exactRows: option(integer({ min: 0, max: 20_000_000, unit: 'rows' }), {
    default: 1_500_000,
    meaning:
      'Stored transactions that are searched in memory, every one, at 152 bytes each. Of more, the older ones are found by an index.',
  }),
  indexCacheBytes: option(cache, { default: 64 * 1024 * 1024, meaning: 'Memory for index pages.' }),
  metadataCacheBytes: option(cache, { default: 32 * 1024 * 1024, meaning: 'Memory for table metadata.' }),
  optimizeEvery: option(integer({ min: 1, max: 1_000_000, unit: 'writes' }), {
    default: 50,
    meaning:
      'Writes between two compactions of a table at least. Where one takes long, more are waited for, up to 200.',
  }),
})
