import { type Impact, impactLevels } from './types.ts'

/** The level of a risk of 0 to 100: four equal quarters. */
export function impactOf(risk: number): Impact {
  return impactLevels[Math.min(3, Math.max(0, Math.floor(risk / 25)))]!
}

/** A whole number from 0 to 100. */
export function clampRisk(risk: number): number {
  return Math.min(100, Math.max(0, Math.round(risk)))
}
