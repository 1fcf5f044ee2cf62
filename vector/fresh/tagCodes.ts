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
  const codes = new Map<string, number>()
  let isShort = false
  return {
    codeOf({ svm, route, outcome }) {
      const key = `${svm} ${route}\n${outcome}`
      const known = codes.get(key)
      if (known !== undefined) return known
      if (tags.length === mostCodes) {
        isShort = true
        return mostCodes
      }
      tags.push({ svm, route, outcome })
      codes.set(key, tags.length - 1)
      return tags.length - 1
    },
    isShort: () => isShort,
    tags,
  }
}
