import { option, section } from '../option.ts'
import { startBlock } from '../types/startBlock.ts'

export const chain = section('Which part of the chain is followed.', {
  start: option(startBlock(), {
    default: 'genesis',
    binding: true,
    meaning:
      'First block applied: the first after genesis, the head seen at the first start, or a block number.',
  }),
})
