/** Where a value came from. */
export type Origin =
  | { readonly kind: 'default' }
  /** The value of another option, whose key is given. */
  | { readonly kind: 'option'; readonly key: string }
  | { readonly kind: 'profile'; readonly profile: string }
  /** `line` counts from 1; undefined where the key could not be found in the text. */
  | { readonly kind: 'file'; readonly path: string; readonly line: number | undefined }
  | { readonly kind: 'environment'; readonly name: string }
  /** `name` as typed: `--blocks`, `--set devnet.blocks`, `URL`. */
  | { readonly kind: 'flag'; readonly name: string }

/** An origin as people read it: `default`, `profile devnet`, `monmouth.toml:12`, `env LOG_LEVEL`, `flag --blocks`. */
export function formatOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default'
    case 'option':
      return `default, from ${origin.key}`
    case 'profile':
      return `profile ${origin.profile}`
    case 'file':
      return origin.line === undefined ? origin.path : `${origin.path}:${origin.line}`
    case 'environment':
      return `env ${origin.name}`
    case 'flag':
      return origin.name.startsWith('-') ? `flag ${origin.name}` : `argument ${origin.name}`
  }
}
