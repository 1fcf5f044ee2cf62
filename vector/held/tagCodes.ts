import type { RowTags } from '../filter/rowCondition.ts'

/** As many as a byte tells apart, but for one that stands for all others. */
const mostCodes = 255

/** Numbers for the few ways in which rows are tagged, a byte each. */
export type TagCodes = {
  codeOf(tags: RowTags): number
  /** Whether there were more ways than codes: then they tell of no row for sure. */
  isShort(): boolean
  /** By code. */
  readonly tags: readonly RowTags[]
}

export function createTagCodes(): TagCodes {
  const tags: RowTags[] = []
  // By outcome, route and svm: no text is made to look one up.
  const codes = new Map<string, Map<string, Map<boolean, number>>>()
  let isShort = false
  return {
    codeOf({ svm, route, outcome }) {
      const known = codes.get(outcome)?.get(route)?.get(svm)
      if (known !== undefined) return known
      if (tags.length === mostCodes) {
        isShort = true
        return mostCodes
      }
      const code = tags.length
      tags.push({ svm, route, outcome })
      const ofOutcome = codes.get(outcome) ?? new Map<string, Map<boolean, number>>()
      const ofRoute = ofOutcome.get(route) ?? new Map<boolean, number>()
      codes.set(outcome, ofOutcome.set(route, ofRoute.set(svm, code)))
      return code
    },
    isShort: () => isShort,
    tags,
  }
}
