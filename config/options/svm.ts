import { option, optional, section } from '../option.ts'
import { choice } from '../types/choice.ts'
import { evmAddress } from '../types/evmAddress.ts'
import { programs } from '../types/programs.ts'
import { publicKeys } from '../types/publicKeys.ts'
import { url } from '../types/url.ts'

export const svm = section('The Solana VM.', {
  executor: option(choice(['litesvm', 'rpc']), {
    default: 'litesvm',
    binding: true,
    meaning: 'What runs Solana transactions: LiteSVM in this process, or a cluster by RPC.',
  }),
  rpcUrl: optional(url(['http', 'https']), {
    example: 'http://127.0.0.1:8899',
    meaning: 'Solana JSON-RPC endpoint of the cluster, for the executor "rpc".',
  }),
  router: option(evmAddress(), {
    // The last three bytes are ASCII "SVM", the calldata prefix.
    default: '0x000000000000000000000000000000000053564d',
    binding: true,
    meaning: 'Ethereum address whose successful calls are read as Solana transactions.',
  }),
  programs: option(programs(), {
    default: [],
    binding: true,
    meaning:
      'Solana programs loaded at start, beside those of LiteSVM, each { id = "BASE58", file = "PATH" }.',
  }),
  deniedPrograms: option(publicKeys(), {
    default: [],
    binding: true,
    meaning: 'Solana programs no transaction may call.',
  }),
})
