import { readdirSync, readFileSync } from 'node:fs'
import type { Sidecar } from '../../harness/sidecar/startSidecar.ts'

/** Process id of a sidecar's vector store. Linux only: it is looked up in /proc. */
export function vectorProcessOf({ dataDir }: Sidecar): number {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
        const parent = Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]!.split(' ')[1])
        return [{ pid: Number(name), parent, command }]
      } catch {
        // It ended meanwhile.
        return []
      }
    })
  const sidecar = processes.find(({ command }) => command.includes(dataDir))
  const child = processes.find(
    ({ parent, command }) =>
      parent === sidecar?.pid && command.some((word) => word.includes('vector/process')),
  )
  if (child === undefined) throw new Error(`no process of the vector store of ${dataDir}`)
  return child.pid
}
