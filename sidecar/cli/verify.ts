import type { FlagValues } from '#config'
import { createLatticeHash } from '../svm/latticeHash.ts'
import { verifyStore } from '../watermark/verifyStore.ts'
import { type CommandContext, prepare, writeJson } from './commandContext.ts'
import { exitCodes } from './exitCodes.ts'

/** Reads a data directory whole and holds it against what it promises; exit code 3 when it does not hold. */
export async function verify(flags: FlagValues, context: CommandContext): Promise<number> {
  const { config, logger, json } = await prepare('verify', flags, context)
  const { dataDir } = config.general
  const lattice = await createLatticeHash()
  const latticeHash = (accounts: Iterable<{ key: Uint8Array; value: Uint8Array }>) => {
    for (const { key, value } of accounts) lattice.addAccount(key, value)
    return lattice.checksum()
  }
  const found = verifyStore({ directory: dataDir, latticeHash }, { logger })
  const { isSound, problems, durable, blocks } = found
  const tip = durable ? { number: Number(durable.number), hash: durable.hash } : null
  if (json) writeJson(context.stdout, { sound: isSound, problems, durable: tip, blocks })
  else {
    const lines = problems.map((problem) => `problem: ${problem}`)
    lines.push(
      `${dataDir}: ${isSound ? 'sound' : 'NOT sound'}, ${blocks} blocks up to #${tip?.number ?? 'none'}`,
    )
    context.stdout.write(`${lines.join('\n')}\n`)
  }
  return isSound ? exitCodes.ok : exitCodes.store
}
