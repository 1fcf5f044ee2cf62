import { readFileSync } from 'node:fs'

/** Resident bytes of a process, all or without mapped files; undefined where it has ended or the system does not tell (Linux does). */
export function residentBytes(
  pid: number | 'self',
  which: 'VmRSS' | 'RssAnon' = 'VmRSS',
): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const [, kilobytes] = new RegExp(`^${which}:\\s+(\\d+) kB$`, 'm').exec(status) ?? []
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch {
    return undefined
  }
}
