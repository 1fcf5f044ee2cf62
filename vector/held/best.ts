/** Keeps the places with the largest numbers: a heap with the least of them on top. */
export type Best = {
  /** What has to be exceeded. */
  least(): number
  add(value: number, place: number): void
  /** The largest first. */
  places(): readonly { readonly place: number; readonly value: number }[]
}

/** @param isBefore which of two with one number is rather kept; where it is left out, those that came first stay */
export function createBest(
  limit: number,
  isBefore: (place: number, other: number) => boolean = () => false,
): Best {
  const values: number[] = []
  const places: number[] = []
  const swap = (a: number, b: number) => {
    ;[values[a], values[b]] = [values[b]!, values[a]!]
    ;[places[a], places[b]] = [places[b]!, places[a]!]
  }
  /** Whether one goes sooner than another. */
  const isWorse = (a: number, b: number) =>
    values[a] === values[b] ? isBefore(places[b]!, places[a]!) : values[a]! < values[b]!
  const rise = (from: number) => {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isWorse(at, parent)) return
      swap(parent, at)
      at = parent
    }
  }
  const sink = () => {
    let at = 0
    for (;;) {
      let least = at
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < values.length && isWorse(child, least)) least = child
      if (least === at) return
      swap(least, at)
      at = least
    }
  }
  const least = () =>
    values.length < limit ? Number.NEGATIVE_INFINITY : (values[0] ?? Number.POSITIVE_INFINITY)

  return {
    least,
    add(value, place) {
      if (value < least() || (value === least() && !(limit > 0 && isBefore(place, places[0]!)))) return
      if (values.length < limit) {
        values.push(value)
        places.push(place)
        rise(values.length - 1)
        return
      }
      values[0] = value
      places[0] = place
      sink()
    },
    places: () =>
      places
        .map((place, at) => ({ place, value: values[at]! }))
        .sort(
          (a, b) =>
            b.value - a.value ||
            (isBefore(b.place, a.place) ? 1 : isBefore(a.place, b.place) ? -1 : a.place - b.place),
        ),
  }
}
