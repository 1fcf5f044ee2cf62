import { mnemonicToAccount } from 'viem/accounts'
import { developmentMnemonic } from '../anvil.ts'

export const gethChainId = 1338

/** A chain with every fork from its first block on, as geth's `init` takes it: ten accounts of the development phrase are rich. */
export function gethGenesis(): string {
  const forks = [
    'homestead',
    'eip150',
    'eip155',
    'eip158',
    'byzantium',
    'constantinople',
    'petersburg',
    'istanbul',
    'berlin',
    'london',
    'mergeNetsplit',
  ]
  const accounts = Array.from({ length: 10 }, (_, addressIndex) => {
    const { address } = mnemonicToAccount(developmentMnemonic, { addressIndex })
    return [address.slice(2), { balance: '0xd3c21bcecceda1000000' }]
  })
  const blobs = { target: 6, max: 9, baseFeeUpdateFraction: 5_007_716 }
  return JSON.stringify({
    config: {
      chainId: gethChainId,
      ...Object.fromEntries(forks.map((fork) => [`${fork}Block`, 0])),
      ...{ terminalTotalDifficulty: 0, terminalTotalDifficultyPassed: true },
      ...{ shanghaiTime: 0, cancunTime: 0, pragueTime: 0 },
      blobSchedule: { cancun: blobs, prague: blobs },
      depositContractAddress: '0x00000000219ab540356cbb839cbe05303d7705fa',
    },
    ...{
      difficulty: '0x0',
      gasLimit: '0x3938700',
      timestamp: '0x6553f100',
      alloc: Object.fromEntries(accounts),
    },
  })
}

/** geth's flags but for folders and addresses. A killed geth keeps its blocks, as its database is flushed rarely: state for the latest. */
export const gethFlags = [
  ...['--syncmode', 'full', '--gcmode', 'archive', '--maxpeers', '0', '--nodiscover', '--ipcdisable'],
  ...['--networkid', String(gethChainId), '--http', '--http.api', 'eth,net,web3,debug,txpool'],
  ...[
    '--txpool.accountslots',
    '10000',
    '--txpool.globalslots',
    '100000',
    '--authrpc.vhosts',
    '*',
    '--http.vhosts',
    '*',
  ],
] as const
