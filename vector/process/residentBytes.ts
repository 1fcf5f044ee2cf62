import { readFileSync } from 'node:fs'

const pageBytes = 4096

/** Resident bytes of a process; 0 where it has ended or the system does not tell (all but Linux). */
export function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * pageBytes
  } catch {
    return 0
  }
}
