import { crossFeature, fromFeature, selectorFeature, toFeature } from '../embed/features.ts'
import { type Feature, featureVector } from '../embed/featureVector.ts'
import type { ParsedQuery } from './parseQuery.ts'

/**
 * The vector of a question, of the same features as the rows: every address, selector and their pairs. Undefined when it
 * names nothing to compare with (only filters, or a hash): then there is no nearness to speak of.
 * @param meant addresses that its words stand for
 */
export function embedQuery(query: ParsedQuery, meant: readonly string[] = []): Float32Array | undefined {
  const targets = [...new Set([...query.to, ...query.addresses, ...meant])]
  const selectors = [...new Set([...query.selectors, ...query.wordSelectors])]
  const features: Feature[] = [
    ...targets.map(toFeature),
    ...[...new Set([...query.from, ...query.addresses])].map(fromFeature),
    ...selectors.map(selectorFeature),
  ]
  // With many of both the pairs would drown the rest: they are worth it only for a pointed question.
  if (targets.length * selectors.length <= 16) {
    for (const target of targets) {
      for (const selector of selectors) features.push(crossFeature(target, selector))
    }
  }
  return featureVector(features)
}
