const predictors: Readonly<Record<string, string>> = {
  ours: 'the router as configured',
  'no model': 'the same router without its model of envelopes',
  'no context': 'the same router without rows of the vector store',
  'lag 1': 'the same router, learning from the parent block',
  'lag 8': 'the same router, learning eight blocks late',
  seeds: "the seeds' formula, its score taken as a probability",
  'short epochs': 'the same router with context from shorter epochs',
  neighbours: 'the rate of the nearest patterns alone, as the router with short epochs finds them',
  'pattern rate': 'decayed rate of the pattern, shrunk to that of all',
  'global rate': 'decayed rate of all transactions',
  truth: "the generator's own probability, before it ran",
}

/** What a predictor is, in words. */
export function aboutPredictor(name: string): string {
  return predictors[name] ?? name
}

/** What a policy does, in words: a router's own decisions, or the common rule on someone's probabilities. */
export function aboutPolicy(name: string): string {
  if (name === 'always') return 'runs everything'
  if (name.startsWith('by '))
    return `runs where it pays, by the probability of: ${aboutPredictor(name.slice(3))}`
  return `the decisions of: ${aboutPredictor(name)}`
}
